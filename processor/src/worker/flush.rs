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
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use livemeter_schemas::record::DeadLetter;
use std::collections::BTreeMap;
use std::time::Duration;

/// Whoever holds this partition looks after the tables: two workers would do the same work, and one of them in vain.
const KEEPER: i32 = 0;

/// What waits to become durable. Kept until all of it is.
pub(super) struct Batch {
    ends: Offsets,
    tallies: BTreeMap<i32, Tally>,
    prints: BTreeMap<i32, i64>,
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
        let (increments, events) = self.buffer.take().map_err(|e| Error::Ledger(format!("rows do not fit the columns: {e}")))?;
        conserved(increments.as_ref(), moved)?;
        let (ends, tallies) = self.partitions.iter().map(|(p, partition)| ((*p, partition.next), (*p, partition.tally))).unzip();
        let known = self.partitions.iter().filter(|(_, partition)| partition.print != 0);
        let prints = known.map(|(p, partition)| (*p, partition.print)).collect();
        let letters = std::mem::take(&mut self.letters);
        self.letters_bytes = 0;
        Ok(Batch { ends, tallies, prints, letters, increments, events, received_at_ms: self.received_at_ms })
    }

    /// Takes the batch as far as it gets; what is done is not done again.
    async fn commit(&mut self) -> Result<(), Error> {
        let Some(batch) = self.batch.as_mut() else { return Ok(()) };
        if !batch.letters.is_empty() {
            let put = self.sink.put(&batch.letters).await;
            self.status.metrics.dead_letters(put.as_ref().map(|_| ()), batch.letters.len() as u64);
            put?;
            batch.letters.clear();
        }
        let beside = (&batch.tallies, &batch.prints);
        append(&mut self.increments, &mut batch.increments, &batch.ends, beside, &self.status).await?;
        fail::fail_point!("between-tables");
        append(&mut self.events, &mut batch.events, &batch.ends, (&BTreeMap::new(), &BTreeMap::new()), &self.status).await?;
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
        // A run that is under way is seen to its end by whoever began it.
        if self.partitions.contains_key(&KEEPER) || self.maintenance.is_running() {
            for table in [&mut self.increments, &mut self.events] {
                self.maintenance.look_after(table, &self.status, (self.clock)());
            }
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

/// The amounts of `increments`, in the order of [`crate::split::Amounts`].
const AMOUNTS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];

/// Refuses rows that do not add up to what the counters moved by. They are read from the very columns that become
/// the file: whatever was done to them on the way, what counts is what stands there now.
fn conserved(rows: Option<&RecordBatch>, moved: [i128; 5]) -> Result<(), Error> {
    let mut sums = [0i128; 5];
    for (sum, name) in sums.iter_mut().zip(AMOUNTS) {
        let Some(rows) = rows else { break };
        let column = rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let column = column.filter(|column| column.null_count() == 0);
        let column = column.ok_or_else(|| Error::Ledger(format!("column {name} is missing, has nulls or is of another type")))?;
        *sum = column.values().iter().map(|value| i128::from(*value)).sum();
    }
    if sums == moved {
        return Ok(());
    }
    Err(Error::Ledger(format!("rows add {sums:?}, but counters moved by {moved:?}: nothing was committed")))
}

/// Appends one table's part of a batch. A table that is ahead already, after a crash between two commits,
/// neither goes back nor commits.
async fn append(
    table: &mut Table,
    rows: &mut Option<RecordBatch>,
    ends: &Offsets,
    (tallies, prints): (&BTreeMap<i32, Tally>, &BTreeMap<i32, i64>),
    status: &Status,
) -> Result<(), Error> {
    let further = |(p, has): (&i32, &i64)| (*p, ends.get(p).map_or(*has, |end| *has.max(end)));
    let ends: Offsets = table.offsets().iter().map(further).collect();
    if ends == *table.offsets() {
        return Ok(());
    }
    let began = std::time::Instant::now();
    table.append(rows.as_ref(), &Stored { offsets: ends, tallies: tallies.clone(), prints: prints.clone() }).await?;
    let (label, m) = (TableLabel { table: table.kind().name() }, &status.metrics);
    m.rows_written.get_or_create(&label).inc_by(rows.take().map_or(0, |rows| rows.num_rows() as u64));
    m.commits.get_or_create(&label).inc();
    m.commit_seconds.get_or_create(&label).observe(began.elapsed().as_secs_f64());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array};
    use std::sync::Arc;

    /// Two rows, whose amounts are 1 to 5 and ten times that.
    fn rows() -> Vec<(&'static str, ArrayRef)> {
        let column = |(name, n)| (name, Arc::new(Int64Array::from(vec![n, 10 * n])) as ArrayRef);
        AMOUNTS.into_iter().zip(1..).map(column).collect()
    }

    #[test]
    fn rows_are_committed_only_where_their_columns_hold_what_counters_moved_by() {
        let batch = |columns| RecordBatch::try_from_iter(columns).unwrap();
        let moved = [11, 22, 33, 44, 55];
        assert!(conserved(Some(&batch(rows())), moved).is_ok());
        assert!(conserved(None, [0; 5]).is_ok());
        assert!(conserved(None, moved).is_err());
        assert!(conserved(Some(&batch(rows())), [0; 5]).is_err());
        for i in 0..5 {
            let mut other = moved;
            other[i] -= 1;
            assert!(conserved(Some(&batch(rows())), other).is_err(), "{}", AMOUNTS[i]);
            let mut unread = rows();
            unread[i].1 = Arc::new(Int64Array::from(vec![Some(i as i64 + 1), None]));
            other = moved;
            other[i] = i as i128 + 1;
            assert!(
                conserved(Some(&RecordBatch::try_from_iter_with_nullable(unread.into_iter().map(|(n, c)| (n, c, true))).unwrap()), other)
                    .is_err(),
                "a null"
            );
            let mut lacking = rows();
            lacking.remove(i);
            assert!(conserved(Some(&batch(lacking)), moved).is_err(), "none");
        }
    }
}
