//! One partition under work: its book, the place in its records, its accounts, and when it was last kept as
//! a snapshot. Reading and committing are not here: [`crate::worker`].

use crate::book::{Book, Rules, Wanted};
use crate::memory::Memory;
use crate::tally::Tally;
use std::time::Duration;
use tokio::time::Instant;

/// A partition that this worker answers for.
#[derive(Debug)]
pub struct Partition {
    pub book: Book,
    /// The offset after the last record that was booked.
    pub next: i64,
    pub tally: Tally,
    /// What both tables had when it was taken up: below these, records are in already.
    pub increments_from: i64,
    pub events_from: i64,
    snapshot_at: Instant,
}

impl Partition {
    /// Takes up a partition at what the tables hold of it.
    pub fn new(rules: Rules, memory: Memory, increments_from: i64, events_from: i64, tally: Tally) -> Self {
        let (book, next) = (Book::new(rules, memory), increments_from.min(events_from));
        Partition { book, next, tally, increments_from, events_from, snapshot_at: Instant::now() }
    }

    /// Which tables still lack the record at `offset`.
    pub fn wanted(&self, offset: i64) -> Wanted {
        Wanted { increments: offset >= self.increments_from, events: offset >= self.events_from }
    }

    /// Offsets before this one that held no record and are not accounted for yet.
    pub fn skipped(&self, offset: i64) -> i64 {
        offset - self.next.max(self.increments_from).min(offset)
    }

    /// How long ago it was last kept, or taken up.
    pub fn snapshot_age(&self) -> Duration {
        self.snapshot_at.elapsed()
    }

    pub fn snapshot_begins(&mut self) {
        self.snapshot_at = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(increments: i64, events: i64) -> Partition {
        let rules = Rules {
            split_windows_max: 1,
            session_events_max: 1,
            age_ms_max: 1,
            bitrate_bps_max: 1,
            burst_ms: 1,
            late_after_ms: 1,
            cmcd: Default::default(),
        };
        Partition::new(rules, Memory::default(), increments, events, Tally::default())
    }

    #[test]
    fn a_table_that_is_ahead_skips_what_it_has() {
        let p = partition(10, 7);
        assert_eq!(p.next, 7);
        assert!(!p.wanted(9).increments && p.wanted(9).events && p.wanted(10).increments);
    }

    #[test]
    fn gaps_are_accounted_for_once() {
        let mut p = partition(10, 7);
        assert_eq!(p.skipped(12), 2, "offsets below 10 are in the accounts already");
        p.next = 13;
        assert_eq!((p.skipped(13), p.skipped(15)), (0, 2));
    }
}
