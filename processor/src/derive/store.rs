//! One derived table on its storage: opened or made, its rows written to files, and dates of it replaced in one
//! commit. The only module that writes derived tables.
//!
//! # Why a table always is what its commit says
//!
//! A commit removes the files of the dates that were made anew, adds their new files, and stores the versions of
//! the primary tables they were made from, as application transactions. All of it appears at once or not at all.
//!
//! * **Crash before the commit.** Files that no commit names are no part of the table; upkeep removes them.
//! * **The reply is lost.** After an error the log is read again. If it says what the commit was to say, the
//!   table holds what it was to hold: rows depend on the versions alone, so it does not matter who wrote them.
//! * **Two at once.** A commit is tried at exactly the version after the one that was read (`max_retries = 0`).
//!   Whoever comes second fails, and gives up: its work may rest on files that are gone.

use super::refresh::Reflects;
use crate::config::Config;
use crate::durable;
use crate::error::Error;
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::kernel::{Action, Add, StructType, Transaction};
use deltalake::operations::create::CreateBuilder;
use deltalake::operations::vacuum::VacuumMode;
use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::file::properties::WriterProperties;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::writer::{DeltaWriter, RecordBatchWriter};
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError, checkpoints};
use livemeter_schemas::{derived, ledger};
use std::collections::BTreeSet;
use std::sync::Arc;
use url::Url;

/// Columns whose smallest and largest value are kept per file: those that readers, and the next refresh, skip files by.
const STATS_COLUMNS: &str = "window_start,app,programme_id,cdn,first_row_at,last_row_at,last_received_at,at";

/// Which dates a commit replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {
    All,
    Dates(BTreeSet<String>),
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    Done,
    /// Someone else has committed in between; nothing of ours is in.
    Elsewhere,
}

/// One derived table.
pub struct Store {
    pub name: &'static str,
    pub delta: DeltaTable,
    schema: SchemaRef,
    file_bytes_target: u64,
    retention_ms: u64,
}

impl Store {
    /// Opens the table below the ledger's root; makes it when it is not there.
    pub async fn open(root: &Url, name: &'static str, config: &Config) -> Result<Store, Error> {
        let schema = Arc::new(derived::schema(name));
        let delta = match load(root, name).await? {
            Some(delta) => delta,
            None => match create(root, name, &schema, config.derive_retention_ms()).await {
                Ok(delta) => delta,
                // Two at once: the other has made it.
                Err(error) => load(root, name).await?.ok_or(error)?,
            },
        };
        Ok(Store { name, delta, schema, file_bytes_target: config.file_bytes_target, retention_ms: config.derive_retention_ms() })
    }

    /// Brings the table to its newest version.
    pub async fn update(&mut self) -> Result<(), Error> {
        self.delta.update_state().await.map_err(Error::storage("reading the log"))
    }

    /// What the table reflects as it is loaded; none when nothing was ever committed to it.
    pub async fn reflects(&self) -> Result<Option<Reflects>, Error> {
        let mut values = [0; Reflects::IDS.len()];
        for (value, id) in values.iter_mut().zip(Reflects::IDS) {
            let Some(stored) = self.stored(id).await? else { return Ok(None) };
            *value = stored;
        }
        Ok(Some(Reflects::from_values(values)))
    }

    async fn stored(&self, id: &str) -> Result<Option<i64>, Error> {
        let snapshot = self.delta.snapshot().map_err(Error::storage("reading the log"))?;
        snapshot.transaction_version(self.delta.log_store().as_ref(), id).await.map_err(Error::storage("reading what a table reflects"))
    }

    /// A writer of rows that come in the order of their dates.
    pub fn writer(&self) -> Result<Writer, Error> {
        let writer = RecordBatchWriter::for_table(&self.delta).map_err(Error::storage("opening a file"))?;
        let writer = writer.with_writer_properties(properties());
        Ok(Writer { writer, schema: Arc::clone(&self.schema), bytes_max: self.file_bytes_target, date: None, rows: 0, adds: Vec::new() })
    }

