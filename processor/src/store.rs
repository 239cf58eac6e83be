//! Where snapshots are kept: beside the data files of `increments`, in a folder that readers of the table
//! pass over. What is in them is in [`crate::snapshot`]. Losing one costs time, never a row.

use crate::error::Error;
use crate::memory::Memory;
use crate::snapshot::{self, Facts};
use crate::table::Table;
use arrow::array::RecordBatch;
use deltalake::DeltaTableError;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use std::sync::Arc;

/// Folders that begin with `_` are no part of a Delta table, and its clean-up leaves them alone.
const FOLDER: &str = "_livemeter_state";
/// The one before the last stays, should the last be torn.
const KEPT: usize = 2;

/// The snapshots of one ledger.
#[derive(Debug, Clone)]
pub struct Snapshots {
    store: Arc<dyn ObjectStore>,
}

impl Snapshots {
    pub fn beside(increments: &Table) -> Self {
        Snapshots { store: increments.delta().object_store() }
    }

    /// The newest that serves: whole, and not ahead of the ledger (which may have been put back from a copy).
    pub async fn latest(&self, generation: u32, partition: i32, increments: &Table, events: &Table) -> Option<(Facts, Memory)> {
        let stored = (increments.offsets().get(&partition).copied()?, events.offsets().get(&partition).copied()?);
        let versions = (increments.delta().version()?, events.delta().version()?);
        let paths = self.list(generation, partition).await.unwrap_or_default();
        for path in paths.into_iter().rev() {
            match self.read(&path).await {
                Ok((facts, memory)) => {
                    let behind = facts.increments_offset <= stored.0 && facts.events_offset <= stored.1;
                    let ours = (facts.generation, facts.partition) == (generation, partition);
                    if behind && ours && facts.increments_version <= versions.0 && facts.events_version <= versions.1 {
                        return Some((facts, memory));
                    }
                    tracing::warn!(%path, "a snapshot is ahead of the ledger; it is left aside");
                }
                Err(error) => tracing::warn!(%path, %error, "a snapshot is left aside"),
            }
        }
        None
    }

    async fn read(&self, path: &Path) -> Result<(Facts, Memory), Error> {
        let got = self.store.get(path).await.map_err(storage("reading a snapshot"))?;
        let bytes = got.bytes().await.map_err(storage("reading a snapshot"))?;
        let decoded = tokio::task::spawn_blocking(move || snapshot::decode(bytes)).await;
        decoded.map_err(|e| Error::Ledger(format!("reading a snapshot: {e}")))?
    }

    /// Writes one, then removes those that it makes useless. Returns its size in bytes.
    pub async fn put(&self, facts: Facts, rows: RecordBatch) -> Result<usize, Error> {
        let (generation, partition) = (facts.generation, facts.partition);
        let path = folder(generation, partition).join(format!("{:020}.parquet", facts.increments_offset));
        let encoded = tokio::task::spawn_blocking(move || snapshot::encode(&facts, &rows)).await;
        let bytes = encoded.map_err(|e| Error::Ledger(format!("writing a snapshot: {e}")))??;
        let size = bytes.len();
        fail::fail_point!("snapshot-before");
        self.store.put(&path, PutPayload::from(bytes)).await.map_err(storage("writing a snapshot"))?;
        fail::fail_point!("snapshot-after");
        let mut paths = self.list(generation, partition).await?;
        paths.truncate(paths.len().saturating_sub(KEPT));
        for old in paths {
            self.store.delete(&old).await.map_err(storage("removing an old snapshot"))?;
        }
        Ok(size)
    }

    /// Oldest first.
    async fn list(&self, generation: u32, partition: i32) -> Result<Vec<Path>, Error> {
        let listed = self.store.list(Some(&folder(generation, partition))).map_ok(|meta| meta.location).try_collect::<Vec<_>>().await;
        let mut paths = listed.map_err(storage("listing snapshots"))?;
        paths.sort();
        Ok(paths)
    }
}

fn folder(generation: u32, partition: i32) -> Path {
    Path::from_iter([FOLDER.to_owned(), format!("g{generation}"), format!("p{partition}")])
}

fn storage(what: &'static str) -> impl FnOnce(object_store::Error) -> Error {
    move |error| Error::storage(what)(DeltaTableError::from(error))
}
