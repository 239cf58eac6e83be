//! Requests that were counted before, in this file or in another: exactly, by 128 bits of hash of request id and time.
//! Each import keeps the ids it counted, sorted, in `ids.bin`; they are read side by side, so memory stays bounded.

use super::groups::Groups;
use super::spill::{PARTS, Record, Spill};
use crate::error::StoreError;
use crate::manifest::Manifest;
use crate::store::folder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use twox_hash::XxHash64;

const ID_BYTES: usize = 16;
/// Room for reading earlier imports' ids, all together.
const CURSORS_BYTES: usize = 8 << 20;

/// What a repetition of a request has in common with it. The time is part of it, because some vendors' ids are short
/// and come again on another day; a line delivered twice has the same time.
pub(crate) fn id_of(request_id: &[u8], time_ms: i64) -> u128 {
    let half = |seed: u64| u128::from(XxHash64::oneshot(seed ^ time_ms as u64, request_id));
    half(0x6c69_7665_6d65_7465) << 64 | half(0x7265_7175_6573_7473)
}

/// The ids an earlier import counted, from the smallest on. Opened anew for each read: there may be thousands of them.
struct Cursor {
    sha256: String,
    path: PathBuf,
    at: u64,
    chunk: Vec<u8>,
    next: usize,
    chunk_bytes: usize,
}

impl Cursor {
    /// True when the id is among them. Must be asked in ascending order.
    fn has(&mut self, id: u128) -> Result<bool, StoreError> {
        loop {
            let Some(bytes) = self.chunk.get(self.next..self.next + ID_BYTES) else {
                if !self.refill()? {
                    return Ok(false);
                }
                continue;
            };
            let theirs = u128::from_be_bytes(std::array::from_fn(|i| bytes[i]));
            if theirs >= id {
                return Ok(theirs == id);
            }
            self.next += ID_BYTES;
        }
    }

    fn refill(&mut self) -> Result<bool, StoreError> {
        let file = File::open(&self.path).map_err(StoreError::io("opening", &self.path))?;
        self.chunk.resize(self.chunk_bytes, 0);
        let mut filled = 0;
        while filled < self.chunk.len() {
            match file.read_at(&mut self.chunk[filled..], self.at + filled as u64).map_err(StoreError::io("reading", &self.path))? {
                0 => break,
                count => filled += count,
            }
        }
        if !filled.is_multiple_of(ID_BYTES) {
            return Err(StoreError::Damaged { path: self.path.clone(), reason: "its length is no multiple of 16".to_owned() });
        }
        self.chunk.truncate(filled);
        (self.at, self.next) = (self.at + filled as u64, 0);
        Ok(filled > 0)
    }
}

/// What came of the records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) duplicates: u64,
    pub(crate) duplicates_of: BTreeMap<String, u64>,
}

/// Adds every record to its group that no other stands for: the first line of a file, the first import of a vendor.
/// Writes the ids counted to `ids.bin`.
pub(crate) fn count(
    spill: &mut Spill,
    groups: &mut Groups,
    vendor_folder: &Path,
    earlier: &[Manifest],
    ids: &Path,
) -> Result<Counted, StoreError> {
    let chunk_bytes = (CURSORS_BYTES / earlier.len().max(1) / ID_BYTES * ID_BYTES).clamp(4 << 10, 256 << 10);
    let cursor = |manifest: &Manifest| Cursor {
        sha256: manifest.sha256.clone(),
        path: vendor_folder.join(&manifest.sha256).join(folder::IDS),
        at: 0,
        chunk: Vec::new(),
        next: 0,
        chunk_bytes,
    };
    let mut cursors: Vec<Cursor> = earlier.iter().map(cursor).collect();
    let mut out = BufWriter::with_capacity(256 << 10, File::create(ids).map_err(StoreError::io("creating", ids))?);
    let (mut counted, mut records) = (Counted::default(), Vec::<Record>::new());
    for part in 0..PARTS {
        spill.part(part, &mut records).map_err(StoreError::io("reading spilled records beside", ids))?;
        for same in records.chunk_by(|a, b| a.id == b.id) {
            let id = same[0].id;
            let mut owner = None;
            for cursor in &mut cursors {
                if cursor.has(id)? {
                    owner = Some(&cursor.sha256);
                    break;
                }
            }
            let repeated = match owner {
                Some(sha256) => {
                    *counted.duplicates_of.entry(sha256.clone()).or_default() += same.len() as u64;
                    same.len()
                }
                None => {
                    groups.add(same[0].group, same[0].bytes, same[0].line);
                    counted.lines += 1;
                    counted.bytes += same[0].bytes;
                    out.write_all(&id.to_be_bytes()).map_err(StoreError::io("writing", ids))?;
                    same.len() - 1
                }
            };
            counted.duplicates += repeated as u64;
        }
    }
    let file = out.into_inner().map_err(|error| StoreError::io("writing", ids)(error.into_error()))?;
    file.sync_all().map_err(StoreError::io("syncing", ids))?;
    Ok(counted)
}
