//! The operator's side of Kafka: topics, what was refused, reading records again, and trimming the embedded broker.
//! Producing and consuming events is the services' own business.

pub mod deadletter;
pub mod records;
pub mod repartition;
pub mod topics;
pub mod trim;

use rdkafka::ClientConfig;

/// A client that fails soon: an operator waits for it.
pub fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("socket.timeout.ms", "10000").set("log_level", "3");
    config
}
