//! A ledger part of which was compacted: files as the processor writes them and files as compaction
//! leaves them, side by side in one partition, answer as one.

use crate::support::{Increment, Ledger, Service, Start, at};
use serde_json::{Value, json};

async fn commits(ledger: &Ledger, minutes: std::ops::Range<i64>) {
    for minute in minutes {
        let one = |cdn, session: String| {
            let mut increment = Increment::new("2026-11-23T10:00:00Z", cdn, &session, 1_000 + minute).played(60_000, minute, 1);
            increment.at_ms += minute * 60_000;
            increment
        };
        // Long ids are laid out otherwise than short ones.
        ledger.increments(&[one("cdn-a", format!("s{}", minute % 3)), one("cdn-b", format!("a-session-with-a-long-id-{minute}"))]).await;
        let start =
            |cdn, session| Start { at_ms: at("2026-11-23T10:00:00Z") + minute * 60_000, cdn, session, seq: minute, startup_ms: minute };
        ledger.starts(&[start("cdn-a", format!("s{minute}"))]).await;
    }
}

async fn answers(service: &Service) -> Vec<Value> {
    let mut answers = Vec::new();
    for path in [
        "/v1/reports/traffic?by=time,cdn&step=5m&from=2026-11-23&to=2026-11-24",
        "/v1/reports/traffic?by=user&from=2026-11-23&to=2026-11-24",
        "/v1/reports/quality?by=cdn,programme&from=2026-11-23&to=2026-11-24&app=demo",
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body());
        answers.push(answer.json()["rows"].clone());
    }
    for sql in [
        "SELECT session_id, user_id, cdn, sum(bytes) FROM increments WHERE cdn LIKE 'cdn-%' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        "SELECT upper(cdn) || '/' || programme_id, min(session_id), max(region), count(DISTINCT session_id) FROM increments GROUP BY 1 ORDER BY 1",
        "SELECT DISTINCT date, status, app FROM increments WHERE date = '2026-11-23' AND session_id IN ('s1', 'a-session-with-a-long-id-1')",
        "SELECT i.session_id, count(*) FROM increments i JOIN events e ON i.session_id = e.session_id AND i.date = e.date GROUP BY 1 ORDER BY 1",
        "SELECT length(raw), cause, type FROM events ORDER BY seq LIMIT 1",
    ] {
        answers.push(service.rows(sql).await);
    }
    answers
}

#[tokio::test]
async fn compaction_changes_no_answer() {
    let (plain, compacted) = (Ledger::empty(), Ledger::empty());
    for ledger in [&plain, &compacted] {
        commits(ledger, 0..8).await;
    }
    let service = compacted.serve(|_| ()).await;
    service.rows("SELECT count(*) FROM increments").await;
    compacted.compact().await;
    let (of_plain, of_compacted) = (plain.serve(|_| ()).await, service);
    assert_eq!(answers(&of_compacted).await, answers(&of_plain).await);
    // New files beside the compacted ones; then those are compacted again, together.
    for ledger in [&plain, &compacted] {
        commits(ledger, 8..14).await;
    }
    let expected = answers(&of_plain).await;
    assert_eq!(answers(&of_compacted).await, expected);
    compacted.compact().await;
    assert_eq!(answers(&of_compacted).await, expected);
    assert_eq!(of_compacted.rows("SELECT sum(bytes), count(*) FROM increments").await, json!([[28_182, 28]]));
}
