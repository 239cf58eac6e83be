//! Recovery from snapshots: the same memory as from the rows, however old the snapshot, and without it.

use crate::client::*;
use crate::stage::*;
use livemeter_processor::Config;
use livemeter_processor::memory::Memory;
use livemeter_processor::session::Session;
use livemeter_processor::snapshot::{self, Facts};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: i64 = 60_000;

/// A snapshot after every commit.
fn eager(folder: &Path) -> Config {
    Config { session_silence_ms: 10 * MINUTE, snapshot_interval_ms: 0, ahead_ms_max: 400 * 24 * 60 * MINUTE, ..config(folder) }
}

fn beat(session: &'static str, seq: u64, at: i64) -> Vec<u8> {
    record(&heartbeat(session, seq, at, T0, vec![counted("cdn-a", T0, seq + 1)]), 0, 0)
}

fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let below = folder.join("increments/_livemeter_state/g1/p0");
    let mut found: Vec<PathBuf> = std::fs::read_dir(below).map(|d| d.map(|f| f.unwrap().path()).collect()).unwrap_or_default();
    found.sort();
    found
}

/// Memory as it can be compared.
fn meaning(memory: &Memory) -> Vec<Session> {
    let mut sessions: Vec<Session> = memory.sessions().cloned().collect();
    for s in &mut sessions {
        s.seen_at_ms = 0;
        s.reached.sort_by(|a, b| a.cdn.cmp(&b.cdn));
    }
    sessions.sort_by(|a, b| a.id.cmp(&b.id));
    sessions
}

async fn sum_of(folder: &Path, session: &str) -> [u64; 5] {
    sums(&ledger(folder).await.0)[&(session.to_owned(), "cdn-a".to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_from_a_snapshot_is_recovery_from_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let topic = Topic::of([beat("a", 0, T0 + 1), beat("b", 0, T0 + 2), record(&stall("a", 1, T0 + 3), 0, 0)]);
    let mut worker = work_through(&eager(folder.path()), &topic).await;
    worker.settle_within(Duration::from_secs(10)).await;
    drop(worker);
    let kept = snapshots(folder.path());
    assert_eq!(kept.len(), 1);
    // More rows after the snapshot: of old sessions, of a new one, and of one that had left memory.
    topic.add(0, beat("a", 2, T0 + MINUTE));
    topic.add(0, beat("c", 0, T0 + MINUTE));
    topic.add(0, beat("late", 4, T0 + 30 * MINUTE));
    let lazy = Config { snapshot_interval_ms: 3_600_000, ..eager(folder.path()) };
    drop(work_through(&lazy, &topic).await);
    assert_eq!(snapshots(folder.path()), kept);

    let with = open(&lazy, &topic, &Letters::default()).await.unwrap();
    std::fs::remove_file(&kept[0]).unwrap();
    let without = open(&Config { session_silence_ms: 600 * MINUTE, ..lazy }, &topic, &Letters::default()).await.unwrap();
    assert_eq!(meaning(&with.partitions()[&0].book.memory), meaning(&without.partitions()[&0].book.memory));
}

/// It has used two CDNs; the one row after the snapshot knows of the last alone, so the session must not be
/// taken for whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_had_left_memory_when_the_snapshot_was_taken_is_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let both = |seq, at, a| record(&heartbeat("back", seq, at, T0, vec![counted("cdn-b", T0, 3), counted("cdn-a", T0, a)]), 0, 0);
    let topic = Topic::of([both(4, T0, 5), beat("other", 0, T0 + 20 * MINUTE)]);
    let lazy = Config { snapshot_interval_ms: 3_600_000, ..eager(folder.path()) };
    let mut worker = work_through(&lazy, &topic).await;
    worker.evict();
    drop(worker);
    // Taken up afresh, with the silent session as a trace, which the snapshot keeps.
    let mut worker = open(&eager(folder.path()), &topic, &Letters::default()).await.unwrap();
    topic.add(0, beat("other", 1, T0 + 21 * MINUTE));
    drain(&mut worker, &topic).await;
    worker.settle_within(Duration::from_secs(10)).await;
    assert_eq!((snapshots(folder.path()).len(), worker.partitions()[&0].book.memory.evicted_len()), (1, 1));
    drop(worker);
    // It comes back, and the process dies; then late, and further.
    topic.add(0, both(6, T0 + 22 * MINUTE, 7));
    drop(work_through(&lazy, &topic).await);
    topic.add(0, both(5, T0 + 22 * MINUTE, 6));
    topic.add(0, both(8, T0 + 23 * MINUTE, 9));
    drop(work_through(&lazy, &topic).await);
    let sums = sums(&ledger(folder.path()).await.0);
    for (cdn, n) in [("cdn-a", 9), ("cdn-b", 3)] {
        assert_eq!(sums[&("back".to_owned(), cdn.to_owned())], amounts(&counted(cdn, 0, n)).array(), "{cdn}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_snapshot_is_left_aside() {
    let folder = tempfile::tempdir().unwrap();
    let topic = Topic::of([beat("a", 0, T0 + 1)]);
    let mut worker = work_through(&eager(folder.path()), &topic).await;
    worker.settle_within(Duration::from_secs(10)).await;
    drop(worker);
    let kept = snapshots(folder.path());
    let bytes = std::fs::read(&kept[0]).unwrap();
    std::fs::write(&kept[0], &bytes[..bytes.len() / 2]).unwrap();
    topic.add(0, beat("a", 1, T0 + 2));
    drop(work_through(&eager(folder.path()), &topic).await);
    assert_eq!(sum_of(folder.path(), "a").await, amounts(&counted("cdn-a", 0, 2)).array());
}

fn session() -> impl Strategy<Value = Session> {
    let reached = prop::collection::vec((0usize..3, prop::array::uniform5(0u64..1 << 50)), 0..3);
    ("[a-z]{1,12}", any::<u32>(), any::<i32>(), reached, prop::collection::btree_set(0u64..100, 0..5), any::<bool>()).prop_map(
        |(id, seq, at, reached, seqs, complete)| {
            let mut session = Session::new(Arc::from("demo"), &id, i64::from(at), complete);
            (session.reached_seq, session.last_at_ms, session.booked) = (u64::from(seq), i64::from(at) - 7, !reached.is_empty());
            for (cdn, amounts) in reached {
                let amounts = livemeter_processor::split::Amounts::from_array(amounts);
                session.reach(CDNS[cdn], amounts, None, || Arc::from(CDNS[cdn]));
            }
            session.event_seqs = seqs.into_iter().collect();
            session
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(sessions in prop::collection::vec(session(), 0..40),
                                       traces in prop::collection::vec((20_000i64..20_009, any::<u64>()), 0..20)) {
        let mut memory = Memory::with_seed(7);
        memory.advance(T0);
        sessions.into_iter().for_each(|s| memory.absorb_session(s));
        traces.iter().for_each(|(day, hash)| memory.absorb_trace(*day, *hash));
        let facts = Facts::new(3, 1, (10, 12), (4, 5), &memory);
        let bytes = snapshot::encode(&facts, &snapshot::rows(&memory).unwrap()).unwrap();
        let (read, back) = snapshot::decode(bytes.into()).unwrap();
        prop_assert_eq!(read, facts);
        prop_assert_eq!(meaning(&back), meaning(&memory));
        let sorted = |m: &Memory| { let mut all: Vec<_> = m.traces().collect(); all.sort(); all };
        prop_assert_eq!(sorted(&back), sorted(&memory));
    }
}
