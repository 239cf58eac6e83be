//! The columns of the facts, as Parquet, and the sums over them.
//!
//! * [`write`] sums of an import into its file

mod write;

pub(crate) use write::write;

use crate::error::StoreError;
use crate::store::LogStore;
use arrow::array::{Array, AsArray, BooleanArray, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::statistics::Statistics;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// One row: what one file says of one window, domain, region and session. Rows are additive.
/// `window_start_ms` is ms since 1970 UTC; `session_id` null where the line had none; the row's lines lie within
/// `first_line..=last_line` of the import's file, counted from 1.
pub fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(columns().to_vec()))
}

fn columns() -> [Field; 8] {
    [
        Field::new("window_start_ms", DataType::Int64, false),
        Field::new("domain", DataType::Utf8, false),
        Field::new("region", DataType::Utf8, false),
        Field::new("session_id", DataType::Utf8, true),
        Field::new("bytes", DataType::Int64, false),
        Field::new("requests", DataType::Int64, false),
        Field::new("first_line", DataType::Int64, false),
        Field::new("last_line", DataType::Int64, false),
    ]
}

/// [`schema`], and the import's SHA-256 as `import` after it: the columns of [`LogStore::facts`].
pub fn schema_with_import() -> Arc<Schema> {
    Arc::new(Schema::new(columns().into_iter().chain([Field::new("import", DataType::Utf8, false)]).collect::<Vec<_>>()))
}

/// Facts, a batch at a time, in the columns of [`schema_with_import`].
pub type FactBatches = Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + Send>;

/// Which facts are asked for; an empty list asks for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub domains: Vec<String>,
    pub regions: Vec<String>,
    pub sessions: Vec<String>,
}

/// Sums of a 5-minute window over all imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    pub window_start_ms: i64,
    pub domain: String,
    pub region: String,
    pub bytes: u64,
    pub requests: u64,
}

/// Sums of a session over the time asked for, and where its lines are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTraffic {
    /// None: all lines without a session.
    pub session_id: Option<String>,
    pub bytes: u64,
    pub requests: u64,
    pub first_window_ms: i64,
    pub last_window_ms: i64,
    /// One an import.
    pub lines: Vec<LineRange>,
}

/// Lines of an import's file, both inclusive, counted from 1. Others lie between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRange {
    pub sha256: String,
    pub first_line: u64,
    pub last_line: u64,
}

impl LogStore {
    /// Facts whose window begins in `from_ms..to_ms`, file by file.
    pub fn facts(&self, vendor: &str, from_ms: i64, to_ms: i64, filter: &Filter) -> Result<FactBatches, StoreError> {
        let files = self.fact_files(vendor, from_ms, to_ms)?;
        let filter = filter.clone();
        Ok(Box::new(files.into_iter().flat_map(move |(sha256, path)| match read(&path, sha256, from_ms, to_ms, filter.clone()) {
            Ok(batches) => batches,
            Err(error) => Box::new(std::iter::once(Err(error))),
        })))
    }

    /// Sums per (window, domain, region), in that order.
    pub fn traffic(&self, vendor: &str, from_ms: i64, to_ms: i64, filter: &Filter) -> Result<Vec<Traffic>, StoreError> {
        let mut sums: HashMap<(i64, String), BTreeMap<String, (u64, u64)>> = HashMap::new();
        let mut rows = 0;
        for batch in self.facts(vendor, from_ms, to_ms, filter)? {
            let batch = batch?;
            let (window, bytes, requests) = (long(&batch, 0), long(&batch, 4), long(&batch, 5));
            let (domains, regions) = (text(&batch, 1), text(&batch, 2));
            // Rows come sorted: what belongs together is summed before it is looked up.
            let mut row = 0;
            while row < batch.num_rows() {
                let same = |other: &usize| {
                    (window[*other], domains.value(*other), regions.value(*other)) == (window[row], domains.value(row), regions.value(row))
                };
                let end = (row..batch.num_rows()).take_while(same).last().unwrap_or(row) + 1;
                let of_domain = sums.entry((window[row], domains.value(row).to_owned())).or_default();
                if !of_domain.contains_key(regions.value(row)) {
                    rows += 1;
                    self.check_rows(rows)?;
                    of_domain.insert(regions.value(row).to_owned(), (0, 0));
                }
                if let Some(sum) = of_domain.get_mut(regions.value(row)) {
                    sum.0 += (row..end).map(|row| bytes[row] as u64).sum::<u64>();
                    sum.1 += (row..end).map(|row| requests[row] as u64).sum::<u64>();
                }
                row = end;
            }
        }
        let mut traffic: Vec<Traffic> = sums
            .into_iter()
            .flat_map(|((window_start_ms, domain), regions)| {
                let row = move |(region, (bytes, requests))| Traffic { window_start_ms, domain: domain.clone(), region, bytes, requests };
                regions.into_iter().map(row)
            })
            .collect();
        traffic.sort_by(|a, b| (a.window_start_ms, &a.domain, &a.region).cmp(&(b.window_start_ms, &b.domain, &b.region)));
        Ok(traffic)
    }

