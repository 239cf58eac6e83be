//! Several workers over one topic: partitions that move, zombies, and what neither loses nor repeats.

use crate::client::*;
use crate::stage::*;
use livemeter_processor::config::Assignment;
use livemeter_processor::source::{Offsets, Source};
use livemeter_processor::{Config, Error};
use std::path::Path;
use std::time::Duration;

/// Four sessions, one a partition, each a heartbeat every 70 s.
fn evening(beats: u64) -> Topic {
    let topic = Topic::new(vec![Vec::new(); 4]);
    for n in 0..beats {
        for p in 0..4 {
            topic.add(p, beat(p, n));
        }
    }
    topic
}

fn beat(partition: usize, n: u64) -> Vec<u8> {
    const NAMES: [&str; 4] = ["zero", "one", "two", "three"];
    let at = T0 + n as i64 * 70_000;
    record(&heartbeat(NAMES[partition], n, at, T0, vec![counted("cdn-a", T0, n + partition as u64)]), 0, 0)
}

fn truth_of(beats: u64) -> Vec<[u64; 5]> {
    (0..4).map(|p| amounts(&counted("cdn-a", T0, beats - 1 + p)).array()).collect()
}

async fn booked(folder: &Path) -> Vec<[u64; 5]> {
    let sums = sums(&ledger(folder).await.0);
    ["zero", "one", "two", "three"].map(|s| sums[&(s.to_owned(), "cdn-a".to_owned())]).to_vec()
}

fn group(folder: &Path) -> Config {
    Config { assignment: Assignment::Group, shutdown_ms: 2_000, ..config(folder) }
}

/// Turns until the worker has committed everything of the partitions that it has.
async fn drain_ours(worker: &mut Player, topic: &Topic) {
    let ends = |worker: &Player| -> Offsets { topic.ends().into_iter().filter(|(p, _)| worker.partitions().contains_key(p)).collect() };
    while worker.committed() != ends(worker) {
        tokio::time::timeout(Duration::from_secs(30), worker.turn()).await.expect("the worker is stuck").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_between_workers_and_no_row_is_lost_or_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let topic = evening(12);
    let (a, b) = (topic.member(), topic.member());
    a.give(&[0, 1, 2, 3]);
    let mut first = open(&group(folder.path()), &a, &Letters::default()).await.unwrap();
    first.turn().await.unwrap();
    // A second worker joins in the middle: two partitions move, with records booked but not committed.
    a.take_away(&[2, 3], false);
    first.turn().await.unwrap();
    assert_eq!(first.partitions().keys().copied().collect::<Vec<_>>(), [0, 1]);
    b.give(&[2, 3]);
    let mut second = open(&group(folder.path()), &b, &Letters::default()).await.unwrap();
    assert!(second.partitions().values().all(|p| p.next > 0), "it goes on where the first one stopped");
    drain_ours(&mut second, &topic).await;
    drain_ours(&mut first, &topic).await;
    // And back again, while both go on.
    b.take_away(&[2, 3], false);
    second.turn().await.unwrap();
    a.give(&[2, 3]);
    first.turn().await.unwrap();
    for p in 0..4 {
        topic.add(p, beat(p, 12));
    }
    drain_ours(&mut first, &topic).await;
    assert_eq!(first.committed(), topic.ends());
    assert_eq!(booked(folder.path()).await, truth_of(13));

    let steady = tempfile::tempdir().unwrap();
    work_through(&config(steady.path()), &evening(13)).await;
    assert_eq!(ledger(folder.path()).await.0, ledger(steady.path()).await.0, "moving partitions moved a row");
}

/// A worker is not heard of, its partitions go to another; then it comes back, in the middle of its batch.
#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_is_fenced_and_then_goes_on_with_what_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let topic = evening(12);
    let (a, b) = (topic.member(), topic.member());
    a.give(&[0, 1, 2, 3]);
    let mut zombie = open(&group(folder.path()), &a, &Letters::default()).await.unwrap();
    zombie.turn().await.unwrap();
    assert!(zombie.partitions().values().all(|p| p.next > 0), "it holds rows that are not committed");
    b.give(&[1, 2]);
    let mut other = open(&group(folder.path()), &b, &Letters::default()).await.unwrap();
    drain_ours(&mut other, &topic).await;

    // Its commit is refused whole; all of its rows are dropped, and read again where they are its own.
    zombie.flush().await.unwrap();
    a.take_away(&[1, 2], true);
    zombie.turn().await.unwrap();
    drain_ours(&mut zombie, &topic).await;
    assert_eq!(zombie.partitions().keys().copied().collect::<Vec<_>>(), [0, 3]);
    assert_eq!(booked(folder.path()).await, truth_of(12));
}

