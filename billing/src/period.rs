//! A range of days in a zone, as the 5-minute windows in UTC that it consists of. Days are those of the
//! contract's zone; on the two days of a year that clocks are changed they are shorter or longer than 288 windows.
//! What the windows hold is [`crate::series`]'s affair.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, TimeZone, Timelike};
use chrono_tz::Tz;
use serde::Serialize;

/// Length of a window, in ms. All vendors sample every 5 minutes (definitions: "5-minute bandwidth").
pub const WINDOW_MS: i64 = 300_000;
/// Seconds of a window.
pub const WINDOW_S: i128 = 300;
/// Two leap years' months: longer ranges are no bill.
pub const DAYS_MAX: usize = 366;

/// A day of the zone: `windows` of them from index `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Day {
    #[serde(serialize_with = "date")]
    pub date: NaiveDate,
    pub first: usize,
    pub windows: usize,
}

impl Day {
    pub fn range(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.windows
    }
}

/// Days from `from` to `to`, both inclusive, in `zone`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    zone: Tz,
    from: NaiveDate,
    to: NaiveDate,
    start_ms: i64,
    days: Vec<Day>,
    /// Hour of the wall's clock at each window's start. Asked for once per window and bill: zones are slow to ask.
    hours: Vec<u8>,
    /// Days of what was asked for, before it was cut to the contract's validity.
    days_asked: usize,
}

/// Why a period is none. Retrying does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    #[error("period: {text:?} is neither a month (2026-10) nor a range of days (2026-10-01..2026-10-15)")]
    Text { text: String },
    #[error("period: {from} lies after {to}")]
    UpsideDown { from: NaiveDate, to: NaiveDate },
    #[error("period: {days} days; the limit is {DAYS_MAX}")]
    TooLong { days: i64 },
    #[error("period: {from} to {to} lies outside the contract's validity")]
    OutsideValidity { from: NaiveDate, to: NaiveDate },
    #[error("period: {zone}'s day {date} does not begin on a 5-minute boundary of UTC")]
    Zone { zone: String, date: NaiveDate },
}

impl Period {
    /// A calendar month of the zone.
    pub fn month(zone: Tz, year: i32, month: u32) -> Result<Period, PeriodError> {
        let no_month = || PeriodError::Text { text: format!("{year}-{month:02}") };
        let from = NaiveDate::from_ymd_opt(year, month, 1).ok_or_else(no_month)?;
        let next = if month == 12 { NaiveDate::from_ymd_opt(year + 1, 1, 1) } else { NaiveDate::from_ymd_opt(year, month + 1, 1) };
        let to = next.and_then(|next| next.pred_opt()).ok_or_else(no_month)?;
        Period::range(zone, from, to)
    }

    /// Days of the zone, both inclusive.
    pub fn range(zone: Tz, from: NaiveDate, to: NaiveDate) -> Result<Period, PeriodError> {
        if from > to {
            return Err(PeriodError::UpsideDown { from, to });
        }
        // Far from our time, arithmetic on dates and zones runs over.
        if !(1..=9_998).contains(&from.year()) || !(1..=9_998).contains(&to.year()) {
            return Err(PeriodError::Text { text: format!("{from}..{to}") });
        }
        let count = (to - from).num_days() + 1;
        if count > DAYS_MAX as i64 {
            return Err(PeriodError::TooLong { days: count });
        }
        let start_ms = day_start_ms(zone, from)?;
        let (mut days, mut first, mut at_ms) = (Vec::new(), 0, start_ms);
        for date in from.iter_days().take(count as usize) {
            let next = date.checked_add_days(Days::new(1)).ok_or(PeriodError::UpsideDown { from, to })?;
            let next_ms = day_start_ms(zone, next)?;
            let windows = ((next_ms - at_ms) / WINDOW_MS) as usize;
            days.push(Day { date, first, windows });
            (first, at_ms) = (first + windows, next_ms);
        }
        let hours = (0..first).map(|window| hour_at(zone, start_ms + window as i64 * WINDOW_MS)).collect();
        let days_asked = days.len();
        Ok(Period { zone, from, to, start_ms, days, hours, days_asked })
    }

