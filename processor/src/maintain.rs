//! When a table is kept quick, beside the worker and never in its way: files are merged ([`crate::roll`]),
//! checkpoints written, what nothing refers to removed. Changes no sum. The worker's offsets are application
//! transactions of the log: checkpoints carry them over, and no retention is set for them, so none is ever removed.

use crate::config::Config;
use crate::durable;
use crate::error::Error;
use crate::roll::{self, Tidied};
use crate::scan;
use crate::status::{Status, TableLabel};
use crate::table::{Kind, Table};
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::vacuum::VacuumMode;
use deltalake::{DeltaTable, checkpoints};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// When and how far to go; see [`Config`] for the reasons.
#[derive(Debug, Clone)]
pub struct Policy {
    pub files_max: usize,
    pub files_closed_max: usize,
    pub file_bytes_target: u64,
    pub retention_ms: u64,
    pub roll_grace_ms: i64,
    pub roll_rows_max: u64,
    pub roll_memory_bytes_max: usize,
    pub roll_spill_bytes_max: u64,
}

impl Policy {
    pub fn of(config: &Config) -> Policy {
        Policy {
            files_max: config.files_max,
            files_closed_max: config.files_closed_max,
            file_bytes_target: config.file_bytes_target,
            retention_ms: config.retention_ms,
            roll_grace_ms: i64::try_from(config.roll_grace_ms).unwrap_or(i64::MAX),
            roll_rows_max: config.roll_rows_max,
            roll_memory_bytes_max: config.roll_memory_bytes_max,
            roll_spill_bytes_max: config.roll_spill_bytes_max,
        }
    }
}

/// What one run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub tidied: Tidied,
    pub files_removed: usize,
    pub log_entries_removed: usize,
    pub live_files: usize,
}

/// What a run is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Closed windows are rolled up; merging files that are too many is always due.
    pub roll: bool,
    /// A checkpoint is written, and log entries before it removed.
    pub checkpoint: bool,
    /// Files that nothing refers to are removed.
    pub clean: bool,
}

/// When what was last done to a table.
#[derive(Debug, Clone, Copy)]
struct Last {
    looked_commits: u64,
    checkpoint_commits: u64,
    rolled_at_ms: i64,
    cleaned: Instant,
}

/// Runs maintenance, one table at a time: two at once would double its memory.
pub struct Maintenance {
    policy: Policy,
    checkpoint_commits: u64,
    roll_interval_ms: i64,
    last: BTreeMap<&'static str, Last>,
    running: Option<(Kind, JoinHandle<Result<Report, Error>>)>,
}

impl Maintenance {
    pub fn new(config: &Config) -> Self {
        Maintenance {
            policy: Policy::of(config),
            checkpoint_commits: config.checkpoint_commits,
            roll_interval_ms: i64::try_from(config.roll_interval_ms).unwrap_or(i64::MAX),
            last: BTreeMap::new(),
            running: None,
        }
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// To be called after each commit: starts a run when one is due. The first is due at once, since
    /// nobody knows in what state the last process left the table.
    pub fn look_after(&mut self, table: &mut Table, status: &Status, now_ms: i64) {
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
        let Some(due) = self.due(table, now_ms) else { return };
        let (delta, policy, kind) = (table.delta().clone(), self.policy.clone(), table.kind());
        self.running = Some((kind, tokio::spawn(async move { run(delta, kind, &policy, now_ms, due).await })));
        table.expect_change();
    }

    /// What is due for a table, if anything; from then on it counts as done, so that a failure is not
    /// repeated with every commit.
    fn due(&mut self, table: &Table, now_ms: i64) -> Option<Due> {
        let (name, commits) = (table.kind().name(), table.commits());
        let Some(last) = self.last.get_mut(name) else {
            let first = Last { looked_commits: commits, checkpoint_commits: commits, rolled_at_ms: now_ms, cleaned: Instant::now() };
            self.last.insert(name, first);
            return Some(Due { roll: true, checkpoint: true, clean: true });
        };
        let due = Due {
            roll: table.kind() == Kind::Increments && now_ms >= last.rolled_at_ms.saturating_add(self.roll_interval_ms),
            checkpoint: commits >= last.checkpoint_commits + self.checkpoint_commits,
            clean: last.cleaned.elapsed() >= Duration::from_millis(self.policy.retention_ms / 2),
        };
        let looks = commits >= last.looked_commits + self.policy.files_max as u64;
        if !(due.roll || due.checkpoint || looks) {
            return None;
        }
        // Cleaning lists the whole storage: only beside a checkpoint.
        let due = Due { clean: due.clean && due.checkpoint, ..due };
        last.looked_commits = commits;
        last.rolled_at_ms = if due.roll { now_ms } else { last.rolled_at_ms };
        last.checkpoint_commits = if due.checkpoint { commits } else { last.checkpoint_commits };
        last.cleaned = if due.clean { Instant::now() } else { last.cleaned };
        Some(due)
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
            let Tidied { dates, files_in, rows_in, rows_out, overtaken, lag_ms } = &report.tidied;
            m.merges.get_or_create(&label).inc_by(dates.len() as u64);
            m.merged_files.get_or_create(&label).inc_by(*files_in as u64);
            m.merged_rows_in.get_or_create(&label).inc_by(*rows_in);
            m.merged_rows_out.get_or_create(&label).inc_by(*rows_out);
            m.merges_overtaken.get_or_create(&label).inc_by(*overtaken);
            if kind == Kind::Increments {
                m.roll_lag_seconds.set(lag_ms / 1000);
            }
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

/// One run over one table: merge files, checkpoint, drop what nothing refers to. A merge that fails keeps
/// nobody from the rest.
pub async fn run(mut table: DeltaTable, kind: Kind, policy: &Policy, now_ms: i64, due: Due) -> Result<Report, Error> {
    let tidied = roll::tidy(&mut table, kind, policy, now_ms, due.roll).await;
    table.update_state().await.map_err(Error::storage("reading the log"))?;
    let mut report = Report::default();
    if due.checkpoint {
        checkpoints::create_checkpoint(&table, None).await.map_err(Error::storage("writing a checkpoint"))?;
        durable::checkpoints(table.table_url()).await?;
        let removed = checkpoints::cleanup_metadata(&table, None).await;
        report.log_entries_removed = removed.map_err(Error::storage("removing old log entries"))?;
        // Entries that this view was read from may be gone.
        table.load().await.map_err(Error::storage("reading the log"))?;
    }
    if due.clean {
        fail::fail_point!("vacuum");
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
    report.tidied = tidied?;
    Ok(report)
}

/// Maintenance writes its own checkpoints, at its own time.
fn quietly() -> CommitProperties {
    CommitProperties::default().with_create_checkpoint(false).with_cleanup_expired_logs(Some(false))
}
