//! Records out of Kafka: every partition of one topic, assigned by hand, read from offsets that the ledger
//! gives. The only consumer. Which offsets those are is not decided here, and none is ever reset here.

use crate::config::Config;
use crate::entry::Place;
use crate::error::Error;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// One record as it stands on the topic.
#[derive(Debug, Clone)]
pub struct Message {
    pub place: Place,
    pub payload: Vec<u8>,
}

/// What the broker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub cluster_id: String,
    /// Lowest and next offset of each partition, from partition 0 on.
    pub watermarks: Vec<(i64, i64)>,
}

/// Where records come from. Another one in tests, so that every crash can be acted out without a broker.
pub trait Source: Send {
    fn layout(&mut self) -> impl Future<Output = Result<Layout, Error>> + Send;
    /// Begins to read, from these offsets.
    fn start(&mut self, offsets: &[i64]) -> impl Future<Output = Result<(), Error>> + Send;
    /// The next records, in order within each partition; waits until there are some. An empty answer
    /// says that all is well again after an error. May be dropped while it waits: nothing is lost.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Message>, Error>> + Send;
    /// The next offset of each partition on the broker, as last heard.
    fn ends(&self) -> Vec<i64>;
    /// Shows committed offsets to Kafka's own tools. Nothing depends on it.
    fn advise(&mut self, offsets: &[i64]);
}

/// How long the broker may take to answer a question.
const ANSWER: Duration = Duration::from_secs(10);
/// Records handed over at once: enough to make the hand-over cheap, little enough to hold in memory.
const CHUNK: usize = 1_000;
/// Chunks waiting; when they are full the broker waits.
const CHUNKS_AHEAD: usize = 4;
/// How often the broker is asked for its end offsets.
const ENDS_EVERY: Duration = Duration::from_secs(2);

/// The topic on a Kafka-compatible broker.
pub struct KafkaSource {
    consumer: Arc<BaseConsumer>,
    topic: String,
    ends: Arc<Vec<AtomicI64>>,
    stop: Arc<AtomicBool>,
    chunks: Option<mpsc::Receiver<Result<Vec<Message>, Error>>>,
}

impl KafkaSource {
    pub fn new(config: &Config) -> Result<Self, Error> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &config.brokers)
            .set("client.id", "livemeter-processor")
            .set("group.id", &config.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset the broker does not have is an error for a person, never a reason to jump.
            .set("auto.offset.reset", "error")
            // A quarter of a second at most for fewer, fuller answers: the commit takes seconds anyway.
            .set("fetch.min.bytes", "65536")
            .set("fetch.wait.max.ms", "250")
            .set("fetch.message.max.bytes", "1048576")
            .set("queued.max.messages.kbytes", "8192")
            .create()
            .map_err(kafka("making the consumer"))?;
        let (topic, stop) = (config.events_topic.clone(), Arc::new(AtomicBool::new(false)));
        Ok(KafkaSource { consumer: Arc::new(consumer), topic, ends: Arc::default(), stop, chunks: None })
    }

    /// Runs a question to the broker where it may block.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&BaseConsumer, &str) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (consumer, topic) = (self.consumer.clone(), self.topic.clone());
        let answer = tokio::task::spawn_blocking(move || question(&consumer, &topic));
        answer.await.map_err(|e| Error::Kafka(format!("asking the broker: {e}")))?
    }
}

