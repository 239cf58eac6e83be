//! What the log says of each data file, as far as merging needs it. Reading rows is not here.

use crate::book::DAY_MS;
use crate::error::Error;
use crate::roll::plan::Grain;
use crate::scan::DataFile;
use chrono::{DateTime, NaiveDate};
use deltalake::DeltaTable;
use deltalake::kernel::{Add, LogicalFileView, Remove};
use livemeter_schemas::ledger;
use object_store::path::Path;
use serde_json::Value;

/// Tag of files whose rows are rolled up. A file that lost it, because something else rewrote it, is merely
/// rolled up again.
const ROLLED: &str = "livemeter.rolled";

/// One data file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    pub path: String,
    pub date: String,
    pub bytes: u64,
    /// As the log says; none when it does not.
    pub rows: Option<u64>,
    pub rolled: bool,
    /// Start of its latest window; the last of its date when the log does not say.
    pub window_ms_max: i64,
    /// When ingest had its latest record.
    pub received_at_ms_max: i64,
}

impl File {
    pub fn data_file(&self) -> DataFile {
        data_file(&self.path, self.bytes, &self.date)
    }
}

/// Every file of the table as it is loaded.
pub fn all(table: &DeltaTable) -> Result<Vec<File>, Error> {
    let snapshot = table.snapshot().map_err(Error::storage("reading the log"))?;
    let log = snapshot.snapshot().try_log_data().map_err(Error::storage("reading the log"))?;
    Ok(log.iter().map(|view| file(&view)).collect())
}

/// What takes these files out of the table; fewer than asked for when some are no longer in it. `data_change`:
/// whether their rows are not all in the files that take their place.
pub fn removals(table: &DeltaTable, wanted: &[File], data_change: bool) -> Result<Vec<Remove>, Error> {
    let snapshot = table.snapshot().map_err(Error::storage("reading the log"))?;
    let log = snapshot.snapshot().try_log_data().map_err(Error::storage("reading the log"))?;
    let is_wanted = |view: &LogicalFileView| wanted.iter().any(|file| file.path == view.path());
    Ok(log.iter().filter(is_wanted).map(|view| view.remove_action(data_change)).collect())
}

/// A file just written.
pub fn written(add: &Add, date: &str) -> DataFile {
    data_file(&add.path, u64::try_from(add.size).unwrap_or_default(), date)
}

/// Says in the log what a file's rows are.
pub fn mark(add: &mut Add, grain: Grain) {
    if grain == Grain::PerWindow {
        add.tags.get_or_insert_default().insert(ROLLED.into(), Some("true".into()));
    }
}

fn data_file(path: &str, bytes: u64, date: &str) -> DataFile {
    DataFile { path: Path::from(path), bytes, date: date.to_owned(), received_at_ms_max: None }
}

fn file(view: &LogicalFileView) -> File {
    // Deprecated by the table engine, but the only way to a file's tags.
    #[allow(deprecated)]
    let add = view.add_action();
    let date = add.partition_values.get(ledger::DATE).cloned().flatten().unwrap_or_default();
    let stats = add.stats.as_deref().and_then(|stats| serde_json::from_str::<Value>(stats).ok());
    let latest = |column: &str| {
        let text = stats.as_ref()?.get("maxValues")?.get(column)?.as_str()?;
        DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
    };
    let date_ends_ms = day_ms(&date).map_or(i64::MAX, |from_ms| from_ms + DAY_MS);
    File {
        bytes: u64::try_from(add.size).unwrap_or_default(),
        rows: view.num_records().map(|rows| rows as u64),
        rolled: add.tags.as_ref().is_some_and(|tags| tags.contains_key(ROLLED)),
        window_ms_max: latest("window_start").unwrap_or(date_ends_ms - 1),
        received_at_ms_max: latest("received_at").unwrap_or(i64::MIN),
        path: add.path,
        date,
    }
}

/// The first millisecond of a date.
pub fn day_ms(date: &str) -> Option<i64> {
    let day = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}
