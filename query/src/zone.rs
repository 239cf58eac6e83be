//! Local time → instants and time buckets, for any IANA zone. Pure; all instants are milliseconds since
//! 1970, UTC. The ledger stores UTC; a zone belongs to the question and is applied here alone.
//!
//! The rules, which the tests hold to:
//! * a bucket lies within one offset of its zone: a change of the clock always begins a new hour bucket
//!   (so Europe/Berlin has 25 hour buckets on the day the clock goes back, and Australia/Lord_Howe, which
//!   moves by half an hour, has two half-hour ones);
//! * a day begins at the first instant whose local clock shows that date, and lasts 23, 24 or 25 hours;
//! * a local time that the clock skips means the instant of the skip; one that it shows twice, the first.

use crate::error::Error;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use livemeter_schemas::time::WINDOW_MS;

const SECOND_MS: i64 = 1_000;
const HOUR_MS: i64 = 3_600 * SECOND_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Width of a time bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    FiveMinutes,
    Hour,
    /// A local day.
    Day,
}

impl Step {
    pub fn parse(text: &str) -> Result<Step, Error> {
        match text {
            "5m" => Ok(Step::FiveMinutes),
            "1h" => Ok(Step::Hour),
            "1d" => Ok(Step::Day),
            other => Err(Error::parameter("step", format!("step {other:?} is unknown; 5m, 1h and 1d are"))),
        }
    }
}

/// Finds a zone by its IANA name.
pub fn parse(name: &str) -> Result<Tz, Error> {
    name.parse().map_err(|_| {
        let reason = format!("tz {name:?} is not an IANA time zone; accepted are names such as UTC, Europe/Berlin or Asia/Shanghai");
        Error::parameter("tz", reason)
    })
}

/// Reads an instant: RFC 3339, or a local date, or a local date and time in `tz`.
pub fn instant_ms(tz: Tz, field: &str, text: &str) -> Result<i64, Error> {
    // An unescaped `+` of an offset arrives as a space.
    for candidate in [text.to_owned(), text.replace(' ', "+")] {
        if let Ok(at) = DateTime::parse_from_rfc3339(&candidate) {
            return Ok(at.timestamp_millis());
        }
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(first_instant_ms(tz, date.and_time(NaiveTime::MIN)));
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(first_instant_ms(tz, local));
        }
    }
    let reason = format!(
        "{field} {text:?} is not a time; accepted are RFC 3339 (2026-03-29T01:00:00Z), a date (2026-03-29) and a local date and time (2026-03-29T03:00)"
    );
    Err(Error::parameter(field, reason))
}

