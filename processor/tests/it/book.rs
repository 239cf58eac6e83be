//! The rules, by property: any order, repetition and loss, any restarts.

use crate::client::*;
use livemeter_processor::book::{Book, Rules, Taken, Wanted};
use livemeter_processor::entry::{Entry, Place};
use livemeter_processor::memory::Memory;
use livemeter_processor::session::Session;
use livemeter_processor::split::Amounts;
use livemeter_schemas::event::{Counters, Event};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::refusal::{Code, Refusal};
use livemeter_schemas::time::{WINDOW_MS, window_start_ms};
use proptest::prelude::*;

const BOTH: Wanted = Wanted { increments: true, events: true };

fn book(memory: Memory) -> Book {
    let rules = Rules {
        split_windows_max: 2016,
        session_events_max: 64,
        age_ms_max: Limits::default().age_ms_max,
        bitrate_bps_max: 2_000_000_000,
        burst_ms: 10_000,
        late_after_ms: 900_000,
        cmcd: Default::default(),
    };
    Book::new(rules, memory)
}

fn deliver(book: &mut Book, event: &Event<'_>, skew: i64, delay: i64, rows: &mut Collected) -> Result<Taken, Refusal> {
    let bytes = record(event, skew, delay);
    let entry = Entry::read(&bytes, Place { partition: 0, offset: 0 }, &Limits::default())?;
    assert_eq!(book.missing(&entry), None, "nothing was ever evicted here");
    book.book(&entry, BOTH, rows)
}

/// What a restart does: memory from nothing but rows, in whatever order files are read.
fn rebuilt(rows: &Collected) -> Memory {
    let mut memory = Memory::default();
    for row in rows.increments.iter().rev() {
        memory.enter_at("demo", &row.session, 0);
        memory.absorb_increment("demo", &row.session, &row.cdn, row.seq, row.at_ms, Amounts::from_array(row.reached));
    }
    for (session, seq) in rows.events.iter().rev() {
        memory.enter_at("demo", session, 0);
        memory.absorb_event("demo", session, *seq);
    }
    memory
}

/// Memory as it can be compared: order and the time last heard of are no part of what it means.
fn meaning(memory: &Memory) -> Vec<Session> {
    let mut sessions: Vec<Session> = memory.sessions().cloned().collect();
    for s in &mut sessions {
        s.seen_at_ms = 0;
        s.reached.sort_by(|a, b| a.cdn.cmp(&b.cdn));
    }
    sessions.sort_by(|a, b| a.id.cmp(&b.id));
    sessions
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    (life(0), life(1), life(2)).prop_map(|(a, b, c)| vec![a, b, c])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The law: whatever is delivered, in whatever order, however often, through whatever restarts, the rows
    /// of a (session, CDN) sum to the counters of the highest seq delivered; and restarts change no row.
    #[test]
    fn conservation(lives in lives(), picks in prop::collection::vec((0usize..3, 0usize..14, 0i64..30_000, 0u8..6), 0..120)) {
        let (mut steady, mut steady_rows) = (book(Memory::default()), Collected::default());
        let (mut restarted, mut rows) = (book(Memory::default()), Collected::default());
        let mut delivered = Vec::new();
        for (life, event, delay, restart) in picks {
            let life = &lives[life];
            let event = &life.events[event % life.events.len()];
            delivered.push(event.clone());
            if restart == 0 {
                prop_assert_eq!(meaning(&rebuilt(&rows)), meaning(&restarted.memory));
                restarted = book(rebuilt(&rows));
            }
            let one = deliver(&mut steady, event, life.skew, delay, &mut steady_rows);
            let other = deliver(&mut restarted, event, life.skew, delay, &mut rows);
            prop_assert_eq!(one, other);
        }
        prop_assert_eq!(sums(&rows.increments), truth(&delivered));
        prop_assert_eq!(&rows.increments, &steady_rows.increments, "restarts moved a row");
        prop_assert_eq!(&rows.events, &steady_rows.events);

        let mut once = rows.events.clone();
        once.dedup();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), rows.events.len(), "an event was written twice");
        for (session, seq) in &rows.events {
            prop_assert!(delivered.iter().any(|e| e.head().session_id == session && e.head().seq == *seq));
        }
        let expected = delivered.iter().filter(|e| !matches!(e, Event::Heartbeat(_))).map(|e| (e.head().session_id.to_owned(), e.head().seq));
        prop_assert_eq!(expected.collect::<std::collections::BTreeSet<_>>().len(), rows.events.len(), "an event is lacking");
    }

    /// Counters that may fall: whatever is refused changes nothing, whatever is taken is conserved.
    #[test]
    fn a_fall_is_refused_whole(values in prop::collection::vec((0u64..30, 0u64..30, 0u64..40), 1..60)) {
        let (mut book, mut rows) = (book(Memory::default()), Collected::default());
        let mut last: Option<(u64, Vec<Counters<'static>>)> = None;
        for (a, b, seq) in values {
            let counters = vec![counted("cdn-a", T0, a), counted("cdn-b", T0, b)];
            let event = heartbeat("s", seq, T0 + 10_000 * seq as i64, T0, counters.clone());
            let (before, count) = (meaning(&book.memory), rows.increments.len());
            match deliver(&mut book, &event, 0, 0, &mut rows) {
                Ok(taken) => {
                    let late = last.as_ref().is_some_and(|(reached, _)| seq <= *reached);
                    prop_assert_eq!(taken.late, late);
                    if !late {
                        prop_assert!(rows.increments.len() > count, "counters that are booked leave a row");
                        last = Some((seq, counters));
                    } else {
                        prop_assert_eq!(rows.increments.len(), count);
                    }
                }
                Err(refusal) => {
                    prop_assert_eq!(refusal.code, Code::CounterFell);
                    prop_assert_eq!(meaning(&book.memory), before);
                    prop_assert_eq!(rows.increments.len(), count);
                    let (reached, known) = last.as_ref().unwrap();
                    prop_assert!(seq > *reached && counters.iter().zip(known).any(|(now, was)| now.bytes < was.bytes));
                }
            }
        }
        let expected = last.map(|(_, counters)| counters.iter().map(|c| (("s".to_owned(), c.cdn.to_string()), amounts(c).array())).collect());
        prop_assert_eq!(sums(&rows.increments), expected.unwrap_or_default());
    }
}

