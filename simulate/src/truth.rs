//! What ingest has acknowledged: the sums to hold the meter against, and how far they may be off.

use crate::totals::Totals;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The whole run, in sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// By CDN: the sums, over all sessions, of the last counters that were acknowledged.
    pub cdns: BTreeMap<String, Totals>,
    /// Sessions of which at least one event was acknowledged.
    pub sessions: u64,
    /// Events accepted in answers that arrived; second copies are counted again, as ingest counts them.
    pub events_acknowledged: u64,
    /// Events that were sent, never answered, and not made up for by later counters.
    /// Zero: the truth is exact. Otherwise see `uncertain`.
    pub events_unacknowledged: u64,
    /// Events that were never sent, because the drain's time was over. They cannot be in the meter.
    pub events_unsent: u64,
    pub requests: u64,
    /// Requests that carried at least one event for another time, because its first answer failed.
    pub retries: u64,
    /// Events that ingest named as refused.
    pub refused: u64,
    /// Heartbeats replaced by a newer one of the same session before they were acknowledged.
    pub merged: u64,
    /// Events without counters that were dropped because too much was waiting.
    pub dropped: u64,
    /// What the imperfect network did.
    pub lost: u64,
    pub twice: u64,
    pub held: u64,
    pub run_id: String,
    /// What may be in the meter beyond the sums, when `events_unacknowledged` is not zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertain: Option<Uncertain>,
}

/// Sessions whose last counters were sent but not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncertain {
    pub sessions: u64,
    /// By CDN: at most this much more than the truth may have been accepted.
    pub cdns_max: BTreeMap<String, Totals>,
}

/// One (session, CDN) of the audit file; the fields are its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTruth {
    pub session_id: std::sync::Arc<str>,
    /// Place of the CDN in the configuration.
    pub cdn: u8,
    /// `seq` of the last acknowledged counters.
    pub seq: u64,
    pub totals: Totals,
    /// What may be in the meter beyond `totals`; all zero when certain.
    pub beyond_max: Totals,
}
