//! `livemeter up --kafka`: a cluster of the user's own instead of the embedded broker.

use crate::DEMO;
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::truth;
use livemeter_tests::up::Up;

#[tokio::test(flavor = "multi_thread")]
async fn a_real_cluster_takes_the_place_of_the_embedded_broker() {
    let cluster = Broker::start(Kind::Apache).await;
    let mut up = Up::new();
    up.start(&["--viewers", "0", "--kafka", &cluster.addr()]).await;
    assert_eq!(up.names(), ["ingest", "process", "query"]);
    let path = up.folder().join("truth.json");
    let mut audience = up.simulate(&["--viewers", "200", "--duration", "5s", "--heartbeat-interval", "1s"], &path);
    let truth = truth::told_by(&mut audience, &path);
    truth::equal(&up.query(), DEMO, &truth).await;
    assert!(truth::bytes(&up.query(), DEMO).await.expect("a report") > 0);
    assert!(up.interrupt().await.success());
}
