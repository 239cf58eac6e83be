//! How a batch becomes durable: dead letters, `increments`, `events`, in that order; and what may happen only
//! after that.

use super::{EVICT_EVERY, Worker};
use crate::error::Error;
use crate::sink::Sink;
use crate::snapshot::{self, Facts};
use crate::source::{Offsets, Source};
use crate::status::{Phase, Status, TableLabel};
use crate::table::{Stored, Table};
use crate::tally::Tally;
use arrow::array::RecordBatch;
use livemeter_schemas::record::DeadLetter;
use std::collections::BTreeMap;
use std::time::Duration;

/// What waits to become durable. Kept until all of it is.
pub(super) struct Batch {
    ends: Offsets,
    tallies: BTreeMap<i32, Tally>,
    letters: Vec<DeadLetter>,
    increments: Option<RecordBatch>,
    events: Option<RecordBatch>,
    received_at_ms: i64,
}

impl<S: Source, K: Sink> Worker<S, K> {
    /// Makes everything booked so far durable. Tries for as long as it takes, unless waiting cannot help.
    pub async fn flush(&mut self) -> Result<(), Error> {
        if self.batch.is_none() {
            if self.waiting_since.take().is_none() {
                return Ok(());
            }
            self.batch = Some(self.gather()?);
        }
        while let Err(error) = self.commit().await {
            match error {
                Error::Fenced { .. } => return self.fenced(error).await,
                error => self.pause(error).await?,
            }
        }
        self.fences = 0;
        self.status.enter(Phase::Running);
        self.after_commit();
        Ok(())
    }

    /// Everything booked, as one batch. Conservation is checked here once more: what the rows add up to is
    /// what the counters moved by, or nothing is committed at all.
    fn gather(&mut self) -> Result<Batch, Error> {
        let mut moved = [0i128; 5];
        for partition in self.partitions.values_mut() {
            moved.iter_mut().zip(partition.book.take_moved()).for_each(|(sum, more)| *sum += more);
        }
        let sums = self.buffer.sums();
        if moved != sums {
            return Err(Error::Ledger(format!("rows add {sums:?}, but counters moved by {moved:?}: nothing was committed")));
        }
        let (increments, events) = self.buffer.take().map_err(|e| Error::Ledger(format!("rows do not fit the columns: {e}")))?;
        let (ends, tallies) = self.partitions.iter().map(|(p, partition)| ((*p, partition.next), (*p, partition.tally))).unzip();
        let letters = std::mem::take(&mut self.letters);
        Ok(Batch { ends, tallies, letters, increments, events, received_at_ms: self.received_at_ms })
    }

    /// Takes the batch as far as it gets; what is done is not done again.
    async fn commit(&mut self) -> Result<(), Error> {
        let Some(batch) = self.batch.as_mut() else { return Ok(()) };
        if !batch.letters.is_empty() {
            self.sink.put(&batch.letters).await?;
            batch.letters.clear();
        }
        append(&mut self.increments, &mut batch.increments, &batch.ends, &batch.tallies, &self.status).await?;
        fail::fail_point!("between-tables");
        append(&mut self.events, &mut batch.events, &batch.ends, &BTreeMap::new(), &self.status).await?;
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
        self.keep_snapshot();
        for table in [&mut self.increments, &mut self.events] {
            self.maintenance.look_after(table, &self.status, (self.clock)());
        }
        self.tell();
    }

    /// Keeps one partition's memory when it is due, one at a time: the copy holds the worker up for a moment,
    /// the rest happens beside it.
    fn keep_snapshot(&mut self) {
        if self.snapshotting.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let interval = Duration::from_millis(self.config.snapshot_interval_ms);
        // The one that waits longest: with many partitions each has its turn.
        let oldest = self.partitions.iter_mut().max_by_key(|(_, partition)| partition.snapshot_age());
        let Some((id, partition)) = oldest.filter(|(_, partition)| partition.snapshot_age() >= interval) else { return };
        let id = *id;
        partition.snapshot_begins();
        let offsets = (self.increments.offsets().get(&id), self.events.offsets().get(&id));
        let versions = (self.increments.delta().version(), self.events.delta().version());
        let ((Some(increments), Some(events)), (Some(of_increments), Some(of_events))) = (offsets, versions) else { return };
        let memory = &partition.book.memory;
        let facts = Facts::new(self.config.generation, id, (*increments, *events), (of_increments, of_events), memory);
        let rows = match snapshot::rows(memory) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(%error, "a snapshot could not be made");
                return;
            }
        };
        let (snapshots, status) = (self.snapshots.clone(), self.status.clone());
        self.snapshotting = Some(tokio::spawn(async move {
            match snapshots.put(facts, rows).await {
                Ok(bytes) => {
                    status.metrics.snapshots.inc();
                    tracing::debug!(partition = id, bytes, "snapshot kept");
                }
                Err(error) => {
                    status.metrics.snapshot_failures.inc();
                    tracing::warn!(partition = id, %error, "a snapshot was not kept; the last one serves");
                }
            }
        }));
    }
}

/// Appends one table's part of a batch. A table that is ahead already, after a crash between two commits,
/// neither goes back nor commits.
async fn append(
    table: &mut Table,
    rows: &mut Option<RecordBatch>,
    ends: &Offsets,
    tallies: &BTreeMap<i32, Tally>,
    status: &Status,
) -> Result<(), Error> {
    let further = |(p, has): (&i32, &i64)| (*p, ends.get(p).map_or(*has, |end| *has.max(end)));
    let ends: Offsets = table.offsets().iter().map(further).collect();
    if ends == *table.offsets() {
        return Ok(());
    }
    let began = std::time::Instant::now();
    table.append(rows.as_ref(), &Stored { offsets: ends, tallies: tallies.clone() }).await?;
    let (label, m) = (TableLabel { table: table.kind().name() }, &status.metrics);
    m.rows_written.get_or_create(&label).inc_by(rows.take().map_or(0, |rows| rows.num_rows() as u64));
    m.commits.get_or_create(&label).inc();
    m.commit_seconds.get_or_create(&label).observe(began.elapsed().as_secs_f64());
    Ok(())
}
