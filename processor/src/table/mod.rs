//! Batches + offsets → one Delta commit. The only module that writes the primary tables (compaction, which writes
//! no rows of its own, is in [`crate::maintain`]; derived tables are in [`crate::derive`]).
//!
//! # Why nothing is booked twice and nothing is left out
//!
//! A commit holds the files of a batch *and*, per partition, the next offset to read, as an application
//! transaction `livemeter/{cluster}/{topic}/g{generation}/{partition}`. Both appear at once or not at all.
//!
//! * **Crash before the commit.** Files that no commit names are no part of the table; clean-up removes
//!   them. The stored offset is unchanged, so the records are read again.
//! * **Crash after the commit.** The stored offset is the batch's end; the records are not read again.
//! * **Crash between the two tables' commits.** Each has its own offsets. The worker starts at the smaller,
//!   and each table skips what it has.
//! * **The reply is lost.** After an error the log is read again. Stored = the batch's start: it did not
//!   succeed. Stored = its end, *and* a log entry since then carries this very batch's token: it did. The
//!   token tells it from another writer's commit that happens to end at the same offsets.
//! * **Another writer.** Delta accepts an older transaction version on a fresh snapshot, so the check is ours:
//!   `known` are the offsets *at* the snapshot's version, and a commit is tried at exactly the version after
//!   it (`max_retries = 0`; creating a log entry is atomic). If anybody committed in between, the attempt
//!   fails, offsets and generation are read afresh, and must still be the batch's start; else the writer is
//!   fenced. So no commit ever lands on offsets other than those its batch was read from. Workers that share a
//!   topic answer for different partitions: each checks and moves those that it has taken up, and no others.
//! * **Power loss** (a local folder): files reach the disk before the commit that names them, and the log
//!   entry before the next step: see [`crate::durable`].

mod files;
mod offsets;
mod rows;

pub use files::{widen, writer};
pub use offsets::{Origin, Stored};
pub use rows::{commit_rows, load};

use crate::durable;
use crate::error::Error;
use crate::source::Offsets;
use crate::tally::Tally;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::writer::DeltaWriter;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use livemeter_schemas::ledger;
use offsets::{GENERATION_ID, changes};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// Attempts within one call; the worker calls again, visibly, for as long as it takes.
const ATTEMPTS: u32 = 5;

/// The two primary tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Increments,
    Events,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Increments => ledger::INCREMENTS,
            Kind::Events => ledger::EVENTS,
        }
    }

    pub fn schema(self) -> Schema {
        match self {
            Kind::Increments => ledger::increments(),
            Kind::Events => ledger::events(),
        }
    }
}

/// How to recognise a commit of ours in the log.
struct InDoubt {
    ends: Offsets,
    /// Stands in the commit's own information.
    token: String,
    /// The table's version before the first attempt.
    since: u64,
}

/// One table of the ledger, claimed for one origin.
pub struct Table {
    kind: Kind,
    delta: DeltaTable,
    origin: Origin,
    /// What is stored of the partitions that were taken up, and the version as of which that is known.
    known: Stored,
    known_at: Option<u64>,
    /// Next offset per partition after the last batch of this writer.
    base: Offsets,
    /// A batch whose commit was tried and whose outcome is not known.
    in_doubt: Option<InDoubt>,
    /// Whether `delta` may be behind the log.
    stale: bool,
    commits: u64,
}

impl Table {
    /// Opens a table below the ledger's root, makes it when it is not there, and claims it: reads the
    /// offsets stored for `origin`, or, for a new generation, stores `lows` as the place to begin.
    pub async fn open(root: &Url, kind: Kind, retention_ms: u64, origin: Origin, lows: &[i64]) -> Result<Table, Error> {
        let url = root.join(&format!("{}/", kind.name())).map_err(|e| Error::Ledger(format!("{root}: {e}")))?;
        if let Ok(folder) = url.to_file_path() {
            std::fs::create_dir_all(&folder).map_err(Error::storage("making the table's folder"))?;
        }
        let mut delta = DeltaTableBuilder::from_url(url).and_then(|b| b.build()).map_err(Error::storage("opening the table"))?;
        if delta.verify_deltatable_existence().await.map_err(Error::storage("looking for the table"))? {
            delta.load().await.map_err(Error::storage("loading the table"))?;
            files::widen(&mut delta, kind).await?;
        } else {
            delta = files::create(&delta, kind, retention_ms).await?;
        }
        let (known, base) = (Stored::default(), Offsets::new());
        let mut table = Table { kind, delta, origin, known, known_at: None, base, in_doubt: None, stale: false, commits: 0 };
        table.claim(lows).await?;
        Ok(table)
    }

