//! One table: claims, commits, fences, lost replies, maintenance.

use crate::client::*;
use crate::stage::{at, crash_after, load};
use arrow::array::RecordBatch;
use livemeter_processor::Config;
use livemeter_processor::buffer::Buffer;
use livemeter_processor::entry::{Entry, Place};
use livemeter_processor::error::Error;
use livemeter_processor::maintain::{self, Due, Policy};
use livemeter_processor::rows::Rows;
use livemeter_processor::scan;
use livemeter_processor::table::{Kind, Origin, Stored, Table};
use livemeter_schemas::limits::Limits;
use std::path::Path;
use url::Url;

const HOUR_MS: u64 = 3_600_000;

fn origin(generation: u32) -> Origin {
    Origin { cluster_id: "cluster-1".into(), topic: "events".into(), generation }
}

async fn open_as(folder: &Path, origin: Origin, lows: &[i64]) -> Result<Table, Error> {
    let mut table = Table::open(&Url::from_directory_path(folder).unwrap(), Kind::Events, HOUR_MS, origin, lows).await?;
    table.take_up(&(0..lows.len() as i32).collect::<Vec<_>>()).await?;
    Ok(table)
}

/// The offsets to move to.
fn to<const N: usize>(offsets: [i64; N]) -> Stored {
    Stored { offsets: at(offsets), ..Stored::default() }
}

async fn open(folder: &Path) -> Table {
    open_as(folder, origin(1), &[0, 0]).await.unwrap()
}

/// One stall of session `s` as a batch.
fn batch(seq: u64) -> RecordBatch {
    let bytes = record(&stall("s", seq, T0), 0, 0);
    let mut buffer = Buffer::new(1);
    buffer.event(&Entry::read(&bytes, Place { partition: 0, offset: seq as i64 }, &Limits::default()).unwrap(), false);
    buffer.take().unwrap().1.unwrap()
}

async fn seqs(folder: &Path) -> Vec<i64> {
    let table = load(folder, "events").await;
    let mut seqs = Vec::new();
    for file in scan::files(&table).unwrap() {
        scan::read(&table, &file, &["seq"], None, |c| {
            seqs.extend(c.int("seq")?.values());
            Ok(())
        })
        .await
        .unwrap();
    }
    seqs.sort();
    seqs
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_and_rows_are_there_together_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = open_as(folder.path(), origin(1), &[5, 0]).await.unwrap();
    assert_eq!(*table.offsets(), at([5, 0]), "a new table begins where the broker does");
    table.append(Some(&batch(1)), &to([6, 0])).await.unwrap();
    table.append(None, &to([6, 9])).await.unwrap();
    let again = open_as(folder.path(), origin(1), &[0, 0]).await.unwrap();
    assert_eq!(*again.offsets(), at([6, 9]));
    assert_eq!(seqs(folder.path()).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_writer_is_fenced_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (open(folder.path()).await, open(folder.path()).await);
    first.append(Some(&batch(1)), &to([1, 0])).await.unwrap();
    // Even the very same offsets: the rows are in already, and not by this writer.
    for ends in [[1, 0], [2, 0]] {
        let error = second.append(Some(&batch(2)), &to(ends)).await.unwrap_err();
        assert!(matches!(error, Error::Fenced { partition: 0, stored: 1, start: 0, .. }), "{error}");
        assert!(!error.retry());
    }
    first.append(Some(&batch(3)), &to([3, 0])).await.unwrap();
    assert_eq!(seqs(folder.path()).await, [1, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_of_an_earlier_generation_is_fenced() {
    let folder = tempfile::tempdir().unwrap();
    let mut old = open(folder.path()).await;
    old.append(Some(&batch(1)), &to([1, 0])).await.unwrap();
    let new = open_as(folder.path(), origin(2), &[100]).await.unwrap();
    assert_eq!(*new.offsets(), at([100]), "a new generation may have other partitions");
    assert!(matches!(old.append(Some(&batch(2)), &to([2, 0])).await, Err(Error::GenerationBehind { recorded: 2, .. })));
    assert_eq!(seqs(folder.path()).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_topic_cluster_or_partition_count_is_never_taken_for_the_same() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await;
    let elsewhere = Origin { cluster_id: "cluster-2".into(), ..origin(1) };
    assert!(matches!(open_as(folder.path(), elsewhere, &[0, 0]).await, Err(Error::SourceChanged { .. })));
    assert!(matches!(open_as(folder.path(), origin(1), &[0, 0, 0]).await, Err(Error::PartitionsChanged { recorded: 2, found: 3, .. })));
    open_as(folder.path(), origin(2), &[0, 0, 0]).await.unwrap();
    assert!(matches!(open_as(folder.path(), origin(1), &[0, 0]).await, Err(Error::GenerationBehind { recorded: 2, .. })));
}

/// The reply may be lost at any point: the call is dropped after every possible number of polls, and made again.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_fate_is_unknown_is_committed_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = open(folder.path()).await;
    let (mut dropped, mut landed_anyway) = (0, 0);
    for n in 0..60u64 {
        let (batch, ends) = (batch(n), to([n as i64 + 1, 0]));
        let version = load(folder.path(), "events").await.version();
        if crash_after(n as usize % 30, table.append(Some(&batch), &ends)).await.is_none() {
            dropped += 1;
            landed_anyway += u32::from(load(folder.path(), "events").await.version() > version);
            table.append(Some(&batch), &ends).await.unwrap();
        }
        assert_eq!(*table.offsets(), ends.offsets);
    }
    assert!(dropped > 5, "only {dropped} calls were cut short");
    println!("{dropped} calls cut short, {landed_anyway} of them had committed");
    assert_eq!(seqs(folder.path()).await, (0..60).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_changes_no_row_and_no_offset_and_stands_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = open(folder.path()).await;
    for n in 0..12 {
        table.append(Some(&batch(n)), &to([n as i64 + 1, 0])).await.unwrap();
    }
    let policy = Policy { files_max: 3, files_closed_max: 3, retention_ms: 0, ..Policy::of(&Config::default()) };
    let due = Due { roll: true, checkpoint: true, clean: false };
    let beside = tokio::spawn({
        let (delta, policy) = (table.delta().clone(), policy.clone());
        async move { maintain::run(delta, Kind::Events, &policy, T0, due).await }
    });
    for n in 12..18 {
        table.append(Some(&batch(n)), &to([n as i64 + 1, 0])).await.unwrap();
    }
    assert!(!beside.await.unwrap().unwrap().tidied.dates.is_empty());
    assert_eq!(seqs(folder.path()).await, (0..18).collect::<Vec<i64>>());

    // Again, this time with everything removed that nothing refers to.
    let report = maintain::run(table.delta().clone(), Kind::Events, &policy, T0, Due { clean: true, ..due }).await.unwrap();
    assert!(report.files_removed >= 18 && report.live_files <= 3, "{report:?}");
    assert_eq!(seqs(folder.path()).await, (0..18).collect::<Vec<i64>>());
    table.append(Some(&batch(18)), &to([19, 4])).await.unwrap();
    assert_eq!(*open(folder.path()).await.offsets(), at([19, 4]), "offsets outlive checkpoints and clean-up");
    assert_eq!(seqs(folder.path()).await, (0..19).collect::<Vec<i64>>());
}
