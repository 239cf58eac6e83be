//! The worker: every crash acted out, restarts, poison, offsets out of range.

use crate::client::*;
use crate::stage::*;
use livemeter_processor::error::Error;
use livemeter_processor::source::Source;
use livemeter_processor::status::{OutcomeLabel, Status};
use livemeter_processor::worker::Worker;
use livemeter_schemas::event::Event;
use livemeter_schemas::refusal::Code;
use livemeter_schemas::time::WINDOW_MS;
use std::time::Duration;

const DAY: i64 = 86_400_000;

/// Two sessions over two CDNs with stalls and an end, in an order as retries and reconnects make it.
fn evening() -> Vec<Event<'static>> {
    let mut events = Vec::new();
    for n in 0..20i64 {
        let at = T0 + n * 70_000;
        let mut counters = vec![counted("cdn-a", T0, 2 * n as u64)];
        if n > 8 {
            counters.push(counted("cdn-b", T0 + 8 * 70_000, n as u64));
        }
        events.push(heartbeat("one", 2 * n as u64, at, T0, counters.clone()));
        events.push(stall("one", 2 * n as u64 + 1, at + 9));
        events.push(heartbeat("two", n as u64, at, T0, counters));
    }
    events.push(session_end("two", 20, T0 + 20 * 70_000, T0, vec![counted("cdn-a", T0, 99), counted("cdn-b", T0, 40)]));
    for i in (3..events.len()).step_by(5) {
        events.swap(i - 3, i);
        events.push(events[i - 2].clone());
    }
    events
}

fn topic() -> Topic {
    let topic = Topic::new(vec![Vec::new(), Vec::new()]);
    for event in evening() {
        topic.add(usize::from(event.head().session_id == "two"), record(&event, 1234, 0));
    }
    topic
}

