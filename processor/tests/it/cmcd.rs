//! CMCD sessions through the book and the worker: whatever is repeated, late, cut short or looked up again, the
//! ledger says what the reports say in their order.

use crate::client::*;
use crate::stage::*;
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::operations::create::CreateBuilder;
use livemeter_processor::Config;
use livemeter_processor::book::{Book, Rules, Taken, Wanted};
use livemeter_processor::cmcd::Known;
use livemeter_processor::entry::{Entry, Place};
use livemeter_processor::memory::Memory;
use livemeter_processor::session::Session;
use livemeter_processor::split::Amounts;
use livemeter_schemas::event::{CdnBytes, Cmcd, Event, State};
use livemeter_schemas::ledger::{self, CMCD_STATE};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::refusal::{Code, Refusal};
use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const STATES: [State; 9] = [
    State::Starting,
    State::Playing,
    State::Seeking,
    State::Rebuffering,
    State::Paused,
    State::Ended,
    State::Fatal,
    State::Quit,
    State::Preloading,
];

fn report(session: &str, sn: u64, at_ms: i64, state: State, cdn: &'static str, bytes: u64) -> Event<'static> {
    Event::Cmcd(Cmcd {
        session_id: Cow::Owned(session.to_owned()),
        seq: sn,
        at_ms: T0 + at_ms,
        user_id: "u1".into(),
        programme_id: "p1".into(),
        region: None,
        event: Some("ps".into()),
        state: Some(state),
        cdn: Some(cdn.into()),
        bytes: vec![CdnBytes { cdn: None, bytes }],
        startup_ms: None,
        starved: false,
        error: None,
        bitrate_kbps: None,
        buffer_ms: None,
        latency_ms: None,
        report: None,
    })
}

/// Reports in their order: time since the one before, state, CDN.
fn life(session: &'static str) -> impl Strategy<Value = Vec<Event<'static>>> {
    prop::collection::vec((0i64..400_000, 0usize..9, 0usize..2, 0u64..5_000_000), 1..20).prop_map(move |steps| {
        let (mut at, mut bytes) = (0, [0; 2]);
        let reports = steps.into_iter().enumerate().map(|(sn, (dt, state, cdn, more))| {
            at += dt;
            bytes[cdn] += more;
            report(session, sn as u64, at, STATES[state], CDNS[cdn], bytes[cdn])
        });
        reports.collect()
    })
}

fn of(event: &Event<'_>) -> (i64, State, String, u64) {
    let Event::Cmcd(e) = event else { panic!("{}", event.type_name()) };
    (e.at_ms, e.state.unwrap(), e.cdn.as_ref().unwrap().to_string(), e.bytes[0].bytes)
}

/// What all reports of a life come to, spelled out: time to the next report belongs to the state before it.
fn spelled_out(session: &str, life: &[Event<'static>]) -> Sums {
    let mut sums = Sums::new();
    let mut stalled_on: Option<String> = None;
    for (n, event) in life.iter().enumerate() {
        let (at, state, cdn, bytes) = of(event);
        let until = life.get(n + 1).map_or(at, |next| of(next).0);
        let was = n.checked_sub(1).map(|before| of(&life[before]).1);
        stalled_on = match (was, state) {
            (Some(State::Playing), State::Rebuffering) => {
                sums.entry((session.to_owned(), cdn.clone())).or_default()[4] += 1;
                Some(cdn.clone())
            }
            (_, State::Rebuffering) => stalled_on,
            _ => None,
        };
        let sum = sums.entry((session.to_owned(), cdn)).or_default();
        sum[0] = sum[0].max(bytes);
        match (state, &stalled_on) {
            (State::Playing, _) => sum[2] += (until - at) as u64,
            (State::Rebuffering, Some(on)) => sums.entry((session.to_owned(), on.clone())).or_default()[3] += (until - at) as u64,
            _ => {}
        }
    }
    sums.retain(|_, sum| sum.iter().any(|v| *v > 0));
    sums
}

fn book(memory: Memory) -> Book {
    let c = Config::default();
    let rules = Rules {
        split_windows_max: c.split_windows_max,
        session_events_max: 4,
        age_ms_max: c.limits.age_ms_max,
        bitrate_bps_max: c.bitrate_bps_max,
        burst_ms: c.burst_ms,
        late_after_ms: c.late_after_ms,
    };
    Book::new(rules, memory)
}

fn deliver(book: &mut Book, event: &Event<'_>, wanted: Wanted, rows: &mut Collected) -> Result<Taken, Refusal> {
    let bytes = record(event, 0, 0);
    let entry = Entry::read(&bytes, Place { partition: 0, offset: 0 }, &Limits::default())?;
    book.book(&entry, wanted, rows)
}

const BOTH: Wanted = Wanted { increments: true, events: true };

/// Memory from nothing but the first rows of each table, in whatever order files are read.
fn rebuilt(rows: &Collected, increments: usize, states: usize) -> Memory {
    let mut memory = Memory::default();
    for row in rows.increments[..increments].iter().rev() {
        memory.enter_at("demo", &row.session, 0);
        memory.absorb_increment("demo", &row.session, &row.cdn, row.seq, row.at_ms, Amounts::from_array(row.reached));
    }
    for (session, seq, state) in rows.cmcd[..states].iter().rev() {
        memory.enter_at("demo", session, 0);
        memory.absorb_cmcd("demo", session, Known::read(state, *seq).unwrap());
    }
    memory
}

fn meaning(memory: &Memory) -> Vec<Session> {
    let mut sessions: Vec<Session> = memory.sessions().cloned().collect();
    for s in &mut sessions {
        s.seen_at_ms = 0;
        s.reached.sort_by(|a, b| a.cdn.cmp(&b.cdn));
    }
    sessions.sort_by(|a, b| a.id.cmp(&b.id));
    sessions
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// The law for reports: any repeats of what came before, any restarts, also with `increments` ahead of `events`,
    /// and the rows are those of one quiet pass, and their sums what the reports say.
    #[test]
    fn chunks_repeats_and_crashes_change_no_total(
        lives in (life("one"), life("two")),
        turns in prop::collection::vec((any::<bool>(), 0usize..20, 0u8..5, 0usize..6), 40),
    ) {
        let mut left = [lives.0.iter(), lives.1.iter()];
        let mut delivered: Vec<&Event<'static>> = Vec::new();
        let (mut steady, mut steady_rows) = (book(Memory::default()), Collected::default());
        let (mut restarted, mut rows) = (book(Memory::default()), Collected::default());
        // Of each record delivered: rows of either table after it.
        let mut ends = vec![(0, 0)];
        for (which, again, kind, back) in turns {
            let repeat = kind == 0 && !delivered.is_empty();
            let next = if repeat { None } else { left[usize::from(which)].next() };
            let event = match next {
                Some(event) => event,
                None if delivered.is_empty() => continue,
                None => delivered[again % delivered.len()],
            };
            delivered.push(event);
            let one = deliver(&mut steady, event, BOTH, &mut steady_rows).unwrap();
            let other = deliver(&mut restarted, event, BOTH, &mut rows).unwrap();
            prop_assert_eq!(one.late, other.late);
            ends.push((rows.increments.len(), rows.cmcd.len()));
            if kind == 1 {
                // The process dies with `events` some records behind, and reads those again for it alone.
                let behind = back.min(delivered.len());
                let from = delivered.len() - behind;
                let mut crashed = book(rebuilt(&rows, rows.increments.len(), ends[from].1));
                let mut read_again = Collected::default();
                for event in &delivered[from..] {
                    deliver(&mut crashed, event, Wanted { increments: false, events: true }, &mut read_again).unwrap();
                }
                prop_assert_eq!(&read_again.cmcd, &rows.cmcd[ends[from].1..]);
                prop_assert_eq!(meaning(&crashed.memory), meaning(&restarted.memory));
                restarted = crashed;
            }
        }
        prop_assert_eq!(&rows.increments, &steady_rows.increments, "restarts moved a row");
        prop_assert_eq!(&rows.cmcd, &steady_rows.cmcd);
        let reached: Sums = rows.increments.iter().fold(Sums::new(), |mut most, row| {
            let known = most.entry((row.session.clone(), row.cdn.clone())).or_default();
            known.iter_mut().zip(row.reached).for_each(|(most, reached)| *most = (*most).max(reached));
            most
        });
        let reached: Sums = reached.into_iter().filter(|(_, sum)| sum.iter().any(|v| *v > 0)).collect();
        prop_assert_eq!(sums(&rows.increments), reached, "conservation");
    }

    #[test]
    fn the_sums_are_what_the_reports_say(life in life("one")) {
        let (mut book, mut rows) = (book(Memory::default()), Collected::default());
        for event in &life {
            prop_assert!(!deliver(&mut book, event, BOTH, &mut rows).unwrap().late);
        }
        prop_assert_eq!(sums(&rows.increments), spelled_out("one", &life));
        let seqs: Vec<u64> = rows.cmcd.iter().map(|(_, seq, _)| *seq).collect();
        prop_assert_eq!(seqs, (1..=rows.cmcd.len() as u64).collect::<Vec<_>>(), "each row of events has a number of its own");
    }
}

#[test]
fn a_session_of_too_many_cdns_is_refused_and_goes_on_with_those_it_has() {
    let (mut book, mut rows) = (book(Memory::default()), Collected::default());
    let named = |n: u64| -> &'static str { Box::leak(format!("cdn-{n}").into_boxed_str()) };
    for n in 0..16 {
        deliver(&mut book, &report("s", n, n as i64, State::Playing, named(n), 1), BOTH, &mut rows).unwrap();
    }
    let refusal = deliver(&mut book, &report("s", 16, 16, State::Playing, named(16), 1), BOTH, &mut rows).unwrap_err();
    assert_eq!((refusal.code, refusal.limit), (Code::TooMany, Some(16)));
    deliver(&mut book, &report("s", 17, 20, State::Playing, named(3), 2), BOTH, &mut rows).unwrap();
    assert_eq!(sums(&rows.increments).len(), 16);
}

#[test]
fn what_fell_and_what_is_late_is_counted() {
    let (mut book, mut rows) = (book(Memory::default()), Collected::default());
    let mut taken = |sn, at, bytes| deliver(&mut book, &report("s", sn, at, State::Playing, "cdn-a", bytes), BOTH, &mut rows).unwrap();
    assert!(!taken(1, 1_000, 50).passed_over);
    assert!(taken(2, 2_000, 40).passed_over, "bytes that fell");
    assert!(taken(3, 2_000 + 16 * 60_000, 60).passed_over, "time too long to be counted");
    assert!(taken(2, 2_000, 40).late);
}

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
    let eager = Config { session_silence_ms: 5 * minute, snapshot_interval_ms: 0, ..config(folder.path()) };
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
    use livemeter_processor::table::{Kind, writer_properties};
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
    let mut writer = RecordBatchWriter::for_table(&table).unwrap().with_writer_properties(writer_properties(Kind::Events));
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
