//! The quality report: play time, stalls, views and startup times of each row.
//!
//! A view is a session with play time in the row; ratios are sum over sum. Startup times come from the
//! `playback_start` events of the same range: one per view, its first. Percentiles are exact, by nearest
//! rank: the smallest value that at least p % of the values do not exceed.

use crate::engine::Engine;
use crate::error::Error;
use crate::groups::{Groups, Marks, Place};
use crate::number::{list_bytes, table_bytes};
use crate::report::Ask;
use crate::rows::{self, fit};
use arrow::array::{Array, RecordBatch};
use hashbrown::HashMap;
use livemeter_schemas::ledger::INCREMENTS;
use livemeter_schemas::reports::{Keys, QualityRow, Report};

const DEFINITIONS: [&str; 10] = [
    "play_ms",
    "stall_ms",
    "stalls",
    "views",
    "stall_ratio",
    "stalls_per_100s",
    "stall_ms_per_100s",
    "stalled_views_ratio",
    "startup_p50_ms",
    "startup_p95_ms",
];

/// Marks of a session within a group. Increments never fall below 0, so any above it makes the sum so.
const PLAYED: u8 = 1;
const STALLED: u8 = 2;
const BOTH: u8 = PLAYED | STALLED;

/// Reads one version of the ledger. Rows are ordered by time, then by play time (longest first), then by keys.
pub async fn report(engine: &Engine, ask: &Ask) -> Result<Report<QualityRow>, Error> {
    let mut answer = rows::read(engine, ask, &sql(ask)).await?;
    let mut quality = Quality::new(ask);
    while let Some(batch) = answer.next().await? {
        answer.hold(quality.room_bytes(&batch)?)?;
        quality.add(&batch)?;
    }
    Ok(rows::report(ask, &answer.versions, INCREMENTS, &DEFINITIONS, quality.rows(ask)?))
}

/// Both tables in one statement, so that they are read at the same moment. Only starts have a `seq`.
fn sql(ask: &Ask) -> String {
    format!(
        "SELECT window_start AS at, {columns}, play_ms, stall_ms, stalls, CAST(NULL AS BIGINT) AS seq, CAST(NULL AS BIGINT) AS startup_ms
         FROM increments WHERE {rows}
         UNION ALL
         SELECT at, {columns}, 0 AS play_ms, 0 AS stall_ms, 0 AS stalls, seq, startup_ms FROM events WHERE {starts}",
        columns = ask.columns(),
        rows = ask.increments_where(),
        starts = ask.starts_where(),
    )
}

/// The sums and starts so far.
struct Quality {
    groups: Groups,
    views: Marks,
    sums: Vec<Sums>,
    /// The `seq` and the startup time of each (group, session)'s first start.
    starts: HashMap<[u32; 2], (i64, i64)>,
}

/// Sums of one group, wide enough for any number of rows.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    play_ms: i128,
    stall_ms: i128,
    stalls: i128,
    views: i64,
    stalled_views: i64,
    startup_p50_ms: Option<i64>,
    startup_p95_ms: Option<i64>,
}

impl Quality {
    fn new(ask: &Ask) -> Quality {
        Quality { groups: Groups::new(ask), views: Marks::default(), sums: Vec::new(), starts: HashMap::new() }
    }

