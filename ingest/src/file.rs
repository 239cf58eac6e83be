//! A file of settings, keys or regions: whole, and never more of it than it may be. What it means is for those
//! who asked for it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

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
