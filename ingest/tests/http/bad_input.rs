//! What is wrong with what a client sends is said by name, costs nobody else, and can be found again.

use crate::gzip;
use crate::memory::Mood;
use crate::service::{NOW, Service, batch, heartbeat};
use hyper::Method;
use livemeter_ingest::Config;
use livemeter_schemas::record::DeadLetter;
use livemeter_schemas::refusal::Code;
use serde_json::json;

/// Posts a bad event between two good ones; gives back what was said of it.
async fn said_of(bad: &str) -> serde_json::Value {
    let service = Service::start(Mood::Acks).await;
    let said = service.post(batch(&[heartbeat(1, 10), bad.to_owned(), heartbeat(9, 90)])).await;
    let answer = said.json();
    assert_eq!((said.status, &answer["accepted"], &answer["refused"]), (200, &json!(2), &json!(1)), "{bad}: {answer}");
    assert_eq!(service.sink.events.lock().unwrap().len(), 2);
    let letter: DeadLetter = serde_json::from_str(&service.sink.letters.lock().unwrap()[0]).unwrap();
    assert_eq!((letter.by.as_str(), letter.app.as_str(), letter.length_bytes), ("ingest", "demo", bad.len() as u64));
    assert!(bad.starts_with(&letter.head) && letter.head.len() <= 16 * 1024);
    let event = answer["events"][1].clone();
    let metric = format!("livemeter_ingest_events_refused_total{{code={}}}", event["code"]);
    assert_eq!(service.metric(&metric).await, 1.0);
    assert_eq!(service.metric("livemeter_ingest_deadletters_total{outcome=\"kept\"}").await, 1.0);
    event
}

