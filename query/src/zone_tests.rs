//! Golden days of the zones that break naive arithmetic, and the laws that hold for every zone.

use super::*;
use proptest::prelude::*;

fn zone(name: &str) -> Tz {
    parse(name).unwrap()
}

fn at(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

/// The labels of the hours of one local day.
fn hours_of(name: &str, date: &str, next: &str) -> Vec<String> {
    let tz = zone(name);
    let (from, to) = (instant_ms(tz, "from", date).unwrap(), instant_ms(tz, "to", next).unwrap());
    starts_ms(tz, Step::Hour, from, to).into_iter().map(|start| label(tz, start)).collect()
}

#[test]
fn a_local_day_has_23_24_or_25_hours() {
    for (name, date, next, begins_utc, hours) in [
        ("Europe/Berlin", "2026-03-28", "2026-03-29", "2026-03-27T23:00:00Z", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-30", "2026-03-28T23:00:00Z", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-26", "2026-10-24T22:00:00Z", 25),
        ("America/New_York", "2026-03-08", "2026-03-09", "2026-03-08T05:00:00Z", 23),
        ("America/New_York", "2026-11-01", "2026-11-02", "2026-11-01T04:00:00Z", 25),
        ("Asia/Shanghai", "2026-11-01", "2026-11-02", "2026-10-31T16:00:00Z", 24),
        ("Asia/Kolkata", "2026-11-01", "2026-11-02", "2026-10-31T18:30:00Z", 24),
        ("Asia/Kathmandu", "2026-11-01", "2026-11-02", "2026-10-31T18:15:00Z", 24),
        ("UTC", "2026-11-01", "2026-11-02", "2026-11-01T00:00:00Z", 24),
    ] {
        let tz = zone(name);
        let (from, to) = (instant_ms(tz, "from", date).unwrap(), instant_ms(tz, "to", next).unwrap());
        assert_eq!(from, at(begins_utc), "{name} {date}");
        assert_eq!(to - from, hours * HOUR_MS, "{name} {date}");
        assert_eq!(starts_ms(tz, Step::Day, from, to), vec![from], "{name} {date}");
        assert_eq!(starts_ms(tz, Step::Hour, from, to).len() as i64, hours, "{name} {date}");
        assert_eq!(starts_ms(tz, Step::FiveMinutes, from, to).len() as i64, hours * 12, "{name} {date}");
    }
}

#[test]
fn the_hour_that_berlin_lives_twice_is_two_buckets() {
    let hours = hours_of("Europe/Berlin", "2026-10-25", "2026-10-26");
    assert_eq!(hours[2], "2026-10-25T02:00:00+02:00");
    assert_eq!(hours[3], "2026-10-25T02:00:00+01:00");
    let hours = hours_of("Europe/Berlin", "2026-03-29", "2026-03-30");
    assert_eq!((hours[1].as_str(), hours[2].as_str()), ("2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"));
}

#[test]
fn lord_howe_moves_by_half_an_hour() {
    // Back on 5 April 2026 at 02:00 +11:00 to 01:30 +10:30: 24.5 hours; forward on 4 October: 23.5.
    let back = hours_of("Australia/Lord_Howe", "2026-04-05", "2026-04-06");
    assert_eq!(
        back[..4],
        ["2026-04-05T00:00:00+11:00", "2026-04-05T01:00:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30"]
    );
    let forward = hours_of("Australia/Lord_Howe", "2026-10-04", "2026-10-05");
    assert_eq!(
        forward[..4],
        ["2026-10-04T00:00:00+10:30", "2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00"]
    );
    let tz = zone("Australia/Lord_Howe");
    let day = |d: &str| instant_ms(tz, "from", d).unwrap();
    assert_eq!(day("2026-04-06") - day("2026-04-05"), 24 * HOUR_MS + HOUR_MS / 2);
    assert_eq!(day("2026-10-05") - day("2026-10-04"), 23 * HOUR_MS + HOUR_MS / 2);
}

#[test]
fn a_time_that_was_skipped_is_the_skip_and_one_shown_twice_is_the_first() {
    let berlin = zone("Europe/Berlin");
    assert_eq!(instant_ms(berlin, "from", "2026-03-29T02:30").unwrap(), at("2026-03-29T01:00:00Z"));
    assert_eq!(instant_ms(berlin, "from", "2026-10-25T02:30").unwrap(), at("2026-10-25T00:30:00Z"));
    // Samoa went without 30 December 2011; the day before it is followed by the 31st.
    let apia = zone("Pacific/Apia");
    assert_eq!(instant_ms(apia, "from", "2011-12-30").unwrap(), at("2011-12-30T10:00:00Z"));
    assert_eq!(instant_ms(apia, "from", "2011-12-31").unwrap(), at("2011-12-30T10:00:00Z"));
    let days = starts_ms(apia, Step::Day, instant_ms(apia, "from", "2011-12-29").unwrap(), instant_ms(apia, "to", "2012-01-01").unwrap());
    assert_eq!(days.iter().map(|&d| label(apia, d)).collect::<Vec<_>>(), ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"]);
    // Midnight itself is skipped in Cairo when summer begins.
    assert_eq!(label(zone("Africa/Cairo"), instant_ms(zone("Africa/Cairo"), "from", "2026-04-24").unwrap()), "2026-04-24T01:00:00+03:00");
}

#[test]
fn every_way_to_write_a_time_is_read() {
    let tz = zone("Asia/Shanghai");
    for text in [
        "2026-11-23T01:30:00Z",
        "2026-11-23T09:30:00+08:00",
        "2026-11-23T09:30:00 08:00",
        "2026-11-23T09:30",
        "2026-11-23 09:30:00",
        "2026-11-23T09:30:00.000",
    ] {
        assert_eq!(instant_ms(tz, "from", text).unwrap(), at("2026-11-23T01:30:00Z"), "{text}");
    }
    for text in ["", "yesterday", "2026-13-01", "2026-11-23T25:00", "1790000000000"] {
        let error = instant_ms(tz, "from", text).unwrap_err();
        assert!(matches!(&error, Error::Parameter { field, .. } if field == "from"), "{text}: {error}");
    }
    assert!(matches!(parse("Mars/Olympus"), Err(Error::Parameter { field, .. }) if field == "tz"));
    assert!(Step::parse("2h").unwrap_err().to_string().contains("5m, 1h and 1d"));
}

proptest! {
    /// Buckets cover the range without gap or overlap, each within one offset and, for hours, one local hour.
    #[test]
    fn buckets_partition_time(index in 0usize..600, from in 315_532_800i64..2_524_608_000, hours in 1i64..1500) {
        let tz = chrono_tz::TZ_VARIANTS[index % chrono_tz::TZ_VARIANTS.len()];
        let from = from * SECOND_MS;
        let to = from + hours * HOUR_MS;
        for step in [Step::FiveMinutes, Step::Hour, Step::Day] {
            let starts = starts_ms(tz, step, from, to);
            prop_assert_eq!(starts[0], from);
            prop_assert!(starts.windows(2).all(|w| w[0] < w[1]) && starts[starts.len() - 1] < to);
            prop_assert_eq!(bucket_ms(&starts, from - 1), None);
            for (i, &start) in starts.iter().enumerate() {
                let last = starts.get(i + 1).copied().unwrap_or(to) - 1;
                prop_assert_eq!(bucket_ms(&starts, start), Some(start));
                prop_assert_eq!(bucket_ms(&starts, last), Some(start));
                if i > 0 {
                    prop_assert_eq!(floor_ms(tz, step, last), start);
                }
                if step == Step::Hour {
                    prop_assert_eq!(offset_ms(tz, start), offset_ms(tz, last));
                    prop_assert_eq!((start + offset_ms(tz, start)).div_euclid(HOUR_MS), (last + offset_ms(tz, last)).div_euclid(HOUR_MS));
                }
            }
        }
    }
}
