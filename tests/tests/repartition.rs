//! More partitions in the middle of an audience's life: everything of the old generation is booked first, the
//! new one goes on from there, and what players send again and anew is booked once.

use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::process::Process;
use livemeter_tests::tree::Tree;
use livemeter_tests::{binary, truth};
use std::process::Command;
use std::time::Duration;

const APP: &str = "wider";

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_with_more_partitions_goes_on_where_the_old_generation_ended() {
    let broker = Broker::start(Kind::Apache).await;
    let mut tree =
        Tree::start_with(&broker.addr(), &[("process", &["--commit-interval", "500ms"]), ("query", &["--refresh-interval", "200ms"])])
            .await;
    let truth_path = tree.folder().join("truth.json");
    let flags = ["--app", APP, "--viewers", "100", "--seed", "5", "--duration", "40s", "--heartbeat-interval", "1s", "--drain", "300s"];
    let mut audience = tree.simulate(&flags, &truth_path);
    truth::grown(&tree.query(), APP, &mut audience, 0).await;

    // Ingest stops: the audience keeps what it has. The processor goes on until all of it is booked.
    tree.end(0);
    let mut command = Command::new(binary::path("livemeter"));
    command.args(["topics", "repartition", "--brokers", &broker.addr(), "--partitions", "7", "--ledger"]).arg(tree.folder().join("ledger"));
    let mut repartition = Process::start("repartition", command, &tree.folder().join("repartition.log"));
    let status = repartition.wait(Duration::from_secs(120));
    assert!(status.success(), "{}", repartition.log_tail());
    assert!(repartition.log_tail().contains("4 partitions are now 7"), "{}", repartition.log_tail());

    // The old generation's processor is fenced, with instructions, at its next commit or start.
    tree.end_whatever(1);
    tree.also("process", &["--generation", "2"]);
    tree.restart().await;
    let truth = truth::told_by(&mut audience, &truth_path);
    truth::equal(&tree.query(), APP, &truth).await;
    tree.stop();
}
