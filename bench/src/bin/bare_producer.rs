//! The least that any ingest must do: give records that are ready to librdkafka, with ingest's own settings, as
//! fast as it takes them, until all are acknowledged. Prints what was sent as one line of JSON.

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use livemeter_bench::beats::Text;
use livemeter_bench::bodies::audience;
use livemeter_bench::load::Loaded;
use livemeter_bench::process::accounts;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, NoCustomPartitioner, Producer as _, ProducerContext};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The allocator of the service's own binary, so that both have the same.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long the broker may take for what is queued at the end.
const PATIENCE: Duration = Duration::from_secs(120);
/// Reports are looked at after so many records; reading the clock costs too.
const LOOK_EVERY: u64 = 256;

/// Sends the records of prepared heartbeats.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    brokers: String,
    #[arg(long)]
    topic: String,
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Distinct records made beforehand; they go round and round.
    #[arg(long, default_value_t = 200_000)]
    pool: u64,
}

/// Counts reports.
#[derive(Default)]
struct Reports {
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, report: &DeliveryResult<'_>, (): ()) {
        let count = if report.is_ok() { &self.delivered } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Keys and values, in one piece of memory.
struct Records {
    text: Vec<u8>,
    places: Vec<(Range<usize>, Range<usize>)>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let records = prepare(arguments.pool)?;
    let producer = producer(&arguments.brokers)?;
    // Connected, and the topic known, before the clock starts.
    producer.client().fetch_metadata(Some(&arguments.topic), PATIENCE)?;
    let before_s = accounts(std::process::id())?.cpu_s;
    let began = Instant::now();
    let sent = send(&producer, &records, &arguments, began)?;
    producer.flush(PATIENCE).context("the broker did not take all records")?;
    let wall_s = began.elapsed().as_secs_f64();
    let cpu_s = accounts(std::process::id())?.cpu_s - before_s;
    let reports = producer.context();
    let (delivered, failed) = (reports.delivered.load(Ordering::Relaxed), reports.failed.load(Ordering::Relaxed));
    ensure!((delivered, failed) == (sent.events, 0), "of {} records, {delivered} were delivered and {failed} failed", sent.events);
    println!("{}", serde_json::to_string(&Loaded { wall_s, cpu_s, ..sent })?);
    Ok(())
}

fn prepare(pool: u64) -> Result<Records> {
    let (audience, mut event) = (audience(pool)?, Text::default());
    let (mut text, mut places) = (Vec::new(), Vec::new());
    for n in 0..pool {
        audience.write(n, &mut event)?;
        let from = text.len();
        text.extend_from_slice(event.key.as_bytes());
        let middle = text.len();
        text.extend_from_slice(&event.value);
        places.push((from..middle, middle..text.len()));
    }
    Ok(Records { text, places })
}

/// As ingest's sink has it.
fn producer(brokers: &str) -> Result<BaseProducer<Reports, NoCustomPartitioner>> {
    let mut settings = ClientConfig::new();
    settings
        .set("bootstrap.servers", brokers)
        .set("client.id", "livemeter-bare")
        .set("compression.type", "lz4")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("allow.auto.create.topics", "false")
        .set("linger.ms", "5")
        .set("message.timeout.ms", "60000")
        .set("queue.buffering.max.messages", "100000")
        .set("queue.buffering.max.kbytes", "65536");
    Ok(settings.create_with_context(Reports::default())?)
}

fn send(producer: &BaseProducer<Reports, NoCustomPartitioner>, records: &Records, arguments: &Arguments, began: Instant) -> Result<Loaded> {
    let until = began + Duration::from_secs_f64(arguments.seconds);
    let mut sent = Loaded::default();
    for (key, value) in records.places.iter().cycle() {
        let mut record = BaseRecord::to(&arguments.topic).key(&records.text[key.clone()]).payload(&records.text[value.clone()]);
        while let Err((error, back)) = producer.send(record) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => producer.poll(Duration::from_millis(10)),
                error => bail!("sending: {error}"),
            };
            record = back;
        }
        sent.events += 1;
        sent.record_bytes += value.len() as u64;
        if sent.events.is_multiple_of(LOOK_EVERY) {
            producer.poll(Duration::ZERO);
            if Instant::now() >= until {
                break;
            }
        }
    }
    sent.requests = sent.events;
    Ok(sent)
}
