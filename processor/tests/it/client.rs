//! Players for the tests: what they count, and the records that come of it.

use livemeter_processor::entry::{Entry, Place};
use livemeter_processor::rows::{IncrementRow, RowRef, Rows};
use livemeter_processor::source::Message;
use livemeter_processor::split::Amounts;
use livemeter_schemas::event::*;
use livemeter_schemas::record::{self, LookedUp};
use proptest::prelude::*;
use std::collections::BTreeMap;

pub const T0: i64 = 1_790_000_000_000;
pub const CDNS: [&str; 3] = ["cdn-a", "cdn-b", "cdn-c"];

/// One record's bytes. `skew` is what ingest's clock is ahead of the session's.
pub fn record(event: &Event<'_>, skew: i64, delay: i64) -> Vec<u8> {
    let sent = event.head().at_ms + 5;
    let mut out = Vec::new();
    record::write(&mut out, "demo", sent + skew + delay, Some(sent), &serde_json::to_string(event).unwrap()).unwrap();
    out
}

/// The same from a network that ingest has looked up.
pub fn record_via(asn: Option<u32>, event: &Event<'_>) -> Vec<u8> {
    let (sent, mut out, found) = (event.head().at_ms + 5, Vec::new(), LookedUp { region: None, asn });
    record::write_from(&mut out, "demo", sent, Some(sent), found, &serde_json::to_string(event).unwrap()).unwrap();
    out
}

/// The same of another app.
pub fn record_of(app: &str, event: &Event<'_>) -> Vec<u8> {
    let (sent, mut out) = (event.head().at_ms + 5, Vec::new());
    record::write(&mut out, app, sent, Some(sent), &serde_json::to_string(event).unwrap()).unwrap();
    out
}

pub fn message(partition: i32, offset: i64, payload: Vec<u8>) -> Message {
    Message { place: Place { partition, offset }, payload }
}

pub fn heartbeat<'a>(session: &'a str, seq: u64, at_ms: i64, started: i64, counters: Vec<Counters<'a>>) -> Event<'a> {
    Event::Heartbeat(Heartbeat {
        session_id: session.into(),
        seq,
        at_ms,
        user_id: "u1".into(),
        programme_id: "p1".into(),
        region: None,
        session_started_at_ms: started,
        state: State::Playing,
        cdn: counters.last().map(|c| c.cdn.clone()),
        counters,
    })
}

pub fn session_end<'a>(session: &'a str, seq: u64, at_ms: i64, started: i64, counters: Vec<Counters<'a>>) -> Event<'a> {
    Event::SessionEnd(SessionEnd {
        session_id: session.into(),
        seq,
        at_ms,
        user_id: "u1".into(),
        programme_id: "p1".into(),
        region: Some("eu".into()),
        session_started_at_ms: started,
        reason: EndReason::Quit,
        counters,
    })
}

pub fn stall(session: &str, seq: u64, at_ms: i64) -> Event<'_> {
    Event::Stall(Stall {
        session_id: session.into(),
        seq,
        at_ms,
        user_id: "u1".into(),
        programme_id: "p1".into(),
        region: None,
        cdn: "cdn-a".into(),
        began_at_ms: at_ms - 900,
        stall_ms: 900,
        kind: StallKind::Rebuffer,
        media: Media::Muxed,
        threshold_ms: 500,
        cause: None,
        last_segment: None,
    })
}

/// Something that a player says in words.
pub fn failed(session: &str, seq: u64, at_ms: i64) -> Event<'_> {
    Event::Error(Error {
        session_id: session.into(),
        seq,
        at_ms,
        user_id: "u1".into(),
        programme_id: "p1".into(),
        region: None,
        cdn: Some("cdn-a".into()),
        code: "licence".into(),
        message: Some("no licence for u1".into()),
        fatal: false,
    })
}

