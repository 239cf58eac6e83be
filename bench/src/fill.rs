//! Fills a topic as fast as one thread can: one record per heartbeat, keyed and compressed as ingest does it.
//! How long that takes is nobody's figure.

use crate::beats::{Audience, Text};
use anyhow::{Context, Result, bail, ensure};
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, NoCustomPartitioner, Producer as _, ProducerContext, ThreadedProducer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long the broker may take for the records that are queued at the end.
const PATIENCE: Duration = Duration::from_secs(120);
const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Reports {
    failed: AtomicU64,
}

struct Counting(Arc<Reports>);

impl ClientContext for Counting {}

impl ProducerContext for Counting {
    type DeliveryOpaque = ();

    fn delivery(&self, report: &DeliveryResult<'_>, (): ()) {
        self.0.failed.fetch_add(u64::from(report.is_err()), Ordering::Relaxed);
    }
}

/// Writes every record of the audience to the topic, and returns when the broker has all of them.
pub fn fill(brokers: &str, topic: &str, audience: Audience) -> Result<()> {
    let reports = Arc::new(Reports::default());
    let mut config = livemeter_tests::kafka::config(brokers);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "20")
        .set("message.timeout.ms", "300000")
        .set("queue.buffering.max.messages", "200000")
        .set("queue.buffering.max.kbytes", "131072");
    let producer: ThreadedProducer<Counting, NoCustomPartitioner> = config.create_with_context(Counting(reports.clone()))?;
    let (began, mut told) = (Instant::now(), Instant::now());
    let mut text = Text::default();
    for n in 0..audience.events {
        audience.write(n, &mut text)?;
        let mut record = BaseRecord::to(topic).key(&text.key).payload(&text.value);
        while let Err((error, back)) = producer.send(record) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => std::thread::sleep(Duration::from_millis(5)),
                error => bail!("filling the topic: {error}"),
            }
            record = back;
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let rate = n as f64 / began.elapsed().as_secs_f64();
            println!("filling: {n} of {} records, {rate:.0}/s", audience.events);
        }
    }
    producer.flush(PATIENCE).context("the broker did not take all records")?;
    let failed = reports.failed.load(Ordering::Relaxed);
    ensure!(failed == 0, "{failed} records were not delivered");
    Ok(())
}
