//! Rows that come from a decision, not from a topic: one commit at exactly the version after the one they
//! were computed from, which moves no offset. Which rows those are is not decided here.

use super::{Kind, writer};
use crate::durable;
use crate::error::Error;
use arrow::array::RecordBatch;
use deltalake::kernel::Action;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::writer::DeltaWriter;
use deltalake::{DeltaTable, DeltaTableBuilder};
use livemeter_schemas::ledger;
use std::time::Instant;
use url::Url;

/// Opens a table that is there, at its latest version, without claiming it: for readers and for decisions.
pub async fn load(root: &Url, kind: Kind) -> Result<DeltaTable, Error> {
    let url = root.join(&format!("{}/", kind.name())).map_err(|e| Error::Ledger(format!("{root}: {e}")))?;
    let mut table = DeltaTableBuilder::from_url(url).and_then(|b| b.build()).map_err(Error::storage("opening the table"))?;
    table.load().await.map_err(Error::storage("loading the table"))?;
    Ok(table)
}

/// Appends `batch` as the version right after the one that `table` is loaded at. False when somebody else has
/// committed since, or when `deadline` has passed before the commit is tried: nothing was added then, and what
/// the batch was computed from must be read again. `token` stands in the commit: after a lost reply it tells
/// whether the commit is there.
pub async fn commit_rows(table: &DeltaTable, kind: Kind, batch: RecordBatch, token: &str, deadline: Instant) -> Result<bool, Error> {
    let mut writer = writer(table, kind)?;
    writer.write(batch).await.map_err(Error::storage("writing rows"))?;
    let adds = writer.flush().await.map_err(Error::storage("writing a file"))?;
    durable::files(table.table_url(), adds.iter().map(|add| add.path.as_str())).await?;
    if Instant::now() >= deadline {
        return Ok(false);
    }
    let properties = CommitProperties::default()
        .with_max_retries(0)
        .with_create_checkpoint(false)
        .with_cleanup_expired_logs(Some(false))
        .with_metadata([("livemeterDecision".to_owned(), token.into())]);
    let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: Some(vec![ledger::DATE.into()]), predicate: None };
    let snapshot = table.snapshot().map_err(Error::storage("reading the log"))?;
    let committed = CommitBuilder::from(properties)
        .with_actions(adds.into_iter().map(Action::Add).collect())
        .build(Some(snapshot as &dyn TableReference), table.log_store(), operation)
        .await;
    let next = table.version().unwrap_or_default() + 1;
    match committed {
        Ok(done) => durable::log_entry(table.table_url(), done.version()).await.map_err(Error::storage("making the log durable"))?,
        Err(error) => {
            // The reply may be what was lost: the log knows.
            let entry = table.log_store().read_commit_entry(next).await.map_err(Error::storage("reading the log"))?;
            return match entry {
                Some(entry) => Ok(String::from_utf8_lossy(&entry).contains(token)),
                None => Err(Error::storage("committing")(error)),
            };
        }
    }
    Ok(true)
}
