//! How far the ledger's windows are from the truth, and what that does to a month's bill: a simulated month of
//! one CDN's traffic goes through the real rules, with heartbeats lost, late, repeated and queued. No byte is
//! booked twice or lost by any of it; what is measured is only *where* it is booked.
//!
//! Cautious on purpose: a hundred viewers where a real CDN has thousands. What is displaced is a few seconds
//! at a window's edge, to either side, and each viewer's are others: the effect falls with the root of their number.

mod month;
mod viewer;

use month::{Month, WINDOWS, p95};
use std::time::Instant;

/// What the definitions allow at 10 s heartbeats with 10 % lost.
const P95_SHARE_MAX: f64 = 0.001;

/// Who watches, and how reports fare on their way.
#[derive(Debug, Clone, Copy)]
pub struct Road {
    pub name: &'static str,
    /// Viewers at the height of a usual evening, more or less; a match has three times as many.
    pub viewers: u32,
    /// Share of heartbeats that never come; of those that come twice, and of those that others overtake.
    pub lost: f64,
    pub twice: f64,
    pub overtaken: f64,
    /// Whether the loss takes a session's last counters too: then bytes are lacking, not displaced.
    pub loses_ends: bool,
    /// Share of viewers who cannot report for half an hour while they watch.
    pub offline: f64,
    /// Whether of such a queue only the newest heartbeat is left.
    pub queue_of_one: bool,
}

const FEW: u32 = 20;
const MANY: u32 = 120;
const CLEAR: Road =
    Road { viewers: FEW, name: "clear", lost: 0.0, twice: 0.0, overtaken: 0.0, loses_ends: false, offline: 0.0, queue_of_one: false };
const LOSSY: Road = Road { name: "lost 10 %", lost: 0.1, twice: 0.02, overtaken: 0.05, ..CLEAR };

/// Signed, as shares: of the bill's p95, of all bytes, and how far the 99th of 100 busy windows is off.
#[derive(Debug)]
struct Found {
    p95: f64,
    lacking: f64,
    window_p99: f64,
}

fn measured(road: Road, seed: u64) -> Found {
    let (began, month) = (Instant::now(), Month::through(road, seed));
    let (truth, booked) = (&month.truth, &month.booked);
    let sum = |windows: &[u64]| windows.iter().sum::<u64>() as f64;
    let share = |now: f64, then: f64| (now - then) / then;
    let found = Found {
        p95: share(p95(booked) as f64, p95(truth) as f64),
        lacking: -share(sum(booked), sum(truth)),
        window_p99: window_p99(truth, booked),
    };
    println!(
        r#"{{"simulation":"displacement","road":"{}","seed":{seed},"sessions":{},"heartbeats":{},"viewers_peak":{},"p95_mbps":{:.1},"p95_effect_percent":{:.4},"bytes_lacking_percent":{:.4},"busy_window_p99_percent":{:.3},"ms":{}}}"#,
        road.name,
        month.sessions,
        month.heartbeats,
        month.viewers_peak,
        p95(truth) as f64 * 8.0 / 300.0 / 1e6,
        found.p95 * 100.0,
        found.lacking * 100.0,
        found.window_p99 * 100.0,
        began.elapsed().as_millis()
    );
    found
}

/// Of the windows that decide a bill, the busiest tenth: the error that 99 of 100 stay below.
fn window_p99(truth: &[u64], booked: &[u64]) -> f64 {
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(truth[i]));
    let mut off: Vec<f64> = order[..WINDOWS / 10].iter().map(|&i| (booked[i] as f64 / truth[i] as f64 - 1.0).abs()).collect();
    off.sort_by(f64::total_cmp);
    off[off.len() * 99 / 100]
}

#[test]
fn the_bill_moves_by_less_than_a_thousandth_when_every_tenth_heartbeat_is_lost() {
    let found = measured(Road { viewers: MANY, ..LOSSY }, 1);
    assert!(found.lacking.abs() < 1e-12, "displaced, never lost: {found:?}");
    assert!(found.p95.abs() <= P95_SHARE_MAX, "{found:?}");
    // A crowd of twenty, for comparison: there the segments' size alone, with nothing lost, shows as much.
    for found in [measured(CLEAR, 1), measured(LOSSY, 1)] {
        assert!(found.lacking.abs() < 1e-12 && found.p95.abs() <= 3.0 * P95_SHARE_MAX, "{found:?}");
    }
    // With the last counters of every tenth session: what reconciliation calls lost telemetry.
    let tails = measured(Road { name: "lost 10 %, ends too", loses_ends: true, ..LOSSY }, 1);
    assert!(tails.lacking > 0.0 && tails.p95.abs() <= 3.0 * P95_SHARE_MAX, "{tails:?}");
}

/// Printed, not bounded: a queue delivered whole displaces nothing; one that lost all but its newest heartbeat
/// spreads half an hour evenly.
#[test]
fn half_an_hour_offline() {
    let whole = measured(Road { name: "offline 5 %, queue whole", offline: 0.05, ..LOSSY }, 1);
    let one = measured(Road { name: "offline 5 %, newest only", offline: 0.05, queue_of_one: true, ..LOSSY }, 1);
    let many = measured(Road { name: "offline 50 %, newest only", offline: 0.5, queue_of_one: true, ..LOSSY }, 1);
    for found in [whole, one, many] {
        assert!(found.lacking.abs() < 1e-12, "displaced, never lost: {found:?}");
    }
}

#[test]
fn the_percentile_is_the_contracts() {
    let mut windows: Vec<u64> = (1..=WINDOWS as u64).collect();
    windows.reverse();
    assert_eq!(p95(&windows), WINDOWS as u64 - 432, "30 days: 432 dropped, rank 433 billed");
}
