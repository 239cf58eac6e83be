//! Drives everything: consume → book → buffer → flush, over and over. Owns the order in which things become
//! durable: dead letters first, then `increments`, then `events`; only after that is anything forgotten.
//! How partitions come and go is in [`assign`], how records are booked in [`take`], how a batch becomes durable in [`flush`].
//!
//! A worker may be dropped at any await: what is not committed is read again. The one visible trace of a
//! crash is a dead letter that is there twice (told by its origin), or, for a session's end refused just
//! before a crash between the two commits, a row in `events` beside its dead letter.

mod assign;
mod flush;
mod take;

use crate::book::Rules;
use crate::buffer::Buffer;
use crate::config::Config;
use crate::error::Error;
use crate::maintain::Maintenance;
use crate::partition::Partition;
use crate::sink::Sink;
use crate::source::{News, Offsets, Source};
use crate::status::{PartitionLabel, Phase, Status};
use crate::store::Snapshots;
use crate::table::{Kind, Origin, Table};
use flush::Batch;
use livemeter_schemas::record::DeadLetter;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Pause between two tries of what failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often the lag is told: a busy stream or a failing commit must not leave an old figure standing.
const TICK: Duration = Duration::from_secs(1);
/// How often silent sessions are looked for, and what all take is added up: a millisecond per 100,000.
const EVICT_EVERY: Duration = Duration::from_secs(10);

/// One worker, reading the partitions that it is given of one topic into both tables.
pub struct Worker<S, K> {
    config: Config,
    rules: Rules,
    status: Arc<Status>,
    source: S,
    sink: K,
    increments: Table,
    events: Table,
    snapshots: Snapshots,
    partitions: BTreeMap<i32, Partition>,
    /// How many the topic has.
    partitions_all: usize,
    buffer: Buffer,
    letters: Vec<DeadLetter>,
    letters_bytes: usize,
    /// When the oldest record not committed was booked.
    waiting_since: Option<Instant>,
    batch: Option<Batch>,
    /// Fences met since the last commit.
    fences: u32,
    /// Time of receipt of the newest record booked, and of the newest committed.
    received_at_ms: i64,
    committed_at_ms: i64,
    evicted_at: Instant,
    told_at: Instant,
    maintenance: Maintenance,
    snapshotting: Option<JoinHandle<()>>,
    clock: fn() -> i64,
}

impl<S: Source, K: Sink> Worker<S, K> {
    /// Opens both tables and asks for partitions. Reading begins once they are given, in [`Worker::turn`].
    pub async fn open(config: Config, status: Arc<Status>, mut source: S, sink: K, clock: fn() -> i64) -> Result<Self, Error> {
        let layout = source.layout().await?;
        let lows: Vec<i64> = layout.watermarks.iter().map(|(low, _)| *low).collect();
        let origin = Origin { cluster_id: layout.cluster_id, topic: config.events_topic.clone(), generation: config.generation };
        let (root, retention) = (config.ledger_url()?, config.retention_ms);
        let increments = Table::open(&root, Kind::Increments, retention, origin.clone(), &lows).await?;
        let events = Table::open(&root, Kind::Events, retention, origin, &lows).await?;
        source.join()?;
        let rules = Rules {
            split_windows_max: config.split_windows_max,
            session_events_max: config.session_events_max,
            age_ms_max: config.limits.age_ms_max,
            bitrate_bps_max: config.bitrate_bps_max,
            burst_ms: config.burst_ms,
            late_after_ms: config.late_after_ms,
            cmcd: config.cmcd,
        };
        Ok(Worker {
            maintenance: Maintenance::new(&config),
            buffer: Buffer::new(config.generation),
            snapshots: Snapshots::beside(&increments),
            partitions: BTreeMap::new(),
            partitions_all: lows.len(),
            letters: Vec::new(),
            letters_bytes: 0,
            waiting_since: None,
            batch: None,
            fences: 0,
            received_at_ms: 0,
            committed_at_ms: 0,
            evicted_at: Instant::now(),
            told_at: Instant::now(),
            snapshotting: None,
            config,
            rules,
            status,
            source,
            sink,
            increments,
            events,
            clock,
        })
    }

    /// Works until an error that no waiting can mend.
    pub async fn run(&mut self) -> Result<(), Error> {
        loop {
            self.turn().await?;
        }
    }

