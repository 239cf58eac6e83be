//! Producing and reading back: keys, order, sizes, compression, headers, offsets, times.

use livemeter_tests::brokers::Kind;
use livemeter_tests::kafka::{self, Stored};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::FutureRecord;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Produces `values` in order with one key and waits for every acknowledgement.
pub async fn fill(addr: &str, topic: &str, values: impl IntoIterator<Item = Vec<u8>>) {
    let producer = kafka::producer(addr, &[]);
    let mut waiting = Vec::new();
    for value in values {
        let record = FutureRecord::<[u8], [u8]>::to(topic).partition(0).payload(&value);
        waiting.push(producer.send_result(record).expect("room in the queue"));
    }
    for delivery in waiting {
        delivery.await.expect("the producer lives").expect("acknowledged");
    }
}

/// Numbered values: `0`, `1`, …
pub fn numbers(range: std::ops::Range<u32>) -> impl Iterator<Item = Vec<u8>> {
    range.map(|n| n.to_string().into_bytes())
}

pub fn values(read: &[Stored]) -> Vec<Vec<u8>> {
    read.iter().map(|stored| stored.value.clone()).collect()
}

pub async fn a_topic_is_created_once_and_never_by_accident(_: Kind, addr: String) {
    assert_eq!(kafka::create_topic(&addr, "once", 3).await, Ok(()));
    assert_eq!(kafka::create_topic(&addr, "once", 3).await, Err(RDKafkaErrorCode::TopicAlreadyExists));
    let consumer = kafka::consumer(&addr, &[]);
    let partitions =
        |topic| consumer.fetch_metadata(Some(topic), Duration::from_secs(30)).expect("metadata").topics()[0].partitions().len();
    assert_eq!(partitions("once"), 3);
    // Asked for twice: a broker that creates topics on demand would have it the second time.
    assert_eq!((partitions("by-accident"), partitions("by-accident")), (0, 0));
}

pub async fn a_key_keeps_its_partition_and_its_order(_: Kind, addr: String) {
    kafka::create_topic(&addr, "keys", 4).await.expect("created");
    let producer = kafka::producer(&addr, &[]);
    let mut waiting = Vec::new();
    for n in 0..2_000_u32 {
        let (key, value) = (format!("demo/session-{}", n % 50), n.to_string());
        waiting.push(producer.send_result(FutureRecord::to("keys").key(&key).payload(&value)).expect("room in the queue"));
    }
    let mut acknowledged = Vec::new();
    for (n, delivery) in waiting.into_iter().enumerate() {
        let delivery = delivery.await.expect("the producer lives").expect("acknowledged");
        acknowledged.push((delivery.partition, delivery.offset, n.to_string().into_bytes()));
    }
    let read = kafka::read_all(&addr, "keys", 4);
    let mut found: Vec<_> = read.iter().map(|r| (r.partition, r.offset, r.value.clone())).collect();
    found.sort();
    acknowledged.sort();
    assert_eq!(found, acknowledged, "every record stands where its acknowledgement said, and nothing else does");

    let mut of_key: HashMap<Vec<u8>, Vec<(i32, u32)>> = HashMap::new();
    for record in &read {
        let n = std::str::from_utf8(&record.value).expect("text").parse().expect("a number");
        of_key.entry(record.key.clone().expect("a key")).or_default().push((record.partition, n));
    }
    assert_eq!(of_key.len(), 50);
    for (key, records) in of_key {
        assert!(records.iter().all(|(partition, _)| *partition == records[0].0), "{key:?} is on one partition");
        assert!(records.windows(2).all(|pair| pair[0].1 < pair[1].1), "{key:?} kept its order");
    }
}

pub async fn watermarks_are_first_and_next(_: Kind, addr: String) {
    kafka::create_topic(&addr, "watermarks", 1).await.expect("created");
    assert_eq!(kafka::watermarks(&addr, "watermarks", 0), (0, 0));
    fill(&addr, "watermarks", numbers(0..10)).await;
    assert_eq!(kafka::watermarks(&addr, "watermarks", 0), (0, 10));
}

pub async fn reading_starts_at_any_offset(_: Kind, addr: String) {
    kafka::create_topic(&addr, "seek", 1).await.expect("created");
    fill(&addr, "seek", numbers(0..300)).await;
    for from in [0, 1, 37, 299] {
        let read = kafka::read(&addr, "seek", 0, from, 300);
        assert_eq!(values(&read), numbers(from as u32..300).collect::<Vec<_>>());
        assert_eq!(read[0].offset, from);
    }
    // And backwards, with the same consumer.
    let consumer = kafka::consumer(&addr, &[]);
    kafka::assign(&consumer, "seek", 0, Offset::Offset(290));
    let next = || poll(&consumer);
    assert_eq!(next(), 290);
    consumer.seek("seek", 0, Offset::Offset(5), Duration::from_secs(30)).expect("sought");
    assert_eq!(next(), 5);
}

fn poll(consumer: &rdkafka::consumer::BaseConsumer) -> i64 {
    let deadline = Instant::now() + livemeter_tests::wait::PATIENCE;
    loop {
        if let Some(message) = consumer.poll(Duration::from_millis(500)) {
            return message.expect("a record").offset();
        }
        assert!(Instant::now() < deadline, "no record");
    }
}

