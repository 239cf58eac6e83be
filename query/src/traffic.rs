//! The traffic report: bytes, aborted bytes, sessions, and the highest 5-minute bandwidth of each row.
//!
//! Bytes are summed per window first; a row's peak is the largest of its windows, over all that the row
//! covers (so a CDN's peak is that of its whole traffic, never a sum of peaks). Sums are decimals of 38
//! digits inside the engine, whose 64-bit sum would wrap.

use crate::engine::Engine;
use crate::error::Error;
use crate::report::Ask;
use crate::rows;
use livemeter_schemas::ledger::INCREMENTS;
use livemeter_schemas::reports::{Report, TrafficRow};
use livemeter_schemas::time::WINDOW_MS;

const DEFINITIONS: [&str; 5] = ["bytes", "aborted_bytes", "sessions", "peak_bandwidth_bps", "bandwidth_bps"];

/// Reads one version of the ledger. Rows are ordered by time, then by bytes (largest first), then by keys.
pub async fn report(engine: &Engine, ask: &Ask) -> Result<Report<TrafficRow>, Error> {
    let read = rows::read(engine, ask, &sql(ask)).await?;
    let mut report_rows = Vec::new();
    for batch in &read.rows {
        let numbers = [rows::sums(batch, "bytes")?, rows::sums(batch, "aborted_bytes")?, rows::sums(batch, "sessions")?];
        let peaks = rows::wide(batch, "peak_window_bytes")?;
        let [bytes, aborted, sessions] = numbers.map(Vec::into_iter);
        let numbers = bytes.zip(aborted).zip(sessions).zip(peaks);
        for (keys, (((bytes, aborted_bytes), sessions), peak)) in rows::keys(ask, batch)?.into_iter().zip(numbers) {
            let peak_bandwidth_bps = bandwidth_bps(peak.unwrap_or(0))?;
            report_rows.push(TrafficRow { keys, bytes, aborted_bytes, sessions, peak_bandwidth_bps });
        }
    }
    if ask.by.is_empty() && report_rows.is_empty() {
        report_rows.push(TrafficRow::default());
    }
    Ok(rows::report(ask, &read, INCREMENTS, &DEFINITIONS, report_rows))
}

/// Bytes of one window as bits per second, rounded down.
fn bandwidth_bps(window_bytes: i128) -> Result<i64, Error> {
    const WINDOW_S: i128 = WINDOW_MS as i128 / 1_000;
    i64::try_from(window_bytes * 8 / WINDOW_S).map_err(|_| Error::Overflow { column: "peak_bandwidth_bps" })
}

fn sql(ask: &Ask) -> String {
    let (keys, names, rows) = (ask.keys_from("window_start"), ask.names(), ask.increments_where());
    let same = ask.each(|k| format!("totals.{k} = counted.{k}"), " AND ");
    let totals = ask.each(|k| format!("totals.{k} AS {k}"), ", ");
    format!(
        "WITH windows AS (
           SELECT {keys}, window_start,
                  SUM(CAST(bytes AS DECIMAL(38, 0))) AS bytes, SUM(CAST(aborted_bytes AS DECIMAL(38, 0))) AS aborted_bytes
           FROM increments WHERE {rows} GROUP BY {names}, window_start
         ), totals AS (
           SELECT {names}, SUM(bytes) AS bytes, SUM(aborted_bytes) AS aborted_bytes, MAX(bytes) AS peak_window_bytes
           FROM windows GROUP BY {names}
         ), seen AS (
           SELECT {keys}, app, session_id FROM increments WHERE {rows} GROUP BY {names}, app, session_id
         ), counted AS (
           SELECT {names}, COUNT(*) AS sessions FROM seen GROUP BY {names}
         )
         SELECT {totals}, bytes, aborted_bytes, sessions, peak_window_bytes
         FROM totals JOIN counted ON {same}
         ORDER BY {order} LIMIT {limit}",
        order = ask.order_by("bytes"),
        limit = ask.limit + 1,
    )
}
