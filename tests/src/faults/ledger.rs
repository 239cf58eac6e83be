//! The folder of the ledger. With root's rights it lies on a small file system in memory, of its own, so that a
//! full disk is one's own; else in a plain folder, and the disk is not filled.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says that this process sees mounts that nobody else sees.
const ALONE: &str = "FAULTS_MOUNTS_ARE_OURS";

/// Starts this program again where what it mounts is seen by nobody else, and is gone with it, however it ends.
/// Returns where that is not allowed.
pub fn alone() {
    if std::env::var_os(ALONE).is_none()
        && std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
        && let Ok(program) = std::env::current_exe()
    {
        let may = Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success());
        if may {
            let error = Command::new("unshare").args(["--mount", "--propagation", "private"]).arg(program).env(ALONE, "1").exec();
            eprintln!("unshare: {error}");
        }
    }
}

pub struct Ledger {
    folder: PathBuf,
    /// Whether the file system is ours to fill.
    pub ours: bool,
}

impl Ledger {
    pub fn make(folder: &Path, mib: u64) -> Result<Ledger> {
        std::fs::create_dir_all(folder).context("the ledger's folder")?;
        let ours = std::env::var_os(ALONE).is_some() && {
            let size = format!("size={mib}m");
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "livemeter-faults"]).arg(folder).status().is_ok_and(|s| s.success())
        };
        Ok(Ledger { folder: folder.to_owned(), ours })
    }

    /// What `--ledger` is given.
    pub fn root(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Leaves no byte free.
    pub fn fill(&self) -> Result<()> {
        ensure!(self.ours, "only a file system of our own is filled");
        let mut file = File::options().create(true).append(true).open(self.filler()).context("the filler")?;
        let block = vec![1u8; 1 << 20];
        let mut length = block.len();
        while length > 0 {
            match file.write_all(&block[..length]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => length /= 2,
                Err(error) => return Err(error).context("filling the disk"),
            }
        }
        Ok(())
    }

    pub fn free(&self) -> Result<()> {
        std::fs::remove_file(self.filler()).context("making room")
    }
}

/// The folder below can be removed then; what is in use still is nobody's by now.
impl Drop for Ledger {
    fn drop(&mut self) {
        if self.ours {
            let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
        }
    }
}
