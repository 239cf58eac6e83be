//! A vendor's time into ms since 1970 UTC, exactly. A pattern is read once and then applied to bytes: no allocation.

use chrono::{LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// Where a time without an offset of its own was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Seconds east of UTC.
    Fixed(i64),
    Named(Tz),
}

/// What to make of the hour that a zone has twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ambiguous {
    #[default]
    Refuse,
    Earlier,
    Later,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Year,
    Month,
    MonthName,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
    Offset,
    UnixSeconds,
    UnixMillis,
    Literal(u8),
}

/// A pattern of time and its zone.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    items: Vec<Item>,
    zone: Zone,
    ambiguous: Ambiguous,
}

impl Pattern {
    /// `format` is `unix`, `unix_ms`, `rfc3339` or made of %Y %m %b %d %H %M %S %f (a fraction, if there is one) %z and other signs.
    pub(super) fn new(format: &str, zone: Option<&str>, ambiguous: Ambiguous) -> Result<Pattern, String> {
        let items = items(format)?;
        let has = |item| items.contains(&item);
        let absolute = has(Item::UnixSeconds) || has(Item::UnixMillis) || has(Item::Offset);
        let civil = [Item::Year, Item::Day, Item::Hour, Item::Minute, Item::Second].into_iter().all(has);
        if !(has(Item::UnixSeconds) || has(Item::UnixMillis)) && !(civil && (has(Item::Month) || has(Item::MonthName))) {
            return Err(format!("`{format}` leaves a part of date or time out"));
        }
        let zone = match (absolute, zone) {
            (true, Some(_)) => return Err("the text says its zone itself: leave `zone` out".to_owned()),
            (true, None) => Zone::Fixed(0),
            (false, None) => return Err("`zone` is missing: UTC, +08:00 or a name such as Asia/Shanghai".to_owned()),
            (false, Some(zone)) => named(zone)?,
        };
        Ok(Pattern { items, zone, ambiguous })
    }
}

fn items(format: &str) -> Result<Vec<Item>, String> {
    let format = match format {
        "unix" => return Ok(vec![Item::UnixSeconds]),
        "unix_ms" => return Ok(vec![Item::UnixMillis]),
        "rfc3339" => "%Y-%m-%dT%H:%M:%S%f%z",
        other => other,
    };
    let mut items = Vec::new();
    let mut bytes = format.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            items.push(Item::Literal(byte));
            continue;
        }
        items.push(match bytes.next() {
            Some(b'Y') => Item::Year,
            Some(b'm') => Item::Month,
            Some(b'b') => Item::MonthName,
            Some(b'd') => Item::Day,
            Some(b'H') => Item::Hour,
            Some(b'M') => Item::Minute,
            Some(b'S') => Item::Second,
            Some(b'f') => Item::Fraction,
            Some(b'z') => Item::Offset,
            Some(b'%') => Item::Literal(b'%'),
            other => return Err(format!("`%{}` is none of %Y %m %b %d %H %M %S %f %z", other.map_or(' ', char::from))),
        });
    }
    Ok(items)
}

fn named(zone: &str) -> Result<Zone, String> {
    if zone == "UTC" {
        return Ok(Zone::Fixed(0));
    }
    if let Some((seconds, b"")) = offset(zone.as_bytes()) {
        return Ok(Zone::Fixed(seconds));
    }
    zone.parse().map(Zone::Named).map_err(|_| format!("`{zone}` is no time zone: UTC, +08:00 or a name such as Asia/Shanghai"))
}

/// A pattern at work. Remembers the last offset of a named zone: lines of a log come from the same minute.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pattern: Pattern,
    minute: i64,
    offset_s: Result<i64, &'static str>,
}

impl Clock {
    pub(super) fn new(pattern: &Pattern) -> Clock {
        Clock { pattern: pattern.clone(), minute: i64::MIN, offset_s: Ok(0) }
    }

