//! Reading records of a topic again, from one offset to another, for those who check. No group, no commits:
//! nobody's place is moved.

use crate::cli::Failure;
use livemeter_processor::Error;
use livemeter_processor::audit::{Broker, Records};
use livemeter_processor::entry::Place;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long the broker may take to answer a question.
const ANSWER: Duration = Duration::from_secs(10);
/// Silence after which the broker is taken as away.
const SILENCE: Duration = Duration::from_secs(30);

/// A consumer that is told where to read, and refuses to start elsewhere.
pub fn consumer(brokers: &str) -> Result<BaseConsumer, Failure> {
    super::client(brokers)
        .set("group.id", "livemeter-tools")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .create()
        .map_err(Failure::new)
}

/// What the broker holds of a topic now.
pub fn layout(brokers: &str, topic: &str) -> Result<Broker, Failure> {
    let fail = |e: KafkaError| Failure::new(format!("{brokers}, {topic}: {e}"));
    let consumer = consumer(brokers)?;
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER).map_err(fail)?;
    let found = metadata.topics().iter().find(|t| t.name() == topic && t.error().is_none());
    let partitions = found.map_or(0, |t| t.partitions().len()) as i32;
    if partitions == 0 {
        return Err(Failure::new(format!("{brokers}: topic {topic} is not there")));
    }
    let cluster_id = consumer.client().fetch_cluster_id(ANSWER);
    let cluster_id = cluster_id.ok_or_else(|| Failure::new(format!("{brokers}: the broker does not tell its cluster id")))?;
    let mut watermarks = BTreeMap::new();
    for partition in 0..partitions {
        watermarks.insert(i64::from(partition), consumer.fetch_watermarks(topic, partition, ANSWER).map_err(fail)?);
    }
    Ok(Broker { cluster_id, topic: topic.to_owned(), watermarks })
}

/// One topic, partition by partition.
pub struct TopicReader {
    consumer: BaseConsumer,
    topic: String,
}

impl TopicReader {
    pub fn new(brokers: &str, topic: &str) -> Result<TopicReader, Failure> {
        Ok(TopicReader { consumer: consumer(brokers)?, topic: topic.to_owned() })
    }

    /// Every record of `[from, to)`: key, place, value, in order. Ends early when `take` fails.
    pub fn read(
        &self,
        partition: i32,
        from: i64,
        to: i64,
        take: &mut dyn FnMut(Option<&[u8]>, Place, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let wrong = |e: KafkaError| Error::Kafka(format!("{}/{partition} from {from}: {e}", self.topic));
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(from)).map_err(wrong)?;
        self.consumer.assign(&list).map_err(wrong)?;
        let (mut next, mut heard) = (from, Instant::now());
        while next < to {
            match self.consumer.poll(Duration::from_millis(200)) {
                Some(Ok(record)) => {
                    heard = Instant::now();
                    next = record.offset() + 1;
                    if record.offset() < to {
                        let place = Place { partition, offset: record.offset() };
                        take(record.key(), place, record.payload().unwrap_or_default())?;
                    }
                }
                Some(Err(KafkaError::MessageConsumption(
                    Code::BrokerTransportFailure | Code::AllBrokersDown | Code::OperationTimedOut,
                ))) => {}
                Some(Err(error)) => return Err(wrong(error)),
                // The last offsets before `to` may hold no record: the client knows how far it has read.
                None => next = next.max(self.position(partition).unwrap_or(next)),
            }
            if heard.elapsed() > SILENCE {
                return Err(Error::Kafka(format!(
                    "{}/{partition}: silent for {} s at offset {next}, before {to}",
                    self.topic,
                    SILENCE.as_secs()
                )));
            }
        }
        Ok(())
    }

    fn position(&self, partition: i32) -> Option<i64> {
        let positions = self.consumer.position().ok()?;
        match positions.find_partition(&self.topic, partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }
}

impl Records for TopicReader {
    async fn each(
        &mut self,
        partition: i64,
        from: i64,
        to: i64,
        take: &mut (dyn FnMut(Place, &[u8]) -> Result<(), Error> + Send),
    ) -> Result<(), Error> {
        let partition = i32::try_from(partition).map_err(|_| Error::Kafka(format!("partition {partition} is no partition")))?;
        // Blocks: nothing else runs in a tool's process.
        self.read(partition, from, to, &mut |_, place, payload| take(place, payload))
    }
}
