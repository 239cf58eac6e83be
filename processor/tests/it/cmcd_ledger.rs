//! CMCD sessions through the worker: crashes at any point, sessions that left memory, ledgers from before.

use crate::client::*;
use crate::cmcd::{STATES, report};
use crate::stage::*;
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::operations::create::CreateBuilder;
use livemeter_processor::Config;
use livemeter_processor::entry::{Entry, Place};
use livemeter_schemas::event::State;
use livemeter_schemas::ledger::{self, CMCD_STATE};
use livemeter_schemas::limits::Limits;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Two sessions with stalls, CDN changes, late and repeated reports.
fn evening() -> Topic {
    let topic = Topic::new(vec![Vec::new()]);
    let (mut bytes, mut all) = (0, Vec::new());
    for n in 0..40u64 {
        bytes += 10_000 + n;
        let state = [State::Playing, State::Playing, State::Rebuffering, State::Playing, State::Paused][n as usize % 5];
        let cdn = if n > 20 { "cdn-b" } else { "cdn-a" };
        let of_cdn = if n > 20 { bytes - 200_000 } else { bytes };
        all.push(report("one", n, n as i64 * 45_000, state, cdn, of_cdn));
        all.push(report("two", n, n as i64 * 61_000, STATES[(n as usize + 1) % 9], "cdn-a", bytes));
    }
    for i in (3..all.len()).step_by(5) {
        all.swap(i - 3, i);
        all.push(all[i - 2].clone());
    }
    all.iter().for_each(|event| topic.add(0, record(event, 0, 0)));
    topic
}

