//! Several processors over one topic, in a consumer group: they come, are killed, are frozen and come back, in
//! the middle of an audience. At the end the reports equal its own truth, to the byte.

use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::http::Http;
use livemeter_tests::process::Process;
use livemeter_tests::tree::Tree;
use livemeter_tests::{truth, wait};
use std::time::Duration;

const APP: &str = "shared";

#[tokio::test(flavor = "multi_thread")]
async fn workers_come_and_go_with_cooperative_rebalances() {
    come_and_go("classic").await;
}

/// KIP-848: Apache Kafka alone has it.
#[tokio::test(flavor = "multi_thread")]
async fn workers_come_and_go_with_kip_848() {
    come_and_go("consumer").await;
}

async fn come_and_go(protocol: &str) {
    let broker = Broker::start(Kind::Apache).await;
    let process = ["--assignment", "group", "--group-protocol", protocol, "--session-timeout", "6s", "--commit-interval", "500ms"];
    let snapshots = ["--snapshot-interval", "2s"];
    let flags: Vec<&str> = process.iter().chain(&snapshots).copied().collect();
    let mut tree = Tree::start_with(&broker.addr(), &[("process", &flags), ("query", &["--refresh-interval", "200ms"])]).await;
    let truth_path = tree.folder().join("truth.json");
    let audience = ["--app", APP, "--viewers", "300", "--seed", "11", "--duration", "45s", "--heartbeat-interval", "1s", "--drain", "300s"];
    let mut audience = tree.simulate(&audience, &truth_path);

    let mut before = truth::grown(&tree.query(), APP, &mut audience, 0).await;
    let mut second = tree.another_processor("second");
    partitions(&mut second).await;
    holds(&tree, 2).await;
    before = truth::grown(&tree.query(), APP, &mut audience, before).await;
    println!("{protocol}: two workers, {before} bytes");

    // The second is frozen until its partitions have gone to the first; then it wakes up as a zombie.
    second.pause();
    holds(&tree, 4).await;
    second.resume();
    before = truth::grown(&tree.query(), APP, &mut audience, before).await;
    println!("{protocol}: a zombie came back, {before} bytes");

    second.kill9();
    let mut third = tree.another_processor("third");
    partitions(&mut third).await;
    let status = third.terminate(Duration::from_secs(60));
    assert!(status.success(), "the third ended with {status}\n{}", third.log_tail());

    let truth = truth::told_by(&mut audience, &truth_path);
    truth::equal(&tree.query(), APP, &truth).await;
    tree.stop();
}

/// Waits until the first worker reads so many partitions.
async fn holds(tree: &Tree, partitions: usize) {
    let http = Http::new(tree.url(1));
    wait::until("partitions to move", || async {
        let metrics = http.get("/metrics").await?.text();
        let line = format!("livemeter_processor_partitions {partitions}\n");
        if metrics.contains(&line) { Ok(()) } else { Err(format!("the first worker does not read {partitions}")) }
    })
    .await;
}

/// Waits until a worker says that it reads something.
async fn partitions(worker: &mut Process) {
    wait::until("the worker to be given partitions", || {
        let ended = worker.check();
        let reads = worker.log_tail().contains("reading");
        async move {
            ended?;
            if reads { Ok(()) } else { Err("it reads nothing yet".to_owned()) }
        }
    })
    .await;
}
