//! Sessions whose counters rise, and what a network makes of their reports: lost, repeated, overtaken, a day
//! late, or not readable at all. Pure: the clock is passed in. Writing them anywhere is [`super::workload`]'s.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const APP: &str = "faults";
const CDNS: [&str; 3] = ["cdn-a", "cdn-b", "cdn-c"];
/// In the order of the log's five counters.
pub const FIELDS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];
const SESSIONS: usize = 300;
/// The clock of some sessions is that far behind: an old queue, for windows closed long ago.
const LATE_MS: i64 = 26 * 3_600_000;

/// What must come out.
#[derive(Debug, Default, Clone)]
pub struct Log {
    /// The counters of the highest `seq` sent, per session and CDN.
    pub reached: BTreeMap<(String, String), [i64; 5]>,
    /// How many events other than heartbeats were sent, repeats apart.
    pub events: BTreeMap<String, i64>,
    /// Records that nobody can read.
    pub poison: i64,
    /// Records in all, repeats included.
    pub records: u64,
}

/// One record to be written.
#[derive(Debug, Clone)]
pub struct Report {
    pub session: String,
    /// The client's own text; or, for poison, all of the record.
    pub text: String,
    pub poison: bool,
    /// What the session's clock is behind ours.
    pub behind_ms: i64,
}

#[derive(Debug)]
struct Session {
    id: String,
    seq: u64,
    started_at_ms: i64,
    behind_ms: i64,
    counters: Vec<(usize, i64, [i64; 5])>,
    left: u32,
}

/// All that watch.
#[derive(Debug)]
pub struct Viewers {
    rng: StdRng,
    sessions: Vec<Session>,
    born: u64,
    /// Held back, by when they go.
    held: BTreeMap<(i64, u64), Report>,
    held_count: u64,
    pub log: Log,
}

impl Viewers {
    pub fn new(seed: u64) -> Viewers {
        let rng = StdRng::seed_from_u64(seed);
        Viewers { rng, sessions: Vec::new(), born: 0, held: BTreeMap::new(), held_count: 0, log: Log::default() }
    }

    /// What goes out now: one new report, or none when it is lost, and whatever was held back until now.
    pub fn next(&mut self, now_ms: i64) -> Vec<Report> {
        let mut out = self.due(now_ms);
        if self.sessions.len() < SESSIONS {
            self.come(now_ms);
        }
        let fate = self.rng.random_range(0..200);
        match (self.report(now_ms, fate < 20), fate) {
            (None, _) => {}
            (Some(report), 20..30) => self.hold(report, now_ms),
            (Some(report), 30..40) => {
                self.hold(report.clone(), now_ms);
                out.push(report);
            }
            (Some(report), 40) => out.extend([report, self.unreadable()]),
            (Some(report), _) => out.push(report),
        }
        self.log.records += out.len() as u64;
        out
    }

    /// Everything that is still held back: nothing that the log knows may stay unsent.
    pub fn last(&mut self) -> Vec<Report> {
        let out = self.due(i64::MAX);
        self.log.records += out.len() as u64;
        out
    }

    fn due(&mut self, now_ms: i64) -> Vec<Report> {
        let later = self.held.split_off(&(now_ms, u64::MAX));
        std::mem::replace(&mut self.held, later).into_values().collect()
    }

    fn hold(&mut self, report: Report, now_ms: i64) {
        self.held_count += 1;
        let until_ms = now_ms + self.rng.random_range(10..5_000);
        self.held.insert((until_ms, self.held_count), report);
    }

    fn come(&mut self, now_ms: i64) {
        let behind_ms = if self.rng.random_range(0..8) == 0 { LATE_MS } else { self.rng.random_range(-2_000..2_000) };
        let started_at_ms = now_ms - behind_ms;
        let left = self.rng.random_range(20..200);
        let id = format!("session-{:06}", self.born);
        self.born += 1;
        self.sessions.push(Session { id, seq: 0, started_at_ms, behind_ms, counters: vec![(0, started_at_ms, [0; 5])], left });
    }

    /// The next report of somebody. A heartbeat that is lost enters no log: a later one makes up for it, unless
    /// it never comes. Events and a session's end always arrive.
    fn report(&mut self, now_ms: i64, lost: bool) -> Option<Report> {
        let i = self.rng.random_range(0..self.sessions.len());
        let session = &mut self.sessions[i];
        (session.seq, session.left) = (session.seq + 1, session.left - 1);
        let at_ms = now_ms - session.behind_ms;
        session.watch(at_ms, &mut self.rng);
        let (ends, stalls) = (session.left == 0, self.rng.random_range(0..15) == 0);
        let event = match (ends, stalls) {
            (true, _) => session.end(at_ms),
            (_, true) => session.stall(at_ms),
            _ => session.heartbeat(at_ms),
        };
        if ends || stalls {
            *self.log.events.entry(session.id.clone()).or_default() += 1;
        } else if lost {
            return None;
        }
        if ends || !stalls {
            for (cdn, _, counters) in &session.counters {
                self.log.reached.insert((session.id.clone(), CDNS[*cdn].to_owned()), *counters);
            }
        }
        let report = Report { session: session.id.clone(), text: event.to_string(), poison: false, behind_ms: session.behind_ms };
        if ends {
            self.sessions.swap_remove(i);
        }
        Some(report)
    }

