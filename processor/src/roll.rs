//! Keeps a table's files few: closed windows are rolled up to one row per (session, CDN, window), and small files
//! are merged, beside the worker and never in its way. Checkpoints and clean-up are in [`crate::maintain`].
//!
//! * [`plan`]     which files to merge next; pure
//! * [`files`]    what the log says of each file
//! * [`periods`]  closed periods, whose lines no roll-up may cross
//! * [`sorted`]   files → one sorted stream, in bounded memory
//! * [`fold`]     rows of one group that stand together → one row; pure
//! * [`proof`]    that sums are what they were
//! * [`swap`]     old files out, new ones in: one commit
//!
//! # Why nothing is lost, doubled or moved
//!
//! A merge reads files, writes one other, proves that both hold the same amounts, and swaps them in one commit.
//!
//! * **Crash before the commit**: a file that no commit names is no part of the table; clean-up removes it.
//! * **Crash after it**: done. Nothing else has to be remembered; the next run looks at the files there are.
//! * **The reply is lost**: the inputs are no longer in the table, so they are not merged again.
//! * **Appends beside it** add other files and conflict with nothing. The commit is tried at exactly the version
//!   after the one whose files were looked at; if the worker was quicker, it is looked at and tried again.
//! * **Another roll-up**, of a second worker: whoever comes second finds inputs gone and gives up. (Delta's own
//!   check would let both pass, and double the rows: it does not count removals that change no data.)
//! * **A period closed meanwhile**: see [`periods`].

pub mod files;
pub mod fold;
pub mod periods;
pub mod plan;
pub mod proof;
pub mod sorted;
pub mod swap;

use crate::durable;
use crate::error::Error;
use crate::maintain::Policy;
use crate::roll::files::File;
use crate::roll::fold::{Fold, dated};
use crate::roll::plan::{Grain, Job};
use crate::roll::swap::{Outcome, Purpose};
use crate::table::{Kind, writer};
use arrow::array::RecordBatch;
use deltalake::DeltaTable;
use deltalake::kernel::Add;
use deltalake::writer::{DeltaWriter, RecordBatchWriter};
use futures::StreamExt;
use livemeter_schemas::period::ClosedPeriod;
use std::time::{Duration, Instant};

/// Merges in one run at most: a backlog must not keep checkpoints and clean-up waiting for ever.
const JOBS_MAX: usize = 64;
/// A merge may take half of what unreferenced files are kept for, but no less than this.
const PATIENCE_MIN: Duration = Duration::from_secs(30);

/// What one run over one table did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tidied {
    /// Dates whose files were merged; once for each merge.
    pub dates: Vec<String>,
    pub files_in: usize,
    pub rows_in: u64,
    pub rows_out: u64,
    /// Merges given up because somebody else had changed what they were made from.
    pub overtaken: u64,
    /// How long rows of closed windows had waited for this run; zero where none had.
    pub lag_ms: i64,
}

/// Merges what is due, one job after the other. `roll`: closed windows too, not only files that are too many.
pub async fn tidy(table: &mut DeltaTable, kind: Kind, policy: &Policy, now_ms: i64, roll: bool) -> Result<Tidied, Error> {
    table.update_state().await.map_err(Error::storage("reading the log"))?;
    let mut done = Tidied::default();
    for _ in 0..JOBS_MAX {
        let files = files::all(table)?;
        if kind == Kind::Increments && done.dates.is_empty() {
            done.lag_ms = plan::lag_ms(&files, policy, now_ms);
        }
        let Some(job) = plan::next(&files, kind, policy, now_ms, roll) else { break };
        match merge(table, kind, policy, &job).await? {
            Some((rows_in, rows_out)) => {
                done.files_in += job.files.len();
                done.rows_in += rows_in;
                done.rows_out += rows_out;
                done.dates.push(job.date);
            }
            None => {
                done.overtaken += 1;
                break;
            }
        }
    }
    Ok(done)
}

/// One job: rows read and rows written; none when it was overtaken.
async fn merge(table: &mut DeltaTable, kind: Kind, policy: &Policy, job: &Job) -> Result<Option<(u64, u64)>, Error> {
    let began = Instant::now();
    let drawn = if job.grain == Grain::PerWindow { periods::over(table, &job.date).await? } else { Vec::new() };
    let before = proof::of(table, kind, job.files.iter().map(File::data_file)).await?;
    before.told(kind, job)?;
    let adds = write(table, kind, policy, job, &drawn).await?;
    let after = proof::of(table, kind, adds.iter().map(|add| files::written(add, &job.date))).await?;
    proof::equal(kind, job, &before, &after)?;
    let patience = Duration::from_millis(policy.retention_ms / 2).max(PATIENCE_MIN);
    if began.elapsed() > patience {
        // Another worker's clean-up could take the new file for one that nobody needs.
        return Err(Error::Slow { table: kind.name(), took_ms: began.elapsed().as_millis() as u64, limit_ms: patience.as_millis() as u64 });
    }
    match swap::commit(table, job, &adds, &drawn, Purpose::Merge).await? {
        Outcome::Swapped => Ok(Some((before.rows, after.rows))),
        Outcome::Overtaken => Ok(None),
    }
}

/// Writes the job's rows to one new file, durably.
async fn write(table: &DeltaTable, kind: Kind, policy: &Policy, job: &Job, drawn: &[ClosedPeriod]) -> Result<Vec<Add>, Error> {
    let mut writer = writer(table, kind)?;
    let mut rows = sorted::read(table, kind, policy, job).await?;
    let mut fold = (job.grain == Grain::PerWindow).then(|| Fold::new(drawn)).transpose()?;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|e| Error::storage("merging rows")(deltalake::DeltaTableError::from(e)))?;
        let folded = match fold.as_mut() {
            Some(fold) => fold.push(batch)?,
            None => Some(batch),
        };
        put(&mut writer, kind, folded, &job.date).await?;
    }
    put(&mut writer, kind, fold.and_then(Fold::finish), &job.date).await?;
    let mut adds = writer.flush().await.map_err(Error::storage("writing a file"))?;
    for add in &mut adds {
        add.data_change = false;
        files::mark(add, job.grain);
    }
    durable::files(table.table_url(), adds.iter().map(|add| add.path.as_str())).await?;
    Ok(adds)
}

async fn put(writer: &mut RecordBatchWriter, kind: Kind, batch: Option<RecordBatch>, date: &str) -> Result<(), Error> {
    match batch {
        Some(batch) => writer.write(dated(&batch, kind, date)?).await.map_err(Error::storage("writing rows")),
        None => Ok(()),
    }
}
