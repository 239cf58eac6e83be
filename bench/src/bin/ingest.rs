//! `make bench-ingest`: ingest before Apache Kafka, loaded over HTTP by a process of its own; in the same run bare
//! producers of the same records, another HTTP-to-Kafka gateway, and a handler that only discards. What stands on
//! the topics is held against what was acknowledged. The last line is JSON; the exit code is 1 when records are
//! missing or too many. Nothing here judges a time.

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use livemeter_bench::figures::{Run, Sides, cpu_vs_discard, fresh_line, line};
use livemeter_bench::sides::{Load, Stand};
use livemeter_bench::topic;
use livemeter_tests::brokers::{Broker, Kind};
use std::cell::Cell;
use std::path::PathBuf;
use std::process::ExitCode;

/// A side of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    Ingest,
    Raw,
    Performance,
    Peer,
    Discard,
    /// New connections, plain and with TLS.
    Fresh,
}

/// Ingest against bare producers, an HTTP-to-Kafka gateway and a handler that discards.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long each side is measured at each batch size.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Batch sizes, the one of the last line last.
    #[arg(long, value_delimiter = ',', default_value = "1,10,100")]
    batches: Vec<usize>,
    /// Only these sides.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Side>,
    /// Connections at each batch size; when not given, 512 at 1, 256 at 10, 128 at 100.
    #[arg(long)]
    connections: Option<usize>,
    /// The JVM compiles while it is warm; so long before it is measured.
    #[arg(long, default_value_t = 30.0)]
    peer_warm_s: f64,
    /// Instead of all that: load ingest for so many seconds, batches of the last size, and tell its memory.
    #[arg(long)]
    soak: Option<f64>,
    /// Distinct events made beforehand.
    #[arg(long, default_value_t = 200_000)]
    pool: u64,
    /// Keep the logs in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// Before a native process is measured: connections are made, buffers have grown.
const WARM_S: f64 = 3.0;
/// While ingest is soaked, the topic must not fill the disk.
const SOAK_PARTITION_BYTES_MAX: u64 = 256 << 20;

#[tokio::main(worker_threads = 1)]
async fn main() -> ExitCode {
    match bench(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-ingest: {error:#}");
            ExitCode::from(1)
        }
    }
}

async fn bench(arguments: &Arguments) -> Result<()> {
    let temporary = tempfile::Builder::new().prefix("livemeter-bench-").tempdir()?;
    let folder = arguments.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let broker = Broker::start(Kind::Apache).await;
    let bench = Bench { arguments, stand: Stand { broker, folder, pool: arguments.pool, runs: Cell::new(0) } };
    println!("bench-ingest: batches of {:?}, {} s each, {} distinct events", arguments.batches, arguments.seconds, arguments.pool);
    if let Some(seconds) = arguments.soak {
        return bench.soak(seconds).await;
    }
    let mut batch1 = None;
    for batch in &arguments.batches {
        println!("batches of {batch}:");
        let sides = bench.sides(*batch).await?;
        if *batch == 1 {
            batch1 = cpu_vs_discard(&sides);
            if bench.wants(Side::Fresh) {
                bench.fresh().await?;
            }
        }
        println!("{}", serde_json::to_string(&line(*batch, &sides, batch1))?);
    }
    Ok(())
}

struct Bench<'a> {
    arguments: &'a Arguments,
    stand: Stand,
}

