//! The statements that make the tables of which every date stands alone, and the pieces that statements are
//! made of. Sessions, which cross midnight, are in [`super::sessions`].

use livemeter_schemas::derived::{STALLS, TRAFFIC_5M, USAGE_DAILY};
use std::collections::BTreeSet;

/// The five sums of every table.
pub const AMOUNTS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];

/// What makes one date of a table; none when its dates do not stand alone.
pub fn of_date(table: &str, date: &str) -> Option<String> {
    match table {
        TRAFFIC_5M => Some(sums("window_start, app, programme_id, cdn, region", "app, programme_id, cdn, region, window_start", date)),
        USAGE_DAILY => Some(sums("app, user_id, cdn", "app, user_id, cdn", date)),
        STALLS => Some(stalls(date)),
        _ => None,
    }
}

/// First per session, then over sessions: sessions are counted exactly, and both steps can spill.
fn sums(keys: &str, order: &str, date: &str) -> String {
    let (amounts, date) = (each(|name| format!("SUM({name}) AS {name}")), text(date));
    format!(
        "SELECT {keys}, {amounts}, COUNT(*) AS sessions, {date} AS date FROM ( \
           SELECT {keys}, session_id, {amounts} FROM increments WHERE date = {date} AND status = 'booked' GROUP BY {keys}, session_id \
         ) GROUP BY {keys} ORDER BY {order}"
    )
}

/// Of repeated events the first on Kafka counts, on whichever side of midnight it stands.
fn stalls(date: &str) -> String {
    let (before, after) = (text(&super::changes::day(date, -1)), text(&super::changes::day(date, 1)));
    let date = text(date);
    format!(
        "SELECT at, COALESCE(began_at, at) AS began_at, app, programme_id, cdn, region, asn, user_id, session_id, seq, \
           COALESCE(stall_ms, 0) AS stall_ms, stall_kind AS kind, media, threshold_ms, cause, last_status, last_throughput_bps, date \
         FROM ( \
           SELECT *, ROW_NUMBER() OVER (PARTITION BY app, session_id, seq ORDER BY kafka_generation, kafka_partition, kafka_offset) AS nth \
           FROM events WHERE type = 'stall' AND date >= {before} AND date <= {after} \
         ) WHERE nth = 1 AND date = {date} ORDER BY app, at, session_id, seq"
    )
}

/// The five sums, each in some form.
pub fn each(form: impl Fn(&str) -> String) -> String {
    AMOUNTS.map(form).join(", ")
}

/// A text as a literal.
pub fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A time as a literal.
pub fn at(ms: i64) -> String {
    format!("arrow_cast({}, 'Timestamp(µs, \"UTC\")')", ms.saturating_mul(1000))
}

/// A type's own null.
pub fn null(kind: &str) -> String {
    match kind {
        "at" => "arrow_cast(NULL, 'Timestamp(µs, \"UTC\")')".into(),
        other => format!("CAST(NULL AS {other})"),
    }
}

/// A condition on `date`: one range for each run of dates, since lists of dates do not prune.
pub fn on_dates(dates: &BTreeSet<String>) -> String {
    let mut ranges: Vec<(&str, &str)> = Vec::new();
    for date in dates {
        match ranges.last_mut() {
            Some(range) if super::changes::day(range.1, 1) == *date => range.1 = date,
            _ => ranges.push((date, date)),
        }
    }
    if ranges.is_empty() {
        return "FALSE".into();
    }
    let ranges = ranges.iter().map(|(from, to)| format!("(date >= {} AND date <= {})", text(from), text(to)));
    format!("({})", ranges.collect::<Vec<_>>().join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_dates_become_ranges() {
        let dates = ["2026-11-30", "2026-12-01", "2026-12-03"].map(str::to_owned).into();
        assert_eq!(
            on_dates(&dates),
            "((date >= '2026-11-30' AND date <= '2026-12-01') OR (date >= '2026-12-03' AND date <= '2026-12-03'))"
        );
        assert_eq!(on_dates(&BTreeSet::new()), "FALSE");
        assert_eq!(text("it's"), "'it''s'");
    }
}
