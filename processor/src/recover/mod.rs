//! Ledger → what the book has to remember, partition by partition. When partitions are taken up for all of
//! their sessions, later for single ones that come back after they left memory. A snapshot of each partition
//! saves reading all but the latest rows; without one the days that matter are read. Memory stays bounded by
//! the sessions that are alive, whatever the ledger's size.

mod progress;
mod rows;
mod scope;

pub use scope::Scope;

use crate::book::{DAY_MS, Missing};
use crate::buffer::date;
use crate::error::Error;
use crate::memory::Memory;
use crate::scan::{self, DataFile};
use crate::snapshot::Facts;
use crate::store::Snapshots;
use crate::table::{Kind, Table};
use deltalake::DeltaTable;
use progress::Progress;
use rows::{EVENT_COLUMNS, INCREMENT_COLUMNS, absorb_events, absorb_increments, enter_alive};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Each partition's memory.
pub type Memories = BTreeMap<i32, Memory>;

/// What recovery did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    pub rows: u64,
    pub sessions: usize,
    pub evicted: usize,
    /// Partitions whose snapshot served.
    pub snapshots: usize,
}

/// How long what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    pub silence_ms: i64,
    pub memory_ms: i64,
    /// See [`crate::Config`].
    pub ahead_ms_max: i64,
}

/// The memories of the scope's partitions, as of both tables as they are loaded.
pub async fn partitions(
    increments: &Table,
    events: &Table,
    snapshots: &Snapshots,
    scope: &Scope,
    now_ms: i64,
    keep: Keep,
) -> Result<(Memories, Recovered), Error> {
    let mut progress = Progress::default();
    let (mut memories, mut with, mut without) = (Memories::new(), Vec::new(), Vec::new());
    for partition in &scope.partitions {
        match snapshots.latest(scope.generation, *partition, increments, events).await {
            Some((facts, memory)) => {
                memories.insert(*partition, memory);
                with.push(facts);
            }
            None => without.push(*partition),
        }
    }
    if !with.is_empty() {
        since(&mut memories, increments.delta(), events.delta(), scope, &with, &mut progress).await?;
    }
    if !without.is_empty() {
        let scope = scope.only(without);
        memories.extend(all(increments.delta(), events.delta(), &scope, now_ms, keep, &mut progress).await?);
    }
    let recovered = Recovered {
        rows: progress.rows,
        sessions: memories.values().map(Memory::len).sum(),
        evicted: memories.values().map(Memory::evicted_len).sum(),
        snapshots: with.len(),
    };
    progress.end(&recovered);
    Ok((memories, recovered))
}

/// Rows that came after the snapshots. A session that a row names is in memory; or it left it, and then
/// stays out, to be looked up when it returns; or it is new since, and then all of its rows are here.
async fn since(
    memories: &mut Memories,
    increments: &DeltaTable,
    events: &DeltaTable,
    scope: &Scope,
    facts: &[Facts],
    progress: &mut Progress,
) -> Result<(), Error> {
    let from = |of: fn(&Facts) -> i64| facts.iter().map(|f| (f.partition, of(f))).collect::<BTreeMap<i32, i64>>();
    let oldest = |of: fn(&Facts) -> u64| facts.iter().map(of).min().unwrap_or_default();
    let increment_files = scan::files_since(increments, oldest(|f| f.increments_version)).await?;
    let event_files = scan::files_since(events, oldest(|f| f.events_version)).await?;
    progress.await_files(increment_files.len() + event_files.len());
    let scope = scope.beginning_at(from(|f| f.increments_offset));
    // Sessions first: a row of either table may be the first that names one.
    for (kind, table, files) in [(Kind::Increments, increments, &increment_files), (Kind::Events, events, &event_files)] {
        let scope = if kind == Kind::Events { scope.beginning_at(from(|f| f.events_offset)) } else { scope.clone() };
        for file in files {
            scan::read(table, file, &rows::PRESENCE_COLUMNS, None, |c| enter_alive(memories, &scope, c, i64::MIN)).await?;
        }
    }
    for file in &increment_files {
        progress.file(scan::read(increments, file, &INCREMENT_COLUMNS, None, |c| absorb_increments(memories, &scope, c)).await?);
    }
    let scope = scope.beginning_at(from(|f| f.events_offset));
    for file in &event_files {
        progress.file(scan::read(events, file, &EVENT_COLUMNS, None, |c| absorb_events(memories, &scope, c)).await?);
    }
    Ok(())
}

/// The memories that the rows alone give, without any snapshot.
pub async fn from_rows(increments: &DeltaTable, events: &DeltaTable, scope: &Scope, now_ms: i64, keep: Keep) -> Result<Memories, Error> {
    all(increments, events, scope, now_ms, keep, &mut Progress::default()).await
}

