//! One sample a second, and what the samples say. Pure.

use crate::process::Usage;

/// What was seen at one moment of the load.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    pub at_s: f64,
    pub ingest: Usage,
    pub processor: Usage,
    pub broker: Usage,
    pub audience: Usage,
    /// Accepted by ingest since it began.
    pub accepted: f64,
    pub lag_s: f64,
    pub lag_records: f64,
}

/// What the samples of a load say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    pub events_per_s: f64,
    /// Cores used: CPU seconds per second of wall time.
    pub ingest_cores: f64,
    pub processor_cores: f64,
    pub broker_cores: f64,
    pub audience_cores: f64,
    /// Peak of the two together, at one moment.
    pub rss_bytes_max: u64,
    pub broker_rss_bytes_max: u64,
    pub audience_rss_bytes_max: u64,
    /// Worst lag once the audience is complete.
    pub lag_s_max: f64,
    /// Mean lag of the first and of the last third of that time.
    pub lag_s_early: f64,
    pub lag_s_late: f64,
}

/// Lag that grows by no more than this between the thirds is flat: one commit interval is noise.
const FLAT_S: f64 = 2.5;

impl Summary {
    /// None without two samples. `steady_from_s`: when the audience is complete.
    pub fn of(samples: &[Sample], steady_from_s: f64) -> Option<Summary> {
        let (first, last) = (samples.first()?, samples.last()?);
        let wall_s = last.at_s - first.at_s;
        if wall_s <= 0.0 {
            return None;
        }
        let cores = |of: fn(&Sample) -> Usage| (of(last).cpu_s - of(first).cpu_s) / wall_s;
        let peak = |of: fn(&Sample) -> u64| samples.iter().map(of).max().unwrap_or(0);
        let steady: Vec<f64> = samples.iter().filter(|s| s.at_s >= steady_from_s).map(|s| s.lag_s).collect();
        let third = steady.len().div_ceil(3);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
        Some(Summary {
            events_per_s: (last.accepted - first.accepted) / wall_s,
            ingest_cores: cores(|s| s.ingest),
            processor_cores: cores(|s| s.processor),
            broker_cores: cores(|s| s.broker),
            audience_cores: cores(|s| s.audience),
            rss_bytes_max: peak(|s| s.ingest.rss_bytes + s.processor.rss_bytes),
            broker_rss_bytes_max: peak(|s| s.broker.rss_bytes),
            audience_rss_bytes_max: peak(|s| s.audience.rss_bytes),
            lag_s_max: steady.iter().copied().fold(0.0, f64::max),
            lag_s_early: mean(&steady[..third]),
            lag_s_late: mean(&steady[steady.len() - third..]),
        })
    }

    /// Whether the processor kept up.
    pub fn flat(&self) -> bool {
        self.lag_s_late <= self.lag_s_early + FLAT_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(lag: impl Fn(f64) -> f64) -> Summary {
        let sample = |s: i32| {
            let at_s = f64::from(s);
            let usage = |cores: f64, rss| Usage { cpu_s: 3.0 + cores * at_s, rss_bytes: rss };
            Sample {
                at_s,
                ingest: usage(0.25, 100),
                processor: usage(0.125, if s == 30 { 200 } else { 50 }),
                accepted: 7.0 + 1000.0 * at_s,
                lag_s: lag(at_s),
                ..Sample::default()
            }
        };
        let samples: Vec<Sample> = (0..=60).map(sample).collect();
        Summary::of(&samples, 20.0).unwrap()
    }

    #[test]
    fn a_load_is_summed_up() {
        let s = load(|at| if at < 20.0 { 99.0 } else { 2.0 });
        assert_eq!((s.events_per_s, s.ingest_cores, s.processor_cores), (1000.0, 0.25, 0.125));
        assert_eq!(s.rss_bytes_max, 300, "the peak of the sum, not the sum of the peaks");
        assert_eq!((s.lag_s_max, s.flat()), (2.0, true), "what the audience's arrival cost is not steady");
    }

    #[test]
    fn lag_that_grows_is_not_flat() {
        assert!(!load(|at| at / 5.0).flat());
        assert_eq!(Summary::of(&[Sample::default()], 0.0), None);
    }
}
