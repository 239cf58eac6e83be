//! What `bench-ingest` prints: figures of one side's run, and the lines that hold them against each other. Pure.

use crate::load::Loaded;
use serde::Serialize;

/// One side's run, as told by the load and by the kernel.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// What was acknowledged, and how long that took.
    pub loaded: Loaded,
    /// Of the side itself; for a bare producer that is the load.
    pub cpu_s: f64,
    pub broker_cpu_s: f64,
    /// Resident memory at its highest.
    pub rss_bytes_max: u64,
}

impl Run {
    pub fn events_per_s(&self) -> f64 {
        self.loaded.events as f64 / self.loaded.wall_s
    }

    pub fn events_per_cpu_s(&self) -> f64 {
        self.loaded.events as f64 / self.cpu_s
    }

    pub fn cpu_s_per_request(&self) -> f64 {
        self.cpu_s / self.loaded.requests as f64
    }

    /// Microseconds of one core for each event.
    pub fn us_per_event(&self) -> f64 {
        1e6 * self.cpu_s / self.loaded.events as f64
    }

    /// For a person.
    pub fn told(&self, who: &str) -> String {
        let Loaded { cpu_s: load_cpu_s, p50_ms, p99_ms, refused, .. } = self.loaded;
        let mut line = format!(
            "{who:<24} {:>9.0} events/s {:>9.0} events/CPU s {:>6.2} µs/event {:>5} MB  broker {:.2} CPU s",
            self.events_per_s(),
            self.events_per_cpu_s(),
            self.us_per_event(),
            self.rss_bytes_max / 1_000_000,
            self.broker_cpu_s,
        );
        if p99_ms > 0.0 {
            line += &format!("  load {load_cpu_s:.2} CPU s  p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms");
        }
        if refused > 0 {
            line += &format!("  {refused} REFUSED");
        }
        line
    }
}

/// All sides at one batch size. What was not run is none.
#[derive(Debug, Clone, Default)]
pub struct Sides {
    pub ingest: Option<Run>,
    /// Ingest at half of that load, at a fixed rate.
    pub half: Option<Run>,
    /// The loop that sends the same records.
    pub raw: Option<Run>,
    /// librdkafka's own tool, which sends one record again and again.
    pub performance: Option<Run>,
    pub peer: Option<Run>,
    pub discard: Option<Run>,
}

/// One batch size's line; its names are what scripts read.
#[derive(Debug, Serialize)]
pub struct Line {
    bench: &'static str,
    batch: usize,
    events_per_s: Option<u64>,
    events_per_cpu_s: Option<u64>,
    raw_events_per_s: Option<u64>,
    peer_events_per_cpu_s: Option<u64>,
    ratio_raw: Option<f64>,
    cpu_vs_raw: Option<f64>,
    /// At batches of 1, whatever this line's batch size is.
    cpu_vs_discard_batch1: Option<f64>,
    ratio_peer: Option<f64>,
    p99_ms: Option<f64>,
    rss_mb: Option<u64>,
}

/// `cpu_vs_discard_batch1` is passed on: only the run at batches of 1 knows it.
pub fn line(batch: usize, sides: &Sides, cpu_vs_discard_batch1: Option<f64>) -> Line {
    let (ingest, raw, peer) = (sides.ingest.as_ref(), sides.raw.as_ref(), sides.peer.as_ref());
    let ratio = |a: Option<f64>, b: Option<f64>| Some(rounded(a? / b?));
    let (ours, bare, theirs) = (ingest.map(Run::events_per_cpu_s), raw.map(Run::events_per_cpu_s), peer.map(Run::events_per_cpu_s));
    Line {
        bench: "ingest",
        batch,
        events_per_s: ingest.map(|run| run.events_per_s().round() as u64),
        events_per_cpu_s: ours.map(|rate| rate.round() as u64),
        raw_events_per_s: raw.map(|run| run.events_per_s().round() as u64),
        peer_events_per_cpu_s: theirs.map(|rate| rate.round() as u64),
        ratio_raw: ratio(ingest.map(Run::events_per_s), raw.map(Run::events_per_s)),
        cpu_vs_raw: ratio(bare, ours),
        cpu_vs_discard_batch1,
        ratio_peer: ratio(ours, theirs),
        p99_ms: sides.half.as_ref().map(|run| rounded(run.loaded.p99_ms)),
        rss_mb: ingest.map(|run| run.rss_bytes_max / 1_000_000),
    }
}

/// The line of a run with a new connection for each request; nothing is told where this build has no TLS.
pub fn fresh_line(tls: bool, run: Option<&Run>) -> serde_json::Value {
    serde_json::json!({
        "bench": "ingest-fresh",
        "batch": 1,
        "tls": tls,
        "requests_per_s": run.map(|run| (run.loaded.requests as f64 / run.loaded.wall_s).round()),
        "cpu_us_per_request": run.map(|run| rounded(1e6 * run.cpu_s_per_request())),
        "p99_ms": run.map(|run| rounded(run.loaded.p99_ms)),
        "rss_mb": run.map(|run| run.rss_bytes_max / 1_000_000),
    })
}

/// CPU seconds per request, ingest's over the discarding handler's.
pub fn cpu_vs_discard(sides: &Sides) -> Option<f64> {
    Some(rounded(sides.ingest.as_ref()?.cpu_s_per_request() / sides.discard.as_ref()?.cpu_s_per_request()))
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(events: u64, requests: u64, wall_s: f64, cpu_s: f64) -> Run {
        let loaded = Loaded { events, requests, wall_s, p99_ms: 12.3456, ..Loaded::default() };
        Run { loaded, cpu_s, broker_cpu_s: 1.0, rss_bytes_max: 99_000_000 }
    }

    #[test]
    fn the_last_line_is_as_scripts_read_it() {
        let sides = Sides {
            ingest: Some(run(1_000_000, 10_000, 10.0, 5.0)),
            half: Some(run(500_000, 5_000, 10.0, 2.5)),
            raw: Some(run(2_000_000, 2_000_000, 16.0, 8.0)),
            peer: Some(run(100_000, 1_000, 10.0, 10.0)),
            discard: Some(run(0, 20_000, 10.0, 5.0)),
            performance: None,
        };
        let text = serde_json::to_string(&line(100, &sides, cpu_vs_discard(&sides))).unwrap();
        assert_eq!(
            text,
            "{\"bench\":\"ingest\",\"batch\":100,\"events_per_s\":100000,\"events_per_cpu_s\":200000,\"raw_events_per_s\":125000,\
             \"peer_events_per_cpu_s\":10000,\"ratio_raw\":0.8,\"cpu_vs_raw\":1.25,\"cpu_vs_discard_batch1\":2.0,\"ratio_peer\":20.0,\
             \"p99_ms\":12.346,\"rss_mb\":99}"
        );
        let alone = line(1, &Sides { ingest: sides.ingest, ..Sides::default() }, None);
        assert!(serde_json::to_string(&alone).unwrap().contains("\"raw_events_per_s\":null"));
        assert_eq!(cpu_vs_discard(&Sides::default()), None);
    }
}
