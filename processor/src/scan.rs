//! Reads a table's own Parquet files, a few columns of them, batch by batch. Answering anybody else's
//! questions is not here: that is `query`.

use crate::error::Error;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use bytes::Bytes;
use chrono::DateTime;
use deltalake::DeltaTable;
use deltalake::kernel::LogicalFileView;
use deltalake::parquet::arrow::arrow_reader::ArrowReaderOptions;
use deltalake::parquet::arrow::arrow_reader::{ArrowPredicateFn, RowFilter};
use deltalake::parquet::arrow::async_reader::AsyncFileReader;
use deltalake::parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use deltalake::parquet::errors::{ParquetError, Result as ParquetResult};
use deltalake::parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use livemeter_schemas::ledger;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Rows decoded at once: bounds memory, and is enough to hide what a batch costs.
const BATCH_ROWS: usize = 8_192;

/// One data file of a table.
#[derive(Debug, Clone)]
pub struct DataFile {
    pub path: Path,
    pub bytes: u64,
    pub date: String,
    /// Latest `received_at` of its rows; none when the log does not say.
    pub received_at_ms_max: Option<i64>,
}

/// Every data file of the table as it is loaded.
pub fn files(table: &DeltaTable) -> Result<Vec<DataFile>, Error> {
    let snapshot = table.snapshot().map_err(Error::storage("reading the log"))?;
    let log = snapshot.snapshot().try_log_data().map_err(Error::storage("reading the log"))?;
    Ok(log.iter().map(|view| data_file(&view)).collect())
}

/// The data files that came after `version` and are still there; all of them where the log no longer tells.
pub async fn files_since(table: &DeltaTable, version: u64) -> Result<Vec<DataFile>, Error> {
    let mut added = HashSet::new();
    for version in version + 1..=table.version().unwrap_or_default() {
        let entry = table.log_store().read_commit_entry(version).await.map_err(Error::storage("reading the log"))?;
        let Some(entry) = entry else { return files(table) };
        let lines = entry.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        added.extend(lines.filter_map(|line| Path::from_url_path(line.add?.path).ok()));
    }
    Ok(files(table)?.into_iter().filter(|file| added.contains(&file.path)).collect())
}

#[derive(serde::Deserialize)]
struct Line {
    add: Option<Added>,
}

#[derive(serde::Deserialize)]
struct Added {
    path: String,
}

fn data_file(view: &LogicalFileView) -> DataFile {
    let date = view.partition_values_map().remove(ledger::DATE).flatten().unwrap_or_default();
    let stats = view.stats().and_then(|s| serde_json::from_str::<serde_json::Value>(&s).ok());
    let latest = stats.as_ref().and_then(|s| s.get("maxValues")?.get("received_at")?.as_str());
    let received_at_ms_max = latest.and_then(|at| DateTime::parse_from_rfc3339(at).ok()).map(|at| at.timestamp_millis() + 1);
    DataFile { path: view.object_store_path(), bytes: view.size().try_into().unwrap_or(0), date, received_at_ms_max }
}

/// Reads `columns` of one file and hands each batch to `take`; with `sessions`, only rows of those.
/// Returns the number of rows handed over.
pub async fn read(
    table: &DeltaTable,
    file: &DataFile,
    columns: &[&str],
    sessions: Option<Arc<HashSet<String>>>,
    mut take: impl FnMut(&Columns<'_>) -> Result<(), Error>,
) -> Result<u64, Error> {
    let reader = Reader { store: table.object_store(), path: file.path.clone(), bytes: file.bytes };
    // Types by Parquet's word, not the writer's: compaction writes the same texts as another Arrow type.
    let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchStreamBuilder::new_with_options(reader, plain).await.map_err(Error::storage("opening a file"))?;
    let schema = builder.parquet_schema();
    let mask = ProjectionMask::columns(schema, columns.iter().copied());
    let filter = sessions.map(|sessions| {
        let only = ProjectionMask::columns(schema, ["session_id"]);
        let wanted = move |batch: RecordBatch| {
            let ids = batch.column(0).as_string_opt::<i32>();
            Ok(ids.map_or_else(
                || BooleanArray::from(vec![true; batch.num_rows()]),
                |ids| ids.iter().map(|id| Some(id.is_some_and(|id| sessions.contains(id)))).collect(),
            ))
        };
        RowFilter::new(vec![Box::new(ArrowPredicateFn::new(only, wanted))])
    });
    let mut builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
    if let Some(filter) = filter {
        builder = builder.with_row_filter(filter);
    }
    let mut stream = builder.build().map_err(Error::storage("reading a file"))?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(Error::storage("reading rows"))?;
        rows += batch.num_rows() as u64;
        take(&Columns { batch: &batch, file, wanted: columns })?;
    }
    Ok(rows)
}

