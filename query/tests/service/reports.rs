//! The two reports against ledgers whose every row is known: exact totals, local days around changes of
//! the clock, and what is refused.

use crate::support::{Increment, Ledger, Start, at};
use serde_json::{Value, json};

fn starts(times: &[(&str, &'static str, &str, i64)]) -> Vec<Start> {
    let start = |(i, (time, cdn, session, startup_ms)): (usize, &(&str, &'static str, &str, i64))| Start {
        at_ms: at(time),
        cdn,
        session: (*session).into(),
        seq: i as i64,
        startup_ms: *startup_ms,
    };
    times.iter().enumerate().map(start).collect()
}

async fn rows(service: &crate::support::Service, path: &str) -> Value {
    let answer = service.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body());
    answer.json()["rows"].clone()
}

#[tokio::test]
async fn traffic_is_exact_to_the_byte() {
    let ledger = Ledger::empty();
    let mut rejected = Increment::new("2026-11-23T10:00:00Z", "cdn-a", "s1", 1_000_000);
    rejected.status = "quarantined";
    let mut other_app = Increment::new("2026-11-23T10:00:00Z", "cdn-a", "s1", 5);
    other_app.app = "other";
    let mut aborted = Increment::new("2026-11-23T10:06:00Z", "cdn-a", "s2", 3_000);
    aborted.aborted_bytes = 7;
    ledger
        .increments(&[
            Increment::new("2026-11-23T10:00:00Z", "cdn-a", "s1", 1_001),
            Increment::new("2026-11-23T10:04:59Z", "cdn-a", "s2", 2_000),
            aborted,
            Increment::new("2026-11-23T10:09:00Z", "cdn-b", "s2", 9_007_199_254_740_993),
            rejected,
            other_app,
        ])
        .await;
    // A second commit, before and after midnight UTC: other partitions.
    ledger
        .increments(&[
            Increment::new("2026-11-22T23:59:59Z", "cdn-a", "s0", 10),
            Increment::new("2026-11-24T00:00:00Z", "cdn-a", "s3", 1 << 50),
        ])
        .await;
    let service = ledger.serve(|_| ()).await;
    let day = "from=2026-11-23&to=2026-11-24&app=demo";

    let answer = service.get(&format!("/v1/reports/traffic?{day}")).await.json();
    // cdn-a: 3,001 bytes in the first window (peak 3,001 × 8 ÷ 300 = 80), 3,000 in the second.
    assert_eq!(
        answer["rows"],
        json!([
            { "cdn": "cdn-b", "bytes": 9_007_199_254_740_993_i64, "aborted_bytes": 0, "sessions": 1, "peak_bandwidth_bps": 240_191_980_126_426_i64 },
            { "cdn": "cdn-a", "bytes": 6_001, "aborted_bytes": 7, "sessions": 2, "peak_bandwidth_bps": 80 },
        ])
    );
    assert_eq!(answer["from"], "2026-11-23T00:00:00Z");
    assert_eq!(answer["to"], "2026-11-24T00:00:00Z");
    assert_eq!((answer["table_version"].clone(), answer["truncated"].clone()), (json!(1), json!(false)));
    assert!(answer["definitions"].as_array().unwrap().iter().any(|d| d["name"] == "peak_bandwidth_bps"));

    // Without an app, the same session id of two apps is two sessions.
    let both = rows(&service, "/v1/reports/traffic?from=2026-11-23&to=2026-11-24&cdn=cdn-a").await;
    assert_eq!(both, json!([{ "cdn": "cdn-a", "bytes": 6_006, "aborted_bytes": 7, "sessions": 3, "peak_bandwidth_bps": 80 }]));
    // Totals: the peak is that of the sum, not a sum of peaks.
    let totals = rows(&service, &format!("/v1/reports/traffic?by=&{day}&user=user-of-s2")).await;
    assert_eq!(totals[0]["bytes"], json!(9_007_199_254_745_993_i64));
    assert_eq!(totals[0]["sessions"], json!(1));
    assert_eq!(totals[0]["peak_bandwidth_bps"], json!((9_007_199_254_740_993_i64 + 3_000) * 8 / 300));
    // All three days, a row per user, cut at two.
    let users = service.get("/v1/reports/traffic?by=user&from=2026-11-22&to=2026-11-25&limit=2").await.json();
    assert_eq!(users["truncated"], json!(true));
    assert_eq!(users["rows"].as_array().unwrap().len(), 2);
    assert_eq!(users["rows"][0]["user"], "user-of-s2");
    // The same as CSV.
    let csv = service.get(&format!("/v1/reports/traffic?{day}&format=csv")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("x-livemeter-table-version"), "1");
    let expected = "cdn,bytes,aborted_bytes,sessions,peak_bandwidth_bps\ncdn-b,9007199254740993,0,1,240191980126426\ncdn-a,6001,7,2,80\n";
    assert_eq!(csv.body(), expected);
}

#[tokio::test]
async fn a_sum_that_does_not_fit_is_refused_not_wrapped() {
    let ledger = Ledger::empty();
    let huge = |session| Increment::new("2026-11-23T10:00:00Z", "cdn-a", session, i64::MAX);
    ledger.increments(&[huge("s1"), huge("s2"), Increment::new("2026-11-23T10:00:00Z", "cdn-b", "s3", 1)]).await;
    let service = ledger.serve(|_| ()).await;
    let answer = service.get("/v1/reports/traffic?from=2026-11-23&to=2026-11-24").await;
    assert_eq!((answer.status, answer.json()["error"].clone(), answer.json()["field"].clone()), (400, json!("overflow"), json!("bytes")));
    let alone = rows(&service, "/v1/reports/traffic?from=2026-11-23&to=2026-11-24&cdn=cdn-b").await;
    assert_eq!(alone[0]["bytes"], json!(1));
}

#[tokio::test]
async fn a_local_day_holds_exactly_its_own_hours() {
    let ledger = Ledger::empty();
    // One byte in every 5-minute window of 2026, told apart by nothing but time, around each change of clocks.
    let spans = [
        ("2026-03-27T00:00:00Z", 96),
        ("2026-10-23T00:00:00Z", 96),
        ("2026-03-07T00:00:00Z", 72),
        ("2026-10-31T00:00:00Z", 72),
        ("2026-04-03T00:00:00Z", 96),
        ("2026-10-02T00:00:00Z", 96),
    ];
    let mut increments = Vec::new();
    for (from, hours) in spans {
        for window in 0..hours * 12 {
            let mut one = Increment::new(from, "cdn-a", "s", 1);
            one.at_ms += window * 300_000;
            increments.push(one);
        }
    }
    ledger.increments(&increments).await;
    let service = ledger.serve(|_| ()).await;
    // Zone, the day, the next, windows of the day, hour buckets of the day.
    for (tz, day, next, windows, hours) in [
        ("Europe/Berlin", "2026-03-28", "2026-03-29", 288, 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-30", 276, 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-26", 300, 25),
        ("America/New_York", "2026-03-08", "2026-03-09", 276, 23),
        ("America/New_York", "2026-11-01", "2026-11-02", 300, 25),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-06", 294, 25),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-05", 282, 24),
        ("Asia/Shanghai", "2026-10-25", "2026-10-26", 288, 24),
        ("Asia/Kathmandu", "2026-10-25", "2026-10-26", 288, 24),
    ] {
        let report = |step| format!("/v1/reports/traffic?by=time&step={step}&tz={tz}&from={day}&to={next}");
        let days = rows(&service, &report("1d")).await;
        assert_eq!(days.as_array().unwrap().len(), 1, "{tz} {day}");
        assert_eq!(days[0]["bytes"], json!(windows), "{tz} {day}");
        assert!(days[0]["time"].as_str().unwrap().starts_with(&format!("{day}T00:00:00")), "{tz} {day}");
        let by_hour = rows(&service, &report("1h")).await;
        let by_hour = by_hour.as_array().unwrap();
        assert_eq!(by_hour.len(), hours, "{tz} {day}");
        assert_eq!(by_hour.iter().map(|r| r["bytes"].as_i64().unwrap()).sum::<i64>(), windows, "{tz} {day}");
        assert_eq!(rows(&service, &report("5m")).await.as_array().unwrap().len() as i64, windows, "{tz} {day}");
    }
    let twice = rows(&service, "/v1/reports/traffic?by=time&tz=Europe/Berlin&from=2026-10-25T02:00&to=2026-10-25T03:00").await;
    let times: Vec<_> = twice.as_array().unwrap().iter().map(|r| (r["time"].as_str().unwrap(), r["bytes"].as_i64().unwrap())).collect();
    assert_eq!(times, [("2026-10-25T02:00:00+02:00", 12), ("2026-10-25T02:00:00+01:00", 12)]);
    // A Beijing day begins at 16:00 UTC the day before.
    let beijing = service.get("/v1/reports/traffic?by=time&step=1d&tz=Asia/Shanghai&from=2026-10-25&to=2026-10-26").await.json();
    assert_eq!(
        (beijing["from"].as_str(), beijing["rows"][0]["time"].as_str()),
        (Some("2026-10-25T00:00:00+08:00"), Some("2026-10-25T00:00:00+08:00"))
    );
    let utc = rows(&service, "/v1/reports/traffic?by=&from=2026-10-24T16:00:00Z&to=2026-10-25T16:00:00Z").await;
    assert_eq!(utc[0]["bytes"], beijing["rows"][0]["bytes"]);
}

#[tokio::test]
async fn quality_divides_sums_by_sums() {
    let ledger = Ledger::empty();
    let time = "2026-11-23T10:00:00Z";
    ledger
        .increments(&[
            Increment::new(time, "cdn-a", "s1", 1).played(60_000, 0, 0),
            Increment::new("2026-11-23T10:05:00Z", "cdn-a", "s1", 1).played(40_000, 5_000, 2),
            Increment::new(time, "cdn-a", "s2", 1).played(300_000, 0, 0),
            // Downloaded, never played: no view.
            Increment::new(time, "cdn-a", "s3", 1).played(0, 0, 0),
            Increment::new(time, "cdn-b", "s1", 1).played(0, 100, 1),
        ])
        .await;
    // 20 startups on A, 50 ms apart, one of them told twice; a session known by its start alone on C.
    let mut told: Vec<(String, i64)> = (1..=20).map(|i| (format!("v{i}"), i * 50)).collect();
    told.push(("v20".into(), 1));
    let told: Vec<_> = told.iter().map(|(session, ms)| (time, "cdn-a", session.as_str(), *ms)).chain([(time, "cdn-c", "w", 7)]).collect();
    ledger.starts(&starts(&told)).await;
    let service = ledger.serve(|_| ()).await;

    let rows = rows(&service, "/v1/reports/quality?from=2026-11-23&to=2026-11-24").await;
    let a = &rows[0];
    assert_eq!(a["cdn"], "cdn-a");
    assert_eq!(
        (a["play_ms"].as_i64(), a["stall_ms"].as_i64(), a["stalls"].as_i64(), a["views"].as_i64()),
        (Some(400_000), Some(5_000), Some(2), Some(2))
    );
    assert_eq!(a["stall_ratio"], json!(5_000.0 / 405_000.0));
    assert_eq!((a["stalls_per_100s"].clone(), a["stall_ms_per_100s"].clone()), (json!(0.5), json!(1250.0)));
    assert_eq!(a["stalled_views_ratio"], json!(0.5));
    // Nearest rank of 20: the 10th and the 19th; the repeated start changes nothing.
    assert_eq!((a["startup_p50_ms"].clone(), a["startup_p95_ms"].clone()), (json!(500.0), json!(950.0)));
    let others: Vec<_> = rows.as_array().unwrap()[1..].to_vec();
    let b = others.iter().find(|r| r["cdn"] == "cdn-b").unwrap();
    // Stalled without playing: a ratio of 1, but nothing per 100 seconds and no view.
    assert_eq!((b["stall_ratio"].clone(), b["stalls_per_100s"].clone(), b["views"].clone()), (json!(1.0), Value::Null, json!(0)));
    assert_eq!((b["stalled_views_ratio"].clone(), b["startup_p50_ms"].clone()), (Value::Null, Value::Null));
    let c = others.iter().find(|r| r["cdn"] == "cdn-c").unwrap();
    assert_eq!((c["play_ms"].clone(), c["stall_ratio"].clone(), c["startup_p95_ms"].clone()), (json!(0), Value::Null, json!(7.0)));

    // By every key at once, and as CSV with empty fields for null.
    let all = service.get("/v1/reports/quality?by=user,time,cdn,programme&from=2026-11-23&to=2026-11-24&cdn=cdn-b&format=csv").await;
    let expected = "time,cdn,programme,user,play_ms,stall_ms,stalls,views,stall_ratio,stalls_per_100s,stall_ms_per_100s,stalled_views_ratio,startup_p50_ms,startup_p95_ms\n\
                    2026-11-23T10:00:00Z,cdn-b,match-1,user-of-s1,0,100,1,0,1,,,,,\n";
    assert_eq!(all.body(), expected);
}

#[tokio::test]
async fn an_empty_ledger_answers_empty_reports() {
    let ledger = Ledger::empty();
    let service = ledger.serve(|_| ()).await;
    for name in ["traffic", "quality"] {
        let report = service.get(&format!("/v1/reports/{name}?by=cdn,time")).await;
        assert_eq!((report.status, report.json()["rows"].clone(), report.json()["table_version"].clone()), (200, json!([]), Value::Null));
        let totals = rows(&service, &format!("/v1/reports/{name}?by=")).await;
        assert_eq!(totals.as_array().unwrap().len(), 1);
    }
    // Only one of the two tables is there.
    ledger.increments(&[Increment::new("2026-11-23T10:00:00Z", "cdn-a", "s1", 1).played(1_000, 0, 0)]).await;
    let report = rows(&service, "/v1/reports/quality?from=2026-11-23&to=2026-11-24").await;
    assert_eq!((report[0]["views"].clone(), report[0]["startup_p50_ms"].clone()), (json!(1), Value::Null));
}

#[tokio::test]
async fn wrong_parameters_are_refused_by_name() {
    let ledger = Ledger::empty();
    let service = ledger.serve(|_| ()).await;
    for (query, field, says) in [
        ("tz=Mars/Olympus", "tz", "IANA"),
        ("by=region", "by", "cdn, programme, user and time"),
        ("by=cdn,cdn", "by", "twice"),
        ("by=time&step=2h", "step", "5m, 1h and 1d"),
        ("step=1h", "step", "by=time"),
        ("from=yesterday", "from", "RFC 3339"),
        ("to=2026-11-23T25:00", "to", "RFC 3339"),
        ("from=2026-11-24&to=2026-11-23", "from", "before"),
        ("from=2026-11-23&to=2026-11-23", "from", "before"),
        ("from=2020-01-01&to=2026-01-01", "from", "400"),
        ("from=1960-01-01&to=1960-01-02", "from", "1970"),
        ("zone=UTC", "zone", "known are by, from"),
        ("tz=UTC&tz=UTC", "tz", "twice"),
        ("limit=0", "limit", "1 to 10000"),
        ("limit=10001", "limit", "1 to 10000"),
        ("limit=many", "limit", "whole number"),
        ("format=xml", "format", "json and csv"),
    ] {
        for name in ["traffic", "quality"] {
            let answer = service.get(&format!("/v1/reports/{name}?{query}")).await;
            let problem = answer.json();
            assert_eq!(
                (answer.status, problem["error"].as_str(), problem["field"].as_str()),
                (400, Some("bad_parameter"), Some(field)),
                "{query}"
            );
            assert!(problem["reason"].as_str().unwrap().contains(says), "{query}: {problem}");
        }
    }
}

#[tokio::test]
async fn a_report_larger_than_the_memory_is_refused_and_gives_it_back() {
    let ledger = Ledger::empty();
    let rows: Vec<_> = (0..20_000).map(|i| Increment::new("2026-11-23T10:00:00Z", "cdn-a", &format!("session-{i}"), 1)).collect();
    ledger.increments(&rows).await;
    let service = ledger.serve(|c| c.memory_bytes_max = 1 << 20).await;
    for name in ["traffic", "quality"] {
        let answer = service.get(&format!("/v1/reports/{name}?by=user&from=2026-11-23&to=2026-11-24")).await;
        assert_eq!((answer.status, answer.json()["error"].clone(), answer.json()["limit"].clone()), (503, json!("memory"), json!(1 << 20)));
        let held = service.get("/metrics").await;
        assert!(held.body().contains("livemeter_query_memory_bytes 0\n"), "{}", held.body());
    }
    let enough = ledger.serve(|c| c.memory_bytes_max = 32 << 20).await;
    let all = self::rows(&enough, "/v1/reports/traffic?from=2026-11-23&to=2026-11-24").await;
    assert_eq!((all[0]["sessions"].clone(), all[0]["bytes"].clone()), (json!(20_000), json!(20_000)));
}
