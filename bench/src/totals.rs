//! What was written, read back: bytes per CDN and the size of what holds them, from a Delta table or from a
//! folder of Parquet files. Read with a reader that belongs to neither of those who wrote.

use anyhow::{Context, Result, ensure};
use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::Int64Type;
use deltalake::DeltaTable;
use deltalake::datafusion::prelude::{ParquetReadOptions, SessionContext};
use livemeter_schemas::ledger;
use std::collections::BTreeMap;
use std::path::Path;
use url::Url;

/// What one side has stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    pub bytes_by_cdn: BTreeMap<String, i64>,
    pub rows: i64,
    pub files: u64,
    /// Size of the live data files.
    pub file_bytes: u64,
}

const PER_CDN: &str = "SELECT CAST(cdn AS VARCHAR) AS cdn, SUM(bytes) AS bytes, COUNT(*) AS n FROM stored";

/// The live files of the table of increments below a ledger's root.
pub async fn of_ledger(root: &Path) -> Result<Stored> {
    let folder = root.join(ledger::INCREMENTS);
    let url = Url::from_directory_path(&folder).ok().context("the ledger's folder is not absolute")?;
    let mut table = DeltaTable::try_from_url(url).await?;
    table.load().await?;
    let paths: Vec<_> = table.get_file_uris()?.collect();
    let mut sizes = Vec::new();
    for path in &paths {
        sizes.push(std::fs::metadata(path.trim_start_matches("file://"))?.len());
    }
    let context = SessionContext::new();
    context.register_table("stored", std::sync::Arc::new(table.table_provider().build().await?))?;
    let condition = format!("WHERE status = '{}'", ledger::BOOKED);
    summed(&context, &condition, &sizes).await
}

/// Every file in a folder; those that are still being written begin with a dot or an underscore.
pub async fn of_parquet(folder: &Path) -> Result<Stored> {
    let mut sizes = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(['.', '_']) {
            sizes.push(entry.metadata()?.len());
        }
    }
    ensure!(!sizes.is_empty(), "no Parquet file in {}", folder.display());
    let context = SessionContext::new();
    let path = folder.to_str().context("the folder's name is not UTF-8")?;
    context.register_parquet("stored", path, ParquetReadOptions { file_extension: "", ..ParquetReadOptions::default() }).await?;
    summed(&context, "", &sizes).await
}

async fn summed(context: &SessionContext, condition: &str, sizes: &[u64]) -> Result<Stored> {
    let batches = context.sql(&format!("{PER_CDN} {condition} GROUP BY cdn")).await?.collect().await?;
    let mut stored = Stored { files: sizes.len() as u64, file_bytes: sizes.iter().sum(), ..Stored::default() };
    for batch in batches {
        let cdns = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8)?;
        let (cdns, bytes, rows) =
            (cdns.as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>(), batch.column(2).as_primitive::<Int64Type>());
        for row in 0..batch.num_rows() {
            ensure!(!bytes.is_null(row), "a CDN without a sum");
            stored.bytes_by_cdn.insert(cdns.value(row).to_owned(), bytes.value(row));
            stored.rows += rows.value(row);
        }
    }
    Ok(stored)
}
