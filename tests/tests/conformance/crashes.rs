//! Ends, clean and otherwise. What was acknowledged is there afterwards, once.

use crate::records::{fill, numbers, values};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::{kafka, wait};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::FutureRecord;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub async fn a_clean_restart_keeps_everything(kind: Kind) {
    let mut broker = Broker::start(kind).await;
    let addr = broker.addr();
    let id = kafka::cluster_id(&addr).await.expect("an id");
    kafka::create_topic(&addr, "kept", 2).await.expect("created");
    fill(&addr, "kept", numbers(0..500)).await;
    for _ in 0..2 {
        let asked = Instant::now();
        broker.stop();
        println!("{} ended in {:?}", kind.name(), asked.elapsed());
        broker.restart().await;
        assert_eq!(kafka::cluster_id(&addr).await.expect("an id"), id);
        assert_eq!(kafka::watermarks(&addr, "kept", 0), (0, 500));
        assert_eq!(values(&kafka::read(&addr, "kept", 0, 0, 500)), numbers(0..500).collect::<Vec<_>>());
    }
    fill(&addr, "kept", numbers(500..510)).await;
    assert_eq!(kafka::watermarks(&addr, "kept", 0), (0, 510));
    broker.kill9();
    broker.restart().await;
    assert_eq!(kafka::cluster_id(&addr).await.expect("an id"), id);
}

/// 20,000 records, two kills while they are being sent. Every acknowledged one is read back at the
/// offset that its acknowledgement named; none is there twice; each partition keeps the order.
pub async fn kill9_loses_nothing_acknowledged(kind: Kind) {
    const RECORDS: usize = 20_000;
    let mut broker = Broker::start(kind).await;
    let addr = broker.addr();
    kafka::create_topic(&addr, "killed", 4).await.expect("created");

    let acknowledged = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn({
        let (addr, acknowledged) = (addr.clone(), acknowledged.clone());
        async move {
            let producer = kafka::producer(&addr, &[("linger.ms", "1"), ("queue.buffering.max.messages", "1000")]);
            let mut waiting = Vec::new();
            for n in 0..RECORDS {
                let (key, value) = (format!("demo/{}", n % 97), format!("{n:06} {}", "heartbeat ".repeat(30)));
                let delivery = loop {
                    match producer.send_result(FutureRecord::to("killed").key(&key).payload(&value)) {
                        Ok(delivery) => break delivery,
                        Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                            tokio::time::sleep(Duration::from_millis(2)).await
                        }
                        Err((error, _)) => panic!("record {n}: {error}"),
                    }
                };
                let acknowledged = acknowledged.clone();
                waiting.push(tokio::spawn(async move {
                    let delivery = delivery.await.expect("the producer lives").unwrap_or_else(|(e, _)| panic!("record {n}: {e}"));
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    (delivery.partition, delivery.offset, value.into_bytes())
                }));
            }
            let mut deliveries = Vec::with_capacity(RECORDS);
            for delivery in waiting {
                deliveries.push(delivery.await.expect("acknowledged"));
            }
            deliveries
        }
    });
    for part in [1, 2] {
        let enough = part * RECORDS / 3;
        wait::until("acknowledgements", || {
            let now = acknowledged.load(Ordering::SeqCst);
            async move { if now >= enough { Ok(()) } else { Err(format!("{now} of {enough}")) } }
        })
        .await;
        broker.kill9();
        println!("{} was killed after {} acknowledgements", kind.name(), acknowledged.load(Ordering::SeqCst));
        broker.restart().await;
    }
    let mut deliveries = sending.await.expect("all sent");
    // A retry that the broker recognised as such is acknowledged without an offset.
    let unplaced = deliveries.iter().filter(|(_, offset, _)| *offset < 0).count();
    println!("{}: {} acknowledged, {unplaced} of them as retries without an offset", kind.name(), deliveries.len());
    let read = kafka::read_all(&addr, "killed", 4);
    let mut found: Vec<_> = read.iter().map(|r| (r.partition, r.offset, r.value.clone())).collect();
    for partition in 0..4 {
        let of_it: Vec<_> = found.iter().filter(|(p, _, _)| *p == partition).map(|(_, _, v)| v).collect();
        assert!(of_it.windows(2).all(|pair| pair[0] < pair[1]), "partition {partition} is in order, and nothing is there twice");
    }
    found.sort();
    deliveries.sort();
    assert_eq!(found.len(), RECORDS);
    let placed: Vec<_> = deliveries.iter().filter(|(_, offset, _)| *offset >= 0).cloned().collect();
    assert!(placed.iter().all(|delivery| found.binary_search(delivery).is_ok()), "every record stands where its acknowledgement said");
    let mut sent: Vec<_> = deliveries.into_iter().map(|(_, _, value)| value).collect();
    let mut there: Vec<_> = found.into_iter().map(|(_, _, value)| value).collect();
    sent.sort();
    there.sort();
    assert!(sent == there, "what is there is what was acknowledged");
}

/// A producer whose records expired during an outage asks for a new place in line, and goes on.
pub async fn a_producer_outlives_an_outage(kind: Kind) {
    let mut broker = Broker::start(kind).await;
    let addr = broker.addr();
    kafka::create_topic(&addr, "outage", 1).await.expect("created");
    let producer = kafka::producer(&addr, &[("message.timeout.ms", "3000")]);
    let send = |value: &'static str| {
        let producer = producer.clone();
        async move {
            producer
                .send(FutureRecord::<str, str>::to("outage").payload(value), kafka::PATIENTLY)
                .await
                .map(drop)
                .map_err(|(e, _)| e.to_string())
        }
    };
    send("before").await.expect("acknowledged");
    broker.kill9();
    let lost = send("during").await.expect_err("there is no broker to acknowledge it");
    println!("during the outage: {lost}");
    broker.restart().await;
    wait::until("the producer to go on", || send("after")).await;
    let (low, high) = kafka::watermarks(&addr, "outage", 0);
    let read = values(&kafka::read(&addr, "outage", 0, low, high));
    assert_eq!(read.first().map(Vec::as_slice), Some(&b"before"[..]));
    assert_eq!(read.last().map(Vec::as_slice), Some(&b"after"[..]));
    assert!(!read.contains(&b"during".to_vec()), "what was reported as failed before it was sent is not there");
}
