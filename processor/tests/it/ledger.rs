//! The tools over a ledger that a worker wrote: audit, decisions, closed periods. A topic in memory, a ledger
//! in a folder.

use crate::client::*;
use crate::stage::*;
use arrow::array::RecordBatch;
use livemeter_processor::audit::{self, Broker, Check, Ledger, Question, Records, Report, Take, Topic as AuditTopic};
use livemeter_processor::book::Rules;
use livemeter_processor::config::Config;
use livemeter_processor::decide::{self, Selection, Signature, Verdict};
use livemeter_processor::entry::Place;
use livemeter_processor::erase::{Person, erase};
use livemeter_processor::error::Error;
use livemeter_processor::maintain::{self, Due, Policy};
use livemeter_processor::period::{self, Closing, PeriodError};
use livemeter_processor::table::Kind;
use livemeter_schemas::event::Counters;
use livemeter_schemas::limits::Limits;
use std::collections::BTreeMap;
use std::path::Path;
use url::Url;

const DAY: i64 = 86_400_000;

fn root(folder: &Path) -> Url {
    Url::from_directory_path(folder).unwrap()
}

pub fn question() -> Question {
    Question { app: None, from_ms: None, to_ms: None, memory_bytes_max: 1 << 26, differences_max: 50 }
}

/// The topic in memory, given again; from `low` on.
struct Again(Topic);

impl Records for Again {
    async fn each(&mut self, partition: i64, from: i64, to: i64, take: &mut Take<'_>) -> Result<(), Error> {
        let records = self.0.partitions.lock().unwrap()[partition as usize].clone();
        records.iter().filter(|m| (from..to).contains(&m.place.offset)).try_for_each(|m| take(m.place, &m.payload))
    }
}

fn rules() -> Rules {
    let c = Config::default();
    Rules {
        split_windows_max: c.split_windows_max,
        session_events_max: c.session_events_max,
        age_ms_max: c.limits.age_ms_max,
        bitrate_bps_max: c.bitrate_bps_max,
        burst_ms: c.burst_ms,
        late_after_ms: c.late_after_ms,
        cmcd: Default::default(),
    }
}

pub async fn audited(folder: &Path, topic: &Topic, low: i64, question: &Question) -> Report {
    let ledger = Ledger::open(&root(folder)).await.unwrap();
    let ends = livemeter_processor::source::Source::ends(topic);
    let watermarks: BTreeMap<i64, (i64, i64)> = ends.into_iter().map(|(p, high)| (i64::from(p), (low, high))).collect();
    let broker = Broker { cluster_id: topic.cluster_id.clone(), topic: "livemeter.events.v1".into(), watermarks };
    let again = AuditTopic { records: Again(topic.clone()), rules: rules(), limits: Limits::default() };
    audit::run(&ledger, question, Some(&broker), Some(again), &mut |_| {}).await.unwrap()
}

