//! Sums into a file of Parquet, sorted by window, so that a reader of a day skips the rest.

use super::schema;
use crate::error::StoreError;
use crate::import::groups::{Group, Groups, NO_SESSION};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

const BATCH_ROWS: usize = 32 << 10;
const ROW_GROUP_ROWS: usize = 128 << 10;

/// Writes the groups that hold requests. Returns the rows.
pub(crate) fn write(groups: &mut Groups, path: &Path) -> Result<u64, StoreError> {
    let (domains, regions, sessions) = (&groups.domains, &groups.regions, &groups.sessions);
    groups.groups.retain(|group| group.requests > 0);
    let session = |group: &Group| (group.key.session != NO_SESSION).then(|| sessions.get(group.key.session));
    let order = |group: &Group| (group.key.window, domains.get(group.key.domain), regions.get(group.key.region), session(group));
    groups.groups.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    let damaged = |error: parquet::errors::ParquetError| StoreError::Damaged { path: path.to_owned(), reason: error.to_string() };
    let file = File::create(path).map_err(StoreError::io("creating", path))?;
    let zstd = ZstdLevel::try_new(3).map_err(damaged)?;
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(zstd)).set_max_row_group_row_count(Some(ROW_GROUP_ROWS)).build();
    let mut writer = ArrowWriter::try_new(file, schema(), Some(properties)).map_err(damaged)?;
    for rows in groups.groups.chunks(BATCH_ROWS) {
        let batch = batch(rows, groups).map_err(|error| damaged(error.into()))?;
        writer.write(&batch).map_err(damaged)?;
    }
    let file = writer.into_inner().map_err(damaged)?;
    file.sync_all().map_err(StoreError::io("syncing", path))?;
    Ok(groups.groups.len() as u64)
}

fn batch(rows: &[Group], groups: &Groups) -> Result<RecordBatch, arrow::error::ArrowError> {
    let domains = rows.iter().map(|row| groups.domains.get(row.key.domain));
    let regions = rows.iter().map(|row| groups.regions.get(row.key.region));
    let long = |of: fn(&Group) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) };
    let sessions = rows.iter().map(|row| (row.key.session != NO_SESSION).then(|| groups.sessions.get(row.key.session)));
    // None of these can be past i64: the sum of all bytes was checked on the way.
    RecordBatch::try_new(
        schema(),
        vec![
            long(|row| row.key.window_start_ms()),
            Arc::new(StringArray::from_iter_values(domains)),
            Arc::new(StringArray::from_iter_values(regions)),
            Arc::new(sessions.collect::<StringArray>()),
            long(|row| row.bytes as i64),
            long(|row| row.requests as i64),
            long(|row| row.first_line as i64),
            long(|row| row.last_line as i64),
        ],
    )
}
