//! Who may post, over HTTP: keys, tokens, origins, and what is stored of a user with a pseudonym.

use crate::memory::Mood;
use crate::service::{NOW, Said, Service, batch, heartbeat};
use hyper::Method;
use livemeter_ingest::identity::jws::Signer;
use livemeter_ingest::identity::token::{Body, sign};
use livemeter_ingest::identity::{Identity, InForce, apps, key, ring::Ring};
use livemeter_ingest::{Config, identity};
use serde_json::{Value, json};

const SECRET: &[u8] = b"a secret that is long enough for HS256";
const JSON: (&str, &str) = ("content-type", "application/json");

pub fn demo_key() -> String {
    key::compose([1; 4], [1; 32])
}

fn other_key() -> String {
    key::compose([2; 4], [2; 32])
}

/// `demo` with these further words, and `other`, each with a key.
pub async fn service(words: &str) -> Service {
    let keys = |id: &str, key: &str| format!("[[app.key]]\nid = '{id}'\nsha256 = '{}'\n", hex::encode(key::hash(key)));
    let text = format!(
        "[[app]]\nid = 'demo'\n{words}\n{}[[app.token_key]]\nid = 'k'\nalg = 'HS256'\nsecret_env = 'S'\n[[app]]\nid = 'other'\n{}",
        keys("01010101", &demo_key()),
        keys("02020202", &other_key())
    );
    let config = identity::Config::default();
    let apps = apps::parse(&text, &config, &|_| Ok(SECRET.to_vec())).unwrap();
    let ring = format!("[[key]]\nid = 'p1'\nvalid_from = 1970-01-01\nsecret = '{}'\n", "ab".repeat(32));
    let in_force = InForce::new(apps, Some(Ring::parse(&ring, 0).unwrap()), &config, 16);
    Service::known_to(Mood::Acks, Config::default(), Identity::known(in_force)).await
}

pub fn token(change: impl FnOnce(&mut Body)) -> String {
    let (aud, sub, prog) = ("demo".into(), "u1".into(), "p1".into());
    let mut body = Body { aud, sub, prog, cdns: vec!["cdn-a".into()], sid: None, exp: NOW / 1000 + 600, nbf: None };
    change(&mut body);
    sign(&body, "k", &Signer::hs256(SECRET).unwrap()).unwrap()
}

async fn post(service: &Service, key: &str, token: Option<&str>, events: &[String]) -> Said {
    let mut headers = vec![JSON];
    headers.extend(token.map(|token| ("livemeter-token", token)));
    service.send(Method::POST, &format!("/v1/events?key={key}"), &headers, batch(events)).await
}

