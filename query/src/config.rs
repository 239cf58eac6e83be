//! Every setting of the query service, each limit with its reason. Reading flags, environment and
//! files is the binary's affair.

use std::net::{Ipv4Addr, SocketAddr};

/// Connections open at once; one more waits unaccepted. A page holds a few.
pub const CONNECTIONS_MAX: usize = 256;
/// From a connection's opening or its last answer to the next request's whole head: neither a stranger
/// who sends a letter a minute nor a forgotten page holds a connection longer. The console asks oftener.
pub const IDLE_TIMEOUT_MS: u64 = 60_000;

/// Settings of the query service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. The loopback address by default: there is no authentication yet.
    pub listen: SocketAddr,
    /// The ledger's root: a folder, or an object store's URL. Holds `increments/` and `events/`.
    pub ledger: String,
    /// Further values of the `Host` header that are ours (a reverse proxy's name); with or without port.
    pub allowed_hosts: Vec<String>,
    /// Memory that all running queries may hold together; what can spill, spills before this is refused.
    pub memory_bytes_max: usize,
    /// Disk that spilled sorts and aggregations may take together, so a query never fills the disk.
    pub spill_bytes_max: u64,
    /// From a request's arrival to its answer's last byte: a person does not wait longer, and a
    /// forgotten query must not hold a place for ever.
    pub deadline_ms: u64,
    /// Most rows of a JSON answer: it is built in memory, and a browser has to show it.
    pub rows_max: usize,
    /// Most rows of a CSV answer: it streams, so only the deadline and the reader's disk are spent.
    pub csv_rows_max: usize,
    /// Most bytes of a JSON answer, because few rows may still be wide.
    pub answer_bytes_max: usize,
    /// Queries that run at once: more would only share the same processors and memory.
    pub concurrent_max: usize,
    /// Queries that wait for a place; beyond this the answer is 429 at once.
    pub queue_max: usize,
    /// Length of a statement: generated SQL fits, a pasted data set does not.
    pub sql_bytes_max: usize,
    /// How long a table's snapshot is shared before the log is looked at again.
    pub refresh_ms: u64,
    /// Partitions (threads' worth of work) of one query.
    pub partitions: usize,
    /// Services whose refusals are told: ingest and processors, as base addresses. Asked only when somebody asks.
    pub refusals_from: Vec<String>,
    /// Longest range of a report: thirteen months, a year beside the same month of the last.
    pub range_days_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8701)),
            ledger: "./data/ledger".into(),
            allowed_hosts: Vec::new(),
            memory_bytes_max: 256 << 20,
            spill_bytes_max: 1 << 30,
            deadline_ms: 30_000,
            rows_max: 10_000,
            csv_rows_max: 1_000_000,
            answer_bytes_max: 32 << 20,
            concurrent_max: 4,
            queue_max: 16,
            sql_bytes_max: 64 << 10,
            refresh_ms: 1_000,
            partitions: 2,
            refusals_from: Vec::new(),
            range_days_max: 400,
        }
    }
}
