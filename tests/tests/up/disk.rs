//! The disk: what the ledger holds is deleted from the embedded broker, never more; at the cap the
//! audience goes home and everything else stays.

use livemeter_tests::up::Up;
use livemeter_tests::{kafka, truth, wait};
use std::time::Duration;

const APP: &str = "trimmed";
const TOPIC: &str = "livemeter.events.v1";
const PARTITIONS: i32 = 4;
const BROKER: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_trimmed_and_at_the_cap_the_audience_goes_home() {
    let mut up = Up::new();
    up.start(&["--viewers", "0", "--disk-max", "32MiB"]).await;
    // An audience of our own that fills the broker's half of its share within seconds, and knows the truth.
    let path = up.folder().join("truth.json");
    let flags =
        ["--app", APP, "--viewers", "2000", "--duration", "30s", "--heartbeat-interval", "1s", "--connections", "64", "--drain", "300s"];
    let mut audience = up.simulate(&flags, &path);
    let low = wait::until("the broker to be trimmed", || async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match low(&up).await {
            0 => Err(format!("every record is still there\n{}", up.said())),
            low => Ok(low),
        }
    })
    .await;
    up.kill9_all().await;
    println!("killed after {low} records were deleted");

    // The same data under a smaller cap: the stored offsets lie within what the broker has, the tree's own
    // audience goes home, and whoever else watches is metered as before.
    up.start(&["--viewers", "100", "--disk-max", "16MiB"]).await;
    up.says("the simulated audience was stopped. Everything else goes on.").await;
    assert_eq!(up.names(), crate::NAMES);
    let truth = truth::told_by(&mut audience, &path);
    truth::equal(&up.query(), APP, &truth).await;
    up.says("no audience").await;
    assert!(up.interrupt().await.success());
}

/// Records deleted, over all partitions.
async fn low(up: &Up) -> i64 {
    let addr = up.addr(BROKER);
    let ask = move || (0..PARTITIONS).map(|partition| kafka::watermarks(&addr, TOPIC, partition).0).sum();
    tokio::task::spawn_blocking(ask).await.expect("asking does not panic")
}
