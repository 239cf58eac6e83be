//! `livemeter topics create`: the topics and their settings. Idempotent.

use crate::cli::Failure;
use crate::settings::Settings;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;
use std::time::Duration;

pub fn command(settings: &Settings) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    for line in runtime.block_on(create(settings))? {
        println!("{line}");
    }
    Ok(())
}

/// Creates what is missing; says for each topic what it found or did.
pub async fn create(settings: &Settings) -> Result<Vec<String>, Failure> {
    let brokers = settings.text("kafka.brokers");
    let admin: AdminClient<DefaultClientContext> = super::client(&brokers).create().map_err(Failure::new)?;
    let replicas = settings.integer("kafka.replication") as i32;
    let events = settings.text("kafka.events_topic");
    let deadletter = settings.text("kafka.deadletter_topic");
    let replication = || TopicReplication::Fixed(replicas);
    // With three replicas, two must have a record before it is acknowledged: one broker may die.
    let in_sync = if replicas >= 3 { "2" } else { "1" };
    let topics = [
        NewTopic::new(&events, settings.integer("kafka.partitions") as i32, replication())
            .set("min.insync.replicas", in_sync)
            // A week: longer than any processor may be away. The ledger, not Kafka, is the archive.
            .set("retention.ms", "604800000")
            .set("cleanup.policy", "delete"),
        NewTopic::new(&deadletter, 1, replication())
            .set("min.insync.replicas", in_sync)
            // A month: refusals are looked at when a bill is checked.
            .set("retention.ms", "2592000000")
            .set("cleanup.policy", "delete"),
    ];
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20))).request_timeout(Some(Duration::from_secs(30)));
    let mut said = Vec::new();
    for result in admin.create_topics(&topics, &options).await.map_err(|e| Failure::new(format!("{brokers}: {e}")))? {
        match result {
            Ok(name) => said.push(format!("{name}: created")),
            Err((name, RDKafkaErrorCode::TopicAlreadyExists)) => said.push(format!("{name}: exists, left as it is")),
            Err((name, code)) => return Err(Failure::new(format!("{name}: {code}"))),
        }
    }
    Ok(said)
}

/// Whether a broker answers; used while it starts.
pub fn reachable(brokers: &str) -> bool {
    let consumer: Result<BaseConsumer, _> = super::client(brokers).create();
    consumer.is_ok_and(|c| c.fetch_metadata(None, Duration::from_secs(2)).is_ok_and(|m| !m.brokers().is_empty()))
}