pub async fn large_records_come_back_whole(_: Kind, addr: String) {
    kafka::create_topic(&addr, "large", 1).await.expect("created");
    let large: Vec<Vec<u8>> =
        [16 * 1024, 17_000, 300_000, 900_000].iter().map(|n| (0..*n).map(|i: u32| (i.wrapping_mul(i) % 251) as u8).collect()).collect();
    fill(&addr, "large", large.clone()).await;
    assert_eq!(values(&kafka::read(&addr, "large", 0, 0, 4)), large);
    // A reader that asks for little gets a large record all the same, or it would never go on.
    let consumer = kafka::consumer(&addr, &[("max.partition.fetch.bytes", "1000"), ("fetch.max.bytes", "1000000")]);
    kafka::assign(&consumer, "large", 0, Offset::Offset(3));
    assert_eq!(poll(&consumer), 3);
}

pub async fn every_compression_comes_back_exactly(_: Kind, addr: String) {
    for codec in ["none", "lz4", "snappy", "gzip"] {
        let topic = format!("compressed-{codec}");
        kafka::create_topic(&addr, &topic, 1).await.expect("created");
        let producer = kafka::producer(&addr, &[("compression.type", codec), ("linger.ms", "50")]);
        let sent: Vec<Vec<u8>> = (0..500).map(|n| format!("{{\"n\":{n},\"text\":\"{}\"}}", "heartbeat ".repeat(20)).into_bytes()).collect();
        let waiting: Vec<_> =
            sent.iter().map(|v| producer.send_result(FutureRecord::<[u8], [u8]>::to(&topic).payload(v)).expect("room")).collect();
        for delivery in waiting {
            delivery.await.expect("the producer lives").expect("acknowledged");
        }
        assert_eq!(values(&kafka::read(&addr, &topic, 0, 0, 500)), sent, "{codec}");
    }
}

pub async fn headers_times_and_absent_keys_come_back(_: Kind, addr: String) {
    kafka::create_topic(&addr, "headers", 1).await.expect("created");
    let producer = kafka::producer(&addr, &[]);
    let headers = OwnedHeaders::new().insert(Header { key: "a", value: Some("1") }).insert(Header { key: "b", value: Some("zwei") });
    let with = FutureRecord::<str, str>::to("headers").payload("x").headers(headers).timestamp(1_700_000_000_123);
    producer.send(with, kafka::PATIENTLY).await.expect("acknowledged");
    let without = FutureRecord::<str, str>::to("headers").key("").payload("").timestamp(1_700_000_000_100);
    producer.send(without, kafka::PATIENTLY).await.expect("acknowledged");

    let consumer = kafka::consumer(&addr, &[]);
    kafka::assign(&consumer, "headers", 0, Offset::Offset(0));
    let mut seen = Vec::new();
    let deadline = Instant::now() + livemeter_tests::wait::PATIENCE;
    while seen.len() < 2 {
        assert!(Instant::now() < deadline, "two records");
        if let Some(message) = consumer.poll(Duration::from_millis(500)) {
            let message = message.expect("a record");
            let headers: Vec<_> =
                message.headers().map(|h| h.iter().map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec))).collect()).unwrap_or_default();
            seen.push((message.key().map(<[u8]>::to_vec), message.timestamp().to_millis(), headers));
        }
    }
    let headers = vec![("a".to_owned(), Some(b"1".to_vec())), ("b".to_owned(), Some(b"zwei".to_vec()))];
    assert_eq!(seen[0], (None, Some(1_700_000_000_123), headers));
    assert_eq!((&seen[1].0, seen[1].1, seen[1].2.len()), (&Some(Vec::new()), Some(1_700_000_000_100), 0));
}

pub async fn an_offset_outside_is_an_error(_: Kind, addr: String) {
    kafka::create_topic(&addr, "outside", 1).await.expect("created");
    fill(&addr, "outside", numbers(0..10)).await;
    assert_eq!(kafka::error_at(&addr, "outside", 0, 11), Some(RDKafkaErrorCode::AutoOffsetReset));
    assert_eq!(kafka::error_at(&addr, "outside", 0, 1_000_000), Some(RDKafkaErrorCode::AutoOffsetReset));
    // The next offset to come is not outside: a reader there waits for it.
    let consumer = kafka::consumer(&addr, &[]);
    kafka::assign(&consumer, "outside", 0, Offset::Offset(10));
    assert!(consumer.poll(Duration::from_millis(1_000)).is_none());
    fill(&addr, "outside", numbers(10..11)).await;
    assert_eq!(poll(&consumer), 10);
}

pub async fn a_time_finds_its_offset(_: Kind, addr: String) {
    kafka::create_topic(&addr, "times", 1).await.expect("created");
    let producer = kafka::producer(&addr, &[]);
    for at_ms in [1_000, 2_000, 3_000] {
        producer.send(FutureRecord::<str, str>::to("times").payload("x").timestamp(at_ms), kafka::PATIENTLY).await.expect("acknowledged");
    }
    let consumer = kafka::consumer(&addr, &[]);
    let found = |at_ms: i64| {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_offset("times", 0, Offset::Offset(at_ms)).expect("a valid place");
        consumer.offsets_for_times(asked, Duration::from_secs(30)).expect("an answer").find_partition("times", 0).expect("it").offset()
    };
    assert_eq!(found(0), Offset::Offset(0));
    assert_eq!(found(1_001), Offset::Offset(1));
    assert_eq!(found(3_000), Offset::Offset(2));
    assert_eq!(found(3_001), Offset::End);
}