    /// Ms since 1970 UTC. A leap second is the first second of the next minute.
    pub(super) fn read(&mut self, text: &[u8]) -> Result<i64, &'static str> {
        const NO_TIME: &str = "no time of the pattern";
        let mut rest = text;
        let (mut year, mut month, mut day, mut hour, mut minute, mut second, mut ms) = (1970, 1, 1, 0, 0, 0, 0);
        let mut offset_s = None;
        for item in &self.pattern.items {
            match item {
                Item::Literal(byte) => rest = rest.strip_prefix(&[*byte]).ok_or(NO_TIME)?,
                Item::Year => (year, rest) = digits(rest, 4).ok_or(NO_TIME)?,
                Item::Month => (month, rest) = digits(rest, 2).ok_or(NO_TIME)?,
                Item::MonthName => (month, rest) = month_name(rest).ok_or(NO_TIME)?,
                Item::Day => (day, rest) = day_digits(rest).ok_or(NO_TIME)?,
                Item::Hour => (hour, rest) = digits(rest, 2).ok_or(NO_TIME)?,
                Item::Minute => (minute, rest) = digits(rest, 2).ok_or(NO_TIME)?,
                Item::Second => (second, rest) = digits(rest, 2).ok_or(NO_TIME)?,
                Item::Fraction => (ms, rest) = fraction(rest),
                Item::Offset => {
                    let (seconds, after) = offset(rest).ok_or(NO_TIME)?;
                    (offset_s, rest) = (Some(seconds), after);
                }
                Item::UnixSeconds => return unix(rest, 1_000).ok_or("no seconds since 1970"),
                Item::UnixMillis => return unix(rest, 1).ok_or("no milliseconds since 1970"),
            }
        }
        let in_range = (1..=12).contains(&month) && (1970..=2199).contains(&year) && day >= 1 && day <= days_of(year, month);
        if !rest.is_empty() || !in_range || hour > 23 || minute > 59 || second > 60 {
            return Err(NO_TIME);
        }
        let local_minute = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute;
        let offset_s = match (offset_s, self.pattern.zone) {
            (Some(seconds), _) | (None, Zone::Fixed(seconds)) => seconds,
            (None, Zone::Named(tz)) => self.named_offset(tz, local_minute)?,
        };
        Ok((local_minute * 60 + second - offset_s) * 1_000 + ms)
    }

    fn named_offset(&mut self, tz: Tz, local_minute: i64) -> Result<i64, &'static str> {
        if self.minute != local_minute {
            self.minute = local_minute;
            let local = chrono::DateTime::from_timestamp(local_minute * 60, 0).map(|time| time.naive_utc());
            self.offset_s = local.ok_or("no time of the zone").and_then(|local| offset_of(tz, &local, self.pattern.ambiguous));
        }
        self.offset_s
    }
}

fn offset_of(tz: Tz, local: &NaiveDateTime, ambiguous: Ambiguous) -> Result<i64, &'static str> {
    let seconds = |offset: &<Tz as TimeZone>::Offset| i64::from(offset.fix().local_minus_utc());
    match (tz.offset_from_local_datetime(local), ambiguous) {
        (LocalResult::Single(offset), _) => Ok(seconds(&offset)),
        (LocalResult::Ambiguous(earlier, _), Ambiguous::Earlier) => Ok(seconds(&earlier)),
        (LocalResult::Ambiguous(_, later), Ambiguous::Later) => Ok(seconds(&later)),
        (LocalResult::Ambiguous(..), Ambiguous::Refuse) => Err("the zone has this hour twice; `ambiguous` may say which is meant"),
        (LocalResult::None, _) => Err("the zone leaves this hour out"),
    }
}

