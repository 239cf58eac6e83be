//! `livemeter up`: one command, one tree. What happens to it at kill -9, at Ctrl-C, when a child falls,
//! when its disk is full, and when it cannot start.

#[path = "up/disk.rs"]
mod disk;
#[path = "up/falls.rs"]
mod falls;
#[path = "up/kafka.rs"]
mod kafka;
#[path = "up/refusals.rs"]
mod refusals;

use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::http::Http;
use livemeter_tests::up::{Up, gone};
use livemeter_tests::{truth, wait};
use std::time::Duration;

const NAMES: [&str; 4] = ["ingest", "livemeter-broker", "process", "query"];

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_tree_killed_in_the_middle_books_every_byte_once() {
    let mut up = Up::new();
    let flags = ["--viewers", "0"];
    up.start(&flags).await;
    let path = up.folder().join("truth.json");
    let watching = ["--viewers", "300", "--seed", "11", "--duration", "40s", "--heartbeat-interval", "1s", "--drain", "300s"];
    let mut audience = up.simulate(&watching, &path);
    let mut before = 0;
    for round in 1..=2 {
        before = truth::grown(&up.query(), DEMO, &mut audience, before).await;
        assert_eq!(up.names(), NAMES);
        up.kill9_all().await;
        println!("round {round}: killed with {before} bytes in the ledger");
        up.start(&flags).await;
    }
    let truth = truth::told_by(&mut audience, &path);
    truth::equal(&up.query(), DEMO, &truth).await;
    // And once more after a clean end: nothing was waiting to be booked twice.
    assert!(up.interrupt().await.success());
    up.start(&flags).await;
    truth::equal(&up.query(), DEMO, &truth).await;
}

/// The app of a simulated audience, unless told otherwise.
const DEMO: &str = "demo";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_supervisor_leaves_no_orphans_and_ctrl_c_loses_nothing() {
    let mut up = Up::new();
    // With an audience of its own: it must go, too.
    up.start(&["--viewers", "50"]).await;
    let mut viewer = Session::new("s-1", "user-1", "cdn-a");
    watched(&up, &mut viewer).await;
    let children = up.children();
    assert_eq!(children.len(), NAMES.len() + 1, "{children:?}");
    up.kill9();
    // At once: the orphans may still be at work, and are waited for.
    up.start(&["--viewers", "0"]).await;
    gone(&children).await;
    booked(&up, &viewer).await;

    watched(&up, &mut viewer).await;
    // Accepted and not yet booked, perhaps: the next start goes on with it.
    accepted(&up.ingest(), viewer.plays(1_234, 1_000).heartbeat()).await;
    let status = up.interrupt().await;
    assert_eq!(status.code(), Some(0), "{}", up.said());
    assert!(up.said().contains("the next start goes on from here"), "{}", up.said());
    up.start(&["--viewers", "0"]).await;
    booked(&up, &viewer).await;
}

/// The viewer watches a little more, and all of it is in the ledger.
pub async fn watched(up: &Up, viewer: &mut Session) {
    let heartbeat = viewer.plays(1_000_003, 1_000).heartbeat();
    accepted(&up.ingest(), heartbeat).await;
    booked(up, viewer).await;
}

/// Posts as a player does: again, until it is accepted.
async fn accepted(ingest: &Http, heartbeat: serde_json::Value) {
    wait::until("the heartbeat to be accepted", || async {
        let answer = ingest.post_json("/v1/events", &batch(vec![heartbeat.clone()])).await?;
        match (answer.status, answer.json()["accepted"].as_u64()) {
            (200, Some(1)) => Ok(()),
            _ => {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Err(format!("{} {}", answer.status, answer.text()))
            }
        }
    })
    .await;
}

/// Waits until the ledger says exactly what the viewer counted.
async fn booked(up: &Up, viewer: &Session) {
    let expected = i64::try_from(viewer.bytes).expect("few bytes");
    let look = || async {
        let bytes = truth::bytes(&up.query(), APP).await?;
        if bytes == expected { Ok(()) } else { Err(format!("{bytes} bytes instead of {expected}")) }
    };
    wait::until("the ledger to hold what the viewer counted", look).await;
}
