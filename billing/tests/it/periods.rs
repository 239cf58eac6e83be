//! Months, zones, and the days on which clocks change.

use chrono::NaiveDate;
use chrono_tz::Tz;
use livemeter_billing::{Period, PeriodError};

fn zone(name: &str) -> Tz {
    name.parse().expect("a zone")
}

#[test]
fn a_month_of_shanghai_starts_at_16_utc_the_day_before() {
    let period = Period::parse(zone("Asia/Shanghai"), "2026-10").expect("a month");
    let start = chrono::DateTime::from_timestamp_millis(period.start_ms()).expect("a time");
    assert_eq!(start.to_rfc3339(), "2026-09-30T16:00:00+00:00");
    assert_eq!((period.windows(), period.days().len()), (8_928, 31));
    let hours = period.hours();
    assert_eq!((hours[0], hours[95], hours[96]), (0, 7, 8));
}

#[test]
fn days_on_which_clocks_change_are_shorter_or_longer() {
    let windows = |name: &str, month: &str, day: usize| Period::parse(zone(name), month).expect("a month").days()[day - 1].windows;
    assert_eq!((windows("Europe/Berlin", "2026-03", 29), windows("Europe/Berlin", "2026-10", 25)), (276, 300));
    assert_eq!((windows("America/New_York", "2026-03", 8), windows("America/New_York", "2026-11", 1)), (276, 300));
    assert_eq!(windows("Australia/Lord_Howe", "2026-10", 4), 282);
    // Midnight itself is skipped: the day begins at one o'clock.
    assert_eq!(windows("Africa/Cairo", "2026-04", 24), 276);
    assert_eq!(windows("Asia/Kathmandu", "2026-10", 1), 288);
}

#[test]
fn windows_and_moments_find_each_other() {
    let period = Period::parse(zone("Europe/Berlin"), "2026-10").expect("a month");
    for (i, day) in period.days().iter().enumerate() {
        assert_eq!(period.day_of(day.first), Some(day));
        assert_eq!(period.day_of(day.first + day.windows - 1), Some(day), "day {i}");
    }
    assert_eq!(period.index(period.start_ms()), Some(0));
    assert_eq!(period.index(period.start_ms() - 1), None);
    assert_eq!(period.index(period.end_ms() - 1), Some(period.windows() - 1));
    assert_eq!(period.index(period.end_ms()), None);
    // The hour that comes twice.
    let hours = &period.hours()[24 * 288..];
    assert_eq!((hours[2 * 12], hours[3 * 12], hours[4 * 12]), (2, 2, 3));
}

#[test]
fn a_month_is_cut_to_the_contract() {
    let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
    let month = Period::parse(zone("Asia/Shanghai"), "2026-10").expect("a month");
    let cut = month.within(date("2026-10-16"), Some(date("2026-12-31"))).expect("a part");
    assert_eq!((cut.days().len(), cut.days_asked(), cut.from()), (16, 31, date("2026-10-16")));
    let outside = month.within(date("2026-11-01"), None);
    assert!(matches!(outside, Err(PeriodError::OutsideValidity { .. })));
}

#[test]
fn what_is_no_period_is_refused() {
    let parse = |text: &str| Period::parse(Tz::UTC, text).expect_err("no period");
    for text in [
        "2026",
        "2026-13",
        "2026-10-01",
        "october",
        "2026-10-01..",
        "2026-10-01..2026-09-31",
        "",
        "+262142-12",
        "+262142-12-31..+262142-12-31",
    ] {
        assert!(matches!(parse(text), PeriodError::Text { .. }), "{text:?}");
    }
    assert!(matches!(parse("2026-10-02..2026-10-01"), PeriodError::UpsideDown { .. }));
    assert!(matches!(parse("2024-01-01..2026-01-01"), PeriodError::TooLong { days: 732 }));
    // Amsterdam's clock was 20 minutes and some seconds ahead: no window begins with its days.
    assert!(matches!(Period::parse(zone("Europe/Amsterdam"), "1880-01"), Err(PeriodError::Zone { .. })));
}
