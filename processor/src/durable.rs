//! Makes what was written to a local folder survive a power cut. Object stores promise that themselves;
//! a file system does only once asked.

use crate::error::Error;
use deltalake::DeltaTableError;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use url::Url;

/// Returns once these data files, and their names, are on the disk.
pub async fn files(root: &Url, paths: impl Iterator<Item = &str>) -> Result<(), Error> {
    let Ok(root) = root.to_file_path() else { return Ok(()) };
    sync(paths.map(|path| root.join(path)).collect()).await.map_err(Error::storage("making files durable"))
}

/// Returns once a version's log entry is on the disk.
pub async fn log_entry(root: &Url, version: u64) -> Result<(), DeltaTableError> {
    let Ok(root) = root.to_file_path() else { return Ok(()) };
    sync(vec![root.join("_delta_log").join(format!("{version:020}.json"))]).await
}

/// Returns once every checkpoint that stands in the log's folder, and what points at the latest, is on the disk: what they
/// make superfluous may be removed after that.
pub async fn checkpoints(root: &Url) -> Result<(), Error> {
    let Ok(root) = root.to_file_path() else { return Ok(()) };
    let log = root.join("_delta_log");
    let of_checkpoints = |file: &std::fs::DirEntry| file.file_name().to_string_lossy().contains("checkpoint");
    let found = std::fs::read_dir(&log).map(|files| files.flatten().filter(of_checkpoints).map(|file| file.path()).collect());
    let found = found.map_err(DeltaTableError::from).map_err(Error::storage("looking for checkpoints"))?;
    sync(found).await.map_err(Error::storage("making checkpoints durable"))
}

async fn sync(files: Vec<PathBuf>) -> Result<(), DeltaTableError> {
    let work = tokio::task::spawn_blocking(move || {
        let mut folders = BTreeSet::new();
        for file in &files {
            File::open(file)?.sync_all()?;
            folders.extend(file.parent().map(PathBuf::from));
        }
        folders.iter().try_for_each(|folder| File::open(folder)?.sync_all())
    });
    work.await.map_err(|e| DeltaTableError::Generic(e.to_string()))?.map_err(DeltaTableError::from)
}
