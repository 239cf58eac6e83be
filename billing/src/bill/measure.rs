//! Windows → the one figure that a mode bills of them: bytes of the period, or bytes per window. Each mode cites its
//! rule. Factors, units and money come behind it, in [`super::line`].

use super::percentile;
use crate::contract::{Mode, Percentile};
use crate::exact::{Exact, TooLarge};
use crate::period::{Day, Period};
use crate::series::Series;
use chrono::NaiveDate;
use serde::Serialize;
use std::borrow::Cow;

/// Until this hour of the contract's zone, off-peak samples count half.
pub const OFFPEAK_HOURS: u32 = 8;
/// The daily peak that is billed of `peak4_month`.
pub const PEAK_RANK: usize = 4;

/// A window that decided, and what it was chosen from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Of the window.
    #[serde(serialize_with = "crate::period::date")]
    pub date: NaiveDate,
    /// Index in the period.
    pub window: usize,
    /// ms since 1970 UTC.
    pub start_ms: i64,
    /// In the window, as counted.
    pub bytes: u64,
    /// Out of so many,
    pub samples: usize,
    /// so many were dropped,
    pub dropped: usize,
    /// and this one was taken, from 1.
    pub rank: usize,
}

/// What a mode makes of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Bytes of the period (`traffic`), or bytes per window.
    pub value: Exact,
    pub samples: Vec<Sample>,
    pub dropped_windows: Vec<u32>,
    /// Days that were measured: those with traffic, where the contract says so.
    pub days: usize,
}

/// Measures a series whose length is the period's.
///
/// With `valid_days_only`, days without traffic are no samples (Huawei, price-cdn/cdn_01_0160: "valid day").
pub fn measure(mode: Mode, percentile: Percentile, period: &Period, series: &Series) -> Result<Measure, TooLarge> {
    let bytes = series.bytes();
    let counts = |day: &&Day| !percentile.valid_days_only || bytes[day.range()].iter().any(|bytes| *bytes > 0);
    let days: Vec<&Day> = period.days().iter().filter(counts).collect();
    let input = Input { percentile, period, bytes, days };
    match mode {
        Mode::Traffic => Ok(Measure { value: whole(series.total())?, samples: vec![], dropped_windows: vec![], days: input.days.len() }),
        Mode::P95Month => input.p95(false),
        Mode::P95OffpeakHalf => input.p95(true),
        Mode::P95DayAvg => input.average(|day| input.day(day, percentile::dropped(day.windows, percentile.rounding))),
        Mode::PeakDayAvg => input.average(|day| input.day(day, 0)),
        Mode::Peak4Month => Ok(input.peak4()),
    }
}

fn whole(value: u128) -> Result<Exact, TooLarge> {
    i128::try_from(value).map(Exact::whole).map_err(|_| TooLarge)
}

struct Input<'a> {
    percentile: Percentile,
    period: &'a Period,
    bytes: &'a [u64],
    days: Vec<&'a Day>,
}

impl Input<'_> {
    /// Percentile of all windows that are measured. Off-peak, all are doubled but those that count half: so all stay
    /// whole numbers, and the result is halved. Definitions ("p95_month", "p95_offpeak_half").
    fn p95(&self, is_offpeak: bool) -> Result<Measure, TooLarge> {
        let weighted = |window: usize| match is_offpeak && u32::from(self.period.hours()[window]) >= OFFPEAK_HOURS {
            true => self.bytes[window] * 2,
            false => self.bytes[window],
        };
        let all = self.days.len() == self.period.days().len();
        let samples: Cow<[u64]> = match (is_offpeak, all) {
            (false, true) => self.bytes.into(),
            _ => self.days.iter().flat_map(|day| day.range()).map(weighted).collect(),
        };
        let dropped = percentile::dropped(samples.len(), self.percentile.rounding);
        let found = percentile::found(&samples, dropped);
        let value = Exact::fraction(i128::from(found.billed), if is_offpeak { 2 } else { 1 })?;
        let sample = self.window(found.place).map(|window| self.sample(window, samples.len(), dropped));
        let dropped_windows = match all {
            true => found.dropped,
            false => found.dropped.iter().filter_map(|place| self.window(*place as usize)).map(|window| window as u32).collect(),
        };
        Ok(Measure { value, samples: sample.into_iter().collect(), dropped_windows, days: self.days.len() })
    }

    /// The window that a place among the measured days' windows is.
    fn window(&self, place: usize) -> Option<usize> {
        let mut left = place;
        for day in &self.days {
            match left.checked_sub(day.windows) {
                Some(rest) => left = rest,
                None => return Some(day.first + left),
            }
        }
        None
    }

    /// One window of each day, averaged over the days measured. Definitions ("p95_day_avg": 14 of 288 are dropped;
    /// "peak_day_avg"); Huawei, price-cdn/cdn_01_0155 (average of the peaks of valid days).
    fn average(&self, of_day: impl Fn(&Day) -> Sample) -> Result<Measure, TooLarge> {
        let samples: Vec<Sample> = self.days.iter().map(|day| of_day(day)).collect();
        let sum = whole(samples.iter().map(|sample| u128::from(sample.bytes)).sum())?;
        let value = if samples.is_empty() { Exact::ZERO } else { sum.over(Exact::whole(samples.len() as i64))? };
        Ok(Measure { value, samples, dropped_windows: vec![], days: self.days.len() })
    }

    /// The fourth highest daily peak; 0 with fewer than 4 days. Definitions ("peak4_month").
    fn peak4(&self) -> Measure {
        let mut peaks: Vec<Sample> = self.days.iter().map(|day| self.day(day, 0)).collect();
        peaks.sort_by_key(|peak| (std::cmp::Reverse(peak.bytes), peak.window));
        let of = peaks.len();
        let fourth = peaks.get(PEAK_RANK - 1).map(|peak| Sample { samples: of, dropped: PEAK_RANK - 1, rank: PEAK_RANK, ..*peak });
        let value = fourth.map_or(Exact::ZERO, |peak| Exact::whole(peak.bytes));
        Measure { value, samples: fourth.into_iter().collect(), dropped_windows: vec![], days: self.days.len() }
    }

    /// The largest window of a day but `dropped`.
    fn day(&self, day: &Day, dropped: usize) -> Sample {
        let bytes = &self.bytes[day.range()];
        let place = match dropped {
            0 => {
                let most = bytes.iter().copied().max().unwrap_or_default();
                bytes.iter().position(|bytes| *bytes == most).unwrap_or_default()
            }
            _ => percentile::found(bytes, dropped).place,
        };
        self.sample(day.first + place, day.windows, dropped)
    }

    fn sample(&self, window: usize, samples: usize, dropped: usize) -> Sample {
        let date = self.period.day_of(window).map_or(self.period.from(), |day| day.date);
        Sample { date, window, start_ms: self.period.window_ms(window), bytes: self.bytes[window], samples, dropped, rank: dropped + 1 }
    }
}
