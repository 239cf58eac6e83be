//! `make bench-processor`: Apache Kafka is filled with heartbeats; then, one after the other and each in a process
//! of its own, the processor drains them into a ledger, a bare loop consumes, parses and discards them, and the
//! peer sums them into Parquet. Totals are held against what was sent. The last line is JSON; the exit code is 1
//! when a total differs. Nothing here judges a time.

use anyhow::{Context, Result};
use clap::Parser;
use livemeter_bench::beats::Audience;
use livemeter_bench::drain::{self, Drained, Order};
use livemeter_bench::fill::fill;
use livemeter_bench::peer::{self, Way};
use livemeter_bench::process::{Cost, accounts, cost_of};
use livemeter_bench::totals::{self, Stored};
use livemeter_schemas::record::EVENTS_TOPIC;
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::process::Process;
use livemeter_tests::{binary, kafka};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PARTITIONS: usize = 4;
/// The newest heartbeat is so old: every window has closed, none is late.
const AGO_MS: u64 = 60_000;

/// Events per CPU second: the processor, a bare loop, and Apache Flink over the same records.
#[derive(Debug, Parser)]
struct Arguments {
    /// Heartbeats, one Kafka record each.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Sessions that send them.
    #[arg(long, default_value_t = 100_000)]
    sessions: u64,
    /// Also drain with so many workers of one group; 1: only with one alone.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Between two of the peer's checkpoints. The processor commits every three seconds.
    #[arg(long, default_value_t = 10_000)]
    peer_checkpoint_ms: u64,
    /// Leave the peer out.
    #[arg(long)]
    without_peer: bool,
    /// Run the peer once more, written in SQL.
    #[arg(long)]
    sql: bool,
    /// Commit interval of the processor, such as 2s; its default when not given.
    #[arg(long)]
    commit_interval: Option<String>,
    /// How long each may take, in seconds.
    #[arg(long, default_value_t = 3_600)]
    patience_s: u64,
    /// Keep ledger, peer's files and logs in this folder, which must be empty.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[tokio::main(worker_threads = 1)]
async fn main() -> ExitCode {
    match bench(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("bench-processor: {error:#}");
            ExitCode::from(1)
        }
    }
}

/// Where it happens.
struct Place<'a> {
    arguments: &'a Arguments,
    broker: Broker,
    brokers: String,
    ends: Vec<i64>,
    folder: &'a Path,
}

async fn bench(arguments: &Arguments) -> Result<bool> {
    let temporary = tempfile::Builder::new().prefix("livemeter-bench-").tempdir()?;
    let folder = arguments.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    if arguments.sql || !arguments.without_peer {
        peer::prepare()?;
    }
    let (place, sent) = filled(arguments, &folder).await?;
    let alone = place.processor(1, &sent).await?;
    let bare = place.bare(1)?;
    let peer = if arguments.without_peer { None } else { Some(place.peer(Way::Java, &sent).await?) };
    let sql = if arguments.sql { Some(place.peer(Way::Sql, &sent).await?) } else { None };
    let (shared, bare_shared) = match arguments.workers {
        0 | 1 => (None, None),
        _ if !drain::knows_groups()? => {
            println!("this build has no --assignment: no run with {} workers", arguments.workers);
            (None, None)
        }
        workers => (Some(place.processor(workers, &sent).await?), Some(place.bare(workers)?)),
    };
    let equal = alone.equal && [&peer, &sql, &shared].into_iter().flatten().all(|side| side.equal);
    let line = line(arguments, &alone, &bare, &Others { peer, sql, shared, bare_shared }, equal);
    println!("{}", serde_json::to_string(&line)?);
    Ok(equal)
}

/// Starts the broker and fills it.
async fn filled<'a>(arguments: &'a Arguments, folder: &'a Path) -> Result<(Place<'a>, Audience)> {
    let mut audience = Audience { sessions: arguments.sessions.max(1), events: arguments.events, from_ms: 0 };
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    audience.from_ms = now_ms - (audience.span_ms() + AGO_MS) as i64;
    let broker = Broker::start(Kind::Apache).await;
    let brokers = broker.addr();
    drain::create_topics(&brokers, PARTITIONS)?;
    println!("bench-processor: {} heartbeats of {} sessions into Apache Kafka", audience.events, audience.sessions);
    fill(&brokers, EVENTS_TOPIC, audience)?;
    let ends = (0..PARTITIONS as i32).map(|p| kafka::watermarks(&brokers, EVENTS_TOPIC, p).1).collect();
    Ok((Place { arguments, broker, brokers, ends, folder }, audience))
}

