//! How a table is made, and how its rows become Parquet.

use super::Kind;
use crate::durable;
use crate::error::Error;
use deltalake::DeltaTable;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::{StructField, StructType};
use deltalake::operations::create::CreateBuilder;
use deltalake::parquet::basic::{Compression, Encoding, ZstdLevel};
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties};
use livemeter_schemas::ledger;

/// Columns whose smallest and largest value are kept per file: those that readers skip files by.
const STATS_COLUMNS: [&str; 2] = [
    "window_start,at,received_at,app,programme_id,cdn,kafka_generation,kafka_partition,kafka_offset,records",
    "at,received_at,app,programme_id,type,kafka_generation,kafka_partition,kafka_offset",
];

/// Workers that start at once add the same columns: one of them does.
const WIDEN_ATTEMPTS: u32 = 10;

pub(super) async fn create(delta: &DeltaTable, kind: Kind, retention_ms: u64) -> Result<DeltaTable, Error> {
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

/// Adds the columns that came after the table was made, at its end; all of them may be null. Files written before
/// lack them, which readers take for null. Somebody else who does the same at this moment is not in the way.
pub(super) async fn widen(mut delta: DeltaTable, kind: Kind) -> Result<DeltaTable, Error> {
    for _ in 0..WIDEN_ATTEMPTS {
        let lacking = lacking(&delta, kind)?;
        if lacking.is_empty() {
            return Ok(delta);
        }
        tracing::info!(table = kind.name(), columns = ?lacking.iter().map(|c| c.name()).collect::<Vec<_>>(), "the table gets new columns");
        if let Err(error) = delta.clone().add_columns().with_fields(lacking).await {
            tracing::info!(%error, "somebody else has committed; looking again");
        }
        delta.update_state().await.map_err(Error::storage("reading the log"))?;
        if let Some(version) = delta.version() {
            durable::log_entry(delta.table_url(), version).await.map_err(Error::storage("making the log durable"))?;
        }
    }
    Err(Error::Ledger(format!("table {}: its new columns could not be added", kind.name())))
}

/// The columns of the contract that the table does not have.
fn lacking(delta: &DeltaTable, kind: Kind) -> Result<Vec<StructField>, Error> {
    let snapshot = delta.snapshot().map_err(Error::storage("reading the log"))?;
    let has = snapshot.schema();
    let columns: StructType = (&kind.schema()).try_into_kernel().map_err(|e| Error::Ledger(format!("the table's columns: {e}")))?;
    let lacking: Vec<StructField> = columns.fields().filter(|field| has.field(field.name()).is_none()).cloned().collect();
    match lacking.iter().find(|field| !field.is_nullable()) {
        Some(field) => Err(Error::Ledger(format!("table {}: column {} is missing", kind.name(), field.name()))),
        None => Ok(lacking),
    }
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
