//! Ledger → what the book has to remember. At start for all sessions, later for single ones that come
//! back after they left memory. Memory stays bounded by the sessions that are alive, whatever the ledger's size.

use crate::book::{DAY_MS, Missing};
use crate::buffer::date;
use crate::error::Error;
use crate::memory::Memory;
use crate::scan::{self, Columns, DataFile};
use crate::split::Amounts;
use deltalake::DeltaTable;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

const INCREMENT_COLUMNS: [&str; 11] = [
    "app",
    "session_id",
    "cdn",
    "reached_seq",
    "reached_bytes",
    "reached_aborted_bytes",
    "reached_play_ms",
    "reached_stall_ms",
    "reached_stalls",
    "at",
    "received_at",
];
const EVENT_COLUMNS: [&str; 4] = ["app", "session_id", "seq", "received_at"];
/// Recovery that takes longer than this tells how far it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// What recovery did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    pub rows: u64,
    pub sessions: usize,
    pub evicted: usize,
}

/// Reads both tables as they are loaded. `now_ms` only serves when the ledger is empty of times.
pub async fn all(
    increments: &DeltaTable,
    events: &DeltaTable,
    now_ms: i64,
    silence_ms: i64,
    memory_ms: i64,
) -> Result<(Memory, Recovered), Error> {
    let (increment_files, event_files) = (scan::files(increments)?, scan::files(events)?);
    let mut memory = Memory::default();
    let latest = increment_files.iter().chain(&event_files).filter_map(|f| f.received_at_ms_max).max();
    memory.advance(latest.unwrap_or(now_ms));

    let floor_ms = memory.clock_ms().saturating_sub(memory_ms);
    let floor_date = date(floor_ms.max(0));
    let recent = |files: Vec<DataFile>| -> (Vec<DataFile>, bool) {
        let all = files.len();
        let kept: Vec<DataFile> = files.into_iter().filter(|f| f.date >= floor_date).collect();
        let some_left_out = kept.len() < all;
        (kept, some_left_out)
    };
    let ((increment_files, older_increments), (event_files, older_events)) = (recent(increment_files), recent(event_files));
    if older_increments || older_events {
        memory.forget_before(floor_ms);
    }

    let mut progress = Progress::new(increment_files.len() + event_files.len());
    let alive_since = memory.clock_ms().saturating_sub(silence_ms);
    let alive = |f: &&DataFile| f.received_at_ms_max.is_none_or(|latest| latest >= alive_since);
    for (table, files) in [(increments, &increment_files), (events, &event_files)] {
        for file in files.iter().filter(alive) {
            scan::read(table, file, &["app", "session_id", "received_at"], None, |c| enter_alive(&mut memory, c, alive_since)).await?;
        }
    }
    for file in &increment_files {
        progress.file(scan::read(increments, file, &INCREMENT_COLUMNS, None, |c| absorb_increments(&mut memory, c)).await?);
    }
    for file in &event_files {
        progress.file(scan::read(events, file, &EVENT_COLUMNS, None, |c| absorb_events(&mut memory, c)).await?);
    }
    let recovered = Recovered { rows: progress.rows, sessions: memory.len(), evicted: memory.evicted_len() };
    progress.end(&recovered);
    Ok((memory, recovered))
}

