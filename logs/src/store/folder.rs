//! Where things lie: `<root>/logs/<vendor>/<sha256>/…`. An import is written beside its place and moved there whole.

use crate::error::StoreError;
use crate::manifest::Manifest;
use sha2::{Digest, Sha256};
use std::fs::{File, TryLockError};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const FACTS: &str = "facts.parquet";
pub(crate) const IDS: &str = "ids.bin";
pub(crate) const BAD: &str = "bad.csv";
pub(crate) const MANIFEST: &str = "import.json";
/// The file as it was given, if it was packed; packed here if it was not.
const ORIGINAL: &str = "original";
const ORIGINAL_ZSTD: &str = "original.zst";
const TEMPORARY: &str = ".importing-";
const FORGOTTEN: &str = ".forgotten-";
const LOCK: &str = ".lock";

/// `<kind folder>/<vendor>`, checked: the vendor's id becomes a folder's name.
pub(crate) fn of_vendor(kind: &Path, vendor: &str) -> Result<PathBuf, StoreError> {
    let fits = (1..=64).contains(&vendor.len()) && vendor.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !fits {
        return Err(StoreError::Vendor(vendor.to_owned()));
    }
    Ok(kind.join(vendor))
}

/// Held while a vendor's folder is changed; freed by the system, however the process ends.
pub(crate) fn lock(vendor_folder: &Path, vendor: &str) -> Result<File, StoreError> {
    std::fs::create_dir_all(vendor_folder).map_err(StoreError::io("creating", vendor_folder))?;
    let path = vendor_folder.join(LOCK);
    let file = File::create(&path).map_err(StoreError::io("creating", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { vendor: vendor.to_owned() }),
        Err(TryLockError::Error(error)) => Err(StoreError::io("locking", &path)(error)),
    }
}

/// Removes what a process that was killed left behind. Only under the lock.
pub(crate) fn sweep(vendor_folder: &Path) -> Result<(), StoreError> {
    for path in entries(vendor_folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(TEMPORARY) || name.starts_with(FORGOTTEN) {
            std::fs::remove_dir_all(&path).map_err(StoreError::io("removing", &path))?;
        }
    }
    Ok(())
}

pub(crate) fn temporary(vendor_folder: &Path) -> Result<TempDir, StoreError> {
    tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(vendor_folder).map_err(StoreError::io("creating a folder in", vendor_folder))
}

/// Writes the manifest and moves the folder to its place: from then on the import is there, whole and on the disk.
pub(crate) fn publish(temporary: TempDir, vendor_folder: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let path = temporary.path().join(MANIFEST);
    let text =
        serde_json::to_vec_pretty(manifest).map_err(|error| StoreError::Damaged { path: path.clone(), reason: error.to_string() })?;
    write_synced(&path, &text)?;
    sync(temporary.path())?;
    let place = vendor_folder.join(&manifest.sha256);
    std::fs::rename(temporary.path(), &place).map_err(StoreError::io("moving to its place", &place))?;
    // It is no temporary folder any more: nothing is to be removed when the guard goes.
    let _ = temporary.keep();
    sync(vendor_folder)
}

/// Takes an import away: first out of sight, then off the disk.
pub(crate) fn remove(vendor_folder: &Path, sha256: &str) -> Result<(), StoreError> {
    let (place, forgotten) = (vendor_folder.join(sha256), vendor_folder.join(format!("{FORGOTTEN}{sha256}")));
    std::fs::rename(&place, &forgotten).map_err(StoreError::io("moving away", &place))?;
    sync(vendor_folder)?;
    std::fs::remove_dir_all(&forgotten).map_err(StoreError::io("removing", &forgotten))
}

/// Copies the file into the import's folder, packed if it is not. Returns the SHA-256 of what was copied.
pub(crate) fn keep_original(path: &Path, folder: &Path, packing: &str) -> Result<String, StoreError> {
    let target = folder.join(if packing == "none" { ORIGINAL_ZSTD } else { ORIGINAL });
    let copy = || -> io::Result<String> {
        let mut from = BufReader::with_capacity(256 << 10, File::open(path)?);
        let out = File::create(&target)?;
        let (file, sha256) = if packing == "none" {
            let mut encoder = zstd::Encoder::new(out, 3)?;
            let sha256 = copy_hashed(&mut from, &mut encoder)?;
            (encoder.finish()?, sha256)
        } else {
            let mut out = out;
            let sha256 = copy_hashed(&mut from, &mut out)?;
            (out, sha256)
        };
        file.sync_all()?;
        Ok(sha256)
    };
    copy().map_err(StoreError::io("keeping a copy of", path))
}

fn copy_hashed(from: &mut impl Read, to: &mut impl Write) -> io::Result<String> {
    let (mut sha256, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex::encode(sha256.finalize()));
        }
        sha256.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
}

/// The store's own copy, and whether it was packed here.
pub(crate) fn original(import_folder: &Path, packing: &str) -> (PathBuf, bool) {
    match packing {
        "none" => (import_folder.join(ORIGINAL_ZSTD), true),
        _ => (import_folder.join(ORIGINAL), false),
    }
}

pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = File::create(path).map_err(StoreError::io("creating", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(StoreError::io("writing", path))
}

pub(crate) fn sync(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::io("syncing", folder))
}

/// Entries of a folder by name; of a folder that is not there, none.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()),
    };
    let mut paths = listed.map_err(StoreError::io("listing", folder))?;
    paths.sort();
    Ok(paths)
}

/// Shorter beginnings of a hash are not taken for one.
pub(crate) const HASH_LETTERS_MIN: usize = 8;

/// True for a folder or a file named by a hash.
pub(crate) fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
