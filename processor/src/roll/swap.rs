//! Old files out, new ones in: one commit that changes no sum and touches no offset. What is in the new
//! files was proved before. Shared with [`crate::erase`], whose new files name a user no more.

use crate::durable;
use crate::error::Error;
use crate::roll::files;
use crate::roll::periods;
use crate::roll::plan::{Grain, Job};
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::kernel::{Action, Add};
use deltalake::protocol::DeltaOperation;
use deltalake::{DeltaTable, DeltaTableError};
use livemeter_schemas::period::ClosedPeriod;
use std::time::Duration;

/// Stands in the commit's own information when windows were rolled up.
pub const ROLLED_ENTRY: &str = "livemeterRolled";
/// Attempts against a worker that commits at the same time; it does so every few seconds, for milliseconds.
const ATTEMPTS: u32 = 8;

/// Stands there when a user was erased.
pub const ERASED_ENTRY: &str = "livemeterErased";

/// Why files are replaced.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'a> {
    /// The same rows, or their sums, in fewer files.
    Merge,
    /// Rows without a user's name; who wanted it, and why, goes into the commit.
    Erase { by: &'a str, why: &'a str },
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Swapped,
    /// An input is no longer there, or a line was drawn: what was written is of no use.
    Overtaken,
}

/// Commits at exactly the version after the one at which all inputs are there and the lines are as they were.
pub async fn commit(
    table: &mut DeltaTable,
    job: &Job,
    adds: &[Add],
    drawn: &[ClosedPeriod],
    purpose: Purpose<'_>,
) -> Result<Outcome, Error> {
    let mut last = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
        table.update_state().await.map_err(Error::storage("reading the log"))?;
        let removals = files::removals(table, &job.files, matches!(purpose, Purpose::Erase { .. }))?;
        if removals.len() < job.files.len() {
            // By an attempt of ours whose reply was lost, or by somebody else.
            let ours = files::all(table)?.iter().any(|file| adds.iter().any(|add| add.path == file.path));
            return Ok(if ours { Outcome::Swapped } else { Outcome::Overtaken });
        }
        if job.grain == Grain::PerWindow && periods::over(table, &job.date).await? != drawn {
            return Ok(Outcome::Overtaken);
        }
        fail::fail_point!("roll-before-commit");
        let actions = removals.into_iter().map(Action::Remove).chain(adds.iter().cloned().map(Action::Add)).collect();
        match try_commit(table, job, actions, purpose).await {
            Ok(()) => {
                fail::fail_point!("roll-after-commit");
                return Ok(Outcome::Swapped);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| Error::Ledger("no attempt was made to commit".into()), Error::storage("committing a merge")))
}

async fn try_commit(table: &mut DeltaTable, job: &Job, actions: Vec<Action>, purpose: Purpose<'_>) -> Result<(), DeltaTableError> {
    let mut properties =
        CommitProperties::default().with_max_retries(0).with_create_checkpoint(false).with_cleanup_expired_logs(Some(false));
    if job.grain == Grain::PerWindow {
        properties = properties.with_metadata([(ROLLED_ENTRY.to_owned(), job.date.clone().into())]);
    }
    let operation = match purpose {
        Purpose::Merge => DeltaOperation::Optimize { predicate: None, target_size: 0 },
        Purpose::Erase { by, why } => {
            properties = properties.with_metadata([(ERASED_ENTRY.to_owned(), serde_json::json!({ "by": by, "why": why }))]);
            DeltaOperation::Update { predicate: None }
        }
    };
    let finalized = CommitBuilder::from(properties)
        .with_actions(actions)
        .build(Some(table.snapshot()? as &dyn TableReference), table.log_store(), operation)
        .await?;
    let version = finalized.version();
    table.state = Some(finalized.snapshot);
    durable::log_entry(table.table_url(), version).await
}