    /// `2026-10`, or `2026-10-01..2026-10-15` with both inclusive.
    pub fn parse(zone: Tz, text: &str) -> Result<Period, PeriodError> {
        let none = || PeriodError::Text { text: text.chars().take(40).collect() };
        if let Some((from, to)) = text.split_once("..") {
            let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| none());
            return Period::range(zone, date(from)?, date(to)?);
        }
        let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").map_err(|_| none())?;
        Period::month(zone, first.year(), first.month())
    }

    /// The part within a contract's validity; [`Period::days_asked`] stays what it was.
    pub fn within(&self, valid_from: NaiveDate, valid_to: Option<NaiveDate>) -> Result<Period, PeriodError> {
        let from = self.from.max(valid_from);
        let to = valid_to.map_or(self.to, |valid_to| self.to.min(valid_to));
        if from > to {
            return Err(PeriodError::OutsideValidity { from: self.from, to: self.to });
        }
        Ok(Period { days_asked: self.days_asked, ..Period::range(self.zone, from, to)? })
    }

    /// The same dates with days of another zone.
    pub fn in_zone(&self, zone: Tz) -> Result<Period, PeriodError> {
        Ok(Period { days_asked: self.days_asked, ..Period::range(zone, self.from, self.to)? })
    }

    pub fn zone(&self) -> Tz {
        self.zone
    }

    pub fn from(&self) -> NaiveDate {
        self.from
    }

    /// Last day, inclusive.
    pub fn to(&self) -> NaiveDate {
        self.to
    }

    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// Days of the month (or range) as asked for: the divisor of what is billed by days.
    pub fn days_asked(&self) -> usize {
        self.days_asked
    }

    pub fn windows(&self) -> usize {
        self.days.last().map_or(0, |day| day.first + day.windows)
    }

    pub fn start_ms(&self) -> i64 {
        self.start_ms
    }

    /// Exclusive.
    pub fn end_ms(&self) -> i64 {
        self.window_ms(self.windows())
    }

    /// Start of a window, ms since 1970 UTC.
    pub fn window_ms(&self, index: usize) -> i64 {
        self.start_ms + index as i64 * WINDOW_MS
    }

    /// The window that a moment lies in, if it lies in the period.
    pub fn index(&self, at_ms: i64) -> Option<usize> {
        let index = usize::try_from((at_ms - self.start_ms).div_euclid(WINDOW_MS)).ok()?;
        (index < self.windows()).then_some(index)
    }

    /// The day that a window lies in.
    pub fn day_of(&self, index: usize) -> Option<&Day> {
        let place = self.days.partition_point(|day| day.first + day.windows <= index);
        self.days.get(place)
    }

    /// Hour of the clock on the zone's wall when each window begins, 0–23.
    pub fn hours(&self) -> &[u8] {
        &self.hours
    }
}

fn hour_at(zone: Tz, at_ms: i64) -> u8 {
    let at = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    at.with_timezone(&zone).hour() as u8
}

/// When a date begins in a zone, ms since 1970 UTC. Where midnight is skipped, the day begins when the clock
/// comes back; where it comes twice, with the first.
fn day_start_ms(zone: Tz, date: NaiveDate) -> Result<i64, PeriodError> {
    let refused = || PeriodError::Zone { zone: zone.name().to_owned(), date };
    let midnight = date.and_hms_opt(0, 0, 0).ok_or_else(refused)?;
    let start = (0..=24 * 4).find_map(|quarter| zone.from_local_datetime(&(midnight + Duration::minutes(15 * quarter))).earliest());
    let start_ms = start.ok_or_else(refused)?.timestamp_millis();
    if start_ms % WINDOW_MS != 0 { Err(refused()) } else { Ok(start_ms) }
}

/// A date as text, `2026-01-31`.
pub fn date<S: serde::Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

/// A date as text, or null.
pub fn date_or_null<S: serde::Serializer>(date: &Option<NaiveDate>, serializer: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => serializer.collect_str(date),
        None => serializer.serialize_none(),
    }
}
