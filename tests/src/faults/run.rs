//! The whole run: a broker, a producer, fault after fault, and at the end the comparison. The last line on
//! standard output is the verdict; what it says while it runs goes to standard error.

use super::ledger::Ledger;
use super::oracle::{self, Difference, Found};
use super::packets;
use super::plan::{Fault, Plan, Trouble};
use super::proxy::Proxy;
use super::scenes::{AWAY, Scenes, Tally};
use super::settings::Settings;
use super::viewers::Log;
use super::worker::{House, PATIENCE, Worker};
use super::workload::Workload;
use crate::brokers::{Broker, Kind, Second};
use crate::http::Http;
use crate::process::Process;
use crate::{binary, ports};
use anyhow::{Context as _, Result, bail, ensure};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const PARTITIONS: i32 = 4;
/// A place that two lives in a row did not pass is not tried again.
const MISSES_MAX: u32 = 2;
/// Between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Runs, and prints the verdict; an error when anything differs.
pub async fn run(settings: Settings) -> Result<()> {
    let (began, folder) = (Instant::now(), tempfile::Builder::new().prefix("livemeter-faults-").tempdir()?);
    let (second, proxied) = (ports::free(), ports::free());
    let kafka = folder.path().join("kafka");
    std::fs::create_dir(&kafka)?;
    let broker = Broker::start_behind(Kind::Apache, &kafka, Some(Second { listens: second, told: proxied })).await;
    let brokers = broker.addr();
    create_topics(&brokers)?;
    let ledger = Ledger::make(&folder.path().join("disk"), settings.ledger_mib)?;
    if !ledger.ours {
        eprintln!("faults: no right to mount a file system: the full disk is skipped");
    }
    if !packets::can_vanish() {
        eprintln!("faults: no network namespace of its own, or no nft: lost packets are skipped");
    }
    let house = House::new(format!("127.0.0.1:{proxied}"), ledger.root(), folder.path())?;
    if !house.shares() {
        eprintln!("faults: this processor cannot share a topic: rebalances are skipped");
    }
    let (proxy, rng) = (Proxy::start(proxied, second).await?, StdRng::seed_from_u64(settings.seed));
    let mut scenes = Scenes { house, broker, proxy, ledger, tally: Tally::default(), rng };
    let workload = Workload::start(&brokers, settings.rate, settings.seed);

    let faulted = faults(&mut scenes, &workload, &settings, began).await;
    // Whatever happened: what was written is compared, as far as it can be.
    let (log, seconds) = (workload.finish().await?, began.elapsed().as_secs());
    faulted?;
    eprintln!("faults: {} done in {seconds} s; the producer has ended; the rest is read", scenes.tally.faults());
    let (difference, _) = settled(&scenes, folder.path(), &log).await?;
    let letters = oracle::dead_letters(&brokers, 1)?;
    verdict(&scenes.tally, &settings, &log, &difference, letters, began)
}

