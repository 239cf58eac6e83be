//! Rows of the two tables → memory: which columns are read, and what each row says of its session.

use super::Memories;
use super::scope::{Home, Row, Scope};
use crate::cmcd::Known;
use crate::error::Error;
use crate::memory::Memory;
use crate::scan::Columns;
use crate::split::Amounts;
use livemeter_schemas::ledger::CMCD_STATE;

/// Enough to know that a session was heard of.
pub const PRESENCE_COLUMNS: [&str; 6] = ["app", "session_id", "received_at", "kafka_generation", "kafka_partition", "kafka_offset"];

pub const INCREMENT_COLUMNS: [&str; 14] = [
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
    "kafka_generation",
    "kafka_partition",
    "kafka_offset",
];

pub const EVENT_COLUMNS: [&str; 8] =
    ["app", "session_id", "seq", "received_at", "kafka_generation", "kafka_partition", "kafka_offset", CMCD_STATE];

/// Where the batch's rows stand.
struct Places<'b> {
    app: &'b arrow::array::StringArray,
    id: &'b arrow::array::StringArray,
    generation: &'b arrow::array::Int64Array,
    partition: &'b arrow::array::Int64Array,
    offset: &'b arrow::array::Int64Array,
}

impl<'b> Places<'b> {
    fn of(columns: &Columns<'b>) -> Result<Self, Error> {
        Ok(Places {
            app: columns.text("app")?,
            id: columns.text("session_id")?,
            generation: columns.int("kafka_generation")?,
            partition: columns.int("kafka_partition")?,
            offset: columns.int("kafka_offset")?,
        })
    }

    fn row(&self, row: usize) -> Row<'b> {
        Row {
            generation: self.generation.value(row),
            partition: self.partition.value(row),
            offset: self.offset.value(row),
            app: self.app.value(row),
            session_id: self.id.value(row),
        }
    }
}

/// The memory that a row belongs to, if it is here. A session that moved leaves a trace everywhere else.
fn at_home<'m>(memories: &'m mut Memories, scope: &Scope, row: Row<'_>, received_at_ms: i64) -> Option<&'m mut Memory> {
    match scope.home(row) {
        Home::Elsewhere => None,
        Home::At(partition) => memories.get_mut(&partition),
        Home::Moved(partition) => {
            for (_, other) in memories.iter_mut().filter(|(p, _)| **p != partition) {
                other.note_evicted(row.app, row.session_id, received_at_ms);
            }
            memories.get_mut(&partition)
        }
    }
}

/// Makes room for the sessions that are still alive. One that left memory before stays out: its older rows
/// are not at hand.
pub fn enter_alive(memories: &mut Memories, scope: &Scope, columns: &Columns<'_>, alive_since: i64) -> Result<(), Error> {
    let (places, received) = (Places::of(columns)?, columns.ms("received_at")?);
    for i in (0..columns.rows()).filter(|i| received(*i) >= alive_since) {
        let row = places.row(i);
        let Some(memory) = at_home(memories, scope, row, received(i)) else { continue };
        memory.advance(received(i));
        if memory.get(row.app, row.session_id).is_some() || !memory.was_evicted(row.app, row.session_id) {
            memory.enter_at(row.app, row.session_id, received(i));
        }
    }
    Ok(())
}

pub fn absorb_increments(memories: &mut Memories, scope: &Scope, columns: &Columns<'_>) -> Result<(), Error> {
    let (places, cdn) = (Places::of(columns)?, columns.text("cdn")?);
    let (seq, at, received) = (columns.int("reached_seq")?, columns.ms("at")?, columns.ms("received_at")?);
    let (bytes, aborted) = (columns.int("reached_bytes")?, columns.int("reached_aborted_bytes")?);
    let (play, stall, stalls) = (columns.int("reached_play_ms")?, columns.int("reached_stall_ms")?, columns.int("reached_stalls")?);
    for i in 0..columns.rows() {
        let row = places.row(i);
        let Some(memory) = at_home(memories, scope, row, received(i)) else { continue };
        let reached = Amounts::from_array([bytes, aborted, play, stall, stalls].map(|c| c.value(i) as u64));
        if !memory.absorb_increment(row.app, row.session_id, cdn.value(i), seq.value(i) as u64, at(i), reached) {
            memory.note_evicted(row.app, row.session_id, received(i));
        }
    }
    Ok(())
}

pub fn absorb_events(memories: &mut Memories, scope: &Scope, columns: &Columns<'_>) -> Result<(), Error> {
    let (places, seq, received) = (Places::of(columns)?, columns.int("seq")?, columns.ms("received_at")?);
    let state = columns.text_if_any(CMCD_STATE)?;
    for i in 0..columns.rows() {
        let row = places.row(i);
        let Some(memory) = at_home(memories, scope, row, received(i)) else { continue };
        let seq = seq.value(i) as u64;
        let absorbed = match state(i) {
            None => memory.absorb_event(row.app, row.session_id, seq),
            Some(text) => {
                let wrong = || Error::Ledger(format!("session {}: {CMCD_STATE} of seq {seq} cannot be read", row.session_id));
                memory.absorb_cmcd(row.app, row.session_id, Known::read(text, seq).ok_or_else(wrong)?)
            }
        };
        if !absorbed {
            memory.note_evicted(row.app, row.session_id, received(i));
        }
    }
    Ok(())
}
