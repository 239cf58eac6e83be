//! The disk: what the ledger holds is deleted from the embedded broker, never more; at the cap the
//! audience goes home and everything else stays.

use crate::{DEMO, watched};
use livemeter_tests::audience::Session;
use livemeter_tests::up::Up;
use livemeter_tests::{kafka, truth, wait};
use std::time::Duration;

const TOPIC: &str = "livemeter.events.v1";
const PARTITIONS: i32 = 4;
const BROKER: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_trimmed_and_at_the_cap_the_audience_goes_home() {
    let mut up = Up::new();
    // An audience that fills the broker's half of its share within seconds.
    let fast = [("LIVEMETER_SIMULATE_HEARTBEAT_INTERVAL", "1s"), ("LIVEMETER_SIMULATE_CONNECTIONS", "64")];
    up.start_with(&["--viewers", "2000", "--disk-max", "32MiB"], &fast).await;
    let low = wait::until("the broker to be trimmed", || async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match low(&up).await {
            0 => Err(format!("every record is still there\n{}", up.said())),
            low => Ok(low),
        }
    })
    .await;
    let before = truth::bytes(&up.query(), DEMO).await.expect("a report");
    up.kill9_all().await;
    println!("{low} records were deleted, {before} bytes are in the ledger");

    // The same data under a smaller cap, and the stored offsets still lie within what the broker has.
    up.start(&["--viewers", "100", "--disk-max", "16MiB"]).await;
    up.says("the simulated audience was stopped. Everything else goes on.").await;
    assert_eq!(up.names(), crate::NAMES);
    let after = truth::bytes(&up.query(), DEMO).await.expect("a report");
    assert!(after >= before, "{after} bytes after the restart, {before} before");
    let mut viewer = Session::new("s-1", "user-1", "cdn-a");
    watched(&up, &mut viewer).await;
    assert!(up.said().contains("no audience"), "the progress should tell\n{}", up.said());
    assert!(up.interrupt().await.success());
}

/// Records deleted, over all partitions.
async fn low(up: &Up) -> i64 {
    let addr = up.addr(BROKER);
    let ask = move || (0..PARTITIONS).map(|partition| kafka::watermarks(&addr, TOPIC, partition).0).sum();
    tokio::task::spawn_blocking(ask).await.expect("asking does not panic")
}
