//! `make bench-freshness`: an audience of 200,000 posts 20,000 events a second; among them probes whose sessions
//! are known. Measures the time from ingest's 2xx until `POST /v1/sql` shows a probe, as one who asks again and again
//! sees it, so that the pause between two questions is part of it. The last line is JSON; the exit code is 1 when
//! a probe was never seen. Nothing here judges a time.

use anyhow::{Context, Result, ensure};
use chrono::{SecondsFormat, Utc};
use clap::Parser;
use livemeter_bench::house::House;
use livemeter_bench::metrics::Metrics;
use livemeter_bench::probes::Probes;
use livemeter_bench::process::usage;
use livemeter_bench::series::{Sample, Summary};
use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::brokers::Kind;
use livemeter_tests::http::Http;
use livemeter_tests::process::Process;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Sessions of the probes: enough to meet every partition.
const PROBE_SESSIONS: u64 = 16;
/// A probe not visible so long after the last one was posted will not be.
const LAST_LOOK: Duration = Duration::from_secs(60);
const DRAIN_S: u64 = 60;
/// Rows are asked for by time of receipt, from a little before the oldest probe that is waited for.
const MARGIN: Duration = Duration::from_secs(5);

/// From 2xx to visible in SQL, under load.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long the audience watches.
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// Its size; each posts a heartbeat every 10 s.
    #[arg(long, default_value_t = 200_000)]
    viewers: u32,
    /// Viewers whose events share a request; 1 as players post.
    #[arg(long, default_value_t = 1)]
    batch_max: u32,
    /// Between two probes.
    #[arg(long, default_value_t = 200)]
    probe_ms: u64,
    /// Between two questions to SQL.
    #[arg(long, default_value_t = 200)]
    ask_ms: u64,
    /// Commit interval of the processor, such as 2s; its default when not given.
    #[arg(long)]
    commit_interval: Option<String>,
}

#[tokio::main(worker_threads = 1)]
async fn main() -> ExitCode {
    match bench(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("bench-freshness: {error:#}");
            ExitCode::from(1)
        }
    }
}

type Shared = Arc<Mutex<Probes>>;

fn with<T>(probes: &Shared, look: impl FnOnce(&mut Probes) -> T) -> T {
    look(&mut probes.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn bench(arguments: &Arguments) -> Result<bool> {
    println!("bench-freshness: {} viewers for {} s against Apache Kafka", arguments.viewers, arguments.seconds);
    let interval: Vec<&str> = arguments.commit_interval.iter().flat_map(|interval| ["--commit-interval", interval]).collect();
    let mut house = House::open_with(Kind::Apache, &[("process", &interval)]).await;
    let mut audience =
        house.tree.simulate(&flags(arguments).iter().map(String::as_str).collect::<Vec<_>>(), &house.tree.folder().join("truth.json"));
    let steady_s = (arguments.seconds as f64 / 2.0).min(45.0);
    settle(&house, &mut audience, steady_s).await?;

    let probes = Shared::default();
    let asking = tokio::spawn(ask(house.tree.query(), probes.clone(), Duration::from_millis(arguments.ask_ms)));
    let posting = tokio::spawn(post(house.tree.ingest(), probes.clone(), Duration::from_millis(arguments.probe_ms)));
    let before = house.processor_metrics().await?;
    let (query_before, began) = (usage(house.query_id()?)?.cpu_s, Instant::now());
    let watch_s = arguments.seconds as f64 - steady_s;
    let samples = watch(&house, &mut audience, &probes, watch_s).await.with_context(|| house.log_tails())?;
    let (after, wall_s) = (house.processor_metrics().await?, began.elapsed().as_secs_f64());
    let query_cores = (usage(house.query_id()?)?.cpu_s - query_before) / wall_s;
    posting.abort();
    let last = Instant::now();
    while with(&probes, |p| p.waiting()) > 0 && last.elapsed() < LAST_LOOK && !asking.is_finished() {
        tokio::time::sleep(Duration::from_millis(arguments.ask_ms)).await;
    }
    if asking.is_finished() {
        asking.await?.context("asking SQL")?;
    } else {
        asking.abort();
    }
    let ended = audience.wait(Duration::from_secs(DRAIN_S + 60));
    ensure!(ended.success(), "the audience ended with {ended}\n{}", audience.log_tail());
    house.tree.stop();
    house.broker.stop();
    let summary = Summary::of(&samples, 0.0).context("too short to measure: no two samples")?;
    let growth = Growth { before, after, wall_s };
    println!("{}", serde_json::to_string(&with(&probes, |p| line(p, &summary, &growth, query_cores)))?);
    Ok(with(&probes, |p| p.waiting() == 0 && p.seen_count() > 0))
}

fn flags(arguments: &Arguments) -> Vec<String> {
    let pairs = [
        ("--viewers", arguments.viewers.to_string()),
        ("--duration", format!("{}s", arguments.seconds)),
        ("--drain", format!("{DRAIN_S}s")),
        ("--batch-max", arguments.batch_max.to_string()),
        ("--connections", "2000".to_owned()),
    ];
    pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}

/// Waits until the audience has arrived: its arrival is not the load that is meant.
async fn settle(house: &House, audience: &mut Process, steady_s: f64) -> Result<()> {
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < steady_s {
        audience.check().map_err(anyhow::Error::msg)?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let sample = house.look(0.0, audience).await?;
    println!("the audience is there: {:.0} events accepted, lag {:.1} s", sample.accepted, sample.lag_s);
    Ok(())
}

/// Samples the house while probes go through it.
async fn watch(house: &House, audience: &mut Process, probes: &Shared, seconds: f64) -> Result<Vec<Sample>> {
    let (began, mut samples) = (Instant::now(), Vec::<Sample>::new());
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        audience.check().map_err(anyhow::Error::msg)?;
        let sample = house.look(began.elapsed().as_secs_f64(), audience).await?;
        if let Some(last) = samples.last().filter(|_| samples.len() % 5 == 0) {
            let rate = (sample.accepted - last.accepted) / (sample.at_s - last.at_s);
            let (seen, waiting, p99) = with(probes, |p| (p.seen_count(), p.waiting(), p.percentile_ms(0.99)));
            println!(
                "{:4.0} s  {rate:6.0} events/s  lag {:4.1} s  {seen} probes seen, {waiting} on their way, p99 so far {:.0} ms",
                sample.at_s,
                sample.lag_s,
                p99.unwrap_or(f64::NAN)
            );
        }
        samples.push(sample);
        if sample.at_s >= seconds - 1.5 {
            return Ok(samples);
        }
    }
}

/// Posts a heartbeat of the next session every so often; each is a probe once ingest has answered 2xx.
async fn post(ingest: Http, probes: Shared, every: Duration) {
    let run = Utc::now().timestamp_millis();
    let mut sessions: Vec<Session> =
        (0..PROBE_SESSIONS).map(|n| Session::new(format!("probe-{run}-{n}"), format!("prober-{n}"), "cdn-a")).collect();
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for turn in 0_usize.. {
        ticks.tick().await;
        let places = sessions.len();
        let Some(session) = sessions.get_mut(turn % places) else { return };
        let event = session.plays(100_000, 1_000).heartbeat();
        let seq = event.get("seq").and_then(Value::as_u64).unwrap_or_default();
        match ingest.post_json("/v1/events", &batch(vec![event])).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                let at = Instant::now();
                with(&probes, |p| p.acknowledged(&session.id, seq, at));
            }
            // Not acknowledged, so not a probe: the next heartbeat covers it.
            Ok(answer) => println!("a probe was answered {} {}", answer.status, answer.text().trim()),
            Err(error) => println!("a probe was not answered: {error}"),
        }
    }
}