    fn room_bytes(&self, batch: &RecordBatch) -> Result<usize, Error> {
        let more = batch.num_rows();
        // At the end, the starts are held a second time, as a list.
        let starts = table_bytes::<([u32; 2], (i64, i64))>(self.starts.len(), self.starts.capacity(), more);
        let listed = (self.starts.len() + more) * size_of::<(u32, i64)>();
        let views = self.views.room_bytes(more, self.groups.sessions());
        Ok(self.groups.room_bytes(batch)? + views + list_bytes(&self.sums, more) + starts + listed)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let places = self.groups.places(batch)?;
        self.sums.resize(self.groups.len(), Sums::default());
        let [play, stall, stalls] = [rows::ints(batch, "play_ms")?, rows::ints(batch, "stall_ms")?, rows::ints(batch, "stalls")?];
        let amounts = play.values().iter().zip(stall.values()).zip(stalls.values());
        for (place, ((&play_ms, &stall_ms), &stalls)) in places.iter().zip(amounts) {
            let sums = self.sums.get_mut(place.group as usize).ok_or_else(rows::no_sums)?;
            sums.play_ms += i128::from(play_ms);
            sums.stall_ms += i128::from(stall_ms);
            sums.stalls += i128::from(stalls);
            let marks = if play_ms > 0 { PLAYED } else { 0 } | if stalls > 0 { STALLED } else { 0 };
            if marks != 0 {
                let (before, after) = self.views.add(*place, marks);
                sums.views += i64::from(before & PLAYED == 0 && after & PLAYED != 0);
                sums.stalled_views += i64::from(before != BOTH && after == BOTH);
            }
        }
        self.add_starts(batch, &places)
    }

    fn add_starts(&mut self, batch: &RecordBatch, places: &[Place]) -> Result<(), Error> {
        let (seq, startup_ms) = (rows::ints(batch, "seq")?, rows::ints(batch, "startup_ms")?);
        if startup_ms.null_count() == startup_ms.len() {
            return Ok(());
        }
        for (place, start) in places.iter().zip(seq.iter().zip(startup_ms.iter())) {
            let (Some(seq), Some(startup_ms)) = start else { continue };
            let first = self.starts.entry([place.group, place.session]).or_insert((seq, startup_ms));
            *first = (*first).min((seq, startup_ms));
        }
        Ok(())
    }

    /// The report's rows, and whether there would be more.
    fn rows(mut self, ask: &Ask) -> Result<(Vec<QualityRow>, bool), Error> {
        self.rank_starts();
        let sums = |group: u32| self.sums.get(group as usize).copied().unwrap_or_default();
        let (groups, truncated) = self.groups.first(ask.limit, |group| sums(group).play_ms);
        let mut rows = Vec::with_capacity(groups.len().max(1));
        for group in groups {
            rows.push(sums(group).row(self.groups.keys(group))?);
        }
        if ask.by.is_empty() && rows.is_empty() {
            rows.push(QualityRow::default());
        }
        Ok((rows, truncated))
    }

    fn rank_starts(&mut self) {
        let mut starts: Vec<(u32, i64)> = self.starts.iter().map(|([group, _], (_, startup_ms))| (*group, *startup_ms)).collect();
        starts.sort_unstable();
        for of_group in starts.chunk_by(|a, b| a.0 == b.0) {
            let nearest = |percent: usize| of_group.get((of_group.len() * percent).div_ceil(100).saturating_sub(1)).map(|start| start.1);
            let group = of_group.first().map_or(0, |start| start.0);
            if let Some(sums) = self.sums.get_mut(group as usize) {
                (sums.startup_p50_ms, sums.startup_p95_ms) = (nearest(50), nearest(95));
            }
        }
    }
}

impl Sums {
    fn row(&self, keys: Keys) -> Result<QualityRow, Error> {
        let play_ms = fit(self.play_ms, "play_ms")?;
        let stall_ms = fit(self.stall_ms, "stall_ms")?;
        let stalls = fit(self.stalls, "stalls")?;
        Ok(QualityRow {
            keys,
            play_ms,
            stall_ms,
            stalls,
            views: self.views,
            stall_ratio: ratio(stall_ms as f64, play_ms as f64 + stall_ms as f64),
            stalls_per_100s: ratio(stalls as f64 * 100_000.0, play_ms as f64),
            stall_ms_per_100s: ratio(stall_ms as f64 * 100_000.0, play_ms as f64),
            stalled_views_ratio: ratio(self.stalled_views as f64, self.views as f64),
            startup_p50_ms: self.startup_p50_ms.map(|ms| ms as f64),
            startup_p95_ms: self.startup_p95_ms.map(|ms| ms as f64),
        })
    }
}

/// Null, not zero or infinity, where there is nothing to divide by.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
