//! The heartbeats that a topic is filled with: the n-th of them, and what all of them add up to. Pure, so that
//! the same records can be made again and everybody's totals can be judged. Sending them is not here.

use anyhow::Result;
use livemeter_schemas::event::{Counters, Event, Heartbeat, State};
use livemeter_schemas::record;
use std::borrow::Cow;
use std::collections::BTreeMap;

pub const APP: &str = "bench";
const HEARTBEAT_MS: u64 = 10_000;
const CDNS: [&str; 3] = ["cdn-a", "cdn-b", "cdn-c"];
const REGIONS: [&str; 4] = ["cn-north", "cn-east", "cn-south", "cn-west"];
/// From the player's clock to ingest's.
const ON_THE_WAY_MS: i64 = 40;

/// An audience that begins together and stays: every session sends a heartbeat in each round of ten seconds,
/// and every third moves to the next CDN half-way, so that its heartbeats carry two CDNs from then on.
#[derive(Debug, Clone, Copy)]
pub struct Audience {
    pub sessions: u64,
    pub events: u64,
    /// When the first session begins.
    pub from_ms: i64,
}

/// Where one session stands at one of its heartbeats.
#[derive(Debug, Clone, Copy)]
struct Beat {
    session: u64,
    /// From 1 on, as `seq`.
    nth: u64,
}

/// The buffers of one record, used again and again.
#[derive(Debug, Default)]
pub struct Text {
    pub event: Vec<u8>,
    pub key: String,
    pub value: Vec<u8>,
}

impl Audience {
    /// How long the audience watches.
    pub fn span_ms(self) -> u64 {
        self.rounds() * HEARTBEAT_MS
    }

    fn rounds(self) -> u64 {
        self.events.div_ceil(self.sessions.max(1))
    }

    /// Writes the record of heartbeat `n`, in the order of time.
    pub fn write(self, n: u64, text: &mut Text) -> Result<()> {
        let received_at_ms = self.event(n, text)? + ON_THE_WAY_MS;
        record::write(&mut text.value, APP, received_at_ms, Some(received_at_ms), std::str::from_utf8(&text.event)?)?;
        Ok(())
    }

    /// Writes heartbeat `n` as its player does, and its key; returns its time.
    pub fn event(self, n: u64, text: &mut Text) -> Result<i64> {
        let beat = Beat { session: n % self.sessions, nth: n / self.sessions + 1 };
        let started_at_ms = self.from_ms + (beat.session * HEARTBEAT_MS / self.sessions) as i64;
        let at_ms = started_at_ms + (beat.nth * HEARTBEAT_MS) as i64;
        let session_id = format!("{:016x}{:016x}", mixed(beat.session), beat.session);
        let used = self.used(beat);
        let counters = used.iter().map(|(cdn, since, amount)| Counters {
            cdn: Cow::Borrowed(CDNS[*cdn]),
            first_used_at_ms: started_at_ms + (since * HEARTBEAT_MS) as i64,
            bytes: *amount,
            aborted_bytes: amount / 50,
            play_ms: amount / 300,
            stall_ms: amount / 50_000,
            stalls: amount / 40_000_000,
        });
        let event = Event::Heartbeat(Heartbeat {
            session_id: Cow::Borrowed(&session_id),
            seq: beat.nth,
            at_ms,
            user_id: Cow::Owned(format!("user-{:08}", beat.session)),
            programme_id: Cow::Owned(format!("programme-{:02}", mixed(beat.session) % 20)),
            region: Some(Cow::Borrowed(REGIONS[(beat.session % 4) as usize])),
            session_started_at_ms: started_at_ms,
            state: State::Playing,
            cdn: used.last().map(|(cdn, ..)| Cow::Borrowed(CDNS[*cdn])),
            counters: counters.collect(),
        });
        text.event.clear();
        serde_json::to_writer(&mut text.event, &event)?;
        text.key = record::key(APP, &session_id);
        Ok(at_ms)
    }

    /// The CDNs used so far: which, since which beat, and the bytes by now.
    fn used(self, beat: Beat) -> Vec<(usize, u64, u64)> {
        let first = (beat.session % 3) as usize;
        let moved_after = if beat.session.is_multiple_of(3) { self.rounds() / 2 } else { u64::MAX };
        let rate = 2_000_000 + mixed(beat.session) % 3_000_000;
        // Cumulative, and uneven: the wobble is smaller than what a beat adds.
        let bytes = |beats: u64| if beats == 0 { 0 } else { beats * rate + mixed(beat.session ^ (beats << 32)) % 1_000_000 };
        if beat.nth <= moved_after {
            return vec![(first, 0, bytes(beat.nth))];
        }
        // Who moves at once has never used the first CDN, but has asked it for a playlist.
        vec![(first, 0, bytes(moved_after).max(900)), ((first + 1) % 3, moved_after, bytes(beat.nth - moved_after))]
    }

    /// Bytes per CDN: the sum of every session's last counters. What everybody's sums are held against.
    pub fn bytes_by_cdn(self) -> BTreeMap<String, i64> {
        let mut sums = BTreeMap::new();
        for session in 0..self.sessions.min(self.events) {
            let nth = self.events / self.sessions + u64::from(session < self.events % self.sessions);
            for (cdn, _, bytes) in self.used(Beat { session, nth }) {
                *sums.entry(CDNS[cdn].to_owned()).or_insert(0) += bytes as i64;
            }
        }
        sums
    }
}

/// Scatters a number; the constants are those of splitmix64.
fn mixed(n: u64) -> u64 {
    let n = (n.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::decode;
    use livemeter_schemas::limits::Limits;
    use livemeter_schemas::record::Record;
    use std::collections::HashMap;

    #[test]
    fn counters_only_rise_and_their_last_values_are_the_totals() {
        for (sessions, events) in [(7, 100), (10, 10), (10, 5), (3, 400)] {
            let audience = Audience { sessions, events, from_ms: 1_790_000_000_000 };
            let mut text = Text::default();
            let mut last: HashMap<(String, String), (u64, u64)> = HashMap::new();
            for n in 0..events {
                audience.write(n, &mut text).unwrap();
                let record: Record = serde_json::from_slice(&text.value).unwrap();
                let Event::Heartbeat(event) = decode::event(record.event.get(), &Limits::default()).unwrap() else { panic!("a heartbeat") };
                assert_eq!(text.key, record::key(APP, &event.session_id));
                for c in &event.counters {
                    let (seq, bytes) = last.entry((event.session_id.to_string(), c.cdn.to_string())).or_default();
                    assert!(event.seq > *seq && c.bytes >= *bytes, "{} fell", c.cdn);
                    (*seq, *bytes) = (event.seq, c.bytes);
                }
            }
            let mut sums = BTreeMap::new();
            last.into_iter().for_each(|((_, cdn), (_, bytes))| *sums.entry(cdn).or_insert(0) += bytes as i64);
            assert_eq!(sums, audience.bytes_by_cdn());
        }
    }
}
