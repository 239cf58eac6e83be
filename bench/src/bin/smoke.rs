//! `make bench-smoke`: an audience of 100,000 for two minutes against Apache Kafka. Prints what ingest and
//! processor cost, whether the processor kept up, and whether every acknowledged byte is in the ledger.
//! The last line is JSON; the exit code is 1 when a byte is missing or too many.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use livemeter_bench::house::House;
use livemeter_bench::judge::{self, Difference, Truth};
use livemeter_bench::series::{Sample, Summary};
use livemeter_tests::brokers::Kind;
use livemeter_tests::process::Process;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long the audience may take to get its last counters acknowledged.
const DRAIN_S: u64 = 120;
/// How long the processor may take to catch up after that.
const CATCH_UP: Duration = Duration::from_secs(300);
/// A ledger without lag that has not moved for this long will not move again.
const STILL_S: u32 = 20;

/// 10,000 events a second through the real binaries: CPU, memory, lag and lost bytes.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long the audience watches.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Size of the audience; each posts a heartbeat every 10 s.
    #[arg(long, default_value_t = 100_000)]
    viewers: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Viewers whose events share a request; 1 as players post.
    #[arg(long, default_value_t = 1)]
    batch_max: u32,
    /// Run against the embedded broker instead of Apache Kafka.
    #[arg(long)]
    embedded: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match bench(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("bench-smoke: {error:#}");
            ExitCode::from(1)
        }
    }
}

async fn bench(arguments: &Arguments) -> Result<bool> {
    let kind = if arguments.embedded { Kind::Embedded } else { Kind::Apache };
    println!("bench-smoke: {} viewers for {} s against {kind:?}", arguments.viewers, arguments.seconds);
    let mut house = House::open(kind).await;
    let truth_path = house.tree.folder().join("truth.json");
    let flags = flags(arguments);
    let mut audience = house.tree.simulate(&flags.iter().map(String::as_str).collect::<Vec<_>>(), &truth_path);
    let samples = load(arguments, &house, &mut audience).await.with_context(|| house.log_tails())?;
    let ended = audience.wait(Duration::from_secs(DRAIN_S + 30));
    ensure!(ended.success(), "the audience ended with {ended}\n{}", audience.log_tail());
    let truth = judge::read(&truth_path)?;
    println!(
        "audience gone: {} events acknowledged in {} requests, {} sessions",
        truth.events_acknowledged, truth.requests, truth.sessions
    );
    println!("  {} retries, {} merged, {} dropped, {} refused", truth.retries, truth.merged, truth.dropped, truth.refused);
    let (difference, catch_up) = settle(&house, &audience, &truth).await?;
    println!("the ledger stood still {:.1} s after the last acknowledgement", catch_up.as_secs_f64());
    if !difference.lines.is_empty() {
        eprintln!("{}", house.log_tails());
    }
    house.tree.stop();
    house.broker.stop();
    let summary = Summary::of(&samples, steady_from_s(arguments)).context("too short to measure: no two samples")?;
    report(&summary, &difference, arguments);
    Ok(difference.lines.is_empty())
}

fn flags(arguments: &Arguments) -> Vec<String> {
    let pairs = [
        ("--viewers", arguments.viewers.to_string()),
        ("--seed", arguments.seed.to_string()),
        ("--duration", format!("{}s", arguments.seconds)),
        ("--drain", format!("{DRAIN_S}s")),
        ("--batch-max", arguments.batch_max.to_string()),
        // Opened as needed: enough for 10,000 requests a second that take 100 ms each on a loaded machine.
        ("--connections", "1000".to_owned()),
    ];
    pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}

/// The audience joins during 10 s and has been through two heartbeats at 30 s; a short run is steady at half.
fn steady_from_s(arguments: &Arguments) -> f64 {
    (arguments.seconds as f64 / 2.0).min(30.0)
}

/// Samples every second while the audience watches.
async fn load(arguments: &Arguments, house: &House, audience: &mut Process) -> Result<Vec<Sample>> {
    let began = Instant::now();
    let mut samples: Vec<Sample> = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        audience.check().map_err(anyhow::Error::msg)?;
        let sample = house.look(began.elapsed().as_secs_f64(), audience).await?;
        if let Some(last) = samples.last() {
            progress(last, &sample);
        }
        samples.push(sample);
        if sample.at_s >= arguments.seconds as f64 - 0.5 {
            return Ok(samples);
        }
    }
}

fn progress(before: &Sample, now: &Sample) {
    let wall_s = now.at_s - before.at_s;
    let cores = |of: fn(&Sample) -> f64| (of(now) - of(before)) / wall_s;
    println!(
        "{:4.0} s  {:6.0} events/s  ingest {:.2} + processor {:.2} cores  {:4} MB  lag {:4.1} s {:6.0} records  (broker {:.2}, audience {:.2} cores)",
        now.at_s,
        (now.accepted - before.accepted) / wall_s,
        cores(|s| s.ingest.cpu_s),
        cores(|s| s.processor.cpu_s),
        (now.ingest.rss_bytes + now.processor.rss_bytes) / 1_000_000,
        now.lag_s,
        now.lag_records,
        cores(|s| s.broker.cpu_s),
        cores(|s| s.audience.cpu_s),
    );
}

/// Waits until the ledger equals the truth, or until it has stopped moving with nothing left to read.
async fn settle(house: &House, audience: &Process, truth: &Truth) -> Result<(Difference, Duration)> {
    let began = Instant::now();
    let query = house.tree.query();
    let (mut last, mut still) = (None, 0);
    loop {
        let sums = judge::ledger(&query, "demo").await?;
        let lag_records = house.look(0.0, audience).await?.lag_records;
        let difference = judge::compare(&truth.cdns, &sums);
        still = if last.as_ref() == Some(&sums) && lag_records == 0.0 { still + 1 } else { 0 };
        if difference.lines.is_empty() || still >= STILL_S || began.elapsed() > CATCH_UP {
            return Ok((difference, began.elapsed()));
        }
        last = Some(sums);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn report(s: &Summary, difference: &Difference, arguments: &Arguments) {
    let mb = |bytes: u64| bytes as f64 / 1e6;
    println!("ingest {:.3} cores, processor {:.3} cores", s.ingest_cores, s.processor_cores);
    println!(
        "broker {:.3} cores, {:.0} MB; audience {:.3} cores, {:.0} MB",
        s.broker_cores,
        mb(s.broker_rss_bytes_max),
        s.audience_cores,
        mb(s.audience_rss_bytes_max)
    );
    let growth = if s.flat() { "flat" } else { "GROWING: the processor did not keep up" };
    println!(
        "lag after {:.0} s: {growth} (mean {:.1} s in the first third, {:.1} s in the last)",
        steady_from_s(arguments),
        s.lag_s_early,
        s.lag_s_late
    );
    for line in &difference.lines {
        println!("differs: {line}");
    }
    let last = Line {
        bench: "smoke",
        events_per_s: s.events_per_s.round() as u64,
        cpu_cores: round(s.ingest_cores + s.processor_cores, 1000.0),
        rss_mb: mb(s.rss_bytes_max).round() as u64,
        lag_s: round(s.lag_s_max, 10.0),
        lost_bytes: difference.lost_bytes,
    };
    println!("{}", serde_json::to_string(&last).unwrap_or_default());
}

/// The last line; its names are what scripts read.
#[derive(Debug, serde::Serialize)]
struct Line {
    bench: &'static str,
    events_per_s: u64,
    cpu_cores: f64,
    rss_mb: u64,
    lag_s: f64,
    lost_bytes: u64,
}

fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