    fn unreadable(&mut self) -> Report {
        self.log.poison += 1;
        let text = format!(r#"{{"v":1,"app":"{APP}","received_at_ms":{}"#, self.log.poison);
        Report { session: format!("nobody-{}", self.log.poison), text, poison: true, behind_ms: 0 }
    }
}

impl Session {
    /// Counters rise on the CDN in use; now and then it is another one.
    fn watch(&mut self, at_ms: i64, rng: &mut StdRng) {
        if rng.random_range(0..50) == 0 {
            let cdn = rng.random_range(0..CDNS.len());
            match self.counters.iter().position(|(used, ..)| *used == cdn) {
                Some(place) => self.counters[..].rotate_left(place + 1),
                None => self.counters.push((cdn, at_ms, [0; 5])),
            }
        }
        let (_, _, counters) = self.counters.last_mut().expect("a session has a CDN");
        let added = [rng.random_range(0..2_000_000), rng.random_range(0..9_000), rng.random_range(0..1_000), 0, 0];
        counters.iter_mut().zip(added).for_each(|(counter, added)| *counter += added);
        if rng.random_range(0..20) == 0 {
            counters[3] += rng.random_range(1..800);
            counters[4] += 1;
        }
    }

    fn event(&self, kind: &str, at_ms: i64) -> Value {
        json!({ "type": kind, "session_id": self.id, "seq": self.seq, "at_ms": at_ms, "user_id": "u", "programme_id": "match-7" })
    }

    fn counted(&self, kind: &str, at_ms: i64) -> Value {
        let mut event = self.event(kind, at_ms);
        event["session_started_at_ms"] = json!(self.started_at_ms);
        let counters = self.counters.iter().map(|(cdn, first_used_at_ms, counters)| {
            let mut value = json!({ "cdn": CDNS[*cdn], "first_used_at_ms": first_used_at_ms });
            FIELDS.iter().zip(counters).for_each(|(field, counter)| value[*field] = json!(counter));
            value
        });
        event["counters"] = counters.collect();
        event
    }

    fn heartbeat(&self, at_ms: i64) -> Value {
        let mut event = self.counted("heartbeat", at_ms);
        event["state"] = json!("p");
        event["cdn"] = json!(self.counters.last().map(|(cdn, ..)| CDNS[*cdn]));
        event
    }

    fn end(&self, at_ms: i64) -> Value {
        let mut event = self.counted("session_end", at_ms);
        event["reason"] = json!("quit");
        event
    }

    fn stall(&self, at_ms: i64) -> Value {
        let mut event = self.event("stall", at_ms);
        let stall = json!({ "cdn": "cdn-a", "began_at_ms": at_ms - 700, "stall_ms": 700, "kind": "rebuffer", "media": "video", "threshold_ms": 500 });
        for (field, value) in stall.as_object().into_iter().flatten() {
            event[field] = value.clone();
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::from_str;

    /// Whatever the network does, the log is the last counters among what was sent; and the seed decides all.
    #[test]
    fn the_log_is_what_was_sent() {
        let sent = |seed| {
            let mut viewers = Viewers::new(seed);
            let mut sent: Vec<Report> = (0..20_000).flat_map(|i| viewers.next(1_790_000_000_000 + i)).collect();
            sent.extend(viewers.last());
            (sent, viewers.log)
        };
        let (reports, log) = sent(7);
        assert_eq!(reports.len() as u64, log.records);
        assert_eq!(reports.iter().filter(|r| r.poison).count() as i64, log.poison);
        let mut last: BTreeMap<String, (u64, Value)> = BTreeMap::new();
        for report in reports.iter().filter(|r| !r.poison) {
            let event: Value = from_str(&report.text).unwrap();
            let seq = event["seq"].as_u64().unwrap();
            if event["counters"].is_array() && last.get(&report.session).is_none_or(|(highest, _)| *highest < seq) {
                last.insert(report.session.clone(), (seq, event["counters"].clone()));
            }
        }
        let count: usize = last.values().map(|(_, counters)| counters.as_array().unwrap().len()).sum();
        assert_eq!(count, log.reached.len());
        for ((session, cdn), reached) in &log.reached {
            let counters = last[session].1.as_array().unwrap().iter().find(|c| c["cdn"] == *cdn).unwrap();
            assert_eq!(FIELDS.map(|field| counters[field].as_i64().unwrap()), *reached, "{session} {cdn}");
        }
        assert_eq!(reports.iter().map(|r| &r.text).collect::<Vec<_>>(), sent(7).0.iter().map(|r| &r.text).collect::<Vec<_>>());
    }
}
