//! The 95th percentile at the period's end, from its windows so far. An estimate: the only floats of the room are here.

use crate::contract::DropRounding;
use crate::period::Period;
use serde::Serialize;

/// Where the percentile is expected to end. Bandwidths in bit/s, rounded down; of counted bytes, before any factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// How it was made, in words.
    pub method: &'static str,
    pub seed: u64,
    pub runs: u32,
    /// Windows so far, and still to come.
    pub known: usize,
    pub to_come: usize,
    /// Of the windows so far alone.
    pub now_bps: u64,
    pub low_bps: u64,
    pub p50_bps: u64,
    pub high_bps: u64,
    /// Share of the runs between low and high.
    pub confidence_percent: u32,
}

/// From the windows so far; none until a day of them is known.
pub fn forecast(period: &Period, known: &[u64], rounding: DropRounding, seed: u64) -> Option<Forecast> {
    todo!()
}
