//! What became of every record of one partition, counted: the accounts that an audit holds against the
//! offsets. Pure; kept beside the offsets, in the same commit, by [`crate::table`].
//!
//! The law: `stored offset - begin = consumed + absent`, and
//! `consumed = booked + late + empty + events_only + refused`.

use crate::book::Taken;

/// Counts since the generation began, in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Tally {
    /// The offset at which the generation began.
    pub begin: i64,
    /// Read, whatever became of them.
    pub consumed: i64,
    /// Their counters were booked, as quarantined too.
    pub booked: i64,
    /// Counters at or below the `seq` reached: repeats, and what came out of order.
    pub late: i64,
    /// Counters that name no CDN.
    pub empty: i64,
    /// Events without counters.
    pub events_only: i64,
    /// Sent to the dead letter.
    pub refused: i64,
    /// Offsets that no record was read from: what a broker's own markers take, or a loss.
    pub absent: i64,
    /// Of those booked: some of their amounts were booked as quarantined.
    pub quarantined: i64,
    /// Of those with events: the event was in the ledger already.
    pub duplicate: i64,
}

/// The names of the counts, as they are stored.
pub const NAMES: [&str; 10] =
    ["begin", "consumed", "booked", "late", "empty", "events_only", "refused", "absent", "quarantined", "duplicate"];

impl Tally {
    pub fn beginning_at(offset: i64) -> Self {
        Tally { begin: offset, ..Tally::default() }
    }

    /// In the order of [`NAMES`].
    pub fn array(self) -> [i64; 10] {
        let Tally { begin, consumed, booked, late, empty, events_only, refused, absent, quarantined, duplicate } = self;
        [begin, consumed, booked, late, empty, events_only, refused, absent, quarantined, duplicate]
    }

    pub fn from_array(counts: [i64; 10]) -> Self {
        let [begin, consumed, booked, late, empty, events_only, refused, absent, quarantined, duplicate] = counts;
        Tally { begin, consumed, booked, late, empty, events_only, refused, absent, quarantined, duplicate }
    }

    /// One record more, and how many offsets before it held none.
    pub fn record(&mut self, skipped: i64, outcome: Result<Taken, ()>) {
        self.consumed += 1;
        self.absent += skipped;
        self.quarantined += i64::from(outcome.is_ok_and(|taken| taken.quarantined_rows > 0));
        self.duplicate += i64::from(outcome.is_ok_and(|taken| taken.duplicate));
        match outcome {
            Ok(taken) if taken.booked => self.booked += 1,
            Ok(taken) if taken.late => self.late += 1,
            Ok(taken) if taken.empty => self.empty += 1,
            Ok(_) => self.events_only += 1,
            Err(()) => self.refused += 1,
        }
    }

    /// Whether the accounts are whole up to `offset`.
    pub fn balances(self, offset: i64) -> bool {
        // Wide: a ledger that somebody has tampered with may store anything.
        let [begin, consumed, booked, late, empty, events_only, refused, absent, ..] = self.array().map(i128::from);
        i128::from(offset) - begin == consumed + absent && consumed == booked + late + empty + events_only + refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_record_is_in_one_account(begin in 0i64..1_000, records in prop::collection::vec((0i64..3, 0u8..5), 0..50)) {
            let mut tally = Tally::beginning_at(begin);
            let mut offset = begin;
            for (skipped, kind) in records {
                offset += skipped + 1;
                let taken = Taken { booked: kind == 0, late: kind == 1, empty: kind == 2, ..Taken::default() };
                tally.record(skipped, if kind == 4 { Err(()) } else { Ok(taken) });
            }
            prop_assert!(tally.balances(offset));
            prop_assert!(!tally.balances(offset + 1));
            prop_assert_eq!(Tally::from_array(tally.array()), tally);
        }
    }
}
