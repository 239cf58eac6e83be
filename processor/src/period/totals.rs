//! Rows of a period → sums by app and CDN, within the line and beyond it. Exact: 128 bits while summing, and
//! refused, not rounded, should a total not fit 64.

use super::PeriodError;
use crate::buffer::date;
use crate::error::Error;
use crate::scan::{self, Columns};
use deltalake::DeltaTable;
use livemeter_schemas::ledger;
use livemeter_schemas::period::{ClosedPeriod, PeriodTotal};
use std::collections::BTreeMap;

const COLUMNS: [&str; 13] = [
    "window_start",
    "app",
    "cdn",
    "status",
    "bytes",
    "aborted_bytes",
    "play_ms",
    "stall_ms",
    "stalls",
    "kafka_generation",
    "kafka_partition",
    "kafka_offset",
    "decided_at",
];
const COUNTERS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];

/// By (app, CDN).
pub(super) type Sums = BTreeMap<(String, String), [i128; 5]>;

/// What a table holds of a period.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sides {
    pub within: Sums,
    pub beyond: Sums,
}

/// Reads the files whose dates the period touches.
pub(super) async fn scan_period(table: &DeltaTable, closed: &ClosedPeriod) -> Result<Sides, Error> {
    let (first, last) = (date(closed.from_ms), date(closed.to_ms));
    let mut sides = Sides::default();
    for file in scan::files(table)?.iter().filter(|f| f.date >= first && f.date <= last) {
        scan::read(table, file, &COLUMNS, None, |columns| take(columns, closed, &mut sides)).await?;
    }
    Ok(sides)
}

fn take(c: &Columns<'_>, closed: &ClosedPeriod, sides: &mut Sides) -> Result<(), Error> {
    let (window, app, cdn, status) = (c.ms("window_start")?, c.text("app")?, c.text("cdn")?, c.text("status")?);
    let added = [c.int("bytes")?, c.int("aborted_bytes")?, c.int("play_ms")?, c.int("stall_ms")?, c.int("stalls")?];
    let (generation, partition, offset) = (c.int("kafka_generation")?, c.int("kafka_partition")?, c.int("kafka_offset")?);
    let decided = c.ms_or_null("decided_at")?;
    for row in (0..c.rows()).filter(|row| status.value(*row) == ledger::BOOKED && closed.holds(window(*row))) {
        let within = closed.within_line(generation.value(row), partition.value(row), offset.value(row), decided(row));
        let side = if within { &mut sides.within } else { &mut sides.beyond };
        let name = (app.value(row).to_owned(), cdn.value(row).to_owned());
        add(side.entry(name).or_default(), added.map(|column| i128::from(column.value(row))));
    }
    Ok(())
}

pub(super) fn add(sum: &mut [i128; 5], more: [i128; 5]) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

pub(super) fn amounts(t: &PeriodTotal) -> [i128; 5] {
    [t.bytes, t.aborted_bytes, t.play_ms, t.stall_ms, t.stalls].map(i128::from)
}

/// As they are kept: in order, 64 bits.
pub(super) fn told(sums: Sums) -> Result<Vec<PeriodTotal>, PeriodError> {
    sums.into_iter()
        .map(|((app, cdn), sum)| {
            let mut fit = [0; 5];
            for ((fit, sum), counter) in fit.iter_mut().zip(sum).zip(COUNTERS) {
                *fit = i64::try_from(sum).map_err(|_| PeriodError::Overflow { app: app.clone(), cdn: cdn.clone(), counter })?;
            }
            let [bytes, aborted_bytes, play_ms, stall_ms, stalls] = fit;
            Ok(PeriodTotal { app, cdn, bytes, aborted_bytes, play_ms, stall_ms, stalls })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_that_does_not_fit_is_refused_by_name() {
        let mut sums = Sums::new();
        let most = i128::from(i64::MAX);
        sums.insert(("demo".into(), "cdn-a".into()), [1, most, 0, -5, 0]);
        let total = told(sums.clone()).unwrap().remove(0);
        assert_eq!((total.bytes, total.aborted_bytes, total.stall_ms), (1, i64::MAX, -5), "an adjustment may be negative");
        assert_eq!(amounts(&total), [1, most, 0, -5, 0]);
        sums.insert(("demo".into(), "cdn-b".into()), [0, most + 1, 0, 0, 0]);
        let error = told(sums).unwrap_err().to_string();
        assert!(error.contains("cdn-b") && error.contains("aborted_bytes"), "{error}");
    }
}