/// The other way round: the zombie's commit lands first, on offsets that the new owner has already read.
#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_that_commits_first_fences_the_new_owner_which_then_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let topic = evening(12);
    let (a, b) = (topic.member(), topic.member());
    a.give(&[0, 1, 2, 3]);
    let mut zombie = open(&group(folder.path()), &a, &Letters::default()).await.unwrap();
    zombie.turn().await.unwrap();
    b.give(&[1, 2]);
    let mut owner = open(&group(folder.path()), &b, &Letters::default()).await.unwrap();
    owner.turn().await.unwrap();
    zombie.flush().await.unwrap();
    owner.flush().await.unwrap();
    a.take_away(&[1, 2], true);
    zombie.turn().await.unwrap();
    drain_ours(&mut owner, &topic).await;
    drain_ours(&mut zombie, &topic).await;
    assert_eq!(booked(folder.path()).await, truth_of(12));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_that_share_no_group_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let topic = evening(12);
    let mut first = open(&config(folder.path()), &topic, &Letters::default()).await.unwrap();
    let mut second = open(&config(folder.path()), &topic.clone(), &Letters::default()).await.unwrap();
    first.turn().await.unwrap();
    second.turn().await.unwrap();
    first.flush().await.unwrap();
    let error = second.flush().await.unwrap_err();
    assert!(matches!(error, Error::Fenced { .. }) && !error.retry(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_of_every_partition_balance_through_restarts_and_poison() {
    let folder = tempfile::tempdir().unwrap();
    let topic = evening(5);
    topic.add(1, b"poison".to_vec());
    topic.add(1, beat(1, 3));
    topic.add(1, record(&stall("one", 99, T0), 0, 0));
    for round in 0..2 {
        let mut worker = open(&config(folder.path()), &topic, &Letters::default()).await.unwrap();
        drain(&mut worker, &topic).await;
        let ends = topic.ends();
        let (increments, _) = worker.tables();
        for (p, tally) in increments.tallies() {
            assert!(tally.balances(ends[p]), "round {round}, partition {p}: {tally:?} at {}", ends[p]);
        }
        let one = increments.tallies()[&1];
        assert_eq!((one.refused, one.late, one.events_only), (1, 1, 1 + round));
        topic.add(1, record(&stall("one", 100, T0), 0, 0));
    }
}

/// Each of them looking after the tables would be the same work again, and all but one in vain.
#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_looked_after_by_the_holder_of_partition_0_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Config { checkpoint_commits: 2, files_max: 2, files_closed_max: 2, rows_max: 1, ..group(folder.path()) };
    let topic = evening(12);
    for (partitions, kept) in [([1, 2, 3].as_slice(), false), (&[0], true)] {
        let member = topic.member();
        member.give(partitions);
        let mut worker = open(&settings, &member, &Letters::default()).await.unwrap();
        drain_ours(&mut worker, &topic).await;
        worker.settle_within(Duration::from_secs(30)).await;
        let log = std::fs::read_dir(folder.path().join("increments/_delta_log")).unwrap();
        let checkpoints = log.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("checkpoint")).count();
        assert_eq!(checkpoints > 0, kept, "after partitions {partitions:?}");
    }
    assert_eq!(booked(folder.path()).await, truth_of(12));
}
