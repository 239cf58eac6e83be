//! The traffic fold against a plain count over the same rows, in batches of any cut and of either layout.

use super::*;
use crate::config::Config;
use crate::report::resolve;
use arrow::array::{ArrayRef, Int64Array, StringArray, StringViewArray, TimestampMicrosecondArray};
use livemeter_schemas::reports::{Keys, ReportQuery};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Clone)]
struct Row {
    window: i64,
    app: String,
    cdn: String,
    user: String,
    session: String,
    bytes: i64,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0_i64..24, "[pq]", "cdn-[abc]", "u[0-3]", "s[0-9]", 0_i64..1_000_000)
        .prop_map(|(window, app, cdn, user, session, bytes)| Row { window, app, cdn, user, session, bytes });
    proptest::collection::vec(row, 0..200)
}

fn batch(rows: &[Row], views: bool) -> RecordBatch {
    let texts = |of: fn(&Row) -> &String| -> ArrayRef {
        let values = rows.iter().map(of);
        if views { Arc::new(StringViewArray::from_iter_values(values)) } else { Arc::new(StringArray::from_iter_values(values)) }
    };
    let at = rows.iter().map(|row| row.window * WINDOW_MS * 1_000);
    let bytes: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.bytes)));
    let columns: [(&str, ArrayRef); 7] = [
        ("at", Arc::new(TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC"))),
        ("app", texts(|row| &row.app)),
        ("session_id", texts(|row| &row.session)),
        ("cdn", texts(|row| &row.cdn)),
        ("user_id", texts(|row| &row.user)),
        ("bytes", Arc::clone(&bytes)),
        ("aborted_bytes", bytes),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn ask(by: &str, step: Option<&str>, limit: u32) -> Ask {
    let query = ReportQuery {
        by: Some(by.into()),
        step: step.map(str::to_owned),
        from: Some("1970-01-01T00:00:00Z".into()),
        to: Some("1970-01-01T02:00:00Z".into()),
        limit: Some(limit),
        ..ReportQuery::default()
    };
    resolve(query, 0, &Config::default()).unwrap()
}

/// The same report, counted the long way.
fn counted(rows: &[Row], by: &[&str], step_windows: i64) -> Vec<TrafficRow> {
    let mut groups: BTreeMap<(i64, Vec<String>), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let start = if by.contains(&"time") { row.window / step_windows * step_windows } else { 0 };
        let texts = [("cdn", &row.cdn), ("user", &row.user)].into_iter().filter(|(name, _)| by.contains(name));
        groups.entry((start, texts.map(|(_, text)| text.clone()).collect())).or_default().push(row);
    }
    let mut all = Vec::new();
    for ((start, texts), rows) in groups {
        let mut texts = texts.into_iter();
        let keys = Keys {
            time: by.contains(&"time").then(|| format!("1970-01-01T{:02}:{:02}:00Z", start / 12, start % 12 * 5)),
            cdn: by.contains(&"cdn").then(|| texts.next().unwrap()),
            programme: None,
            user: by.contains(&"user").then(|| texts.next().unwrap()),
        };
        let sessions: BTreeSet<_> = rows.iter().map(|row| (&row.app, &row.session)).collect();
        let mut windows: BTreeMap<i64, i64> = BTreeMap::new();
        rows.iter().for_each(|row| *windows.entry(row.window).or_default() += row.bytes);
        let bytes = rows.iter().map(|row| row.bytes).sum();
        let peak = windows.into_values().max().unwrap_or(0) * 8 / 300;
        all.push((start, TrafficRow { keys, bytes, aborted_bytes: bytes, sessions: sessions.len() as i64, peak_bandwidth_bps: peak }));
    }
    // Stable: what is equal stays in the order of its keys.
    all.sort_by_key(|(start, row)| (*start, -row.bytes));
    all.into_iter().map(|(_, row)| row).collect()
}

proptest! {
    #[test]
    fn folding_counts_what_a_plain_count_does(rows in rows(), cut in 1_usize..50, limit in 1_u32..40) {
        for (by, step, step_windows) in
            [("", None, 1), ("cdn", None, 1), ("user,cdn", None, 1), ("time,cdn", Some("5m"), 1), ("time,user", Some("1h"), 12), ("time", Some("1d"), 288)]
        {
            let ask = ask(by, step, limit);
            let mut traffic = Traffic::new(&ask);
            for (i, some) in rows.chunks(cut).enumerate() {
                let batch = batch(some, i % 2 == 0);
                prop_assert!(traffic.room_bytes(&batch).unwrap() > 0);
                traffic.add(&batch).unwrap();
            }
            let mut expected = counted(&rows, &by.split(',').collect::<Vec<_>>(), step_windows);
            let more = expected.len() > limit as usize;
            expected.truncate(limit as usize);
            if by.is_empty() && expected.is_empty() {
                expected.push(TrafficRow::default());
            }
            prop_assert_eq!(traffic.rows(&ask).unwrap(), (expected, more));
        }
    }
}
