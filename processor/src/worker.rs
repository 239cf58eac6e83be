//! Drives everything: consume → book → buffer → flush, over and over. Owns the order in which things become
//! durable: dead letters first, then `increments`, then `events`; only after that is anything forgotten.
//!
//! A worker may be dropped at any await: what is not committed is read again. The one visible trace of a
//! crash is a dead letter that is there twice (told by its origin), or, for a session's end refused just
//! before a crash between the two commits, a row in `events` beside its dead letter.

use crate::book::{Book, Missing, Rules, Wanted};
use crate::buffer::Buffer;
use crate::config::Config;
use crate::entry::{Entry, Place, dead_letter};
use crate::error::Error;
use crate::maintain::Maintenance;
use crate::recover;
use crate::sink::Sink;
use crate::source::{Message, Source};
use crate::status::{PartitionLabel, Phase, Status, TableLabel};
use crate::table::{Kind, Origin, Table};
use arrow::array::RecordBatch;
use livemeter_schemas::record::DeadLetter;
use livemeter_schemas::refusal::{Code, Refusal};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Pause between two tries of what failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often the lag is told: a busy stream or a failing commit must not leave an old figure standing.
const TICK: Duration = Duration::from_secs(1);
/// How often silent sessions are looked for: looking at all of them costs a millisecond per 100,000.
const EVICT_EVERY: Duration = Duration::from_secs(30);

/// What waits to become durable. Kept until all of it is.
struct Batch {
    ends: Vec<i64>,
    letters: Vec<DeadLetter>,
    increments: Option<RecordBatch>,
    events: Option<RecordBatch>,
    received_at_ms: i64,
}

/// One worker, reading all partitions of one topic into both tables.
pub struct Worker<S, K> {
    config: Config,
    status: Arc<Status>,
    source: S,
    sink: K,
    increments: Table,
    events: Table,
    book: Book,
    buffer: Buffer,
    letters: Vec<DeadLetter>,
    /// Per partition, the offset after the last record that was booked.
    next: Vec<i64>,
    /// When the oldest record not committed was booked.
    waiting_since: Option<Instant>,
    batch: Option<Batch>,
    /// Time of receipt of the newest record booked, and of the newest committed.
    received_at_ms: i64,
    committed_at_ms: i64,
    evicted_at: Instant,
    told_at: Instant,
    maintenance: Maintenance,
    clock: fn() -> i64,
}

impl<S: Source, K: Sink> Worker<S, K> {
    /// Opens both tables, proves that the topic still holds what comes next, recovers, and begins to read.
    pub async fn open(config: Config, status: Arc<Status>, mut source: S, sink: K, clock: fn() -> i64) -> Result<Self, Error> {
        let layout = source.layout().await?;
        let lows: Vec<i64> = layout.watermarks.iter().map(|(low, _)| *low).collect();
        let origin = Origin { cluster_id: layout.cluster_id, topic: config.events_topic.clone(), generation: config.generation };
        let (root, retention) = (config.ledger_url()?, config.retention_ms);
        let increments = Table::open(&root, Kind::Increments, retention, origin.clone(), &lows).await?;
        let events = Table::open(&root, Kind::Events, retention, origin, &lows).await?;
        for table in [&increments, &events] {
            in_range(table, &layout.watermarks)?;
        }
        status.enter(Phase::Recovering);
        let memory_ms = i64::from(config.memory_days).saturating_mul(crate::book::DAY_MS);
        let (memory, _) = recover::all(increments.delta(), events.delta(), clock(), config.session_silence_ms, memory_ms).await?;
        let next: Vec<i64> = increments.offsets().iter().zip(events.offsets()).map(|(a, b)| *a.min(b)).collect();
        source.start(&next).await?;
        tracing::info!(offsets = ?next, generation = config.generation, "reading");
        let rules = Rules {
            split_windows_max: config.split_windows_max,
            session_events_max: config.session_events_max,
            age_ms_max: config.limits.age_ms_max,
            bitrate_bps_max: config.bitrate_bps_max,
            burst_ms: config.burst_ms,
            late_after_ms: config.late_after_ms,
        };
        let mut worker = Worker {
            maintenance: Maintenance::new(&config),
            book: Book::new(rules, memory),
            buffer: Buffer::new(config.generation),
            letters: Vec::new(),
            next,
            waiting_since: None,
            batch: None,
            received_at_ms: 0,
            committed_at_ms: 0,
            evicted_at: Instant::now(),
            told_at: Instant::now(),
            config,
            status,
            source,
            sink,
            increments,
            events,
            clock,
        };
        worker.tell();
        worker.status.enter(Phase::Running);
        Ok(worker)
    }

    /// Works until an error that no waiting can mend.
    pub async fn run(&mut self) -> Result<(), Error> {
        loop {
            self.turn().await?;
        }
    }

