//! How large a client's words may be. Each limit has a reason; ingest can be set to smaller ones,
//! and every refusal names the one that was broken.

/// Limits on one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Ids end up in every row of the ledger: 128 bytes holds a UUID, a hash or an e-mail-sized id.
    pub id_bytes_max: usize,
    /// Free text (error messages, causes): enough for a sentence, too little for a stack trace.
    pub text_bytes_max: usize,
    /// One event's JSON. A heartbeat with 16 CDNs is under 4 KiB; the rest is room for unknown fields.
    pub event_bytes_max: usize,
    /// CDNs one session may report: a viewer who has used more than this has a broken player.
    pub cdns_max: usize,
    /// Counters beyond this cannot be real: 2^50 bytes is a petabyte in one session.
    pub counter_max: u64,
    /// An event may be this much newer than the batch that carries it (clock steps, rounding).
    pub ahead_ms_max: i64,
    /// An offline queue may be this old when it is flushed.
    pub age_ms_max: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            id_bytes_max: 128,
            text_bytes_max: 1024,
            event_bytes_max: 16 * 1024,
            cdns_max: 16,
            counter_max: 1 << 50,
            ahead_ms_max: 5 * 60 * 1000,
            age_ms_max: 7 * 24 * 3600 * 1000,
        }
    }
}
