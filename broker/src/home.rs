//! The data folder: its lock, the cluster's id, where the one file lies. Also the tie to the process
//! that started us. Knows nothing of Kafka.

use anyhow::{Context as _, bail};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A broker that is being killed may hold its folder a little longer than its parent lives.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// An open data folder. The lock goes when this does, or when the process dies.
pub struct Home {
    pub cluster_id: String,
    /// The SQLite file, absolute.
    pub file: PathBuf,
    _lock: File,
}

impl Home {
    /// Opens the folder, creating it when missing. Also makes it the working directory, because
    /// tansu reads the path of its file relative to that, whatever the path says.
    pub async fn open(folder: &Path, cluster_id: Option<&str>) -> anyhow::Result<Home> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create the data folder {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let lock = lock(&folder).await?;
        let cluster_id = settle_cluster_id(&folder.join("cluster-id"), cluster_id)?;
        std::env::set_current_dir(&folder)?;
        Ok(Home { cluster_id, file: folder.join(FILE), _lock: lock })
    }
}

/// Name of the SQLite file in the data folder.
pub const FILE: &str = "broker.sqlite";

async fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(TryLockError::WouldBlock) => bail!("another broker uses {}", folder.display()),
            Err(TryLockError::Error(e)) => return Err(e).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

/// The id on file is the law: records belong to the cluster that took them, and the ledger's offsets
/// are kept under its id. Another one is refused, not adopted.
fn settle_cluster_id(path: &Path, wanted: Option<&str>) -> anyhow::Result<String> {
    if path.exists() {
        let kept = std::fs::read_to_string(path)?.trim().to_owned();
        match wanted {
            Some(wanted) if wanted != kept => bail!("--cluster-id is {wanted:?}, but {} holds the records of {kept:?}", path.display()),
            _ if kept.is_empty() => bail!("{} is empty; write the cluster's id into it", path.display()),
            _ => return Ok(kept),
        }
    }
    let id = wanted.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
    if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        bail!("--cluster-id is {id:?}; 1 to 64 letters, digits, '-', '_' and '.' are accepted");
    }
    // Written aside, synced and renamed: half an id must never be read as one.
    let aside = path.with_extension("new");
    std::fs::write(&aside, format!("{id}\n"))?;
    File::open(&aside)?.sync_all()?;
    std::fs::rename(&aside, path)?;
    Ok(id)
}

/// Asks the kernel to kill us when the thread that started us ends, and ends at once when it already has.
pub fn die_with_parent() -> anyhow::Result<()> {
    let parent = nix::unistd::getppid();
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    if nix::unistd::getppid() != parent {
        bail!("the process that started this one is gone");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_id_is_kept_and_another_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster-id");
        let first = settle_cluster_id(&path, None).unwrap();
        assert_eq!(settle_cluster_id(&path, None).unwrap(), first);
        assert_eq!(settle_cluster_id(&path, Some(&first)).unwrap(), first);
        assert!(settle_cluster_id(&path, Some("other")).unwrap_err().to_string().contains("other"));
        assert!(settle_cluster_id(&folder.path().join("new"), Some("a b")).is_err());
    }
}
