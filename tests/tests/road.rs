//! The whole road, over both brokers: what players post by HTTP is what the reports say, exactly; what
//! is wrong is refused by name and can be found again; an absent broker means 503, never a false 2xx.

#[path = "road/bad_input.rs"]
mod bad_input;
#[path = "road/outage.rs"]
mod outage;
#[path = "road/sql.rs"]
mod sql;

use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::http::Http;
use livemeter_tests::tree::Tree;
use livemeter_tests::wait;
use serde_json::{Value, json};

/// One test per broker from one async function of (broker, tree).
macro_rules! over_both_brokers {
    ($($name:ident => $case:path),* $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn apache() {
                super::on(super::Kind::Apache, $case).await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn embedded() {
                super::on(super::Kind::Embedded, $case).await;
            }
        }
    )*};
}

over_both_brokers! {
    figures_are_exact => crate::figures_are_exact,
    bad_input_is_refused_by_name_and_found_again => crate::bad_input::is_refused_by_name_and_found_again,
    bodies_beyond_the_limits_are_refused => crate::bad_input::bodies_beyond_the_limits_are_refused,
    only_selects_on_the_tables_are_answered => crate::sql::only_selects_on_the_tables_are_answered,
    an_absent_broker_means_503 => crate::outage::an_absent_broker_means_503,
}

async fn on<F: Future<Output = ()>>(kind: Kind, case: impl FnOnce(Broker, Tree) -> F) {
    let broker = Broker::start(kind).await;
    // Short waits: a test sees the same behaviour as a day would show, sooner.
    let flags: &[(&'static str, &[&str])] = &[
        ("ingest", &["--message-timeout", "5s", "--kafka-silence", "2s"]),
        ("process", &["--commit-interval", "500ms"]),
        ("query", &["--refresh-interval", "200ms"]),
    ];
    let tree = Tree::start_with(&broker.addr(), flags).await;
    case(broker, tree).await;
}

/// Posts a batch that must be accepted whole.
pub async fn accepted(ingest: &Http, events: Vec<Value>) {
    let count = events.len();
    let answer = ingest.post_json("/v1/events", &batch(events)).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!((&answer.json()["accepted"], &answer.json()["refused"]), (&json!(count), &json!(0)), "{}", answer.text());
}

/// A report's rows, over the last hours.
pub async fn report(query: &Http, name: &str, by: &str) -> Result<Vec<Value>, String> {
    let answer = query.get(&format!("/v1/reports/{name}?by={by}&app={APP}")).await?;
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.text()));
    }
    Ok(answer.json()["rows"].as_array().expect("rows").clone())
}

/// Waits until the traffic report says exactly this of each CDN: `(cdn, bytes, aborted, sessions)`.
pub async fn traffic_is(query: &Http, expected: &[(&str, u64, u64, u64)]) {
    let mut expected: Vec<_> = expected.iter().map(|(cdn, b, a, s)| json!([cdn, b, a, s])).collect();
    expected.sort_by_key(Value::to_string);
    wait::until("the traffic report", || async {
        let rows = report(query, "traffic", "cdn").await?;
        let mut found: Vec<_> = rows.iter().map(|r| json!([r["cdn"], r["bytes"], r["aborted_bytes"], r["sessions"]])).collect();
        found.sort_by_key(Value::to_string);
        if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
    })
    .await;
}

async fn figures_are_exact(_broker: Broker, tree: Tree) {
    let (ingest, query) = (tree.ingest(), tree.query());
    let mut sessions: Vec<Session> =
        (0..20).map(|n| Session::new(format!("s-{n}"), format!("user-{}", n % 5), if n % 2 == 0 { "cdn-a" } else { "cdn-b" })).collect();
    // Cumulative counters: the second heartbeat says it all, and saying it twice changes nothing.
    accepted(&ingest, sessions.iter_mut().map(|s| s.plays(1_000_003, 10_000).heartbeat()).collect()).await;
    let second: Vec<Value> = sessions.iter_mut().map(|s| s.plays(777, 5_001).aborts(13).stalls(1_250).heartbeat()).collect();
    accepted(&ingest, second.clone()).await;
    accepted(&ingest, second).await;
    let stalls: Vec<Value> = sessions.iter_mut().map(|s| s.stall(1_250)).collect();
    accepted(&ingest, stalls).await;

    traffic_is(&query, &[("cdn-a", 10 * 1_000_780, 130, 10), ("cdn-b", 10 * 1_000_780, 130, 10)]).await;
    let quality = report(&query, "quality", "cdn").await.expect("a report");
    for row in &quality {
        assert_eq!((&row["play_ms"], &row["stall_ms"], &row["stalls"]), (&json!(150_010), &json!(12_500), &json!(10)), "{row}");
        let ratio = row["stall_ratio"].as_f64().expect("a ratio");
        assert!((ratio - 12_500.0 / 162_510.0).abs() < 1e-12, "{ratio}");
    }
    let users = report(&query, "traffic", "user").await.expect("a report");
    assert_eq!(users.len(), 5);
    assert!(users.iter().all(|row| row["bytes"] == json!(4 * 1_000_780)), "{users:?}");

    // The event that explains a stall is there too, once, although its totals came from the counters.
    let counted = wait::until("the stalls", || async {
        let answer = query.post_json("/v1/sql", &json!({ "sql": "SELECT COUNT(*) AS n FROM events WHERE type = 'stall'" })).await?;
        let n = sql::cell(&answer.json(), "n");
        if n == json!(20) { Ok(n) } else { Err(format!("{n} of 20, {}", answer.text())) }
    });
    counted.await;
}
