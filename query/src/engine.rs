//! An admitted statement → a bounded stream of rows. Every query passes the same gate: a place among
//! those that run, one memory pool, a spill quota, and one deadline from arrival to the last row.

use crate::admit::Admitted;
use crate::config::Config;
use crate::error::{Error, from_engine};
use crate::ledger::{Ledger, Snapshot, Versions};
use crate::metrics::Metrics;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider, SchemaProvider};
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;
use futures::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Functions that make one value of any size out of a few letters, which no memory pool sees.
const UNBOUNDED_FUNCTIONS: [&str; 7] = ["repeat", "lpad", "rpad", "array_repeat", "array_resize", "range", "generate_series"];

/// Batches that may wait for a slow reader: enough to overlap, too few to fill memory.
const BATCHES_AHEAD: usize = 2;

/// What to run.
pub struct Work {
    pub statement: Statement,
    /// Values of `$1`, `$2`, …
    pub values: Vec<ScalarValue>,
    /// Most rows wanted; laid over a query as its LIMIT.
    pub rows_max: Option<usize>,
}

impl Work {
    /// An analyst's statement. One row more than wanted is read, to know whether there are more.
    pub fn sql(admitted: Admitted, rows_max: usize) -> Work {
        let rows_max = admitted.limitable.then(|| rows_max.saturating_add(1));
        Work { statement: admitted.statement, values: Vec::new(), rows_max }
    }
}

/// Runs statements over the ledger within the limits of [`Config`].
pub struct Engine {
    base: SessionState,
    ledger: Arc<Ledger>,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    config: Arc<Config>,
    metrics: Arc<Metrics>,
}

impl Engine {
    pub fn new(config: Arc<Config>, ledger: Arc<Ledger>, metrics: Arc<Metrics>) -> Result<Engine, Error> {
        let base = session(&config).map_err(|e| from_engine(e, config.memory_bytes_max))?;
        let places = Arc::new(Semaphore::new(config.concurrent_max));
        Ok(Engine { base, ledger, places, waiting: AtomicUsize::new(0), config, metrics })
    }

    /// Bytes that running queries hold of the memory pool.
    pub fn memory_bytes(&self) -> usize {
        self.base.runtime_env().memory_pool.reserved()
    }

    /// Starts the statement and waits until its columns are known.
    pub async fn run(&self, work: Work) -> Result<Answer, Error> {
        self.run_on(work, None, self.config.deadline_ms).await
    }

    /// Every table at one version: for several statements that must agree.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        self.ledger.snapshot().await
    }

    /// The same with a deadline of its own, and over a snapshot that the asker holds: several statements
    /// then read one version.
    pub async fn run_on(&self, work: Work, snapshot: Option<Snapshot>, deadline_ms: u64) -> Result<Answer, Error> {
        let deadline = Instant::now() + Duration::from_millis(deadline_ms);
        let late = || Error::Deadline { limit_ms: deadline_ms };
        let permit = self.place(deadline).await?;
        let snapshot = match snapshot {
            Some(snapshot) => snapshot,
            None => timeout_at(deadline, self.ledger.snapshot()).await.map_err(|_| late())??,
        };
        let versions = snapshot.versions();
        let (started, start) = oneshot::channel();
        let (rows, receiver) = mpsc::channel(BATCHES_AHEAD);
        let query = Query { session: self.session(&snapshot)?, ledger: Arc::clone(&self.ledger), config: Arc::clone(&self.config), rows };
        // A task of its own: a plan that computes without pause cannot hold the answer beyond its deadline.
        // It keeps its place until it has really ended.
        tokio::spawn(query.run(work, started, permit, self.metrics.running(), deadline));
        let schema = timeout_at(deadline, start).await.map_err(|_| late())?.map_err(|_| broken())??;
        let held = MemoryConsumer::new("reader").register(&self.base.runtime_env().memory_pool);
        let limits = Limits { deadline, deadline_ms, memory_bytes_max: self.config.memory_bytes_max };
        Ok(Answer { schema, versions, rows: receiver, held, limits, ended: false })
    }

    async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(permit);
        }
        let busy = || Error::Busy { running: self.config.concurrent_max, waiting: self.config.queue_max };
        let _waiting = Waiting::enter(&self.waiting, self.config.queue_max).ok_or_else(busy)?;
        match timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(busy()),
        }
    }

    /// A session that knows the tables at one version and nothing else.
    fn session(&self, snapshot: &Snapshot) -> Result<SessionState, Error> {
        let own = |e| from_engine(e, self.config.memory_bytes_max);
        let tables = MemorySchemaProvider::new();
        for table in snapshot.tables() {
            tables.register_table(table.name.to_owned(), Arc::clone(&table.provider)).map_err(own)?;
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema("public", Arc::new(tables)).map_err(own)?;
        let catalogs = MemoryCatalogProviderList::new();
        datafusion::catalog::CatalogProviderList::register_catalog(&catalogs, "datafusion".into(), Arc::new(catalog));
        let mut session = self.base.clone();
        session.register_catalog_list(Arc::new(catalogs));
        Ok(session)
    }
}

