//! How many files a ledger consists of, and what they cost. Made-up viewers' heartbeats go the processor's own
//! way, without Kafka, at a clock as fast as the machine: first a stretch of raw heartbeats every 10 s with a
//! commit every 3 s, then days at roll-up grain (a heartbeat per window and viewer). Making records and keeping each
//! of the two primary tables go on side by side, one commit after the other in each; every few hours the derived
//! tables are refreshed. The last line is JSON.

use anyhow::{Context, Result, ensure};
use arrow::array::RecordBatch;
use clap::Parser;
use livemeter_bench::audience::{Audience, Stream};
use livemeter_bench::process::usage;
use livemeter_bench::tables::{Derived, Most, shape};
use livemeter_processor::Config;
use livemeter_processor::book::{Book, Rules};
use livemeter_processor::buffer::Buffer;
use livemeter_processor::maintain::{Maintenance, Policy};
use livemeter_processor::memory::Memory;
use livemeter_processor::roll::{files, plan};
use livemeter_processor::status::Status;
use livemeter_processor::table::{Kind, Origin, Stored, Table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::sync::mpsc;

/// The allocator of the service's own binary.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Midnight UTC; made-up rows need no real date.
const FROM_MS: i64 = 1_790_000_000_000 / 86_400_000 * 86_400_000;
const PARTITIONS: usize = 4;
/// How long replaced files and log entries are kept, by the machine's clock: about an hour of the raw stretch as it is
/// acted out. With the default the log would grow to what no service ever has.
const RETENTION_MS: u64 = 120_000;

/// Files, log and bytes of a ledger at an accelerated clock.
#[derive(Debug, Parser)]
struct Arguments {
    /// Viewers of the raw stretch. Whole days of 10,000 are 86 million heartbeats each: give it an hour.
    #[arg(long, default_value_t = 500)]
    raw_viewers: u64,
    /// Hours of the raw stretch; 0: none.
    #[arg(long, default_value_t = 3)]
    raw_hours: u64,
    /// Viewers of the days at roll-up grain.
    #[arg(long, default_value_t = 10_000)]
    viewers: u64,
    /// Days at roll-up grain: 30 for a month; 0: none.
    #[arg(long, default_value_t = 30)]
    days: u64,
    /// Hours of the clock acted out between two refreshes of the derived tables; 0: only at the end. A service refreshes
    /// them every minute; that replaces the files of the same dates more often, and leaves as many.
    #[arg(long, default_value_t = 6)]
    derive_hours: u64,
    /// Keep the ledgers in `raw` and `month` of this folder; by default they are made in a temporary one.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let Arguments { raw_viewers, raw_hours, viewers, days, derive_hours, keep } = Arguments::parse();
    let temporary = tempfile::tempdir()?;
    let root = keep.as_deref().unwrap_or(temporary.path());
    let raw = Audience { viewers: raw_viewers, heartbeat_s: 10, session_beats: 120, stall_every: 50 };
    let raw =
        run(&root.join("raw"), Stretch { audience: raw, commit_s: 3, hours: raw_hours, derive_hours }).await.context("the raw stretch")?;
    eprintln!("raw: {raw}");
    let coarse = Audience { viewers, heartbeat_s: 300, session_beats: 12, stall_every: 20 };
    let month = run(&root.join("month"), Stretch { audience: coarse, commit_s: 300, hours: days * 24, derive_hours })
        .await
        .context("the days at roll-up grain")?;
    println!("{}", json!({ "bench": "files", "raw": raw, "rolled_grain": month }));
    let failures = [&raw, &month].iter().filter_map(|stretch| stretch["derived"]["failures"].as_u64()).sum::<u64>();
    ensure!(failures == 0, "derived tables could not be refreshed {failures} times");
    Ok(())
}

/// What one table gets at one commit.
struct Commit {
    now_ms: i64,
    ends: Stored,
    rows: Option<RecordBatch>,
}

/// A stretch of time to be acted out.
#[derive(Clone, Copy)]
struct Stretch {
    audience: Audience,
    commit_s: u64,
    hours: u64,
    derive_hours: u64,
}

/// One table of the run, with what was seen of it.
struct Seen {
    table: Table,
    most: Most,
    commit_ms: Vec<f64>,
    lag_ms_max: i64,
}

/// Acts out a stretch; null when it has no hours.
async fn run(root: &Path, stretch: Stretch) -> Result<Value> {
    let Stretch { audience, commit_s, hours, .. } = stretch;
    if hours == 0 {
        return Ok(Value::Null);
    }
    std::fs::create_dir_all(root)?;
    let ledger = root.to_str().context("the folder's name is not UTF-8")?.into();
    let config = Config { ledger, retention_ms: RETENTION_MS, ..Config::default() };
    let before = usage(std::process::id())?.cpu_s;
    let ((to_increments, increments), (to_events, events)) = (mpsc::channel(1), mpsc::channel(1));
    let making = config.clone();
    let made = tokio::task::spawn_blocking(move || make(stretch, &making, [to_increments, to_events]));
    let derived = Derived::new(&config, root)?;
    let increments = tokio::spawn(keep(config.clone(), Kind::Increments, stretch, increments, Some(derived)));
    let events = tokio::spawn(keep(config, Kind::Events, stretch, events, None));
    let (made, increments, events) = tokio::try_join!(made, increments, events)?;
    // A table that cannot be kept is why no more could be made for it.
    let ((increments, derived), (events, _)) = (increments?, events?);
    let heartbeats = made?;
    let mut derived = derived.context("increments are kept together with the derived tables")?;
    derived.refresh().await;
    let cpu_s = usage(std::process::id())?.cpu_s - before;
    Ok(json!({
        "viewers": audience.viewers, "heartbeat_s": audience.heartbeat_s, "commit_s": commit_s, "hours": hours,
        "heartbeats": heartbeats, "cpu_s": cpu_s.round(), "derived": derived.told(heartbeats, hours).await?,
        "increments": told(increments, root, heartbeats, hours).await?, "events": told(events, root, heartbeats, hours).await?,
    }))
}

/// Makes every record, books it, and hands the rows of each commit to the two tables. Returns the heartbeats.
fn make(stretch: Stretch, config: &Config, to: [mpsc::Sender<Commit>; 2]) -> Result<u64> {
    let (mut stream, mut book) = (Stream::new(stretch.audience, FROM_MS, PARTITIONS), Book::new(rules(config), Memory::default()));
    for n in 1..=stretch.commits() {
        let now_ms = stretch.now_ms(n);
        let mut buffer = Buffer::new(config.generation);
        stream.until(now_ms, &config.limits, |entry, wanted| book.book(entry, wanted, &mut buffer).map(|_| ()))?;
        let (increments, events) = buffer.take()?;
        for (to, rows) in to.iter().zip([increments, events]) {
            let ends = Stored { offsets: (0..).zip(stream.offsets().iter().copied()).collect(), ..Stored::default() };
            to.blocking_send(Commit { now_ms, ends, rows }).ok().context("a table is kept no more")?;
        }
        if stretch.is_hour(n) {
            book.memory.evict(config.session_silence_ms, i64::MAX);
        }
    }
    Ok(stream.heartbeats())
}

/// Commits what comes, and looks after the table in between; also after the derived ones, given those.
async fn keep(
    config: Config,
    kind: Kind,
    stretch: Stretch,
    mut commits: mpsc::Receiver<Commit>,
    mut derived: Option<Derived>,
) -> Result<(Seen, Option<Derived>)> {
    let mut seen = open(&config, kind).await?;
    let (mut maintenance, status, policy) = (Maintenance::new(&config), Status::new(), Policy::of(&config));
    let (began, mut n) = (Instant::now(), 0);
    while let Some(Commit { now_ms, ends, rows }) = commits.recv().await {
        n += 1;
        let at = Instant::now();
        seen.table.append(rows.as_ref(), &ends).await?;
        seen.commit_ms.push(at.elapsed().as_secs_f64() * 1_000.0);
        let files = files::all(seen.table.delta())?;
        seen.most.look(&files);
        if kind == Kind::Increments {
            seen.lag_ms_max = seen.lag_ms_max.max(plan::lag_ms(&files, &policy, now_ms));
        }
        // At this clock a run would take minutes: the next commit waits for it.
        maintenance.look_after(&mut seen.table, &status, now_ms);
        maintenance.settle(&status).await;
        if stretch.is_hour(n) {
            let (hour, of) = (n * stretch.commit_s / 3_600, stretch.hours);
            eprintln!("{:.0?} {} hour {hour} of {of}: at most {:?}", began.elapsed(), kind.name(), seen.most);
            let due = stretch.derive_hours > 0 && hour.is_multiple_of(stretch.derive_hours.max(1));
            if let Some(derived) = derived.as_mut().filter(|_| due) {
                derived.refresh().await;
            }
        }
    }
    Ok((seen, derived))
}

impl Stretch {
    fn commits(&self) -> u64 {
        self.hours * 3_600 / self.commit_s
    }

    fn now_ms(&self, commit: u64) -> i64 {
        FROM_MS + (commit * self.commit_s * 1_000) as i64
    }

    fn is_hour(&self, commit: u64) -> bool {
        commit.is_multiple_of((3_600 / self.commit_s).max(1))
    }
}

async fn told(mut seen: Seen, root: &Path, heartbeats: u64, hours: u64) -> Result<Value> {
    let mut told = shape(root, seen.table.kind().name(), seen.most, heartbeats, hours).await?;
    seen.commit_ms.sort_by(f64::total_cmp);
    let percentile = |p: f64| seen.commit_ms.get((seen.commit_ms.len() as f64 * p) as usize).copied().unwrap_or_default().round();
    told["roll_lag_s_max"] = json!(seen.lag_ms_max / 1_000);
    told["commit_ms_p50"] = json!(percentile(0.5));
    told["commit_ms_p99"] = json!(percentile(0.99));
    Ok(told)
}

async fn open(config: &Config, kind: Kind) -> Result<Seen> {
    let origin = Origin { cluster_id: "bench".into(), topic: "events".into(), generation: config.generation };
    let mut table = Table::open(&config.ledger_url()?, kind, config.retention_ms, origin, &[0; PARTITIONS]).await?;
    table.take_up(&(0..PARTITIONS as i32).collect::<Vec<_>>()).await?;
    Ok(Seen { table, most: Most::default(), commit_ms: Vec::new(), lag_ms_max: 0 })
}

fn rules(config: &Config) -> Rules {
    Rules {
        split_windows_max: config.split_windows_max,
        session_events_max: config.session_events_max,
        age_ms_max: config.limits.age_ms_max,
        bitrate_bps_max: config.bitrate_bps_max,
        burst_ms: config.burst_ms,
        late_after_ms: config.late_after_ms,
        cmcd: Default::default(),
    }
}
