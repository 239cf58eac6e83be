//! Dead letters into Kafka: what could not be booked, kept where it can be found. The only producer.

use crate::config::Config;
use crate::error::Error;
use futures::future::try_join_all;
use livemeter_schemas::record::DeadLetter;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use std::future::Future;
use std::time::Duration;

/// Where dead letters go. Another one in tests.
pub trait Sink: Send {
    /// Returns once all of them are durable. After an error all of them are to be given again: a letter
    /// may then be there twice, told by its origin.
    fn put(&mut self, letters: &[DeadLetter]) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The dead letter topic.
pub struct KafkaSink {
    producer: FutureProducer,
    topic: String,
}

impl KafkaSink {
    pub fn new(config: &Config) -> Result<Self, Error> {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", &config.brokers)
            .set("client.id", "livemeter-processor")
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("compression.type", "none")
            // Letters are kept by the worker and given again: the client need not try for minutes.
            .set("message.timeout.ms", "30000")
            .set("queue.buffering.max.kbytes", "16384")
            .create()
            .map_err(|e| Error::Kafka(format!("making the producer: {e}")))?;
        Ok(KafkaSink { producer, topic: config.deadletter_topic.clone() })
    }
}

impl Sink for KafkaSink {
    async fn put(&mut self, letters: &[DeadLetter]) -> Result<(), Error> {
        // A hundred at a time: a flood of poison must not fill memory twice over.
        for some in letters.chunks(100) {
            let values: Vec<Vec<u8>> = some
                .iter()
                .map(serde_json::to_vec)
                .collect::<Result<_, _>>()
                .map_err(|e| Error::Ledger(format!("writing a dead letter: {e}")))?;
            let (producer, topic) = (&self.producer, &self.topic);
            let sends = values.iter().zip(some).map(|(value, letter)| async move {
                // By its origin: readers tell by the key what was written twice around a crash.
                let key = letter.key().unwrap_or_default();
                let record = FutureRecord::to(topic).key(&key).payload(value);
                producer.send(record, Duration::from_secs(30)).await.map_err(|(e, _)| not_taken(&e))
            });
            try_join_all(sends).await?;
        }
        Ok(())
    }
}

/// Told apart: what waiting may mend, and what somebody has to.
fn not_taken(error: &KafkaError) -> Error {
    use RDKafkaErrorCode::{
        ClusterAuthorizationFailed, InvalidRecord, MessageSizeTooLarge, PolicyViolation, TopicAuthorizationFailed, UnknownTopic,
        UnknownTopicOrPartition,
    };
    match error.rdkafka_error_code() {
        Some(
            ClusterAuthorizationFailed
            | InvalidRecord
            | MessageSizeTooLarge
            | PolicyViolation
            | TopicAuthorizationFailed
            | UnknownTopic
            | UnknownTopicOrPartition,
        ) => Error::LettersRefused(error.to_string()),
        _ => Error::Kafka(format!("dead letter: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_broker_refuses_is_told_from_what_did_not_come() {
        let of = |code| not_taken(&KafkaError::MessageProduction(code));
        assert!(matches!(of(RDKafkaErrorCode::TopicAuthorizationFailed), Error::LettersRefused(_)));
        assert!(matches!(of(RDKafkaErrorCode::MessageTimedOut), Error::Kafka(_)));
        assert!(of(RDKafkaErrorCode::UnknownTopicOrPartition).retry(), "the topic may come to be");
    }
}
