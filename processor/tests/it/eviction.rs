//! Sessions that left memory and come back: looked up, never booked twice.

use crate::client::*;
use crate::stage::*;
use livemeter_processor::Config;
use livemeter_processor::maintain::{self, Due, Policy};
use livemeter_processor::table::Kind;
use std::path::Path;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

fn settings(folder: &Path) -> Config {
    Config { session_silence_ms: MINUTE, ahead_ms_max: 400 * DAY, ..config(folder) }
}

fn beat(session: &'static str, seq: u64, at: i64, started: i64) -> Vec<u8> {
    record(&heartbeat(session, seq, at, started, vec![counted("cdn-a", started, seq + 1)]), 0, 0)
}

async fn sum_of(folder: &Path, session: &str) -> [u64; 5] {
    sums(&ledger(folder).await.0)[&(session.to_owned(), "cdn-a".to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_comes_back_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let topic = Topic::of([beat("back", 4, T0, T0 - 1000), record(&stall("back", 5, T0), 0, 0), beat("other", 0, T0 + 2 * MINUTE, T0)]);
    let mut worker = work_through(&settings(folder.path()), &topic).await;
    assert_eq!(worker.partitions()[&0].book.memory.len(), 2);
    worker.evict();
    assert_eq!((worker.partitions()[&0].book.memory.len(), worker.partitions()[&0].book.memory.evicted_len()), (1, 1));

    // Late, repeated, then further: each time looked up, and then known again.
    topic.add(0, beat("back", 3, T0 - 500, T0 - 1000));
    topic.add(0, record(&stall("back", 5, T0), 0, 0));
    topic.add(0, beat("back", 4, T0, T0 - 1000));
    topic.add(0, beat("back", 6, T0 + 3 * MINUTE, T0 - 1000));
    drain(&mut worker, &topic).await;
    assert_eq!((worker.partitions()[&0].book.memory.len(), worker.partitions()[&0].book.memory.evicted_len()), (2, 0));
    assert_eq!(sum_of(folder.path(), "back").await, amounts(&counted("cdn-a", 0, 7)).array());
    let (rows, events) = ledger(folder.path()).await;
    assert_eq!(events.len(), 1);
    assert_eq!(rows.iter().filter(|r| r.session == "back").map(|r| r.seq).collect::<std::collections::BTreeSet<_>>(), [6].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_keeps_only_the_living_in_memory_and_a_trace_of_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let topic = Topic::of([beat("silent", 4, T0, T0), beat("living", 0, T0 + 2 * MINUTE, T0)]);
    drop(work_through(&settings(folder.path()), &topic).await);
    topic.add(0, beat("silent", 4, T0, T0));
    topic.add(0, beat("silent", 9, T0 + 3 * MINUTE, T0));
    let mut worker = open(&settings(folder.path()), &topic, &Letters::default()).await.unwrap();
    assert_eq!((worker.partitions()[&0].book.memory.len(), worker.partitions()[&0].book.memory.evicted_len()), (1, 1));
    drain(&mut worker, &topic).await;
    assert_eq!(sum_of(folder.path(), "silent").await, amounts(&counted("cdn-a", 0, 10)).array());
}

/// Older than anything memory keeps a trace of: told by when it says it began.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_silent_for_weeks_is_still_not_booked_twice() {
    let folder = tempfile::tempdir().unwrap();
    let later = T0 + 30 * DAY;
    let topic = Topic::of([beat("ancient", 4, T0, T0), beat("young", 0, later, later)]);
    drop(work_through(&settings(folder.path()), &topic).await);
    topic.add(0, beat("ancient", 5, later + 1, T0));
    topic.add(0, beat("new", 7, later + 1, later - 5));
    let mut worker = open(&settings(folder.path()), &topic, &Letters::default()).await.unwrap();
    assert_eq!(worker.partitions()[&0].book.memory.evicted_len(), 0, "no row that old is read at start");
    drain(&mut worker, &topic).await;
    assert_eq!(sum_of(folder.path(), "ancient").await, amounts(&counted("cdn-a", 0, 6)).array());
    assert_eq!(sum_of(folder.path(), "new").await, amounts(&counted("cdn-a", 0, 8)).array());
}

/// A player that has been on for weeks: alive, but what it did on another CDN long ago is not in memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_cdn_last_used_weeks_ago_is_looked_up_too() {
    let folder = tempfile::tempdir().unwrap();
    let later = T0 + 30 * DAY;
    let both = |seq, at, a, b| record(&heartbeat("kiosk", seq, at, T0, vec![counted("cdn-a", T0, a), counted("cdn-b", T0 + DAY, b)]), 0, 0);
    let alone = record(&heartbeat("kiosk", 0, T0, T0, vec![counted("cdn-a", T0, 50)]), 0, 0);
    let topic = Topic::of([alone, both(1, later, 50, 5)]);
    drop(work_through(&settings(folder.path()), &topic).await);
    topic.add(0, both(2, later + 10_000, 50, 6));
    let mut worker = work_through(&settings(folder.path()), &topic).await;
    topic.add(0, both(3, later + 20_000, 51, 6));
    drain(&mut worker, &topic).await;
    let sums = sums(&ledger(folder.path()).await.0);
    assert_eq!(sums[&("kiosk".to_owned(), "cdn-a".to_owned())], amounts(&counted("cdn-a", 0, 51)).array());
    assert_eq!(sums[&("kiosk".to_owned(), "cdn-b".to_owned())], amounts(&counted("cdn-b", 0, 6)).array());
}

/// Another worker rolls up and cleans, while this one has had nothing to commit: the files it knows of are gone.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_be_looked_up_is_found_after_another_worker_has_cleaned() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let topic = Topic::of([beat("back", 4, T0, T0), beat("other", 0, T0 + 2 * MINUTE, T0)]);
    let mut worker = work_through(&settings, &topic).await;
    worker.evict();
    let policy = Policy { retention_ms: 0, files_max: 2, ..Policy::of(&settings) };
    let due = Due { roll: true, checkpoint: true, clean: true };
    let report = maintain::run(load(folder.path(), "increments").await, Kind::Increments, &policy, T0 + DAY, due).await.unwrap();
    assert!(report.files_removed > 0, "{report:?}");
    topic.add(0, beat("back", 6, T0 + 3 * MINUTE, T0));
    drain(&mut worker, &topic).await;
    assert_eq!(sum_of(folder.path(), "back").await, amounts(&counted("cdn-a", 0, 7)).array());
}

/// One ingest whose clock is a month ahead must not make everybody else look silent.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_from_the_future_empties_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Config { session_silence_ms: 10 * MINUTE, ..config(folder.path()) };
    let topic = Topic::of([beat("live", 0, T0, T0), beat("future", 0, T0 + 30 * DAY, T0 + 30 * DAY)]);
    let mut worker = work_through(&settings, &topic).await;
    worker.evict();
    assert_eq!((worker.partitions()[&0].book.memory.len(), worker.partitions()[&0].book.memory.evicted_len()), (2, 0));
    drop(worker);
    let worker = open(&settings, &topic, &Letters::default()).await.unwrap();
    assert_eq!(worker.partitions()[&0].book.memory.len(), 2, "nor after a restart");
}