/// One statement on its way.
struct Query {
    session: SessionState,
    ledger: Arc<Ledger>,
    config: Arc<Config>,
    rows: mpsc::Sender<Result<Option<RecordBatch>, Error>>,
}

impl Query {
    async fn run(
        self,
        work: Work,
        started: oneshot::Sender<Result<SchemaRef, Error>>,
        _place: OwnedSemaphorePermit,
        _running: crate::metrics::Running,
        deadline: Instant,
    ) {
        let stream = async {
            let plan = self.plan(work).await?;
            DataFrame::new(self.session.clone(), plan).execute_stream().await
        };
        let mut stream = match timeout_at(deadline, stream).await {
            Ok(Ok(stream)) => {
                let _ = started.send(Ok(stream.schema()));
                stream
            }
            Ok(Err(error)) => {
                let _ = started.send(Err(self.explain(error).await));
                return;
            }
            // The reader holds the same deadline and has said so itself.
            Err(_) => return,
        };
        loop {
            let next = tokio::select! {
                next = timeout_at(deadline, stream.next()) => next,
                // Nobody reads any more: stop computing.
                () = self.rows.closed() => return,
            };
            let (item, last) = match next {
                Ok(Some(Ok(batch))) => (Ok(Some(batch)), false),
                Ok(Some(Err(error))) => (Err(self.explain(error).await), true),
                Ok(None) => (Ok(None), true),
                Err(_) => return,
            };
            if !matches!(timeout_at(deadline, self.rows.send(item)).await, Ok(Ok(()))) || last {
                return;
            }
        }
    }

    async fn plan(&self, work: Work) -> datafusion::error::Result<LogicalPlan> {
        let plan = self.session.statement_to_plan(work.statement).await?;
        // The second wall: whatever admission let through, a plan that changes anything stops here.
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false).verify_plan(&plan)?;
        let plan = if work.values.is_empty() { plan } else { plan.with_param_values(work.values)? };
        match work.rows_max {
            Some(rows) => Ok(DataFrame::new(self.session.clone(), plan).limit(0, Some(rows))?.into_unoptimized_plan()),
            None => Ok(plan),
        }
    }

    async fn explain(&self, error: datafusion::error::DataFusionError) -> Error {
        let error = from_engine(error, self.config.memory_bytes_max);
        if let Error::Internal(detail) = &error {
            tracing::error!(detail, "a query failed");
            // Perhaps the table was replaced under us: the next reader looks afresh.
            self.ledger.forget().await;
        }
        error
    }
}

/// Rows on their way, until the deadline.
pub struct Answer {
    pub schema: SchemaRef,
    pub versions: Versions,
    rows: mpsc::Receiver<Result<Option<RecordBatch>, Error>>,
    held: MemoryReservation,
    limits: Limits,
    ended: bool,
}

#[derive(Clone, Copy)]
struct Limits {
    deadline: Instant,
    deadline_ms: u64,
    memory_bytes_max: usize,
}

impl Answer {
    /// The next rows; none at the end. A stream that merely stops is an error, never a short answer.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        if self.ended {
            return Ok(None);
        }
        let item = match timeout_at(self.limits.deadline, self.rows.recv()).await {
            Ok(Some(item)) => item,
            Ok(None) if Instant::now() < self.limits.deadline => Err(broken()),
            _ => Err(Error::Deadline { limit_ms: self.limits.deadline_ms }),
        };
        self.ended = !matches!(item, Ok(Some(_)));
        item
    }

    /// Counts `bytes` that the reader itself keeps, until it lets go of the answer, among the memory of
    /// all queries; refused where there is no room for them.
    pub fn hold(&self, bytes: usize) -> Result<(), Error> {
        self.held.try_resize(bytes).map_err(|e| from_engine(e, self.limits.memory_bytes_max))
    }

    /// All rows: for answers whose number of rows is already bounded.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>, Error> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await? {
            batches.push(batch);
        }
        Ok(batches)
    }
}

fn broken() -> Error {
    Error::Internal("the query's task ended without an answer".into())
}

/// A place in the queue, given back when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, max: usize) -> Option<Waiting<'a>> {
        if count.fetch_add(1, Ordering::AcqRel) >= max {
            count.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        Some(Waiting(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn session(config: &Config) -> datafusion::error::Result<SessionState> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(config.memory_bytes_max)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_max_temp_directory_size(config.spill_bytes_max))
        .build_arc()?;
    let settings = SessionConfig::new()
        .with_target_partitions(config.partitions.max(1))
        .with_information_schema(true)
        // A physical plan names the files behind a table.
        .set_bool("datafusion.explain.logical_plan_only", true)
        // Filters pushed into a scan as IN-lists fail on dictionary columns, which `date` is.
        .set_usize("datafusion.optimizer.hash_join_inlist_pushdown_max_size", 0)
        .set_usize("datafusion.optimizer.hash_join_inlist_pushdown_max_distinct_values", 0);
    let mut state = SessionStateBuilder::new().with_config(settings).with_runtime_env(runtime).with_default_features().build();
    for name in UNBOUNDED_FUNCTIONS {
        state.deregister_udf(name)?;
    }
    Ok(state)
}