#[tokio::test]
async fn a_bad_event_is_refused_by_name_and_its_neighbours_are_accepted() {
    let good = heartbeat(2, 20);
    let megabyte = "u".repeat(1 << 19);
    for (bad, code, field) in [
        (good.replace("\"seq\":2", "\"seq\":\"2\""), "wrong_type", "seq"),
        (good.replace("\"user_id\":\"u1\",", ""), "missing_field", "user_id"),
        (good.replace("\"bytes\":20", "\"bytes\":-20"), "out_of_range", "counters[0].bytes"),
        (good.replace("\"bytes\":20", "\"bytes\":9"), "counter_fell", "counters[0].bytes"),
        (good.replace("\"u1\"", &format!("\"{megabyte}\"")), "too_long", "user_id"),
        (good.replace("\"u1\"", r#""u\u0000""#), "control_character", "user_id"),
        (good.replace("\"heartbeat\"", "\"yawn\""), "unknown_type", "type"),
        (good.replace(&format!("\"at_ms\":{NOW}"), "\"at_ms\":1758464000000"), "clock", "at_ms"),
        ("7".to_owned(), "wrong_type", ""),
    ] {
        let event = said_of(&bad).await;
        assert_eq!((&event["status"], &event["code"]), (&json!("refused"), &json!(code)), "{event}");
        if !field.is_empty() {
            assert_eq!(event["field"], field, "{event}");
        }
    }
}

#[tokio::test]
async fn a_clock_a_year_off_is_accepted_with_a_note_when_the_batch_says_so() {
    let service = Service::start(Mood::Acks).await;
    let year_ago = (NOW - 365 * 86_400_000).to_string();
    let off = batch(&[heartbeat(1, 10)]).replace(&NOW.to_string(), &year_ago);
    let said = service.post(off.clone()).await.json();
    assert!(said["events"][0]["note"].as_str().unwrap().contains("+31536000000 ms"), "{said}");
    let silent = service.post(off.replace(&format!("\"sent_at_ms\":{year_ago},"), "")).await;
    assert_eq!((silent.status, &silent.json()["events"][0]["code"]), (422, &json!("clock")));
}

#[tokio::test]
async fn a_bad_batch_is_refused_by_name_and_kept() {
    let service = Service::start(Mood::Acks).await;
    let events: Vec<String> = (0..1001).map(|_| "{}".into()).collect();
    for (body, status, error, field) in [
        ("{\"v\":1,".to_owned(), 400, "malformed", json!(null)),
        (batch(&[]).replace("\"v\":1", "\"v\":2"), 400, "unsupported_version", json!("v")),
        (batch(&[]).replace("demo", ""), 400, "missing_field", json!("app")),
        (batch(&events), 413, "too_many", json!("events")),
    ] {
        let said = service.post(body).await;
        let problem = said.json();
        assert_eq!((said.status, &problem["error"], &problem["field"]), (status, &json!(error), &field), "{problem}");
        assert_eq!(problem["retry"], false);
    }
    let binary = service.post(b"\xff\xfe{}".to_vec()).await;
    assert_eq!((binary.status, &binary.json()["error"]), (400, &json!("malformed")));
    let letters = service.sink.letters.lock().unwrap().clone();
    assert_eq!(letters.len(), 5);
    let letter: DeadLetter = serde_json::from_str(&letters[4]).unwrap();
    assert_eq!((letter.code, letter.head.as_str()), (Code::Malformed, "\u{fffd}\u{fffd}{}"));
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_with_size_and_limit_and_the_connection_goes_on() {
    let service = Service::start(Mood::Acks).await;
    for _ in 0..3 {
        let said = service.post(vec![b' '; 10 << 20]).await;
        let problem = said.json();
        assert_eq!((said.status, &problem["value"], &problem["limit"]), (413, &json!(10 << 20), &json!(1 << 20)));
        assert_eq!(problem["reason"], "the body is 10485760 bytes; the limit is 1048576");
        assert_eq!(service.post(batch(&[heartbeat(1, 10)])).await.status, 200);
    }
    assert_eq!(service.metric("livemeter_ingest_bytes_in_flight").await, 0.0);
    assert_eq!(service.metric("livemeter_ingest_requests_refused_total{error=\"body_too_large\"}").await, 3.0);
}

#[tokio::test]
async fn a_zip_bomb_is_refused() {
    let service = Service::start(Mood::Acks).await;
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let said = service.send(Method::POST, "/v1/events", &headers, gzip(&vec![b' '; 100 << 20])).await;
    assert_eq!((said.status, &said.json()["error"]), (413, &json!("inflated_too_large")));
    assert_eq!(said.json()["limit"], 4 << 20);
    let small = service.send(Method::POST, "/v1/events", &headers, gzip(&vec![b' '; 3 << 20])).await;
    assert_eq!((small.status, &small.json()["limit"]), (413, &json!(100)), "{}", small.text);
    let broken = service.send(Method::POST, "/v1/events", &headers, "not gzip").await;
    assert_eq!((broken.status, &broken.json()["error"]), (400, &json!("malformed")));
    assert_eq!(service.sink.letters.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn other_types_and_encodings_are_refused_with_what_is_accepted() {
    let service = Service::start(Mood::Acks).await;
    let json = ("content-type", "application/json");
    for (headers, field, accepted) in [
        (vec![json, ("content-encoding", "br")], "content-encoding", "gzip, zstd and identity"),
        (vec![("content-type", "application/xml")], "content-type", "application/x-ndjson"),
        (vec![], "content-type", "text/plain"),
    ] {
        let said = service.send(Method::POST, "/v1/events", &headers, batch(&[])).await;
        assert_eq!((said.status, &said.json()["field"]), (415, &json!(field)));
        assert!(said.text.contains(accepted), "{}", said.text);
    }
}

#[tokio::test]
async fn dead_letters_have_a_quota_and_what_is_over_it_is_counted() {
    let service = Service::with(Mood::Acks, Config { deadletters_per_minute: 2, ..Config::default() }).await;
    let said = service.post(batch(&["1".into(), "2".into(), "3".into(), "4".into(), "5".into()])).await;
    assert_eq!((said.status, &said.json()["refused"]), (422, &json!(5)));
    assert_eq!(service.sink.letters.lock().unwrap().len(), 2);
    assert_eq!(service.metric("livemeter_ingest_deadletters_total{outcome=\"kept\"}").await, 2.0);
    assert_eq!(service.metric("livemeter_ingest_deadletters_total{outcome=\"over_own_quota\"}").await, 3.0);
}
