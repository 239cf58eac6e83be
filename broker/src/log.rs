//! Our own connections to the records in tansu's SQLite file: bounds of a partition, reading from an
//! offset, looking up a time, deletion up to an offset. Appending is tansu's, see [`crate::guard`].
//!
//! Deletion is driven by offsets that a client names, never by age or size: only the caller knows
//! what the ledger holds already.

use libsql::{Connection, Row, TransactionBehavior};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tansu_sans_io::record::{Record, deflated, header, inflated};
use tansu_storage::{Error, Result};
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

/// Rows deleted in one transaction: the longest that writers wait, a few tens of milliseconds.
const DELETE_ROWS_MAX: i64 = 5_000;
/// Records in one batch given to a reader. Many small batches cost more than a second one does.
const BATCH_RECORDS_MAX: usize = 10_000;
/// How long we wait for tansu's writer before giving up; it holds the file for milliseconds.
pub const BUSY: Duration = Duration::from_secs(10);

/// Made once, at the start: without it, reading a record's headers reads all headers.
const ADDITIONS: &str = "create index if not exists livemeter_header_by_record on header (topition, offset_id);";

const FIND: &str = "
select tp.id, coalesce(w.low, 0), coalesce(w.high, 0)
from cluster c join topic t on t.cluster = c.id join topition tp on tp.topic = t.id join watermark w on w.topition = tp.id
where c.name = ? and t.name = ? and tp.partition = ?";

/// The offsets a partition holds: `low` is the first, `high` the next one to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub low: i64,
    pub high: i64,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    pub batches: Vec<deflated::Batch>,
    /// Bytes of keys, values and headers within.
    pub bytes: usize,
}

/// Two connections of our own: one reads, one deletes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    cluster_id: String,
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
    grown: Notify,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("cluster_id", &self.cluster_id).finish_non_exhaustive()
    }
}

impl Log {
    /// Opens a file in which tansu has made its tables.
    pub async fn open(file: &Path, cluster_id: &str) -> Result<Log> {
        let database = libsql::Builder::new_local(file).build().await?;
        let (reader, writer) = (database.connect()?, database.connect()?);
        for connection in [&reader, &writer] {
            connection.busy_timeout(BUSY)?;
        }
        writer.execute_batch(ADDITIONS).await?;
        let inner =
            Inner { cluster_id: cluster_id.to_owned(), reader: Mutex::new(reader), writer: Mutex::new(writer), grown: Notify::new() };
        Ok(Log(Arc::new(inner)))
    }

    /// Resolves at the next growth after this call, even when polled later.
    pub fn grown(&self) -> impl Future<Output = ()> + '_ {
        let mut grown = Box::pin(self.0.grown.notified());
        grown.as_mut().enable();
        grown
    }

    /// Wakes the readers that wait.
    pub fn grew(&self) {
        self.0.grown.notify_waiters();
    }

    /// A topic's name, from its name or its id; none when there is no such topic.
    pub async fn topic_name(&self, name: Option<&str>, id: Option<[u8; 16]>) -> Result<Option<String>> {
        if let Some(name) = name {
            return Ok(Some(name.to_owned()));
        }
        let id = Uuid::from_bytes(id.unwrap_or_default()).to_string();
        let reader = self.0.reader.lock().await;
        let sql = "select t.name from topic t join cluster c on t.cluster = c.id where c.name = ? and t.uuid = ?";
        first(&reader, sql, (self.0.cluster_id.as_str(), id)).await?.map(|row| Ok(row.get(0)?)).transpose()
    }

    /// The offsets a partition holds; none when there is no such partition.
    pub async fn bounds(&self, topic: &str, partition: i32) -> Result<Option<Bounds>> {
        let reader = self.0.reader.lock().await;
        Ok(self.find(&reader, topic, partition).await?.map(|(_, bounds)| bounds))
    }

    async fn find(&self, connection: &Connection, topic: &str, partition: i32) -> Result<Option<(i64, Bounds)>> {
        let row = first(connection, FIND, (self.0.cluster_id.as_str(), topic, partition)).await?;
        row.map(|row| Ok((row.get(0)?, Bounds { low: row.get(1)?, high: row.get(2)? }))).transpose()
    }

    /// The first offset at or after a time, with its time.
    pub async fn at_or_after(&self, topic: &str, partition: i32, at_ms: i64) -> Result<Option<(i64, i64)>> {
        let reader = self.0.reader.lock().await;
        let Some((id, bounds)) = self.find(&reader, topic, partition).await? else { return Ok(None) };
        let sql =
            "select offset_id, timestamp from record where topition = ? and offset_id >= ? and timestamp >= ? order by offset_id limit 1";
        let row = first(&reader, sql, (id, bounds.low, at_ms)).await?;
        row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
    }

    /// Records from `offset` on, at most `most` bytes of them, or the first one alone if `first_regardless`.
    /// Nothing when `offset` is outside the bounds that come with it; none when there is no such partition.
    pub async fn read(
        &self,
        topic: &str,
        partition: i32,
        offset: i64,
        most: usize,
        first_regardless: bool,
    ) -> Result<Option<(Bounds, Read)>> {
        let reader = self.0.reader.lock().await;
        // One transaction: bounds and records are of one moment.
        let snapshot = reader.transaction_with_behavior(TransactionBehavior::Deferred).await?;
        let Some((id, bounds)) = self.find(&snapshot, topic, partition).await? else { return Ok(None) };
        if offset < bounds.low || offset >= bounds.high {
            return Ok(Some((bounds, Read::default())));
        }
        let sql =
            "select offset_id, timestamp, k, v, (select count(*) from header h where h.topition = r.topition and h.offset_id = r.offset_id)
                   from record r where topition = ? and offset_id >= ? and offset_id < ? order by offset_id";
        let mut rows = snapshot.prepare(sql).await?.query((id, offset, bounds.high)).await?;
        let mut read = Read::default();
        let mut batch: Vec<Stored> = Vec::new();
        while let Some(row) = rows.next().await? {
            let mut stored = Stored::from_row(&row)?;
            if row.get::<i64>(4)? > 0 {
                stored.headers = headers(&snapshot, id, stored.offset).await?;
            }
            let alone = read.bytes == 0 && batch.is_empty() && first_regardless;
            if !alone && read.bytes + stored.bytes() > most {
                break;
            }
            read.bytes += stored.bytes();
            batch.push(stored);
            if batch.len() == BATCH_RECORDS_MAX {
                read.batches.push(encode(std::mem::take(&mut batch))?);
            }
        }
        if !batch.is_empty() {
            read.batches.push(encode(batch)?);
        }
        Ok(Some((bounds, read)))
    }

    /// Makes `offset` the first that a partition holds and deletes what is below it, a little at a time.
    /// `writes` is held for each step, so that tansu's own writer never finds the file locked.
    /// -1 means everything. Answers the new bounds, or why not.
    pub async fn delete_below(&self, topic: &str, partition: i32, offset: i64, writes: &Mutex<()>) -> Result<Bounds> {
        use tansu_sans_io::ErrorCode::{OffsetOutOfRange, UnknownTopicOrPartition};
        let writer = self.0.writer.lock().await;
        let writing = writes.lock().await;
        let Some((id, bounds)) = self.find(&writer, topic, partition).await? else { return Err(Error::Api(UnknownTopicOrPartition)) };
        let low = if offset == -1 { bounds.high } else { offset };
        if !(0..=bounds.high).contains(&low) {
            return Err(Error::Api(OffsetOutOfRange));
        }
        let low = low.max(bounds.low);
        // First the mark, then the rows: should we die in between, they are out of reach and go next time.
        writer.execute("update watermark set low = ?, high = coalesce(high, 0) where topition = ?", (low, id)).await?;
        drop(writing);
        loop {
            let _writing = writes.lock().await;
            let step = writer.transaction_with_behavior(TransactionBehavior::Immediate).await?;
            let upto = "(select max(offset_id) from (select offset_id from record where topition = ?1 and offset_id < ?2 order by offset_id limit ?3))";
            for table in ["header", "record"] {
                let sql = format!("delete from {table} where topition = ?1 and offset_id <= {upto}");
                let deleted = step.execute(&sql, (id, low, DELETE_ROWS_MAX)).await?;
                if table == "record" && deleted == 0 {
                    step.commit().await?;
                    return Ok(Bounds { low, high: bounds.high });
                }
            }
            step.commit().await?;
        }
    }

    /// Folds the journal into the file and empties it: after a deletion, and at the end.
    pub async fn checkpoint(&self) -> Result<()> {
        let writer = self.0.writer.lock().await;
        // Answers a row that says whether readers were in the way; the next checkpoint does the rest then.
        let mut rows = writer.query("pragma wal_checkpoint(truncate)", ()).await?;
        while rows.next().await?.is_some() {}
        Ok(())
    }
}

