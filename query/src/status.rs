//! How far the ledger is and how fresh, from the tables' own file statistics; and which apps and CDNs
//! were seen lately, which is a small query, kept for a while.

use crate::engine::{Engine, Work};
use crate::error::{Error, from_engine};
use crate::ledger::{Snapshot, TableAt};
use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::common::ScalarValue;
use datafusion::sql::parser::DFParser;
use livemeter_schemas::derived;
use livemeter_schemas::ledger::{EVENTS, INCREMENTS};
use livemeter_schemas::reports::{Status, TableStatus};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Apps and CDNs come and go slowly; the page that shows them asks every few seconds.
const SEEN_FOR: Duration = Duration::from_secs(30);
/// "Lately" is the default range of a report.
const LATELY_MS: i64 = 24 * 3_600_000;

/// Remembers each table's figures until its version changes: statistics are parsed once per commit.
#[derive(Default)]
pub struct Statuses {
    known: Mutex<BTreeMap<&'static str, Figures>>,
    seen: Mutex<Option<Seen>>,
}

#[derive(Clone)]
struct Figures {
    table: TableStatus,
    newest_received_at: Option<DateTime<Utc>>,
}

#[derive(Clone)]
struct Seen {
    at: Instant,
    apps: BTreeSet<String>,
    cdns: BTreeSet<String>,
}

impl Statuses {
    pub async fn of(&self, engine: &Engine, snapshot: &Snapshot, now_ms: i64) -> Result<Status, Error> {
        let mut tables = Vec::new();
        let mut newest = None;
        for table in snapshot.tables() {
            let figures = self.figures(table).await;
            newest = newest.max(figures.newest_received_at);
            tables.push(figures.table);
        }
        let Seen { apps, cdns, .. } = self.seen(engine, now_ms).await?;
        Ok(Status {
            now: rfc3339(DateTime::from_timestamp_millis(now_ms).unwrap_or_default()),
            newest_received_at: newest.map(rfc3339),
            apps: apps.into_iter().collect(),
            cdns: cdns.into_iter().collect(),
            tables,
        })
    }

    async fn figures(&self, table: &TableAt) -> Figures {
        let mut known = self.known.lock().await;
        match known.get(table.name) {
            Some(figures) if figures.table.version.is_some() && figures.table.version == table.version() => figures.clone(),
            _ => {
                let mut figures = read(table);
                figures.table.reflects = reflects(table).await;
                known.insert(table.name, figures.clone());
                figures
            }
        }
    }

    async fn seen(&self, engine: &Engine, now_ms: i64) -> Result<Seen, Error> {
        let mut seen = self.seen.lock().await;
        if let Some(seen) = seen.as_ref().filter(|seen| seen.at.elapsed() < SEEN_FOR) {
            return Ok(seen.clone());
        }
        let fresh = match (look(engine, now_ms).await, seen.as_ref()) {
            // A busy service has more urgent things to do; what was seen before will do.
            (Err(Error::Busy { .. }), Some(before)) => return Ok(before.clone()),
            (fresh, _) => fresh?,
        };
        // An empty ledger may fill at any moment.
        if !fresh.apps.is_empty() {
            *seen = Some(fresh.clone());
        }
        Ok(fresh)
    }
}

async fn look(engine: &Engine, now_ms: i64) -> Result<Seen, Error> {
    let sql = "SELECT app, cdn FROM increments WHERE window_start >= $1 AND date >= $2 GROUP BY app, cdn LIMIT 1000";
    let own = |e| from_engine(e, 0);
    let statement = DFParser::parse_sql(sql).map_err(own)?.pop_front().ok_or_else(|| Error::Internal("no statement".into()))?;
    let from = DateTime::from_timestamp_millis(now_ms - LATELY_MS).unwrap_or_default();
    let values = vec![
        ScalarValue::TimestampMicrosecond(Some(from.timestamp_micros()), Some("UTC".into())),
        ScalarValue::from(from.format("%Y-%m-%d").to_string()),
    ];
    let answer = engine.run(Work { statement, values, rows_max: None }).await?;
    let mut seen = Seen { at: Instant::now(), apps: BTreeSet::new(), cdns: BTreeSet::new() };
    for batch in answer.collect().await? {
        for (name, set) in [("app", &mut seen.apps), ("cdn", &mut seen.cdns)] {
            let Some(column) = batch.column_by_name(name) else { continue };
            let texts = cast(column, &DataType::Utf8).map_err(|e| own(e.into()))?;
            set.extend(texts.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
    }
    Ok(seen)
}

fn read(at: &TableAt) -> Figures {
    let mut figures = Figures {
        table: TableStatus { name: at.name.to_owned(), version: at.version(), committed_at: None, rows: 0, reflects: None },
        newest_received_at: None,
    };
    let Some(Ok(state)) = at.table.as_ref().map(|table| table.snapshot()) else { return figures };
    figures.table.committed_at = state.version_timestamp(state.version()).and_then(DateTime::from_timestamp_millis).map(rfc3339);
    for file in state.log_data().iter() {
        figures.table.rows += file.num_records().unwrap_or(0) as u64;
        let stats = file.stats().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let newest = stats.and_then(|stats| instant(stats.get("maxValues")?.get("received_at")?.as_str()?));
        figures.newest_received_at = figures.newest_received_at.max(newest);
    }
    figures
}

/// The versions of the primary tables that a derived table says it was made from.
async fn reflects(at: &TableAt) -> Option<BTreeMap<String, i64>> {
    let (table, mut versions) = (at.table.as_ref().filter(|_| derived::TABLES.contains(&at.name))?, BTreeMap::new());
    let state = table.snapshot().ok()?;
    for (name, id) in [(INCREMENTS, derived::REFLECTS_INCREMENTS), (EVENTS, derived::REFLECTS_EVENTS)] {
        versions.insert(name.to_owned(), state.transaction_version(table.log_store().as_ref(), id).await.ok()??);
    }
    Some(versions)
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