/// The instant as the zone's clocks show it, RFC 3339 with the offset.
pub fn label(tz: Tz, at_ms: i64) -> String {
    utc(at_ms).with_timezone(&tz).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The starts of the buckets that cover `from_ms..to_ms`, ascending; the first is `from_ms` itself,
/// which may lie within a bucket of the clock.
pub fn starts_ms(tz: Tz, step: Step, from_ms: i64, to_ms: i64) -> Vec<i64> {
    let mut starts = vec![from_ms];
    starts.extend(boundaries_ms(tz, step, from_ms, to_ms).into_iter().filter(|&b| b > from_ms));
    starts
}

/// The start of the bucket that holds `at_ms`, given ascending `starts`.
pub fn bucket_ms(starts: &[i64], at_ms: i64) -> Option<i64> {
    let after = starts.partition_point(|&start| start <= at_ms);
    after.checked_sub(1).and_then(|i| starts.get(i)).copied()
}

/// The last boundary of the clock at or before `at_ms`.
pub fn floor_ms(tz: Tz, step: Step, at_ms: i64) -> i64 {
    // Two days back there is always a boundary, even where a zone once skipped a whole date.
    let back = at_ms.saturating_sub(2 * DAY_MS + HOUR_MS);
    boundaries_ms(tz, step, back, at_ms.saturating_add(1)).last().copied().unwrap_or(at_ms)
}

/// Every boundary within `from_ms..to_ms`, ascending and distinct.
fn boundaries_ms(tz: Tz, step: Step, from_ms: i64, to_ms: i64) -> Vec<i64> {
    match step {
        Step::FiveMinutes => multiples(from_ms, to_ms, WINDOW_MS, 0),
        Step::Hour => hours(tz, from_ms, to_ms),
        Step::Day => days(tz, from_ms, to_ms),
    }
}

/// The instants of `from..to` that are `phase` short of a multiple of `width`.
fn multiples(from: i64, to: i64, width: i64, phase: i64) -> Vec<i64> {
    let first = from + (-(from + phase)).rem_euclid(width);
    (first..to.max(first)).step_by(width as usize).collect()
}

fn hours(tz: Tz, from_ms: i64, to_ms: i64) -> Vec<i64> {
    let mut boundaries = Vec::new();
    let mut begin = from_ms;
    let mut ends = changes(tz, from_ms, to_ms);
    ends.push(to_ms);
    for end in ends {
        if begin > from_ms {
            boundaries.push(begin);
        }
        let whole = multiples(begin, end, HOUR_MS, offset_ms(tz, begin));
        boundaries.extend(whole.into_iter().filter(|&hour| hour > begin || begin == from_ms));
        begin = end;
    }
    boundaries
}

fn days(tz: Tz, from_ms: i64, to_ms: i64) -> Vec<i64> {
    let mut date = utc(from_ms).with_timezone(&tz).date_naive();
    let mut boundaries = Vec::new();
    loop {
        let begin = first_instant_ms(tz, date.and_time(NaiveTime::MIN));
        if begin >= to_ms {
            return boundaries;
        }
        // A date that a zone skipped begins with the next one: no empty day.
        if begin >= from_ms && boundaries.last().is_none_or(|&last| begin > last) {
            boundaries.push(begin);
        }
        match date.checked_add_days(Days::new(1)) {
            Some(next) => date = next,
            None => return boundaries,
        }
    }
}

/// The instants within `from_ms..to_ms` (the first excluded) at which the offset changes.
fn changes(tz: Tz, from_ms: i64, to_ms: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut at = from_ms;
    while at < to_ms {
        let next = (at + HOUR_MS).min(to_ms);
        let before = offset_ms(tz, at);
        if offset_ms(tz, next) != before {
            let change = bisect(at, next, |t| offset_ms(tz, t) != before);
            if change < to_ms {
                found.push(change);
            }
        }
        at = next;
    }
    found
}

/// The earliest instant at which the zone's clock shows `local`, or has jumped past it.
fn first_instant_ms(tz: Tz, local: NaiveDateTime) -> i64 {
    if let Some(at) = tz.from_local_datetime(&local).earliest() {
        return at.timestamp_millis();
    }
    // The clock jumped over it: the instant of the jump lies within a day before where the old offset puts it.
    let shown_ms = local.and_utc().timestamp_millis();
    let by_old_offset = shown_ms - offset_ms(tz, shown_ms - 26 * HOUR_MS);
    bisect(by_old_offset - 25 * HOUR_MS, by_old_offset, |t| t + offset_ms(tz, t) >= shown_ms)
}

/// The first instant of `low..=high`, to the second, for which `after` holds; it holds at `high`.
fn bisect(low: i64, high: i64, after: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (low.div_euclid(SECOND_MS), high.div_euclid(SECOND_MS) + i64::from(high.rem_euclid(SECOND_MS) > 0));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if after(middle * SECOND_MS) { high = middle } else { low = middle }
    }
    high * SECOND_MS
}

fn offset_ms(tz: Tz, at_ms: i64) -> i64 {
    i64::from(tz.offset_from_utc_datetime(&utc(at_ms).naive_utc()).fix().local_minus_utc()) * SECOND_MS
}

fn utc(at_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default()
}

#[cfg(test)]
#[path = "zone_tests.rs"]
mod tests;
