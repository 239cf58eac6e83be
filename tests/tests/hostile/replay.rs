//! Batches that were heard on the way and are sent again: any number of them, in any order, from anywhere. Each is
//! answered as the first was, and no figure moves.

use futures::future::join_all;
use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::tree::Tree;
use livemeter_tests::wait;
use serde_json::{Value, json};

const TIMES: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn batches_sent_again_change_no_figure() {
    let broker = Broker::start(Kind::Embedded).await;
    let flags: &[(&'static str, &[&str])] = &[("process", &["--commit-interval", "300ms"]), ("query", &["--refresh-interval", "200ms"])];
    let tree = Tree::start_with(&broker.addr(), flags).await;
    let (ingest, query) = (tree.ingest(), tree.query());
    let mut viewer = Session::new("replayed", "user", "cdn-a");
    let mut heard = Vec::new();
    for n in 1..=5 {
        let events = vec![viewer.plays(1_000 * n, 100).stalls(7).heartbeat(), viewer.stall(7)];
        heard.push(batch(events));
        let answer = ingest.post_json("/v1/events", heard.last().expect("one")).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let expected = json!([15_000, 500, 35, 5, 5]);
    figures_are(&query, &expected).await;

    for round in 0..TIMES / 50 {
        let again = (0..50).map(|n| {
            // Never in the order in which they came.
            let (ingest, body) = (ingest.clone(), heard[(n * 3 + round) % heard.len()].clone());
            async move { ingest.post_json("/v1/events", &body).await.expect("an answer").status }
        });
        let said = join_all(again).await;
        assert!(said.iter().all(|status| *status == 200), "{said:?}");
    }
    // One honest byte more tells that all before it has been booked: its session is on the same partition.
    let last = batch(vec![viewer.plays(1, 1).heartbeat()]);
    assert_eq!(ingest.post_json("/v1/events", &last).await.expect("an answer").status, 200);
    figures_are(&query, &json!([15_001, 501, 35, 5, 5])).await;
    println!("hostile: {TIMES} batches of 2 events sent again: all 200, no figure moved");
}

/// Bytes, play, stall, stalls, and the events that explain them.
async fn figures_are(query: &livemeter_tests::http::Http, expected: &Value) {
    let sql = format!(
        "SELECT SUM(bytes) AS bytes, SUM(play_ms) AS play, SUM(stall_ms) AS stall, SUM(stalls) AS stalls, \
         (SELECT COUNT(*) FROM events WHERE app = '{APP}') AS told FROM increments WHERE app = '{APP}'"
    );
    wait::until("the figures", || async {
        let answer = query.post_json("/v1/sql", &json!({ "sql": sql })).await?.json();
        let found = answer["rows"][0].clone();
        if found == *expected { Ok(()) } else { Err(format!("{found} instead of {expected}: {answer}")) }
    })
    .await;
}