impl Source for KafkaSource {
    async fn layout(&mut self) -> Result<Layout, Error> {
        let layout = self
            .ask(|consumer, topic| {
                let metadata = consumer.fetch_metadata(Some(topic), ANSWER).map_err(kafka("reading the topic"))?;
                let partitions =
                    metadata.topics().iter().find(|t| t.name() == topic && t.error().is_none()).map_or(0, |t| t.partitions().len());
                if partitions == 0 {
                    return Err(Error::Kafka(format!("topic {topic:?} is not there yet")));
                }
                let cluster_id = consumer.client().fetch_cluster_id(ANSWER);
                let cluster_id = cluster_id.ok_or_else(|| Error::Kafka("the broker does not tell its cluster id".into()))?;
                let watermarks = (0..partitions)
                    .map(|p| consumer.fetch_watermarks(topic, p as i32, ANSWER).map_err(kafka("reading watermarks")))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Layout { cluster_id, watermarks })
            })
            .await?;
        self.ends = Arc::new(layout.watermarks.iter().map(|(_, end)| AtomicI64::new(*end)).collect());
        Ok(layout)
    }

    async fn start(&mut self, offsets: &[i64]) -> Result<(), Error> {
        let assignment = positions(&self.topic, offsets)?;
        self.consumer.assign(&assignment).map_err(kafka("assigning partitions"))?;
        let (give, take) = mpsc::channel(CHUNKS_AHEAD);
        self.chunks = Some(take);
        let (consumer, topic, ends, stop) = (self.consumer.clone(), self.topic.clone(), self.ends.clone(), self.stop.clone());
        let thread = std::thread::Builder::new().name("kafka-source".into());
        thread.spawn(move || pump(&consumer, &topic, &ends, &stop, &give)).map_err(|e| Error::Kafka(format!("starting to read: {e}")))?;
        Ok(())
    }

    async fn next(&mut self) -> Result<Vec<Message>, Error> {
        match self.chunks.as_mut() {
            Some(chunks) => chunks.recv().await.unwrap_or_else(|| Err(Error::Kafka("the reading thread has ended".into()))),
            None => Err(Error::Kafka("reading has not been started".into())),
        }
    }

    fn ends(&self) -> Vec<i64> {
        self.ends.iter().map(|end| end.load(Ordering::Relaxed)).collect()
    }

    fn advise(&mut self, offsets: &[i64]) {
        let advised =
            positions(&self.topic, offsets).and_then(|p| self.consumer.commit(&p, CommitMode::Async).map_err(kafka("advising offsets")));
        if let Err(error) = advised {
            tracing::debug!(%error, "group offsets were not taken; they are advisory");
        }
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread should it wait for room.
        self.chunks = None;
    }
}

fn positions(topic: &str, offsets: &[i64]) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in (0..).zip(offsets) {
        list.add_partition_offset(topic, partition, Offset::Offset(*offset)).map_err(kafka("naming offsets"))?;
    }
    Ok(list)
}

/// Polls on a thread of its own, so that nothing the worker does keeps the client from its duties.
fn pump(consumer: &BaseConsumer, topic: &str, ends: &[AtomicI64], stop: &AtomicBool, give: &mpsc::Sender<Result<Vec<Message>, Error>>) {
    let mut refused: Option<Instant> = None;
    let mut asked = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let chunk = gather(consumer);
        // The same outage is told once a second, not at every poll.
        let news = match &chunk {
            Ok(messages) => !messages.is_empty(),
            Err(_) => refused.is_none_or(|at| at.elapsed() > Duration::from_secs(1)),
        };
        if news && chunk.is_err() {
            refused = Some(Instant::now());
        }
        if news && give.blocking_send(chunk).is_err() {
            return;
        }
        if asked.elapsed() > ENDS_EVERY {
            asked = Instant::now();
            let heard = ask_ends(consumer, topic, ends);
            // The broker answers again: an empty chunk says so, though there may be nothing to read.
            if heard && refused.take().is_some() && give.blocking_send(Ok(Vec::new())).is_err() {
                return;
            }
        }
    }
}

/// Whether the broker told the end of every partition.
fn ask_ends(consumer: &BaseConsumer, topic: &str, ends: &[AtomicI64]) -> bool {
    (0..).zip(ends).all(|(partition, end)| {
        let told = consumer.fetch_watermarks(topic, partition, Duration::from_secs(1));
        told.map(|(_, high)| end.store(high, Ordering::Relaxed)).is_ok()
    })
}

/// What is there, up to a chunk; waits a little for the first record.
fn gather(consumer: &BaseConsumer) -> Result<Vec<Message>, Error> {
    let mut messages = Vec::new();
    let mut wait = Duration::from_millis(100);
    while messages.len() < CHUNK {
        match consumer.poll(wait) {
            None => break,
            Some(Ok(m)) => {
                let place = Place { partition: m.partition(), offset: m.offset() };
                messages.push(Message { place, payload: m.payload().unwrap_or_default().to_vec() });
            }
            // Records behind the error are not on their way any more: it is what the worker must hear.
            Some(Err(error)) => match consuming(error) {
                passing if passing.retry() && !messages.is_empty() => break,
                error => return Err(error),
            },
        }
        wait = Duration::ZERO;
    }
    Ok(messages)
}

fn consuming(error: KafkaError) -> Error {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => Error::OffsetGone(error.to_string()),
        _ => Error::Kafka(error.to_string()),
    }
}

fn kafka(what: &'static str) -> impl Fn(KafkaError) -> Error {
    move |error| Error::Kafka(format!("{what}: {error}"))
}
