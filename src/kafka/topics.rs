//! `livemeter topics create`: the topics and their settings. Idempotent.

use crate::cli::Failure;
use crate::settings::Settings;
use livemeter_schemas::record::{DEADLETTER_TOPIC, EVENTS_TOPIC};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;
use std::collections::BTreeMap;
use std::time::Duration;

pub fn command(settings: &Settings) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    for line in runtime.block_on(create(settings))? {
        println!("{line}");
    }
    Ok(())
}

/// The committed list of topics, with a reason for each setting: those who use other tools read the same.
const TOPICS: &str = include_str!("../../deploy/topics.toml");

#[derive(serde::Deserialize)]
struct Listed {
    topic: Vec<Topic>,
}

#[derive(serde::Deserialize)]
struct Topic {
    name: String,
    partitions: i32,
    settings: BTreeMap<String, toml::Value>,
}

impl Topic {
    /// The settings that Kafka takes at creation. Copies are the operator's choice, and what follows from it:
    /// with two or more, two must have a record before it is acknowledged, so that one broker may die.
    fn settings(&self, replicas: i32) -> impl Iterator<Item = (&str, String)> {
        self.settings.iter().filter(|(key, _)| *key != "replication.factor").map(move |(key, value)| {
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                other => format!("{other:?}"),
            };
            (key.as_str(), if key == "min.insync.replicas" && replicas >= 2 { "2".into() } else { text })
        })
    }
}

fn listed() -> Result<Vec<Topic>, Failure> {
    toml::from_str::<Listed>(TOPICS).map(|l| l.topic).map_err(|e| Failure::new(format!("deploy/topics.toml: {e}")))
}

/// Creates what is missing; says for each topic what it found or did.
pub async fn create(settings: &Settings) -> Result<Vec<String>, Failure> {
    let brokers = settings.text("kafka.brokers");
    let admin: AdminClient<DefaultClientContext> = super::client(&brokers).create().map_err(Failure::new)?;
    let replicas = settings.integer("kafka.replication") as i32;
    let mut listed = listed()?;
    for topic in &mut listed {
        if topic.name == EVENTS_TOPIC {
            topic.name = settings.text("kafka.events_topic");
            topic.partitions = settings.integer("kafka.partitions") as i32;
        } else if topic.name == DEADLETTER_TOPIC {
            topic.name = settings.text("kafka.deadletter_topic");
        }
    }
    let texts: Vec<Vec<(&str, String)>> = listed.iter().map(|t| t.settings(replicas).collect()).collect();
    let topics = listed.iter().zip(&texts).map(|(topic, texts)| {
        let new = NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(replicas));
        texts.iter().fold(new, |new, (key, text)| new.set(key, text))
    });
    let topics: Vec<NewTopic<'_>> = topics.collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_list_names_both_topics_and_several_copies_need_two() {
        let listed = listed().unwrap();
        let names: Vec<&str> = listed.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, [EVENTS_TOPIC, DEADLETTER_TOPIC]);
        for (replicas, in_sync) in [(1, "1"), (2, "2"), (3, "2")] {
            let settings: BTreeMap<&str, String> = listed[0].settings(replicas).collect();
            assert_eq!(settings["min.insync.replicas"], in_sync);
            assert_eq!(settings["retention.ms"], "604800000");
            assert_eq!((settings["segment.ms"].as_str(), settings["compression.type"].as_str()), ("86400000", "producer"));
            assert_eq!(settings["unclean.leader.election.enable"], "false");
            assert!(!settings.contains_key("replication.factor"));
        }
    }
}
