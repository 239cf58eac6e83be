//! CMCD sessions through the book: whatever is repeated, late or read again, the rows say what the reports say in
//! their order. The worker is in `cmcd_ledger`.

use crate::client::*;
use livemeter_processor::Config;
use livemeter_processor::book::{Book, Rules, Taken, Wanted};
use livemeter_processor::cmcd::{self, Known};
use livemeter_processor::entry::{Entry, Place};
use livemeter_processor::memory::Memory;
use livemeter_processor::session::Session;
use livemeter_processor::split::Amounts;
use livemeter_schemas::event::{CdnBytes, Cmcd, Event, State};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::refusal::{Code, Refusal};
use proptest::prelude::*;
use std::borrow::Cow;

pub const STATES: [State; 9] = [
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

pub fn report(session: &str, sn: u64, at_ms: i64, state: State, cdn: &'static str, bytes: u64) -> Event<'static> {
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

/// The same, but the first few were said before any CDN was asked for anything.
fn life_from_nowhere(session: &'static str) -> impl Strategy<Value = Vec<Event<'static>>> {
    (life(session), 0usize..4).prop_map(|(mut life, bare)| {
        for event in life.iter_mut().take(bare) {
            if let Event::Cmcd(report) = event {
                report.cdn = None;
                report.bytes.clear();
            }
        }
        life
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
    book_within(memory, cmcd::Limits::default())
}

fn book_within(memory: Memory, cmcd: cmcd::Limits) -> Book {
    let c = Config::default();
    let rules = Rules {
        split_windows_max: c.split_windows_max,
        session_events_max: 4,
        age_ms_max: c.limits.age_ms_max,
        bitrate_bps_max: c.bitrate_bps_max,
        burst_ms: c.burst_ms,
        late_after_ms: c.late_after_ms,
        cmcd,
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
        lives in (life_from_nowhere("one"), life("two")),
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
fn its_limits_are_those_that_are_set() {
    let set = cmcd::Limits { gap_ms_max: 2_000, cdns_max: 1 };
    let (mut book, mut rows) = (book_within(Memory::default(), set), Collected::default());
    let mut taken = |sn, at, cdn| deliver(&mut book, &report("s", sn, at, State::Playing, cdn, 1), BOTH, &mut rows);
    assert!(!taken(1, 1_000, "cdn-a").unwrap().gap);
    assert!(!taken(2, 3_000, "cdn-a").unwrap().gap);
    assert!(taken(3, 5_001, "cdn-a").unwrap().gap);
    let refusal = taken(4, 5_500, "cdn-b").unwrap_err();
    assert_eq!((refusal.code, refusal.limit), (Code::TooMany, Some(1)));
    let played: u64 = rows.increments.iter().map(|row| row.added[2]).sum();
    assert_eq!(played, 2_000, "the time of a gap is not counted");
}

#[test]
fn what_fell_and_what_is_late_is_counted() {
    let (mut book, mut rows) = (book(Memory::default()), Collected::default());
    let mut taken = |sn, at, bytes| deliver(&mut book, &report("s", sn, at, State::Playing, "cdn-a", bytes), BOTH, &mut rows).unwrap();
    let told = |taken: Taken| (taken.gap, taken.fell, taken.late);
    assert_eq!(told(taken(1, 1_000, 50)), (false, false, false));
    assert_eq!(told(taken(2, 2_000, 40)), (false, true, false), "bytes that fell");
    assert_eq!(told(taken(3, 2_000 + 16 * 60_000, 60)), (true, false, false), "time too long to be counted");
    assert_eq!(told(taken(2, 2_000, 40)), (false, false, true));
}
