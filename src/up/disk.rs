//! How much disk the tree uses, how much is free, and what follows from it.

use nix::sys::statvfs::statvfs;
use std::path::Path;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Broker and demo data together.
    pub used_max: u64,
    /// Free space of the file system.
    pub free_min: u64,
}

/// What the disk allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// The demo has filled its share: the audience goes home, everything else stays up.
    StopAudience,
    /// The machine's disk is nearly full: stop everything, in order.
    StopAll,
}

/// Pure: the decision alone.
pub fn judge(used: u64, free: u64, limits: Limits) -> Verdict {
    if free < limits.free_min {
        Verdict::StopAll
    } else if used > limits.used_max {
        Verdict::StopAudience
    } else {
        Verdict::Fine
    }
}

/// Whether it is time to delete from the broker what the ledger has: at half of the share, so that
/// the newest records stay for looking at as long as there is room.
pub fn should_trim(broker_used: u64, limits: Limits) -> bool {
    broker_used > limits.used_max / 2
}

pub fn free_bytes(path: &Path) -> nix::Result<u64> {
    let stat = statvfs(path)?;
    Ok(stat.blocks_available() as u64 * stat.fragment_size() as u64)
}

/// Allocated bytes of all files below `path`. Files that vanish meanwhile count nothing.
pub fn used_bytes(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => used_bytes(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |m| std::os::unix::fs::MetadataExt::blocks(&m) * 512),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_comes_before_the_demo() {
        let limits = Limits { used_max: 100, free_min: 10 };
        assert_eq!(judge(100, 10, limits), Verdict::Fine);
        assert_eq!(judge(101, 10, limits), Verdict::StopAudience);
        assert_eq!(judge(0, 9, limits), Verdict::StopAll);
        assert_eq!(judge(101, 9, limits), Verdict::StopAll);
        assert!(!should_trim(50, limits) && should_trim(51, limits));
    }
}
