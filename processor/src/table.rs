//! Batches + offsets → one Delta commit. The only module that writes the primary tables (compaction, which writes
//! no rows of its own, is in [`crate::maintain`]; derived tables are in [`crate::derive`]).
//!
//! # Why nothing is booked twice and nothing is left out
//!
//! A commit holds the files of a batch *and*, per partition, the next offset to read, as an application
//! transaction `livemeter/{cluster}/{topic}/g{generation}/{partition}`. Both appear at once or not at all.
//!
//! * **Crash before the commit.** Files that no commit names are no part of the table; clean-up removes
//!   them. The stored offset is unchanged, so the records are read again.
//! * **Crash after the commit.** The stored offset is the batch's end; the records are not read again.
//! * **Crash between the two tables' commits.** Each has its own offsets. The worker starts at the smaller,
//!   and each table skips what it has.
//! * **The reply is lost.** After an error the log is read again. Stored = the batch's start: it did not
//!   succeed. Stored = its end, *and* a log entry since then carries this very batch's token: it did. The
//!   token tells it from another writer's commit that happens to end at the same offsets.
//! * **Another writer.** Delta accepts an older transaction version on a fresh snapshot, so the check is ours:
//!   `known` are the offsets *at* the snapshot's version, and a commit is tried at exactly the version after
//!   it (`max_retries = 0`; creating a log entry is atomic). If anybody committed in between, the attempt
//!   fails, offsets and generation are read afresh, and must still be the batch's start; else the writer is
//!   fenced. So no commit ever lands on offsets other than those its batch was read from.
//! * **Power loss** (a local folder): files reach the disk before the commit that names them, and the log
//!   entry before the next step: see [`crate::durable`].

use crate::durable;
use crate::error::Error;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::kernel::{Action, Add, StructType, Transaction};
use deltalake::operations::create::CreateBuilder;
use deltalake::parquet::basic::{Compression, Encoding, ZstdLevel};
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::writer::{DeltaWriter, RecordBatchWriter};
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use livemeter_schemas::ledger;
use std::time::Duration;
use url::Url;

/// Attempts within one call; the worker calls again, visibly, for as long as it takes.
const ATTEMPTS: u32 = 5;
/// Says which generation the ledger is at, whatever the topic.
const GENERATION_ID: &str = "livemeter/generation";
/// Columns whose smallest and largest value are kept per file: those that readers skip files by.
const STATS_COLUMNS: [&str; 2] = [
    "window_start,at,received_at,app,programme_id,cdn,kafka_partition,kafka_offset",
    "at,received_at,app,programme_id,type,kafka_partition,kafka_offset",
];

/// The two primary tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Increments,
    Events,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Increments => ledger::INCREMENTS,
            Kind::Events => ledger::EVENTS,
        }
    }

    pub fn schema(self) -> Schema {
        match self {
            Kind::Increments => ledger::increments(),
            Kind::Events => ledger::events(),
        }
    }
}

/// What is read: offsets mean something only together with all three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub cluster_id: String,
    pub topic: String,
    pub generation: u32,
}

impl Origin {
    fn id(&self, what: impl std::fmt::Display) -> String {
        format!("livemeter/{}/{}/g{}/{what}", self.cluster_id, self.topic, self.generation)
    }
}

/// How to recognise a commit of ours in the log.
struct InDoubt {
    ends: Vec<i64>,
    /// Stands in the commit's own information.
    token: String,
    /// The table's version before the first attempt.
    since: u64,
}

/// One table of the ledger, claimed for one origin.
pub struct Table {
    kind: Kind,
    delta: DeltaTable,
    origin: Origin,
    /// Next offset per partition as of `delta`'s version.
    known: Vec<i64>,
    /// Next offset per partition after the last batch of this writer.
    base: Vec<i64>,
    /// A batch whose commit was tried and whose outcome is not known.
    in_doubt: Option<InDoubt>,
    /// Whether `delta` may be behind the log.
    stale: bool,
    commits: u64,
}

impl Table {
    /// Opens a table below the ledger's root, makes it when it is not there, and claims it: reads the
    /// offsets stored for `origin`, or, for a new generation, stores `lows` as the place to begin.
    pub async fn open(root: &Url, kind: Kind, retention_ms: u64, origin: Origin, lows: &[i64]) -> Result<Table, Error> {
        let url = root.join(&format!("{}/", kind.name())).map_err(|e| Error::Ledger(format!("{root}: {e}")))?;
        if let Ok(folder) = url.to_file_path() {
            std::fs::create_dir_all(&folder).map_err(Error::storage("making the table's folder"))?;
        }
        let mut delta = DeltaTableBuilder::from_url(url).and_then(|b| b.build()).map_err(Error::storage("opening the table"))?;
        if delta.verify_deltatable_existence().await.map_err(Error::storage("looking for the table"))? {
            delta.load().await.map_err(Error::storage("loading the table"))?;
        } else {
            delta = create(&delta, kind, retention_ms).await?;
        }
        let mut table = Table { kind, delta, origin, known: Vec::new(), base: Vec::new(), in_doubt: None, stale: false, commits: 0 };
        table.claim(lows).await?;
        Ok(table)
    }

