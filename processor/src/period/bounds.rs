//! A month or a day of a zone → the instants between which it lies. A day begins at the first instant whose
//! local clock shows its date, and may last 23, 24 or 25 hours. Pure.

use super::PeriodError;
use chrono::{DateTime, Duration, Months, NaiveDate, NaiveTime, SecondsFormat, TimeZone};
use chrono_tz::Tz;

/// Milliseconds since 1970, UTC: `[from_ms, to_ms)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub from_ms: i64,
    pub to_ms: i64,
}

/// Reads `2026-10` or `2026-10-31` in a zone known by its IANA name.
pub fn bounds(period: &str, tz: &str) -> Result<Bounds, PeriodError> {
    let accepted = "a month such as 2026-10 or a day such as 2026-10-31, that the zone's calendar has";
    let wrong = || PeriodError::Name { name: "period", value: period.to_owned(), accepted };
    let zone: Tz = tz.parse().map_err(|_| {
        let accepted = "an IANA time zone such as UTC, Europe/Berlin or Asia/Shanghai";
        PeriodError::Name { name: "tz", value: tz.to_owned(), accepted }
    })?;
    let (first, next) = dates(period).ok_or_else(wrong)?;
    let (from_ms, to_ms) = (begin_ms(zone, first).ok_or_else(wrong)?, begin_ms(zone, next).ok_or_else(wrong)?);
    // A zone that crossed the date line has no such day.
    if from_ms < to_ms { Ok(Bounds { from_ms, to_ms }) } else { Err(wrong()) }
}

/// The period's first date, and the first one after it. The name must be written as it will be kept.
fn dates(period: &str) -> Option<(NaiveDate, NaiveDate)> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if !digits(period) {
        return None;
    }
    match period.len() {
        7 => {
            let first: NaiveDate = format!("{period}-01").parse().ok()?;
            Some((first, first.checked_add_months(Months::new(1))?))
        }
        10 => {
            let first: NaiveDate = period.parse().ok()?;
            Some((first, first.succ_opt()?))
        }
        _ => None,
    }
}

/// The first instant whose local clock shows this date; where the clock skips midnight, the skip.
fn begin_ms(zone: Tz, date: NaiveDate) -> Option<i64> {
    let midnight = date.and_time(NaiveTime::MIN);
    // No zone has skipped more than a day.
    let minutes = (0..=2 * 24 * 60).map(|minute| midnight + Duration::minutes(minute));
    minutes.into_iter().find_map(|local| zone.from_local_datetime(&local).earliest()).map(|at| at.timestamp_millis())
}

/// RFC 3339, UTC.
pub(super) fn label(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms).map_or_else(|| at_ms.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(period: &str, tz: &str) -> Option<(String, String)> {
        bounds(period, tz).ok().map(|b| (label(b.from_ms), label(b.to_ms)))
    }

    #[test]
    fn golden() {
        let is = |period, tz, from: &str, to: &str| assert_eq!(of(period, tz), Some((from.into(), to.into())), "{period} {tz}");
        is("2026-10", "Asia/Shanghai", "2026-09-30T16:00:00Z", "2026-10-31T16:00:00Z");
        is("2026-12", "UTC", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
        is("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        is("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        // Midnight is skipped: the day begins at one o'clock.
        is("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z");
        // Midnight comes twice: the day begins with the first.
        is("2019-11-03", "America/Havana", "2019-11-03T04:00:00Z", "2019-11-04T05:00:00Z");
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for (period, tz) in [
            ("2026-13", "UTC"),
            ("2026-02-30", "UTC"),
            ("2026", "UTC"),
            ("2026-1-01", "UTC"),
            ("../../x", "UTC"),
            ("+026-10", "UTC"),
            ("2026-10", "Mars/Olympus"),
            ("2011-12-30", "Pacific/Apia"),
        ] {
            assert_eq!(of(period, tz), None, "{period} {tz}");
        }
    }
}
