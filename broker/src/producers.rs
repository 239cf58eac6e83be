//! What tansu lacks about idempotent producers, kept in the same file and changed by the same
//! transactions: epochs that a producer raises by itself, sequence numbers that wrap, and the offset of
//! a batch that comes a second time.

use crate::home::Home;
use libsql::{Connection, Row};
use tansu_sans_io::ErrorCode;
use tansu_sans_io::record::deflated::Batch;
use tansu_storage::{Error, Result, Topition};
use tokio::sync::Mutex;

/// How many batches per producer and partition are remembered: as many as a producer may have under way.
const BATCHES_KEPT: u32 = 5;

/// Made once, at the start. Sequence numbers are 31 bits and wrap; tansu counts on, and would refuse a
/// producer for good at its 2^31st record. The watermark still is the batch's first offset when the
/// triggers run, because tansu raises it last.
const ADDITIONS: &str = "
create table if not exists livemeter_batch (
    topition integer not null references topition (id) on delete cascade,
    producer_epoch integer not null references producer_epoch (id) on delete cascade,
    next_sequence integer not null,
    base_offset integer not null,
    primary key (topition, producer_epoch, next_sequence)
) without rowid;
create trigger if not exists livemeter_first_batch after insert on producer_detail
begin
    insert or replace into livemeter_batch
    select new.topition, new.producer_epoch, new.sequence, coalesce(high, 0) from watermark where topition = new.topition;
end;
create trigger if not exists livemeter_next_batch after update of sequence on producer_detail
when new.sequence <= 2147483647
begin
    insert or replace into livemeter_batch
    select new.topition, new.producer_epoch, new.sequence, coalesce(high, 0) from watermark where topition = new.topition;
    delete from livemeter_batch
    where topition = new.topition and producer_epoch = new.producer_epoch and base_offset <= coalesce((
        select base_offset from livemeter_batch where topition = new.topition and producer_epoch = new.producer_epoch
        order by base_offset desc limit 1 offset BATCHES_KEPT), -1);
end;
create trigger if not exists livemeter_sequence_wraps after update of sequence on producer_detail
when new.sequence > 2147483647
begin
    update producer_detail set sequence = new.sequence - 2147483648 where id = new.id;
end;";

/// One connection, for looking before each batch.
pub struct Producers {
    cluster_id: String,
    connection: Mutex<Connection>,
}

impl std::fmt::Debug for Producers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producers").field("cluster_id", &self.cluster_id).finish_non_exhaustive()
    }
}

impl Producers {
    pub async fn open(home: &Home) -> Result<Producers> {
        let connection = libsql::Builder::new_local(&home.file).build().await?.connect()?;
        connection.busy_timeout(crate::log::BUSY)?;
        connection.execute_batch(&ADDITIONS.replace("BATCHES_KEPT", &BATCHES_KEPT.to_string())).await?;
        Ok(Producers { cluster_id: home.cluster_id.clone(), connection: Mutex::new(connection) })
    }

    /// Whether tansu may be given this batch. It panics over partitions and producers that it does not know.
    pub async fn admit(&self, topition: &Topition, batch: &Batch) -> Result<()> {
        let connection = self.connection.lock().await;
        let sql = "select 1 from cluster c join topic t on t.cluster = c.id join topition tp on tp.topic = t.id join watermark w on w.topition = tp.id
                   where c.name = ? and t.name = ? and tp.partition = ?";
        let found = connection.query(sql, (self.cluster_id.as_str(), topition.topic(), topition.partition())).await?.next().await?;
        if found.is_none() {
            return Err(Error::Api(ErrorCode::UnknownTopicOrPartition));
        }
        if batch.is_idempotent() { self.admit_epoch(&connection, batch).await } else { Ok(()) }
    }

    /// A producer that lost records on its side raises its epoch and begins at sequence 0, without asking.
    async fn admit_epoch(&self, connection: &Connection, batch: &Batch) -> Result<()> {
        let sql = "select max(pe.epoch) from cluster c join producer p on p.cluster = c.id join producer_epoch pe on pe.producer = p.id
                   where c.name = ? and p.id = ?";
        let row = connection.query(sql, (self.cluster_id.as_str(), batch.producer_id)).await?.next().await?;
        let known: Option<i32> = row.map(|row: Row| row.get(0)).transpose()?.flatten();
        let Some(known) = known else { return Err(Error::Api(ErrorCode::UnknownProducerId)) };
        let epoch = i32::from(batch.producer_epoch);
        if epoch < known {
            return Err(Error::Api(ErrorCode::InvalidProducerEpoch));
        }
        if epoch > known {
            if batch.base_sequence != 0 {
                return Err(Error::Api(ErrorCode::OutOfOrderSequenceNumber));
            }
            connection.execute("insert into producer_epoch (producer, epoch) values (?, ?)", (batch.producer_id, epoch)).await?;
        }
        Ok(())
    }

    /// The offset at which a batch that comes again was written the first time, while it is remembered.
    pub async fn offset_of_repeated(&self, topition: &Topition, batch: &Batch) -> Result<Option<i64>> {
        let next_sequence = (i64::from(batch.base_sequence) + i64::from(batch.last_offset_delta) + 1) & i64::from(i32::MAX);
        let sql = "select b.base_offset from cluster c join topic t on t.cluster = c.id join topition tp on tp.topic = t.id
                   join producer_epoch pe on pe.producer = ?4 and pe.epoch = ?5
                   join livemeter_batch b on b.topition = tp.id and b.producer_epoch = pe.id and b.next_sequence = ?6
                   where c.name = ?1 and t.name = ?2 and tp.partition = ?3";
        let epoch = i32::from(batch.producer_epoch);
        let params = (self.cluster_id.as_str(), topition.topic(), topition.partition(), batch.producer_id, epoch, next_sequence);
        let row = self.connection.lock().await.query(sql, params).await?.next().await?;
        Ok(row.map(|row| row.get(0)).transpose()?)
    }
}