    /// One step: some records, or a flush that is due.
    pub async fn turn(&mut self) -> Result<(), Error> {
        if self.told_at.elapsed() >= TICK {
            self.tell();
        }
        let due = self.waiting_since.map(|since| since + Duration::from_millis(self.config.commit_interval_ms));
        let tick = Instant::now() + TICK;
        let wake = due.map_or(tick, |due| due.min(tick));
        let messages = tokio::select! {
            messages = self.source.next() => Some(messages),
            () = tokio::time::sleep_until(wake) => None,
        };
        match messages {
            None => self.tell(),
            Some(Ok(messages)) => {
                self.status.enter(Phase::Running);
                self.take(&messages).await?;
            }
            Some(Err(error)) if error.retry() => self.trying_again(&error),
            Some(Err(error)) => return Err(error),
        }
        let full = self.buffer.rows() >= self.config.rows_max || self.buffer.bytes() >= self.config.bytes_max;
        let late = self.waiting_since.is_some_and(|s| s.elapsed() >= Duration::from_millis(self.config.commit_interval_ms));
        if full || late || self.batch.is_some() { self.flush().await } else { Ok(()) }
    }

    /// Books records. Sessions that have to be looked up are looked up together, first.
    pub async fn take(&mut self, messages: &[Message]) -> Result<(), Error> {
        let limits = self.config.limits.clone();
        let read: Vec<_> = messages.iter().map(|m| (m, Entry::read(&m.payload, m.place, &limits))).collect();
        let mut missing: Vec<Missing> = read.iter().filter_map(|(_, e)| self.book.missing(e.as_ref().ok()?)).collect();
        missing.sort();
        missing.dedup();
        self.look_up(&missing).await?;
        for (message, entry) in read {
            let Place { partition, offset } = message.place;
            let p = usize::try_from(partition).unwrap_or(usize::MAX);
            let Some(&next) = self.next.get(p) else {
                return Err(Error::Kafka(format!("a record of partition {partition}, which was not asked for")));
            };
            if offset < next {
                continue;
            }
            let lacks = |table: &Table| table.offsets().get(p).is_some_and(|stored| offset >= *stored);
            let wanted = Wanted { increments: lacks(&self.increments), events: lacks(&self.events) };
            match entry {
                Ok(entry) => {
                    // Rare: what was looked up for one record of the session was not enough for another.
                    if let Some(missing) = self.book.missing(&entry) {
                        self.look_up(&[missing]).await?;
                    }
                    self.book_one(message, &entry, wanted);
                }
                Err(refusal) => {
                    self.status.metrics.poison.inc();
                    self.refuse(message, refusal);
                }
            }
            if let Some(next) = self.next.get_mut(p) {
                *next = offset + 1;
            }
            self.status.metrics.records_consumed.inc();
            self.waiting_since.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    fn book_one(&mut self, message: &Message, entry: &Entry<'_>, wanted: Wanted) {
        self.received_at_ms = self.received_at_ms.max(entry.received_at_ms);
        let metrics = &self.status.metrics;
        match self.book.book(entry, wanted, &mut self.buffer) {
            Ok(taken) => {
                metrics.late.inc_by(taken.late.into());
                metrics.duplicates.inc_by(taken.duplicate.into());
                metrics.empty.inc_by(taken.empty.into());
                metrics.late_rows.inc_by(taken.late_rows.into());
                metrics.quarantined_rows.inc_by(taken.quarantined_rows.into());
            }
            Err(refusal) => {
                metrics.violations.inc_by((refusal.code == Code::CounterFell).into());
                self.refuse(message, refusal);
            }
        }
    }

    fn refuse(&mut self, message: &Message, refusal: Refusal) {
        self.status.metrics.refuse(refusal.code);
        self.letters.push(dead_letter(&self.config.events_topic, &message.payload, message.place, refusal));
    }

    async fn look_up(&mut self, missing: &[Missing]) -> Result<(), Error> {
        if missing.is_empty() {
            return Ok(());
        }
        loop {
            let (increments, events) = (self.increments.delta(), self.events.delta());
            match recover::sessions(increments, events, &mut self.book.memory, missing).await {
                Ok(_) => break,
                Err(error) => self.pause(error).await?,
            }
        }
        self.status.metrics.lookups.inc_by(missing.len() as u64);
        Ok(())
    }

    /// Makes everything booked so far durable. Tries for as long as it takes, unless waiting cannot help.
    pub async fn flush(&mut self) -> Result<(), Error> {
        if self.batch.is_none() {
            if self.waiting_since.take().is_none() {
                return Ok(());
            }
            let (increments, events) = self.buffer.take().map_err(|e| Error::Ledger(format!("rows do not fit the columns: {e}")))?;
            let (ends, letters) = (self.next.clone(), std::mem::take(&mut self.letters));
            self.batch = Some(Batch { ends, letters, increments, events, received_at_ms: self.received_at_ms });
        }
        while let Err(error) = self.commit().await {
            self.pause(error).await?;
        }
        self.status.enter(Phase::Running);
        self.after_commit();
        Ok(())
    }

    /// Takes the batch as far as it gets; what is done is not done again.
    async fn commit(&mut self) -> Result<(), Error> {
        let Some(batch) = self.batch.as_mut() else { return Ok(()) };
        if !batch.letters.is_empty() {
            self.sink.put(&batch.letters).await?;
            batch.letters.clear();
        }
        append(&mut self.increments, &mut batch.increments, &batch.ends, &self.status).await?;
        append(&mut self.events, &mut batch.events, &batch.ends, &self.status).await?;
        self.committed_at_ms = batch.received_at_ms;
        self.batch = None;
        Ok(())
    }

    /// Everything booked is in the ledger: the moment for what must not happen earlier.
    fn after_commit(&mut self) {
        self.source.advise(&self.committed());
        if self.evicted_at.elapsed() >= EVICT_EVERY {
            self.evict();
        }
        for table in [&mut self.increments, &mut self.events] {
            self.maintenance.look_after(table, &self.status, (self.clock)());
        }
        self.tell();
    }

    /// Lets go of silent sessions; only between a commit and the next record.
    pub fn evict(&mut self) {
        self.evicted_at = Instant::now();
        let memory_ms = i64::from(self.config.memory_days).saturating_mul(crate::book::DAY_MS);
        let gone = self.book.memory.evict(self.config.session_silence_ms, memory_ms);
        if gone > 0 {
            tracing::debug!(gone, left = self.book.memory.len(), "silent sessions left memory");
        }
    }

    /// Per partition, the offset up to which both tables have everything.
    pub fn committed(&self) -> Vec<i64> {
        self.increments.offsets().iter().zip(self.events.offsets()).map(|(a, b)| *a.min(b)).collect()
    }

    pub fn book(&self) -> &Book {
        &self.book
    }

    pub fn tables(&mut self) -> (&mut Table, &mut Table) {
        (&mut self.increments, &mut self.events)
    }

    /// Waits, but not for long, for maintenance that is under way. Cut short, it leaves the table as it was.
    pub async fn settle_within(&mut self, grace: Duration) {
        if tokio::time::timeout(grace, self.maintenance.settle(&self.status)).await.is_err() {
            tracing::info!("maintenance under way was cut short");
        }
    }

    fn tell(&mut self) {
        self.told_at = Instant::now();
        let m = &self.status.metrics;
        let lag: i64 = self.source.ends().iter().zip(self.committed()).map(|(end, done)| (end - done).max(0)).sum();
        m.lag_records.set(lag);
        for (partition, offset) in self.committed().into_iter().enumerate() {
            m.committed_offset.get_or_create(&PartitionLabel { partition: partition as u64 }).set(offset);
        }
        let behind = lag > 0 && self.committed_at_ms > 0;
        m.lag_seconds.set(if behind { ((self.clock)() - self.committed_at_ms).max(0) / 1000 } else { 0 });
        m.sessions.set(self.book.memory.len() as i64);
        m.sessions_evicted.set(self.book.memory.evicted_len() as i64);
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

/// Appends one table's part of a batch. A table that is ahead already, after a crash between two commits,
/// neither goes back nor commits.
async fn append(table: &mut Table, rows: &mut Option<RecordBatch>, ends: &[i64], status: &Status) -> Result<(), Error> {
    let ends: Vec<i64> = table.offsets().iter().zip(ends).map(|(has, end)| *has.max(end)).collect();
    if ends == table.offsets() {
        return Ok(());
    }
    let began = std::time::Instant::now();
    table.append(rows.as_ref(), &ends).await?;
    let (label, m) = (TableLabel { table: table.kind().name() }, &status.metrics);
    m.rows_written.get_or_create(&label).inc_by(rows.take().map_or(0, |rows| rows.num_rows() as u64));
    m.commits.get_or_create(&label).inc();
    m.commit_seconds.get_or_create(&label).observe(began.elapsed().as_secs_f64());
    Ok(())
}

/// Stops, with instructions, where the broker no longer holds what comes next.
fn in_range(table: &Table, watermarks: &[(i64, i64)]) -> Result<(), Error> {
    for (partition, (&stored, &(low, high))) in table.offsets().iter().zip(watermarks).enumerate() {
        if !(low..=high).contains(&stored) {
            return Err(Error::OutOfRange { table: table.kind().name(), partition, stored, low, high });
        }
    }
    Ok(())
}
