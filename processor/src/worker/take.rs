//! Records → rows that wait for the next flush. Sessions that memory does not hold are looked up in the ledger first;
//! what cannot be booked becomes a dead letter. When all of it becomes durable is not here.

use super::Worker;
use crate::book::Missing;
use crate::entry::{Entry, Place, dead_letter};
use crate::error::Error;
use crate::memory::Memory;
use crate::recover;
use crate::sink::Sink;
use crate::source::{Message, Source};
use livemeter_schemas::record::DeadLetter;
use livemeter_schemas::refusal::{Code, Refusal};
use std::collections::BTreeMap;
use tokio::time::Instant;

impl<S: Source, K: Sink> Worker<S, K> {
    /// Whether what waits is as much as may wait. One record can become thousands of rows, so this is asked after each.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.rows() >= self.config.rows_max || self.buffer.bytes() + self.letters_bytes >= self.config.bytes_max
    }

    /// Books records, with a flush in between where they become more than may wait.
    pub async fn take(&mut self, messages: &[Message]) -> Result<(), Error> {
        let mut rest = messages;
        loop {
            let taken = self.take_some(rest).await?;
            rest = rest.get(taken..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            self.flush().await?;
            // Fenced: the source goes on from what is stored, and gives the rest again.
            if self.fences > 0 {
                return Ok(());
            }
        }
    }

    /// Books records until no more may wait; returns how many. Sessions that have to be looked up are looked up
    /// together, first: nothing leaves memory before the last of these records. Records of partitions that are no
    /// longer ours are passed over: another worker reads them.
    async fn take_some(&mut self, messages: &[Message]) -> Result<usize, Error> {
        let (limits, clock_max_ms) = (self.config.limits.clone(), (self.clock)().saturating_add(self.config.ahead_ms_max));
        self.partitions.values_mut().for_each(|partition| partition.book.memory.go_no_further_than(clock_max_ms));
        let ours = messages.iter().enumerate().filter(|(_, m)| self.partitions.contains_key(&m.place.partition));
        let read: Vec<_> = ours.map(|(i, m)| (i, m, Entry::read(&m.payload, m.place, &limits))).collect();
        let missing: Vec<Option<(i32, Missing)>> = read.iter().map(|(_, _, entry)| self.missing(entry.as_ref().ok()?)).collect();
        let mut wanted: Vec<(i32, Missing)> = missing.iter().flatten().cloned().collect();
        wanted.sort();
        wanted.dedup();
        self.look_up(&wanted).await?;
        for ((i, message, entry), missing) in read.into_iter().zip(missing) {
            // Rare: what was looked up for one record of the session was not enough for another. A record for
            // which nothing was missing misses nothing later: its session only becomes better known.
            let missing = missing.and_then(|_| self.missing(entry.as_ref().ok()?));
            if let Some(missing) = missing {
                self.look_up(&[missing]).await?;
            }
            self.check_seal(message)?;
            self.take_one(message, entry);
            if self.is_full() {
                return Ok(self.noted(messages, i + 1));
            }
        }
        Ok(self.noted(messages, messages.len()))
    }

    /// Stops where another record stands in the place of the last one that was booked.
    fn check_seal(&mut self, message: &Message) -> Result<(), Error> {
        let Place { partition, offset } = message.place;
        let sealed = self.partitions.get_mut(&partition).is_none_or(|ours| ours.is_sealed(offset, &message.payload));
        if sealed { Ok(()) } else { Err(Error::TopicReplaced { partition, offset }) }
    }

    /// Notes the last of the first `taken` messages of each partition. Once for many: it has to be read for that.
    fn noted(&mut self, messages: &[Message], taken: usize) -> usize {
        let last: BTreeMap<i32, &Message> = messages.iter().take(taken).map(|message| (message.place.partition, message)).collect();
        for (partition, message) in last {
            if let Some(partition) = self.partitions.get_mut(&partition) {
                partition.note(message.place.offset, &message.payload);
            }
        }
        taken
    }

    fn missing(&self, entry: &Entry<'_>) -> Option<(i32, Missing)> {
        let partition = entry.place.partition;
        let missing = self.partitions.get(&partition)?.book.missing(entry)?;
        Some((partition, missing))
    }

    fn take_one(&mut self, message: &Message, entry: Result<Entry<'_>, Refusal>) {
        let offset = message.place.offset;
        let Some(partition) = self.partitions.get_mut(&message.place.partition) else { return };
        if offset < partition.next {
            return;
        }
        let (wanted, skipped) = (partition.wanted(offset), partition.skipped(offset));
        partition.next = offset + 1;
        let (poison, outcome) = match entry {
            Ok(entry) => {
                self.received_at_ms = self.received_at_ms.max(entry.received_at_ms);
                (false, partition.book.book(&entry, wanted, &mut self.buffer))
            }
            Err(refusal) => (true, Err(refusal)),
        };
        if wanted.increments {
            partition.tally.record(skipped, outcome.as_ref().copied().map_err(|_| ()));
        }
        let metrics = &self.status.metrics;
        metrics.records_consumed.inc();
        if skipped > 0 {
            metrics.absent.inc_by(skipped.unsigned_abs());
            tracing::warn!(partition = message.place.partition, offset, skipped, "offsets before this one held no record");
        }
        metrics.poison.inc_by(poison.into());
        self.waiting_since.get_or_insert_with(Instant::now);
        match outcome {
            Ok(taken) => {
                metrics.late.inc_by(taken.late.into());
                metrics.duplicates.inc_by(taken.duplicate.into());
                metrics.empty.inc_by(taken.empty.into());
                metrics.cmcd_gaps.inc_by(taken.gap.into());
                metrics.cmcd_fell.inc_by(taken.fell.into());
                metrics.late_rows.inc_by(taken.late_rows.into());
                metrics.quarantined_rows.inc_by(taken.quarantined_rows.into());
            }
            Err(refusal) => {
                metrics.violations.inc_by((refusal.code == Code::CounterFell).into());
                metrics.refuse(refusal.code);
                let letter = dead_letter(&self.config.events_topic, &message.payload, message.place, refusal);
                self.letters_bytes += held_bytes(&letter);
                self.letters.push(letter);
            }
        }
    }

    async fn look_up(&mut self, missing: &[(i32, Missing)]) -> Result<(), Error> {
        if missing.is_empty() {
            return Ok(());
        }
        loop {
            let wanted = self.partitions.iter_mut().filter(|(p, _)| missing.iter().any(|(of, _)| of == *p));
            let mut memories: BTreeMap<i32, &mut Memory> = wanted.map(|(p, partition)| (*p, &mut partition.book.memory)).collect();
            match recover::sessions(self.increments.delta(), self.events.delta(), &mut memories, missing).await {
                Ok(_) => break,
                Err(error) => self.pause(error).await?,
            }
            // What was read may be gone: another worker merges and cleans, and we may not have committed for long.
            for looked in [self.increments.look_again().await, self.events.look_again().await] {
                if let Err(error) = looked {
                    self.pause(error).await?;
                }
            }
        }
        self.status.metrics.lookups.inc_by(missing.len() as u64);
        Ok(())
    }
}

/// What a letter takes in memory, about.
fn held_bytes(letter: &DeadLetter) -> usize {
    size_of::<DeadLetter>() + letter.head.len() + letter.raw_base64.as_ref().map_or(0, String::len) + letter.reason.len()
}
