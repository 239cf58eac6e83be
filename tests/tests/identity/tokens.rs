//! Session tokens: one viewer cannot post as another, nor put bytes on a CDN that the token does not name.

use crate::{Apps, post, tree};
use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::wait;
use serde_json::{Value, json};

/// RFC 8410's example key.
const PRIVATE: &str =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

/// An app whose sessions need a token, with an EdDSA and an HS256 key.
fn apps() -> (Apps, String) {
    let (apps, key) = Apps::with(&[]);
    for (name, text) in [
        ("private.pem", PRIVATE),
        ("public.pem", PUBLIC),
        ("secret", "0123456789abcdef0123456789abcdef\n"),
        ("wrong", "another secret, as long as it must be\n"),
    ] {
        std::fs::write(apps.path(name), text).expect("written");
    }
    let words = "token_required = true\n[[app.token_key]]\nid = 'ed'\nalg = 'EdDSA'\npublic_key_file = 'public.pem'\n[[app.token_key]]\nid = 'hs'\nalg = 'HS256'\nsecret_file = 'secret'\n";
    // Before the list of keys: what follows it would belong to the key.
    apps.write(&apps.text().replacen("\n[[app.key]]", &format!("\n{words}\n[[app.key]]"), 1));
    (apps, key)
}

fn token(apps: &Apps, user: &str, kid: &str) -> String {
    token_good_for(apps, user, kid, "600")
}

fn token_good_for(apps: &Apps, user: &str, kid: &str, ttl_s: &str) -> String {
    let (file, flag) = if kid == "ed" { ("private.pem", "--private-key") } else { ("secret", "--secret") };
    let key = apps.path(file);
    let bound = ["--user", user, "--programme", "match-7", "--cdn", "cdn-a", "--ttl", ttl_s];
    let signed = [flag, key.to_str().expect("a plain path")];
    let out = apps.run(&[["apps", "token", "--app", APP, "--kid", kid].as_slice(), &bound, &signed].concat());
    String::from_utf8(out.stdout).expect("text").trim().to_owned()
}

fn with(token: &str, events: Vec<Value>) -> Value {
    let mut body = batch(events);
    body["token"] = json!(token);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_speaks_for_nobody_else_and_only_of_the_cdns_it_was_sent_to() {
    let (apps, key) = apps();
    let broker = Broker::start(Kind::Embedded).await;
    let tree = tree(&broker, &apps, &["--token-leeway", "0s"]).await;
    let (mut ada, mut mallory) = (Session::new("s-ada", "ada", "cdn-a"), Session::new("s-mal", "mallory", "cdn-a"));

    for kid in ["ed", "hs"] {
        let answer = post(&tree, &key, &with(&token(&apps, "ada", kid), vec![ada.plays(1_000, 100).heartbeat()])).await;
        assert_eq!(answer.status, 200, "{kid}: {}", answer.text());
    }

    // With a token of one's own: as another, of another CDN. The good event beside them is taken.
    let own = token(&apps, "mallory", "ed");
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
    let good = token(&apps, "ada", "ed");
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
    let token = token_good_for(apps, "ada", "ed", "1");
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    token
}
