//! `livemeter process` drains a topic that was filled beforehand, alone or as several workers of one group.
//! What that costs is read from the kernel's accounts; when it is done, from the workers' own metrics.

use crate::metrics::{Metrics, metrics};
use crate::process::accounts;
use anyhow::{Context, Result, bail};
use livemeter_tests::http::Http;
use livemeter_tests::process::Process;
use livemeter_tests::{binary, ports};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const COMMITTED: &str = "livemeter_processor_committed_offset";
/// Between two looks: a scrape costs the worker a little.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long workers may take to end, once asked.
const END_PATIENCE: Duration = Duration::from_secs(120);

/// What to drain, into which ledger, by how many.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub brokers: &'a str,
    /// End of each partition.
    pub ends: &'a [i64],
    pub ledger: &'a Path,
    pub logs: &'a Path,
    pub workers: usize,
    pub patience: Duration,
    /// Commit interval of the workers; none: their default.
    pub commit_interval: Option<&'a str>,
}

/// What it cost until everything was committed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drained {
    /// Of all workers, from their start on.
    pub cpu_s: f64,
    pub wall_s: f64,
    /// Peaks of all workers, added up.
    pub rss_bytes_max: u64,
    pub sessions: f64,
    /// What the workers say their sessions hold; none when they do not tell.
    pub memory_bytes: Option<f64>,
}

struct Worker {
    process: Process,
    http: Http,
    rss_bytes_max: u64,
}

/// Whether this build lets workers share a topic.
pub fn knows_groups() -> Result<bool> {
    let help = Command::new(binary::path("livemeter")).args(["process", "--help"]).output()?;
    Ok(String::from_utf8_lossy(&help.stdout).contains("--assignment"))
}

/// Starts the workers, waits until their commits reach the end, and stops them in order.
pub async fn drain(order: &Order<'_>) -> Result<Drained> {
    let began = Instant::now();
    let mut workers: Vec<Worker> = (0..order.workers).map(|n| start(order, n)).collect();
    let mut told = Instant::now();
    let drained = loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let (mut cpu_s, mut seen) = (0.0, Vec::new());
        for worker in &mut workers {
            worker.process.check().map_err(anyhow::Error::msg)?;
            let now = accounts(worker.process.id())?;
            cpu_s += now.cpu_s;
            worker.rss_bytes_max = worker.rss_bytes_max.max(now.rss_bytes_max.unwrap_or(0));
            // Not there yet at first.
            seen.extend(metrics(&worker.http).await);
        }
        let done = committed(&seen, order.ends.len());
        if done.iter().zip(order.ends).all(|(done, end)| done >= end) {
            let sessions = seen.iter().filter_map(|m| m.sum("livemeter_processor_sessions")).sum();
            let memory = seen.iter().filter_map(|m| m.largest(&["memory", "bytes"])).reduce(|a, b| a + b);
            let rss_bytes_max = workers.iter().map(|w| w.rss_bytes_max).sum();
            break Drained { cpu_s, wall_s: began.elapsed().as_secs_f64(), rss_bytes_max, sessions, memory_bytes: memory };
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            println!("draining: {} of {} records committed, {cpu_s:.1} CPU s", done.iter().sum::<i64>(), order.ends.iter().sum::<i64>());
        }
        if began.elapsed() > order.patience {
            let tails: Vec<String> = workers.iter().map(|w| w.process.log_tail()).collect();
            bail!("not drained within {:?}: committed {done:?} of {:?}\n{}", order.patience, order.ends, tails.join("\n"));
        }
    };
    for mut worker in workers {
        let status = worker.process.terminate(END_PATIENCE);
        if !status.success() {
            bail!("a worker ended with {status}\n{}", worker.process.log_tail());
        }
    }
    Ok(drained)
}

fn start(order: &Order<'_>, n: usize) -> Worker {
    let listen = format!("127.0.0.1:{}", ports::free());
    let mut command = Command::new(binary::path("livemeter"));
    command.args(["process", "--log", "info", "--brokers", order.brokers, "--listen", &listen]).arg("--ledger").arg(order.ledger);
    if order.workers > 1 {
        command.args(["--assignment", "group"]);
    }
    if let Some(interval) = order.commit_interval {
        command.args(["--commit-interval", interval]);
    }
    let process = Process::start("process", command, &order.logs.join(format!("process-{n}.log")));
    Worker { process, http: Http::new(format!("http://{listen}")), rss_bytes_max: 0 }
}

/// Per partition, the furthest that any worker has committed: one that has lost a partition tells an old offset.
fn committed(seen: &[Metrics], partitions: usize) -> Vec<i64> {
    let mut furthest = vec![0; partitions];
    for (labels, offset) in seen.iter().flat_map(|m| m.each(COMMITTED)) {
        let partition = labels.split('"').nth(1).and_then(|text| text.parse::<usize>().ok());
        if let Some(slot) = partition.and_then(|p| furthest.get_mut(p)) {
            *slot = (*slot).max(offset as i64);
        }
    }
    furthest
}

/// Creates the topics with the product's own settings.
pub fn create_topics(brokers: &str, partitions: usize) -> Result<()> {
    let mut command = Command::new(binary::path("livemeter"));
    command.args(["topics", "create", "--brokers", brokers, "--partitions", &partitions.to_string()]);
    let out = command.output().context("livemeter topics create")?;
    anyhow::ensure!(out.status.success(), "livemeter topics create: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}
