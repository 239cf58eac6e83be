//! What the services refuse, told by one of them: counts are added up, and whoever does not answer is named in time.

use crate::support::Ledger;
use livemeter_schemas::refusals::COUNTED;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A service that answers everything with this; `None`: it listens, and says nothing.
async fn service(answer: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 1024];
            let read = stream.read(&mut asked).await.unwrap_or(0);
            assert!(asked[..read].starts_with(b"GET /metrics HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&asked[..read]));
            match &answer {
                Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                None => silent.push(stream),
            }
        }
    });
    address
}

fn ok(text: &str) -> Option<String> {
    Some(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_added_up_and_who_does_not_answer_is_named() {
    let [_, requests, _, connections, _, _, records, _] = COUNTED.map(|counted| counted.metric);
    let ingest = &format!("{requests}{{error=\"key_refused\"}} 40\n{connections} 7\n");
    let processor = &format!("{records}{{code=\"counter_fell\"}} 5\n{records}{{code=\"clock\"}} 0\n");
    let gone = format!("http://{}", TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap());
    let addresses = vec![
        service(ok(ingest)).await,
        service(ok(ingest)).await,
        service(ok(processor)).await,
        service(None).await,
        gone,
        service(Some("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".into())).await,
        service(ok(&"x".repeat(2 << 20))).await,
        service(Some("HTTP/1.1 200 OK\r\ncontent-length: 99\r\nconnection: close\r\n\r\nlivemeter_".into())).await,
    ];
    let ledger = Ledger::empty();
    let asked = addresses.clone();
    let query = ledger.serve(|config| config.refusals_from = asked).await;
    let began = Instant::now();
    let answer = query.get("/v1/refusals").await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let said = answer.json();
    assert_eq!(
        said["rows"],
        json!([
            { "by": "ingest", "what": "connection", "cause": "connections_max", "count": 14 },
            { "by": "ingest", "what": "request", "cause": "key_refused", "count": 80 },
            { "by": "processor", "what": "record", "cause": "counter_fell", "count": 5 },
        ])
    );
    let told: Vec<(&str, &Value)> =
        said["services"].as_array().unwrap().iter().map(|s| (s["address"].as_str().unwrap(), &s["failure"])).collect();
    for ((address, failure), (expected, says)) in told.iter().zip(addresses.iter().zip([
        None,
        None,
        None,
        Some("no answer within 2000 ms"),
        Some("no connection"),
        Some("503"),
        Some("more than 1048576 bytes"),
        Some("broke off"),
    ])) {
        assert_eq!(address, expected);
        match says {
            None => assert!(failure.is_null(), "{failure}"),
            Some(says) => assert!(failure.as_str().is_some_and(|failure| failure.contains(says)), "{failure} lacks {says:?}"),
        }
    }
    // Any number of pages is one question.
    let began = Instant::now();
    assert_eq!(query.get("/v1/refusals").await.json(), said);
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn nobody_is_asked_unless_it_is_set() {
    let query = Ledger::empty().serve(|_| ()).await;
    let said = query.get("/v1/refusals").await.json();
    assert_eq!((&said["services"], &said["rows"]), (&json!([]), &json!([])));
}
