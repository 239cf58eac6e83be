//! One partition under work: its book, the place in its records, its accounts, and when it was last kept as
//! a snapshot. Reading and committing are not here: [`crate::worker`].

use crate::book::{Book, Rules, Wanted};
use crate::memory::Memory;
use crate::tally::Tally;
use std::hash::Hasher;
use std::time::Duration;
use tokio::time::Instant;
use twox_hash::XxHash64;

/// By what a record is known again: of the last one that a table has. A topic that was made anew, or whose records
/// were replaced, has another at that offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    pub offset: i64,
    pub print: i64,
}

/// The fingerprint of a record's value; never 0, which stands for "not known", nor negative.
pub fn print(payload: &[u8]) -> i64 {
    let mut hasher = XxHash64::with_seed(0);
    hasher.write(payload);
    ((hasher.finish() >> 1) as i64).max(1)
}

/// A partition that this worker answers for.
#[derive(Debug)]
pub struct Partition {
    pub book: Book,
    /// The offset after the last record that was booked.
    pub next: i64,
    pub tally: Tally,
    /// The fingerprint of the last record that `increments` has, or will have with what waits; 0: not known.
    pub print: i64,
    /// Not looked at yet: the last record before this worker's first.
    pub seal: Option<Seal>,
    /// What both tables had when it was taken up: below these, records are in already.
    pub increments_from: i64,
    pub events_from: i64,
    snapshot_at: Instant,
}

impl Partition {
    /// Takes up a partition at what the tables hold of it.
    pub fn new(rules: Rules, memory: Memory, increments_from: i64, events_from: i64, tally: Tally, print: i64) -> Self {
        let (book, next) = (Book::new(rules, memory), increments_from.min(events_from));
        let seal = (print != 0).then_some(Seal { offset: increments_from - 1, print });
        Partition { book, next, tally, print, seal, increments_from, events_from, snapshot_at: Instant::now() }
    }

    /// Where reading begins, of what the broker holds from `low` on: at the last record that is in already, if it is
    /// still there, to see whether it is the same.
    pub fn begin(&mut self, low: i64) -> i64 {
        self.seal = self.seal.filter(|seal| seal.offset >= low);
        self.seal.map_or(self.next, |seal| seal.offset.min(self.next))
    }

    /// Holds a record against the seal, once. False: another record stands where the last one was.
    pub fn is_sealed(&mut self, offset: i64, payload: &[u8]) -> bool {
        let Some(seal) = self.seal.filter(|seal| seal.offset <= offset) else { return true };
        self.seal = None;
        seal.offset != offset || seal.print == print(payload)
    }

    /// Notes the last record that was booked.
    pub fn note(&mut self, offset: i64, payload: &[u8]) {
        if offset + 1 == self.next && self.wanted(offset).increments {
            self.print = print(payload);
        }
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
        Partition::new(rules, Memory::default(), increments, events, Tally::default(), print(b"last"))
    }

    #[test]
    fn a_table_that_is_ahead_skips_what_it_has() {
        let p = partition(10, 7);
        assert_eq!(p.next, 7);
        assert!(!p.wanted(9).increments && p.wanted(9).events && p.wanted(10).increments);
    }

    #[test]
    fn the_last_record_that_is_in_is_known_again() {
        let mut p = partition(10, 10);
        assert_eq!((p.begin(0), p.next), (9, 10), "it is read once more");
        assert!(p.is_sealed(8, b"before"), "not the one");
        assert!(p.is_sealed(9, b"last") && p.is_sealed(9, b"other"), "looked at once");
        assert!(!partition(10, 10).is_sealed(9, b"other"));
        assert!(partition(10, 10).is_sealed(10, b"other"), "the one is not there to be looked at");

        let mut p = partition(10, 10);
        assert_eq!((p.begin(10), p.seal), (10, None), "the broker has let go of it");
        assert_eq!(partition(10, 7).begin(0), 7, "it comes by on the way");
        let mut unknown = Partition { seal: None, print: 0, ..partition(10, 10) };
        assert_eq!(unknown.begin(0), 10, "a ledger of an earlier version");
    }

    #[test]
    fn only_what_increments_get_is_noted() {
        let mut p = partition(10, 7);
        p.next = 9;
        p.note(8, b"in already");
        assert_eq!(p.print, print(b"last"));
        p.next = 12;
        p.note(10, b"not the last");
        assert_eq!(p.print, print(b"last"));
        p.note(11, b"new");
        assert_eq!(p.print, print(b"new"));
    }

    #[test]
    fn gaps_are_accounted_for_once() {
        let mut p = partition(10, 7);
        assert_eq!(p.skipped(12), 2, "offsets below 10 are in the accounts already");
        p.next = 13;
        assert_eq!((p.skipped(13), p.skipped(15)), (0, 2));
    }
}