/// Every row of the days that matter. `now_ms` serves when the ledger is empty of times, and bounds what a record of a
/// host whose clock was wrong may make of them.
async fn all(
    increments: &DeltaTable,
    events: &DeltaTable,
    scope: &Scope,
    now_ms: i64,
    keep: Keep,
    progress: &mut Progress,
) -> Result<Memories, Error> {
    let (increment_files, event_files) = (scan::files(increments)?, scan::files(events)?);
    let latest = increment_files.iter().chain(&event_files).filter_map(|f| f.received_at_ms_max).max();
    let clock_ms = latest.map_or(now_ms, |latest| latest.min(now_ms.saturating_add(keep.ahead_ms_max)));
    let floor_ms = clock_ms.saturating_sub(keep.memory_ms);
    let floor_date = date(floor_ms.max(0));
    let recent = |files: Vec<DataFile>| -> (Vec<DataFile>, bool) {
        let all = files.len();
        let kept: Vec<DataFile> = files.into_iter().filter(|f| f.date >= floor_date).collect();
        let some_left_out = kept.len() < all;
        (kept, some_left_out)
    };
    let ((increment_files, older_increments), (event_files, older_events)) = (recent(increment_files), recent(event_files));
    let mut memories = Memories::new();
    for partition in &scope.partitions {
        let memory = memories.entry(*partition).or_default();
        memory.advance(clock_ms);
        if older_increments || older_events {
            memory.forget_before(floor_ms);
        }
    }

    progress.await_files(increment_files.len() + event_files.len());
    let alive_since = clock_ms.saturating_sub(keep.silence_ms);
    let alive = |f: &&DataFile| f.received_at_ms_max.is_none_or(|latest| latest >= alive_since);
    for (table, files) in [(increments, &increment_files), (events, &event_files)] {
        for file in files.iter().filter(alive) {
            scan::read(table, file, &rows::PRESENCE_COLUMNS, None, |c| enter_alive(&mut memories, scope, c, alive_since)).await?;
        }
    }
    for file in &increment_files {
        progress.file(scan::read(increments, file, &INCREMENT_COLUMNS, None, |c| absorb_increments(&mut memories, scope, c)).await?);
    }
    for file in &event_files {
        progress.file(scan::read(events, file, &EVENT_COLUMNS, None, |c| absorb_events(&mut memories, scope, c)).await?);
    }
    Ok(memories)
}

/// Looks single sessions up, all in one pass over the files that may hold them. Each goes into the memory of
/// the partition that asks for it, wherever its rows came from.
pub async fn sessions(
    increments: &DeltaTable,
    events: &DeltaTable,
    memories: &mut BTreeMap<i32, &mut Memory>,
    missing: &[(i32, Missing)],
) -> Result<u64, Error> {
    let Some(floor_ms) = missing.iter().filter_map(|(p, _)| memories.get(p)).map(|m| m.floor_ms()).min() else { return Ok(0) };
    let everything = floor_ms == i64::MIN;
    let from_ms = missing.iter().map(|(_, m)| m.from_ms.map_or(floor_ms, |ms| ms.saturating_sub(DAY_MS))).min().unwrap_or(floor_ms);
    let from_date = if from_ms <= 0 { String::new() } else { date(from_ms) };
    let ids: Arc<HashSet<String>> = Arc::new(missing.iter().map(|(_, m)| m.session_id.clone()).collect());
    let recent = |f: &DataFile| f.date >= from_date;

    // Rows are gathered first, so that a failure half way leaves no session half known.
    let mut found = Memories::from([(0, Memory::default())]);
    let anywhere = Scope::anywhere();
    for (_, m) in missing {
        found.entry(0).or_default().admit(&m.app, &m.session_id, true);
    }
    let mut rows = 0;
    for file in scan::files(increments)?.iter().filter(|f| recent(f)) {
        rows +=
            scan::read(increments, file, &INCREMENT_COLUMNS, Some(ids.clone()), |c| absorb_increments(&mut found, &anywhere, c)).await?;
    }
    for file in scan::files(events)?.iter().filter(|f| recent(f)) {
        rows += scan::read(events, file, &EVENT_COLUMNS, Some(ids.clone()), |c| absorb_events(&mut found, &anywhere, c)).await?;
    }
    for (partition, m) in missing {
        if let Some(memory) = memories.get_mut(partition) {
            memory.admit(&m.app, &m.session_id, everything || m.from_ms.is_some());
        }
    }
    for memory in memories.values_mut() {
        found.values().for_each(|found| memory.merge(found));
    }
    Ok(rows)
}
