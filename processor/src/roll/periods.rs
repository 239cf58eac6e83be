//! The closed periods beside a ledger's tables, as a roll-up reads them. Closing one is not here.
//!
//! # Why a roll-up never mixes rows from both sides of a line
//!
//! A line is the offsets stored at the table version V that the closer read its totals from.
//!
//! * **Inputs no newer than V**: all their rows lie within the line; there is nothing to mix.
//! * **The period's file was there when the roll-up last looked**, between learning version X of the table and
//!   trying to commit X + 1: rows were grouped by the line, or the roll-up starts over.
//! * **It was not there yet**: the closer calls [`settled`] once the file is written. That commits an empty entry
//!   and tells whether anything was rolled up between V and this entry. If so, the closer reads anew, at a later V.
//!   If not, no roll-up that missed the file can come later: X + 1 is taken, and before its next attempt it
//!   looks at the periods again.
//!
//! A period's file that cannot be read stops roll-ups, visibly: to guess where its line runs would be to mix.

use crate::book::DAY_MS;
use crate::error::Error;
use crate::roll::files::day_ms;
use crate::roll::swap::ROLLED_ENTRY;
use deltalake::DeltaTable;
use deltalake::kernel::Transaction;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::protocol::{DeltaOperation, SaveMode};
use futures::TryStreamExt;
use livemeter_schemas::period::{ClosedPeriod, FOLDER};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

/// Application transaction of the empty entry; its version is when a period was last closed.
const SETTLED_ID: &str = "livemeter/periods";

/// The closed periods that hold some of a date's windows, in one order.
pub async fn over(table: &DeltaTable, date: &str) -> Result<Vec<ClosedPeriod>, Error> {
    let Some(from_ms) = day_ms(date) else { return Ok(Vec::new()) };
    let mut periods = all(table).await?;
    periods.retain(|p| p.from_ms < from_ms + DAY_MS && p.to_ms > from_ms);
    Ok(periods)
}

async fn all(table: &DeltaTable) -> Result<Vec<ClosedPeriod>, Error> {
    let reading = "reading the closed periods";
    let store = table.log_store().root_object_store(None);
    let folder = folder(table)?;
    let mut found: Vec<_> = store.list(Some(&folder)).try_collect().await.map_err(Error::storage(reading))?;
    found.retain(|file| file.location.extension() == Some("json"));
    found.sort_by(|a, b| a.location.cmp(&b.location));
    let mut periods = Vec::with_capacity(found.len());
    for file in found {
        let body = store.get(&file.location).await.map_err(Error::storage(reading))?;
        let bytes = body.bytes().await.map_err(Error::storage(reading))?;
        let period = serde_json::from_slice(&bytes).map_err(|e| Error::Ledger(format!("{}: not a closed period: {e}", file.location)))?;
        periods.push(period);
    }
    Ok(periods)
}

/// Beside the table's own folder.
fn folder(table: &DeltaTable) -> Result<Path, Error> {
    let url = table.table_url();
    let own = Path::from_url_path(url.path()).map_err(|e| Error::Ledger(format!("{url}: {e}")))?;
    let mut parts: Vec<_> = own.parts().collect();
    parts.pop();
    Ok(parts.into_iter().collect::<Path>().join(FOLDER))
}

/// The latest closing that the table knows of as it is loaded; the beginning of time when there is none.
pub async fn settled_at_ms(table: &DeltaTable) -> Result<i64, Error> {
    let snapshot = table.snapshot().map_err(Error::storage("reading the log"))?;
    let settled = snapshot.transaction_version(table.log_store().as_ref(), SETTLED_ID).await;
    Ok(settled.map_err(Error::storage("reading the latest closing"))?.unwrap_or(i64::MIN))
}

/// For whoever closes a period, once its file is written: true when the totals read at version `since` stand.
/// False: something was rolled up meanwhile, without regard to the line; totals are to be read anew.
pub async fn settled(table: &mut DeltaTable, since: u64, closed_at_ms: i64) -> Result<bool, Error> {
    table.update_state().await.map_err(Error::storage("reading the log"))?;
    // The latest of all, whatever the clocks of those who close say.
    let latest_ms = settled_at_ms(table).await?.max(closed_at_ms);
    let properties = CommitProperties::default()
        .with_create_checkpoint(false)
        .with_cleanup_expired_logs(Some(false))
        .with_application_transaction(Transaction::new(SETTLED_ID, latest_ms));
    let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
    let settling = "settling a closed period";
    let snapshot = table.snapshot().map_err(Error::storage(settling))?;
    let commit = CommitBuilder::from(properties).build(Some(snapshot as &dyn TableReference), table.log_store(), operation);
    let entry = commit.await.map_err(Error::storage(settling))?.version();
    for version in since + 1..entry {
        let text = table.log_store().read_commit_entry(version).await.map_err(Error::storage("reading the log"))?;
        // An entry that is gone already may have been anything.
        if text.is_none_or(|text| String::from_utf8_lossy(&text).contains(ROLLED_ENTRY)) {
            return Ok(false);
        }
    }
    Ok(true)
}