/// Asks SQL for all probes at once, over and over.
async fn ask(query: Http, probes: Shared, every: Duration) -> Result<()> {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(oldest) = with(&probes, |p| p.oldest(Instant::now())) else { continue };
        let since = (Utc::now() - oldest - MARGIN).to_rfc3339_opts(SecondsFormat::Millis, true);
        let statement = format!(
            "SELECT session_id, MAX(reached_seq) FROM increments \
             WHERE app = '{APP}' AND received_at >= TIMESTAMP '{since}' GROUP BY session_id"
        );
        let answer = query.post_json("/v1/sql", &json!({ "sql": statement })).await.map_err(anyhow::Error::msg)?;
        let at = Instant::now();
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
        let answer = answer.json();
        for row in answer.get("rows").and_then(Value::as_array).into_iter().flatten() {
            if let (Some(session), Some(seq)) = (row.get(0).and_then(Value::as_str), row.get(1).and_then(Value::as_u64)) {
                with(&probes, |p| p.seen(session, seq, at));
            }
        }
    }
}

/// The processor's metrics at both ends of the time that was measured.
struct Growth {
    before: Metrics,
    after: Metrics,
    wall_s: f64,
}

impl Growth {
    /// Commits of the table of increments.
    fn commits_per_minute(&self) -> f64 {
        let commits = |metrics: &Metrics| -> f64 {
            let each = metrics.each("livemeter_processor_commits_total");
            each.filter(|(labels, _)| labels.contains("\"increments\"")).map(|(_, value)| value).sum()
        };
        (commits(&self.after) - commits(&self.before)) * 60.0 / self.wall_s
    }
}

/// The last line; its names are what scripts read.
#[derive(Debug, serde::Serialize)]
struct Line {
    bench: &'static str,
    events_per_s: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
    commits_per_minute: f64,
    rollup_lag_s: Option<f64>,
    probes: usize,
    probes_unseen: usize,
    lag_s_max: f64,
    ingest_cores: f64,
    processor_cores: f64,
    query_cores: f64,
    broker_cores: f64,
    audience_cores: f64,
}

fn line(probes: &Probes, s: &Summary, growth: &Growth, query_cores: f64) -> Line {
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
    Line {
        bench: "freshness",
        events_per_s: s.events_per_s.round() as u64,
        p50_ms: probes.percentile_ms(0.5),
        p95_ms: probes.percentile_ms(0.95),
        p99_ms: probes.percentile_ms(0.99),
        max_ms: probes.percentile_ms(1.0),
        commits_per_minute: (growth.commits_per_minute() * 10.0).round() / 10.0,
        // Its exact name is the roll-up's business; none in a build without one.
        rollup_lag_s: growth.after.largest(&["roll", "lag", "seconds"]),
        probes: probes.seen_count(),
        probes_unseen: probes.waiting(),
        lag_s_max: s.lag_s_max,
        ingest_cores: rounded(s.ingest_cores),
        processor_cores: rounded(s.processor_cores),
        query_cores: rounded(query_cores),
        broker_cores: rounded(s.broker_cores),
        audience_cores: rounded(s.audience_cores),
    }
}