/// One side's run.
struct Side {
    cost: Cost,
    broker_cpu_s: f64,
    stored: Stored,
    equal: bool,
    drained: Option<Drained>,
}

impl Place<'_> {
    fn broker_cpu_s(&self) -> Result<f64> {
        Ok(accounts(self.broker.process().context("the broker is gone")?.id())?.cpu_s)
    }

    async fn processor(&self, workers: usize, sent: &Audience) -> Result<Side> {
        let folder = self.folder.join(format!("workers-{workers}"));
        let ledger = folder.join("ledger");
        std::fs::create_dir_all(&ledger)?;
        let before = self.broker_cpu_s()?;
        let order = Order {
            brokers: &self.brokers,
            ends: &self.ends,
            ledger: &ledger,
            logs: &folder,
            workers,
            patience: Duration::from_secs(self.arguments.patience_s),
            commit_interval: self.arguments.commit_interval.as_deref(),
        };
        let drained = drain::drain(&order).await?;
        let broker_cpu_s = self.broker_cpu_s()? - before;
        let stored = totals::of_ledger(&ledger).await?;
        let cost = Cost { cpu_s: drained.cpu_s, wall_s: drained.wall_s, rss_bytes_max: drained.rss_bytes_max };
        Ok(self.side(&format!("processor, {workers} worker(s)"), cost, broker_cpu_s, stored, sent, Some(drained)))
    }

    /// The loop as one process, or as so many at once that share the partitions as workers would.
    fn bare(&self, processes: usize) -> Result<Cost> {
        let start = |n: usize| {
            let mut command = Command::new(binary::path("bare"));
            let mine = self.ends.iter().enumerate().filter(|(partition, _)| partition % processes == n);
            let records: i64 = mine.clone().map(|(_, end)| end).sum();
            command.args(["--brokers", &self.brokers, "--records", &records.to_string()]);
            for (partition, _) in mine {
                command.args(["--partition", &partition.to_string()]);
            }
            Process::start("bare", command, &self.folder.join(format!("bare-{processes}-{n}.log")))
        };
        let before = self.broker_cpu_s()?;
        let mut all: Vec<Process> = (0..processes.min(self.ends.len())).map(start).collect();
        let patience = Duration::from_secs(self.arguments.patience_s);
        let mut cost = Cost { cpu_s: 0.0, wall_s: 0.0, rss_bytes_max: 0 };
        for one in &mut all {
            let one = cost_of(one, patience)?;
            let wall_s = cost.wall_s + one.wall_s;
            cost = Cost { cpu_s: cost.cpu_s + one.cpu_s, wall_s, rss_bytes_max: cost.rss_bytes_max + one.rss_bytes_max };
        }
        tell(&format!("bare loop, {processes} process(es)"), cost, self.broker_cpu_s()? - before, self.arguments.events);
        Ok(cost)
    }

    async fn peer(&self, way: Way, sent: &Audience) -> Result<Side> {
        let folder = self.folder.join(format!("peer-{way:?}"));
        std::fs::create_dir_all(&folder)?;
        let before = self.broker_cpu_s()?;
        let patience = Duration::from_secs(self.arguments.patience_s);
        let cost = peer::drain(way, &self.brokers, EVENTS_TOPIC, &folder, self.arguments.peer_checkpoint_ms, patience)?;
        let broker_cpu_s = self.broker_cpu_s()? - before;
        let stored = totals::of_parquet(&peer::sums(&folder)).await?;
        Ok(self.side(way.name(), cost, broker_cpu_s, stored, sent, None))
    }

    fn side(&self, who: &str, cost: Cost, broker_cpu_s: f64, stored: Stored, sent: &Audience, drained: Option<Drained>) -> Side {
        tell(who, cost, broker_cpu_s, self.arguments.events);
        let expected = sent.bytes_by_cdn();
        let equal = stored.bytes_by_cdn == expected;
        let verdict = if equal {
            "totals equal what was sent".to_owned()
        } else {
            format!("TOTALS DIFFER: sent {expected:?}, has {:?}", stored.bytes_by_cdn)
        };
        println!("  {} rows in {} files, {} bytes; {verdict}", stored.rows, stored.files, stored.file_bytes);
        Side { cost, broker_cpu_s, stored, equal, drained }
    }
}

