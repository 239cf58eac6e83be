//! The Kafka producer: the only module that knows rdkafka. One thread polls for reports, one asks the
//! cluster how it is. Every record is acknowledged by all in-sync replicas, and idempotent.
//!
//! A `FutureProducer` would cost a channel and a wake-up per record; here a request's records share
//! one [`Delivery`], and the request is woken once.

use crate::config::Config;
use crate::delivery::{Delivery, NotQueued, Sink, To};
use crate::error::Error;
use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, NoCustomPartitioner, Producer, ProducerContext};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(100);
/// How often the cluster is asked, and how long it may take to answer.
const PROBE_EVERY: Duration = Duration::from_secs(1);
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// What librdkafka reports, from whichever producer is the current one.
#[derive(Debug)]
struct Signals {
    up: AtomicBool,
    /// Why it is not up.
    reason: Mutex<String>,
    /// Rises with every report of success, so that silence can be seen.
    acks: AtomicU64,
}

impl Signals {
    fn down(&self, reason: String) {
        if self.up.swap(false, Ordering::AcqRel) {
            tracing::warn!(%reason, "Kafka cannot be used; requests are answered 503 until it can");
        }
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    fn up(&self) {
        if !self.up.swap(true, Ordering::AcqRel) {
            tracing::info!("Kafka can be used");
        }
    }
}

/// librdkafka's callbacks.
struct Context {
    signals: Arc<Signals>,
    /// The idempotent producer has lost its footing and must be replaced.
    fatal: AtomicBool,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => tracing::error!(facility, "{message}"),
            // A cluster that is away would fill the log; its state is logged once, by `Signals`.
            _ => tracing::debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Fatal) => {
                tracing::error!(reason, "the Kafka producer failed for good; making a new one");
                self.fatal.store(true, Ordering::Release);
                self.signals.down(format!("the producer failed: {reason}"));
            }
            Some(RDKafkaErrorCode::AllBrokersDown) => self.signals.down(reason.to_owned()),
            _ => tracing::debug!(%error, reason, "from librdkafka"),
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Arc<Delivery>) {
        match result {
            Ok(_) => {
                self.signals.acks.fetch_add(1, Ordering::Relaxed);
                delivery.ack();
            }
            Err((error, _)) => tracing::debug!(%error, "a record was not delivered"),
        }
    }
}

type KafkaProducer = BaseProducer<Context>;

struct Shared {
    producer: RwLock<Arc<KafkaProducer>>,
    signals: Arc<Signals>,
    settings: ClientConfig,
    events_topic: String,
    deadletter_topic: String,
    silence: Duration,
    stop: AtomicBool,
}

/// Kafka as a [`Sink`].
pub struct KafkaSink {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl KafkaSink {
    /// Makes the producer and its threads. The cluster need not be there yet: until it is, the sink
    /// is not ready.
    pub fn start(config: &Config) -> Result<Self, Error> {
        let signals = Arc::new(Signals {
            up: AtomicBool::new(false),
            reason: Mutex::new(format!("no answer from {} yet", config.brokers)),
            acks: AtomicU64::new(0),
        });
        let settings = settings(config);
        let shared = Arc::new(Shared {
            producer: RwLock::new(Arc::new(producer(&settings, &signals)?)),
            signals,
            settings,
            events_topic: config.events_topic.clone(),
            deadletter_topic: config.deadletter_topic.clone(),
            silence: Duration::from_millis(config.kafka_silence_ms),
            stop: AtomicBool::new(false),
        });
        let threads = vec![spawn("kafka-reports", &shared, Shared::poll)?, spawn("kafka-probe", &shared, Shared::probe)?];
        Ok(KafkaSink { shared, threads: Mutex::new(threads) })
    }

    /// Flushes what is queued, then ends the threads.
    ///
    /// # Errors
    /// Records that could not be delivered within `timeout`: their requests were not answered 2xx.
    pub fn close(&self, timeout: Duration) -> Result<(), Error> {
        let producer = self.shared.current();
        let flushed = producer.flush(timeout).map_err(|e| Error::Kafka(format!("{e}; {} records left", producer.in_flight_count())));
        drop(producer);
        self.shared.stop.store(true, Ordering::Release);
        // No report is left to be served; the probe may be asleep.
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                return Err(Error::Kafka("a producer thread panicked".into()));
            }
        }
        flushed
    }
}

