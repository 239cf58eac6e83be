//! Bytes per 5-minute window, dense: a window without traffic is a sample of zero (definitions). Whose bytes they
//! are, and on which side they were counted. What they cost is [`crate::bill`]'s affair.

use crate::exact::Exact;
use crate::period::{Period, WINDOW_S};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of each window of a period, by its index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Series(Vec<u64>);

/// Why bytes could not be taken. Retrying does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    #[error("series: {found} windows; the period has {expected}")]
    Length { found: usize, expected: usize },
    #[error("series: window {index}; the period has {expected}")]
    Window { index: usize, expected: usize },
    #[error("series: more than {max} bytes in window {index}", max = WINDOW_BYTES_MAX)]
    TooLarge { index: usize },
}

/// Bytes a window may hold: 4 EB in five minutes, far beyond all networks. Twice it still fits 64 bits.
pub const WINDOW_BYTES_MAX: u64 = 1 << 62;

impl Series {
    pub fn zeros(period: &Period) -> Series {
        Series(vec![0; period.windows()])
    }

    /// One figure per window, in order.
    pub fn new(bytes: Vec<u64>) -> Result<Series, SeriesError> {
        match bytes.iter().position(|bytes| *bytes > WINDOW_BYTES_MAX) {
            Some(index) => Err(SeriesError::TooLarge { index }),
            None => Ok(Series(bytes)),
        }
    }

    /// Adds bytes to one window.
    pub fn add(&mut self, index: usize, bytes: u64) -> Result<(), SeriesError> {
        let expected = self.0.len();
        let window = self.0.get_mut(index).ok_or(SeriesError::Window { index, expected })?;
        *window = window.checked_add(bytes).filter(|sum| *sum <= WINDOW_BYTES_MAX).ok_or(SeriesError::TooLarge { index })?;
        Ok(())
    }

    /// Adds another series of the same period.
    pub fn add_all(&mut self, other: &Series) -> Result<(), SeriesError> {
        if other.0.len() != self.0.len() {
            return Err(SeriesError::Length { found: other.0.len(), expected: self.0.len() });
        }
        // Both are at most 2^62: the sum fits, and is looked at once behind the loop, which stays one instruction wide.
        let mut largest = 0;
        for (window, bytes) in self.0.iter_mut().zip(&other.0) {
            *window += bytes;
            largest = largest.max(*window);
        }
        if largest > WINDOW_BYTES_MAX {
            let index = self.0.iter().position(|bytes| *bytes > WINDOW_BYTES_MAX).unwrap_or_default();
            return Err(SeriesError::TooLarge { index });
        }
        Ok(())
    }

    pub fn bytes(&self) -> &[u64] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn total(&self) -> u128 {
        sum(&self.0)
    }

    /// Bytes of some of the windows; windows that the series lacks are zero.
    pub fn sum(&self, windows: std::ops::Range<usize>) -> u128 {
        let end = windows.end.min(self.0.len());
        self.0.get(windows.start.min(end)..end).map_or(0, sum)
    }

    pub fn matches(&self, period: &Period) -> Result<(), SeriesError> {
        let (found, expected) = (self.0.len(), period.windows());
        if found == expected { Ok(()) } else { Err(SeriesError::Length { found, expected }) }
    }
}

/// Halves are summed apart: each sum fits 64 bits for four billion windows, which is several times quicker than 128.
fn sum(bytes: &[u64]) -> u128 {
    let (high, low) = bytes.iter().fold((0_u64, 0_u64), |(high, low), bytes| (high + (bytes >> 32), low + (bytes & 0xffff_ffff)));
    (u128::from(high) << 32) + u128::from(low)
}

/// Bandwidth of a window in bit/s: bytes × 8 ÷ 300, exact (definitions: "5-minute bandwidth").
pub fn bandwidth_bps(bytes: u64) -> Exact {
    Exact::fraction(i128::from(bytes) * 8, WINDOW_S).unwrap_or(Exact::ZERO)
}

/// Where bytes belong. None: not told, or not told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Place {
    pub domain: Option<String>,
    pub region: Option<String>,
}

impl Place {
    /// All of a contract.
    pub const ALL: Place = Place { domain: None, region: None };

    pub fn new(domain: Option<&str>, region: Option<&str>) -> Place {
        Place { domain: domain.map(str::to_owned), region: region.map(str::to_owned) }
    }

    /// True when a place told more narrowly, or the same, lies within this one.
    pub fn covers(&self, other: &Place) -> bool {
        let within = |wide: &Option<String>, narrow: &Option<String>| wide.is_none() || wide == narrow;
        within(&self.domain, &other.domain) && within(&self.region, &other.region)
    }
}

/// Who counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Players: body bytes that arrived.
    Client,
    /// The vendor's access log.
    Log,
}

/// One side's bytes, by place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    pub basis: Basis,
    pub places: BTreeMap<Place, Series>,
}

impl Traffic {
    pub fn new(basis: Basis) -> Traffic {
        Traffic { basis, places: BTreeMap::new() }
    }

    /// Adds bytes to a window of a place.
    pub fn add(&mut self, period: &Period, place: &Place, index: usize, bytes: u64) -> Result<(), SeriesError> {
        match self.places.get_mut(place) {
            Some(series) => series.add(index, bytes),
            None => {
                let mut series = Series::zeros(period);
                series.add(index, bytes)?;
                self.places.insert(place.clone(), series);
                Ok(())
            }
        }
    }

    /// Sum of all places: first the sum, then the percentile (definitions: never add percentiles).
    pub fn sum(&self, period: &Period) -> Result<Series, SeriesError> {
        let mut sum = Series::zeros(period);
        self.places.values().try_for_each(|series| sum.add_all(series))?;
        Ok(sum)
    }

    /// Bytes of some windows over the places that lie within `place`.
    pub fn bytes(&self, place: &Place, windows: std::ops::Range<usize>) -> u128 {
        self.places.iter().filter(|(other, _)| place.covers(other)).map(|(_, series)| series.sum(windows.clone())).sum()
    }
}
