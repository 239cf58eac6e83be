//! A ledger that an earlier version wrote: its tables lack columns, get them, and go on. What is neither this version's
//! nor an earlier one's is refused.

use crate::client::*;
use crate::ledger::{audited, question};
use crate::stage::*;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use deltalake::datafusion::prelude::SessionContext;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::kernel::{DataType as DeltaType, StructField, StructType, Transaction};
use deltalake::operations::create::CreateBuilder;
use deltalake::{DeltaTable, DeltaTableBuilder};
use livemeter_processor::Config;
use livemeter_processor::decide::Signature;
use livemeter_processor::erase::{Person, erase};
use livemeter_processor::error::Error;
use livemeter_processor::maintain::Policy;
use livemeter_processor::period::{self, Closing};
use livemeter_processor::table::{Kind, Origin, Table, commit_rows, widen};
use livemeter_processor::{places, roll};
use livemeter_schemas::ledger;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

const DAY: i64 = 86_400_000;
const KINDS: [Kind; 2] = [Kind::Increments, Kind::Events];

/// Columns that the earlier version did not have.
fn came_later(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Increments => &["region", "asn", "decided_at", "decided_by", "decided_why"],
        Kind::Events => &["region", "asn", "message", "fatal"],
    }
}

/// The columns of the earlier version.
fn earlier(kind: Kind) -> Vec<Field> {
    let fields = kind.schema().fields().iter().map(|field| field.as_ref().clone()).collect::<Vec<_>>();
    fields.into_iter().filter(|field| !came_later(kind).contains(&field.name().as_str())).collect()
}

fn root(folder: &Path) -> Url {
    Url::from_directory_path(folder).unwrap()
}

/// An empty table with these columns and the settings of `like`.
async fn table_of(folder: &Path, kind: Kind, columns: Vec<Field>, like: &DeltaTable) -> DeltaTable {
    let path = folder.join(kind.name());
    std::fs::create_dir_all(&path).unwrap();
    let at = DeltaTableBuilder::from_url(Url::from_directory_path(&path).unwrap()).unwrap().build().unwrap();
    let columns: StructType = (&Schema::new(columns)).try_into_kernel().unwrap();
    let settings = like.snapshot().unwrap().metadata().configuration().clone();
    CreateBuilder::new()
        .with_log_store(at.log_store())
        .with_columns(columns.fields().cloned())
        .with_partition_columns([ledger::DATE])
        .with_configuration(settings.into_iter().map(|(name, value)| (name, Some(value))))
        .await
        .unwrap()
}

/// The same rows, and the same offsets, as the earlier version would have left them.
async fn aged(from: &Path, to: &Path) {
    for kind in KINDS {
        let (table, fields) = (load(from, kind.name()).await, earlier(kind));
        let old = table_of(to, kind, fields.clone(), &table).await;
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let schema = Arc::new(Schema::new(fields.clone()));
        let batches = select(from, kind.name(), &format!("SELECT {} FROM t", names.join(", "))).await.into_iter().map(|batch| {
            let columns = batch.columns().iter().zip(&fields).map(|(column, field)| cast(column, field.data_type()).unwrap());
            RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
        });
        let stored = places::transactions(&table).await.unwrap();
        let stored = stored.into_iter().map(|(id, version)| Transaction::new(id, version)).collect();
        let properties = CommitProperties::default().with_application_transactions(stored);
        old.write(batches.collect::<Vec<_>>()).with_commit_properties(properties).await.unwrap();
    }
}

async fn select(folder: &Path, table: &str, sql: &str) -> Vec<RecordBatch> {
    let context = SessionContext::new();
    context.register_table("t", load(folder, table).await.table_provider().await.unwrap()).unwrap();
    context.sql(sql).await.unwrap().collect().await.unwrap()
}

/// Each row of an answer as a text, in order; `-` for null.
async fn told(folder: &Path, table: &str, sql: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in select(folder, table, sql).await {
        let texts: Vec<ArrayRef> = batch.columns().iter().map(|column| cast(column, &DataType::Utf8).unwrap()).collect();
        let text = |column: &ArrayRef, row| if column.is_null(row) { "-".into() } else { column.as_string::<i32>().value(row).to_owned() };
        rows.extend((0..batch.num_rows()).map(|row| texts.iter().map(|column| text(column, row)).collect::<Vec<_>>().join(" ")));
    }
    rows.sort();
    rows
}

/// Two sessions that beat every 20 seconds; one of them fails, in words.
fn topic() -> Topic {
    let topic = Topic::new(vec![Vec::new(), Vec::new()]);
    for n in 0..30 {
        for (partition, name) in ["one", "two"].into_iter().enumerate() {
            topic.add(partition, record(&heartbeat(name, n, T0 + n as i64 * 20_000, T0, vec![counted("cdn-a", T0, n)]), 0, 0));
        }
    }
    topic.add(0, record(&failed("one", 40, T0 + 590_000), 0, 0));
    topic
}

