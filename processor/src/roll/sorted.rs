//! Files of one date → one stream of rows, sorted where rows are to be folded. Sorting spills to disk, so memory
//! is bounded by a setting whatever the files hold.

use crate::error::Error;
use crate::maintain::Policy;
use crate::roll::fold::{KEYS, ORDER};
use crate::roll::plan::{Grain, Job};
use crate::table::Kind;
use arrow::datatypes::Schema;
use deltalake::datafusion::common::DataFusionError;
use deltalake::datafusion::execution::SendableRecordBatchStream;
use deltalake::datafusion::execution::disk_manager::DiskManagerBuilder;
use deltalake::datafusion::execution::memory_pool::GreedyMemoryPool;
use deltalake::datafusion::execution::runtime_env::RuntimeEnvBuilder;
use deltalake::datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext, ident};
use deltalake::{DeltaTable, DeltaTableError};
use livemeter_schemas::ledger;
use std::sync::Arc;
use url::Url;

/// Names the table's own store within the engine; nothing outside sees it.
const STORE: &str = "livemeter-table://files";
/// Rows in hand at once: wide rows in small batches, since a merge of spilled runs holds one of each.
const BATCH_ROWS: usize = 4_096;
/// Kept aside for merging what was spilled; an eighth of the pool, so that small pools work too.
const MERGE_SHARE: usize = 8;

/// The rows of the job's files, without their date.
pub async fn read(table: &DeltaTable, kind: Kind, policy: &Policy, job: &Job) -> Result<SendableRecordBatchStream, Error> {
    stream(table, kind, policy, job).await.map_err(|e| Error::storage("reading files to merge")(DeltaTableError::from(e)))
}

async fn stream(table: &DeltaTable, kind: Kind, policy: &Policy, job: &Job) -> Result<SendableRecordBatchStream, DataFusionError> {
    let context = session(policy)?;
    let store = Url::parse(STORE).map_err(|e| DataFusionError::External(e.into()))?;
    // The store's own root: one that begins at the table tells other names than it was asked for.
    context.register_object_store(&store, table.log_store().root_object_store(None));
    let columns = kind.schema();
    let columns = Schema::new(columns.fields().iter().filter(|field| field.name() != ledger::DATE).cloned().collect::<Vec<_>>());
    let folder = table.table_url().path().trim_end_matches('/');
    let paths: Vec<String> = job.files.iter().map(|file| within(&store, folder, &file.path)).collect();
    // Types by the table's word, not the writer's.
    let options = ParquetReadOptions { schema: Some(&columns), skip_metadata: Some(true), ..ParquetReadOptions::default() };
    let mut rows = context.read_parquet(paths, options).await?;
    if job.grain == Grain::PerWindow {
        rows = rows.sort(KEYS.iter().chain(&ORDER).map(|name| ident(*name).sort(true, true)).collect())?;
    }
    rows.execute_stream().await
}

/// A file's name within the engine. The folder comes from a URL and is encoded already.
fn within(store: &Url, folder: &str, file: &str) -> String {
    let mut url = store.clone();
    url.set_path(&format!("{folder}/{file}"));
    url.into()
}

/// One thread and its own pool: merging has minutes, and must not take the worker's memory or CPU.
fn session(policy: &Policy) -> Result<SessionContext, DataFusionError> {
    let disk = DiskManagerBuilder::default().with_max_temp_directory_size(policy.roll_spill_bytes_max);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(policy.roll_memory_bytes_max)))
        .with_disk_manager_builder(disk)
        .build_arc()?;
    let aside = policy.roll_memory_bytes_max / MERGE_SHARE;
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(BATCH_ROWS)
        .with_sort_spill_reservation_bytes(aside)
        .with_sort_in_place_threshold_bytes(aside)
        .with_collect_statistics(false)
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false);
    Ok(SessionContext::new_with_config_rt(config, runtime))
}
