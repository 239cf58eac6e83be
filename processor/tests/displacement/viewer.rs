//! One viewer: the segments received, the heartbeats that tell of them, and the order in which these arrive.

use crate::Road;
use livemeter_processor::entry::{Entry, Place};
use livemeter_schemas::event::{Counters, EndReason, Event, Heartbeat, SessionEnd, State};
use rand::Rng;

const HEARTBEAT_MS: i64 = 10_000;
const SEGMENT_MS: i64 = 4_000;
const OFFLINE_MS: i64 = 30 * 60_000;
const BITRATES_BPS: [f64; 4] = [0.8e6, 1.8e6, 3.0e6, 6.0e6];

pub struct Viewer {
    id: String,
    pub started_at_ms: i64,
    pub ended_at_ms: i64,
    /// When each segment was complete, and its bytes: the moment at which player and CDN count it.
    pub received: Vec<(i64, u64)>,
}

/// What a heartbeat says, and when it is sent.
#[derive(Clone, Copy)]
struct Report {
    seq: u64,
    at_ms: i64,
    goes_at_ms: i64,
    bytes: u64,
}

/// One report on its way.
struct Sent<'a> {
    arrives_at_ms: i64,
    entry: Entry<'a>,
}

impl Viewer {
    pub fn come(number: u64, started_at_ms: i64, watch_ms_mean: f64, rng: &mut impl Rng) -> Viewer {
        let watch_ms = -(1.0 - rng.random::<f64>()).ln() * watch_ms_mean;
        let ended_at_ms = started_at_ms + (watch_ms as i64).clamp(20_000, 4 * 3_600_000);
        let bitrate_bps = BITRATES_BPS[rng.random_range(0..BITRATES_BPS.len())];
        let (mut received, mut due_at_ms) = (Vec::new(), started_at_ms);
        while due_at_ms < ended_at_ms {
            // The first three fill the buffer; later ones come as the broadcaster makes them.
            let at_ms = due_at_ms + rng.random_range(200..1_500);
            let bytes = bitrate_bps / 8.0 * SEGMENT_MS as f64 / 1_000.0 * rng.random_range(0.75..1.25);
            if at_ms <= ended_at_ms {
                received.push((at_ms, bytes as u64));
            }
            due_at_ms += if received.len() < 3 { 300 } else { SEGMENT_MS };
        }
        received.sort_unstable();
        Viewer { id: format!("session-{number}"), started_at_ms, ended_at_ms, received }
    }

    /// Everything that arrives, in the order in which it does. The last word is sent again until it is heard.
    pub fn reports(&self, road: Road, rng: &mut impl Rng) -> Vec<Entry<'_>> {
        let offline = self.offline(road, rng);
        let mut sent: Vec<Sent<'_>> = Vec::new();
        let (mut at_ms, mut seq, mut reached) = (self.started_at_ms, 0, 0);
        let mut segments = self.received.iter().peekable();
        loop {
            at_ms = (at_ms + (HEARTBEAT_MS as f64 * rng.random_range(0.9..1.1)) as i64).min(self.ended_at_ms);
            while let Some((_, bytes)) = segments.next_if(|(received_at_ms, _)| *received_at_ms <= at_ms) {
                reached += bytes;
            }
            let (queued, last) = (offline.contains(&at_ms), at_ms >= self.ended_at_ms);
            let goes_at_ms = if queued { offline.end } else { at_ms };
            let newest_of_queue = !queued || at_ms + HEARTBEAT_MS * 11 / 10 >= offline.end;
            let lost = (road.loses_ends || !last) && rng.random::<f64>() < road.lost;
            if !lost && (newest_of_queue || last || !road.queue_of_one) {
                self.send(&mut sent, Report { seq, at_ms, goes_at_ms, bytes: reached }, road, rng);
            }
            seq += 1;
            if last {
                break;
            }
        }
        // Stable: a queue is flushed in its own order.
        sent.sort_by_key(|sent| sent.arrives_at_ms);
        sent.into_iter().map(|sent| sent.entry).collect()
    }

    /// The time without reports; empty for most.
    fn offline(&self, road: Road, rng: &mut impl Rng) -> std::ops::Range<i64> {
        let from = rng.random_range(self.started_at_ms..self.ended_at_ms);
        if rng.random::<f64>() < road.offline { from..from + OFFLINE_MS } else { 0..0 }
    }

    fn send<'a>(&'a self, sent: &mut Vec<Sent<'a>>, report: Report, road: Road, rng: &mut impl Rng) {
        let goes_at_ms = report.goes_at_ms;
        // What ingest takes for the clock's error is the network's delay.
        let travel_ms = rng.random_range(20..400);
        let entry = || Entry {
            region: None,
            app: "demo".into(),
            received_at_ms: goes_at_ms + travel_ms,
            correction_ms: travel_ms,
            event: self.event(report),
            raw: "",
            place: Place { partition: 0, offset: 0 },
            asn: None,
            cmcd_state: None,
        };
        let held_ms = if rng.random::<f64>() < road.overtaken { rng.random_range(5_000..60_000) } else { 0 };
        sent.push(Sent { arrives_at_ms: goes_at_ms + travel_ms + held_ms, entry: entry() });
        if rng.random::<f64>() < road.twice {
            sent.push(Sent { arrives_at_ms: goes_at_ms + travel_ms + rng.random_range(100..60_000), entry: entry() });
        }
    }

    fn event(&self, Report { seq, at_ms, bytes, .. }: Report) -> Event<'_> {
        let counters = vec![Counters {
            cdn: "cdn-a".into(),
            first_used_at_ms: self.started_at_ms,
            bytes,
            aborted_bytes: 0,
            play_ms: 0,
            stall_ms: 0,
            stalls: 0,
        }];
        let (session_id, user_id, programme_id) = (self.id.as_str().into(), "u".into(), "p".into());
        let session_started_at_ms = self.started_at_ms;
        if at_ms >= self.ended_at_ms {
            let reason = EndReason::Quit;
            let end = SessionEnd { session_id, seq, at_ms, user_id, programme_id, region: None, session_started_at_ms, reason, counters };
            return Event::SessionEnd(end);
        }
        let cdn = Some("cdn-a".into());
        let state = State::Playing;
        let region = None;
        Event::Heartbeat(Heartbeat { session_id, seq, at_ms, user_id, programme_id, region, session_started_at_ms, state, cdn, counters })
    }
}