/// A ledger of the earlier version, with everything on the topic in it.
async fn earlier_ledger(topic: &Topic) -> tempfile::TempDir {
    let (new, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    work_through(&config(new.path()), topic).await;
    aged(new.path(), old.path()).await;
    for kind in KINDS {
        let columns = load(old.path(), kind.name()).await.snapshot().unwrap().schema();
        assert!(came_later(kind).iter().all(|name| columns.field(name).is_none()), "it is as it was");
    }
    old
}

async fn tidy(folder: &Path, kind: Kind) -> Result<roll::Tidied, Error> {
    let policy = Policy { files_max: 2, files_closed_max: 1, ..Policy::of(&Config::default()) };
    roll::tidy(&mut load(folder, kind.name()).await, kind, &policy, T0 + 3 * DAY, true).await
}

fn after_the_month() -> i64 {
    T0 + 60 * DAY
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_an_earlier_version_gets_its_columns_and_goes_on() {
    let topic = topic();
    let old = earlier_ledger(&topic).await;
    let (folder, root) = (old.path(), root(old.path()));
    let (month, tz) = ("2026-09", "Asia/Shanghai");
    let closing = Closing { by: "ada", grace_ms: DAY, now: false, clock: after_the_month };
    let closed = period::close(&root, month, tz, closing).await.unwrap();
    let reads_the_same = async || {
        let verified = period::verify(&root, month, tz).await.unwrap();
        assert!(verified.ok, "{verified:#?}");
        assert_eq!(period::show(&root, month, tz).await.unwrap().closed, closed);
    };
    reads_the_same().await;

    // Where it was, with regions and words from now on.
    topic.add(0, record(&failed("one", 41, T0 + 600_000), 0, 0));
    topic.add(0, record_via(Some(64_500), &session_end("one", 42, T0 + 610_000, T0, vec![counted("cdn-a", T0, 40)])));
    work_through(&config(folder), &topic).await;
    let regions = "SELECT region, MAX(decided_by), SUM(bytes) FROM t GROUP BY region";
    let (before, after) = (2 * 29_007, 40_007 - 29_007);
    let expected = [format!("- - {before}"), format!("eu - {after}")];
    assert_eq!(told(folder, "increments", regions).await, expected);
    let networks = "SELECT asn, SUM(bytes) FROM t GROUP BY asn";
    let by_network = [format!("- {before}"), format!("64500 {after}")];
    assert_eq!(told(folder, "increments", networks).await, by_network);
    assert_eq!(told(folder, "events", "SELECT type, message FROM t").await, ["error -", "error no licence for u1", "session_end -"]);
    reads_the_same().await;
    assert!(audited(folder, &topic, 0, &question()).await.ok);

    // Files of both widths become one. Their rows stay apart: the closed period's line runs between them.
    let tidied = tidy(folder, Kind::Increments).await.unwrap();
    assert!(tidied.files_in > 1 && tidied.rows_out == tidied.rows_in, "{tidied:?}");
    assert!(tidy(folder, Kind::Events).await.unwrap().files_in > 1);
    assert_eq!(told(folder, "increments", networks).await, by_network);
    assert_eq!(told(folder, "increments", regions).await, expected);
    assert_eq!(told(folder, "events", "SELECT type, message FROM t").await, ["error -", "error no licence for u1", "session_end -"]);
    reads_the_same().await;

    // A worker that knows nothing but the ledger.
    topic.add(1, record(&heartbeat("two", 50, T0 + 620_000, T0, vec![counted("cdn-a", T0, 50)]), 0, 0));
    work_through(&config(folder), &topic).await;
    assert!(audited(folder, &topic, 0, &question()).await.ok);
    reads_the_same().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_both_widths_become_one() {
    let topic = topic();
    let old = earlier_ledger(&topic).await;
    topic.add(1, record(&heartbeat("two", 31, T0 + 585_000, T0, vec![counted("cdn-a", T0, 31)]), 0, 0));
    work_through(&config(old.path()), &topic).await;
    let tidied = tidy(old.path(), Kind::Increments).await.unwrap();
    assert!(tidied.files_in > 1 && tidied.rows_out < tidied.rows_in, "{tidied:?}");
    let sums = format!("- {}", 29_007 + 31_007);
    assert_eq!(told(old.path(), "increments", "SELECT region, SUM(bytes) FROM t GROUP BY region").await, [sums]);
    assert!(audited(old.path(), &topic, 0, &question()).await.ok);
}

/// Whatever writes first may find the ledger as the earlier version left it.
#[tokio::test(flavor = "multi_thread")]
async fn erasure_and_roll_up_meet_a_ledger_of_an_earlier_version() {
    let topic = topic();
    let old = earlier_ledger(&topic).await;
    let policy = Policy::of(&Config::default());
    let narrow = tidy(old.path(), Kind::Increments).await.unwrap_err();
    assert!(matches!(&narrow, Error::Columns { column, .. } if column == "region") && !narrow.retry(), "{narrow}");
    let (person, sign) = (Person { app: "demo", user_id: "u1" }, Signature { by: "ada", why: "asked" });
    let erased = erase(&root(old.path()), &policy, person, sign, |_, _, _| ()).await.unwrap();
    assert!(erased.iter().all(|e| e.rows > 0), "{erased:?}");
    assert_eq!(told(old.path(), "increments", "SELECT region, SUM(bytes) FROM t GROUP BY region").await, ["- 58014"]);
    assert!(told(old.path(), "events", "SELECT raw, user_id FROM t").await.iter().all(|text| !text.contains("u1")));
    work_through(&config(old.path()), &topic).await;
    assert!(audited(old.path(), &topic, 0, &question()).await.ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_that_add_the_same_columns_add_them_once() {
    let old = earlier_ledger(&topic()).await;
    let (mut one, mut two) = (load(old.path(), "events").await, load(old.path(), "events").await);
    let before = one.version().unwrap();
    widen(&mut one, Kind::Events).await.unwrap();
    widen(&mut two, Kind::Events).await.unwrap();
    assert_eq!((one.version(), two.version()), (Some(before + 1), Some(before + 1)));
    widen(&mut one, Kind::Events).await.unwrap();
    assert_eq!(load(old.path(), "events").await.version(), Some(before + 1), "nothing is left to do");
    let origin = Origin { cluster_id: "cluster-1".into(), topic: "livemeter.events.v1".into(), generation: 1 };
    let url = root(old.path());
    let open = || Table::open(&url, Kind::Increments, 3_600_000, origin.clone(), &[0, 0]);
    let opened = tokio::join!(open(), open(), open());
    assert!(opened.0.is_ok() && opened.1.is_ok() && opened.2.is_ok());
    let log = old.path().join("increments/_delta_log");
    let texts = std::fs::read_dir(log).unwrap().flatten().map(|entry| std::fs::read_to_string(entry.path()).unwrap_or_default());
    assert_eq!(texts.filter(|text| text.contains("\"metaData\"")).count(), 2, "when it was made, and when it was widened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_never_changes_and_none_is_left_out() {
    let whole = tempfile::tempdir().unwrap();
    work_through(&config(whole.path()), &topic()).await;
    let like = load(whole.path(), "events").await;
    let changed = |name: &'static str, change: fn(Field) -> Option<Field>| -> Vec<Field> {
        let fields = Kind::Events.schema().fields().iter().map(|field| field.as_ref().clone()).collect::<Vec<_>>();
        fields.into_iter().filter_map(|field| if field.name() == name { change(field) } else { Some(field) }).collect()
    };
    let mut unknown = changed("at", Some);
    unknown.push(Field::new("newer", DataType::Utf8, true));
    let cases = [
        ("message", changed("message", |field| Some(field.with_data_type(DataType::Int64)))),
        ("seq", changed("seq", |field| Some(field.with_nullable(true)))),
        ("late", changed("late", |_| None)),
        ("newer", unknown),
    ];
    for (name, columns) in cases {
        let folder = tempfile::tempdir().unwrap();
        table_of(folder.path(), Kind::Events, columns, &like).await;
        let origin = Origin { cluster_id: "cluster-1".into(), topic: "t".into(), generation: 1 };
        let error = Table::open(&root(folder.path()), Kind::Events, 3_600_000, origin, &[0]).await.err().unwrap();
        assert!(matches!(&error, Error::Columns { column, .. } if column == name) && !error.retry(), "{name}: {error}");
        assert_eq!(load(folder.path(), "events").await.version(), Some(0), "{name}: nothing was written");
    }
}

/// Another worker, of a newer version, adds a column under a running one: what it wrote there must not be merged away.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stops_before_it_loses_a_column_that_it_does_not_know() {
    let (folder, topic) = (tempfile::tempdir().unwrap(), topic());
    let settings = config(folder.path());
    let mut worker = work_through(&settings, &topic).await;
    let table = load(folder.path(), "increments").await;
    table.add_columns().with_fields([StructField::nullable("newer", DeltaType::STRING)]).await.unwrap();
    let error = tidy(folder.path(), Kind::Increments).await.unwrap_err();
    assert!(matches!(&error, Error::Columns { column, .. } if column == "newer"), "{error}");
    let mut error = None;
    for n in 50..60 {
        topic.add(0, record(&heartbeat("one", n, T0 + n as i64 * 20_000, T0, vec![counted("cdn-a", T0, n)]), 0, 0));
        while error.is_none() && worker.committed() != livemeter_processor::source::Source::ends(&topic) {
            let turn = tokio::time::timeout(Duration::from_secs(30), worker.turn()).await.expect("the worker is stuck");
            error = turn.err();
        }
    }
    assert!(matches!(&error, Some(Error::Columns { column, .. }) if column == "newer"), "{error:?}");
    let table = load(folder.path(), "increments").await;
    let empty = RecordBatch::new_empty(Arc::new(Kind::Increments.schema()));
    let soon = Instant::now() + Duration::from_secs(60);
    assert!(matches!(commit_rows(&table, Kind::Increments, empty, "t", soon).await, Err(Error::Columns { .. })));
}
