//! How a table is made, how it gets the columns that came later, and how its rows become Parquet.

use super::{ATTEMPTS, Kind};
use crate::durable;
use crate::error::Error;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::kernel::{StructField, StructType};
use deltalake::operations::create::CreateBuilder;
use deltalake::parquet::basic::{Compression, Encoding, ZstdLevel};
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties};
use deltalake::writer::RecordBatchWriter;
use deltalake::{DeltaTable, DeltaTableError};
use livemeter_schemas::ledger;
use std::time::Duration;

/// Columns whose smallest and largest value are kept per file: those that readers skip files by.
const STATS_COLUMNS: [&str; 2] = [
    "window_start,at,received_at,app,programme_id,cdn,kafka_generation,kafka_partition,kafka_offset,records",
    "at,received_at,app,programme_id,type,kafka_generation,kafka_partition,kafka_offset",
];

pub(super) async fn create(delta: &DeltaTable, kind: Kind, retention_ms: u64) -> Result<DeltaTable, Error> {
    let columns = columns(kind)?;
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

fn columns(kind: Kind) -> Result<StructType, Error> {
    (&kind.schema()).try_into_kernel().map_err(|e| Error::Ledger(format!("the columns of {}: {e}", kind.name())))
}

/// Gives a table the columns that came later than it, in one commit that holds nothing else. Its files stay as they
/// are: whoever reads them finds null there. Another worker may do the same at the same time: whoever comes
/// second finds nothing left to do.
///
/// # Errors
/// Where the table differs in any other way from what this version writes: see [`lacking`].
pub async fn widen(delta: &mut DeltaTable, kind: Kind) -> Result<(), Error> {
    let mut last = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            delta.update_state().await.map_err(Error::storage("reading the log"))?;
        }
        let lacking = lacking(delta, kind)?;
        if lacking.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = lacking.iter().map(|field| field.name().clone()).collect();
        match try_widen(delta, lacking).await {
            Ok(wider) => {
                tracing::info!(table = kind.name(), columns = ?names, "the table has new columns; its older rows have no value there");
                *delta = wider;
                return Ok(());
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| Error::Ledger("no attempt was made to add columns".into()), Error::storage("adding columns")))
}

async fn try_widen(delta: &DeltaTable, lacking: Vec<StructField>) -> Result<DeltaTable, DeltaTableError> {
    let properties = CommitProperties::default().with_max_retries(0).with_create_checkpoint(false).with_cleanup_expired_logs(Some(false));
    let wider = delta.clone().add_columns().with_fields(lacking).with_commit_properties(properties).await?;
    durable::log_entry(wider.table_url(), wider.version().unwrap_or_default()).await?;
    Ok(wider)
}

/// The columns that this version writes and the table does not have.
///
/// # Errors
/// Where one of them may not be null, a column is of another type, or there is one that this version does not know:
/// it would be lost as soon as files are merged.
fn lacking(delta: &DeltaTable, kind: Kind) -> Result<Vec<StructField>, Error> {
    let (table, wanted) = (kind.name(), columns(kind)?);
    let has = delta.snapshot().map_err(Error::storage("reading the log"))?.schema();
    let refused = |name: &str, why: String| Err(Error::Columns { table, column: name.to_owned(), why });
    for field in has.fields() {
        let Some(ours) = wanted.field(field.name()) else {
            return refused(field.name(), "is not known to this version: a newer one wrote it. Run that version, everywhere".into());
        };
        if (ours.data_type(), ours.is_nullable()) != (field.data_type(), field.is_nullable()) {
            let told = |f: &StructField| format!("{}{}", f.data_type(), if f.is_nullable() { " or null" } else { "" });
            let why =
                format!("is {}, this version writes {}. A column never changes: run the version that wrote it", told(field), told(ours));
            return refused(field.name(), why);
        }
    }
    let lacking: Vec<StructField> = wanted.fields().filter(|field| has.field(field.name()).is_none()).cloned().collect();
    match lacking.iter().find(|field| !field.is_nullable()) {
        Some(field) => {
            refused(field.name(), "is missing, and older rows would need a value there: this is no ledger of an earlier version".into())
        }
        None => Ok(lacking),
    }
}

/// A writer of a table's rows: the only road to one, so that no column is ever left out in silence.
///
/// # Errors
/// Where the table's columns are not exactly this version's: another one has added some since it was opened.
pub fn writer(delta: &DeltaTable, kind: Kind) -> Result<RecordBatchWriter, Error> {
    if let Some(field) = lacking(delta, kind)?.first() {
        let why = "is not there yet: the processor of this version adds it when it starts".into();
        return Err(Error::Columns { table: kind.name(), column: field.name().clone(), why });
    }
    let writer = RecordBatchWriter::for_table(delta).map_err(Error::storage("opening a file"))?;
    Ok(writer.with_writer_properties(writer_properties(kind)))
}

/// How rows become Parquet: zstd at its quickest, and integers that rarely repeat as differences, which
/// is smaller and costs less than a dictionary that would overflow.
fn writer_properties(kind: Kind) -> WriterProperties {
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