#[test]
fn an_interval_over_windows_is_split_and_its_last_row_has_the_counters() {
    let (mut book, mut rows) = (book(Memory::default()), Collected::default());
    let start = window_start_ms(T0) + WINDOW_MS - 60_000;
    let event = heartbeat("s", 0, start + 180_000, start, vec![counted("cdn-a", start, 300)]);
    deliver(&mut book, &event, 0, 0, &mut rows).unwrap();
    let got: Vec<(i64, u64, u64)> =
        rows.increments.iter().map(|r| ((r.window_start_ms - window_start_ms(T0)) / WINDOW_MS, r.added[0], r.reached[0])).collect();
    // The batch took 5 ms to be sent, which the correction leaves in: 60 s and 120 s of 180 s.
    assert_eq!(got, [(0, 100_002, 100_002), (1, 200_005, 300_007)]);
    assert_eq!(rows.increments[1].reached, amounts(&counted("cdn-a", 0, 300)).array());
}

#[test]
fn the_first_interval_reaches_back_no_further_than_a_queue_may_be_old() {
    let (mut book, mut rows) = (book(Memory::default()), Collected::default());
    let week = Limits::default().age_ms_max;
    let event = heartbeat("s", 0, T0, T0 - 90 * 86_400_000, vec![counted("cdn-a", T0 - 90 * 86_400_000, 5_000_000)]);
    deliver(&mut book, &event, 0, 0, &mut rows).unwrap();
    assert_eq!(rows.increments.len(), 2016);
    assert!(rows.increments[0].window_start_ms >= window_start_ms(T0 - week));
}

#[test]
fn counters_without_a_cdn_are_counted_and_change_nothing() {
    let (mut book, mut rows) = (book(Memory::default()), Collected::default());
    let taken = deliver(&mut book, &heartbeat("s", 9, T0, T0, vec![]), 0, 0, &mut rows).unwrap();
    assert!(taken.empty && rows.increments.is_empty() && book.memory.is_empty());
}

#[test]
fn too_many_events_of_one_session_are_refused_by_name_but_its_last_word_is_heard() {
    let (mut book, mut rows) = (book(Memory::default()), Collected::default());
    for seq in 0..64 {
        deliver(&mut book, &stall("s", seq, T0), 0, 0, &mut rows).unwrap();
    }
    let refusal = deliver(&mut book, &stall("s", 64, T0), 0, 0, &mut rows).unwrap_err();
    assert_eq!((refusal.code, refusal.limit), (Code::TooMany, Some(64)));
    assert!(deliver(&mut book, &stall("s", 3, T0), 0, 0, &mut rows).unwrap().duplicate);
    deliver(&mut book, &session_end("s", 65, T0, T0, vec![counted("cdn-a", T0, 4)]), 0, 0, &mut rows).unwrap();
    assert_eq!(sums(&rows.increments).len(), 1);
    assert_eq!(rows.events.len(), 65);
}

