//! Primary tables for the tests of derived ones: rows written as the processor lays them out, without Kafka, with
//! roll-up, decisions and erasure acted out.

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::Schema;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::kernel::{Action, Add};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::writer::{DeltaWriter, RecordBatchWriter};
use livemeter_processor::buffer::date;
use livemeter_schemas::ledger;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One row of increments; amounts are `n` times 1 to 5.
#[derive(Debug, Clone)]
pub struct Increment {
    pub session: &'static str,
    pub cdn: &'static str,
    pub window_ms: i64,
    pub added: [i64; 5],
    pub status: &'static str,
    pub reached: [i64; 5],
    pub seq: i64,
    pub received_ms: i64,
    pub offset: (i64, i64),
}

impl Increment {
    pub fn new(session: &'static str, cdn: &'static str, window_ms: i64, n: i64) -> Increment {
        let added = [1, 2, 3, 4, 5].map(|k| k * n);
        Increment { session, cdn, window_ms, added, status: "booked", reached: [0; 5], seq: 0, received_ms: 0, offset: (0, 0) }
    }

    fn at_ms(&self) -> i64 {
        self.window_ms + 60_000
    }
}

/// One row of events.
#[derive(Debug, Clone)]
pub struct Event {
    pub session: &'static str,
    pub seq: u64,
    pub kind: &'static str,
    pub at_ms: i64,
    pub reason: Option<&'static str>,
    pub startup_ms: Option<i64>,
    pub received_ms: i64,
    pub offset: i64,
}

impl Event {
    pub fn new(session: &'static str, seq: u64, kind: &'static str, at_ms: i64) -> Event {
        Event { session, seq, kind, at_ms, reason: None, startup_ms: None, received_ms: 0, offset: 0 }
    }
}

/// Both tables, and what waits to be committed to them.
pub struct Primary {
    folder: PathBuf,
    now_ms: i64,
    seq: i64,
    reached: BTreeMap<(&'static str, &'static str), [i64; 5]>,
    held: Vec<Increment>,
    /// Sessions with events, and when the latest was.
    told: BTreeMap<&'static str, i64>,
    increments: Vec<Increment>,
    events: Vec<Event>,
    /// Every row of increments in the table, as roll-up would read them.
    all: Vec<Increment>,
}

impl Primary {
    pub fn new(folder: &Path) -> Primary {
        let (reached, now_ms) = (BTreeMap::new(), 1_795_132_800_000 + 2 * 86_400_000);
        let folder = folder.to_owned();
        Primary { folder, now_ms, seq: 0, reached, held: vec![], told: BTreeMap::new(), increments: vec![], events: vec![], all: vec![] }
    }

