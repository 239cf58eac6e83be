//! What a partition's memory held at a commit, kept as a Parquet file beside the tables, so that recovery
//! reads that and the few rows since, instead of days of rows. An aid, never the truth: a snapshot that is
//! missing, torn or of another shape is left aside, and the ledger is read instead.
//!
//! One row per (session, CDN), or one for a session without; then one per trace of an evicted session.

use crate::cmcd::Known;
use crate::error::Error;
use crate::memory::Memory;
use crate::rows::RowRef;
use crate::session::{Reached, Session};
use crate::split::Amounts;
use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use bytes::Bytes;
use deltalake::parquet::arrow::ArrowWriter;
use deltalake::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::file::metadata::KeyValue;
use deltalake::parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Another shape of file gets another number; older ones are then left aside.
const VERSION: u32 = 2;
const FACTS: &str = "livemeter.snapshot";
const NUMBERS: [&str; 8] = ["reached_seq", "last_at_ms", "seen_at_ms", "bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];

/// Where in the ledger a snapshot was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub v: u32,
    pub generation: u32,
    pub partition: i32,
    /// Both tables had everything below these offsets, and nothing above.
    pub increments_offset: i64,
    pub events_offset: i64,
    /// Versions of the tables at that moment.
    pub increments_version: u64,
    pub events_version: u64,
    pub clock_ms: i64,
    pub floor_ms: i64,
    pub seed: u64,
}

impl Facts {
    pub fn new(generation: u32, partition: i32, offsets: (i64, i64), versions: (u64, u64), memory: &Memory) -> Self {
        Facts {
            v: VERSION,
            generation,
            partition,
            increments_offset: offsets.0,
            events_offset: offsets.1,
            increments_version: versions.0,
            events_version: versions.1,
            clock_ms: memory.clock_ms(),
            floor_ms: memory.floor_ms(),
            seed: memory.seed(),
        }
    }
}

/// The memory's rows: a copy, so that writing them out holds nobody up.
pub fn rows(memory: &Memory) -> Result<RecordBatch, Error> {
    let (mut app, mut id, mut cdn) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
    let mut numbers: [Int64Builder; 8] = std::array::from_fn(|_| Int64Builder::new());
    let (mut booked, mut complete, mut seqs) = (BooleanBuilder::new(), BooleanBuilder::new(), BinaryBuilder::new());
    let (mut day, mut hash) = (Int64Builder::new(), Int64Builder::new());
    let (mut cmcd, mut cmcd_seq) = (StringBuilder::new(), Int64Builder::new());
    for session in memory.sessions() {
        let none = Reached { cdn: Arc::from(""), amounts: Amounts::default(), last: RowRef::default() };
        let bare = session.reached.is_empty().then_some(&none);
        for (i, reached) in session.reached.iter().chain(bare).enumerate() {
            app.append_value(&session.app);
            id.append_value(&session.id);
            cdn.append_option((!session.reached.is_empty()).then_some(&reached.cdn));
            let [bytes, aborted, play, stall, stalls] = reached.amounts.array().map(|n| n as i64);
            let row = [session.reached_seq as i64, session.last_at_ms, session.seen_at_ms, bytes, aborted, play, stall, stalls];
            numbers.iter_mut().zip(row).for_each(|(column, value)| column.append_value(value));
            booked.append_value(session.booked);
            complete.append_value(session.complete);
            // Once is enough: on the session's first row.
            let packed: Vec<u8> = session.event_seqs.iter().flat_map(|seq| seq.to_le_bytes()).collect();
            seqs.append_option((i == 0 && !packed.is_empty()).then_some(packed));
            day.append_null();
            hash.append_null();
            let known = session.cmcd.as_ref().filter(|_| i == 0);
            cmcd.append_option(known.map(|known| known.text()));
            cmcd_seq.append_option(known.map(|known| known.order as i64));
        }
    }
    for (of, trace) in memory.traces() {
        [&mut app, &mut id, &mut cdn].into_iter().for_each(StringBuilder::append_null);
        numbers.iter_mut().for_each(Int64Builder::append_null);
        booked.append_null();
        complete.append_null();
        seqs.append_null();
        day.append_value(of);
        hash.append_value(trace as i64);
        cmcd.append_null();
        cmcd_seq.append_null();
    }
    let mut columns: Vec<ArrayRef> = vec![Arc::new(app.finish()), Arc::new(id.finish()), Arc::new(cdn.finish())];
    columns.extend(numbers.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
    columns.extend([Arc::new(booked.finish()) as ArrayRef, Arc::new(complete.finish()), Arc::new(seqs.finish())]);
    columns.extend([Arc::new(day.finish()) as ArrayRef, Arc::new(hash.finish()), Arc::new(cmcd.finish()), Arc::new(cmcd_seq.finish())]);
    RecordBatch::try_new(Arc::new(schema()), columns).map_err(|e| Error::Ledger(format!("a snapshot's rows: {e}")))
}

fn schema() -> Schema {
    let field = |name: &str, kind: DataType| Field::new(name, kind, true);
    let mut fields: Vec<Field> = ["app", "id", "cdn"].iter().map(|name| field(name, DataType::Utf8)).collect();
    fields.extend(NUMBERS.iter().map(|name| field(name, DataType::Int64)));
    fields.extend([field("booked", DataType::Boolean), field("complete", DataType::Boolean), field("event_seqs", DataType::Binary)]);
    fields.extend([field("day", DataType::Int64), field("hash", DataType::Int64)]);
    fields.extend([field("cmcd", DataType::Utf8), field("cmcd_seq", DataType::Int64)]);
    Schema::new(fields)
}

/// The file's bytes.
pub fn encode(facts: &Facts, rows: &RecordBatch) -> Result<Vec<u8>, Error> {
    let wrong = |e: &dyn std::fmt::Display| Error::Ledger(format!("writing a snapshot: {e}"));
    let facts = serde_json::to_string(facts).map_err(|e| wrong(&e))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled("app".into(), true)
        .set_column_dictionary_enabled("cdn".into(), true)
        .set_max_row_group_row_count(Some(64 * 1024))
        .set_key_value_metadata(Some(vec![KeyValue::new(FACTS.into(), facts)]))
        .build();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, rows.schema(), Some(properties)).map_err(|e| wrong(&e))?;
    writer.write(rows).map_err(|e| wrong(&e))?;
    writer.close().map_err(|e| wrong(&e))?;
    Ok(out)
}