/// Every event once, whatever was repeated.
fn expected_events() -> Vec<(String, u64)> {
    let all = evening();
    let events = all.iter().filter(|e| !matches!(e, Event::Heartbeat(_))).map(|e| (e.head().session_id.to_owned(), e.head().seq));
    events.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_the_topic_is_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    work_through(&config(folder.path()), &topic()).await;
    let (rows, events) = ledger(folder.path()).await;
    assert_eq!(sums(&rows), truth(&evening()));
    assert_eq!(events, expected_events());
    let windows: std::collections::BTreeSet<i64> = rows.iter().map(|r| r.window_start_ms).collect();
    assert!(windows.len() >= 4 && windows.iter().all(|w| w % WINDOW_MS == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_after_every_chunk_change_no_row() {
    let (steady, restarted) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    work_through(&config(steady.path()), &topic()).await;
    let topic = topic();
    let mut restarts = 0;
    loop {
        let mut worker = open(&config(restarted.path()), &topic, &Letters::default()).await.unwrap();
        if worker.committed() == topic.ends() {
            break;
        }
        worker.turn().await.unwrap();
        worker.flush().await.unwrap();
        restarts += 1;
    }
    assert!(restarts > 5);
    assert_eq!(ledger(restarted.path()).await, ledger(steady.path()).await);
}

/// The process dies at every possible point of a flush, between the tables' commits too.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_point_of_a_flush_loses_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let topic = topic();
    let (mut polls, mut crashes, mut between) = (0, 0, 0);
    loop {
        let mut worker = open(&config(folder.path()), &topic, &Letters::default()).await.unwrap();
        let (increments, events) = worker.tables();
        between += u32::from(increments.offsets() != events.offsets());
        if worker.committed() == topic.ends() {
            break;
        }
        worker.turn().await.unwrap();
        polls += 1;
        // Every sixtieth may live: there is progress however slow the machine.
        let lives = if polls % 60 == 0 { usize::MAX } else { polls % 60 };
        if crash_after(lives, worker.flush()).await.is_none() {
            crashes += 1;
        }
        // What the dead process left to the file system is done before the next one starts.
        drop(worker);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{crashes} crashes, {between} of them between the two commits");
    assert!(crashes > 5 && between > 0, "{crashes} crashes, {between} between the commits");
    let (rows, events) = ledger(folder.path()).await;
    assert_eq!(sums(&rows), truth(&evening()));
    assert_eq!(events, expected_events());

    let steady = tempfile::tempdir().unwrap();
    work_through(&config(steady.path()), &crate::worker::topic()).await;
    assert_eq!(ledger(steady.path()).await.0, rows, "crashes moved a row to another window");
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_kept_before_its_offset_is_passed() {
    let folder = tempfile::tempdir().unwrap();
    let good = |seq| record(&heartbeat("s", seq, T0 + seq as i64, T0, vec![counted("cdn-a", T0, seq)]), 0, 0);
    let fallen = record(&heartbeat("s", 9, T0 + 9, T0, vec![counted("cdn-a", T0, 1)]), 0, 0);
    let topic = Topic::of([good(4), b"\xff not a record".to_vec(), fallen, good(10)]);
    let letters = Letters::default();
    *letters.failures.lock().unwrap() = 1;
    let status = Status::new();
    let mut worker = Worker::open(config(folder.path()), status.clone(), topic.clone(), letters.clone(), clock).await.unwrap();
    worker.turn().await.unwrap();
    worker.turn().await.unwrap();
    let flush = tokio::time::timeout(Duration::from_millis(300), worker.flush()).await;
    assert!(flush.is_err() && worker.committed() == at([0]), "no offset passes a letter that is not durable");
    drain(&mut worker, &topic).await;
    let counted_as = |outcome| status.metrics.dead_letters.get_or_create(&OutcomeLabel { outcome }).get();
    assert_eq!(["taken", "failed", "refused"].map(counted_as), [2, 2, 0]);
    let kept = letters.letters.lock().unwrap().clone();
    let told: Vec<_> = kept.iter().map(|l| (l.code, l.origin.as_ref().unwrap().offset, l.length_bytes)).collect();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].0, told[0].1, told[0].2), (Code::Malformed, 1, 14));
    assert_eq!((told[1].0, told[1].1), (Code::CounterFell, 2));
    assert_eq!(kept[1].app, "demo");
    assert_eq!(sums(&ledger(folder.path()).await.0).into_values().collect::<Vec<_>>(), [amounts(&counted("cdn-a", T0, 10)).array()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_the_broker_does_not_have_stops_the_worker_with_instructions() {
    let folder = tempfile::tempdir().unwrap();
    work_through(&config(folder.path()), &topic()).await;
    let settings = config(folder.path());
    let before = ledger(folder.path()).await;
    let (empty, mut expired) = (Topic::new(vec![Vec::new(), Vec::new()]), topic());
    expired.low = 1_000;
    for topic in [empty, expired] {
        let error = open(&settings, &topic, &Letters::default()).await.err().unwrap();
        assert!(matches!(error, Error::OutOfRange { partition: 0, .. }) && !error.retry());
        assert!(error.to_string().contains("raise `generation` by one"), "{error}");
    }

    // Knowingly begun anew: the same records again, on a new generation, book nothing twice.
    let again = livemeter_processor::Config { generation: 2, ..settings };
    work_through(&again, &topic()).await;
    assert_eq!(ledger(folder.path()).await, before);
}

/// The topic was deleted and made again, and has as many records as before, or more: no offset tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_anew_stops_the_worker_with_instructions() {
    let folder = tempfile::tempdir().unwrap();
    work_through(&config(folder.path()), &topic()).await;
    let before = ledger(folder.path()).await;
    let anew = topic();
    for n in 0..9 {
        let beat = |session| record(&heartbeat(session, 500 + n, T0 + DAY, T0 + DAY, vec![counted("cdn-a", T0 + DAY, 500 + n)]), 0, 0);
        anew.partitions.lock().unwrap().iter_mut().for_each(|records| drop(records.remove(0)));
        anew.add(0, beat("anew"));
        anew.add(1, beat("also"));
    }
    // Offsets as a broker counts them.
    for records in anew.partitions.lock().unwrap().iter_mut() {
        (0..).zip(records).for_each(|(offset, message)| message.place.offset = offset);
    }
    let mut worker = open(&config(folder.path()), &anew, &Letters::default()).await.unwrap();
    let stops = async {
        loop {
            if let Err(error) = worker.turn().await {
                break error;
            }
        }
    };
    let error = tokio::time::timeout(Duration::from_secs(30), stops).await.expect("it stops");
    assert!(matches!(error, Error::TopicReplaced { .. }) && !error.retry(), "{error}");
    assert!(error.to_string().contains("raise `generation` by one"), "{error}");
    drop(worker);
    assert_eq!(ledger(folder.path()).await, before, "nothing of it is booked");

    // The same topic with more records goes on.
    let same = topic();
    same.add(0, record(&heartbeat("one", 900, T0 + DAY, T0, vec![counted("cdn-a", T0, 900), counted("cdn-b", T0, 900)]), 0, 0));
    work_through(&config(folder.path()), &same).await;
    let reached = [amounts(&counted("cdn-a", T0, 900)).array(), amounts(&counted("cdn-b", T0, 900)).array()];
    let sums = sums(&ledger(folder.path()).await.0);
    assert_eq!(["cdn-a", "cdn-b"].map(|cdn| sums[&("one".to_owned(), cdn.to_owned())]), reached);
}

/// A heartbeat may span thousands of windows: what waits for a commit is bounded by rows, not by records.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_become_many_rows_are_committed_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let week = T0 - 7 * DAY;
    let long = |n: usize| record(&heartbeat(&format!("s-{n}"), 0, T0, week, vec![counted("cdn-a", week, 9)]), 0, 0);
    let poison = || vec![b'x'; 200_000];
    let topic = Topic::of((0..7).map(long).chain((0..7).map(|_| poison())));
    let settings =
        livemeter_processor::Config { rows_max: 1_000, bytes_max: 64 * 1024, commit_interval_ms: 3_600_000, ..config(folder.path()) };
    let letters = Letters::default();
    let mut worker = open(&settings, &topic, &letters).await.unwrap();
    worker.turn().await.unwrap();
    assert_eq!(worker.tables().0.commits(), 7, "one record is more than may wait, and seven came at once");
    worker.turn().await.unwrap();
    assert!(letters.letters.lock().unwrap().len() > 3, "letters count too");
    worker.flush().await.unwrap();
    let sums = sums(&ledger(folder.path()).await.0);
    assert_eq!(sums.len(), 7);
    assert!(sums.values().all(|sum| *sum == amounts(&counted("cdn-a", week, 9)).array()));
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_runs_beside_the_worker_and_changes_nothing() {
    let (busy, quiet) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = livemeter_processor::Config {
        checkpoint_commits: 2,
        files_max: 2,
        files_closed_max: 2,
        rows_max: 1,
        retention_ms: 60_000,
        ..config(busy.path())
    };
    let mut worker = work_through(&settings, &topic()).await;
    worker.settle_within(Duration::from_secs(30)).await;
    work_through(&config(quiet.path()), &topic()).await;
    assert_eq!(ledger(busy.path()).await, ledger(quiet.path()).await);
    assert!(
        std::fs::read_dir(busy.path().join("increments/_delta_log")).unwrap().any(|f| f
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("checkpoint"))
    );
}
