//! Roll-up of closed windows: no sum changes, by property; closed periods read the same; recovery too; appends
//! beside it; every crash of it.

use crate::client::*;
use crate::stage::*;
use livemeter_processor::book::DAY_MS;
use livemeter_processor::maintain::{self, Due, Policy, Report};
use livemeter_processor::recover::{Keep, Scope};
use livemeter_processor::roll::periods;
use livemeter_processor::table::Kind;
use livemeter_processor::{Config, recover, roll, scan};
use livemeter_schemas::event::Event;
use livemeter_schemas::period::{ClosedPeriod, FOLDER, LineOffset};
use livemeter_schemas::time::WINDOW_MS;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Long after every window of these tests.
const LATER: i64 = T0 + 2 * DAY_MS;
const AMOUNTS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];

/// Merges whatever can be merged.
fn policy() -> Policy {
    Policy { files_max: 2, retention_ms: 0, ..Policy::of(&Config::default()) }
}

async fn tidy(folder: &Path) -> roll::Tidied {
    let mut table = load(folder, "increments").await;
    roll::tidy(&mut table, Kind::Increments, &policy(), LATER, true).await.unwrap()
}

async fn everything(folder: &Path) -> Report {
    let due = Due { roll: true, checkpoint: true, clean: true };
    maintain::run(load(folder, "increments").await, Kind::Increments, &policy(), LATER, due).await.unwrap()
}

/// Two sessions that beat every 20 seconds on one CDN, then on two; a record of each partition now and then.
fn beats(from: i64, to: i64) -> Vec<Event<'static>> {
    let beat = |n: i64, name: &'static str| {
        let mut counters = vec![counted("cdn-a", T0, n as u64)];
        if n > 20 {
            counters.push(counted("cdn-b", T0 + 400_000, n as u64 - 20));
        }
        heartbeat(name, n as u64, T0 + n * 20_000, T0, counters)
    };
    (from..to).flat_map(|n| [beat(n, "one"), beat(n, "two")]).collect()
}