#[tokio::test]
async fn without_the_right_key_nothing_is_taken_and_nothing_is_kept() {
    let service = service("").await;
    let body = batch(&[heartbeat(1, 10)]);
    let missing = service.post(body.clone()).await;
    assert_eq!((missing.status, missing.json()["field"].clone(), missing.header("www-authenticate")), (401, json!("key"), "Bearer"));
    let forged = key::compose([1; 4], [2; 32]);
    let unknown = key::compose([9; 4], [9; 32]);
    let other = other_key();
    let mut reasons = vec![];
    for key in ["nonsense", &forged, &unknown, &other] {
        let refused = post(&service, key, None, &[heartbeat(1, 10)]).await;
        assert_eq!((refused.status, &refused.json()["field"], &refused.json()["retry"]), (403, &json!("key"), &json!(false)));
        reasons.push(refused.json()["reason"].clone());
    }
    assert!(reasons.iter().all(|reason| *reason == reasons[0]), "whether the app or the key was wrong is not told: {reasons:?}");
    let garbage = service.send(Method::POST, "/v1/events", &[JSON], "{broken").await;
    assert_eq!(garbage.status, 401);
    assert_eq!(service.metric("livemeter_ingest_requests_refused_total{error=\"key_refused\"}").await, 4.0);
    assert!(service.sink.letters.lock().unwrap().is_empty(), "refusals of strangers are only counted");
    assert!(service.sink.events.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_key_may_stand_in_the_url_or_in_a_header_and_an_app_has_its_own_answers() {
    let service = service("heartbeat_ms = 20000\nsampling = 0.25").await;
    let in_url = post(&service, &demo_key(), None, &[heartbeat(1, 10)]).await;
    assert_eq!((in_url.status, &in_url.json()["heartbeat_ms"], &in_url.json()["sampling"]), (200, &json!(20_000), &json!(0.25)));
    let bearer = format!("Bearer {}", demo_key());
    let in_header = service.send(Method::POST, "/v1/events", &[JSON, ("authorization", &bearer)], batch(&[heartbeat(2, 10)])).await;
    assert_eq!(in_header.status, 200);
    assert_eq!(service.metric("livemeter_ingest_apps").await, 2.0);
}

#[tokio::test]
async fn a_token_binds_user_programme_and_cdns_event_by_event() {
    let service = service("token_required = true").await;
    let key = demo_key();
    let missing = post(&service, &key, None, &[heartbeat(1, 10)]).await;
    assert_eq!((missing.status, &missing.json()["field"], &missing.json()["error"]), (401, &json!("token"), &json!("token_missing")));
    let expired = post(&service, &key, Some(&token(|b| b.exp = NOW / 1000 - 60)), &[heartbeat(1, 10)]).await;
    assert_eq!((expired.status, &expired.json()["reason"]), (401, &json!("token expired 60 s ago")));
    let good = token(|_| {});
    let events = [
        heartbeat(1, 10),
        heartbeat(2, 20).replace("\"u1\"", "\"u2\""),
        heartbeat(3, 30).replace("\"p1\"", "\"p2\""),
        heartbeat(4, 40).replace("{\"cdn\":\"cdn-a\"", "{\"cdn\":\"cdn-b\""),
        heartbeat(5, 50).replace("\"cdn\":\"cdn-a\",\"counters\"", "\"cdn\":\"cdn-b\",\"counters\""),
    ];
    // Twice: from the signature, and from memory.
    for _ in 0..2 {
        let said = post(&service, &key, Some(&good), &events).await.json();
        let fields: Vec<&Value> = said["events"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
        assert_eq!(fields, [&Value::Null, &json!("user_id"), &json!("programme_id"), &json!("counters[0].cdn"), &json!("cdn")]);
        assert_eq!((&said["accepted"], &said["events"][1]["code"]), (&json!(1), &json!("forbidden")));
    }
    let in_body = batch(&[heartbeat(6, 60)]).replace("\"events\"", &format!("\"token\":\"{good}\",\"events\""));
    let said = service.send(Method::POST, &format!("/v1/events?key={key}"), &[("content-type", "text/plain")], in_body).await;
    assert_eq!((said.status, service.sink.events.lock().unwrap().len()), (200, 3));
    assert!(service.sink.events.lock().unwrap().iter().all(|(_, record)| !record.contains(&good)), "a token is never stored");
}

/// So that it can be put back once its size is allowed, and by nobody for another session or CDN.
#[tokio::test]
async fn what_is_refused_for_another_reason_is_kept_with_what_its_sender_was_bound_to() {
    let service = service("token_required = true\nallowed_cdns = ['cdn-b', 'cdn-a']").await;
    let too_long = heartbeat(1, 10).replace("\"p1\"", &format!("\"{}\"", "p".repeat(129)));
    let good = token(|body| body.sid = Some("s1".into()));
    let said = post(&service, &demo_key(), Some(&good), std::slice::from_ref(&too_long)).await;
    assert_eq!((said.status, &said.json()["events"][0]["code"]), (422, &json!("too_long")));
    let letters = service.sink.letters.lock().unwrap().clone();
    let letter: Value = serde_json::from_str(&letters[0]).unwrap();
    let bound = json!({"user_id": "u1", "programme_id": "p1", "session_id": "s1", "token_cdns": ["cdn-a"], "app_cdns": ["cdn-a", "cdn-b"]});
    assert_eq!((letters.len(), &letter["bound"]), (1, &bound));
    assert!(!letters[0].contains(&good), "a token is never stored");
    let open = self::service("").await;
    post(&open, &demo_key(), None, &[too_long]).await;
    assert!(!open.sink.letters.lock().unwrap()[0].contains("bound"), "nothing binds it");
}

#[tokio::test]
async fn each_app_has_its_own_origins_and_the_preflight_knows_the_key() {
    let service = service("allowed_origins = ['https://player.example']").await;
    let (demo, other) = (format!("/v1/events?key={}", demo_key()), format!("/v1/events?key={}", other_key()));
    let elsewhere = ("origin", "https://elsewhere.example");
    for (path, origin, status, allowed) in [
        (&demo, ("origin", "https://player.example"), 204, "https://player.example"),
        (&demo, elsewhere, 403, ""),
        (&other, elsewhere, 204, "*"),
    ] {
        let said = service.send(Method::OPTIONS, path, &[origin, ("access-control-request-method", "POST")], "").await;
        assert_eq!((said.status, said.header("access-control-allow-origin")), (status, allowed), "{path}");
    }
    let refused = service.send(Method::POST, &demo, &[JSON, elsewhere], batch(&[heartbeat(1, 10)])).await;
    assert_eq!((refused.status, &refused.json()["field"]), (403, &json!("origin")));
    let without = service.send(Method::POST, "/v1/events", &[JSON, elsewhere], batch(&[])).await;
    assert_eq!((without.status, without.header("access-control-allow-origin")), (401, "*"), "a page may read why it is refused");
}

#[tokio::test]
async fn a_user_with_a_pseudonym_is_named_nowhere() {
    let service = service("user_ids = 'pseudonym'").await;
    let raw = "ada.lovelace@example";
    let event = |seq| heartbeat(seq, 10).replace("\"u1\"", &format!("\"{raw}\""));
    let wrong = event(2).replace("\"seq\":2", "\"seq\":\"two\"");
    let unknown = event(3).replace("\"state\"", &format!("\"account\":\"{raw}\",\"state\""));
    let said = post(&service, &demo_key(), None, &[event(1), wrong, unknown, event(4)]).await;
    assert_eq!((said.status, &said.json()["accepted"]), (200, &json!(3)));
    let broken = batch(&[event(5)]).replace("}]}]}", "}]}]");
    assert_eq!(service.send(Method::POST, &format!("/v1/events?key={}", demo_key()), &[JSON], broken).await.status, 400);
    let records = service.sink.events.lock().unwrap().clone();
    let letters = service.sink.letters.lock().unwrap().clone();
    assert_eq!((records.len(), letters.len()), (3, 2));
    let text = format!("{records:?}{letters:?}");
    assert!(!text.contains("ada.lovelace") && !text.contains("YWRhLmxvdmVsYWNl"), "{text}");
    let users: Vec<Value> = records.iter().map(|(_, r)| serde_json::from_str::<Value>(r).unwrap()["event"]["user_id"].clone()).collect();
    assert!(users[0].as_str().is_some_and(|user| user.starts_with("p1.")), "{users:?}");
    assert!(users.iter().all(|user| *user == users[0]), "one user, one name");
}
