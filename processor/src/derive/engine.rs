//! A statement over the tables → a stream of rows, within bounded memory and disk. The statements are in
//! [`super::sql`] and [`super::sessions`]; none comes from outside.

use super::parts;
use crate::config::Config;
use crate::error::Error;
use deltalake::DeltaTable;
use deltalake::datafusion::error::DataFusionError;
use deltalake::datafusion::execution::SendableRecordBatchStream;
use deltalake::datafusion::execution::disk_manager::DiskManagerBuilder;
use deltalake::datafusion::execution::memory_pool::FairSpillPool;
use deltalake::datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use deltalake::datafusion::prelude::{SessionConfig, SessionContext};
use std::sync::Arc;

/// Memory and disk shared by all statements.
pub struct Engine {
    runtime: Arc<RuntimeEnv>,
    memory_bytes_max: usize,
    spill_bytes_max: u64,
}

impl Engine {
    pub fn new(config: &Config) -> Result<Engine, Error> {
        let (memory_bytes_max, spill_bytes_max) = (config.derive_memory_bytes_max, config.derive_spill_bytes_max);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes_max)))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_max_temp_directory_size(spill_bytes_max))
            .build_arc()
            .map_err(|e| Error::Ledger(format!("the engine for derived tables: {}", e.strip_backtrace())))?;
        Ok(Engine { runtime, memory_bytes_max, spill_bytes_max })
    }

    /// A session that knows these tables, each at the version at which it is loaded.
    pub async fn session(&self, table: &'static str, known: &[(&str, &DeltaTable)]) -> Result<Session, Error> {
        let config = SessionConfig::new()
            // One thread's worth: it runs beside the worker.
            .with_target_partitions(1)
            // Small ones: a sort that is first takes what it gets, and the next must find room for a batch at least.
            .with_batch_size(2_048)
            // A hash join's build side cannot spill; a sort can.
            .set_bool("datafusion.optimizer.prefer_hash_join", false)
            // Texts of their own, not views: a merge of views keeps the buffers of all its inputs alive, and each batch of
            // it is counted as large as them all. A day of some hundred thousand stalls did not fit any more.
            .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
            // Filters pushed into a scan as IN-lists fail on dictionary columns, which `date` is.
            .set_usize("datafusion.optimizer.hash_join_inlist_pushdown_max_size", 0)
            .set_usize("datafusion.optimizer.hash_join_inlist_pushdown_max_distinct_values", 0);
        let context = SessionContext::new_with_config_rt(config, Arc::clone(&self.runtime));
        context.register_udf(parts::function());
        let session = Session { context, table, memory_bytes_max: self.memory_bytes_max, spill_bytes_max: self.spill_bytes_max };
        for (name, delta) in known {
            // With the session: only so does a scan read texts as the session wants them.
            let provider = delta.table_provider().with_session(Arc::new(session.context.state())).await.map_err(|e| session.why(e))?;
            session.context.register_table(*name, provider).map_err(|e| session.why(e))?;
        }
        Ok(session)
    }
}

/// Statements about one derived table.
pub struct Session {
    pub context: SessionContext,
    table: &'static str,
    memory_bytes_max: usize,
    spill_bytes_max: u64,
}

impl Session {
    /// What its statements may spill.
    pub fn spill_bytes_max(&self) -> u64 {
        self.spill_bytes_max
    }

    pub async fn stream(&self, sql: &str) -> Result<SendableRecordBatchStream, Error> {
        let frame = self.context.sql(sql).await.map_err(|e| self.why(e))?;
        frame.execute_stream().await.map_err(|e| self.why(e))
    }

    /// Says which limit was too small, where it was one.
    pub fn why(&self, error: DataFusionError) -> Error {
        let (memory, spill) = (self.memory_bytes_max, self.spill_bytes_max);
        match error.find_root() {
            DataFusionError::ResourcesExhausted(what) => {
                let reason = format!(
                    "needs more than derive_memory_bytes_max ({memory} bytes) or derive_spill_bytes_max ({spill} bytes) allow: {what}"
                );
                Error::Derive { table: self.table, reason, retry: false }
            }
            _ => Error::Derive { table: self.table, reason: error.strip_backtrace(), retry: true },
        }
    }
}
