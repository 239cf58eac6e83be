//! Request smuggling: every shape, sent many times, with a good request hidden in it. A proxy before this service may
//! see one request; then this service must carry out one, or none.

use crate::shapes::{self, Expect, Parts, Shape};
use crate::tally;
use futures::future::join_all;
use livemeter_tests::apps::Apps;
use livemeter_tests::audience::{Session, batch};
use livemeter_tests::edge::{Edge, Said};

const ROUNDS: usize = 4;
/// Connections at once.
const AT_ONCE: usize = 40;

fn judge(shape: &Shape, said: &Said) -> Result<(), String> {
    let refusals = said.statuses.iter().all(|status| (400..500).contains(status));
    let right = match shape.expect {
        Expect::Refused => said.statuses.len() <= 1 && refusals && said.closed,
        Expect::Once => said.statuses.len() <= 1,
        Expect::Taken => said.statuses == [200],
    };
    if right { Ok(()) } else { Err(format!("{}: {:?} was expected, this came: {said:?}", shape.what, shape.expect)) }
}

const TIMES: [&str; 4] = ["--head-timeout", "1s", "--body-timeout", "1s"];

#[tokio::test(flavor = "multi_thread")]
async fn no_shape_hides_a_second_request() {
    every_shape_against(&Edge::start(Apps::with(&[]), &TIMES).await, "").await;
}

/// Below TLS the same reader stands, but bytes come to it in records and an end is told otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn no_shape_hides_a_second_request_over_tls() {
    every_shape_against(&Edge::start_secure(Apps::with(&[]), &TIMES).await, " over TLS").await;
}

async fn every_shape_against(edge: &Edge, over: &str) {
    let good = |session: &str| batch(vec![Session::new(session, "u", "cdn-a").plays(1, 1).heartbeat()]).to_string();
    let as_request = |session: &str| {
        String::from_utf8(edge.request("POST", &edge.path(), "content-type: application/json\r\n", good(session).as_bytes())).expect("text")
    };

    // The hidden request is good: where it may be carried out, it is.
    let two = [as_request("control-1"), as_request("control-2")].concat();
    assert_eq!(edge.exchange(two.as_bytes()).await.statuses, [200, 200], "two honest requests on one connection");
    assert!(edge.sessions().contains(&"control-2".to_owned()), "an event that is carried out is found on Kafka");

    let (path, body, hidden) = (edge.path(), good("outer"), as_request("smuggled"));
    let shapes = shapes::all(&Parts { path: &path, body: &body, hidden: &hidden });
    let tries: Vec<&Shape> = (0..ROUNDS).flat_map(|_| shapes.iter()).collect();
    let (mut wrong, mut answers) = (Vec::new(), Vec::new());
    for some in tries.chunks(AT_ONCE) {
        for (shape, said) in some.iter().zip(join_all(some.iter().map(|shape| edge.exchange(&shape.bytes))).await) {
            wrong.extend(judge(shape, &said).err());
            answers.push((shape.expect == Expect::Refused, said.statuses.clone()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), tries.len(), wrong.join("\n"));
    let sessions = edge.sessions();
    assert!(!sessions.contains(&"smuggled".to_owned()), "a hidden request was carried out: {sessions:?}");
    let statuses = answers.into_iter().map(|(_, statuses)| statuses);
    edge.is_well(&format!(
        "{} shapes of smuggling{over}, {} tries: no hidden request carried out ({})",
        shapes.len(),
        tries.len(),
        tally(statuses)
    ))
    .await;
}
