//! `livemeter topics repartition`: more partitions for the events' topic. A session's records must stay in
//! order, and more partitions send its key elsewhere; so everything of the old generation is booked first,
//! while nobody produces, and the new generation begins exactly where the old one ended.

use crate::cli::Failure;
use crate::settings::Settings;
use indicatif::{ProgressBar, ProgressStyle};
use livemeter_processor::Config;
use livemeter_processor::table::{Kind, Origin, Table};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::{Duration, Instant};

const ANSWER: Duration = Duration::from_secs(10);
/// The topic's end must stand still for so long: somebody who still produces is then seen.
const STILL: Duration = Duration::from_secs(5);

pub fn command(settings: &Settings) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Failure::new)?;
    runtime.block_on(repartition(settings))
}

async fn repartition(settings: &Settings) -> Result<(), Failure> {
    let wanted = settings.integer("kafka.partitions") as usize;
    let topic = settings.text("kafka.events_topic");
    let config = Config {
        brokers: settings.text("kafka.brokers"),
        ledger: settings.text("ledger.root"),
        events_topic: topic.clone(),
        generation: settings.small("processor.generation"),
        ..Config::default()
    };
    let consumer: BaseConsumer = super::client(&config.brokers).create().map_err(Failure::new)?;
    let cluster_id = consumer.client().fetch_cluster_id(ANSWER).ok_or_else(|| Failure::new("the broker does not tell its cluster id"))?;
    let found = partitions(&consumer, &topic)?;
    if wanted <= found {
        return Err(Failure::attention(format!("topic {topic:?} has {found} partitions; --partitions is {wanted}, and must be more")));
    }
    let origin = Origin { cluster_id, topic: topic.clone(), generation: config.generation };
    let ends = drained(&consumer, &config, &origin, found).await?;
    add(&config.brokers, &topic, wanted).await?;
    let begins: Vec<i64> = ends.into_iter().chain(std::iter::repeat(0)).take(wanted).collect();
    let next = Origin { generation: config.generation + 1, ..origin };
    for kind in [Kind::Increments, Kind::Events] {
        open(&config, kind, &next, &begins).await?;
    }
    println!("{topic}: {found} partitions are now {wanted}; the ledger is at generation {}.", next.generation);
    println!("Start every processor with --generation {0} (LIVEMETER_PROCESSOR_GENERATION={0}), then ingest.", next.generation);
    Ok(())
}

/// Waits until both tables hold everything that is on the topic, and nothing more comes. Returns the ends.
async fn drained(consumer: &BaseConsumer, config: &Config, origin: &Origin, found: usize) -> Result<Vec<i64>, Failure> {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}") {
        bar.set_style(style);
    }
    let lows = vec![0; found];
    let mut tables = [open(config, Kind::Increments, origin, &lows).await?, open(config, Kind::Events, origin, &lows).await?];
    let all: Vec<i32> = (0..found as i32).collect();
    let (mut since, mut before) = (Instant::now(), Vec::new());
    loop {
        let ends = ends(consumer, &origin.topic, found)?;
        if ends != before {
            (since, before) = (Instant::now(), ends.clone());
        }
        let mut left = 0;
        for table in &mut tables {
            table.take_up(&all).await.map_err(|e| Failure::attention(&e))?;
            left += table.offsets().values().zip(&ends).map(|(has, end)| (end - has).max(0)).sum::<i64>();
        }
        if left == 0 && since.elapsed() >= STILL {
            bar.finish_and_clear();
            return Ok(ends);
        }
        let still = if since.elapsed() < STILL { "; records still come: is ingest stopped?" } else { "" };
        bar.set_message(format!("{left} records are not booked yet{still}"));
        bar.tick();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn open(config: &Config, kind: Kind, origin: &Origin, begins: &[i64]) -> Result<Table, Failure> {
    let root = config.ledger_url().map_err(|e| Failure::attention(&e))?;
    Table::open(&root, kind, config.retention_ms, origin.clone(), begins).await.map_err(|e| Failure::attention(&e))
}

async fn add(brokers: &str, topic: &str, wanted: usize) -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = super::client(brokers).create().map_err(Failure::new)?;
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20))).request_timeout(Some(Duration::from_secs(30)));
    let more = NewPartitions::new(topic, wanted);
    for result in admin.create_partitions([&more], &options).await.map_err(|e| Failure::new(format!("{brokers}: {e}")))? {
        result.map_err(|(name, code)| Failure::new(format!("{name}: {code}")))?;
    }
    Ok(())
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<usize, Failure> {
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER).map_err(Failure::new)?;
    let found = metadata.topics().iter().find(|t| t.name() == topic && t.error().is_none()).map_or(0, |t| t.partitions().len());
    if found == 0 { Err(Failure::new(format!("topic {topic:?} is not there"))) } else { Ok(found) }
}

fn ends(consumer: &BaseConsumer, topic: &str, partitions: usize) -> Result<Vec<i64>, Failure> {
    (0..partitions as i32).map(|p| consumer.fetch_watermarks(topic, p, ANSWER).map(|(_, end)| end).map_err(Failure::new)).collect()
}