/// A batch whose columns are asked for by name and type. A missing one is an error, never a guess; but one that may
/// be null is null where it is missing: the file is older than the column.
pub struct Columns<'b> {
    batch: &'b RecordBatch,
    file: &'b DataFile,
    wanted: &'b [&'b str],
}

impl<'b> Columns<'b> {
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub fn text(&self, name: &str) -> Result<&'b StringArray, Error> {
        self.column(name)?.as_string_opt().ok_or_else(|| self.wrong(name))
    }

    /// A text column that may be null.
    pub fn text_or_null(&self, name: &str) -> Result<impl Fn(usize) -> Option<&'b str> + 'b, Error> {
        let column = self.column_if_there(name)?.map(|column| column.as_string_opt::<i32>().ok_or_else(|| self.wrong(name))).transpose()?;
        Ok(move |row| column.filter(|column| column.is_valid(row)).map(|column| column.value(row)))
    }

    /// The same of numbers.
    pub fn int_or_null(&self, name: &str) -> Result<impl Fn(usize) -> Option<i64> + 'b, Error> {
        let numbers = |column: &'b ArrayRef| column.as_primitive_opt::<Int64Type>().ok_or_else(|| self.wrong(name));
        let column = self.column_if_there(name)?.map(numbers).transpose()?;
        Ok(move |row| column.filter(|column| column.is_valid(row)).map(|column| column.value(row)))
    }

    /// The same of a column that files written before it lack: null there.
    pub fn text_if_any(&self, name: &str) -> Result<impl Fn(usize) -> Option<&'b str> + 'b, Error> {
        let column = match self.batch.column_by_name(name) {
            Some(_) => Some(self.text(name)?),
            None => None,
        };
        Ok(move |row| column.filter(|c| c.is_valid(row)).map(|c| c.value(row)))
    }

    pub fn int(&self, name: &str) -> Result<&'b Int64Array, Error> {
        self.column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| self.wrong(name))
    }

    /// A time column, in milliseconds.
    pub fn ms(&self, name: &str) -> Result<impl Fn(usize) -> i64 + 'b, Error> {
        let column = self.column(name)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| self.wrong(name))?;
        Ok(move |row| column.value(row).div_euclid(1000))
    }

    /// A time column that may be null, in milliseconds.
    pub fn ms_or_null(&self, name: &str) -> Result<impl Fn(usize) -> Option<i64> + 'b, Error> {
        let column = self.column_if_there(name)?;
        let column = column.map(|column| column.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| self.wrong(name)));
        let column = column.transpose()?;
        Ok(move |row| column.filter(|column| column.is_valid(row)).map(|column| column.value(row).div_euclid(1000)))
    }

    pub fn flag(&self, name: &str) -> Result<&'b BooleanArray, Error> {
        self.column(name)?.as_boolean_opt().ok_or_else(|| self.wrong(name))
    }

    fn column(&self, name: &str) -> Result<&'b Arc<dyn Array>, Error> {
        self.batch.column_by_name(name).ok_or_else(|| self.wrong(name))
    }

    /// None where the file is older than the column; a column that was not read at all is an error even so.
    fn column_if_there(&self, name: &str) -> Result<Option<&'b Arc<dyn Array>>, Error> {
        match self.batch.column_by_name(name) {
            None if !self.wanted.contains(&name) => Err(self.wrong(name)),
            column => Ok(column),
        }
    }

    fn wrong(&self, name: &str) -> Error {
        Error::Ledger(format!("{}: column {name} is missing or of another type", self.file.path))
    }
}

/// Reads one file's ranges from wherever the table lies.
struct Reader {
    store: Arc<dyn ObjectStore>,
    path: Path,
    bytes: u64,
}

/// Read from a file's end at once: holds the whole footer of all but the largest files.
const FOOTER_BYTES: usize = 64 * 1024;

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move { self.store.get_range(&self.path, range).await.map_err(external) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move { self.store.get_ranges(&self.path, &ranges).await.map_err(external) }.boxed()
    }

    fn get_metadata<'a>(&'a mut self, options: Option<&'a ArrowReaderOptions>) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options).with_prefetch_hint(Some(FOOTER_BYTES));
            let bytes = self.bytes;
            reader.load_and_finish(self, bytes).await.map(Arc::new)
        }
        .boxed()
    }
}

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}
