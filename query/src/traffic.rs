//! The traffic report: bytes, aborted bytes, sessions, and the highest 5-minute bandwidth of each row.
//!
//! Bytes are summed per window too; a row's peak is the largest of its windows, over all that the row
//! covers (so a CDN's peak is that of its whole traffic, never a sum of peaks).

use crate::engine::Engine;
use crate::error::Error;
use crate::groups::{Groups, Marks};
use crate::number::{list_bytes, table_bytes};
use crate::report::Ask;
use crate::rows::{self, fit};
use arrow::array::RecordBatch;
use hashbrown::HashMap;
use livemeter_schemas::ledger::INCREMENTS;
use livemeter_schemas::reports::{Keys, Report, TrafficRow};
use livemeter_schemas::time::WINDOW_MS;

const DEFINITIONS: [&str; 5] = ["bytes", "aborted_bytes", "sessions", "peak_bandwidth_bps", "bandwidth_bps"];

/// Reads one version of the ledger. Rows are ordered by time, then by bytes (largest first), then by keys.
pub async fn report(engine: &Engine, ask: &Ask) -> Result<Report<TrafficRow>, Error> {
    let mut answer = rows::read(engine, ask, &sql(ask)).await?;
    let mut traffic = Traffic::new(ask);
    while let Some(batch) = answer.next().await? {
        answer.hold(traffic.room_bytes(&batch)?)?;
        traffic.add(&batch)?;
    }
    Ok(rows::report(ask, &answer.versions, INCREMENTS, &DEFINITIONS, traffic.rows(ask)?))
}

/// Filters belong to the engine, which leaves whole files unread by them; grouping is done here.
fn sql(ask: &Ask) -> String {
    let (columns, rows) = (ask.columns(), ask.increments_where());
    format!("SELECT window_start AS at, {columns}, bytes, aborted_bytes FROM increments WHERE {rows}")
}

/// The sums so far.
struct Traffic {
    groups: Groups,
    sessions: Marks,
    /// Bytes of each (group, window). A sum at the top of 64 bits stays there: its row's is refused.
    windows: HashMap<[u32; 2], i64>,
    sums: Vec<Sums>,
}

/// Sums of one group, wide enough for any number of rows.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    bytes: i128,
    aborted_bytes: i128,
    sessions: i64,
    peak_window_bytes: i64,
}

impl Traffic {
    fn new(ask: &Ask) -> Traffic {
        Traffic { groups: Groups::new(ask), sessions: Marks::default(), windows: HashMap::new(), sums: Vec::new() }
    }

    fn room_bytes(&self, batch: &RecordBatch) -> Result<usize, Error> {
        let more = batch.num_rows();
        Ok(self.groups.room_bytes(batch)?
            + self.sessions.room_bytes(more, self.groups.sessions())
            + table_bytes::<([u32; 2], i64)>(self.windows.len(), self.windows.capacity(), more)
            + list_bytes(&self.sums, more))
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        const WINDOW_MICROS: i64 = WINDOW_MS * 1_000;
        let places = self.groups.places(batch)?;
        self.sums.resize(self.groups.len(), Sums::default());
        let (at, bytes, aborted) = (rows::micros(batch, "at")?, rows::ints(batch, "bytes")?, rows::ints(batch, "aborted_bytes")?);
        for (((place, at), bytes), aborted) in places.into_iter().zip(at.values()).zip(bytes.values()).zip(aborted.values()) {
            let window = self.windows.entry([place.group, (at / WINDOW_MICROS) as u32]).or_insert(0);
            *window = window.saturating_add(*bytes);
            let sums = self.sums.get_mut(place.group as usize).ok_or_else(rows::no_sums)?;
            sums.bytes += i128::from(*bytes);
            sums.aborted_bytes += i128::from(*aborted);
            if self.sessions.add(place, 1).0 == 0 {
                sums.sessions += 1;
            }
        }
        Ok(())
    }

    /// The report's rows, and whether there would be more.
    fn rows(mut self, ask: &Ask) -> Result<(Vec<TrafficRow>, bool), Error> {
        for ([group, _], bytes) in &self.windows {
            if let Some(sums) = self.sums.get_mut(*group as usize) {
                sums.peak_window_bytes = sums.peak_window_bytes.max(*bytes);
            }
        }
        let sums = |group: u32| self.sums.get(group as usize).copied().unwrap_or_default();
        let (groups, truncated) = self.groups.first(ask.limit, |group| sums(group).bytes);
        let mut rows = Vec::with_capacity(groups.len().max(1));
        for group in groups {
            rows.push(sums(group).row(self.groups.keys(group))?);
        }
        if ask.by.is_empty() && rows.is_empty() {
            rows.push(TrafficRow::default());
        }
        Ok((rows, truncated))
    }
}

impl Sums {
    fn row(&self, keys: Keys) -> Result<TrafficRow, Error> {
        const WINDOW_S: i128 = WINDOW_MS as i128 / 1_000;
        Ok(TrafficRow {
            keys,
            bytes: fit(self.bytes, "bytes")?,
            aborted_bytes: fit(self.aborted_bytes, "aborted_bytes")?,
            sessions: self.sessions,
            // Bytes of one window as bits per second, rounded down.
            peak_bandwidth_bps: fit(i128::from(self.peak_window_bytes) * 8 / WINDOW_S, "peak_bandwidth_bps")?,
        })
    }
}

#[cfg(test)]
#[path = "traffic_tests.rs"]
mod tests;
