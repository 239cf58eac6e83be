//! Probes of freshness: heartbeats of sessions that are known, posted among all others, and how long each took
//! from its 2xx until SQL showed it. Pure: times are passed in. Posting and asking are not here.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// What was posted and not seen yet, and what was seen.
#[derive(Debug, Default)]
pub struct Probes {
    /// Per session, in the order of `seq`: `seq`, and when ingest answered.
    waiting: BTreeMap<String, VecDeque<(u64, Instant)>>,
    delays_ms: Vec<f64>,
}

impl Probes {
    /// Ingest has taken this event.
    pub fn acknowledged(&mut self, session: &str, seq: u64, at: Instant) {
        self.waiting.entry(session.to_owned()).or_default().push_back((seq, at));
    }

    /// SQL shows the session up to this `seq`.
    pub fn seen(&mut self, session: &str, reached_seq: u64, at: Instant) {
        let Some(waiting) = self.waiting.get_mut(session) else { return };
        while waiting.front().is_some_and(|(seq, _)| *seq <= reached_seq) {
            if let Some((_, since)) = waiting.pop_front() {
                self.delays_ms.push((at - since).as_secs_f64() * 1_000.0);
            }
        }
    }

    /// How many have not been seen.
    pub fn waiting(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// How many have.
    pub fn seen_count(&self) -> usize {
        self.delays_ms.len()
    }

    /// How long the oldest of those has been waiting.
    pub fn oldest(&self, now: Instant) -> Option<Duration> {
        self.waiting.values().filter_map(|w| w.front()).map(|(_, since)| now - *since).max()
    }

    /// The delay that this share of the probes did not exceed; none without probes.
    pub fn percentile_ms(&self, share: f64) -> Option<f64> {
        let mut sorted = self.delays_ms.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).map(|ms| ms.round())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_seen_once_with_the_seq_that_covers_it() {
        let (mut probes, t0) = (Probes::default(), Instant::now());
        let at = |ms: u64| t0 + Duration::from_millis(ms);
        for n in 1..=100_u64 {
            probes.acknowledged("a", n, at(n));
        }
        probes.acknowledged("b", 1, at(0));
        probes.seen("a", 50, at(50));
        probes.seen("a", 50, at(70));
        probes.seen("c", 9, at(70));
        assert_eq!((probes.waiting(), probes.seen_count()), (51, 50));
        assert_eq!(probes.oldest(at(80)), Some(Duration::from_millis(80)));
        assert_eq!((probes.percentile_ms(1.0), probes.percentile_ms(0.5), probes.percentile_ms(0.0)), (Some(49.0), Some(24.0), Some(0.0)));
        assert_eq!(Probes::default().percentile_ms(0.99), None);
    }
}
