//! The client's side, out of the ledger: bytes per 5 minutes, CDN and region, and per session. Booked rows
//! alone; bytes of aborted requests count, since the vendor sent them. All statements of one check read one snapshot.

use super::ask::Ask;
use crate::engine::{Answer, Engine, Work};
use crate::error::{Error, from_engine};
use crate::ledger::Snapshot;
use crate::rows;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type};
use chrono::DateTime;
use datafusion::common::ScalarValue;
use datafusion::sql::parser::DFParser;
use livemeter_schemas::ledger::{BOOKED, INCREMENTS};
use std::collections::BTreeMap;

/// Bytes that a row stands for, exact however many rows are summed.
pub const BYTES: &str = "SUM(CAST(bytes AS DECIMAL(38, 0)) + CAST(aborted_bytes AS DECIMAL(38, 0)))";
/// An end that a player told may come after the period; later than this it is another matter.
const END_AFTER_MS: i64 = 24 * 3_600_000;

/// Traffic of one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub start_ms: i64,
    pub cdn: String,
    /// Empty: the player named none.
    pub region: String,
    pub bytes: i64,
}

/// One session on one CDN, within the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub session_id: String,
    pub cdn: String,
    pub region: String,
    pub bytes: i64,
    pub first_window_ms: i64,
    pub last_window_ms: i64,
    /// Time of its last counters, and how long it played and stalled: its rate.
    pub last_at_ms: i64,
    pub lived_ms: i64,
    /// Whether it said that it ended: then its last counters are its last.
    pub ended: bool,
}

/// What the ledger says of a period and a contract's CDNs and regions.
#[derive(Debug, Clone, Default)]
pub struct Client {
    pub table_version: Option<i64>,
    /// Highest offset behind the rows read, by generation and partition.
    pub offsets: BTreeMap<(i64, i64), i64>,
    pub windows: Vec<Window>,
    pub sessions: Vec<Session>,
}

impl Client {
    /// `partition:offset`; of a replaced topic, `generation/partition:offset`.
    pub fn offsets_told(&self) -> Vec<String> {
        let newest = self.offsets.keys().map(|(generation, _)| *generation).max().unwrap_or_default();
        let told = |((generation, partition), offset): (&(i64, i64), &i64)| match *generation == newest {
            true => format!("{partition}:{offset}"),
            false => format!("{generation}/{partition}:{offset}"),
        };
        self.offsets.iter().map(told).collect()
    }
}

/// Reads the series alone, with the offsets behind it.
pub async fn read_series(engine: &Engine, snapshot: &Snapshot, ask: &Ask, deadline_ms: u64) -> Result<Client, Error> {
    let mut client = Client { table_version: snapshot.versions().get(INCREMENTS).copied(), ..Client::default() };
    windows(engine, snapshot, ask, deadline_ms, &mut client).await?;
    Ok(client)
}

/// Reads both series and sessions at one version.
pub async fn read(engine: &Engine, ask: &Ask, deadline_ms: u64, sessions_max: usize) -> Result<Client, Error> {
    let snapshot = engine.snapshot().await?;
    let mut client = read_series(engine, &snapshot, ask, deadline_ms).await?;
    sessions(engine, &snapshot, ask, deadline_ms, sessions_max, &mut client).await?;
    Ok(client)
}

async fn windows(engine: &Engine, snapshot: &Snapshot, ask: &Ask, deadline_ms: u64, client: &mut Client) -> Result<(), Error> {
    let sql = format!(
        "SELECT window_start, cdn, coalesce(region, '') AS region, kafka_generation, kafka_partition, {BYTES} AS bytes, \
         MAX(kafka_offset) AS kafka_offset FROM increments WHERE {} GROUP BY 1, 2, 3, 4, 5",
        scope(ask)
    );
    let mut answer = start(engine, snapshot, &sql, values(ask), deadline_ms).await?;
    let mut sums: BTreeMap<(i64, String, String), i64> = BTreeMap::new();
    while let Some(batch) = answer.next().await? {
        let (at, bytes) = (rows::micros(&batch, "window_start")?, exact(&batch, "bytes")?);
        let (cdns, regions) = (rows::texts(&batch, "cdn")?, rows::texts(&batch, "region")?);
        let kafka = |name| rows::ints(&batch, name);
        let (generations, partitions, offsets) = (kafka("kafka_generation")?, kafka("kafka_partition")?, kafka("kafka_offset")?);
        for (row, bytes) in bytes.into_iter().enumerate() {
            let key = (at.value(row) / 1_000, cdns.value(row).to_owned(), regions.value(row).to_owned());
            let sum = sums.entry(key).or_default();
            *sum = sum.checked_add(bytes).ok_or(Error::Overflow { column: "bytes" })?;
            let reached = client.offsets.entry((generations.value(row), partitions.value(row))).or_insert(i64::MIN);
            *reached = (*reached).max(offsets.value(row));
        }
    }
    let window = |((start_ms, cdn, region), bytes)| Window { start_ms, cdn, region, bytes };
    client.windows = sums.into_iter().map(window).collect();
    Ok(())
}