fn digits(text: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let mut value = 0;
    for digit in digits {
        value = value * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some((value, rest))
}

/// One digit or two: `9/Jun/2015`.
fn day_digits(text: &[u8]) -> Option<(i64, &[u8])> {
    digits(text, 2).or_else(|| digits(text, 1))
}

fn month_name(text: &[u8]) -> Option<(i64, &[u8])> {
    const NAMES: [&[u8; 3]; 12] = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let (name, rest) = text.split_at_checked(3)?;
    let month = NAMES.iter().position(|known| known.as_slice() == name)?;
    Some((month as i64 + 1, rest))
}

/// Ms of a fraction `.25`; what is finer is cut off.
fn fraction(text: &[u8]) -> (i64, &[u8]) {
    let Some(rest) = text.strip_prefix(b".") else { return (0, text) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ms = (0..3).fold(0, |ms, i| ms * 10 + rest[..length].get(i).map_or(0, |digit| i64::from(digit - b'0')));
    (ms, &rest[length..])
}

/// Seconds east of UTC: `Z`, `+08:00`, `+0800`.
fn offset(text: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, rest) = match text.split_first()? {
        (b'Z', rest) => return Some((0, rest)),
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(b":").unwrap_or(rest), 2)?;
    (hours <= 14 && minutes <= 59).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

fn unix(text: &[u8], ms_a_unit: i64) -> Option<i64> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = digits(text, if (1..=15).contains(&length) { length } else { return None })?;
    let (ms, rest) = if ms_a_unit == 1_000 { fraction(rest) } else { (0, rest) };
    let time = whole.checked_mul(ms_a_unit)?.checked_add(ms)?;
    (rest.is_empty() && time < 7_258_118_400_000).then_some(time) // the year 2200, as above
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar, counted in years that begin in March, so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(format: &str, zone: Option<&str>, ambiguous: Ambiguous, text: &str) -> Result<i64, &'static str> {
        Clock::new(&Pattern::new(format, zone, ambiguous).unwrap()).read(text.as_bytes())
    }

    #[test]
    fn vendors_times_are_utc_to_the_millisecond() {
        let plain = |format, zone, text| read(format, zone, Ambiguous::Refuse, text);
        assert_eq!(plain("%Y-%m-%d %H:%M:%S", Some("UTC"), "2026-10-01 00:00:00"), Ok(1_790_812_800_000));
        assert_eq!(plain("%Y%m%d%H%M%S", Some("+08:00"), "20261001080000"), Ok(1_790_812_800_000));
        assert_eq!(plain("%Y%m%d%H%M%S", Some("Asia/Shanghai"), "20261001080000"), Ok(1_790_812_800_000));
        assert_eq!(plain("%d/%b/%Y:%H:%M:%S %z", None, "9/Jun/2015:01:58:09 +0800"), Ok(1_433_786_289_000));
        assert_eq!(plain("rfc3339", None, "2026-10-01T00:00:00.2579-02:30"), Ok(1_790_821_800_257));
        assert_eq!(plain("unix", None, "1573840000.25"), Ok(1_573_840_000_250));
        assert_eq!(plain("unix_ms", None, "1573840000250"), Ok(1_573_840_000_250));
        assert_eq!(plain("%Y-%m-%d %H:%M:%S", Some("UTC"), "2016-12-31 23:59:60"), Ok(1_483_228_800_000));
    }

    #[test]
    fn an_hour_that_is_there_twice_or_never_is_not_guessed() {
        let berlin = |ambiguous, text| read("%Y-%m-%d %H:%M:%S", Some("Europe/Berlin"), ambiguous, text);
        assert!(berlin(Ambiguous::Refuse, "2026-10-25 02:30:00").unwrap_err().contains("twice"));
        assert_eq!(berlin(Ambiguous::Earlier, "2026-10-25 02:30:00"), Ok(1_792_888_200_000));
        assert_eq!(berlin(Ambiguous::Later, "2026-10-25 02:30:00"), Ok(1_792_888_200_000 + 3_600_000));
        assert!(berlin(Ambiguous::Earlier, "2026-03-29 02:30:00").unwrap_err().contains("leaves"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["2026-02-29 00:00:00", "2026-13-01 00:00:00", "2026-10-01 24:00:00", "2026-10-01", "2026-10-01 00:00:00Z", "x"] {
            assert!(read("%Y-%m-%d %H:%M:%S", Some("UTC"), Ambiguous::Refuse, text).is_err(), "{text}");
        }
        for (format, zone) in
            [("%Y-%m-%d", Some("UTC")), ("%Y-%m-%d %H:%M:%S", None), ("unix", Some("UTC")), ("%q", None), ("%Y", Some("Mars"))]
        {
            assert!(Pattern::new(format, zone, Ambiguous::Refuse).is_err(), "{format}");
        }
    }

    proptest! {
        /// Against chrono, over two hundred years and every zone's rules of a few.
        #[test]
        fn as_chrono_reads_it(seconds in 0i64..7_258_000_000, zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])) {
            let utc = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
            let text = utc.format("%Y-%m-%d %H:%M:%S").to_string();
            prop_assert_eq!(read("%Y-%m-%d %H:%M:%S", Some("UTC"), Ambiguous::Refuse, &text), Ok(seconds * 1_000));
            let local = utc.with_timezone(&zone.parse::<Tz>().unwrap()).format("%Y-%m-%d %H:%M:%S").to_string();
            let earlier = read("%Y-%m-%d %H:%M:%S", Some(zone), Ambiguous::Earlier, &local);
            let later = read("%Y-%m-%d %H:%M:%S", Some(zone), Ambiguous::Later, &local);
            prop_assert!(earlier == Ok(seconds * 1_000) || later == Ok(seconds * 1_000));
        }
    }
}