async fn first(connection: &Connection, sql: &str, params: impl libsql::params::IntoParams) -> Result<Option<Row>> {
    Ok(connection.query(sql, params).await?.next().await?)
}

/// A record as it lies in the file.
struct Stored {
    offset: i64,
    at_ms: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<StoredHeader>,
}

/// Key and value of one header.
type StoredHeader = (Option<Vec<u8>>, Option<Vec<u8>>);

impl Stored {
    fn from_row(row: &Row) -> Result<Stored> {
        Ok(Stored { offset: row.get(0)?, at_ms: row.get(1)?, key: row.get(2)?, value: row.get(3)?, headers: Vec::new() })
    }

    fn bytes(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        // A record costs its reader some bytes even when it holds none.
        16 + length(&self.key) + length(&self.value) + self.headers.iter().map(|(k, v)| length(k) + length(v)).sum::<usize>()
    }
}

async fn headers(connection: &Connection, id: i64, offset: i64) -> Result<Vec<(Option<Vec<u8>>, Option<Vec<u8>>)>> {
    let mut rows = connection.query("select k, v from header where topition = ? and offset_id = ? order by rowid", (id, offset)).await?;
    let mut headers = Vec::new();
    while let Some(row) = rows.next().await? {
        headers.push((row.get(0)?, row.get(1)?));
    }
    Ok(headers)
}

/// Records → one batch on the wire: not compressed, for readers on the same machine.
fn encode(records: Vec<Stored>) -> Result<deflated::Batch> {
    let (base, base_at_ms) = records.first().map_or((0, 0), |r| (r.offset, r.at_ms));
    let last = records.last().map_or(base, |r| r.offset);
    let latest = records.iter().map(|r| r.at_ms).max().unwrap_or(base_at_ms);
    let mut batch = inflated::Batch::builder()
        .base_offset(base)
        .last_offset_delta(i32::try_from(last - base)?)
        .base_timestamp(base_at_ms)
        .max_timestamp(latest)
        .producer_epoch(-1)
        .base_sequence(-1);
    for stored in records {
        let mut record = Record::builder()
            .offset_delta(i32::try_from(stored.offset - base)?)
            .timestamp_delta(stored.at_ms - base_at_ms)
            .key(stored.key.map(Into::into))
            .value(stored.value.map(Into::into));
        for (key, value) in stored.headers {
            let mut header = header::Header::builder();
            if let Some(key) = key {
                header = header.key(key.into());
            }
            if let Some(value) = value {
                header = header.value(value.into());
            }
            record = record.header(header);
        }
        batch = batch.record(record);
    }
    Ok(batch.build().and_then(TryInto::try_into)?)
}