    /// Sums per session, by session, those without one first.
    pub fn sessions(&self, vendor: &str, from_ms: i64, to_ms: i64, filter: &Filter) -> Result<Vec<SessionTraffic>, StoreError> {
        let mut sums: BTreeMap<Option<String>, SessionTraffic> = BTreeMap::new();
        for batch in self.facts(vendor, from_ms, to_ms, filter)? {
            let batch = batch?;
            let (sessions, imports) = (text(&batch, 3), text(&batch, 8));
            let [windows, bytes, requests, first, last] = [0, 4, 5, 6, 7].map(|column| long(&batch, column));
            for row in 0..batch.num_rows() {
                let id = sessions.is_valid(row).then(|| sessions.value(row).to_owned());
                let window = windows[row];
                let new = || SessionTraffic {
                    session_id: None,
                    bytes: 0,
                    requests: 0,
                    first_window_ms: window,
                    last_window_ms: window,
                    lines: Vec::new(),
                };
                let sum = sums.entry(id).or_insert_with(new);
                sum.bytes += bytes[row] as u64;
                sum.requests += requests[row] as u64;
                sum.first_window_ms = sum.first_window_ms.min(window);
                sum.last_window_ms = sum.last_window_ms.max(window);
                sum.span(imports.value(row), first[row] as u64, last[row] as u64);
            }
            self.check_rows(sums.len())?;
        }
        Ok(sums.into_iter().map(|(session_id, sum)| SessionTraffic { session_id, ..sum }).collect())
    }

    fn check_rows(&self, rows: usize) -> Result<(), StoreError> {
        if rows <= self.limits.rows_max {
            return Ok(());
        }
        Err(StoreError::Limit { what: "rows of the answer", value: rows as u64, limit: "rows_max", max: self.limits.rows_max as u64 })
    }
}

impl SessionTraffic {
    /// Batches come file by file, so the range to widen is the last one.
    fn span(&mut self, sha256: &str, first_line: u64, last_line: u64) {
        match self.lines.last_mut() {
            Some(range) if range.sha256 == sha256 => {
                range.first_line = range.first_line.min(first_line);
                range.last_line = range.last_line.max(last_line);
            }
            _ => self.lines.push(LineRange { sha256: sha256.to_owned(), first_line, last_line }),
        }
    }
}

fn read(path: &Path, sha256: String, from_ms: i64, to_ms: i64, filter: Filter) -> Result<FactBatches, StoreError> {
    let file = File::open(path).map_err(StoreError::io("opening", path))?;
    let path = path.to_owned();
    let damaged = move |reason: String| StoreError::Damaged { path: path.clone(), reason };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
    if *builder.schema().fields() != *schema().fields() {
        return Err(damaged("its columns are not those of facts".to_owned()));
    }
    let wanted = builder.metadata().row_groups().iter().enumerate().filter(|(_, group)| match group.column(0).statistics() {
        Some(Statistics::Int64(windows)) => {
            windows.min_opt().is_none_or(|first| *first < to_ms) && windows.max_opt().is_none_or(|last| *last >= from_ms)
        }
        _ => true,
    });
    let wanted: Vec<usize> = wanted.map(|(index, _)| index).collect();
    let reader = builder.with_row_groups(wanted).build().map_err(|error| damaged(error.to_string()))?;
    Ok(Box::new(reader.map(move |batch| {
        let batch = batch.and_then(|batch| {
            let batch = filter_record_batch(&batch, &keep(&batch, from_ms, to_ms, &filter))?;
            let import = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&sha256, batch.num_rows())));
            RecordBatch::try_new(schema_with_import(), batch.columns().iter().cloned().chain([import as _]).collect())
        });
        batch.map_err(|error| damaged(error.to_string()))
    })))
}

fn keep(batch: &RecordBatch, from_ms: i64, to_ms: i64, filter: &Filter) -> BooleanArray {
    let windows = long(batch, 0);
    let among = |list: &[String], column: usize, row: usize| {
        let texts = text(batch, column);
        list.is_empty() || texts.is_valid(row) && list.iter().any(|wanted| wanted == texts.value(row))
    };
    let row = |row: usize| {
        (from_ms..to_ms).contains(&windows[row])
            && among(&filter.domains, 1, row)
            && among(&filter.regions, 2, row)
            && among(&filter.sessions, 3, row)
    };
    (0..batch.num_rows()).map(|at| Some(row(at))).collect()
}

/// The schema was compared when the file was opened: the columns are of these types.
fn long(batch: &RecordBatch, column: usize) -> &[i64] {
    batch.column(column).as_primitive::<Int64Type>().values()
}

fn text(batch: &RecordBatch, column: usize) -> &StringArray {
    batch.column(column).as_string::<i32>()
}
