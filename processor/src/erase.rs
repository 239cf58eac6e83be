//! Erasure: a user's name, and what they wrote or their player said in words, leaves the ledger; amounts stay. So
//! sums, accounts, closed periods and every session's counters are what they were, and nobody's bill changes.
//!
//! A file that holds the user is written anew, row by row, and takes the old one's place in one commit
//! ([`crate::roll::swap`]), after the same proof as for a merge. Cut short, it is simply started again: files done
//! are done. Beside it the processor goes on; a merge that is quicker makes this one look again. Old files go
//! with the next clean-up, after the table's retention.
//!
//! The session's own random id stays: a late heartbeat of it must find its counters. What else holds the name is
//! not here: Kafka's topics forget by their retention, derived tables are made anew from what is changed here.

use crate::decide::Signature;
use crate::durable;
use crate::error::Error;
use crate::maintain::Policy;
use crate::roll::files::{self, File};
use crate::roll::fold::dated;
use crate::roll::plan::{Grain, Job};
use crate::roll::swap::{self, Outcome, Purpose};
use crate::roll::{proof, sorted};
use crate::scan;
use crate::table::{Kind, load, widen, writer};
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use deltalake::DeltaTable;
use deltalake::kernel::Add;
use deltalake::writer::DeltaWriter;
use futures::StreamExt;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use url::Url;

/// What stands for the client's own text of an event.
const RAW: &str = r#"{"erased":true}"#;
/// Files that a merge replaced while this was at it, before it gives up: merges come minutes apart.
const OVERTAKEN_MAX: u32 = 20;

/// Whose name goes.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    pub app: &'a str,
    pub user_id: &'a str,
}

/// What was done to one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erased {
    pub table: &'static str,
    /// Rows that name the user no more.
    pub rows: u64,
    pub files: u64,
    /// What stands in place of the name: the same in all these rows, and told to nobody else.
    pub stands_for: String,
}

/// Erases a user from both tables. `told` hears of files looked at, of how many.
///
/// # Errors
/// When a file cannot be read or written, or its sums would change; what was erased until then stays so.
pub async fn erase(
    root: &Url,
    policy: &Policy,
    person: Person<'_>,
    signature: Signature<'_>,
    mut told: impl FnMut(&'static str, usize, usize),
) -> Result<Vec<Erased>, Error> {
    let stands_for = format!("erased-{}", uuid::Uuid::new_v4().simple());
    let mut done = Vec::new();
    for kind in [Kind::Increments, Kind::Events] {
        let mut table = load(root, kind).await?;
        widen(&mut table, kind).await?;
        let mut erased = Erased { table: kind.name(), rows: 0, files: 0, stands_for: stands_for.clone() };
        let (mut seen, mut overtaken) = (HashSet::new(), 0);
        loop {
            table.update_state().await.map_err(Error::storage("reading the log"))?;
            let all = files::all(&table)?;
            let Some(file) = all.iter().find(|file| !seen.contains(&file.path)) else { break };
            let rows = rows_of(&table, file, person).await?;
            seen.insert(file.path.clone());
            told(kind.name(), seen.len(), all.len().max(seen.len()));
            if rows == 0 {
                continue;
            }
            let work = Work { kind, policy, person, signature, stands_for: &stands_for };
            match work.replace(&mut table, file).await? {
                Some(path) => {
                    seen.insert(path);
                    (erased.rows, erased.files) = (erased.rows + rows, erased.files + 1);
                }
                None => overtaken += 1,
            }
            if overtaken > OVERTAKEN_MAX {
                return Err(Error::Ledger(format!("merges overtook {overtaken} files: start again, what is done is done")));
            }
        }
        done.push(erased);
    }
    Ok(done)
}

/// How many rows of a file name the user.
async fn rows_of(table: &DeltaTable, file: &File, person: Person<'_>) -> Result<u64, Error> {
    let mut rows = 0;
    scan::read(table, &file.data_file(), &["app", "user_id"], None, |c| {
        let (app, user) = (c.text("app")?, c.text("user_id")?);
        rows += (0..c.rows()).filter(|row| app.value(*row) == person.app && user.value(*row) == person.user_id).count() as u64;
        Ok(())
    })
    .await?;
    Ok(rows)
}

struct Work<'a> {
    kind: Kind,
    policy: &'a Policy,
    person: Person<'a>,
    signature: Signature<'a>,
    stands_for: &'a str,
}

impl Work<'_> {
    /// Replaces one file; the new one's path, or none when the old one is gone already.
    async fn replace(&self, table: &mut DeltaTable, file: &File) -> Result<Option<String>, Error> {
        let job = Job { date: file.date.clone(), grain: Grain::AsIs, files: vec![file.clone()] };
        let before = proof::of(table, self.kind, [file.data_file()].into_iter()).await?;
        before.told(self.kind, &job)?;
        let adds = self.write(table, &job, file.rolled).await?;
        let after = proof::of(table, self.kind, adds.iter().map(|add| files::written(add, &job.date))).await?;
        proof::equal(self.kind, &job, &before, &after)?;
        let purpose = Purpose::Erase { by: self.signature.by, why: self.signature.why };
        match swap::commit(table, &job, &adds, &[], purpose).await? {
            Outcome::Swapped => Ok(adds.first().map(|add| add.path.clone())),
            Outcome::Overtaken => Ok(None),
        }
    }

    async fn write(&self, table: &DeltaTable, job: &Job, rolled: bool) -> Result<Vec<Add>, Error> {
        let mut writer = writer(table, self.kind)?;
        let mut rows = sorted::read(table, self.kind, self.policy, job).await?;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(|e| Error::storage("reading rows")(deltalake::DeltaTableError::from(e)))?;
            let dated = dated(&self.without(&batch)?, self.kind, &job.date)?;
            writer.write(dated).await.map_err(Error::storage("writing rows"))?;
        }
        let mut adds = writer.flush().await.map_err(Error::storage("writing a file"))?;
        for add in &mut adds {
            files::mark(add, if rolled { Grain::PerWindow } else { Grain::AsIs });
        }
        durable::files(table.table_url(), adds.iter().map(|add| add.path.as_str())).await?;
        Ok(adds)
    }

    /// The same rows without the user: another name, and no text of the client's.
    fn without(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let (app, user) = (text(batch, "app")?, text(batch, "user_id")?);
        let theirs: Vec<bool> =
            (0..batch.num_rows()).map(|row| app.value(row) == self.person.app && user.value(row) == self.person.user_id).collect();
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
            let stands_for = match field.name().as_str() {
                "user_id" => Some(self.stands_for),
                "raw" => Some(RAW),
                "message" => None,
                _ => return Ok(column.clone()),
            };
            let old = text(batch, field.name())?;
            let new = theirs.iter().zip(old).map(|(theirs, old)| if *theirs { stands_for } else { old });
            Ok(Arc::new(new.collect::<StringArray>()) as ArrayRef)
        });
        let columns = columns.collect::<Result<Vec<_>, Error>>()?;
        RecordBatch::try_new(schema.clone(), columns).map_err(|e| Error::Ledger(format!("rows do not fit the columns: {e}")))
    }
}

fn text<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b StringArray, Error> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt());
    column.ok_or_else(|| Error::Ledger(format!("column {name} is missing or of another type")))
}