impl Sink for KafkaSink {
    fn enqueue(&self, to: To, at_ms: i64, key: &str, value: &[u8], delivery: &Arc<Delivery>) -> Result<(), NotQueued> {
        let topic = match to {
            To::Events => &self.shared.events_topic,
            To::DeadLetters => &self.shared.deadletter_topic,
        };
        let record = BaseRecord::with_opaque_to(topic, delivery.clone()).key(key).payload(value).timestamp(at_ms);
        self.shared.producer.read().unwrap_or_else(PoisonError::into_inner).send(record).map_err(|(error, _)| {
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => NotQueued::Full,
                _ => NotQueued::Away(error.to_string()),
            }
        })
    }

    fn ready(&self) -> Result<(), String> {
        if self.shared.signals.up.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(self.shared.signals.reason.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Shared {
    fn current(&self) -> Arc<KafkaProducer> {
        self.producer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves reports; replaces a producer that failed for good.
    fn poll(&self) {
        while !self.stop.load(Ordering::Acquire) {
            let producer = self.current();
            producer.poll(POLL);
            if producer.context().fatal.load(Ordering::Acquire) {
                match self::producer(&self.settings, &self.signals) {
                    // Dropping the old one reports its records as failed, so their requests answer 503.
                    Ok(new) => *self.producer.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new),
                    Err(error) => tracing::error!(%error, "no new producer"),
                }
            }
        }
    }

    /// Asks the cluster for the topic, and watches for records that wait without any report.
    fn probe(&self) {
        let (mut acks, mut heard) = (0, Instant::now());
        while !self.stop.load(Ordering::Acquire) {
            let producer = self.current();
            let seen = self.signals.acks.load(Ordering::Relaxed);
            if seen != acks || producer.in_flight_count() == 0 {
                (acks, heard) = (seen, Instant::now());
            }
            let silent = heard.elapsed();
            match topic_is_there(producer.client(), &self.events_topic) {
                Err(reason) => self.signals.down(reason),
                Ok(()) if silent >= self.silence => self.signals.down(format!("no acknowledgement for {} ms", silent.as_millis())),
                Ok(()) => self.signals.up(),
            }
            drop(producer);
            thread::park_timeout(PROBE_EVERY);
        }
    }
}

fn topic_is_there<C: ClientContext>(client: &Client<C>, topic: &str) -> Result<(), String> {
    let metadata = client.fetch_metadata(Some(topic), PROBE_TIMEOUT).map_err(|e| e.to_string())?;
    let Some(found) = metadata.topics().iter().find(|t| t.name() == topic) else {
        return Err(format!("topic {topic} does not exist"));
    };
    match found.error() {
        Some(error) => Err(format!("topic {topic}: {}", RDKafkaErrorCode::from(error))),
        None if found.partitions().is_empty() => Err(format!("topic {topic} has no partitions")),
        None => Ok(()),
    }
}

fn producer(settings: &ClientConfig, signals: &Arc<Signals>) -> Result<KafkaProducer, Error> {
    let context = Context { signals: signals.clone(), fatal: AtomicBool::new(false) };
    <BaseProducer<Context, NoCustomPartitioner>>::from_config_and_context(settings, context).map_err(|e| Error::Kafka(e.to_string()))
}

fn spawn(name: &str, shared: &Arc<Shared>, work: fn(&Shared)) -> Result<JoinHandle<()>, Error> {
    let shared = shared.clone();
    thread::Builder::new().name(name.into()).spawn(move || work(&shared)).map_err(|e| Error::Kafka(format!("thread {name}: {e}")))
}

fn settings(config: &Config) -> ClientConfig {
    let mut settings = ClientConfig::new();
    settings.set("reconnect.backoff.max.ms", "1000").set("client.id", "livemeter-ingest").set("compression.type", "lz4");
    for (name, value) in &config.kafka_settings {
        settings.set(name, value);
    }
    settings
        .set("bootstrap.servers", &config.brokers)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // The same partition for the same key in every client that follows Java's default.
        .set("partitioner", "murmur2_random")
        // Topics are made on purpose, with a number of partitions; never by a stray request.
        .set("allow.auto.create.topics", "false")
        .set("linger.ms", config.linger_ms.to_string())
        .set("message.timeout.ms", config.message_timeout_ms.to_string())
        .set("queue.buffering.max.messages", config.queue_records_max.to_string())
        .set("queue.buffering.max.kbytes", (config.queue_bytes_max / 1024).max(1).to_string());
    settings
}