fn create_topics(brokers: &str) -> Result<()> {
    let partitions = PARTITIONS.to_string();
    let mut command = Command::new(binary::path("livemeter"));
    let out = command.args(["topics", "create", "--brokers", brokers, "--partitions", &partitions]).output()?;
    ensure!(out.status.success(), "topics create: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

async fn faults(scenes: &mut Scenes, workload: &Workload, settings: &Settings, began: Instant) -> Result<()> {
    let (mut plan, mut told) = (Plan::default(), Instant::now());
    while scenes.tally.kills_named < settings.kills && began.elapsed() < settings.patience {
        let skipped: Vec<&str> = scenes.tally.missed.iter().filter(|(_, n)| **n >= MISSES_MAX).map(|(place, _)| *place).collect();
        let (disk, shares, vanish) = (scenes.ledger.ours, scenes.house.shares(), packets::can_vanish());
        // Once in a long run: it takes minutes.
        let away = settings.kills >= 100 && !scenes.tally.by_kind.contains_key(AWAY);
        let fault = plan.next(&skipped, |trouble| match trouble {
            Trouble::DiskFull => disk,
            Trouble::SharingZombie | Trouble::Revoke => shares,
            Trouble::Away => away,
            Trouble::Vanish => vanish,
            _ => true,
        });
        match fault {
            Fault::KillAt(place, passes) => scenes.kill_at(place, passes).await,
            Fault::KillAnywhere => scenes.kill_anywhere().await,
            Fault::Trouble(trouble) => scenes.trouble(trouble).await,
        }
        .with_context(|| format!("{fault:?}, after {} faults", scenes.tally.faults()))?;
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            tell(&scenes.tally, settings, workload, began);
        }
    }
    tell(&scenes.tally, settings, workload, began);
    Ok(())
}

fn tell(tally: &Tally, settings: &Settings, workload: &Workload, began: Instant) {
    let (kills, seconds) = (tally.kills_named, began.elapsed().as_secs_f64());
    let by_kind: Vec<String> = tally.by_kind.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    eprintln!(
        "faults: {} ({kills} of {} kills at named places, {:.1} a minute) in {seconds:.0} s, {} records written; {}",
        tally.faults(),
        settings.kills,
        f64::from(kills) * 60.0 / seconds,
        workload.written(),
        by_kind.join(", ")
    );
}

/// Lets a worker read to the end, and compares; then once more after a clean end and a new start, since
/// nothing may be waiting to be booked twice.
async fn settled(scenes: &Scenes, folder: &Path, log: &Log) -> Result<(Difference, Found)> {
    let port = ports::free();
    let mut command = Command::new(binary::path("livemeter"));
    command.args(["query", "--listen", &format!("127.0.0.1:{port}"), "--refresh-interval", "100ms", "--deadline", "2m"]);
    command.args(["--rows-max", "1000000", "--answer-bytes-max", "512MiB", "--memory-bytes-max", "1GiB"]);
    command.arg("--ledger").arg(scenes.ledger.root());
    let mut service = Process::start("query", command, &folder.join("query.log"));
    let query = Http::new(format!("http://127.0.0.1:{port}"));
    let mut last = None;
    for _ in 0..2 {
        let mut worker = scenes.house.start(0, "");
        last = Some(equal(&query, &mut service, &mut worker, log).await?);
        let status = worker.process.terminate(PATIENCE);
        ensure!(status.success(), "the last worker ended with {status}\n{}", worker.process.log_tail());
    }
    last.context("two looks were taken")
}

/// Looks until the two are equal, or for as long as the worker has anything to read, and a little longer.
async fn equal(query: &Http, service: &mut Process, worker: &mut Worker, log: &Log) -> Result<(Difference, Found)> {
    let mut deadline = Instant::now() + PATIENCE;
    let mut lag_before = i64::MAX;
    loop {
        service.check().map_err(anyhow::Error::msg)?;
        worker.process.check().map_err(anyhow::Error::msg)?;
        let told = worker.metric("_lag_records").await;
        let lag = told.unwrap_or(i64::MAX);
        if lag < lag_before {
            (lag_before, deadline) = (lag, Instant::now() + PATIENCE);
        }
        match oracle::found(query).await {
            Ok(found) => {
                let difference = oracle::difference(log, &found);
                if (difference.none() && lag == 0) || Instant::now() > deadline {
                    return Ok((difference, found));
                }
                let to_go = told.map_or_else(|| "?".into(), |lag| lag.to_string());
                eprintln!("faults: {to_go} records to go; {} bytes lacking", difference.lost_bytes);
            }
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn verdict(tally: &Tally, settings: &Settings, log: &Log, difference: &Difference, letters: i64, began: Instant) -> Result<()> {
    let sessions = log.reached.keys().map(|(session, _)| session).collect::<std::collections::BTreeSet<_>>().len();
    difference.examples.iter().for_each(|example| eprintln!("faults: {example}"));
    let fields = [
        ("faults", json!(tally.faults())),
        ("lost_bytes", json!(difference.lost_bytes)),
        ("extra_bytes", json!(difference.extra_bytes)),
        ("sessions_checked", json!(sessions)),
        ("kills", json!(tally.kills)),
        ("kills_named", json!(tally.kills_named)),
        ("counters_differing", json!(difference.counters)),
        ("lost_events", json!(difference.lost_events)),
        ("extra_events", json!(difference.extra_events)),
        ("dead_letters_lacking", json!(log.poison - letters)),
        ("counters_checked", json!(log.reached.len())),
        ("events_checked", json!(log.events.values().sum::<i64>())),
        ("records", json!(log.records)),
        ("bytes", json!(log.reached.values().map(|counters| counters[0]).sum::<i64>())),
        ("not_reached", json!(tally.missed.keys().collect::<Vec<_>>())),
        ("by_kind", json!(tally.by_kind)),
        ("seed", json!(settings.seed)),
        ("seconds", json!(began.elapsed().as_secs())),
    ];
    // By hand: the order is part of what is promised.
    println!("{{{}}}", fields.map(|(name, value)| format!("\"{name}\":{value}")).join(","));
    ensure!(difference.none() && letters == log.poison, "the ledger is not what was sent");
    if tally.kills_named < settings.kills {
        bail!("{} kills of {} at named places before FAULTS_SECONDS were over", tally.kills_named, settings.kills);
    }
    Ok(())
}