/// Looks single sessions up, all in one pass over the files that may hold them.
pub async fn sessions(increments: &DeltaTable, events: &DeltaTable, memory: &mut Memory, missing: &[Missing]) -> Result<u64, Error> {
    if missing.is_empty() {
        return Ok(0);
    }
    let everything = memory.floor_ms() == i64::MIN;
    let unknown = if everything { i64::MIN } else { memory.floor_ms() };
    let from_ms = missing.iter().map(|m| m.from_ms.map_or(unknown, |ms| ms.saturating_sub(DAY_MS))).min().unwrap_or(unknown);
    let from_date = if from_ms <= 0 { String::new() } else { date(from_ms) };
    let ids: Arc<HashSet<String>> = Arc::new(missing.iter().map(|m| m.session_id.clone()).collect());
    let recent = |f: &DataFile| f.date >= from_date;

    // Rows are gathered first, so that a failure half way leaves no session half known.
    let mut found = Memory::default();
    for m in missing {
        found.admit(&m.app, &m.session_id, true);
    }
    let mut rows = 0;
    for file in scan::files(increments)?.iter().filter(|f| recent(f)) {
        rows += scan::read(increments, file, &INCREMENT_COLUMNS, Some(ids.clone()), |c| absorb_increments(&mut found, c)).await?;
    }
    for file in scan::files(events)?.iter().filter(|f| recent(f)) {
        rows += scan::read(events, file, &EVENT_COLUMNS, Some(ids.clone()), |c| absorb_events(&mut found, c)).await?;
    }
    for m in missing {
        memory.admit(&m.app, &m.session_id, everything || m.from_ms.is_some());
    }
    memory.merge(&found);
    Ok(rows)
}

/// Makes room for the sessions that are still alive.
fn enter_alive(memory: &mut Memory, columns: &Columns<'_>, alive_since: i64) -> Result<(), Error> {
    let (app, id, received) = (columns.text("app")?, columns.text("session_id")?, columns.ms("received_at")?);
    for row in (0..columns.rows()).filter(|row| received(*row) >= alive_since) {
        memory.enter_at(app.value(row), id.value(row), received(row));
    }
    Ok(())
}

fn absorb_increments(memory: &mut Memory, columns: &Columns<'_>) -> Result<(), Error> {
    let (app, id, cdn) = (columns.text("app")?, columns.text("session_id")?, columns.text("cdn")?);
    let (seq, at, received) = (columns.int("reached_seq")?, columns.ms("at")?, columns.ms("received_at")?);
    let (bytes, aborted) = (columns.int("reached_bytes")?, columns.int("reached_aborted_bytes")?);
    let (play, stall, stalls) = (columns.int("reached_play_ms")?, columns.int("reached_stall_ms")?, columns.int("reached_stalls")?);
    for row in 0..columns.rows() {
        let (app, id) = (app.value(row), id.value(row));
        let reached = Amounts::from_array([bytes, aborted, play, stall, stalls].map(|c| c.value(row) as u64));
        if !memory.absorb_increment(app, id, cdn.value(row), seq.value(row) as u64, at(row), reached) {
            memory.note_evicted(app, id, received(row));
        }
    }
    Ok(())
}

fn absorb_events(memory: &mut Memory, columns: &Columns<'_>) -> Result<(), Error> {
    let (app, id) = (columns.text("app")?, columns.text("session_id")?);
    let (seq, received) = (columns.int("seq")?, columns.ms("received_at")?);
    for row in 0..columns.rows() {
        let (app, id) = (app.value(row), id.value(row));
        if !memory.absorb_event(app, id, seq.value(row) as u64) {
            memory.note_evicted(app, id, received(row));
        }
    }
    Ok(())
}

/// Tells how far recovery is, when it takes long enough for anybody to ask.
struct Progress {
    began: Instant,
    told: Instant,
    files: usize,
    files_all: usize,
    rows: u64,
}

impl Progress {
    fn new(files_all: usize) -> Self {
        Progress { began: Instant::now(), told: Instant::now(), files: 0, files_all, rows: 0 }
    }

    fn file(&mut self, rows: u64) {
        self.rows += rows;
        self.files += 1;
        if self.told.elapsed() > PATIENCE {
            self.told = Instant::now();
            tracing::info!(files = self.files, of = self.files_all, rows = self.rows, rows_per_s = self.rate(), "recovering");
        }
    }

    fn end(&self, recovered: &Recovered) {
        let ms = self.began.elapsed().as_millis() as u64;
        let Recovered { rows, sessions, evicted } = recovered;
        tracing::info!(rows, sessions, evicted, ms, rows_per_s = self.rate(), "recovered from the ledger");
    }

    fn rate(&self) -> u64 {
        (self.rows as f64 / self.began.elapsed().as_secs_f64().max(0.001)) as u64
    }
}