fn tell(who: &str, cost: Cost, broker_cpu_s: f64, events: u64) {
    println!(
        "{who}: {:.0} events per CPU second ({:.2} CPU s, {:.1} s, {} MB); broker {broker_cpu_s:.2} CPU s",
        events as f64 / cost.cpu_s,
        cost.cpu_s,
        cost.wall_s,
        cost.rss_bytes_max / 1_000_000
    );
}

/// The last line; its names are what scripts read.
#[derive(Debug, serde::Serialize)]
struct Line {
    bench: &'static str,
    events_per_cpu_s: u64,
    peer: Option<&'static str>,
    peer_events_per_cpu_s: Option<u64>,
    ratio: Option<f64>,
    bare_events_per_cpu_s: u64,
    ratio_bare: f64,
    rss_mb: u64,
    bytes_per_session: Option<f64>,
    bytes_per_event_stored: f64,
    events: u64,
    sessions: u64,
    totals_equal: bool,
    cpu_s: f64,
    wall_s: f64,
    broker_cpu_s: f64,
    files: u64,
    peer_cpu_s: Option<f64>,
    peer_wall_s: Option<f64>,
    peer_rss_mb: Option<u64>,
    peer_broker_cpu_s: Option<f64>,
    peer_sql_events_per_cpu_s: Option<u64>,
    ratio_sql: Option<f64>,
    workers: Option<usize>,
    workers_events_per_cpu_s: Option<u64>,
    workers_fall: Option<f64>,
    workers_fall_bare: Option<f64>,
}

/// The runs that not every call asks for.
struct Others {
    peer: Option<Side>,
    sql: Option<Side>,
    shared: Option<Side>,
    bare_shared: Option<Cost>,
}

fn line(arguments: &Arguments, alone: &Side, bare: &Cost, others: &Others, totals_equal: bool) -> Line {
    let (peer, sql, shared) = (others.peer.as_ref(), others.sql.as_ref(), others.shared.as_ref());
    let events = arguments.events;
    let rate = |cost: &Cost| events as f64 / cost.cpu_s;
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
    let (ours, drained) = (rate(&alone.cost), alone.drained.unwrap_or_default());
    Line {
        bench: "processor",
        events_per_cpu_s: ours.round() as u64,
        peer: peer.map(|_| Way::Java.name()),
        peer_events_per_cpu_s: peer.map(|p| rate(&p.cost).round() as u64),
        ratio: peer.map(|p| rounded(ours / rate(&p.cost))),
        bare_events_per_cpu_s: rate(bare).round() as u64,
        ratio_bare: rounded(ours / rate(bare)),
        rss_mb: alone.cost.rss_bytes_max / 1_000_000,
        bytes_per_session: drained.memory_bytes.filter(|_| drained.sessions > 0.0).map(|bytes| (bytes / drained.sessions).round()),
        bytes_per_event_stored: rounded(alone.stored.file_bytes as f64 / events as f64),
        events,
        sessions: arguments.sessions,
        totals_equal,
        cpu_s: rounded(alone.cost.cpu_s),
        wall_s: rounded(alone.cost.wall_s),
        broker_cpu_s: rounded(alone.broker_cpu_s),
        files: alone.stored.files,
        peer_cpu_s: peer.map(|p| rounded(p.cost.cpu_s)),
        peer_wall_s: peer.map(|p| rounded(p.cost.wall_s)),
        peer_rss_mb: peer.map(|p| p.cost.rss_bytes_max / 1_000_000),
        peer_broker_cpu_s: peer.map(|p| rounded(p.broker_cpu_s)),
        peer_sql_events_per_cpu_s: sql.map(|p| rate(&p.cost).round() as u64),
        ratio_sql: sql.map(|p| rounded(ours / rate(&p.cost))),
        workers: shared.map(|_| arguments.workers),
        workers_events_per_cpu_s: shared.map(|s| rate(&s.cost).round() as u64),
        workers_fall: shared.map(|s| rounded(1.0 - rate(&s.cost) / ours)),
        workers_fall_bare: others.bare_shared.map(|shared| rounded(1.0 - rate(&shared) / rate(bare))),
    }
}
