//! The quality report: play time, stalls, views and startup times of each row.
//!
//! A view is a session with play time in the row; ratios are sum over sum. Startup times come from the
//! `playback_start` events of the same range: one per view, its first. Percentiles are exact, by nearest
//! rank: the smallest value that at least p % of the values do not exceed.

use crate::engine::Engine;
use crate::error::Error;
use crate::report::Ask;
use crate::rows;
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

/// Reads one version of the ledger. Rows are ordered by time, then by play time (longest first), then by keys.
pub async fn report(engine: &Engine, ask: &Ask) -> Result<Report<QualityRow>, Error> {
    let read = rows::read(engine, ask, &sql(ask)).await?;
    let mut report_rows = Vec::new();
    for batch in &read.rows {
        let sums: Vec<Vec<i64>> = SUMS.iter().map(|name| rows::sums(batch, name)).collect::<Result<_, _>>()?;
        let (p50, p95) = (rows::wide(batch, "startup_p50_ms")?, rows::wide(batch, "startup_p95_ms")?);
        for (row, keys) in rows::keys(ask, batch)?.into_iter().enumerate() {
            let sums = Sums::of(sums.iter().map(|column| column.get(row).copied().unwrap_or(0)));
            let startup = |values: &[Option<i128>]| values.get(row).copied().flatten().map(|ms| ms as f64);
            report_rows.push(sums.row(keys, startup(&p50), startup(&p95)));
        }
    }
    if ask.by.is_empty() && report_rows.is_empty() {
        report_rows.push(QualityRow::default());
    }
    Ok(rows::report(ask, &read, INCREMENTS, &DEFINITIONS, report_rows))
}

const SUMS: [&str; 5] = ["play_ms", "stall_ms", "stalls", "views", "stalled_views"];

/// The sums of one row, in the order of [`SUMS`].
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    play_ms: i64,
    stall_ms: i64,
    stalls: i64,
    views: i64,
    stalled_views: i64,
}

impl Sums {
    fn of(mut values: impl Iterator<Item = i64>) -> Sums {
        let mut next = || values.next().unwrap_or(0);
        Sums { play_ms: next(), stall_ms: next(), stalls: next(), views: next(), stalled_views: next() }
    }

    fn row(self, keys: Keys, startup_p50_ms: Option<f64>, startup_p95_ms: Option<f64>) -> QualityRow {
        let Sums { play_ms, stall_ms, stalls, views, stalled_views } = self;
        QualityRow {
            keys,
            play_ms,
            stall_ms,
            stalls,
            views,
            stall_ratio: ratio(stall_ms as f64, play_ms as f64 + stall_ms as f64),
            stalls_per_100s: ratio(stalls as f64 * 100_000.0, play_ms as f64),
            stall_ms_per_100s: ratio(stall_ms as f64 * 100_000.0, play_ms as f64),
            stalled_views_ratio: ratio(stalled_views as f64, views as f64),
            startup_p50_ms,
            startup_p95_ms,
        }
    }
}

/// Null, not zero or infinity, where there is nothing to divide by.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn sql(ask: &Ask) -> String {
    let names = ask.names();
    let same = ask.each(|k| format!("totals.{k} = startup.{k}"), " AND ");
    let either = ask.each(|k| format!("COALESCE(totals.{k}, startup.{k}) AS {k}"), ", ");
    format!(
        "WITH per_view AS (
           SELECT {keys}, SUM(CAST(play_ms AS DECIMAL(38, 0))) AS play_ms,
                  SUM(CAST(stall_ms AS DECIMAL(38, 0))) AS stall_ms, SUM(CAST(stalls AS DECIMAL(38, 0))) AS stalls
           FROM increments WHERE {rows} GROUP BY {names}, app, session_id
         ), totals AS (
           SELECT {names}, SUM(play_ms) AS play_ms, SUM(stall_ms) AS stall_ms, SUM(stalls) AS stalls,
                  SUM(CASE WHEN play_ms > 0 THEN 1 ELSE 0 END) AS views,
                  SUM(CASE WHEN play_ms > 0 AND stalls > 0 THEN 1 ELSE 0 END) AS stalled_views
           FROM per_view GROUP BY {names}
         ), starts AS (
           SELECT {start_keys}, FIRST_VALUE(startup_ms ORDER BY seq, startup_ms) AS startup_ms
           FROM events WHERE {start_rows} GROUP BY {names}, app, session_id
         ), ranked AS (
           SELECT {names}, startup_ms,
                  ROW_NUMBER() OVER (PARTITION BY {names} ORDER BY startup_ms) AS place, COUNT(*) OVER (PARTITION BY {names}) AS n
           FROM starts
         ), startup AS (
           SELECT {names}, MAX(CASE WHEN place = (n * 50 + 99) / 100 THEN startup_ms END) AS startup_p50_ms,
                  MAX(CASE WHEN place = (n * 95 + 99) / 100 THEN startup_ms END) AS startup_p95_ms
           FROM ranked GROUP BY {names}
         )
         SELECT {either}, COALESCE(play_ms, 0) AS play_ms, COALESCE(stall_ms, 0) AS stall_ms, COALESCE(stalls, 0) AS stalls,
                COALESCE(views, 0) AS views, COALESCE(stalled_views, 0) AS stalled_views, startup_p50_ms, startup_p95_ms
         FROM totals FULL JOIN startup ON {same}
         ORDER BY {order} LIMIT {limit}",
        keys = ask.keys_from("window_start"),
        rows = ask.increments_where(),
        start_keys = ask.keys_from("at"),
        start_rows = ask.starts_where(),
        order = ask.order_by("play_ms"),
        limit = ask.limit + 1,
    )
}
