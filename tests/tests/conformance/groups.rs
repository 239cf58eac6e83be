//! Places of readers: stored outside, committed to a group, and shared by a group.

use crate::records::{fill, numbers, values};
use livemeter_tests::brokers::Kind;
use livemeter_tests::kafka;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use std::time::{Duration, Instant};

/// How the processor works: its place is in the ledger, not on the broker.
pub async fn a_second_reader_goes_on_from_a_stored_offset(_: Kind, addr: String) {
    kafka::create_topic(&addr, "stored", 1).await.expect("created");
    fill(&addr, "stored", numbers(0..1_000)).await;
    let first = kafka::read(&addr, "stored", 0, 0, 500);
    let place = first.last().expect("records").offset + 1;
    let second = kafka::read(&addr, "stored", 0, place, 1_000);
    assert_eq!([values(&first), values(&second)].concat(), numbers(0..1_000).collect::<Vec<_>>(), "no gap, no overlap");
}

pub async fn committed_offsets_are_kept(_: Kind, addr: String) {
    kafka::create_topic(&addr, "committed", 2).await.expect("created");
    let mut places = TopicPartitionList::new();
    places.add_partition_offset("committed", 0, Offset::Offset(41)).expect("a valid place");
    let group = [("group.id", "keeps")];
    kafka::consumer(&addr, &group).commit(&places, CommitMode::Sync).expect("committed");
    let mut asked = TopicPartitionList::new();
    asked.add_partition("committed", 0);
    asked.add_partition("committed", 1);
    let found = kafka::consumer(&addr, &group).committed_offsets(asked, Duration::from_secs(30)).expect("an answer");
    assert_eq!(found.find_partition("committed", 0).expect("it").offset(), Offset::Offset(41));
    assert_eq!(found.find_partition("committed", 1).expect("it").offset(), Offset::Invalid);
}

pub async fn a_classic_group_resumes(_: Kind, addr: String) {
    kafka::create_topic(&addr, "classic", 1).await.expect("created");
    fill(&addr, "classic", numbers(0..200)).await;
    let settings = [("group.id", "classic"), ("auto.offset.reset", "earliest"), ("session.timeout.ms", "10000")];
    let first = subscribed(&addr, "classic", &settings);
    assert_eq!(take(&first, 100).expect("a place in the group"), (0..100).collect::<Vec<i64>>());
    let mut place = TopicPartitionList::new();
    place.add_partition_offset("classic", 0, Offset::Offset(100)).expect("a valid place");
    first.commit(&place, CommitMode::Sync).expect("committed");
    drop(first);
    let second = subscribed(&addr, "classic", &settings);
    assert_eq!(take(&second, 100).expect("a place in the group"), (100..200).collect::<Vec<i64>>());
}

/// KIP-848. Apache Kafka has it. The embedded broker does not, and says so to every client: the request
/// is not among those that it lists.
pub async fn the_new_group_protocol(kind: Kind, addr: String) {
    const CONSUMER_GROUP_HEARTBEAT: i16 = 68;
    let listed = kafka::listed_requests(&addr).await;
    if kind == Kind::Embedded {
        println!("KIP-848 groups are unsupported by the embedded broker; it lists the requests {listed:?}");
        assert!(
            !listed.contains(&CONSUMER_GROUP_HEARTBEAT),
            "the embedded broker now knows KIP-848 groups: let this case use them, and say so in docs/decisions/0003-embedded-broker.md"
        );
        return;
    }
    assert!(listed.contains(&CONSUMER_GROUP_HEARTBEAT));
    kafka::create_topic(&addr, "kip-848", 1).await.expect("created");
    fill(&addr, "kip-848", numbers(0..10)).await;
    let settings = [("group.id", "kip-848"), ("auto.offset.reset", "earliest"), ("group.protocol", "consumer")];
    assert_eq!(take(&subscribed(&addr, "kip-848", &settings), 10).expect("a place in the group"), (0..10).collect::<Vec<i64>>());
}

fn subscribed(addr: &str, topic: &str, settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config = kafka::config(addr);
    for (name, value) in settings {
        config.set(*name, *value);
    }
    let consumer: BaseConsumer = config.set("enable.auto.commit", "false").create().expect("a consumer");
    consumer.subscribe(&[topic]).expect("subscribed");
    consumer
}

/// The offsets of the next `count` records, or why there are none.
fn take(consumer: &BaseConsumer, count: usize) -> Result<Vec<i64>, String> {
    let deadline = Instant::now() + livemeter_tests::wait::PATIENCE;
    let mut offsets = Vec::new();
    while offsets.len() < count {
        if Instant::now() > deadline {
            return Err(format!("only {} of {count} records came", offsets.len()));
        }
        if let Some((code, reason)) = consumer.client().fatal_error() {
            return Err(format!("{code:?}: {reason}"));
        }
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) => offsets.push(message.offset()),
            Some(Err(KafkaError::MessageConsumption(code))) if kafka::passing(code) => {}
            Some(Err(error)) => return Err(format!("{:?}: {error}", error.rdkafka_error_code())),
            None => {}
        }
    }
    Ok(offsets)
}
