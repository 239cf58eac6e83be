//! One player's life: its states, stalls, switches and counters. Pure: time and randomness are passed in.
//! How its moments are written as events is not here: see [`crate::words`].

use crate::network::Network;
use crate::totals::Used;
use crate::world::World;
use livemeter_schemas::event::{EndReason, State};
use rand::Rng;
use std::sync::Arc;

/// A stall this long makes half of the viewers' players try another CDN.
const BAD_STALL_MS: i64 = 4_000;
/// Body bytes of a live playlist, fetched about every two seconds.
const PLAYLIST_BYTES: u64 = 900;

/// What a session has to say at a wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Started,
    FirstPicture,
    Heartbeat,
    Stalled { cdn: u8, began_at_ms: i64 },
    Switched { from: u8, to: u8 },
    Failed { fatal: bool },
    Ended(EndReason),
}

/// State of one session; about 150 bytes beside its id.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: Arc<str>,
    /// The session's clock minus ours.
    pub clock_off_ms: i64,
    pub started_at_ms: i64,
    pub programme: u16,
    pub region: u8,
    /// The CDN in use.
    pub cdn: u8,
    pub state: State,
    /// Of the last event; rises by one with each.
    pub seq: u64,
    /// Every CDN used so far, in the order of first use.
    pub used: Vec<Used>,
    bitrate_bps: u32,
    counted_to_ms: i64,
    changes_at_ms: i64,
    stall_began_at_ms: i64,
    beats_at_ms: i64,
    leaves_at_ms: i64,
}

/// What a new session draws its length and pace from.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    pub heartbeat_ms: u64,
    pub session_ms_mean: u64,
}

impl Session {
    pub fn start(id: Arc<str>, at_ms: i64, world: &World, network: &Network, habits: Habits, rng: &mut impl Rng) -> Self {
        let cdn = world.pick_cdn(None, rng);
        let mut session = Session {
            id,
            clock_off_ms: network.clock_off_ms(rng),
            started_at_ms: at_ms,
            programme: world.pick_programme(rng),
            region: world.pick_region(rng),
            cdn,
            state: State::Starting,
            seq: 0,
            used: Vec::with_capacity(1),
            bitrate_bps: rng.random_range(2_000_000..6_000_000),
            counted_to_ms: at_ms,
            changes_at_ms: at_ms + rng.random_range(200..800) + exponential_ms(600, rng),
            stall_began_at_ms: 0,
            beats_at_ms: at_ms,
            leaves_at_ms: at_ms + 1_000 + exponential_ms(habits.session_ms_mean, rng),
        };
        session.use_cdn(cdn, at_ms);
        session.next_beat(habits.heartbeat_ms, rng);
        session
    }

    /// When this session wants to be woken next.
    pub fn wakes_at_ms(&self) -> i64 {
        self.beats_at_ms.min(self.changes_at_ms).min(self.leaves_at_ms)
    }

    pub fn leaves_at_ms(&self) -> i64 {
        self.leaves_at_ms
    }

    /// Stays a while longer.
    pub fn stay(&mut self, ms: u64) {
        self.leaves_at_ms = self.leaves_at_ms.saturating_add_unsigned(ms);
    }

    /// Does what is due at `at_ms` (which is [`Self::wakes_at_ms`]), other than leaving.
    pub fn wake(&mut self, at_ms: i64, world: &World, habits: Habits, rng: &mut impl Rng, moments: &mut Vec<Moment>) {
        self.count_to(at_ms, rng);
        if at_ms >= self.changes_at_ms {
            self.change(at_ms, world, rng, moments);
        }
        if at_ms >= self.beats_at_ms {
            if rng.random::<f64>() < 0.000_5 {
                moments.push(Moment::Failed { fatal: false });
            }
            moments.push(Moment::Heartbeat);
            self.next_beat(habits.heartbeat_ms, rng);
        }
    }

    /// The counters' last values, and why it is over.
    pub fn end(&mut self, at_ms: i64, rng: &mut impl Rng, moments: &mut Vec<Moment>) {
        self.count_to(at_ms, rng);
        if self.state == State::Rebuffering {
            moments.push(Moment::Stalled { cdn: self.cdn, began_at_ms: self.stall_began_at_ms });
        }
        self.abort_a_request(rng);
        let reason = match rng.random_range(0..100) {
            0 => EndReason::Fatal,
            1..10 => EndReason::Ended,
            _ => EndReason::Quit,
        };
        self.state = match reason {
            EndReason::Fatal => State::Fatal,
            EndReason::Ended => State::Ended,
            EndReason::Quit => State::Quit,
        };
        if reason == EndReason::Fatal {
            moments.push(Moment::Failed { fatal: true });
        }
        moments.push(Moment::Ended(reason));
    }

