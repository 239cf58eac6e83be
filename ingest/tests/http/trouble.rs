//! Kafka away, slow or full, clients that stall, too many of them, and the drain: never a 2xx for
//! what is not durable, and always a word on whether to come again.

use crate::memory::Mood;
use crate::service::{Service, batch, heartbeat};
use livemeter_ingest::Config;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn nothing_is_answered_2xx_unless_every_event_was_acknowledged() {
    for (mood, error) in
        [(Mood::Fails, "undelivered"), (Mood::AcksOne, "undelivered"), (Mood::Full, "queue_full"), (Mood::Away, "kafka_away")]
    {
        let service = Service::start(mood).await;
        let said = service.post(batch(&[heartbeat(1, 10), heartbeat(2, 20)])).await;
        let problem = said.json();
        assert_eq!((said.status, &problem["error"], &problem["retry"]), (503, &json!(error), &json!(true)), "{mood:?}");
        assert_eq!(said.header("retry-after"), "5");
        assert_eq!(service.metric("livemeter_ingest_events_accepted_total").await, 0.0);
        *service.sink.mood.lock().unwrap() = Mood::Acks;
        assert_eq!(service.post(batch(&[heartbeat(1, 10)])).await.status, 200, "it returns by itself");
    }
}

#[tokio::test]
async fn nobody_waits_for_kafka_longer_than_is_set() {
    let config = Config { delivery_timeout_ms: 200, ..Config::default() };
    let service = Service::with(Mood::AcksAfter(Duration::from_secs(3600)), config).await;
    let began = Instant::now();
    let said = service.post(batch(&[heartbeat(1, 10)])).await;
    assert_eq!((said.status, &said.json()["error"], said.header("retry-after")), (503, &json!("undelivered"), "5"));
    assert!((200..5_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    assert_eq!(service.metric("livemeter_ingest_requests_in_flight").await, 0.0, "its place is free");
}

#[tokio::test]
async fn requests_in_flight_are_bounded_and_their_bytes_are_not_held_while_they_wait() {
    let config = Config { requests_in_flight_max: 1, ..Config::default() };
    let service = Service::with(Mood::AcksAfter(Duration::from_millis(500)), config).await;
    let (first, second) = tokio::join!(service.post(batch(&[heartbeat(1, 10)])), async {
        while service.metric("livemeter_ingest_requests_in_flight").await < 1.0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(service.metric("livemeter_ingest_bytes_in_flight").await, 0.0);
        service.post(batch(&[heartbeat(2, 20)])).await
    });
    assert_eq!((first.status, second.status), (200, 503));
    assert_eq!(second.json()["reason"], "requests in progress have reached the limit of 1");
    assert_eq!(service.metric("livemeter_ingest_requests_in_flight").await, 0.0);
}

#[tokio::test]
async fn connections_over_the_limit_are_told_so() {
    let service = Service::with(Mood::Acks, Config { connections_max: 1, ..Config::default() }).await;
    assert_eq!(service.get("/healthz").await.status, 200);
    let mut extra = TcpStream::connect(service.address).await.unwrap();
    extra.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut said = String::new();
    extra.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("retry-after: 5") && said.contains("limit of 1"), "{said}");
    assert_eq!(service.metric("livemeter_ingest_connections_refused_total").await, 1.0);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let service = Service::with(Mood::Acks, Config { body_timeout_ms: 100, ..Config::default() }).await;
    let mut slow = TcpStream::connect(service.address).await.unwrap();
    let head = "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut said = String::new();
    slow.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("within 100 ms"), "{said}");
}

#[tokio::test]
async fn a_chunked_body_is_counted_and_a_client_that_asks_first_need_not_send() {
    let service = Service::start(Mood::Acks).await;
    let mut chunked = TcpStream::connect(service.address).await.unwrap();
    let head = "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    chunked.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, " ".repeat(64 * 1024));
    for _ in 0..40 {
        chunked.write_all(chunk.as_bytes()).await.unwrap();
    }
    chunked.write_all(b"0\r\n\r\n").await.unwrap();
    assert!(first_bytes(&mut chunked).await.starts_with("HTTP/1.1 413 "));

    let mut asks = TcpStream::connect(service.address).await.unwrap();
    let head =
        "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n";
    asks.write_all(head.as_bytes()).await.unwrap();
    assert!(first_bytes(&mut asks).await.starts_with("HTTP/1.1 413 "));
}

async fn first_bytes(stream: &mut TcpStream) -> String {
    let mut said = [0; 1024];
    let read = stream.read(&mut said).await.unwrap();
    String::from_utf8_lossy(&said[..read]).into_owned()
}

#[tokio::test]
async fn the_drain_finishes_what_is_in_progress_and_takes_nothing_new() {
    let mut service = Service::start(Mood::AcksAfter(Duration::from_millis(400))).await;
    let address = service.address;
    let mut posting = TcpStream::connect(address).await.unwrap();
    let body = batch(&[heartbeat(1, 10)]);
    let head = format!("POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    posting.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    while service.sink.events.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    service.begin_shutdown();
    let began = Instant::now();
    let answer = first_bytes(&mut posting).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"accepted\":1"), "{answer}");
    service.ended().await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(TcpStream::connect(address).await.is_err(), "the listener is closed");
}

#[tokio::test]
async fn the_drain_ends_in_time_without_a_2xx_for_what_is_not_durable() {
    let config = Config { drain_ms: 200, ..Config::default() };
    let mut service = Service::with(Mood::AcksAfter(Duration::from_secs(60)), config).await;
    let mut posting = TcpStream::connect(service.address).await.unwrap();
    let body = batch(&[heartbeat(1, 10)]);
    let head = format!("POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    posting.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    while service.sink.events.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    service.begin_shutdown();
    let began = Instant::now();
    service.ended().await;
    assert!(began.elapsed() < Duration::from_secs(2));
}
