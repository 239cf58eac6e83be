//! What a table's log stores of each partition, of every generation: the next offset, and the accounts of
//! what became of its records. Read from the log itself, since nobody who audits or closes a period knows
//! beforehand under which clusters and topics a ledger was written. Writing them is the table's business.

use crate::error::Error;
use crate::tally::{NAMES, Tally};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use deltalake::parquet::arrow::ProjectionMask;
use deltalake::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use deltalake::{DeltaTable, DeltaTableError};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Looks at a log that is cleaned up at the same moment: each finds a newer checkpoint.
const ATTEMPTS: u32 = 3;

/// One partition of one generation, as a table's log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredPartition {
    pub cluster_id: String,
    pub topic: String,
    pub generation: i64,
    pub partition: i64,
    /// The next offset to read.
    pub offset: i64,
    /// None in a ledger that was begun before accounts were kept.
    pub accounts: Option<Tally>,
}

/// A count without a transaction was never moved: zero. Without `begin`, no accounts were kept.
fn tally(transactions: &BTreeMap<String, i64>, partition: &str) -> Option<Tally> {
    let count = |name: &str| transactions.get(&format!("{partition}/{name}")).copied();
    count("begin")?;
    Some(Tally::from_array(NAMES.map(|name| count(name).unwrap_or_default())))
}

/// Every partition that the table stores an offset of, as of the version it is loaded at.
pub async fn stored(table: &DeltaTable) -> Result<Vec<StoredPartition>, Error> {
    Ok(partitions(&transactions(table).await?))
}

/// `livemeter/{cluster}/{topic}/g{generation}/{partition}`
fn partitions(transactions: &BTreeMap<String, i64>) -> Vec<StoredPartition> {
    let partition = |(id, offset): (&String, &i64)| {
        let mut parts = id.strip_prefix("livemeter/")?.rsplitn(4, '/');
        let partition = parts.next()?.parse().ok()?;
        let generation = parts.next()?.strip_prefix('g')?.parse().ok()?;
        let (topic, cluster_id) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(StoredPartition { cluster_id, topic, generation, partition, offset: *offset, accounts: tally(transactions, id) })
    };
    let mut found: Vec<StoredPartition> = transactions.iter().filter_map(partition).collect();
    found.sort_by_key(|p| (p.generation, p.partition));
    found
}

#[derive(Deserialize)]
struct Line {
    txn: Option<Txn>,
}

#[derive(Deserialize)]
struct Txn {
    #[serde(rename = "appId")]
    app_id: String,
    version: i64,
}

/// The application transactions of one log entry: their names and versions.
pub fn of_entry(entry: &[u8]) -> impl Iterator<Item = (String, i64)> {
    let lines = entry.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    lines.filter_map(|line| line.txn.map(|txn| (txn.app_id, txn.version)))
}

/// Every application transaction: the newest checkpoint's, then those of the commits after it.
pub async fn transactions(table: &DeltaTable) -> Result<BTreeMap<String, i64>, Error> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = try_transactions(table).await? {
            return Ok(found);
        }
    }
    let gone = DeltaTableError::Generic(format!("log entries went away while they were read, {ATTEMPTS} times"));
    Err(Error::storage("reading the log")(gone))
}

/// None when an entry was cleaned up while it was read: there is a newer checkpoint by then.
async fn try_transactions(table: &DeltaTable) -> Result<Option<BTreeMap<String, i64>>, Error> {
    let (store, version) = (table.object_store(), table.version().unwrap_or_default());
    let log: Vec<Path> = store
        .list(Some(&Path::from("_delta_log")))
        .map_ok(|meta| meta.location)
        .try_collect()
        .await
        .map_err(Error::storage("listing the log"))?;
    let checkpoints = log.iter().filter_map(|path| checkpoint_version(path.filename()?)).filter(|v| *v <= version);
    let checkpoint = checkpoints.max();
    let mut found = BTreeMap::new();
    let is_part = |path: &&Path| checkpoint.is_some() && path.filename().and_then(checkpoint_version) == checkpoint;
    for path in log.iter().filter(is_part) {
        read_checkpoint(store.as_ref(), path, &mut found).await?;
    }
    for version in checkpoint.map_or(0, |v| v + 1)..=version {
        let entry = table.log_store().read_commit_entry(version).await.map_err(Error::storage("reading the log"))?;
        let Some(entry) = entry else { return Ok(None) };
        found.extend(of_entry(&entry));
    }
    Ok(Some(found))
}

/// `00000000000000000100.checkpoint.parquet`, and the names of checkpoints in parts.
fn checkpoint_version(name: &str) -> Option<u64> {
    let (version, rest) = name.split_once('.')?;
    (rest.starts_with("checkpoint.") && rest.ends_with("parquet")).then(|| version.parse().ok()).flatten()
}

async fn read_checkpoint(store: &dyn ObjectStore, path: &Path, found: &mut BTreeMap<String, i64>) -> Result<(), Error> {
    let answer = store.get(path).await.map_err(Error::storage("reading a checkpoint"))?;
    let bytes = answer.bytes().await.map_err(Error::storage("reading a checkpoint"))?;
    let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, plain).map_err(Error::storage("reading a checkpoint"))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["txn.appId", "txn.version"]);
    for batch in builder.with_projection(mask).build().map_err(Error::storage("reading a checkpoint"))? {
        let batch = batch.map_err(Error::storage("reading a checkpoint"))?;
        let columns = batch.column_by_name("txn").and_then(|column| {
            let txn = column.as_struct_opt()?;
            let ids = txn.column_by_name("appId")?.as_string_opt::<i32>()?;
            Some((txn, ids, txn.column_by_name("version")?.as_primitive_opt::<Int64Type>()?))
        });
        let Some((txn, ids, versions)) = columns else {
            return Err(Error::Ledger(format!("{path}: a checkpoint without transactions as this version knows them")));
        };
        for row in (0..batch.num_rows()).filter(|row| txn.is_valid(*row) && ids.is_valid(*row)) {
            found.insert(ids.value(row).to_owned(), versions.value(row));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_and_their_accounts_are_told_from_all_else() {
        let ids = [
            ("livemeter/generation", 2),
            ("livemeter/c-1/events/g1/partitions", 1),
            ("livemeter/c-1/events/g1/0", 9),
            ("livemeter/c-2/events.v2/g2/11", 40),
            ("livemeter/c-2/events.v2/g2/11/begin", 10),
            ("livemeter/c-2/events.v2/g2/11/consumed", 29),
            ("livemeter/c-2/events.v2/g2/11/booked", 29),
            ("livemeter/c-2/events.v2/g2/11/absent", 1),
            ("another/application/g1/0", 5),
        ];
        let found = partitions(&ids.into_iter().map(|(id, v)| (id.to_owned(), v)).collect());
        let told: Vec<_> = found.iter().map(|p| (p.cluster_id.as_str(), p.topic.as_str(), p.generation, p.partition, p.offset)).collect();
        assert_eq!(told, [("c-1", "events", 1, 0, 9), ("c-2", "events.v2", 2, 11, 40)]);
        assert_eq!(found[0].accounts, None, "an older ledger has none");
        let accounts = found[1].accounts.unwrap();
        assert!(accounts.balances(40) && !accounts.balances(41));
        assert!(!Tally { late: 1, ..accounts }.balances(40));
    }
}