/// The memory that a file holds; an error says why it is to be left aside.
pub fn decode(bytes: Bytes) -> Result<(Facts, Memory), Error> {
    let wrong = |e: &dyn std::fmt::Display| Error::Ledger(format!("reading a snapshot: {e}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| wrong(&e))?;
    let metadata = builder.metadata().file_metadata().key_value_metadata();
    let facts = metadata.and_then(|all| all.iter().find(|kv| kv.key == FACTS)?.value.clone());
    let facts: Facts = serde_json::from_str(&facts.unwrap_or_default()).map_err(|e| wrong(&e))?;
    if facts.v != VERSION {
        return Err(wrong(&format!("its version is {}, this one reads {VERSION}", facts.v)));
    }
    let mut memory = Memory::with_seed(facts.seed);
    memory.advance(facts.clock_ms);
    memory.forget_before(facts.floor_ms);
    let mut half: Option<Session> = None;
    for batch in builder.with_batch_size(8_192).build().map_err(|e| wrong(&e))? {
        absorb(&batch.map_err(|e| wrong(&e))?, &mut half, &mut memory).ok_or_else(|| wrong(&"a column is missing"))?;
    }
    if let Some(session) = half {
        memory.absorb_session(session);
    }
    Ok((facts, memory))
}

/// Takes in some rows; `half` is the session whose rows may go on in the next batch.
fn absorb(batch: &RecordBatch, half: &mut Option<Session>, memory: &mut Memory) -> Option<()> {
    let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
    let int = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
    let (app, id, cdn, day, hash) = (text("app")?, text("id")?, text("cdn")?, int("day")?, int("hash")?);
    let [seq, last, seen, bytes, aborted, play, stall, stalls] = NUMBERS.map(int);
    let amounts = [bytes?, aborted?, play?, stall?, stalls?];
    let (seq, last, seen) = (seq?, last?, seen?);
    let (cmcd, cmcd_seq) = (text("cmcd")?, int("cmcd_seq")?);
    let flag = |name: &str| batch.column_by_name(name)?.as_boolean_opt();
    let (booked, complete, seqs) = (flag("booked")?, flag("complete")?, batch.column_by_name("event_seqs")?.as_binary_opt::<i32>()?);
    for row in 0..batch.num_rows() {
        if day.is_valid(row) {
            memory.absorb_trace(day.value(row), hash.value(row) as u64);
            continue;
        }
        let same = half.as_ref().is_some_and(|s| s.id.as_ref() == id.value(row) && s.app.as_ref() == app.value(row));
        if !same {
            let next = Session::new(Arc::from(app.value(row)), id.value(row), seen.value(row), complete.value(row));
            if let Some(whole) = half.replace(next) {
                memory.absorb_session(whole);
            }
        }
        let session = half.as_mut()?;
        (session.reached_seq, session.last_at_ms, session.booked) = (seq.value(row) as u64, last.value(row), booked.value(row));
        if cdn.is_valid(row) {
            session.reach(cdn.value(row), Amounts::from_array(amounts.map(|c| c.value(row) as u64)), None, || Arc::from(cdn.value(row)));
        }
        if seqs.is_valid(row) {
            let packed = seqs.value(row).chunks_exact(8).filter_map(|le| le.try_into().ok()).map(u64::from_le_bytes);
            session.event_seqs = packed.collect();
        }
        if cmcd.is_valid(row) {
            session.cmcd = Some(Box::new(Known::read(cmcd.value(row), cmcd_seq.value(row) as u64)?));
        }
    }
    Some(())
}