    /// One step: some records, partitions that come or go, or a flush that is due.
    pub async fn turn(&mut self) -> Result<(), Error> {
        if self.told_at.elapsed() >= TICK {
            self.tell();
        }
        let due = self.waiting_since.map(|since| since + Duration::from_millis(self.config.commit_interval_ms));
        let tick = Instant::now() + TICK;
        let wake = due.map_or(tick, |due| due.min(tick));
        let news = tokio::select! {
            news = self.source.next() => Some(news),
            () = tokio::time::sleep_until(wake) => None,
        };
        match news {
            None => self.tell(),
            Some(Ok(News::Records(messages))) => {
                self.status.enter(Phase::Running);
                self.take(&messages).await?;
            }
            Some(Ok(News::Given(given))) => self.given(given).await?,
            Some(Ok(News::Taken(taken))) => self.taken(taken).await?,
            Some(Err(error)) if error.retry() => self.trying_again(&error),
            Some(Err(error)) => return Err(error),
        }
        let late = self.waiting_since.is_some_and(|s| s.elapsed() >= Duration::from_millis(self.config.commit_interval_ms));
        if self.is_full() || late || self.batch.is_some() { self.flush().await } else { Ok(()) }
    }

    /// Lets go of silent sessions; only between a commit and the next record.
    pub fn evict(&mut self) {
        self.evicted_at = Instant::now();
        let memory_ms = i64::from(self.config.memory_days).saturating_mul(crate::book::DAY_MS);
        let silence_ms = self.config.session_silence_ms;
        let gone: usize = self.partitions.values_mut().map(|p| p.book.memory.evict(silence_ms, memory_ms)).sum();
        let bytes: usize = self.partitions.values().map(|p| p.book.memory.bytes()).sum();
        self.status.metrics.sessions_memory_bytes.set(bytes as i64);
        if gone > 0 {
            tracing::debug!(gone, "silent sessions left memory");
        }
    }

    /// Per partition, the offset up to which both tables have everything.
    pub fn committed(&self) -> Offsets {
        let events = self.events.offsets();
        self.increments.offsets().iter().filter_map(|(p, offset)| Some((*p, *offset.min(events.get(p)?)))).collect()
    }

    pub fn partitions(&self) -> &BTreeMap<i32, Partition> {
        &self.partitions
    }

    pub fn tables(&mut self) -> (&mut Table, &mut Table) {
        (&mut self.increments, &mut self.events)
    }

    /// Waits, but not for long, for maintenance that is under way. Cut short, it leaves the table as it was.
    pub async fn settle_within(&mut self, grace: Duration) {
        let under_way = async {
            self.maintenance.settle(&self.status).await;
            if let Some(task) = self.snapshotting.take() {
                let _ = task.await;
            }
        };
        if tokio::time::timeout(grace, under_way).await.is_err() {
            tracing::info!("maintenance under way was cut short");
        }
    }

    fn tell(&mut self) {
        self.told_at = Instant::now();
        let (m, committed, ends) = (&self.status.metrics, self.committed(), self.source.ends());
        let lag: i64 = committed.iter().map(|(p, done)| (ends.get(p).copied().unwrap_or(*done) - done).max(0)).sum();
        m.lag_records.set(lag);
        m.partitions.set(committed.len() as i64);
        for (partition, offset) in committed {
            m.committed_offset.get_or_create(&PartitionLabel { partition: partition as u64 }).set(offset);
        }
        let behind = lag > 0 && self.committed_at_ms > 0;
        m.lag_seconds.set(if behind { ((self.clock)() - self.committed_at_ms).max(0) / 1000 } else { 0 });
        m.sessions.set(self.partitions.values().map(|p| p.book.memory.len() as i64).sum());
        m.sessions_evicted.set(self.partitions.values().map(|p| p.book.memory.evicted_len() as i64).sum());
    }

    fn trying_again(&self, error: &Error) {
        tracing::warn!(%error, "trying again");
        self.status.metrics.retries.inc();
        self.status.enter(Phase::Retrying(error.to_string()));
    }

    async fn pause(&self, error: Error) -> Result<(), Error> {
        if !error.retry() {
            return Err(error);
        }
        self.trying_again(&error);
        tokio::time::sleep(RETRY_AFTER).await;
        Ok(())
    }
}