    async fn claim(&mut self, lows: &[i64]) -> Result<(), Error> {
        let (table, generation) = (self.kind.name(), self.origin.generation);
        let recorded = offsets::stored(&self.delta, GENERATION_ID).await?;
        match recorded {
            Some(recorded) if recorded > i64::from(generation) => Err(Error::GenerationBehind { table, recorded, configured: generation }),
            Some(recorded) if recorded == i64::from(generation) => {
                let Some(partitions) = offsets::stored(&self.delta, &self.origin.id("partitions")).await? else {
                    let Origin { topic, cluster_id, .. } = self.origin.clone();
                    return Err(Error::SourceChanged { table, generation, topic, cluster_id });
                };
                if partitions != lows.len() as i64 {
                    return Err(Error::PartitionsChanged { table, recorded: partitions, found: lows.len() });
                }
                Ok(())
            }
            _ => {
                let begin = offsets::begin(&self.origin, lows);
                self.try_commit(&[], begin, "begin").await.map_err(Error::storage("recording where to begin"))
            }
        }
    }

    /// Reads afresh what is stored of these partitions, and answers for them from now on.
    pub async fn take_up(&mut self, partitions: &[i32]) -> Result<(), Error> {
        self.refresh().await?;
        let fresh = Stored::read(&self.delta, &self.origin, self.kind, partitions).await?;
        self.base.extend(&fresh.offsets);
        self.known.extend(fresh);
        (self.in_doubt, self.stale) = (None, true);
        Ok(())
    }

    /// Answers for these partitions no more.
    pub fn let_go(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.base.remove(partition);
            self.known.remove(*partition);
        }
        self.in_doubt = None;
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Next offset to read, of each partition that was taken up.
    pub fn offsets(&self) -> &Offsets {
        &self.base
    }

    /// The accounts of each partition that was taken up, as stored; of `increments` alone.
    pub fn tallies(&self) -> &BTreeMap<i32, Tally> {
        &self.known.tallies
    }

    /// Of each, the fingerprint of the last record before the offset, as stored; of `increments` alone, where known.
    pub fn prints(&self) -> &BTreeMap<i32, i64> {
        &self.known.prints
    }

    /// The table as of the last commit or refresh, for reading and for maintenance.
    pub fn delta(&self) -> &DeltaTable {
        &self.delta
    }

    /// Commits since the table was opened.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// Says that someone in this process (maintenance) commits too: saves an attempt bound to fail.
    pub fn expect_change(&mut self) {
        self.stale = true;
    }

