//! What an imperfect network does to events before they reach ingest. Lost connections and answers are
//! not here: those are real ones, met by [`crate::post`].

use rand::Rng;

/// Shares of events (0 to 1) that something happens to.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Never sent: the next heartbeat has to cover it.
    pub lost: f64,
    /// Sent a second time, some time later.
    pub twice: f64,
    /// Kept in an offline queue and sent after newer ones.
    pub held: f64,
    /// Longest time until a second copy or a held event is sent: three heartbeats, so that newer ones overtake.
    pub held_ms_max: u64,
    /// Share of sessions whose clock is wrong, by up to a year either way.
    pub wrong_clock: f64,
}

impl Default for Network {
    fn default() -> Self {
        Network { lost: 0.01, twice: 0.005, held: 0.005, held_ms_max: 30_000, wrong_clock: 0.005 }
    }
}

/// What becomes of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Sent,
    Lost,
    /// Sent now and once more at this time.
    Twice(i64),
    /// Sent at this time only.
    Held(i64),
}

/// A year either way: what a device's clock may be off by in this audience.
const CLOCK_OFF_MS_MAX: i64 = 365 * 86_400_000;

impl Network {
    /// A network that does everything right.
    pub fn perfect() -> Self {
        Network { lost: 0.0, twice: 0.0, held: 0.0, held_ms_max: 0, wrong_clock: 0.0 }
    }

    pub fn fate(&self, at_ms: i64, rng: &mut impl Rng) -> Fate {
        let drawn: f64 = rng.random();
        if drawn < self.lost {
            Fate::Lost
        } else if drawn < self.lost + self.twice {
            Fate::Twice(self.later(at_ms, rng))
        } else if drawn < self.lost + self.twice + self.held {
            Fate::Held(self.later(at_ms, rng))
        } else {
            Fate::Sent
        }
    }

    fn later(&self, at_ms: i64, rng: &mut impl Rng) -> i64 {
        at_ms.saturating_add_unsigned(rng.random_range(0..=self.held_ms_max))
    }

    /// What a new session's clock shows beyond ours.
    pub fn clock_off_ms(&self, rng: &mut impl Rng) -> i64 {
        if rng.random::<f64>() < self.wrong_clock { rng.random_range(-CLOCK_OFF_MS_MAX..=CLOCK_OFF_MS_MAX) } else { 0 }
    }
}
