//! The least that any processor must do: consume every record with the same client and settings, read it with
//! the same decoder, and throw it away. Ends when it has seen the given number of records; prints them as JSON.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use livemeter_processor::entry::{Entry, Place};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::EVENTS_TOPIC;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::time::{Duration, Instant};

/// The allocator of the service's own binary, so that both have the same.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Without a record for so long, no more will come.
const SILENCE: Duration = Duration::from_secs(60);

/// Consume, parse, discard.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    brokers: String,
    /// Which partitions, once each.
    #[arg(long = "partition", required = true)]
    partitions: Vec<i32>,
    #[arg(long)]
    records: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // As the processor's source has them.
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &arguments.brokers)
        .set("client.id", "livemeter-bare")
        .set("group.id", "livemeter-bare")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("fetch.min.bytes", "65536")
        .set("fetch.wait.max.ms", "250")
        .set("fetch.message.max.bytes", "1048576")
        .set("queued.max.messages.kbytes", "8192")
        .set("fetch.queue.backoff.ms", "20")
        .create()?;
    let mut places = TopicPartitionList::new();
    for partition in &arguments.partitions {
        places.add_partition_offset(EVENTS_TOPIC, *partition, Offset::Beginning)?;
    }
    consumer.assign(&places)?;
    let limits = Limits::default();
    let (mut records, mut counters, mut heard) = (0_u64, 0_usize, Instant::now());
    while records < arguments.records {
        let Some(message) = consumer.poll(Duration::from_millis(100)) else {
            ensure!(heard.elapsed() < SILENCE, "{records} records, then silence");
            continue;
        };
        let message = message?;
        let place = Place { partition: message.partition(), offset: message.offset() };
        let entry = Entry::read(message.payload().context("a record without a value")?, place, &limits);
        let entry = entry.map_err(|refusal| anyhow::anyhow!("{}: {}", refusal.code.as_str(), refusal.reason))?;
        counters += entry.counters().map_or(0, <[_]>::len);
        (records, heard) = (records + 1, Instant::now());
    }
    println!("{}", serde_json::json!({ "records": records, "counters": counters }));
    Ok(())
}