async fn sessions(
    engine: &Engine,
    snapshot: &Snapshot,
    ask: &Ask,
    deadline_ms: u64,
    most: usize,
    client: &mut Client,
) -> Result<(), Error> {
    let sql = format!(
        "SELECT i.session_id, i.cdn, MAX(coalesce(i.region, '')) AS region, {BYTES} AS bytes, MIN(i.window_start) AS first_window, \
         MAX(i.window_start) AS last_window, MAX(i.at) AS last_at, SUM(i.play_ms + i.stall_ms) AS lived_ms, \
         bool_or(e.session_id IS NOT NULL) AS ended \
         FROM increments i LEFT JOIN (SELECT DISTINCT app, session_id FROM events WHERE type = 'session_end' AND at >= $1 AND at < $5) e \
         ON i.app = e.app AND i.session_id = e.session_id WHERE {} GROUP BY i.app, i.session_id, i.cdn",
        scope(ask)
    );
    let mut answer = start(engine, snapshot, &sql, values(ask), deadline_ms).await?;
    while let Some(batch) = answer.next().await? {
        let found = client.sessions.len() + batch.num_rows();
        if found > most {
            return Err(Error::TooLarge { field: "sessions", value: found as u64, limit: most as u64, unit: "sessions at least" });
        }
        client.sessions.extend(session_rows(&batch)?);
    }
    client.sessions.sort_by(|a, b| (&a.session_id, &a.cdn).cmp(&(&b.session_id, &b.cdn)));
    Ok(())
}

fn session_rows(batch: &RecordBatch) -> Result<Vec<Session>, Error> {
    let texts = |name| rows::texts(batch, name);
    let (ids, cdns, regions) = (texts("session_id")?, texts("cdn")?, texts("region")?);
    let ms = |name| rows::micros(batch, name);
    let (first, last, at) = (ms("first_window")?, ms("last_window")?, ms("last_at")?);
    let (bytes, lived) = (exact(batch, "bytes")?, rows::ints(batch, "lived_ms")?);
    let ended = batch.column_by_name("ended").and_then(|c| c.as_boolean_opt()).cloned();
    let row = |(row, bytes): (usize, i64)| Session {
        session_id: ids.value(row).to_owned(),
        cdn: cdns.value(row).to_owned(),
        region: regions.value(row).to_owned(),
        bytes,
        first_window_ms: first.value(row) / 1_000,
        last_window_ms: last.value(row) / 1_000,
        last_at_ms: at.value(row) / 1_000,
        lived_ms: lived.value(row),
        ended: ended.as_ref().is_some_and(|ended| ended.is_valid(row) && ended.value(row)),
    };
    Ok(bytes.into_iter().enumerate().map(row).collect())
}

/// Starts a statement of ours over the snapshot.
pub async fn start(engine: &Engine, snapshot: &Snapshot, sql: &str, values: Vec<ScalarValue>, deadline_ms: u64) -> Result<Answer, Error> {
    let internal = |reason: String| Error::Internal(format!("a bill check's own SQL: {reason}"));
    let statement = DFParser::parse_sql(sql).map_err(|e| internal(e.strip_backtrace()))?.pop_front();
    let statement = statement.ok_or_else(|| internal("is empty".into()))?;
    engine.run_on(Work { statement, values, rows_max: None }, Some(snapshot.clone()), deadline_ms).await
}

/// Which rows of `increments` are the contract's: `$1`… are [`values`].
pub fn scope(ask: &Ask) -> String {
    let list = |column: &str, values: &[String], first: usize| {
        let any: Vec<String> = (0..values.len()).map(|i| format!("{column} = ${}", first + i)).collect();
        if any.is_empty() { String::new() } else { format!(" AND ({})", any.join(" OR ")) }
    };
    let (cdns, regions) = (ask.cdns(), ask.regions());
    let lists = list("cdn", cdns, 6) + &list("region", regions, 6 + cdns.len());
    // `$5` is the sessions' affair; it is named here so that every statement has the same values.
    format!("window_start >= $1 AND window_start < $2 AND date >= $3 AND date <= $4 AND window_start < $5 AND status = '{BOOKED}'{lists}")
}

/// The values of `$1`, `$2`, … in every statement here.
pub fn values(ask: &Ask) -> Vec<ScalarValue> {
    let at = |ms: i64| ScalarValue::TimestampMicrosecond(Some(ms * 1_000), Some("UTC".into()));
    let date = |ms: i64| ScalarValue::from(DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%d").to_string());
    let (from, to) = (ask.from_ms, ask.to_ms);
    let mut values = vec![at(from), at(to), date(from), date(to - 1), at(to + END_AFTER_MS)];
    values.extend(ask.cdns().iter().chain(ask.regions()).map(|text| ScalarValue::from(text.as_str())));
    values
}

/// A column of exact sums; one that does not fit 64 bits is refused.
pub fn exact(batch: &RecordBatch, name: &'static str) -> Result<Vec<i64>, Error> {
    let column = batch.column_by_name(name).ok_or_else(|| Error::Internal(format!("a bill check's own SQL does not answer {name}")))?;
    let sums = cast(column, &DataType::Decimal128(38, 0)).map_err(|e| from_engine(e.into(), 0))?;
    sums.as_primitive::<Decimal128Type>().iter().map(|sum| rows::fit(sum.unwrap_or_default(), name)).collect()
}