/// Sessions that play plainly, with a stall now and then; every third has two CDNs.
fn crowd(sessions: usize) -> Topic {
    let topic = Topic::new(vec![Vec::new(), Vec::new()]);
    for beat in 0..6i64 {
        for n in 0..sessions {
            let (at, name) = (T0 + beat * 60_000, format!("crowd-{n}"));
            let mut counters = vec![counted("cdn-a", T0, 100 * beat as u64)];
            if n % 3 == 0 && beat > 2 {
                counters.push(counted("cdn-b", T0 + 120_000, 7 * beat as u64));
            }
            topic.add(n % 2, record(&heartbeat(&name, 2 * beat as u64, at, T0, counters), 0, 0));
            topic.add(n % 2, record(&stall(&name, 2 * beat as u64 + 1, at + 5), 0, 0));
        }
    }
    topic
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_of_a_whole_ledger_agrees_with_the_topic_in_however_many_passes() {
    let folder = tempfile::tempdir().unwrap();
    let topic = crowd(40);
    topic.add(0, b"poison".to_vec());
    work_through(&config(folder.path()), &topic).await;
    for (memory_bytes_max, passes) in [(1 << 26, 1), (4_000, 2)] {
        let report = audited(folder.path(), &topic, 0, &Question { memory_bytes_max, ..question() }).await;
        assert!(report.ok, "{:#?}", report.shown);
        let told = report.topic.clone().unwrap();
        assert_eq!((report.counters, told.compared, told.partly, told.unreadable), (54, 54, 0, 1));
        assert_eq!(told.records, 40 * 12 + 1);
        assert!(report.passes >= passes, "{} passes", report.passes);
        assert_eq!(report.partitions.len(), 2);
        assert!(report.partitions.iter().all(|p| p.lag_records == Some(0) && p.events_offset == Some(p.increments_offset)));
    }
    // The broker has let go of the beginning, as far as the ledger has come: what is left must still fit.
    let report = audited(folder.path(), &topic, 100, &question()).await;
    assert!(report.ok && report.topic.as_ref().unwrap().partly > 0, "{report:#?}");
    let none = audited(folder.path(), &topic, 0, &Question { app: Some("another".into()), ..question() }).await;
    assert_eq!((none.ok, none.counters), (true, 0));
    let later = audited(folder.path(), &topic, 0, &Question { from_ms: Some(T0 + DAY), ..question() }).await;
    assert_eq!((later.ok, later.counters), (true, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_names_what_is_not_as_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let topic = crowd(4);
    topic.add(0, lone());
    work_through(&config(folder.path()), &topic).await;
    // Somebody added what was there already: the same record twice, so the sums are off too.
    let table = load(folder.path(), "increments").await;
    let soon = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let copy = rows_of().slice(0, 1);
    assert!(livemeter_processor::table::commit_rows(&table, Kind::Increments, copy, "t", soon).await.unwrap());
    let report = audited(folder.path(), &topic, 0, &question()).await;
    let checks: Vec<Check> = report.shown.iter().map(|d| d.check).collect();
    assert!(!report.ok && checks.contains(&Check::Twice), "{:#?}", report.shown);
    // The topic was made anew: other records at the same offsets.
    let other = crowd(6);
    let report = audited(folder.path(), &other, 0, &question()).await;
    assert!(report.shown.iter().any(|d| d.check == Check::Topic), "{:#?}", report.shown);
    let mut elsewhere = topic.clone();
    elsewhere.cluster_id = "cluster-2".into();
    let report = audited(folder.path(), &elsewhere, 0, &question()).await;
    assert!(report.shown.iter().any(|d| d.check == Check::Offsets), "{:#?}", report.shown);
}

/// A session of one beat, behind the crowd of four.
fn lone() -> Vec<u8> {
    record(&heartbeat("lone", 0, T0 + 60_000, T0, vec![counted("cdn-a", T0, 100)]), 0, 0)
}

/// Its row, as the table has it.
fn rows_of() -> RecordBatch {
    let bytes = lone();
    let mut buffer = livemeter_processor::buffer::Buffer::new(1);
    let mut memory = livemeter_processor::memory::Memory::default();
    memory.advance(T0);
    let mut book = livemeter_processor::book::Book::new(rules(), memory);
    let entry = livemeter_processor::entry::Entry::read(&bytes, Place { partition: 0, offset: 24 }, &Limits::default()).unwrap();
    book.book(&entry, livemeter_processor::book::Wanted { increments: true, events: false }, &mut buffer).unwrap();
    buffer.take().unwrap().0.unwrap()
}

/// More than any player can receive, at 20 s; plain before and after.
fn forged() -> Vec<Counters<'static>> {
    vec![Counters { bytes: 60_000_000_000, ..counted("cdn-a", T0, 3) }]
}

async fn booked(folder: &Path) -> BTreeMap<String, i64> {
    let table = load(folder, "increments").await;
    let mut sums = BTreeMap::new();
    for file in livemeter_processor::scan::files(&table).unwrap() {
        livemeter_processor::scan::read(&table, &file, &["status", "bytes"], None, |c| {
            for row in 0..c.rows() {
                *sums.entry(c.text("status")?.value(row).to_owned()).or_insert(0) += c.int("bytes")?.value(row);
            }
            Ok(())
        })
        .await
        .unwrap();
    }
    sums
}

fn forging() -> Topic {
    Topic::of([
        record(&heartbeat("forger", 0, T0 + 10_000, T0, vec![counted("cdn-a", T0, 2)]), 0, 0),
        record(&heartbeat("forger", 1, T0 + 20_000, T0, forged()), 0, 0),
        record(&heartbeat("plain", 0, T0 + 20_000, T0, vec![counted("cdn-b", T0, 5)]), 0, 0),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_made_once_moves_amounts_and_changes_nothing_reached() {
    let folder = tempfile::tempdir().unwrap();
    let (config, topic) = (config(folder.path()), forging());
    work_through(&config, &topic).await;
    let root = root(folder.path());
    let found = decide::undecided(&root, &Selection::default()).await.unwrap();
    let implied = 60_000_000_000 - 2_007;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].group.session_id.as_str(), found[0].bytes, found[0].kafka_offset), ("forger", implied, 1));
    assert_eq!(booked(folder.path()).await, BTreeMap::from([("booked".into(), 2_007 + 5_007), ("quarantined".into(), implied)]));

    let other = Selection { session_id: Some("plain".into()), ..Selection::default() };
    let sign = Signature { by: "ada", why: "a test" };
    assert!(decide::decide(&root, &other, Verdict::Rejected, sign, clock).await.unwrap().is_empty());
    // Two at once: one of them decides.
    let all = Selection::default();
    let (one, two) = tokio::join!(
        decide::decide(&root, &all, Verdict::Released, sign, clock),
        decide::decide(&root, &all, Verdict::Rejected, sign, clock)
    );
    assert_eq!(one.unwrap().len() + two.unwrap().len(), 1);
    assert!(decide::decide(&root, &all, Verdict::Released, sign, clock).await.unwrap().is_empty(), "the second time changes nothing");
    let sums = booked(folder.path()).await;
    assert_eq!(sums["quarantined"], 0);
    assert_eq!(sums.values().sum::<i64>(), 2_007 + 5_007 + implied, "booked + quarantined + rejected is what was reached");
    assert!(audited(folder.path(), &topic, 0, &question()).await.ok);

    // The processor goes on from there: a decision is no progress of the session, and no loss.
    topic.add(0, record(&heartbeat("forger", 2, T0 + 30_000, T0, vec![Counters { bytes: 60_000_000_500, ..forged()[0].clone() }]), 0, 0));
    work_through(&config, &topic).await;
    let report = audited(folder.path(), &topic, 0, &question()).await;
    assert!(report.ok, "{:#?}", report.shown);
}

fn after_the_month() -> i64 {
    T0 + 60 * DAY
}

fn closing(by: &str) -> Closing<'_> {
    Closing { by, grace_ms: DAY, now: false, clock: after_the_month }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_period_reads_the_same_after_late_rows_decisions_compaction_erasure_and_vacuum() {
    let folder = tempfile::tempdir().unwrap();
    let (config, topic, root) = (config(folder.path()), forging(), root(folder.path()));
    work_through(&config, &topic).await;
    let (month, tz) = ("2026-09", "Asia/Shanghai");
    let closed = period::close(&root, month, tz, closing("ada")).await.unwrap();
    let bytes: Vec<(String, i64)> = closed.totals.iter().map(|t| (t.cdn.clone(), t.bytes)).collect();
    assert_eq!(bytes, [("cdn-a".into(), 2_007), ("cdn-b".into(), 5_007)], "what is quarantined is in no total");
    assert_eq!(closed.offsets.iter().map(|l| (l.generation, l.partition, l.offset)).collect::<Vec<_>>(), [(1, 0, 3)]);
    assert!(folder.path().join("periods/2026-09_Asia-Shanghai.json").is_file());
    let shown = period::show(&root, month, tz).await.unwrap();
    assert_eq!((shown.adjustments.len(), &shown.both), (0, &closed.totals));

    // Late rows, a decision, other windows, and many small commits.
    for n in 6..30u64 {
        topic.add(0, record(&heartbeat("plain", n, T0 + 20_000 + n as i64, T0, vec![counted("cdn-b", T0, n)]), 0, 0));
        topic.add(
            0,
            record(&heartbeat(&format!("later-{n}"), 0, T0 + 30 * DAY, T0 + 30 * DAY, vec![counted("cdn-a", T0 + 30 * DAY, 9)]), 0, 0),
        );
        work_through(&config, &topic).await;
    }
    fn now() -> i64 {
        after_the_month() + DAY
    }
    // By a host whose clock is behind that of the one that closed.
    fn behind() -> i64 {
        after_the_month() - DAY
    }
    let sign = Signature { by: "ada", why: "it was a lecture hall" };
    assert_eq!(decide::decide(&root, &Selection::default(), Verdict::Released, sign, behind).await.unwrap().len(), 1);
    reads_the_same(&root, month, tz, &closed).await;

    let policy = Policy { files_max: 2, files_closed_max: 2, retention_ms: 0, ..Policy::of(&config) };
    let due = Due { roll: true, checkpoint: true, clean: true };
    let report = maintain::run(load(folder.path(), "increments").await, Kind::Increments, &policy, now(), due).await.unwrap();
    assert!(report.tidied.rows_in > report.tidied.rows_out && report.files_removed > 0, "{report:?}");
    reads_the_same(&root, month, tz, &closed).await;

    // A user asks to be forgotten: the name goes, amounts stay, and the processor knows its sessions again.
    topic.add(0, record(&stall("plain", 99, T0 + 60_000), 0, 0));
    topic.add(0, record(&failed("plain", 100, T0 + 61_000), 0, 0));
    // Somebody else's user of the same name.
    topic.add(0, record_of("elsewhere", &stall("theirs", 1, T0 + 60_000)));
    work_through(&config, &topic).await;
    assert!(told(folder.path()).await.iter().all(|(app, raw, _)| app == "elsewhere" || raw.contains("u1")));
    let (before, names) = (booked(folder.path()).await, users(folder.path()).await);
    assert_eq!(names.iter().map(|(user, _)| user.as_str()).collect::<Vec<_>>(), ["u1", "u1"], "increments, events");
    let person = |user_id| Person { app: "demo", user_id };
    let nobody = erase(&root, &policy, person("u2"), sign, |_, _, _| ()).await.unwrap();
    assert!(nobody.iter().all(|e| e.rows == 0 && e.files == 0), "{nobody:?}");
    let erased = erase(&root, &policy, person("u1"), sign, |_, _, _| ()).await.unwrap();
    let theirs = 1;
    assert_eq!(erased.iter().map(|e| e.rows).collect::<Vec<_>>(), [names[0].1, names[1].1 - theirs]);
    let left = users(folder.path()).await;
    let stands_for = erased[0].stands_for.clone();
    assert_eq!(left, [(stands_for.clone(), names[0].1), (stands_for, names[1].1 - theirs), ("u1".into(), theirs)]);
    for (app, raw, message) in told(folder.path()).await {
        let theirs = app == "elsewhere";
        assert_eq!((raw.contains("u1"), message.is_none()), (theirs, true), "{app}: {raw} {message:?}");
    }
    assert!(erase(&root, &policy, person("u1"), sign, |_, _, _| ()).await.unwrap().iter().all(|e| e.rows == 0));
    assert_eq!(booked(folder.path()).await, before);
    reads_the_same(&root, month, tz, &closed).await;
    let due = Due { roll: true, checkpoint: true, clean: true };
    let report = maintain::run(load(folder.path(), "increments").await, Kind::Increments, &policy, now(), due).await.unwrap();
    assert!(report.files_removed > 0, "the files that had the name are gone: {report:?}");
    reads_the_same(&root, month, tz, &closed).await;
    topic.add(0, record(&heartbeat("plain", 40, T0 + 30 * DAY, T0, vec![counted("cdn-b", T0, 40)]), 0, 0));
    work_through(&config, &topic).await;
    assert!(audited(folder.path(), &topic, 0, &question()).await.ok);

    // What the totals were made of changes: it shows.
    let mut spoilt = closed.clone();
    spoilt.totals[0].bytes += 1;
    let file = folder.path().join("periods/2026-09_Asia-Shanghai.json");
    std::fs::write(&file, serde_json::to_vec(&spoilt).unwrap()).unwrap();
    let verified = period::verify(&root, month, tz).await.unwrap();
    assert_eq!((verified.ok, verified.differences.len()), (false, 1));
    assert_ne!(verified.file_sha256, verified.kept_sha256);
}

/// Of every event: its app, the client's own text, and what it said in words.
async fn told(folder: &Path) -> Vec<(String, String, Option<String>)> {
    let (table, mut told) = (load(folder, "events").await, Vec::new());
    for file in livemeter_processor::scan::files(&table).unwrap() {
        livemeter_processor::scan::read(&table, &file, &["app", "raw", "message"], None, |c| {
            let (app, raw, message) = (c.text("app")?, c.text("raw")?, c.text_or_null("message")?);
            told.extend((0..c.rows()).map(|row| (app.value(row).into(), raw.value(row).into(), message(row).map(str::to_owned))));
            Ok(())
        })
        .await
        .unwrap();
    }
    told
}

/// Every user of `increments`, then of `events`, with the number of rows.
async fn users(folder: &Path) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    for name in ["increments", "events"] {
        let (table, mut users) = (load(folder, name).await, BTreeMap::new());
        for file in livemeter_processor::scan::files(&table).unwrap() {
            livemeter_processor::scan::read(&table, &file, &["user_id"], None, |c| {
                (0..c.rows()).for_each(|row| *users.entry(c.text("user_id").unwrap().value(row).to_owned()).or_insert(0) += 1);
                Ok(())
            })
            .await
            .unwrap();
        }
        all.extend(users);
    }
    all
}

async fn reads_the_same(root: &Url, month: &str, tz: &str, closed: &livemeter_schemas::period::ClosedPeriod) {
    let verified = period::verify(root, month, tz).await.unwrap();
    assert!(verified.ok, "{verified:#?}");
    let shown = period::show(root, month, tz).await.unwrap();
    assert_eq!(&shown.closed, closed);
    let bytes = |rows: &[livemeter_schemas::period::PeriodTotal]| rows.iter().map(|t| (t.cdn.clone(), t.bytes)).collect::<Vec<_>>();
    assert_eq!(bytes(&shown.adjustments), [("cdn-a".into(), 60_000_000_000 - 2_007), ("cdn-b".into(), 24_000)]);
    assert_eq!(bytes(&shown.both), [("cdn-a".into(), 60_000_000_000), ("cdn-b".into(), 29_007)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_closed_once_and_not_before_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let root = root(folder.path());
    work_through(&config(folder.path()), &forging()).await;
    // T0 is 2026-09-21 in UTC.
    let early = Closing { clock, ..closing("ada") };
    assert!(matches!(period::close(&root, "2026-09", "UTC", early).await, Err(PeriodError::NotEnded { .. })));
    fn hours_later() -> i64 {
        period::bounds("2026-09-21", "UTC").unwrap().to_ms + 3_600_000
    }
    let young = Closing { clock: hours_later, ..closing("ada") };
    assert!(matches!(period::close(&root, "2026-09-21", "UTC", young).await, Err(PeriodError::TooYoung { .. })));
    period::close(&root, "2026-09-21", "UTC", Closing { now: true, ..young }).await.unwrap();
    let again = period::close(&root, "2026-09-21", "UTC", closing("bob")).await.unwrap_err();
    assert!(matches!(again, PeriodError::ClosedAlready { .. }) && !again.retry(), "{again}");
    assert!(matches!(period::show(&root, "2026-09-22", "UTC").await, Err(PeriodError::NotClosed { .. })));
    assert!(matches!(period::close(&root, "2026-14", "UTC", closing("ada")).await, Err(PeriodError::Name { .. })));
    // Two at once: one closes, the other is told.
    let (one, two) =
        tokio::join!(period::close(&root, "2026-09", "UTC", closing("a")), period::close(&root, "2026-09", "UTC", closing("b")));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    assert_eq!(period::list(&root).await.unwrap().len(), 2);
}