    async fn claim(&mut self, lows: &[i64]) -> Result<(), Error> {
        let (table, generation) = (self.kind.name(), self.origin.generation);
        let recorded = self.stored(GENERATION_ID).await?;
        match recorded {
            Some(recorded) if recorded > i64::from(generation) => {
                return Err(Error::GenerationBehind { table, recorded, configured: generation });
            }
            Some(recorded) if recorded == i64::from(generation) => {
                let Some(partitions) = self.stored(&self.origin.id("partitions")).await? else {
                    let Origin { topic, cluster_id, .. } = self.origin.clone();
                    return Err(Error::SourceChanged { table, generation, topic, cluster_id });
                };
                if partitions != lows.len() as i64 {
                    return Err(Error::PartitionsChanged { table, recorded: partitions, found: lows.len() });
                }
                self.known = self.read_offsets(lows.len()).await?;
            }
            _ => {
                let mut begin = transactions(&self.origin, lows);
                begin.push(Transaction::new(self.origin.id("partitions"), lows.len() as i64));
                begin.push(Transaction::new(GENERATION_ID, generation.into()));
                self.try_commit(&[], begin, "begin").await.map_err(Error::storage("recording where to begin"))?;
                self.known = lows.to_vec();
            }
        }
        self.base = self.known.clone();
        Ok(())
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Next offset to read, per partition.
    pub fn offsets(&self) -> &[i64] {
        &self.base
    }

    /// The table as of the last commit or refresh, for reading and for maintenance.
    pub fn delta(&self) -> &DeltaTable {
        &self.delta
    }

    /// Commits since the table was opened.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// Says that someone in this process (maintenance) commits too: saves an attempt bound to fail.
    pub fn expect_change(&mut self) {
        self.stale = true;
    }

    /// Appends a batch and moves the offsets to `ends`, in one commit. After an error that may be retried,
    /// it is to be called again with the same batch: what did succeed is not done twice.
    pub async fn append(&mut self, batch: Option<&RecordBatch>, ends: &[i64]) -> Result<(), Error> {
        if self.in_doubt.is_some() && self.already_committed(ends).await? {
            return self.done(ends);
        }
        let adds = match batch {
            Some(batch) => self.write_files(batch).await?,
            None => Vec::new(),
        };
        let mut last = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            }
            if self.stale {
                match self.already_committed(ends).await {
                    Ok(true) => return self.done(ends),
                    Ok(false) => {}
                    Err(error) if error.retry() => {
                        last = Some(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            // Set before the attempt: the future may be dropped, or the reply lost, at any point of it.
            let since = self.delta.version().unwrap_or_default();
            let token = || uuid::Uuid::new_v4().to_string();
            let doubt = self.in_doubt.get_or_insert_with(|| InDoubt { ends: ends.to_vec(), token: token(), since });
            let token = doubt.token.clone();
            self.stale = true;
            match self.try_commit(&adds, transactions(&self.origin, ends), &token).await {
                Ok(()) => return self.done(ends),
                Err(error) => last = Some(Error::storage("committing")(error)),
            }
        }
        Err(last.unwrap_or_else(|| Error::Ledger("no attempt was made to commit".into())))
    }

    fn done(&mut self, ends: &[i64]) -> Result<(), Error> {
        self.known = ends.to_vec();
        self.base = ends.to_vec();
        self.in_doubt = None;
        self.commits += 1;
        Ok(())
    }

    /// Reads the log afresh. True: the batch in doubt is in. False: the table is where the batch begins.
    async fn already_committed(&mut self, ends: &[i64]) -> Result<bool, Error> {
        self.delta.update_state().await.map_err(Error::storage("reading the log"))?;
        let recorded = self.stored(GENERATION_ID).await?.unwrap_or_default();
        if recorded != i64::from(self.origin.generation) {
            return Err(Error::GenerationBehind { table: self.kind.name(), recorded, configured: self.origin.generation });
        }
        self.known = self.read_offsets(self.base.len()).await?;
        self.stale = false;
        if self.known == self.base {
            return Ok(false);
        }
        if self.known == ends && self.token_is_in_the_log(ends).await? {
            return Ok(true);
        }
        let places = self.known.iter().zip(&self.base).zip(ends).enumerate();
        for (partition, ((&stored, &start), &end)) in places {
            if stored != start {
                return Err(Error::Fenced { table: self.kind.name(), partition, stored, start, end });
            }
        }
        Err(Error::Ledger("the number of partitions changed under way".into()))
    }

    /// Whether the batch in doubt, and no other that ends at the same offsets, was committed. An entry that
    /// is gone already counts as another's: the writer stops, and the next start reads what is stored.
    async fn token_is_in_the_log(&self, ends: &[i64]) -> Result<bool, Error> {
        let Some(doubt) = self.in_doubt.as_ref().filter(|doubt| doubt.ends == ends) else { return Ok(false) };
        for version in doubt.since + 1..=self.delta.version().unwrap_or_default() {
            let entry = self.delta.log_store().read_commit_entry(version).await.map_err(Error::storage("reading the log"))?;
            if entry.is_some_and(|entry| String::from_utf8_lossy(&entry).contains(&doubt.token)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn stored(&self, id: &str) -> Result<Option<i64>, Error> {
        let snapshot = self.delta.snapshot().map_err(Error::storage("reading the log"))?;
        snapshot.transaction_version(self.delta.log_store().as_ref(), id).await.map_err(Error::storage("reading stored offsets"))
    }

    async fn read_offsets(&self, partitions: usize) -> Result<Vec<i64>, Error> {
        let mut offsets = Vec::with_capacity(partitions);
        for partition in 0..partitions {
            let id = self.origin.id(partition);
            let stored = self.stored(&id).await?;
            offsets.push(stored.ok_or_else(|| Error::Ledger(format!("table {}: no offset is stored as {id}", self.kind.name())))?);
        }
        Ok(offsets)
    }

    async fn write_files(&self, batch: &RecordBatch) -> Result<Vec<Add>, Error> {
        let writer = RecordBatchWriter::for_table(&self.delta).map_err(Error::storage("opening a file"))?;
        let mut writer = writer.with_writer_properties(writer_properties(self.kind));
        writer.write(batch.clone()).await.map_err(Error::storage("writing rows"))?;
        let adds = writer.flush().await.map_err(Error::storage("writing a file"))?;
        durable::files(self.delta.table_url(), adds.iter().map(|add| add.path.as_str())).await?;
        Ok(adds)
    }

    async fn try_commit(&mut self, adds: &[Add], transactions: Vec<Transaction>, token: &str) -> Result<(), DeltaTableError> {
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_create_checkpoint(false)
            .with_cleanup_expired_logs(Some(false))
            .with_metadata([("livemeterBatch".to_owned(), token.into())])
            .with_application_transactions(transactions);
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: Some(vec![ledger::DATE.into()]), predicate: None };
        let finalized = CommitBuilder::from(properties)
            .with_actions(adds.iter().cloned().map(Action::Add).collect())
            .build(Some(self.delta.snapshot()? as &dyn TableReference), self.delta.log_store(), operation)
            .await?;
        let version = finalized.version();
        self.delta.state = Some(finalized.snapshot);
        self.stale = false;
        durable::log_entry(self.delta.table_url(), version).await
    }
}

fn transactions(origin: &Origin, offsets: &[i64]) -> Vec<Transaction> {
    offsets.iter().enumerate().map(|(partition, offset)| Transaction::new(origin.id(partition), *offset)).collect()
}

async fn create(delta: &DeltaTable, kind: Kind, retention_ms: u64) -> Result<DeltaTable, Error> {
    let columns: StructType = (&kind.schema()).try_into_kernel().map_err(|e| Error::Ledger(format!("the table's columns: {e}")))?;
    let retention = format!("interval {} seconds", retention_ms.div_ceil(1000));
    let [increments, events] = STATS_COLUMNS;
    let stats = if kind == Kind::Increments { increments } else { events };
    CreateBuilder::new()
        .with_log_store(delta.log_store())
        .with_table_name(kind.name())
        .with_columns(columns.fields().cloned())
        .with_partition_columns([ledger::DATE])
        .with_configuration([
            ("delta.logRetentionDuration", Some(retention.as_str())),
            ("delta.deletedFileRetentionDuration", Some(retention.as_str())),
            ("delta.dataSkippingStatsColumns", Some(stats)),
        ])
        .await
        .map_err(Error::storage("making the table"))
}

/// How rows become Parquet: zstd at its quickest, and integers that rarely repeat as differences, which
/// is smaller and costs less than a dictionary that would overflow.
pub fn writer_properties(kind: Kind) -> WriterProperties {
    const REPEATING: [&str; 4] = ["window_start", "kafka_partition", "stall_ms", "stalls"];
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // A row group is in memory while it is written, by compaction too: 64 Ki rows are some megabytes.
        .set_max_row_group_row_count(Some(64 * 1024));
    for field in kind.schema().fields() {
        let number = field.data_type().is_integer() || field.data_type().is_temporal();
        if number && !REPEATING.contains(&field.name().as_str()) {
            properties = properties
                .set_column_dictionary_enabled(field.name().as_str().into(), false)
                .set_column_encoding(field.name().as_str().into(), Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}
