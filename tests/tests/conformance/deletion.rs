//! Deletion up to an offset: what keeps the broker's disk small. The first offset moves, nothing else
//! does, and it stays moved.

use crate::records::{fill, numbers, values};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::kafka;
use rdkafka::error::RDKafkaErrorCode;

pub async fn deleting_moves_the_first_offset(_: Kind, addr: String) {
    kafka::create_topic(&addr, "delete", 2).await.expect("created");
    fill(&addr, "delete", numbers(0..1_000)).await;
    assert_eq!(kafka::delete_below(&addr, "delete", 0, 400).await, Ok(400));
    assert_eq!(kafka::watermarks(&addr, "delete", 0), (400, 1_000));
    assert_eq!(values(&kafka::read(&addr, "delete", 0, 400, 1_000)), numbers(400..1_000).collect::<Vec<_>>());
    // A reader whose place is gone must hear of it, never be moved in silence.
    assert_eq!(kafka::error_at(&addr, "delete", 0, 399), Some(RDKafkaErrorCode::AutoOffsetReset));
    assert_eq!(kafka::error_at(&addr, "delete", 0, 0), Some(RDKafkaErrorCode::AutoOffsetReset));
    // Asking for less than is gone already changes nothing.
    assert_eq!(kafka::delete_below(&addr, "delete", 0, 100).await, Ok(400));
    assert_eq!(kafka::watermarks(&addr, "delete", 0), (400, 1_000));
    assert_eq!(kafka::watermarks(&addr, "delete", 1), (0, 0), "the other partition is as it was");
}

pub async fn an_emptied_partition_keeps_its_place(_: Kind, addr: String) {
    kafka::create_topic(&addr, "emptied", 1).await.expect("created");
    fill(&addr, "emptied", numbers(0..100)).await;
    assert_eq!(kafka::delete_below(&addr, "emptied", 0, 100).await, Ok(100));
    assert_eq!(kafka::watermarks(&addr, "emptied", 0), (100, 100));
    fill(&addr, "emptied", numbers(100..110)).await;
    assert_eq!(kafka::watermarks(&addr, "emptied", 0), (100, 110));
    assert_eq!(values(&kafka::read(&addr, "emptied", 0, 100, 110)), numbers(100..110).collect::<Vec<_>>());
}

pub async fn what_cannot_be_deleted_is_refused(_: Kind, addr: String) {
    kafka::create_topic(&addr, "refused", 1).await.expect("created");
    fill(&addr, "refused", numbers(0..10)).await;
    let refusal = kafka::delete_below(&addr, "refused", 0, 11).await.expect_err("there is nothing at 11 yet");
    assert!(refusal.contains("OffsetOutOfRange"), "{refusal}");
    let refusal = kafka::delete_below(&addr, "refused", 7, 1).await.expect_err("there is no partition 7");
    println!("a partition that is not there: {refusal}");
    assert_eq!(kafka::watermarks(&addr, "refused", 0), (0, 10));
    assert_eq!(values(&kafka::read(&addr, "refused", 0, 0, 10)), numbers(0..10).collect::<Vec<_>>());
}

pub async fn deleted_stays_deleted_after_kill9(kind: Kind) {
    let mut broker = Broker::start(kind).await;
    let addr = broker.addr();
    kafka::create_topic(&addr, "gone", 1).await.expect("created");
    fill(&addr, "gone", numbers(0..1_000)).await;
    assert_eq!(kafka::delete_below(&addr, "gone", 0, 700).await, Ok(700));
    if kind == Kind::Apache {
        // Apache Kafka writes the first offset down every minute and at a clean end; kill -9 may undo
        // a deletion, never a record. A clean restart is what it promises here.
        broker.stop();
    } else {
        broker.kill9();
    }
    broker.restart().await;
    assert_eq!(kafka::watermarks(&addr, "gone", 0), (700, 1_000));
    assert_eq!(values(&kafka::read(&addr, "gone", 0, 700, 1_000)), numbers(700..1_000).collect::<Vec<_>>());
}

/// The embedded broker's file does not shrink; what was deleted is written over. Apache Kafka deletes
/// whole segments in its own time: there the case only shows that deletion while producing harms nothing.
pub async fn space_is_used_again(kind: Kind) {
    let broker = Broker::start(kind).await;
    let addr = broker.addr();
    kafka::create_topic(&addr, "space", 1).await.expect("created");
    let round = |n: u32| (0..10_000_u32).map(move |i| format!("{n}/{i}/{}", "x".repeat(1_000)).into_bytes());
    let file = broker.folder().join("data/broker.sqlite");
    let mut sizes = Vec::new();
    for n in 0..4 {
        fill(&addr, "space", round(n)).await;
        let end = i64::from(n + 1) * 10_000;
        assert_eq!(kafka::watermarks(&addr, "space", 0).1, end);
        assert_eq!(kafka::delete_below(&addr, "space", 0, end - 10).await, Ok(end - 10));
        if kind == Kind::Embedded {
            sizes.push(std::fs::metadata(&file).expect("the file").len());
        }
    }
    let last: Vec<_> = round(3).skip(9_990).collect();
    assert_eq!(values(&kafka::read(&addr, "space", 0, 39_990, 40_000)), last);
    if let (Some(first), Some(last)) = (sizes.first(), sizes.last()) {
        println!("bytes of the file after each round of 10 MB: {sizes:?}");
        assert!(*last < first + first / 5, "the file grew from {first} to {last} bytes though all but 10 records were deleted each time");
    }
}