fn topic(events: &[Event<'static>]) -> Topic {
    let topic = Topic::new(vec![Vec::new(), Vec::new()]);
    for event in events {
        topic.add(usize::from(event.head().session_id == "two"), record(event, 1234, 0));
    }
    topic
}

/// A worker that commits every few records.
fn many_files(folder: &Path) -> Config {
    Config { rows_max: 3, roll_interval_ms: i64::MAX as u64, files_max: 1_000_000, ..config(folder) }
}

/// What stays: amounts and records per session, CDN (with region and status), window and side of the line, and
/// the offsets they span.
type Kept = BTreeMap<(String, String, i64, bool), ([i64; 6], i64, i64)>;

async fn kept(folder: &Path, line: Option<&ClosedPeriod>) -> (Kept, usize) {
    let table = load(folder, "increments").await;
    let mut columns = vec!["session_id", "cdn", "region", "status", "window_start", "kafka_generation", "kafka_partition", "kafka_offset"];
    columns.extend(AMOUNTS);
    columns.extend(["records", "kafka_offset_first"]);
    let (mut kept, mut rows) = (Kept::new(), 0);
    for file in scan::files(&table).unwrap() {
        let read = scan::read(&table, &file, &columns, None, |c| {
            let numbers = AMOUNTS.iter().chain(&["records"]).map(|n| c.int(n)).collect::<Result<Vec<_>, _>>()?;
            for row in 0..c.rows() {
                let at = |name| c.int(name).map(|column| column.value(row));
                let window_ms = c.ms("window_start")?(row);
                let within = |p: &ClosedPeriod| {
                    p.holds(window_ms)
                        && p.within_line(at("kafka_generation").unwrap(), at("kafka_partition").unwrap(), at("kafka_offset").unwrap(), None)
                };
                let text = |name| c.text(name).map(|column| column.value(row));
                let cdn = [text("cdn")?, text("region")?, text("status")?].join("/");
                let key = (text("session_id")?.to_owned(), cdn, window_ms, line.is_some_and(within));
                let (sums, first, last) = kept.entry(key).or_insert(([0; 6], i64::MAX, i64::MIN));
                for (sum, column) in sums.iter_mut().zip(&numbers) {
                    *sum += column.value(row);
                }
                *first = (*first).min(at("kafka_offset_first")?);
                *last = (*last).max(at("kafka_offset")?);
                rows += 1;
            }
            Ok(())
        });
        read.await.unwrap();
    }
    (kept, rows)
}

/// A period over all windows of these tests whose line is at these offsets.
fn close(folder: &Path, offsets: [i64; 2]) -> ClosedPeriod {
    let offsets = offsets.into_iter().zip(0..).map(|(offset, partition)| LineOffset { generation: 1, partition, offset }).collect();
    let period = ClosedPeriod {
        v: 1,
        period: "2026-09".into(),
        tz: "UTC".into(),
        from_ms: T0 - DAY_MS,
        to_ms: T0 + DAY_MS,
        closed_at_ms: T0,
        closed_by: "finance".into(),
        offsets,
        table_version: 1,
        totals: vec![],
        totals_sha256: String::new(),
    };
    std::fs::create_dir_all(folder.join(FOLDER)).unwrap();
    std::fs::write(folder.join(FOLDER).join("2026-09.UTC.json"), serde_json::to_vec(&period).unwrap()).unwrap();
    period
}

/// What recovery makes of the ledger, in one order.
async fn recovered(folder: &Path) -> Vec<String> {
    let (increments, events) = (load(folder, "increments").await, load(folder, "events").await);
    let keep = Keep { silence_ms: 30 * DAY_MS, memory_ms: 60 * DAY_MS, ahead_ms_max: 300_000 };
    let memories = recover::from_rows(&increments, &events, &Scope::anywhere(), LATER, keep).await.unwrap();
    let mut sessions: Vec<String> = memories[&0]
        .sessions()
        .map(|s| {
            let mut reached: Vec<_> = s.reached.iter().map(|r| (r.cdn.clone(), r.amounts)).collect();
            reached.sort_by(|a, b| a.0.cmp(&b.0));
            format!("{:?}", (&s.app, &s.id, s.reached_seq, s.last_at_ms, s.seen_at_ms, reached, &s.event_seqs, s.booked))
        })
        .collect();
    sessions.sort();
    sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_up_leaves_one_row_per_group_and_what_recovery_needs() {
    let folder = tempfile::tempdir().unwrap();
    let events = beats(0, 60);
    work_through(&many_files(folder.path()), &topic(&events)).await;
    let (before, rows) = kept(folder.path(), None).await;
    let memory = recovered(folder.path()).await;
    let tidied = tidy(folder.path()).await;
    assert!(tidied.files_in > 7 && tidied.rows_in == rows as u64, "{tidied:?}");
    let (after, rows_after) = kept(folder.path(), None).await;
    assert_eq!(after, before);
    assert_eq!(rows_after, before.len(), "one row per (session, CDN, window)");
    assert_eq!(recovered(folder.path()).await, memory);
    assert_eq!(sums(&ledger(folder.path()).await.0), truth(&events));

    let version = load(folder.path(), "increments").await.version();
    assert_eq!(tidy(folder.path()).await, roll::Tidied::default(), "again: nothing to do");
    assert_eq!(load(folder.path(), "increments").await.version(), version);

    // The mark of what is rolled up outlives a checkpoint, and a worker goes on where it was.
    assert_eq!(everything(folder.path()).await.tidied, roll::Tidied::default());
    assert_eq!(tidy(folder.path()).await, roll::Tidied::default());
    let more = beats(0, 80);
    work_through(&many_files(folder.path()), &topic(&more)).await;
    tidy(folder.path()).await;
    assert_eq!(sums(&ledger(folder.path()).await.0), truth(&more));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_period_reads_the_same_after_roll_up_and_clean_up() {
    let folder = tempfile::tempdir().unwrap();
    work_through(&many_files(folder.path()), &topic(&beats(0, 60))).await;
    // The line cuts through windows, at another place in each partition.
    let period = close(folder.path(), [23, 31]);
    let (before, _) = kept(folder.path(), Some(&period)).await;
    let sides = before.keys().filter(|(_, _, _, within)| *within).count();
    assert!(sides > 3 && sides < before.len());
    let report = everything(folder.path()).await;
    assert!(report.files_removed > 7 && report.live_files <= 2, "{report:?}");
    let (after, rows) = kept(folder.path(), Some(&period)).await;
    assert_eq!((after, rows), (before.clone(), before.len()));
    // Later rows are rolled up with their own side.
    work_through(&many_files(folder.path()), &topic(&beats(0, 90))).await;
    let (before, _) = kept(folder.path(), Some(&period)).await;
    for _ in 0..2 {
        everything(folder.path()).await;
        assert_eq!(kept(folder.path(), Some(&period)).await.0, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_drawn_while_files_are_merged_is_not_crossed() {
    let folder = tempfile::tempdir().unwrap();
    work_through(&many_files(folder.path()), &topic(&beats(0, 40))).await;
    let mut seen_before_commit = 0;
    for polls in 0..40 {
        // Drawn at every moment of a roll-up.
        let copy = tempfile::tempdir().unwrap();
        copy_folder(folder.path(), copy.path());
        let mut table = load(copy.path(), "increments").await;
        let (since, policy) = (table.version().unwrap(), policy());
        let mut closer = table.clone();
        let mut rolling = std::pin::pin!(roll::tidy(&mut table, Kind::Increments, &policy, LATER, true));
        let mut tidied = None;
        for _ in 0..polls {
            if let std::task::Poll::Ready(done) = futures::poll!(rolling.as_mut()) {
                tidied = Some(done.unwrap());
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        // The closer read a version at which only these offsets were stored.
        let period = close(copy.path(), [20, 20]);
        let stands = periods::settled(&mut closer, since, T0).await.unwrap();
        let tidied = match tidied {
            Some(tidied) => tidied,
            None => rolling.await.unwrap(),
        };
        seen_before_commit += u32::from(tidied.overtaken > 0);
        let (sides, _) = kept(copy.path(), Some(&period)).await;
        if stands {
            assert_eq!(sides, kept(folder.path(), Some(&period)).await.0, "after {polls} polls");
        }
    }
    println!("{seen_before_commit} roll-ups started over");
    assert!(seen_before_commit > 0);
}

/// The process dies at every possible point of a roll-up, and the next one starts from what is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_point_of_a_roll_up_leaves_the_table_whole() {
    let folder = tempfile::tempdir().unwrap();
    work_through(&many_files(folder.path()), &topic(&beats(0, 40))).await;
    let (before, _) = kept(folder.path(), None).await;
    let (mut crashes, mut landed) = (0, 0);
    for polls in 1..60 {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(folder.path(), copy.path());
        let mut table = load(copy.path(), "increments").await;
        let version = table.version();
        if crash_after(polls, roll::tidy(&mut table, Kind::Increments, &policy(), LATER, true)).await.is_none() {
            crashes += 1;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        landed += u32::from(load(copy.path(), "increments").await.version() > version);
        assert_eq!(kept(copy.path(), None).await.0, before, "after {polls} polls");
        everything(copy.path()).await;
        assert_eq!(kept(copy.path(), None).await, (before.clone(), before.len()), "after {polls} polls and another run");
    }
    println!("{crashes} crashes; {landed} roll-ups were in the log");
    assert!(crashes > 5 && landed > 0, "{crashes} crashes, {landed} landed");
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_beside_a_roll_up_and_a_second_roll_up_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let events = beats(0, 120);
    let topic = topic(&events);
    let settings = Config { rows_max: 4, ..many_files(folder.path()) };
    let mut worker = open(&settings, &topic, &Letters::default()).await.unwrap();
    let other = |delay_ms: u64| {
        let folder = folder.path().to_owned();
        tokio::spawn(async move {
            let mut merges = 0;
            for _ in 0..12 {
                tokio::time::sleep(std::time::Duration::from_millis(delay_ms)).await;
                let mut table = load(&folder, "increments").await;
                // Losing every attempt against a worker this busy is a failure to be tried again, no more.
                merges += roll::tidy(&mut table, Kind::Increments, &policy(), LATER, true).await.map_or(0, |tidied| tidied.dates.len());
            }
            merges
        })
    };
    let (one, two) = (other(20), other(33));
    while worker.committed() != livemeter_processor::source::Source::ends(&topic) {
        worker.turn().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let merges = (one.await.unwrap(), two.await.unwrap());
    println!("{merges:?} merges beside the worker");
    assert!(merges.0 + merges.1 > 0);
    let rows = ledger(folder.path()).await.0;
    assert_eq!(sums(&rows), truth(&events));
    tidy(folder.path()).await;
    assert_eq!(sums(&ledger(folder.path()).await.0), truth(&events));
}

/// A pool far smaller than the rows: runs are spilled, sums stay.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_and_a_quota_that_is_too_small_is_an_error_that_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<&'static str> = (0..800).map(|n| &*Box::leak(format!("a-session-with-a-long-id-{n:016}").into_boxed_str())).collect();
    // Each beat in a window of its own, so that none meet within a commit.
    let beat = |n: i64, name| heartbeat(name, n as u64, T0 + n * 300_000, T0, vec![counted("cdn-a", T0, n as u64)]);
    let events: Vec<Event<'static>> = (0..40).flat_map(|n| names.iter().map(move |name| beat(n, name))).collect();
    work_through(&Config { rows_max: 2_000, ..many_files(folder.path()) }, &topic(&events)).await;
    let (before, rows) = kept(folder.path(), None).await;
    let mut table = load(folder.path(), "increments").await;
    let tight = Policy { roll_memory_bytes_max: 4 << 20, roll_spill_bytes_max: 1 << 16, ..policy() };
    let error = roll::tidy(&mut table, Kind::Increments, &tight, LATER, true).await.unwrap_err();
    println!("{error}");
    assert_eq!(kept(folder.path(), None).await, (before.clone(), rows));
    let enough = Policy { roll_memory_bytes_max: 4 << 20, ..policy() };
    let tidied = roll::tidy(&mut table, Kind::Increments, &enough, LATER, true).await.unwrap();
    assert_eq!(tidied.rows_in, rows as u64);
    assert_eq!(kept(folder.path(), None).await, (before.clone(), before.len()));
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    /// Whatever players did and wherever a line was drawn.
    #[test]
    fn any_ledger_keeps_its_sums(lives in (life(0), life(1), life(2)).prop_map(|(a, b, c)| [a, b, c]), rows_max in 1usize..9, line in prop::array::uniform2(0i64..20)) {
        let topic = Topic::new(vec![Vec::new(), Vec::new()]);
        for (n, life) in lives.iter().enumerate() {
            for event in &life.events {
                topic.add(n % 2, record(event, life.skew, 0));
            }
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let settings = Config { rows_max, late_after_ms: 30 * DAY_MS, ..many_files(folder.path()) };
            work_through(&settings, &topic).await;
            let period = close(folder.path(), line);
            let (before, _) = kept(folder.path(), Some(&period)).await;
            tidy(folder.path()).await;
            let (after, rows) = kept(folder.path(), Some(&period)).await;
            assert_eq!(after, before);
            assert_eq!(rows, before.len());
            assert!(before.keys().all(|(_, _, window, _)| window % WINDOW_MS == 0));
        });
    }
}