/// Counters that all grow with `n`, so that every column is told apart.
pub fn counted(cdn: &'static str, first_used_at_ms: i64, n: u64) -> Counters<'static> {
    Counters {
        cdn: cdn.into(),
        first_used_at_ms,
        bytes: 1000 * n + 7,
        aborted_bytes: 3 * n,
        play_ms: 990 * n,
        stall_ms: 10 * n,
        stalls: n / 4,
    }
}

pub fn amounts(c: &Counters<'_>) -> Amounts {
    Amounts { bytes: c.bytes, aborted_bytes: c.aborted_bytes, play_ms: c.play_ms, stall_ms: c.stall_ms, stalls: c.stalls }
}

/// One session's whole life: its events in the order of `seq`.
#[derive(Debug, Clone)]
pub struct Life {
    pub skew: i64,
    pub events: Vec<Event<'static>>,
}

/// A life with growing counters on up to three CDNs, quiet beats, stalls in between and maybe an end.
pub fn life(id: usize) -> impl Strategy<Value = Life> {
    let step = (1i64..900_000, 0usize..3, prop::array::uniform5(0u64..5_000_000), 0u8..8);
    (prop::collection::vec(step, 1..14), -40_000_000i64..40_000_000, any::<bool>()).prop_map(move |(steps, skew, ends)| {
        let name = format!("session-{id}");
        let (mut at, mut counters, mut events) = (T0, Vec::<Counters<'static>>::new(), Vec::new());
        let last = steps.len() - 1;
        for (i, (dt, cdn, grow, kind)) in steps.into_iter().enumerate() {
            let used = at;
            at += dt;
            if !counters.iter().any(|c| c.cdn == CDNS[cdn]) {
                counters.push(Counters {
                    first_used_at_ms: used,
                    bytes: 0,
                    aborted_bytes: 0,
                    play_ms: 0,
                    stall_ms: 0,
                    stalls: 0,
                    cdn: CDNS[cdn].into(),
                });
            }
            let c = counters.iter_mut().find(|c| c.cdn == CDNS[cdn]).unwrap();
            if kind > 0 {
                c.bytes += grow[0];
                c.aborted_bytes += grow[1] / 100;
                c.play_ms += grow[2] / 1000;
                c.stall_ms += grow[3] / 5000;
                c.stalls += grow[4] / 2_000_000;
            }
            let event = match kind {
                1 => stall(&name, i as u64, at),
                _ if i == last && ends => session_end(&name, i as u64, at, T0, counters.clone()),
                _ => heartbeat(&name, i as u64, at, T0, counters.clone()),
            };
            events.push(owned(&event));
        }
        Life { skew, events }
    })
}

/// An event that borrows nothing. Tests may leak.
fn owned(event: &Event<'_>) -> Event<'static> {
    let text: &'static str = Box::leak(serde_json::to_string(event).unwrap().into_boxed_str());
    livemeter_schemas::decode::parse(text).unwrap()
}

/// A row that borrows nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub session: String,
    pub cdn: String,
    pub window_start_ms: i64,
    pub added: [u64; 5],
    pub reached: [u64; 5],
    pub seq: u64,
    pub at_ms: i64,
}

/// Takes the place of the tables.
#[derive(Debug, Default, Clone)]
pub struct Collected {
    pub increments: Vec<Row>,
    pub events: Vec<(String, u64)>,
    /// Of rows that came of CMCD reports: the session, its `seq` and what is known after it.
    pub cmcd: Vec<(String, u64, String)>,
    /// Beside each increment: whether it was quarantined.
    pub quarantined: Vec<bool>,
}

impl Rows for Collected {
    fn increment(&mut self, row: IncrementRow<'_>) -> RowRef {
        self.quarantined.push(row.quarantined);
        self.increments.push(Row {
            session: row.entry.head().session_id.to_owned(),
            cdn: row.cdn.to_owned(),
            window_start_ms: row.window_start_ms,
            added: row.added.array(),
            reached: row.reached.array(),
            seq: row.entry.head().seq,
            at_ms: row.at_ms,
        });
        RowRef::default()
    }

    fn event(&mut self, entry: &Entry<'_>, _late: bool) {
        let (session, seq) = (entry.head().session_id.to_owned(), entry.head().seq);
        match &entry.cmcd_state {
            Some(state) => self.cmcd.push((session, seq, state.clone())),
            None => self.events.push((session, seq)),
        }
    }
}

pub type Sums = BTreeMap<(String, String), [u64; 5]>;

pub fn sums<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Sums {
    let mut sums = Sums::new();
    for row in rows {
        let sum = sums.entry((row.session.clone(), row.cdn.clone())).or_default();
        for (sum, added) in sum.iter_mut().zip(row.added) {
            *sum += added;
        }
    }
    sums.retain(|_, sum| sum.iter().any(|v| *v > 0));
    sums
}

/// What the ledger must say: per (session, CDN) the counters of the highest `seq` among `delivered`.
pub fn truth<'a>(delivered: impl IntoIterator<Item = &'a Event<'static>>) -> Sums {
    let mut last: BTreeMap<String, (u64, &Event<'static>)> = BTreeMap::new();
    for event in delivered {
        let head = event.head();
        let newer = last.get(head.session_id).is_none_or(|(seq, _)| head.seq > *seq);
        if !event.counters().is_empty() && newer {
            last.insert(head.session_id.to_owned(), (head.seq, event));
        }
    }
    let counters =
        last.into_iter().flat_map(|(id, (_, e))| e.counters().iter().map(move |c| ((id.clone(), c.cdn.to_string()), amounts(c).array())));
    counters.filter(|(_, v)| v.iter().any(|v| *v > 0)).collect()
}
