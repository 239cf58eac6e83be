//! The 95th percentile at the period's end, from its windows so far. An estimate, made of whole numbers.

use crate::bill::percentile;
use crate::contract::DropRounding;
use crate::exact::Rounding;
use crate::period::Period;
use crate::series::bandwidth_bps;
use crate::told::Told;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::Serialize;

/// Where the percentile is expected to end. Bandwidths in bit/s, rounded down; of counted bytes, before any factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// How it was made, in words.
    pub method: Told,
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

/// Runs of the rest of the period.
pub const RUNS: u32 = 400;
/// With fewer whole days known there is nothing to draw from.
pub const DAYS_MIN: usize = 2;
const CONFIDENCE_PERCENT: u32 = 90;
const METHOD: &str = "days to come are drawn from a draw of the whole days so far, window by window at the same time of day; \
    of 400 such endings: the median, and the range of the middle 90 %. An estimate";
const METHOD_ZH: &str =
    "未到的日子从已知整日的一次抽样中抽取，逐窗口取同一时刻；如此得到 400 个结局：取其中位数，以及中间 90 % 的范围。估计值";

/// From the windows so far (`known`, from the period's start); none until two whole days of them are known. The same
/// input and seed give the same answer.
///
/// Whole days are drawn, not windows: windows of a day go up and down together, and drawn one by one they would make
/// the end look far more certain than it is.
pub fn forecast(period: &Period, known: &[u64], rounding: DropRounding, seed: u64) -> Option<Forecast> {
    let windows = period.windows();
    let known = known.get(..windows.min(known.len()))?;
    let past: Vec<&[u64]> = period.days().iter().map_while(|day| known.get(day.range())).collect();
    if past.len() < DAYS_MIN {
        return None;
    }
    let dropped = percentile::dropped(windows, rounding);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut ends: Vec<u64> = (0..RUNS).map(|_| percentile::billed(&mut ending(period, known, &past, &mut random), dropped)).collect();
    ends.sort_unstable();
    let outside = (100 - CONFIDENCE_PERCENT) / 2;
    let at = |percent: u32| bps(ends.get((ends.len() - 1) * percent as usize / 100).copied().unwrap_or_default());
    Some(Forecast {
        method: Told::new(METHOD, METHOD_ZH),
        seed,
        runs: RUNS,
        known: known.len(),
        to_come: windows - known.len(),
        now_bps: bps(percentile::billed(&mut known.to_vec(), percentile::dropped(known.len(), rounding))),
        low_bps: at(outside),
        p50_bps: at(50),
        high_bps: at(100 - outside),
        confidence_percent: CONFIDENCE_PERCENT,
    })
}

/// One way the period might end: what is known, and drawn days.
///
/// The days so far are themselves a chance: so each run draws the days to draw from first.
fn ending<'a>(period: &Period, known: &[u64], past: &[&'a [u64]], random: &mut ChaCha8Rng) -> Vec<u64> {
    let mut draw = |from: &[&'a [u64]]| from[(random.next_u64() % from.len() as u64) as usize];
    let pool: Vec<&[u64]> = past.iter().map(|_| draw(past)).collect();
    let mut windows = known.to_vec();
    for day in period.days().iter().filter(|day| day.first + day.windows > known.len()) {
        let drawn = draw(&pool);
        // A day of 25 hours repeats the last window of one of 24.
        let rest = day.range().filter(|window| *window >= known.len());
        windows.extend(rest.map(|window| drawn[(window - day.first).min(drawn.len() - 1)]));
    }
    windows
}

fn bps(bytes: u64) -> u64 {
    u64::try_from(bandwidth_bps(bytes).to_whole(Rounding::Down)).unwrap_or(u64::MAX)
}
