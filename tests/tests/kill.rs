//! kill -9 of everything at once, in the middle of a simulated audience, twice. The audience lives on
//! and sends again what was not acknowledged. At the end the reports equal its own truth, to the byte.

use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::tree::Tree;
use livemeter_tests::truth;

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
        before = truth::grown(&tree.query(), APP, &mut audience, before).await;
        tree.kill9();
        broker.kill9();
        println!("{}, round {round}: killed with {before} bytes in the ledger", kind.name());
        broker.restart().await;
        tree.restart().await;
    }
    let truth = truth::told_by(&mut audience, &truth_path);
    truth::equal(&tree.query(), APP, &truth).await;
    // And once more after a clean stop: nothing was waiting to be booked twice.
    tree.stop();
    tree.restart().await;
    truth::equal(&tree.query(), APP, &truth).await;
}
