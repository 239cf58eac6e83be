//! What an audit answers: counts, partitions, and differences, of which some are told one by one.

use super::{Ledger, PartitionReport};
use serde::Serialize;

/// Which law was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Rows of a (session, CDN) do not sum to what they reached.
    Conservation,
    /// A record was booked more than once.
    Twice,
    /// A row stands where the ledger has not been yet.
    Beyond,
    /// Accounts do not add up to the offsets.
    Accounts,
    /// Stored offsets do not fit the broker, or each other.
    Offsets,
    /// The topic says something else.
    Topic,
}

/// One difference, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub check: Check,
    pub what: String,
}

/// Every difference is counted; the first ones are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    max: usize,
    total: u64,
    shown: Vec<Difference>,
}

impl Findings {
    pub fn new(max: usize) -> Self {
        Findings { max, total: 0, shown: Vec::new() }
    }

    pub fn add(&mut self, check: Check, what: impl FnOnce() -> String) {
        self.total += 1;
        if self.shown.len() < self.max {
            self.shown.push(Difference { check, what: what() });
        }
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn shown(&self) -> &[Difference] {
        &self.shown
    }
}

/// What was compared with the topic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TopicReport {
    /// Records read again, up to the stored offsets.
    pub records: u64,
    /// Records that cannot be read as events: they are dead letters, not rows.
    pub unreadable: u64,
    /// Events that the rules refuse, such as counters that fell: dead letters too.
    pub refused: u64,
    /// (session, CDN) pairs compared to the byte.
    pub compared: u64,
    /// Those whose first records the broker no longer holds: their counters must not exceed the ledger's.
    pub partly: u64,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    pub ok: bool,
    pub increments_version: u64,
    pub events_version: u64,
    pub rows: u64,
    /// (session, CDN) pairs summed.
    pub counters: u64,
    pub passes: usize,
    pub partitions: Vec<PartitionReport>,
    /// Null when the topic was not read again.
    pub topic: Option<TopicReport>,
    pub differences: u64,
    pub shown: Vec<Difference>,
}

impl Report {
    pub(super) fn new(ledger: &Ledger, partitions: Vec<PartitionReport>) -> Self {
        let version = |table: &deltalake::DeltaTable| table.version().unwrap_or_default();
        let (increments_version, events_version) = (version(&ledger.increments), version(&ledger.events));
        Report { increments_version, events_version, partitions, ..Report::default() }
    }

    pub(super) fn close(&mut self, findings: Findings) {
        self.ok = findings.total == 0;
        self.differences = findings.total;
        self.shown = findings.shown;
    }
}
