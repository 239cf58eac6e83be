//! A file of settings, keys or regions: whole, and never more of it than it may be; and what tells that it has
//! changed. What it means is for those who asked for it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// What tells one state of a file from another: its time, its length, and which file it is.
pub type Mark = (SystemTime, u64, u64);

/// `None` where there is no such file.
pub fn mark(path: &Path) -> Option<Mark> {
    let facts = std::fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len(), facts.ino()))
}

/// Never more than `limit` bytes, whatever the file is.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let mut file = File::open(path).map_err(|e| e.to_string())?.take(limit as u64 + 1);
    file.read_to_end(&mut text).map_err(|e| e.to_string())?;
    if text.len() > limit {
        return Err(format!("it is more than {limit} bytes, which is the limit"));
    }
    Ok(text)
}
