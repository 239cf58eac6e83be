//! A client's side of a broker, for tests: topics, an idempotent producer as ingest uses one, and
//! reading a topic back. The only module here that knows rdkafka's settings.

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::producer::FutureProducer;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::util::Timeout;
use rdkafka::{Offset, types::RDKafkaErrorCode as Code};
use std::time::{Duration, Instant};

/// One record, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
}

/// Settings that every client here has.
pub fn config(addr: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", addr).set("reconnect.backoff.max.ms", "500").set("log_level", "2");
    config
}

/// The cluster's id, once the broker answers.
pub async fn cluster_id(addr: &str) -> Result<String, String> {
    let config = config(addr);
    let ask = move || -> Result<String, String> {
        let consumer: BaseConsumer = config.create().map_err(|e| e.to_string())?;
        let metadata = consumer.fetch_metadata(None, Duration::from_secs(2)).map_err(|e| e.to_string())?;
        if metadata.brokers().is_empty() {
            return Err("it knows no broker yet".to_owned());
        }
        consumer.client().fetch_cluster_id(Duration::from_secs(2)).ok_or_else(|| "it has no cluster id yet".to_owned())
    };
    tokio::task::spawn_blocking(ask).await.expect("asking does not panic")
}

/// The requests that a broker says it knows, by Kafka's numbers: an ApiVersions request, by hand.
pub async fn listed_requests(addr: &str) -> Vec<i16> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(addr).await.expect("the broker listens");
    // Length 10, request 18 in version 0, correlation 7, no client id.
    stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]).await.expect("sent");
    let length = stream.read_u32().await.expect("an answer");
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer).await.expect("a whole answer");
    // Correlation, error, count; then request, first and last version of each.
    assert_eq!(answer[..6], [0, 0, 0, 7, 0, 0]);
    answer[10..].chunks_exact(6).map(|entry| i16::from_be_bytes([entry[0], entry[1]])).collect()
}

pub fn admin(addr: &str) -> AdminClient<DefaultClientContext> {
    config(addr).create().expect("an admin client")
}

/// Creates a topic; an error says why it was refused.
pub async fn create_topic(addr: &str, name: &str, partitions: i32) -> Result<(), RDKafkaErrorCode> {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(60))).request_timeout(Some(Duration::from_secs(60)));
    let results = admin(addr).create_topics([&topic], &options).await.expect("the broker answers");
    results.into_iter().next().expect("one result per topic").map(drop).map_err(|(_, code)| code)
}

/// A producer as ingest uses one: every acknowledgement means durable, every retry is recognised.
/// `message.timeout.ms` is long: what a test gives up on is the test's own business.
pub fn producer(addr: &str, also: &[(&str, &str)]) -> FutureProducer {
    let mut config = config(addr);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("message.timeout.ms", "300000")
        .set("partitioner", "murmur2_random");
    for (name, value) in also {
        config.set(*name, *value);
    }
    config.create().expect("a producer")
}

/// A consumer that starts where it is told and refuses to start elsewhere.
pub fn consumer(addr: &str, also: &[(&str, &str)]) -> BaseConsumer {
    let mut config = config(addr);
    config
        .set("group.id", "livemeter-tests")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "false")
        .set("fetch.wait.max.ms", "100");
    for (name, value) in also {
        config.set(*name, *value);
    }
    config.create().expect("a consumer")
}

/// First and next offset of a partition, asked until the broker answers.
pub fn watermarks(addr: &str, topic: &str, partition: i32) -> (i64, i64) {
    let consumer = consumer(addr, &[]);
    retried("the watermarks", || consumer.fetch_watermarks(topic, partition, Duration::from_secs(5)))
}

/// Every record of `partition` in `[from, to)`, in the order read. Panics when they do not come.
pub fn read(addr: &str, topic: &str, partition: i32, from: i64, to: i64) -> Vec<Stored> {
    if from >= to {
        return Vec::new();
    }
    let consumer = consumer(addr, &[]);
    assign(&consumer, topic, partition, Offset::Offset(from));
    let deadline = Instant::now() + crate::wait::PATIENCE;
    let mut read: Vec<Stored> = Vec::new();
    while read.last().is_none_or(|last| last.offset + 1 < to) {
        assert!(Instant::now() < deadline, "read {} records of {topic}/{partition} from {from}, none up to {to}", read.len());
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) => read.push(stored(&message)),
            Some(Err(KafkaError::MessageConsumption(code))) if passing(code) => {}
            Some(Err(error)) => panic!("reading {topic}/{partition} from {from}: {error}"),
            None => {}
        }
    }
    read
}

/// Everything that a topic holds, partition by partition.
pub fn read_all(addr: &str, topic: &str, partitions: i32) -> Vec<Stored> {
    (0..partitions)
        .flat_map(|partition| {
            let (low, high) = watermarks(addr, topic, partition);
            read(addr, topic, partition, low, high)
        })
        .collect()
}

/// The first error that a consumer reports when it starts at `from`; none if it reads a record.
pub fn error_at(addr: &str, topic: &str, partition: i32, from: i64) -> Option<RDKafkaErrorCode> {
    let consumer = consumer(addr, &[]);
    assign(&consumer, topic, partition, Offset::Offset(from));
    let deadline = Instant::now() + crate::wait::PATIENCE;
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(_)) => return None,
            Some(Err(KafkaError::MessageConsumption(code))) if passing(code) => {}
            Some(Err(error)) => return error.rdkafka_error_code(),
            None => {}
        }
    }
    panic!("neither a record nor an error from {topic}/{partition} at {from}");
}

pub fn assign(consumer: &BaseConsumer, topic: &str, partition: i32, offset: Offset) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, offset).expect("a valid place");
    consumer.assign(&list).expect("an assignment");
}

/// Deletes what is below an offset; answers the new low watermark, or the broker's word of refusal.
pub async fn delete_below(addr: &str, topic: &str, partition: i32, offset: i64) -> Result<i64, String> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("a valid place");
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(60))).request_timeout(Some(Duration::from_secs(60)));
    let result = admin(addr).delete_records(&list, &options).await.map_err(|e| format!("{e:?}"))?;
    let element = result.find_partition(topic, partition).expect("the partition that was asked for");
    element.error().map_err(|e| format!("{e:?}"))?;
    match element.offset() {
        Offset::Offset(low) => Ok(low),
        other => panic!("a low watermark of {other:?}"),
    }
}

/// Conditions that librdkafka reports and mends by itself.
pub fn passing(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::Resolve
            | Code::UnknownTopicOrPartition
            | Code::LeaderNotAvailable
    )
}

fn retried<T>(what: &str, mut ask: impl FnMut() -> Result<T, KafkaError>) -> T {
    let deadline = Instant::now() + crate::wait::PATIENCE;
    loop {
        match ask() {
            Ok(value) => return value,
            Err(error) => assert!(Instant::now() < deadline, "{what}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn stored(message: &BorrowedMessage) -> Stored {
    Stored {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().unwrap_or_default().to_vec(),
    }
}

/// No limit on waiting for a delivery report.
pub const PATIENTLY: Timeout = Timeout::Never;
