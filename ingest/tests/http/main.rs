//! Ingest over HTTP, on a real listener, with a sink in memory. Kafka itself is tested elsewhere.

mod bad_input;
mod cmcd;
mod hostile;
mod identity;
mod memory;
mod service;
mod tls;
mod trouble;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::Method;
use livemeter_ingest::Config;
use memory::Mood;
use serde_json::json;
use service::{NOW, Service, batch, heartbeat};
use std::io::Write;

pub fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_batch_is_answered_event_by_event_and_kept_as_the_client_wrote_it() {
    let service = Service::start(Mood::Acks).await;
    let future = heartbeat(2, 20).replace("\"state\"", "\"from_the_future\": [1,  2],\"state\"");
    let said = service.post(batch(&[heartbeat(1, 10), future.clone()])).await;
    assert_eq!(said.status, 200, "{}", said.text);
    let expected = json!({"accepted": 2, "refused": 0, "heartbeat_ms": 10000, "events": [{"status": "accepted"}, {"status": "accepted"}]});
    assert_eq!(said.json(), expected);
    let events = service.sink.events.lock().unwrap().clone();
    assert_eq!(events[1].0, "demo/s1");
    assert_eq!(events[1].1, format!(r#"{{"v":1,"app":"demo","received_at_ms":{NOW},"sent_at_ms":{NOW},"event":{future}}}"#));
    assert_eq!(service.metric("livemeter_ingest_events_accepted_total").await, 2.0);
    assert_eq!(service.metric("livemeter_ingest_requests_total{status=\"200\"}").await, 2.0);
    assert_eq!(service.metric("livemeter_ingest_bytes_in_flight").await, 0.0);
}

#[tokio::test]
async fn gzip_zstd_text_plain_and_an_empty_batch_are_taken() {
    let service = Service::start(Mood::Acks).await;
    let body = batch(&[heartbeat(1, 10)]);
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    assert_eq!(service.send(Method::POST, "/v1/events", &headers, gzip(body.as_bytes())).await.json()["accepted"], 1);
    let headers = [("content-type", "application/json"), ("content-encoding", "zstd")];
    let packed = zstd::encode_all(body.as_bytes(), 3).unwrap();
    assert_eq!(service.send(Method::POST, "/v1/events", &headers, packed).await.json()["accepted"], 1);
    let beacon = [("content-type", "text/plain;charset=UTF-8")];
    assert_eq!(service.send(Method::POST, "/v1/events", &beacon, body).await.json()["accepted"], 1);
    let empty = service.post(batch(&[])).await;
    assert_eq!((empty.status, empty.json()["accepted"].clone()), (200, json!(0)));
    assert_eq!(service.sink.events.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn one_bad_line_of_ndjson_costs_only_itself() {
    let service = Service::start(Mood::Acks).await;
    let body = format!("{}\n{{broken\n\n{}\n", heartbeat(1, 10), heartbeat(2, 20));
    let path = format!("/v1/events?v=1&app=de%20mo&sent_at_ms={NOW}");
    let said = service.send(Method::POST, &path, &[("content-type", "application/x-ndjson")], body.clone()).await;
    let answer = said.json();
    assert_eq!((said.status, &answer["accepted"], &answer["refused"]), (200, &json!(2), &json!(1)));
    assert_eq!(answer["events"][1]["code"], "malformed");
    assert_eq!(service.sink.events.lock().unwrap()[0].0, "de mo/s1");
    let said = service.send(Method::POST, "/v1/events?v=1", &[("content-type", "application/x-ndjson")], body).await;
    assert_eq!((said.status, &said.json()["error"], &said.json()["field"]), (400, &json!("missing_field"), &json!("app")));
}

#[tokio::test]
async fn any_page_may_post_by_default_and_the_preflight_is_cached() {
    let service = Service::start(Mood::Acks).await;
    let asked = [("origin", "https://player.example"), ("access-control-request-method", "POST")];
    let preflight = service.send(Method::OPTIONS, "/v1/events", &asked, "").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization, content-type, content-encoding, livemeter-token");
    assert_eq!(preflight.header("access-control-max-age"), "86400");
    assert_eq!(preflight.header("access-control-allow-credentials"), "");
    let headers = [("origin", "https://player.example"), ("content-type", "text/plain")];
    let posted = service.send(Method::POST, "/v1/events", &headers, batch(&[heartbeat(1, 10)])).await;
    assert_eq!((posted.status, posted.header("access-control-allow-origin")), (200, "*"));
    assert_eq!(service.get("/metrics").await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_list_of_origins_keeps_other_pages_out() {
    let allowed_origins = Some(vec!["https://player.example".into()]);
    let service = Service::with(Mood::Acks, Config { allowed_origins, ..Config::default() }).await;
    let body = batch(&[heartbeat(1, 10)]);
    for (origin, status, allowed) in [("https://player.example", 200, "https://player.example"), ("https://other.example", 403, "")] {
        let headers = [("origin", origin), ("content-type", "text/plain")];
        let said = service.send(Method::POST, "/v1/events", &headers, body.clone()).await;
        assert_eq!((said.status, said.header("access-control-allow-origin")), (status, allowed));
    }
    assert_eq!(service.post(body).await.status, 200, "a client that is no web page has no origin");
}

#[tokio::test]
async fn health_readiness_and_paths() {
    let service = Service::start(Mood::Acks).await;
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/", 404), ("/v1/events", 405)] {
        assert_eq!(service.get(path).await.status, status, "{path}");
    }
    assert_eq!(service.get("/v1/events").await.header("allow"), "POST, OPTIONS");
    assert!(service.get("/metrics").await.text.ends_with("# EOF\n"));
    *service.sink.mood.lock().unwrap() = Mood::Away;
    let ready = service.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["error"]), (503, &json!("kafka_away")));
    assert_eq!(service.get("/healthz").await.status, 200);
}