    /// Replaces dates by what was written, and says what the table reflects from now on.
    pub async fn replace(&mut self, dates: &Replace, adds: Vec<Add>, reflects: &Reflects) -> Result<Committed, Error> {
        durable::files(self.delta.table_url(), adds.iter().map(|add| add.path.as_str())).await?;
        fail::fail_point!("derive-before-commit");
        let before = self.delta.version();
        let error = match self.try_replace(dates, adds, reflects).await {
            Ok(()) => return Ok(Committed::Done),
            Err(error) => error,
        };
        self.update().await?;
        if self.reflects().await?.as_ref() == Some(reflects) {
            return Ok(Committed::Done);
        }
        if self.delta.version() != before { Ok(Committed::Elsewhere) } else { Err(Error::storage("committing")(error)) }
    }

    async fn try_replace(&mut self, dates: &Replace, adds: Vec<Add>, reflects: &Reflects) -> Result<(), DeltaTableError> {
        let state = self.delta.snapshot()?;
        let mut actions = Vec::new();
        for file in state.snapshot().try_log_data()?.iter() {
            let date = file.partition_values_map().remove(ledger::DATE).flatten().unwrap_or_default();
            if *dates == Replace::All || matches!(dates, Replace::Dates(dates) if dates.contains(&date)) {
                actions.push(Action::Remove(file.remove_action(true)));
            }
        }
        actions.extend(adds.into_iter().map(Action::Add));
        let transactions = Reflects::IDS.iter().zip(reflects.values()).map(|(id, value)| Transaction::new(*id, value)).collect();
        let properties = quietly().with_max_retries(0).with_application_transactions(transactions);
        let operation = DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: Some(vec![ledger::DATE.into()]), predicate: None };
        let finalized = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state as &dyn TableReference), self.delta.log_store(), operation)
            .await?;
        let version = finalized.version();
        self.delta.state = Some(finalized.snapshot);
        durable::log_entry(self.delta.table_url(), version).await
    }

    /// Checkpoint, old log entries, files that nothing refers to any more.
    pub async fn upkeep(&mut self) -> Result<(), Error> {
        self.update().await?;
        checkpoints::create_checkpoint(&self.delta, None).await.map_err(Error::storage("writing a checkpoint"))?;
        durable::checkpoints(self.delta.table_url()).await?;
        checkpoints::cleanup_metadata(&self.delta, None).await.map_err(Error::storage("removing old log entries"))?;
        // The log as it is now: entries that this view was read from may be gone.
        self.delta.load().await.map_err(Error::storage("reading the log"))?;
        let age = i64::try_from(self.retention_ms).unwrap_or(i64::MAX);
        self.delta
            .clone()
            .vacuum()
            .with_mode(VacuumMode::Full)
            .with_retention_period(chrono::Duration::milliseconds(age))
            .with_enforce_retention_duration(false)
            .with_commit_properties(quietly())
            .await
            .map_err(Error::storage("removing old files"))?;
        self.update().await
    }

    /// Rows, files and bytes of the table as it is loaded.
    pub fn size(&self) -> Result<(u64, u64, u64), Error> {
        let log = self.delta.snapshot().and_then(|s| s.snapshot().try_log_data()).map_err(Error::storage("reading the log"))?;
        let of = |n: Option<usize>| n.unwrap_or(0) as u64;
        Ok(log.iter().fold((0, 0, 0), |(rows, files, bytes), file| {
            (rows + of(file.num_records()), files + 1, bytes + u64::try_from(file.size()).unwrap_or(0))
        }))
    }
}

/// Rows → files: one per date, or more where they grow large.
pub struct Writer {
    writer: RecordBatchWriter,
    schema: SchemaRef,
    bytes_max: u64,
    date: Option<String>,
    pub rows: u64,
    adds: Vec<Add>,
}

