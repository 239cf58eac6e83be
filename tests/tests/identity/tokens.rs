//! Session tokens: one viewer cannot post as another, nor put bytes on a CDN that the token does not name.

use crate::{post, tree};
use livemeter_tests::apps::Apps;
use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::wait;
use serde_json::{Value, json};

fn with(token: &str, events: Vec<Value>) -> Value {
    let mut body = batch(events);
    body["token"] = json!(token);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_speaks_for_nobody_else_and_only_of_the_cdns_it_was_sent_to() {
    let (apps, key) = Apps::with_tokens();
    let broker = Broker::start(Kind::Embedded).await;
    let tree = tree(&broker, &apps, &["--token-leeway", "0s"]).await;
    let (mut ada, mut mallory) = (Session::new("s-ada", "ada", "cdn-a"), Session::new("s-mal", "mallory", "cdn-a"));

    for kid in ["ed", "hs"] {
        let answer = post(&tree, &key, &with(&apps.token(kid, "ada", &[]), vec![ada.plays(1_000, 100).heartbeat()])).await;
        assert_eq!(answer.status, 200, "{kid}: {}", answer.text());
    }

    // With a token of one's own: as another, of another CDN. The good event beside them is taken.
    let own = apps.token("ed", "mallory", &[]);
    let mut inflated = mallory.clone().plays(7, 1).heartbeat();
    inflated["counters"] = json!([inflated["counters"][0], inflated["counters"][0]]);
    inflated["counters"][1]["cdn"] = json!("cdn-b");
    inflated["counters"][1]["bytes"] = json!(999_999_999);
    let as_ada = Session::new("s-ada", "ada", "cdn-a").plays(888_888_888, 1).heartbeat();
    let answer = post(&tree, &key, &with(&own, vec![as_ada, inflated, mallory.plays(7, 1).heartbeat()])).await;
    let said = answer.json();
    let told: Vec<_> = (0..3).map(|i| (said["events"][i]["code"].clone(), said["events"][i]["field"].clone())).collect();
    let forbidden = |field: &str| (json!("forbidden"), json!(field));
    assert_eq!(told, [forbidden("user_id"), forbidden("counters[1].cdn"), (Value::Null, Value::Null)], "{said}");

    // Tokens that prove nothing cost the whole batch.
    let good = apps.token("ed", "ada", &[]);
    let (head, signature) = good.rsplit_once('.').expect("three parts");
    let (_, claims_of_mallory) = own.rsplit_once('.').expect("three parts").0.split_once('.').expect("two parts");
    let forged = format!("{}.{claims_of_mallory}.{signature}", head.split_once('.').expect("two parts").0);
    for (what, token, says) in [
        ("none", None, "missing"),
        ("another's claims under this signature", Some(forged), "signature"),
        ("no JWT", Some("lm".to_owned()), "no JWT"),
        ("expired", Some(expired(&apps).await), "expired"),
    ] {
        let event = vec![ada.clone().plays(77_777_777, 1).heartbeat()];
        let body = token.map_or_else(|| batch(event.clone()), |token| with(&token, event.clone()));
        let answer = post(&tree, &key, &body).await;
        assert_eq!((answer.status, answer.json()["field"].clone()), (401, json!("token")), "{what}: {}", answer.text());
        assert!(answer.json()["reason"].as_str().is_some_and(|reason| reason.contains(says)), "{what}: {}", answer.text());
    }

    // What the ledger has is what was allowed, to the byte.
    wait::until("the traffic report", || async {
        let rows = tree.query().get(&format!("/v1/reports/traffic?by=cdn&app={APP}")).await?.json()["rows"].clone();
        let found: Vec<(Value, Value)> = rows.as_array().into_iter().flatten().map(|r| (r["cdn"].clone(), r["bytes"].clone())).collect();
        if found == [(json!("cdn-a"), json!(2_007))] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}

/// A token that was good for a second.
async fn expired(apps: &Apps) -> String {
    let token = apps.token("ed", "ada", &["--ttl", "1"]);
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    token
}
