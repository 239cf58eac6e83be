//! The broker goes away and comes back. Ingest says so, loses nothing that it acknowledged, and returns
//! by itself; so does the processor.

use crate::{accepted, traffic_is};
use livemeter_tests::audience::{Session, batch};
use livemeter_tests::brokers::Broker;
use livemeter_tests::tree::Tree;
use livemeter_tests::wait;

pub async fn an_absent_broker_means_503(mut broker: Broker, mut tree: Tree) {
    let (ingest, query) = (tree.ingest(), tree.query());
    let mut viewer = Session::new("outage", "user", "cdn-a");
    accepted(&ingest, vec![viewer.plays(100, 100).heartbeat()]).await;
    traffic_is(&query, &[("cdn-a", 100, 0, 1)]).await;

    broker.kill9();
    // From here on no answer may be a success: there is nothing that could keep the event.
    let during = viewer.plays(10, 10).heartbeat();
    let answer = ingest.post_json("/v1/events", &batch(vec![during])).await.expect("an answer, not silence");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
    assert_eq!(answer.json()["retry"], true, "{}", answer.text());
    wait::until("readiness to say no", || async {
        let answer = ingest.get("/readyz").await?;
        if answer.status == 503 { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text())) }
    })
    .await;
    assert_eq!(ingest.get("/healthz").await.expect("an answer").status, 200, "alive all the same");
    // What is in the ledger can still be asked for.
    traffic_is(&query, &[("cdn-a", 100, 0, 1)]).await;

    broker.restart().await;
    let after = viewer.plays(1, 1).heartbeat();
    wait::until("ingest to take events again", || {
        let body = batch(vec![after.clone()]);
        let ingest = ingest.clone();
        async move {
            let answer = ingest.post_json("/v1/events", &body).await?;
            if answer.status == 200 { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text())) }
        }
    })
    .await;
    tree.ready().await;
    traffic_is(&query, &[("cdn-a", 111, 0, 1)]).await;
}
