//! A topic for each run: made, counted to the byte by a client that wrote none of it, and deleted.

use anyhow::{Context as _, Result, anyhow, ensure};
use livemeter_tests::kafka;
use rdkafka::admin::{AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use std::time::{Duration, Instant};

pub const PARTITIONS: i32 = 4;
const PATIENCE: Duration = Duration::from_secs(60);
/// Without a record for so long, no more will come.
const SILENCE: Duration = Duration::from_secs(30);

/// What a topic holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    pub records: u64,
    /// Of their values.
    pub bytes: u64,
}

/// Creates it; `partition_bytes_max` is what a run that lasts may leave on the disk, per partition.
pub async fn create(brokers: &str, name: &str, partition_bytes_max: Option<u64>) -> Result<()> {
    let (retention, segment) = partition_bytes_max.map(|max| (max.to_string(), (max / 4).to_string())).unzip();
    let mut topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1));
    if let (Some(retention), Some(segment)) = (&retention, &segment) {
        topic = topic.set("retention.bytes", retention).set("segment.bytes", segment).set("file.delete.delay.ms", "1000");
    }
    let made = kafka::admin(brokers).create_topics([&topic], &options()).await?;
    made.into_iter().try_for_each(|topic| topic.map(drop).map_err(|(name, code)| anyhow!("creating {name}: {code}")))
}

pub async fn delete(brokers: &str, name: &str) -> Result<()> {
    let gone = kafka::admin(brokers).delete_topics(&[name], &options()).await?;
    gone.into_iter().try_for_each(|topic| topic.map(drop).map_err(|(name, code)| anyhow!("deleting {name}: {code}")))
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE))
}

/// Records that were ever written: offsets count them, since an idempotent producer leaves no gaps.
pub fn written(brokers: &str, name: &str) -> u64 {
    (0..PARTITIONS).map(|p| kafka::watermarks(brokers, name, p).1 as u64).sum()
}

/// Reads all of it.
pub fn held(brokers: &str, name: &str) -> Result<Held> {
    let mut left = written(brokers, name);
    let mut config = kafka::config(brokers);
    config.set("group.id", "livemeter-bench").set("enable.auto.commit", "false").set("fetch.message.max.bytes", "4194304");
    let consumer: BaseConsumer = config.create()?;
    let mut places = TopicPartitionList::new();
    (0..PARTITIONS).try_for_each(|p| places.add_partition_offset(name, p, Offset::Beginning))?;
    consumer.assign(&places)?;
    let (mut held, mut heard) = (Held::default(), Instant::now());
    while left > 0 {
        let Some(message) = consumer.poll(Duration::from_millis(200)) else {
            ensure!(heard.elapsed() < SILENCE, "{left} records of {name} cannot be read");
            continue;
        };
        let message = message?;
        held.records += 1;
        held.bytes += message.payload().context("a record without a value")?.len() as u64;
        (left, heard) = (left - 1, Instant::now());
    }
    Ok(held)
}
