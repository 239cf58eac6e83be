//! What is stored of each partition beside the rows: the next offset and the accounts, as application
//! transactions of the table's log. When they are written is decided in [`super`].

use super::Kind;
use crate::error::Error;
use crate::places;
use crate::source::Offsets;
use crate::tally::{NAMES, Tally};
use deltalake::DeltaTable;
use deltalake::kernel::Transaction;
use std::collections::BTreeMap;

/// Says which generation the ledger is at, whatever the topic.
pub(super) const GENERATION_ID: &str = "livemeter/generation";

/// The name of the fingerprint, beside those of the accounts.
const PRINT: &str = "print";

/// What is read: offsets mean something only together with all three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub cluster_id: String,
    pub topic: String,
    pub generation: u32,
}

impl Origin {
    /// `livemeter/{cluster}/{topic}/g{generation}/{what}`
    pub fn id(&self, what: impl std::fmt::Display) -> String {
        format!("livemeter/{}/{}/g{}/{what}", self.cluster_id, self.topic, self.generation)
    }
}

/// What is stored of some partitions. Accounts and fingerprints stand in `increments` alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    pub offsets: Offsets,
    pub tallies: BTreeMap<i32, Tally>,
    /// Fingerprint of the last record before the offset, where it is known: see [`crate::partition::Seal`].
    pub prints: BTreeMap<i32, i64>,
}

impl Stored {
    /// Reads these partitions out of the log as it is loaded.
    pub async fn read(table: &DeltaTable, origin: &Origin, kind: Kind, partitions: &[i32]) -> Result<Stored, Error> {
        let transactions = places::transactions(table).await?;
        let mut found = Stored::default();
        for partition in partitions {
            let id = origin.id(partition);
            let offset = transactions.get(&id).copied();
            let offset = offset.ok_or_else(|| Error::Ledger(format!("table {}: no offset is stored as {id}", kind.name())))?;
            found.offsets.insert(*partition, offset);
            if kind == Kind::Increments {
                let count = |name| transactions.get(&format!("{id}/{name}")).copied().unwrap_or_default();
                found.tallies.insert(*partition, Tally::from_array(NAMES.map(count)));
                found.prints.extend(transactions.get(&format!("{id}/{PRINT}")).map(|print| (*partition, *print)));
            }
        }
        Ok(found)
    }

    /// Takes in what was committed after version `before`: from those entries alone where they are all there.
    pub async fn follow(&mut self, table: &DeltaTable, origin: &Origin, kind: Kind, before: Option<u64>) -> Result<(), Error> {
        let partitions: Vec<i32> = self.offsets.keys().copied().collect();
        let (Some(before), Some(now)) = (before, table.version()) else {
            *self = Stored::read(table, origin, kind, &partitions).await?;
            return Ok(());
        };
        for version in before + 1..=now {
            let entry = table.log_store().read_commit_entry(version).await.map_err(Error::storage("reading the log"))?;
            let Some(entry) = entry else {
                *self = Stored::read(table, origin, kind, &partitions).await?;
                return Ok(());
            };
            self.absorb(origin, &entry);
        }
        Ok(())
    }

    /// Takes in the transactions of one log entry.
    fn absorb(&mut self, origin: &Origin, entry: &[u8]) {
        let prefix = origin.id("");
        for (id, version) in places::of_entry(entry) {
            let Some(what) = id.strip_prefix(prefix.as_str()) else { continue };
            let (partition, name) = what.split_once('/').map_or((what, None), |(partition, name)| (partition, Some(name)));
            let Ok(partition) = partition.parse::<i32>() else { continue };
            match name {
                None => {
                    self.offsets.entry(partition).and_modify(|offset| *offset = version);
                }
                Some(PRINT) if self.offsets.contains_key(&partition) => drop(self.prints.insert(partition, version)),
                Some(name) => {
                    let Some(tally) = self.tallies.get_mut(&partition) else { continue };
                    let mut counts = tally.array();
                    for (count, _) in counts.iter_mut().zip(NAMES).filter(|(_, known)| *known == name) {
                        *count = version;
                    }
                    *tally = Tally::from_array(counts);
                }
            }
        }
    }

    pub fn extend(&mut self, other: Stored) {
        self.offsets.extend(other.offsets);
        self.tallies.extend(other.tallies);
        self.prints.extend(other.prints);
    }

    pub fn remove(&mut self, partition: i32) {
        self.offsets.remove(&partition);
        self.tallies.remove(&partition);
        self.prints.remove(&partition);
    }
}

/// The version stored under a name, as of the log as it is loaded.
pub async fn stored(table: &DeltaTable, id: &str) -> Result<Option<i64>, Error> {
    let snapshot = table.snapshot().map_err(Error::storage("reading the log"))?;
    snapshot.transaction_version(table.log_store().as_ref(), id).await.map_err(Error::storage("reading stored offsets"))
}

/// What a new generation stores first: that it is there, its partitions, and where each begins.
pub(super) fn begin(origin: &Origin, lows: &[i64]) -> Vec<Transaction> {
    let mut begin =
        vec![Transaction::new(GENERATION_ID, origin.generation.into()), Transaction::new(origin.id("partitions"), lows.len() as i64)];
    for (partition, low) in lows.iter().enumerate() {
        begin.push(Transaction::new(origin.id(partition), *low));
        begin.push(Transaction::new(format!("{}/begin", origin.id(partition)), *low));
    }
    begin
}

/// The transactions that lead from what is known to `ends`: only what differs.
pub(super) fn changes(origin: &Origin, known: &Stored, ends: &Stored) -> Vec<Transaction> {
    let mut changes = Vec::new();
    for (partition, offset) in ends.offsets.iter().filter(|(p, offset)| known.offsets.get(p) != Some(offset)) {
        changes.push(Transaction::new(origin.id(partition), *offset));
    }
    for (partition, tally) in &ends.tallies {
        let before = known.tallies.get(partition).copied().unwrap_or_default().array();
        for ((name, count), _) in NAMES.iter().zip(tally.array()).zip(before).filter(|((_, count), before)| count != before) {
            changes.push(Transaction::new(format!("{}/{name}", origin.id(partition)), count));
        }
    }
    for (partition, print) in ends.prints.iter().filter(|(p, print)| known.prints.get(p) != Some(print)) {
        changes.push(Transaction::new(format!("{}/{PRINT}", origin.id(partition)), *print));
    }
    changes
}
