//! Times as people write them in files: `2026-11-30T16:00:00Z`, or `2026-11-30` for its midnight UTC.

use chrono::{DateTime, NaiveDate, NaiveTime};

/// Milliseconds since 1970.
pub fn parse_ms(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
}

/// As [`parse_ms`] reads it.
pub fn show(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map_or_else(|| format!("{ms} ms"), |t| t.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

/// From a file: quoted, or as TOML's own date.
pub fn read(value: &toml::Value) -> Option<i64> {
    match value {
        toml::Value::String(text) => parse_ms(text),
        toml::Value::Datetime(time) => parse_ms(&time.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read_and_shown() {
        assert_eq!(parse_ms("1970-01-02"), Some(86_400_000));
        assert_eq!(parse_ms("1970-01-01T08:00:01+08:00"), Some(1_000));
        assert_eq!(parse_ms("tomorrow"), None);
        assert_eq!(show(86_400_000), "1970-01-02T00:00:00Z");
        let file: toml::Table = toml::from_str("a = 1970-01-02\nb = '1970-01-02'\nc = 5").unwrap();
        assert_eq!(["a", "b", "c"].map(|k| read(&file[k])), [Some(86_400_000), Some(86_400_000), None]);
    }
}