    /// Brings the counters to `at_ms`. At each moment a session is in one state, so times add up to wall time.
    fn count_to(&mut self, at_ms: i64, rng: &mut impl Rng) {
        let ms = at_ms.saturating_sub(self.counted_to_ms).max(0).unsigned_abs();
        self.counted_to_ms = at_ms.max(self.counted_to_ms);
        let bitrate_bps = u64::from(self.bitrate_bps);
        let state = self.state;
        let Some(used) = self.in_use() else { return };
        let percent = match state {
            State::Playing | State::Starting => rng.random_range(85..115),
            State::Rebuffering => rng.random_range(10..60),
            _ => 0,
        };
        let media = bitrate_bps * ms / 8_000 * percent / 100;
        let playlists = if ms == 0 { 0 } else { ms * PLAYLIST_BYTES / 2_000 + rng.random_range(0..200) };
        used.totals.bytes += media + playlists;
        match state {
            State::Playing => used.totals.play_ms += ms,
            State::Rebuffering => used.totals.stall_ms += ms,
            _ => {}
        }
    }

    fn change(&mut self, at_ms: i64, world: &World, rng: &mut impl Rng, moments: &mut Vec<Moment>) {
        match self.state {
            State::Starting => {
                moments.push(Moment::FirstPicture);
                self.play(at_ms, world, rng);
            }
            State::Playing if rng.random_range(0..10) == 0 => {
                self.state = State::Paused;
                self.changes_at_ms = at_ms + 2_000 + exponential_ms(15_000, rng);
            }
            State::Playing => {
                self.state = State::Rebuffering;
                self.stall_began_at_ms = at_ms;
                self.changes_at_ms = at_ms + 200 + exponential_ms(2_000, rng);
                if let Some(used) = self.in_use() {
                    used.totals.stalls += 1;
                }
            }
            State::Rebuffering => {
                moments.push(Moment::Stalled { cdn: self.cdn, began_at_ms: self.stall_began_at_ms });
                if at_ms - self.stall_began_at_ms >= BAD_STALL_MS && rng.random() {
                    self.switch(at_ms, world, rng, moments);
                }
                self.play(at_ms, world, rng);
            }
            _ => self.play(at_ms, world, rng),
        }
    }

    fn play(&mut self, at_ms: i64, world: &World, rng: &mut impl Rng) {
        self.state = State::Playing;
        self.changes_at_ms = at_ms + 1 + exponential_ms(world.cdn(self.cdn).stall_every_ms_mean, rng);
    }

    fn switch(&mut self, at_ms: i64, world: &World, rng: &mut impl Rng, moments: &mut Vec<Moment>) {
        let (from, to) = (self.cdn, world.pick_cdn(Some(self.cdn), rng));
        if from == to {
            return;
        }
        self.abort_a_request(rng);
        self.use_cdn(to, at_ms);
        moments.push(Moment::Switched { from, to });
    }

    fn use_cdn(&mut self, cdn: u8, at_ms: i64) {
        self.cdn = cdn;
        if self.in_use().is_none() {
            self.used.push(Used { cdn, first_used_at_ms: at_ms, totals: Default::default() });
        }
    }

    fn abort_a_request(&mut self, rng: &mut impl Rng) {
        let bytes = rng.random_range(0..500_000);
        if let Some(used) = self.in_use() {
            used.totals.aborted_bytes += bytes;
        }
    }

    fn in_use(&mut self) -> Option<&mut Used> {
        self.used.iter_mut().find(|used| used.cdn == self.cdn)
    }

    fn next_beat(&mut self, heartbeat_ms: u64, rng: &mut impl Rng) {
        self.beats_at_ms = self.beats_at_ms.saturating_add_unsigned(heartbeat_ms * rng.random_range(900..=1100) / 1000);
    }
}

/// An exponential time of this mean, at most ten times as long.
pub fn exponential_ms(mean_ms: u64, rng: &mut impl Rng) -> i64 {
    let drawn = -(1.0 - rng.random::<f64>()).ln();
    (mean_ms as f64 * drawn.min(10.0)) as i64
}
