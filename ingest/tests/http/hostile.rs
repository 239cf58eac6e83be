//! Rates, proxies, and connections that take their time. The real binary is put through more of this in
//! the black-box tests.

use crate::memory::Mood;
use crate::service::{Said, Service, batch, heartbeat};
use hyper::Method;
use livemeter_ingest::Config;
use livemeter_ingest::rate::Limit;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TWO: Limit = Limit { per_s: 1, burst: 2 };

/// This machine plays the proxy.
fn behind_a_proxy(address_rate: Limit, app_rate: Limit) -> Config {
    Config { address_rate, app_rate, trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..Config::default() }
}

async fn post_from(service: &Service, client: &str) -> Said {
    let headers = [("content-type", "application/json"), ("x-forwarded-for", client)];
    service.send(Method::POST, "/v1/events", &headers, batch(&[heartbeat(1, 10)])).await
}

#[tokio::test]
async fn an_address_over_its_rate_is_told_when_to_come_again_and_others_are_served() {
    let service = Service::with(Mood::Acks, behind_a_proxy(TWO, Config::default().app_rate)).await;
    for _ in 0..2 {
        assert_eq!(post_from(&service, "192.0.2.1").await.status, 200);
    }
    let over = post_from(&service, "8.8.8.8, 192.0.2.1").await;
    let problem = over.json();
    assert_eq!((over.status, &problem["error"], &problem["retry"]), (429, &json!("address_rate"), &json!(true)), "{}", over.text);
    assert_eq!((&problem["field"], &problem["limit"], over.header("retry-after")), (&json!("address"), &json!(1), "5"));
    assert_eq!(post_from(&service, "192.0.2.2").await.status, 200);
    assert_eq!(service.metric("livemeter_ingest_requests_total{status=\"429\"}").await, 1.0);
    assert_eq!(service.metric("livemeter_ingest_requests_refused_total{error=\"address_rate\"}").await, 1.0);
    assert_eq!(service.sink.events.lock().unwrap().len(), 3, "what was refused was not written");
}

#[tokio::test]
async fn an_app_over_its_rate_waits_wherever_it_comes_from() {
    let service = Service::with(Mood::Acks, behind_a_proxy(Limit { per_s: 0, burst: 0 }, TWO)).await;
    assert_eq!(post_from(&service, "192.0.2.1").await.status, 200);
    assert_eq!(post_from(&service, "192.0.2.2").await.status, 200);
    let over = post_from(&service, "192.0.2.3").await;
    assert_eq!((over.status, &over.json()["error"], &over.json()["field"]), (429, &json!("app_rate"), &json!("app")));
    let other = batch(&[heartbeat(1, 10)]).replace("\"demo\"", "\"other\"");
    assert_eq!(service.post(other).await.status, 200);
}

#[tokio::test]
async fn whom_nobody_trusts_cannot_pass_for_another() {
    let config = Config { address_rate: TWO, ..Config::default() };
    let service = Service::with(Mood::Acks, config).await;
    let mut said = Vec::new();
    for n in 0..4 {
        said.push(post_from(&service, &format!("192.0.2.{n}")).await.status);
    }
    assert_eq!(said, [200, 200, 429, 429]);
}

#[tokio::test]
async fn one_address_cannot_take_all_places() {
    let service = Service::with(Mood::Acks, Config { address_connections_max: 2, ..Config::default() }).await;
    let _held = [TcpStream::connect(service.address).await.unwrap(), TcpStream::connect(service.address).await.unwrap()];
    let mut extra = TcpStream::connect(service.address).await.unwrap();
    extra.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut said = String::new();
    extra.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("connections of this address have reached the limit of 2"), "{said}");
    drop(extra);
    drop(_held);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(service.metric("livemeter_ingest_connections_refused_address_total").await, 1.0);
}

/// Until the service hangs up, or patience ends.
async fn closed_after(stream: &mut TcpStream, drip: &[u8]) -> Duration {
    let began = Instant::now();
    let (mut read, mut write) = stream.split();
    let dripping = async {
        for byte in drip.iter().cycle() {
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::future::pending::<()>().await;
    };
    let reading = async {
        let mut said = [0; 1024];
        while read.read(&mut said).await.is_ok_and(|n| n > 0) {}
    };
    tokio::select! { () = reading => {}, () = dripping => {}, () = tokio::time::sleep(Duration::from_secs(30)) => {} }
    began.elapsed()
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off_and_a_client_between_heartbeats_is_not() {
    let config = Config { head_timeout_ms: 400, idle_timeout_ms: 3_000, ..Config::default() };
    let service = Service::with(Mood::Acks, config).await;
    // Says nothing; says a head without an end.
    for drip in [b"".as_slice(), b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: b\r\n"] {
        let mut slow = TcpStream::connect(service.address).await.unwrap();
        if !drip.is_empty() {
            slow.write_all(b"POST ").await.unwrap();
        }
        let took = closed_after(&mut slow, drip).await;
        assert!((Duration::from_millis(350)..Duration::from_millis(1_500)).contains(&took), "{took:?}");
    }
    let mut player = TcpStream::connect(service.address).await.unwrap();
    player.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let took = closed_after(&mut player, b"").await;
    assert!((Duration::from_millis(2_900)..Duration::from_millis(6_000)).contains(&took), "{took:?}");
    // A whole request first, then a head that does not end.
    let mut later = TcpStream::connect(service.address).await.unwrap();
    later.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut said = [0; 1024];
    assert!(later.read(&mut said).await.unwrap() > 0);
    let took = closed_after(&mut later, b"x").await;
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    assert_eq!(service.metric("livemeter_ingest_connections_closed_total{cause=\"head\"}").await, 3.0);
    assert_eq!(service.metric("livemeter_ingest_connections_closed_total{cause=\"idle\"}").await, 1.0);
}
