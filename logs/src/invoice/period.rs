//! Dates and periods as invoices write them → ms since 1970 UTC, the end exclusive, in the template's zone.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

/// A month, a day or a moment, as local times from and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: NaiveDateTime,
    to: NaiveDateTime,
}

/// `2026-10`, `2026-10-01`, `2026-10-01 ~ 2026-10-31`: both days belong to it.
pub(super) fn period(text: &str, format: Option<&str>, tz: Tz) -> Result<(i64, i64), String> {
    let parts = [" ~ ", "~", " - ", " to ", "至", ".."].into_iter().find_map(|sign| text.split_once(sign));
    let (first, last) = match parts {
        Some((first, last)) => (span(first, format)?, span(last, format)?),
        None => (span(text, format)?, span(text, format)?),
    };
    between(text, first, last, tz)
}

/// From the one to the other, which belongs to it where it is a day or a month.
pub(super) fn from_to(from: &str, to: &str, format: Option<&str>, tz: Tz) -> Result<(i64, i64), String> {
    between(to, span(from, format)?, span(to, format)?, tz)
}

fn between(text: &str, first: Span, last: Span, tz: Tz) -> Result<(i64, i64), String> {
    let (from_ms, to_ms) = (utc_ms(first.from, tz)?, utc_ms(last.to, tz)?);
    if from_ms >= to_ms { Err(format!("`{text}` ends before it begins")) } else { Ok((from_ms, to_ms)) }
}

fn span(text: &str, format: Option<&str>) -> Result<Span, String> {
    let text = text.trim();
    let days = |date: NaiveDate, end: Option<NaiveDate>| {
        let end = end.ok_or_else(|| format!("`{text}` is too far away"))?;
        Ok(Span { from: date.and_time(NaiveTime::MIN), to: end.and_time(NaiveTime::MIN) })
    };
    let formats = format.map_or(vec!["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"], |format| vec![format]);
    // A month is none of these, so it is tried first: `202610` is no day.
    let months = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"].into_iter().zip(["-01", "/01", "01"]);
    let month =
        months.filter(|_| text.len() <= 7).find_map(|(format, first)| NaiveDate::parse_from_str(&format!("{text}{first}"), format).ok());
    if let Some(date) = month.filter(|_| format.is_none()) {
        return days(date, date.checked_add_months(Months::new(1)));
    }
    if let Some(date) = formats.iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok()) {
        return days(date, date.checked_add_days(Days::new(1)));
    }
    let moments = ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
    if let Some(moment) = moments.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()) {
        // A day's last second means the day's end.
        let end = if moment.format("%H:%M:%S").to_string() == "23:59:59" { moment + chrono::TimeDelta::seconds(1) } else { moment };
        return Ok(Span { from: moment, to: end });
    }
    Err(format!("`{text}` is no date: 2026-10-01, 2026-10, or as `date_format` says"))
}

/// Where a zone begins a day late, its first moment; where it has an hour twice, the first.
fn utc_ms(local: NaiveDateTime, tz: Tz) -> Result<i64, String> {
    (0..=180)
        .find_map(|minutes| tz.from_local_datetime(&(local + chrono::TimeDelta::minutes(minutes))).earliest())
        .map(|time| time.timestamp_millis())
        .ok_or_else(|| format!("{tz} has no {local}"))
}

/// A moment as FOCUS writes it: ISO 8601 in UTC, or as some generators do, without the Z.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    let naive = || ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"].into_iter().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok());
    let time = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis()).ok();
    time.or_else(|| naive().map(|time| time.and_utc().timestamp_millis()))
        .ok_or_else(|| format!("`{text}` is no time: 2026-10-01T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-10-01 00:00 in Shanghai.
    const OCTOBER_MS: i64 = 1_790_784_000_000;
    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn periods_are_days_of_the_zone() {
        let shanghai = |text| period(text, None, Tz::Asia__Shanghai);
        let october = Ok((OCTOBER_MS, OCTOBER_MS + 31 * DAY_MS));
        for text in [
            "2026-10",
            "202610",
            "2026/10",
            "2026-10-01 ~ 2026-10-31",
            "2026/10/01至2026/10/31",
            "20261001..20261031",
            "2026-10-01 00:00:00 - 2026-10-31 23:59:59",
        ] {
            assert_eq!(shanghai(text), october, "{text}");
        }
        assert_eq!(shanghai("2026-10-01"), Ok((OCTOBER_MS, OCTOBER_MS + DAY_MS)));
        assert_eq!(from_to("01.10.2026", "02.10.2026", Some("%d.%m.%Y"), Tz::Asia__Shanghai), Ok((OCTOBER_MS, OCTOBER_MS + 2 * DAY_MS)));
        let (from, to) = period("2026-10-25", None, Tz::Europe__Berlin).unwrap();
        assert_eq!(to - from, 25 * 3_600_000, "a day of 25 hours");
        assert_eq!(moment("2026-10-01T00:00:00Z"), Ok(1_790_812_800_000));
        assert_eq!(moment("2026-10-01 00:00:00.000"), Ok(1_790_812_800_000));
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["", "2026-13", "2026-02-30", "October", "2026-10-02 ~ 2026-10-01", "01/10/2026"] {
            assert!(period(text, None, Tz::UTC).is_err(), "{text}");
        }
    }
}