#[test]
fn what_no_ingest_would_have_let_through_is_refused() {
    let read =
        |text: &str| Entry::read(text.as_bytes(), Place { partition: 0, offset: 0 }, &Limits::default()).map(|_| ()).map_err(|r| r.code);
    let heartbeat = serde_json::to_string(&heartbeat("s", 0, T0, T0, vec![counted("cdn-a", T0, 1)])).unwrap();
    let wrap = |v: u32, received: i64, event: &str| {
        format!(r#"{{"v":{v},"app":"demo","received_at_ms":{received},"sent_at_ms":{T0},"event":{event}}}"#)
    };
    assert_eq!(read(&wrap(1, T0, &heartbeat)), Ok(()));
    assert_eq!(read("\u{0}nonsense"), Err(Code::Malformed));
    assert_eq!(read(&wrap(9, T0, &heartbeat)), Err(Code::UnsupportedVersion));
    assert_eq!(read(&wrap(1, i64::MAX, &heartbeat)), Err(Code::Clock));
    assert_eq!(read(&wrap(1, T0, r#"{"type":"heartbeat"}"#)), Err(Code::MissingField));
    assert_eq!(read(&wrap(1, T0, &heartbeat.replace("\"bytes\":1007", "\"bytes\":99999999999999999"))), Err(Code::OutOfRange));
    assert_eq!(read(&wrap(1, T0, &heartbeat.replace(&T0.to_string(), &(T0 + 9_000_000).to_string()))), Err(Code::Clock));
}

/// What a session costs: the promise is 300 bytes with one CDN, its share of the index apart.
#[test]
fn a_session_is_small() {
    let heap = "0b9f3c1e-6a4d-4b7e-9d2a-2f5d1c7e8a90".len() + size_of::<livemeter_processor::session::Reached>() + 2 * size_of::<u64>();
    assert!(size_of::<Session>() + heap <= 260, "{} + {heap}", size_of::<Session>());
}

fn beat(seq: u64, at_ms: i64, bytes: u64) -> Event<'static> {
    heartbeat("s", seq, at_ms, T0, vec![Counters { bytes, ..counted("cdn-a", T0, 0) }])
}

/// Bytes of each status, by the marks that the book gave.
fn by_status(rows: &Collected) -> (u64, u64) {
    let of = |wanted: bool| rows.increments.iter().zip(&rows.quarantined).filter(|(_, q)| **q == wanted).map(|(r, _)| r.added[0]).sum();
    (of(false), of(true))
}

#[test]
fn what_a_player_can_just_receive_is_booked_and_one_byte_more_is_quarantined() {
    // 2 Gbit/s for 20 s, between two heartbeats.
    let most = 2_000_000_000 / 8 * 20;
    for (bytes, quarantined) in [(most, 0), (most + 1, most + 1)] {
        let (mut book, mut rows) = (book(Memory::default()), Collected::default());
        deliver(&mut book, &beat(0, T0 + 60_000, 0), 0, 0, &mut rows).unwrap();
        let taken = deliver(&mut book, &beat(1, T0 + 80_000, bytes), 0, 0, &mut rows).unwrap();
        assert_eq!(by_status(&rows), (bytes - quarantined, quarantined));
        assert_eq!(taken.quarantined_rows > 0, quarantined > 0);
        assert!(taken.booked, "what is quarantined moves the session on all the same");
    }
}

#[test]
fn a_burst_is_judged_over_the_shortest_time_that_is_judged() {
    // A buffer filled in 100 ms: judged as if it had taken 10 s.
    let most = 2_000_000_000 / 8 * 10;
    for (bytes, quarantined) in [(most, 0), (most + 1, most + 1)] {
        let (mut book, mut rows) = (book(Memory::default()), Collected::default());
        deliver(&mut book, &beat(0, T0 + 60_000, 0), 0, 0, &mut rows).unwrap();
        deliver(&mut book, &beat(1, T0 + 60_100, bytes), 0, 0, &mut rows).unwrap();
        assert_eq!(by_status(&rows).1, quarantined);
    }
}

proptest! {
    /// Whatever is forged: the rows of all statuses sum to what was reached, and what comes after a forged
    /// counter is judged by itself.
    #[test]
    fn conservation_over_all_statuses(steps in prop::collection::vec((100i64..600_000, 0u64..200_000_000_000), 1..40)) {
        let (mut book, mut rows) = (book(Memory::default()), Collected::default());
        let (mut at, mut bytes, mut forged) = (T0, 0, 0);
        deliver(&mut book, &beat(0, at, 0), 0, 0, &mut rows).unwrap();
        for (seq, (dt, more)) in (1..).zip(steps) {
            (at, bytes) = (at + dt, bytes + more);
            forged += if u128::from(more) * 8_000 > 2_000_000_000 * dt.max(10_000) as u128 { more } else { 0 };
            deliver(&mut book, &beat(seq, at, bytes), 0, 0, &mut rows).unwrap();
        }
        prop_assert_eq!(by_status(&rows), (bytes - forged, forged));
        prop_assert_eq!(rows.increments.iter().map(|r| r.reached[0]).max(), Some(bytes));
        prop_assert_eq!(meaning(&rebuilt(&rows)), meaning(&book.memory));
    }
}
