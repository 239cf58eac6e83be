//! Keeps the tables quick, beside the worker and never in its way: compaction, checkpoints, clean-up.
//! Changes no row and no sum. The worker's offsets are application transactions of the log: checkpoints
//! carry them over, and no retention is set for them, so none is ever removed.

use crate::book::DAY_MS;
use crate::buffer::date;
use crate::config::Config;
use crate::error::Error;
use crate::scan;
use crate::status::{Status, TableLabel};
use crate::table::{Kind, Table, writer_properties};
use deltalake::datafusion::execution::SessionState;
use deltalake::delta_datafusion::DeltaSessionContext;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::vacuum::VacuumMode;
use deltalake::{DeltaTable, FilterOp, FilterValue, checkpoints};
use livemeter_schemas::ledger;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// When and how far to go; see [`Config`] for the reasons.
#[derive(Debug, Clone)]
pub struct Policy {
    pub files_max: usize,
    pub files_closed_max: usize,
    pub file_bytes_target: u64,
    pub retention_ms: u64,
}

/// What one run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub dates_compacted: Vec<String>,
    pub files_removed: usize,
    pub log_entries_removed: usize,
    pub live_files: usize,
}

/// Runs maintenance, one table at a time: two at once would double its memory.
pub struct Maintenance {
    policy: Policy,
    every_commits: u64,
    /// Commits of each table at its last run, and when its storage was last cleaned.
    last: BTreeMap<&'static str, (u64, Option<Instant>)>,
    running: Option<(Kind, JoinHandle<Result<Report, Error>>)>,
}

impl Maintenance {
    pub fn new(config: &Config) -> Self {
        let policy = Policy {
            files_max: config.files_max,
            files_closed_max: config.files_closed_max,
            file_bytes_target: config.file_bytes_target,
            retention_ms: config.retention_ms,
        };
        Maintenance { policy, every_commits: config.checkpoint_commits, last: BTreeMap::new(), running: None }
    }

    /// To be called after each commit: starts a run when one is due. The first is due at once, since
    /// nobody knows in what state the last process left the table.
    pub fn look_after(&mut self, table: &mut Table, status: &Status, now_ms: i64) {
        let name = table.kind().name();
        if let Some((kind, task)) = &self.running {
            if *kind != table.kind() {
                return;
            }
            table.expect_change();
            if !task.is_finished() {
                return;
            }
        }
        if let Some((kind, task)) = self.running.take() {
            // Finished: the join does not wait.
            let outcome = futures::FutureExt::now_or_never(task).and_then(Result::ok);
            note(kind, outcome, status);
        }
        let commits = table.commits();
        let last = self.last.get(name).copied();
        if last.is_some_and(|(at, _)| commits < at + self.every_commits) {
            return;
        }
        let cleaned = last.and_then(|(_, cleaned)| cleaned);
        let clean = cleaned.is_none_or(|at| at.elapsed() >= Duration::from_millis(self.policy.retention_ms / 2));
        self.last.insert(name, (commits, if clean { Some(Instant::now()) } else { cleaned }));
        let (delta, policy, kind) = (table.delta().clone(), self.policy.clone(), table.kind());
        self.running = Some((kind, tokio::spawn(async move { run(delta, kind, &policy, now_ms, clean).await })));
        table.expect_change();
    }

    /// Waits for the run under way, if there is one.
    pub async fn settle(&mut self, status: &Status) {
        if let Some((kind, task)) = self.running.take() {
            note(kind, task.await.ok(), status);
        }
    }
}

fn note(kind: Kind, outcome: Option<Result<Report, Error>>, status: &Status) {
    let (label, m) = (TableLabel { table: kind.name() }, &status.metrics);
    match outcome {
        Some(Ok(report)) => {
            m.maintenance_runs.get_or_create(&label).inc();
            m.live_files.get_or_create(&label).set(report.live_files as i64);
            tracing::debug!(table = kind.name(), ?report, "maintained");
        }
        Some(Err(error)) => {
            m.maintenance_failures.get_or_create(&label).inc();
            tracing::warn!(table = kind.name(), %error, "maintenance failed; it is tried again later");
        }
        None => {
            m.maintenance_failures.get_or_create(&label).inc();
            tracing::warn!(table = kind.name(), "maintenance ended abruptly; it is tried again later");
        }
    }
}

/// One run over one table: compact what has too many files, checkpoint, drop what nothing refers to.
pub async fn run(mut table: DeltaTable, kind: Kind, policy: &Policy, now_ms: i64, clean: bool) -> Result<Report, Error> {
    table.update_state().await.map_err(Error::storage("reading the log"))?;
    let mut report = Report::default();
    for date in crowded(&table, policy, now_ms)? {
        let filters = [(ledger::DATE, FilterOp::Eq, FilterValue::Scalar(&date))];
        let target = NonZeroU64::new(policy.file_bytes_target).unwrap_or(NonZeroU64::MIN);
        let (compacted, _) = table
            .optimize()
            .with_filters(&filters)
            .with_target_size(target)
            .with_max_concurrent_tasks(1)
            .with_session_state(one_at_a_time())
            .with_writer_properties(writer_properties(kind))
            .with_commit_properties(quietly())
            .await
            .map_err(Error::storage("compacting"))?;
        table = compacted;
        report.dates_compacted.push(date);
    }
    checkpoints::create_checkpoint(&table, None).await.map_err(Error::storage("writing a checkpoint"))?;
    report.log_entries_removed = checkpoints::cleanup_metadata(&table, None).await.map_err(Error::storage("removing old log entries"))?;
    if clean {
        let age = i64::try_from(policy.retention_ms).unwrap_or(i64::MAX);
        let (cleaned, metrics) = table
            .vacuum()
            .with_mode(VacuumMode::Full)
            .with_retention_period(chrono::Duration::milliseconds(age))
            .with_enforce_retention_duration(false)
            .with_commit_properties(quietly())
            .await
            .map_err(Error::storage("removing old files"))?;
        table = cleaned;
        report.files_removed = metrics.files_deleted.len();
    }
    report.live_files = scan::files(&table)?.len();
    Ok(report)
}

/// Dates with more small files than allowed: few for dates that are over, more while one is being written.
fn crowded(table: &DeltaTable, policy: &Policy, now_ms: i64) -> Result<Vec<String>, Error> {
    let open_from = date((now_ms - DAY_MS).max(0));
    let mut small: BTreeMap<String, usize> = BTreeMap::new();
    for file in scan::files(table)?.into_iter().filter(|f| f.bytes < policy.file_bytes_target) {
        *small.entry(file.date).or_default() += 1;
    }
    let limit = |date: &str| if date < open_from.as_str() { policy.files_closed_max } else { policy.files_max };
    Ok(small.into_iter().filter(|(date, files)| *files > limit(date)).map(|(date, _)| date).collect())
}

/// Reads one file after the other: compaction has minutes, and must not take the worker's memory or CPU.
fn one_at_a_time() -> Arc<SessionState> {
    let mut session = DeltaSessionContext::new().state();
    let config = session.config().clone().with_target_partitions(1).with_batch_size(4_096);
    *session.config_mut() = config;
    Arc::new(session)
}

/// Maintenance writes its own checkpoints, at its own time.
fn quietly() -> CommitProperties {
    CommitProperties::default().with_create_checkpoint(false).with_cleanup_expired_logs(Some(false))
}
