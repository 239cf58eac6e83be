//! kill -9 of everything at once, in the middle of a simulated audience, twice. The audience lives on
//! and sends again what was not acknowledged. At the end the reports equal its own truth, to the byte.

use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::http::Http;
use livemeter_tests::process::Process;
use livemeter_tests::tree::Tree;
use livemeter_tests::wait;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The audience's own end: its duration, what the crashes cost it, and its last counters.
const AUDIENCE_PATIENCE: Duration = Duration::from_secs(420);
const APP: &str = "killed";

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_tree_killed_in_the_middle_books_every_byte_once() {
    killed(Kind::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_and_apache_kafka_killed_in_the_middle_book_every_byte_once() {
    killed(Kind::Apache).await;
}

async fn killed(kind: Kind) {
    let mut broker = Broker::start(kind).await;
    let mut tree =
        Tree::start_with(&broker.addr(), &[("process", &["--commit-interval", "500ms"]), ("query", &["--refresh-interval", "200ms"])])
            .await;
    let truth_path = tree.folder().join("truth.json");
    let flags = ["--app", APP, "--viewers", "300", "--seed", "7", "--duration", "40s", "--heartbeat-interval", "1s", "--drain", "300s"];
    let mut audience = tree.simulate(&flags, &truth_path);

    let mut before = 0;
    for round in 1..=2 {
        // In the middle: more has reached the ledger since the last time, and more is under way.
        before = grown(&tree.query(), &mut audience, before).await;
        tree.kill9();
        broker.kill9();
        println!("{}, round {round}: killed with {before} bytes in the ledger", kind.name());
        broker.restart().await;
        tree.restart().await;
    }
    let status = audience.wait(AUDIENCE_PATIENCE);
    assert!(status.success(), "the audience ended with {status}\n{}", audience.log_tail());

    let truth = read(&truth_path);
    println!("truth: {truth}");
    assert_eq!(
        (&truth["events_unacknowledged"], &truth["refused"]),
        (&json!(0), &json!(0)),
        "the truth must be certain for this test to mean anything"
    );
    equal(&tree.query(), &truth).await;
    // And once more after a clean stop: nothing was waiting to be booked twice.
    tree.stop();
    tree.restart().await;
    equal(&tree.query(), &truth).await;
}

/// Waits until the ledger holds more bytes than `before`.
async fn grown(query: &Http, audience: &mut Process, before: i64) -> i64 {
    wait::until("the ledger to grow", || {
        let ended = audience.check();
        async move {
            ended?;
            let bytes = rows(query, "traffic").await?.iter().filter_map(|row| row["bytes"].as_i64()).sum();
            if bytes > before { Ok(bytes) } else { Err(format!("{bytes} bytes")) }
        }
    })
    .await
}

async fn rows(query: &Http, report: &str) -> Result<Vec<Value>, String> {
    let answer = query.get(&format!("/v1/reports/{report}?by=cdn&app={APP}")).await?;
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.text()));
    }
    Ok(answer.json()["rows"].as_array().expect("rows").clone())
}

/// Waits until both reports say what the truth says, for every CDN and every counter.
async fn equal(query: &Http, truth: &Value) {
    wait::until("the reports to equal the truth", || async {
        let (traffic, quality) = (rows(query, "traffic").await?, rows(query, "quality").await?);
        let cdns = truth["cdns"].as_object().expect("CDNs");
        if traffic.len() != cdns.len() {
            return Err(format!("{} CDNs instead of {}", traffic.len(), cdns.len()));
        }
        for (cdn, expected) in cdns {
            let of_cdn = |rows: &[Value]| rows.iter().find(|row| row["cdn"] == *cdn).cloned().unwrap_or_default();
            let (traffic, quality) = (of_cdn(&traffic), of_cdn(&quality));
            for (row, field) in
                [(&traffic, "bytes"), (&traffic, "aborted_bytes"), (&quality, "play_ms"), (&quality, "stall_ms"), (&quality, "stalls")]
            {
                if row[field] != expected[field] {
                    return Err(format!("{cdn}: {field} is {}, the truth is {}", row[field], expected[field]));
                }
            }
        }
        Ok(())
    })
    .await;
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the truth was written")).expect("JSON")
}
