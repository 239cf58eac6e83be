//! `make bench-recovery`: a processor with a million live sessions is killed (SIGKILL) and started again. How long
//! until it has all of them back, and what one costs in resident memory, is read from its own log and from the
//! kernel. The last line is JSON. Nothing here judges a time.

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use livemeter_bench::beats::Audience;
use livemeter_bench::drain::create_topics;
use livemeter_bench::fill::fill;
use livemeter_bench::metrics::metrics;
use livemeter_bench::process::usage;
use livemeter_schemas::record::EVENTS_TOPIC;
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::http::Http;
use livemeter_tests::process::Process;
use livemeter_tests::{binary, kafka, ports};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const PARTITIONS: usize = 4;

/// Time and memory of a restart with many live sessions.
#[derive(Debug, Parser)]
struct Arguments {
    /// Live sessions, one heartbeat each.
    #[arg(long, default_value_t = 1_000_000)]
    sessions: u64,
    /// How long each step may take, in seconds.
    #[arg(long, default_value_t = 900)]
    patience_s: u64,
}

struct Worker {
    process: Process,
    http: Http,
}

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let patience = Duration::from_secs(arguments.patience_s);
    let folder = tempfile::Builder::new().prefix("livemeter-bench-").tempdir()?;
    let broker = Broker::start(Kind::Apache).await;
    create_topics(&broker.addr(), PARTITIONS)?;

    // What a processor holds with nothing to do.
    let mut worker = start(&broker.addr(), folder.path(), "empty");
    until(&mut worker, patience, "livemeter_processor_partitions", PARTITIONS as f64).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let empty_bytes = usage(worker.process.id())?.rss_bytes;
    drop(worker);

    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    fill(&broker.addr(), EVENTS_TOPIC, Audience { sessions: arguments.sessions, events: arguments.sessions, from_ms: now_ms - 60_000 })?;
    let mut worker = start(&broker.addr(), folder.path(), "first");
    until(&mut worker, patience, "livemeter_processor_sessions", arguments.sessions as f64).await?;
    let seen = metrics(&worker.http).await.map_err(anyhow::Error::msg)?.sum("livemeter_processor_snapshots_total").unwrap_or_default();
    // Snapshots are taken after a commit: a few more heartbeats keep those coming.
    let beat = Audience { sessions: arguments.sessions, events: 1_000, from_ms: now_ms };
    let began = Instant::now();
    loop {
        fill(&broker.addr(), EVENTS_TOPIC, beat)?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = metrics(&worker.http).await.map_err(anyhow::Error::msg)?.sum("livemeter_processor_snapshots_total").unwrap_or_default();
        if now >= seen + PARTITIONS as f64 + 1.0 {
            break;
        }
        ensure!(began.elapsed() < patience, "no snapshots within {patience:?}\n{}", worker.process.log_tail());
    }
    worker.process.kill9();
    drop(worker);

    let began = Instant::now();
    let mut worker = start(&broker.addr(), folder.path(), "second");
    until(&mut worker, patience, "livemeter_processor_sessions", arguments.sessions as f64).await?;
    let ready_s = began.elapsed().as_secs_f64();
    let recovered_ms = told(&folder.path().join("second.log"), "ms=").context("the log does not say how long it took")?;
    let from_snapshots = told(&folder.path().join("second.log"), "snapshots=").unwrap_or_default();
    // What recovery read is freed by now; the allocator gives it back over ten seconds.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let full_bytes = usage(worker.process.id())?.rss_bytes;
    let line = serde_json::json!({
        "bench": "recovery", "sessions": arguments.sessions, "recovered_s": recovered_ms as f64 / 1000.0, "ready_s": ready_s,
        "partitions_from_snapshots": from_snapshots, "rss_mb": full_bytes / 1_000_000, "rss_empty_mb": empty_bytes / 1_000_000,
        "bytes_per_session": full_bytes.saturating_sub(empty_bytes) / arguments.sessions.max(1),
        "ends": (0..PARTITIONS as i32).map(|p| kafka::watermarks(&broker.addr(), EVENTS_TOPIC, p).1).sum::<i64>(),
    });
    println!("{line}");
    Ok(())
}

fn start(brokers: &str, folder: &Path, name: &str) -> Worker {
    let listen = format!("127.0.0.1:{}", ports::free());
    let mut command = Command::new(binary::path("livemeter"));
    command.args(["process", "--log", "info", "--brokers", brokers, "--listen", &listen, "--snapshot-interval", "1s"]);
    command.args(["--session-silence", "24h", "--derive-interval", "0s"]).arg("--ledger").arg(folder.join("ledger"));
    let process = Process::start(name, command, &folder.join(format!("{name}.log")));
    Worker { process, http: Http::new(format!("http://{listen}")) }
}

/// Waits until a gauge has reached a value.
async fn until(worker: &mut Worker, patience: Duration, name: &str, value: f64) -> Result<()> {
    let began = Instant::now();
    loop {
        worker.process.check().map_err(anyhow::Error::msg)?;
        if metrics(&worker.http).await.is_ok_and(|m| m.sum(name).is_some_and(|now| now >= value)) {
            return Ok(());
        }
        if began.elapsed() > patience {
            bail!("{name} is not {value} within {patience:?}\n{}", worker.process.log_tail());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A number in the line that tells of the recovery.
fn told(log: &Path, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(log).ok()?;
    let line = text.lines().rfind(|line| line.contains("recovered from the ledger"))?;
    let rest = line.rsplit_once(&format!(" {name}"))?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