    /// Time passes at ingest.
    pub fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
    }

    /// Whether a session was heard of.
    pub fn knows(&self, session: &str) -> bool {
        self.told.contains_key(session) || self.reached.keys().any(|(known, _)| *known == session)
    }

    /// When a session that has counted nothing yet was heard of last; none of any other.
    pub fn only_told(&self, session: &str) -> Option<i64> {
        let counted = self.reached.keys().any(|(known, _)| *known == session);
        self.told.get(session).copied().filter(|_| !counted)
    }

    pub fn book(&mut self, mut row: Increment) {
        self.seq += 1;
        let reached = self.reached.entry((row.session, row.cdn)).or_default();
        for (sum, added) in reached.iter_mut().zip(row.added) {
            *sum += added;
        }
        (row.reached, row.seq, row.received_ms, row.offset) = (*reached, self.seq, self.now_ms, (self.seq, self.seq));
        if row.status == "quarantined" {
            self.held.push(row.clone());
        }
        self.increments.push(row);
    }

    /// Somebody decides on what is held of a session: one row takes it away, one puts it where it belongs.
    pub fn decide(&mut self, session: &str, status: &'static str) {
        let (decided, held): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held).into_iter().partition(|row| row.session == session);
        self.held = held;
        for row in decided {
            self.increments.push(Increment { added: row.added.map(|n| -n), ..row.clone() });
            self.increments.push(Increment { status, ..row });
        }
    }

    pub fn tell(&mut self, mut event: Event) {
        self.seq += 1;
        (event.received_ms, event.offset) = (self.now_ms, self.seq);
        let latest = self.told.entry(event.session).or_insert(event.at_ms);
        *latest = event.at_ms.max(*latest);
        self.events.push(event);
    }

    /// Commits what waits, to both tables.
    pub async fn commit(&mut self) {
        let (increments, events) = (std::mem::take(&mut self.increments), std::mem::take(&mut self.events));
        append(&self.folder, ledger::INCREMENTS, batch(ledger::increments(), |name| increment_column(name, &increments))).await;
        append(&self.folder, ledger::EVENTS, batch(ledger::events(), |name| event_column(name, &events))).await;
        self.all.extend(increments);
    }

    /// Rows of one (session, CDN, status, window) become one, in a commit that changes no data.
    pub async fn roll_up(&mut self) {
        let mut rolled: BTreeMap<_, Increment> = BTreeMap::new();
        for row in &self.all {
            let into = rolled.entry((row.session, row.cdn, row.status, row.window_ms));
            into.and_modify(|sum| {
                sum.added = std::array::from_fn(|i| sum.added[i] + row.added[i]);
                sum.reached = std::array::from_fn(|i| sum.reached[i].max(row.reached[i]));
                (sum.seq, sum.received_ms) = (sum.seq.max(row.seq), sum.received_ms.max(row.received_ms));
                sum.offset = (sum.offset.0.min(row.offset.0), sum.offset.1.max(row.offset.1));
            })
            .or_insert_with(|| row.clone());
        }
        self.all = rolled.into_values().collect();
        let mut table = crate::stage::load(&self.folder, ledger::INCREMENTS).await;
        let mut adds: Vec<Add> = Vec::new();
        if !self.all.is_empty() {
            let mut writer = RecordBatchWriter::for_table(&table).unwrap();
            writer.write(batch(ledger::increments(), |name| increment_column(name, &self.all)).unwrap()).await.unwrap();
            adds = writer.flush().await.unwrap();
        }
        let state = table.snapshot().unwrap();
        let mut actions: Vec<Action> = state.log_data().iter().map(|file| Action::Remove(file.remove_action(false))).collect();
        actions.extend(adds.into_iter().map(|add| Action::Add(Add { data_change: false, ..add })));
        let operation = DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: None, predicate: None };
        let commit = CommitBuilder::from(CommitProperties::default()).with_actions(actions);
        commit.build(Some(state as &dyn TableReference), table.log_store(), operation).await.unwrap();
        table.update_state().await.unwrap();
    }

    /// A date is gone from both tables.
    pub async fn erase(&mut self, day_ms: i64) {
        let day = date(day_ms);
        self.all.retain(|row| date(row.window_ms) != day);
        for name in [ledger::INCREMENTS, ledger::EVENTS] {
            let table = crate::stage::load(&self.folder, name).await;
            table.delete().with_predicate(format!("date = '{day}'")).await.unwrap();
        }
    }
}

async fn append(folder: &Path, name: &str, batch: Option<RecordBatch>) {
    let path = folder.join(name);
    std::fs::create_dir_all(&path).unwrap();
    let table = deltalake::DeltaTable::try_from_url(url::Url::from_directory_path(&path).unwrap()).await.unwrap();
    match batch {
        Some(batch) => drop(table.write([batch]).with_partition_columns([ledger::DATE]).await.unwrap()),
        None if !path.join("_delta_log").exists() => {
            let schema = if name == ledger::EVENTS { ledger::events() } else { ledger::increments() };
            let empty = RecordBatch::new_empty(Arc::new(schema));
            drop(table.write([empty]).with_partition_columns([ledger::DATE]).await.unwrap());
        }
        None => {}
    }
}

/// A column's values; none where the table's own null or default will do.
fn batch(schema: Schema, column: impl Fn(&str) -> Option<ArrayRef>) -> Option<RecordBatch> {
    let count = column("app")?.len();
    if count == 0 {
        return None;
    }
    let schema = Arc::new(schema);
    let columns = schema.fields().iter().map(|f| column(f.name()).unwrap_or_else(|| new_null_array(f.data_type(), count)));
    Some(RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap())
}

