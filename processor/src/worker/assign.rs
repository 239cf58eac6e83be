//! Partitions that come and go. Taken up: the tables' word is read afresh, sessions are recovered, and only
//! then reading begins, exactly where the tables stand. Given away: what is booked is committed, or dropped
//! where that cannot be, and only then the partition is let go. So at any moment a partition's rows come from
//! one writer, and one that was not heard of for a while is fenced by its stored offset.

use super::Worker;
use crate::config::Assignment;
use crate::error::Error;
use crate::partition::Partition;
use crate::recover::{self, Keep, Scope};
use crate::sink::Sink;
use crate::source::{Given, Offsets, Source, Taken};
use crate::status::Phase;
use crate::table::Table;
use std::collections::BTreeMap;
use std::time::Duration;

/// Fences in a row, without a commit between, after which somebody must look: two workers that are in no
/// group together would fence each other for ever.
const FENCES_MAX: u32 = 10;

impl<S: Source, K: Sink> Worker<S, K> {
    pub(super) async fn given(&mut self, given: Given) -> Result<(), Error> {
        // What is booked is of other partitions: their commit must not be in doubt while the log is read.
        self.flush().await?;
        let partitions: Vec<i32> = given.watermarks.keys().copied().collect();
        if let Some(last) = partitions.last().filter(|last| **last as usize >= self.partitions_all) {
            let (recorded, found) = (self.partitions_all as i64, *last as usize + 1);
            return Err(Error::PartitionsChanged { table: self.increments.kind().name(), recorded, found });
        }
        self.take_up(&partitions).await?;
        for table in [&self.increments, &self.events] {
            in_range(table, &given.watermarks)?;
        }
        let lows = given.watermarks.iter().map(|(p, (low, _))| (*p, *low));
        let begin: Offsets = lows.filter_map(|(p, low)| Some((p, self.partitions.get_mut(&p)?.begin(low)))).collect();
        tracing::info!(offsets = ?begin, generation = self.config.generation, "reading");
        // Nobody waits for it when the source has ended: the next turn tells.
        let _ = given.begin.send(begin);
        self.status.enter(Phase::Running);
        self.tell();
        Ok(())
    }

    pub(super) async fn taken(&mut self, taken: Taken) -> Result<(), Error> {
        let grace = Duration::from_millis(self.config.shutdown_ms);
        let clean = !taken.lost && matches!(tokio::time::timeout(grace, self.flush()).await, Ok(Ok(())));
        for partition in &taken.partitions {
            self.partitions.remove(partition);
        }
        self.increments.let_go(&taken.partitions);
        self.events.let_go(&taken.partitions);
        if !clean {
            tracing::warn!(partitions = ?taken.partitions, lost = taken.lost, "what was booked is dropped and read again");
            self.reload().await?;
        }
        tracing::info!(partitions = ?taken.partitions, "given away");
        let _ = taken.done.send(());
        self.tell();
        Ok(())
    }

    /// Somebody else has committed to a partition of ours, after a rebalance that one of us has not heard of
    /// yet. Nothing of the batch is in. Within a group we go on from what is stored; alone, it is an error.
    pub(super) async fn fenced(&mut self, error: Error) -> Result<(), Error> {
        self.fences += 1;
        self.status.metrics.fences.inc();
        if self.config.assignment == Assignment::All || self.fences > FENCES_MAX {
            return Err(error);
        }
        tracing::warn!(%error, "going on from what is stored");
        self.reload().await
    }

    /// Drops everything that is not committed, and goes on from what the tables say.
    async fn reload(&mut self) -> Result<(), Error> {
        self.buffer = crate::buffer::Buffer::new(self.config.generation);
        (self.batch, self.waiting_since) = (None, None);
        self.letters.clear();
        self.letters_bytes = 0;
        let ours: Vec<i32> = self.partitions.keys().copied().collect();
        self.take_up(&ours).await?;
        self.source.seek(&self.partitions.iter().map(|(p, partition)| (*p, partition.next)).collect());
        Ok(())
    }

    /// Reads what the tables hold of these partitions, for as long as it takes.
    async fn take_up(&mut self, partitions: &[i32]) -> Result<(), Error> {
        self.status.enter(Phase::Recovering);
        while let Err(error) = self.try_take_up(partitions).await {
            self.pause(error).await?;
        }
        Ok(())
    }

    async fn try_take_up(&mut self, partitions: &[i32]) -> Result<(), Error> {
        self.increments.take_up(partitions).await?;
        self.events.take_up(partitions).await?;
        let scope = Scope::new(self.config.generation, partitions.to_vec(), self.partitions_all);
        let memory_ms = i64::from(self.config.memory_days).saturating_mul(crate::book::DAY_MS);
        let keep = Keep { silence_ms: self.config.session_silence_ms, memory_ms, ahead_ms_max: self.config.ahead_ms_max };
        let (increments, events) = (&self.increments, &self.events);
        let (memories, _) = recover::partitions(increments, events, &self.snapshots, &scope, (self.clock)(), keep).await?;
        for (partition, memory) in memories {
            let from = |table: &Table| table.offsets().get(&partition).copied().unwrap_or_default();
            let tally = increments.tallies().get(&partition).copied().unwrap_or_default();
            let print = increments.prints().get(&partition).copied().unwrap_or_default();
            let taken_up = Partition::new(self.rules.clone(), memory, from(increments), from(events), tally, print);
            self.partitions.insert(partition, taken_up);
        }
        Ok(())
    }
}

/// Stops, with instructions, where the broker no longer holds what comes next.
fn in_range(table: &Table, watermarks: &BTreeMap<i32, (i64, i64)>) -> Result<(), Error> {
    for (&partition, &(low, high)) in watermarks {
        let stored = table.offsets().get(&partition).copied().unwrap_or_default();
        if !(low..=high).contains(&stored) {
            return Err(Error::OutOfRange { table: table.kind().name(), partition, stored, low, high });
        }
    }
    Ok(())
}
