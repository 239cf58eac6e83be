//! More partitions under a running processor, by somebody who did not ask it: it stops, with instructions, before sessions
//! that moved between partitions could be booked twice.

use livemeter_schemas::record::EVENTS_TOPIC;
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::kafka;
use livemeter_tests::tree::Tree;
use livemeter_tests::truth;
use rdkafka::admin::{AdminOptions, NewPartitions};
use std::time::{Duration, Instant};

const APP: &str = "widened";

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_stops_when_its_topic_gets_more_partitions() {
    let broker = Broker::start(Kind::Apache).await;
    let mut tree =
        Tree::start_with(&broker.addr(), &[("process", &["--commit-interval", "500ms"]), ("query", &["--refresh-interval", "200ms"])])
            .await;
    let truth_path = tree.folder().join("truth.json");
    let flags = ["--app", APP, "--viewers", "20", "--seed", "5", "--duration", "120s", "--heartbeat-interval", "1s"];
    let mut audience = tree.simulate(&flags, &truth_path);
    truth::grown(&tree.query(), APP, &mut audience, 0).await;

    let more = NewPartitions::new(EVENTS_TOPIC, 6);
    let made = kafka::admin(&broker.addr()).create_partitions([&more], &AdminOptions::new()).await.expect("the broker answers");
    assert!(made.iter().all(Result::is_ok), "{made:?}");

    let began = Instant::now();
    let id = tree.process(1).expect("the processor runs").id();
    while livemeter_tests::process::runs(id) && began.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let told = tree.process(1).expect("it was started").log_tail();
    assert!(told.contains("the topic has 6 partitions, the ledger was written from 4"), "{told}");
    assert!(told.contains("raise `generation` by one"), "{told}");
    audience.kill9();
    tree.end_whatever(1);
}
