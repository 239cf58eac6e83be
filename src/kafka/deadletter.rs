//! `livemeter deadletter list`: what was refused, by whom and why.

use crate::cli::Failure;
use crate::settings::Settings;
use livemeter_schemas::record::DeadLetter;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::time::{Duration, Instant};

pub fn command(settings: &Settings, _word: &str, list: &clap::ArgMatches) -> Result<(), Failure> {
    let limit = list.get_one::<u32>("limit").copied().unwrap_or(50);
    let topic = settings.text("kafka.deadletter_topic");
    let texts = newest(&settings.text("kafka.brokers"), &topic, i64::from(limit))?;
    if list.get_flag("json") {
        texts.iter().for_each(|text| println!("{text}"));
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN).set_header(["received", "by", "app", "code", "reason", "bytes", "sha256"]);
    let mut shown = 0;
    for text in &texts {
        let Ok(letter) = serde_json::from_str::<DeadLetter>(text) else { continue };
        shown += 1;
        table.add_row([
            received(letter.received_at_ms),
            letter.by,
            letter.app,
            letter.code.as_str().to_owned(),
            letter.reason,
            letter.length_bytes.to_string(),
            letter.sha256.chars().take(12).collect(),
        ]);
    }
    println!("{table}");
    println!("{shown} refused, newest last (at most {limit}; --limit for more, --json for the texts themselves)");
    Ok(())
}

/// RFC 3339, UTC; the bare number when it is no time at all.
fn received(at_ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(at_ms);
    time.map_or_else(|| at_ms.to_string(), |t| t.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// The newest `limit` records of every partition, oldest first.
fn newest(brokers: &str, topic: &str, limit: i64) -> Result<Vec<String>, Failure> {
    let fail = |e: rdkafka::error::KafkaError| Failure::new(format!("{brokers}, {topic}: {e}"));
    let consumer: BaseConsumer = super::client(brokers)
        .set("group.id", "livemeter-deadletter-list")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "false")
        .create()
        .map_err(fail)?;
    let wait = Duration::from_secs(10);
    let metadata = consumer.fetch_metadata(Some(topic), wait).map_err(fail)?;
    let partitions = metadata.topics().first().map_or(0, |t| t.partitions().len()) as i32;
    let (mut assignment, mut missing) = (TopicPartitionList::new(), 0);
    for partition in 0..partitions {
        let (low, high) = consumer.fetch_watermarks(topic, partition, wait).map_err(fail)?;
        let from = low.max(high - limit);
        missing += high - from;
        assignment.add_partition_offset(topic, partition, Offset::Offset(from)).map_err(fail)?;
    }
    consumer.assign(&assignment).map_err(fail)?;
    let mut out = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(20);
    while missing > 0 && Instant::now() < deadline {
        if let Some(message) = consumer.poll(Duration::from_millis(200)) {
            let message = message.map_err(fail)?;
            missing -= 1;
            out.push(String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned());
        }
    }
    Ok(out)
}