impl Writer {
    /// Takes rows, whose columns may come in any order and in any type that fits.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let batch = conform(batch, &self.schema)?;
        let dates = batch.column_by_name(ledger::DATE).and_then(|c| c.as_string_opt::<i32>()).cloned();
        let dates = dates.ok_or_else(|| Error::Ledger("rows without a date".into()))?;
        let mut from = 0;
        while from < batch.num_rows() {
            let date = dates.value(from);
            let len = (from..batch.num_rows()).take_while(|row| dates.value(*row) == date).count();
            if self.date.as_deref().is_some_and(|open| open != date) || self.writer.buffer_len() as u64 >= self.bytes_max {
                self.flush().await?;
            }
            self.date = Some(date.to_owned());
            self.writer.write(batch.slice(from, len)).await.map_err(Error::storage("writing rows"))?;
            from += len;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// The date of the newest rows.
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    async fn flush(&mut self) -> Result<(), Error> {
        self.adds.extend(self.writer.flush().await.map_err(Error::storage("writing a file"))?);
        Ok(())
    }

    /// The files written.
    pub async fn finish(mut self) -> Result<Vec<Add>, Error> {
        self.flush().await?;
        Ok(self.adds)
    }
}

/// The table's columns out of a batch, by name, as the contract types them.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Error> {
    let wrong = |e: arrow::error::ArrowError| Error::Ledger(format!("rows do not fit the columns: {e}"));
    let column = |name: &str, kind: &DataType| -> Result<ArrayRef, Error> {
        let column = batch.column_by_name(name).ok_or_else(|| Error::Ledger(format!("column {name} was not made")))?;
        cast(column, kind).map_err(wrong)
    };
    let columns = schema.fields().iter().map(|f| column(f.name(), f.data_type())).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(wrong)
}

/// A table of the ledger at its newest version; none when it is not there.
pub async fn load(root: &Url, name: &str) -> Result<Option<DeltaTable>, Error> {
    let url = place(root, name)?;
    // Opening a folder that is not there would fail by its path.
    if url.to_file_path().is_ok_and(|path| !path.join("_delta_log").is_dir()) {
        return Ok(None);
    }
    let mut delta = DeltaTableBuilder::from_url(url).and_then(|b| b.build()).map_err(Error::storage("opening the table"))?;
    if !delta.verify_deltatable_existence().await.map_err(Error::storage("looking for the table"))? {
        return Ok(None);
    }
    delta.load().await.map_err(Error::storage("loading the table"))?;
    Ok(Some(delta))
}

fn place(root: &Url, name: &str) -> Result<Url, Error> {
    root.join(&format!("{name}/")).map_err(|e| Error::Ledger(format!("{root}: {e}")))
}

async fn create(root: &Url, name: &str, schema: &SchemaRef, retention_ms: u64) -> Result<DeltaTable, Error> {
    let url = place(root, name)?;
    if let Ok(folder) = url.to_file_path() {
        std::fs::create_dir_all(&folder).map_err(Error::storage("making the table's folder"))?;
    }
    let delta = DeltaTableBuilder::from_url(url).and_then(|b| b.build()).map_err(Error::storage("opening the table"))?;
    let columns: StructType = schema.as_ref().try_into_kernel().map_err(|e| Error::Ledger(format!("the table's columns: {e}")))?;
    let retention = format!("interval {} seconds", retention_ms.div_ceil(1000));
    let kept = STATS_COLUMNS.split(',').filter(|c| schema.field_with_name(c).is_ok()).collect::<Vec<_>>().join(",");
    CreateBuilder::new()
        .with_log_store(delta.log_store())
        .with_table_name(name)
        .with_columns(columns.fields().cloned())
        .with_partition_columns([ledger::DATE])
        .with_configuration([
            ("delta.logRetentionDuration", Some(retention.as_str())),
            ("delta.deletedFileRetentionDuration", Some(retention.as_str())),
            ("delta.dataSkippingStatsColumns", Some(kept.as_str())),
        ])
        .await
        .map_err(Error::storage("making the table"))
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_max_row_group_row_count(Some(64 * 1024))
        .build()
}

/// Checkpoints are written by upkeep, at its own time.
fn quietly() -> CommitProperties {
    CommitProperties::default().with_create_checkpoint(false).with_cleanup_expired_logs(Some(false))
}