/// Everything that `events` says of CMCD sessions.
async fn told(folder: &Path) -> Vec<(String, i64, String, String)> {
    let (table, mut told) = (load(folder, "events").await, Vec::new());
    for file in livemeter_processor::scan::files(&table).unwrap() {
        livemeter_processor::scan::read(&table, &file, &["session_id", "seq", "type", CMCD_STATE], None, |c| {
            let (id, seq, kind, state) = (c.text("session_id")?, c.int("seq")?, c.text("type")?, c.text_if_any(CMCD_STATE)?);
            told.extend(
                (0..c.rows())
                    .map(|r| (id.value(r).to_owned(), seq.value(r), kind.value(r).to_owned(), state(r).unwrap_or_default().to_owned())),
            );
            Ok(())
        })
        .await
        .unwrap();
    }
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_point_of_a_flush_changes_nothing_that_reports_say() {
    let (folder, steady) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    work_through(&config(steady.path()), &evening()).await;
    let (topic, mut polls, mut crashes, mut between) = (evening(), 0, 0, 0);
    loop {
        let mut worker = open(&config(folder.path()), &topic, &Letters::default()).await.unwrap();
        let (increments, events) = worker.tables();
        between += u32::from(increments.offsets() != events.offsets());
        if worker.committed() == livemeter_processor::source::Source::ends(&topic) {
            break;
        }
        worker.turn().await.unwrap();
        polls += 1;
        let lives = if polls % 40 == 0 { usize::MAX } else { polls % 40 };
        crashes += u32::from(crash_after(lives, worker.flush()).await.is_none());
        drop(worker);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{crashes} crashes, {between} of them between the two commits");
    assert!(crashes > 5 && between > 0, "{crashes} crashes, {between} between the commits");
    assert_eq!(ledger(folder.path()).await, ledger(steady.path()).await);
    assert_eq!(told(folder.path()).await, told(steady.path()).await);
    let kinds: BTreeMap<String, usize> = told(steady.path()).await.into_iter().fold(BTreeMap::new(), |mut kinds, (_, _, kind, _)| {
        *kinds.entry(kind).or_default() += 1;
        kinds
    });
    assert!(kinds["stall"] >= 8 && kinds["session_start"] == 2 && kinds["cmcd"] > 20, "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_left_memory_and_one_from_a_snapshot_go_on_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let minute = 60_000;
    let eager =
        Config { session_silence_ms: 5 * minute, snapshot_interval_ms: 0, ahead_ms_max: 400 * 24 * 60 * minute, ..config(folder.path()) };
    let add = |topic: &Topic, id: &'static str, sn, at, state| topic.add(0, record(&report(id, sn, at, state, "cdn-a", sn * 100), 0, 0));
    let topic = Topic::new(vec![Vec::new()]);
    add(&topic, "back", 0, 0, State::Playing);
    add(&topic, "back", 1, minute, State::Rebuffering);
    add(&topic, "other", 0, 8 * minute, State::Playing);
    let mut worker = work_through(&eager, &topic).await;
    worker.evict();
    assert_eq!((worker.partitions()[&0].book.memory.len(), worker.partitions()[&0].book.memory.evicted_len()), (1, 1));
    // It comes back in the midst of its stall; what it said before is late.
    add(&topic, "back", 1, minute, State::Rebuffering);
    add(&topic, "back", 2, 9 * minute, State::Playing);
    drain(&mut worker, &topic).await;
    worker.settle_within(Duration::from_secs(10)).await;
    drop(worker);
    // Another process goes on from its snapshot.
    add(&topic, "back", 3, 10 * minute, State::Quit);
    add(&topic, "other", 1, 10 * minute, State::Paused);
    drop(work_through(&eager, &topic).await);
    let sums = sums(&ledger(folder.path()).await.0);
    let key = |id: &str| (id.to_owned(), "cdn-a".to_owned());
    assert_eq!(sums[&key("back")], [300, 0, 2 * minute as u64, 8 * minute as u64, 1]);
    assert_eq!(sums[&key("other")], [100, 0, 2 * minute as u64, 0, 0]);
}

/// `events` as it was made before reports were taken.
async fn older(folder: &Path) {
    let columns = ledger::events();
    let older: Vec<_> = columns.fields().iter().filter(|f| f.name() != CMCD_STATE).cloned().collect();
    let columns: StructType = (&arrow::datatypes::Schema::new(older)).try_into_kernel().unwrap();
    std::fs::create_dir_all(folder.join("events")).unwrap();
    let builder = CreateBuilder::new().with_location(folder.join("events").to_str().unwrap());
    builder.with_columns(columns.fields().cloned()).with_partition_columns([ledger::DATE]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_from_before_gets_the_column_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    older(folder.path()).await;
    let topic = Topic::of([record(&stall("native", 1, T0), 0, 0)]);
    // Two workers at once add the same column: one does.
    let (config, letters) = (config(folder.path()), Letters::default());
    let (one, two) = tokio::join!(open(&config, &topic, &letters), open(&config, &topic, &letters));
    let mut worker = one.or(two).unwrap();
    drain(&mut worker, &topic).await;
    drop(worker);
    let table = load(folder.path(), "events").await;
    let names: Vec<String> = table.snapshot().unwrap().schema().fields().map(|f| f.name().clone()).collect();
    assert_eq!(names, ledger::events().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>(), "the same as in a new ledger");
    topic.add(0, record(&report("s", 0, 0, State::Playing, "cdn-a", 5), 0, 0));
    topic.add(0, record(&report("s", 1, 4_000, State::Quit, "cdn-a", 9), 0, 0));
    drop(work_through(&config, &topic).await);
    let sums = sums(&ledger(folder.path()).await.0);
    assert_eq!(sums[&("s".to_owned(), "cdn-a".to_owned())], [9, 0, 4_000, 0, 0]);
}

/// A file written before the column was there is read, and merged with one that has it.
#[tokio::test(flavor = "multi_thread")]
async fn files_from_before_are_read_and_merged() {
    use livemeter_processor::maintain::{self, Due, Policy};
    use livemeter_processor::table::Kind;
    let folder = tempfile::tempdir().unwrap();
    older(folder.path()).await;
    let bytes = record(&stall("native", 1, T0), 0, 0);
    let mut buffer = livemeter_processor::buffer::Buffer::new(1);
    let entry = Entry::read(&bytes, Place { partition: 0, offset: 0 }, &Limits::default()).unwrap();
    livemeter_processor::rows::Rows::event(&mut buffer, &entry, false);
    let batch = buffer.take().unwrap().1.unwrap();
    let columns: Vec<usize> = (0..batch.num_columns()).filter(|i| batch.schema().field(*i).name() != CMCD_STATE).collect();
    let mut table = load(folder.path(), "events").await;
    use deltalake::writer::{DeltaWriter, RecordBatchWriter};
    let mut writer = RecordBatchWriter::for_table(&table).unwrap();
    writer.write(batch.project(&columns).unwrap()).await.unwrap();
    writer.flush_and_commit(&mut table).await.unwrap();
    let topic = Topic::of([
        record(&report("s", 0, 0, State::Playing, "cdn-a", 5), 0, 0),
        record(&report("s", 1, 4_000, State::Quit, "cdn-a", 9), 0, 0),
    ]);
    let config = config(folder.path());
    drop(work_through(&config, &topic).await);
    let before = told(folder.path()).await;
    assert_eq!(before.len(), 3);
    let policy = Policy { files_max: 1, files_closed_max: 1, ..Policy::of(&config) };
    let due = Due { roll: true, checkpoint: false, clean: false };
    let report_of = maintain::run(load(folder.path(), "events").await, Kind::Events, &policy, T0 + 86_400_000, due).await.unwrap();
    assert!(!report_of.tidied.dates.is_empty(), "{report_of:?}");
    assert_eq!(told(folder.path()).await, before);
    topic.add(0, record(&report("s", 2, 5_000, State::Playing, "cdn-a", 10), 0, 0));
    topic.add(0, record(&report("s", 3, 6_000, State::Quit, "cdn-a", 10), 0, 0));
    drop(work_through(&config, &topic).await);
    assert_eq!(sums(&ledger(folder.path()).await.0)[&("s".to_owned(), "cdn-a".to_owned())], [10, 0, 5_000, 0, 0]);
}