    /// Appends a batch and moves offsets and accounts to `ends`, in one commit. After an error that may be
    /// retried, it is to be called again with the same batch: what did succeed is not done twice.
    pub async fn append(&mut self, batch: Option<&RecordBatch>, ends: &Stored) -> Result<(), Error> {
        if self.in_doubt.is_some() && self.already_committed(&ends.offsets).await? {
            return self.done(ends);
        }
        fail::fail_point!("append-before-file", |_| Err(Error::storage("failpoint")(DeltaTableError::Generic("the storage fails".into()))));
        let adds = match batch {
            Some(batch) => self.write_files(batch).await?,
            None => Vec::new(),
        };
        fail::fail_point!("append-after-file");
        let mut last = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            }
            // Once fenced, always fenced, until the partitions are taken up anew.
            if self.stale || self.known.offsets != self.base {
                match self.already_committed(&ends.offsets).await {
                    Ok(true) => return self.done(ends),
                    Ok(false) => {}
                    Err(error) if error.retry() => {
                        last = Some(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            // Set before the attempt: the future may be dropped, or the reply lost, at any point of it.
            let since = self.delta.version().unwrap_or_default();
            let token = || uuid::Uuid::new_v4().to_string();
            let doubt = self.in_doubt.get_or_insert_with(|| InDoubt { ends: ends.offsets.clone(), token: token(), since });
            let token = doubt.token.clone();
            self.stale = true;
            match self.try_commit(&adds, changes(&self.origin, &self.known, ends), &token).await {
                Ok(()) => return self.done(ends),
                Err(error) => last = Some(Error::storage("committing")(error)),
            }
        }
        Err(last.unwrap_or_else(|| Error::Ledger("no attempt was made to commit".into())))
    }

    fn done(&mut self, ends: &Stored) -> Result<(), Error> {
        self.base.clone_from(&ends.offsets);
        self.known.clone_from(ends);
        self.known_at = self.delta.version();
        self.in_doubt = None;
        self.commits += 1;
        Ok(())
    }

    /// Reads the log afresh. True: the batch in doubt is in. False: the table is where the batch begins.
    async fn already_committed(&mut self, ends: &Offsets) -> Result<bool, Error> {
        self.refresh().await?;
        self.stale = false;
        if self.known.offsets == self.base {
            return Ok(false);
        }
        if self.known.offsets == *ends && self.token_is_in_the_log(ends).await? {
            return Ok(true);
        }
        for (partition, stored) in &self.known.offsets {
            let start = self.base.get(partition).copied().unwrap_or_default();
            let end = ends.get(partition).copied().unwrap_or_default();
            if *stored != start {
                return Err(Error::Fenced { table: self.kind.name(), partition: *partition, stored: *stored, start, end });
            }
        }
        Err(Error::Ledger("the partitions read changed under way".into()))
    }

    /// Reads the table as it is now. What this writer commits next is decided as before.
    pub async fn look_again(&mut self) -> Result<(), Error> {
        self.refresh().await
    }

    /// Reads the log afresh, and with it what is stored of the partitions that were taken up.
    async fn refresh(&mut self) -> Result<(), Error> {
        self.delta.update_state().await.map_err(Error::storage("reading the log"))?;
        self.check_generation().await?;
        self.known.follow(&self.delta, &self.origin, self.kind, self.known_at).await?;
        self.known_at = self.delta.version();
        Ok(())
    }

    async fn check_generation(&self) -> Result<(), Error> {
        let recorded = offsets::stored(&self.delta, GENERATION_ID).await?.unwrap_or_default();
        if recorded == i64::from(self.origin.generation) {
            return Ok(());
        }
        Err(Error::GenerationBehind { table: self.kind.name(), recorded, configured: self.origin.generation })
    }

    /// Whether the batch in doubt, and no other that ends at the same offsets, was committed. An entry that
    /// is gone already counts as another's: the writer stops, and the next start reads what is stored.
    async fn token_is_in_the_log(&self, ends: &Offsets) -> Result<bool, Error> {
        let Some(doubt) = self.in_doubt.as_ref().filter(|doubt| doubt.ends == *ends) else { return Ok(false) };
        for version in doubt.since + 1..=self.delta.version().unwrap_or_default() {
            let entry = self.delta.log_store().read_commit_entry(version).await.map_err(Error::storage("reading the log"))?;
            if entry.is_some_and(|entry| String::from_utf8_lossy(&entry).contains(&doubt.token)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn write_files(&self, batch: &RecordBatch) -> Result<Vec<Add>, Error> {
        let mut writer = files::writer(&self.delta, self.kind)?;
        writer.write(batch.clone()).await.map_err(Error::storage("writing rows"))?;
        let adds = writer.flush().await.map_err(Error::storage("writing a file"))?;
        durable::files(self.delta.table_url(), adds.iter().map(|add| add.path.as_str())).await?;
        Ok(adds)
    }

    async fn try_commit(&mut self, adds: &[Add], transactions: Vec<Transaction>, token: &str) -> Result<(), DeltaTableError> {
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_create_checkpoint(false)
            .with_cleanup_expired_logs(Some(false))
            .with_metadata([("livemeterBatch".to_owned(), token.into())])
            .with_application_transactions(transactions);
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: Some(vec![ledger::DATE.into()]), predicate: None };
        fail::fail_point!("append-during-commit");
        let finalized = CommitBuilder::from(properties)
            .with_actions(adds.iter().cloned().map(Action::Add).collect())
            .build(Some(self.delta.snapshot()? as &dyn TableReference), self.delta.log_store(), operation)
            .await?;
        let version = finalized.version();
        fail::fail_point!("append-after-commit", |_| Err(DeltaTableError::Generic("failpoint: the reply is lost".into())));
        durable::log_entry(self.delta.table_url(), version).await?;
        self.delta.state = Some(finalized.snapshot);
        self.stale = false;
        Ok(())
    }
}