fn micros(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.map(|ms| ms.map(|ms| ms * 1_000)).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}
fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
fn ints(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn increment_column(name: &str, rows: &[Increment]) -> Option<ArrayRef> {
    const AMOUNTS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];
    let (count, rows) = (rows.len(), rows.iter());
    if let Some(i) = AMOUNTS.iter().position(|n| *n == name) {
        return Some(ints(rows.map(|r| Some(r.added[i]))));
    }
    if let Some(i) = AMOUNTS.iter().position(|n| name.strip_prefix("reached_") == Some(n)) {
        return Some(ints(rows.map(|r| Some(r.reached[i]))));
    }
    Some(match name {
        "window_start" => micros(rows.map(|r| Some(r.window_ms))),
        "at" => micros(rows.map(|r| Some(r.at_ms()))),
        "received_at" => micros(rows.map(|r| Some(r.received_ms))),
        "date" => texts(rows.map(|r| Some(date(r.window_ms)))),
        "app" => texts(rows.map(|_| Some("demo".into()))),
        "programme_id" => texts(rows.map(|_| Some("p1".into()))),
        "cdn" => texts(rows.map(|r| Some(r.cdn.into()))),
        "region" => texts(rows.map(|_| Some("eu".into()))),
        "asn" => ints(rows.map(|_| Some(64_500))),
        "user_id" => texts(rows.map(|r| Some(format!("user-{}", r.session)))),
        "session_id" => texts(rows.map(|r| Some(r.session.into()))),
        "status" => texts(rows.map(|r| Some(r.status.into()))),
        "reached_seq" => ints(rows.map(|r| Some(r.seq))),
        "kafka_offset_first" => ints(rows.map(|r| Some(r.offset.0))),
        "kafka_offset" => ints(rows.map(|r| Some(r.offset.1))),
        "late" => Arc::new(BooleanArray::from(vec![false; count])),
        "decided_at" | "decided_by" | "decided_why" => return None,
        _ => ints(rows.map(|_| Some(1))),
    })
}

fn event_column(name: &str, rows: &[Event]) -> Option<ArrayRef> {
    let (count, rows) = (rows.len(), rows.iter());
    let of_stall = |r: &Event, text: &str| (r.kind == "stall").then(|| text.to_owned());
    Some(match name {
        "at" => micros(rows.map(|r| Some(r.at_ms))),
        "began_at" => micros(rows.map(|r| (r.kind == "stall").then_some(r.at_ms - 900))),
        "received_at" => micros(rows.map(|r| Some(r.received_ms))),
        "date" => texts(rows.map(|r| Some(date(r.at_ms)))),
        "type" => texts(rows.map(|r| Some(r.kind.into()))),
        "app" => texts(rows.map(|_| Some("demo".into()))),
        "programme_id" => texts(rows.map(|_| Some("p1".into()))),
        "user_id" => texts(rows.map(|r| Some(format!("user-{}", r.session)))),
        "session_id" => texts(rows.map(|r| Some(r.session.into()))),
        "cdn" => texts(rows.map(|r| of_stall(r, "cdn-a"))),
        "stall_kind" => texts(rows.map(|r| of_stall(r, "rebuffer"))),
        "stall_ms" => ints(rows.map(|r| (r.kind == "stall").then_some(900))),
        "reason" => texts(rows.map(|r| r.reason.map(Into::into))),
        "startup_ms" => ints(rows.map(|r| r.startup_ms)),
        "seq" => ints(rows.map(|r| Some(r.seq as i64))),
        "kafka_offset" => ints(rows.map(|r| Some(r.offset))),
        "correction_ms" | "kafka_generation" | "kafka_partition" => ints(rows.map(|_| Some(1))),
        "raw" => texts(rows.map(|_| Some("{}".into()))),
        "late" => Arc::new(BooleanArray::from(vec![false; count])),
        _ => return None,
    })
}