impl Bench<'_> {
    fn wants(&self, side: Side) -> bool {
        self.arguments.only.is_empty() || self.arguments.only.contains(&side)
    }

    fn load(&self, batch: usize, seconds: f64) -> Load {
        // Enough requests under way that the wait for Kafka is no idle time, few enough that none waits long.
        let connections = self.arguments.connections.unwrap_or(match batch {
            1..=3 => 512,
            4..=30 => 256,
            _ => 128,
        });
        Load { batch, connections, seconds, events_per_s: None, fresh: false, tls: false, told: true }
    }

    /// Every side at one batch size, one after the other.
    async fn sides(&self, batch: usize) -> Result<Sides> {
        let mut sides = Sides::default();
        if self.wants(Side::Ingest) {
            let (ingest, half) = self.ingest(batch).await?;
            (sides.ingest, sides.half) = (Some(ingest), Some(half));
        }
        if self.wants(Side::Raw) || self.wants(Side::Performance) {
            let name = format!("bench.raw.{batch}");
            let raw = self.on_topic(&name, async || self.stand.raw(&name, self.arguments.seconds)).await?;
            println!("{}", raw.told("bare rdkafka"));
            if self.wants(Side::Performance) {
                sides.performance = Some(self.performance(batch, &raw).await?);
            }
            sides.raw = Some(raw);
        }
        if self.wants(Side::Peer) {
            sides.peer = Some(self.peer(batch).await?);
        }
        if self.wants(Side::Discard) {
            let mut server = self.stand.discard().await?;
            let load = Load { told: false, ..self.load(batch, self.arguments.seconds) };
            self.stand.load(&mut server, Load { seconds: WARM_S, ..load }, |_, _| ()).await?;
            let run = self.stand.load(&mut server, load, |_, _| ()).await?;
            server.end();
            println!("{}", run.told("discarding handler"));
            sides.discard = Some(run);
        }
        Ok(sides)
    }

    /// Ingest as fast as it goes, then at half of that at a fixed rate.
    async fn ingest(&self, batch: usize) -> Result<(Run, Run)> {
        let name = format!("bench.ingest.{batch}");
        topic::create(&self.stand.broker.addr(), &name, None).await?;
        let mut server = self.stand.ingest(&name).await?;
        let load = self.load(batch, self.arguments.seconds);
        let warm = self.stand.load(&mut server, Load { seconds: WARM_S, ..load }, |_, _| ()).await?;
        let full = self.stand.load(&mut server, load, |_, _| ()).await?;
        println!("{}", full.told("ingest"));
        let rate = Load { events_per_s: Some(full.events_per_s() / 2.0), ..load };
        let half = self.stand.load(&mut server, rate, |_, _| ()).await?;
        println!("{}", half.told("ingest at half load"));
        server.end();
        self.verify(&name, &[&warm, &full, &half]).await?;
        Ok((full, half))
    }

    async fn performance(&self, batch: usize, raw: &Run) -> Result<Run> {
        let name = format!("bench.performance.{batch}");
        let (records, bytes) = (raw.loaded.events, raw.loaded.record_bytes / raw.loaded.events);
        let run = self.on_topic(&name, async || self.stand.performance(&name, records, bytes)).await?;
        println!("{}", run.told("rdkafka_performance"));
        Ok(run)
    }

    async fn peer(&self, batch: usize) -> Result<Run> {
        let name = format!("bench.peer.{batch}");
        topic::create(&self.stand.broker.addr(), &name, None).await?;
        let mut server = self.stand.peer(&name).await?;
        let load = self.load(batch, self.arguments.seconds);
        let warm = self.stand.load(&mut server, Load { seconds: self.arguments.peer_warm_s, ..load }, |_, _| ()).await?;
        let run = self.stand.load(&mut server, load, |_, _| ()).await?;
        println!("{}", run.told("Apache Camel 4.18.0"));
        server.end();
        self.verify(&name, &[&warm, &run]).await?;
        Ok(run)
    }

    /// Ingest at batches of 1 with a connection for each request, plain and with TLS: for scale.
    async fn fresh(&self) -> Result<()> {
        for tls in [false, true] {
            let name = format!("bench.fresh.{}", if tls { "tls" } else { "plain" });
            topic::create(&self.stand.broker.addr(), &name, None).await?;
            let server = if tls { self.stand.ingest_tls(&name).await? } else { Some(self.stand.ingest(&name).await?) };
            let mut run = None;
            if let Some(mut server) = server {
                // Fewer connections: each is made and closed for one request.
                let load = Load { fresh: true, tls, connections: 64, ..self.load(1, self.arguments.seconds) };
                let warm = self.stand.load(&mut server, Load { seconds: WARM_S, ..load }, |_, _| ()).await?;
                let measured = self.stand.load(&mut server, load, |_, _| ()).await?;
                server.end();
                println!("{}", measured.told(if tls { "ingest, new with TLS" } else { "ingest, new connections" }));
                self.verify(&name, &[&warm, &measured]).await?;
                run = Some(measured);
            }
            println!("{}", serde_json::to_string(&fresh_line(tls, run.as_ref()))?);
        }
        Ok(())
    }

    /// A topic of its own for a run that needs no server.
    async fn on_topic(&self, name: &str, run: impl AsyncFnOnce() -> Result<Run>) -> Result<Run> {
        topic::create(&self.stand.broker.addr(), name, None).await?;
        let run = run().await?;
        self.verify(name, &[&run]).await?;
        Ok(run)
    }

    /// What was acknowledged is on the topic, to the byte, and nothing else.
    async fn verify(&self, name: &str, runs: &[&Run]) -> Result<()> {
        let brokers = self.stand.broker.addr();
        let expected = topic::Held {
            records: runs.iter().map(|run| run.loaded.events).sum(),
            bytes: runs.iter().map(|run| run.loaded.record_bytes).sum(),
        };
        let held = topic::held(&brokers, name)?;
        let refused: u64 = runs.iter().map(|run| run.loaded.refused).sum();
        // Of a request that was refused in the middle, some events may be there.
        let right = held == expected || (refused > 0 && held.records > expected.records && held.bytes > expected.bytes);
        ensure!(right, "{name}: acknowledged {expected:?}, the topic has {held:?}; {refused} requests were refused");
        println!("  {name}: {} records, {} bytes, as acknowledged", held.records, held.bytes);
        topic::delete(&brokers, name).await
    }

    /// Ingest at saturation for long: its memory at minutes 1, 5 and 10, or as far as it goes.
    async fn soak(&self, seconds: f64) -> Result<()> {
        let batch = self.arguments.batches.last().copied().unwrap_or(100);
        let (name, brokers) = ("bench.soak", self.stand.broker.addr());
        topic::create(&brokers, name, Some(SOAK_PARTITION_BYTES_MAX)).await?;
        let mut server = self.stand.ingest(name).await?;
        let (mut next_s, mut rss) = (60.0, Vec::new());
        let look = |at_s: f64, rss_bytes: u64| {
            if at_s >= next_s {
                println!("{:4.0} s  {:.1} MB", at_s, rss_bytes as f64 / 1e6);
                rss.push((next_s / 60.0, rss_bytes));
                next_s += 60.0;
            }
        };
        let run = self.stand.load(&mut server, self.load(batch, seconds), look).await?;
        server.end();
        println!("{}", run.told("ingest"));
        let written = topic::written(&brokers, name);
        ensure!(written >= run.loaded.events, "{written} records were written, {} acknowledged", run.loaded.events);
        let at = |minute: f64| rss.iter().find(|(at, _)| *at == minute).map(|(_, bytes)| bytes / 1_000_000);
        let line = serde_json::json!({
            "bench": "ingest-soak", "batch": batch, "seconds": seconds, "events_per_s": run.events_per_s().round(),
            "rss_mb_1": at(1.0), "rss_mb_5": at(5.0), "rss_mb_10": at(10.0), "rss_mb_max": run.rss_bytes_max / 1_000_000,
            "refused": run.loaded.refused, "written_equals_acknowledged": written == run.loaded.events,
        });
        println!("{line}");
        Ok(())
    }
}
