//! The folder of imports: list, forget, and where facts, bad lines and originals are.
//! `<root>/logs/<vendor>/<sha256>/{facts.parquet,ids.bin,bad.csv,import.json}`.
//!
//! * [`folder`] where things lie, and how they come there and go
//! * [`evidence`] the lines behind a figure, and the bad ones
//! * sums over facts are in [`crate::facts`]

mod evidence;
pub(crate) mod folder;

pub use evidence::{BadLine, Line};

use crate::error::StoreError;
use crate::limits::Limits;
use crate::manifest::Manifest;
use std::path::{Path, PathBuf};

/// Imports of logs below a folder. Cheap to make; holds nothing open.
#[derive(Debug, Clone)]
pub struct LogStore {
    root: PathBuf,
    pub(crate) limits: Limits,
}

impl LogStore {
    /// `root` is the bill check's folder; it need not exist yet.
    pub fn new(root: impl Into<PathBuf>, limits: Limits) -> LogStore {
        LogStore { root: root.into(), limits }
    }

    pub(crate) fn vendor_folder(&self, vendor: &str) -> Result<PathBuf, StoreError> {
        folder::of_vendor(&self.root.join("logs"), vendor)
    }

    /// Vendors with a folder of their own, by name.
    pub fn vendors(&self) -> Result<Vec<String>, StoreError> {
        let names = folder::entries(&self.root.join("logs"))?.into_iter().filter(|path| path.is_dir());
        Ok(names.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    /// Imports of a vendor, or of all, by vendor, first time and hash.
    pub fn imports(&self, vendor: Option<&str>) -> Result<Vec<Manifest>, StoreError> {
        let vendors = match vendor {
            Some(vendor) => vec![vendor.to_owned()],
            None => self.vendors()?,
        };
        let mut manifests = Vec::new();
        for vendor in vendors {
            for path in folder::entries(&self.vendor_folder(&vendor)?)? {
                if path.file_name().and_then(|name| name.to_str()).is_some_and(folder::is_hash) {
                    manifests.push(manifest(&path)?);
                }
            }
        }
        manifests.sort_by(|a, b| (&a.vendor, a.first_ms, &a.sha256).cmp(&(&b.vendor, b.first_ms, &b.sha256)));
        Ok(manifests)
    }

    /// One import; `sha256` may be its first 8 letters or more.
    pub fn find(&self, vendor: &str, sha256: &str) -> Result<Manifest, StoreError> {
        let unknown = || StoreError::Unknown { vendor: vendor.to_owned(), sha256: sha256.to_owned() };
        if sha256.len() < folder::HASH_LETTERS_MIN {
            return Err(unknown());
        }
        let mut found = self.imports(Some(vendor))?.into_iter().filter(|manifest| manifest.sha256.starts_with(sha256));
        match (found.next(), found.next()) {
            (Some(manifest), None) => Ok(manifest),
            _ => Err(unknown()),
        }
    }

    /// Removes an import. Refused while another left lines out because this one has them: they would be gone from the sums.
    pub fn forget(&self, vendor: &str, sha256: &str) -> Result<Manifest, StoreError> {
        let vendor_folder = self.vendor_folder(vendor)?;
        if !vendor_folder.is_dir() {
            return Err(StoreError::Unknown { vendor: vendor.to_owned(), sha256: sha256.to_owned() });
        }
        let _lock = folder::lock(&vendor_folder, vendor)?;
        let manifest = self.find(vendor, sha256)?;
        let leans = |other: &Manifest| other.duplicates_of.contains_key(&manifest.sha256);
        let by: Vec<String> = self.imports(Some(vendor))?.into_iter().filter(leans).map(|other| other.sha256).collect();
        if !by.is_empty() {
            return Err(StoreError::Needed { sha256: manifest.sha256, by });
        }
        folder::remove(&vendor_folder, &manifest.sha256)?;
        Ok(manifest)
    }

    /// Files of facts that may hold rows of `from_ms..to_ms`, with their import's hash: for a reader of Parquet of one's own.
    pub fn fact_files(&self, vendor: &str, from_ms: i64, to_ms: i64) -> Result<Vec<(String, PathBuf)>, StoreError> {
        let folder = self.vendor_folder(vendor)?;
        // A row's window begins up to five minutes before its lines.
        let may_hold = |manifest: &Manifest| {
            manifest.rows > 0
                && manifest.first_ms.is_some_and(|first_ms| first_ms - crate::import::WINDOW_MS < to_ms)
                && manifest.last_ms.is_some_and(|last_ms| last_ms >= from_ms)
        };
        let manifests = self.imports(Some(vendor))?.into_iter().filter(may_hold);
        Ok(manifests.map(|manifest| (manifest.sha256.clone(), folder.join(manifest.sha256).join(folder::FACTS))).collect())
    }
}

fn manifest(folder: &Path) -> Result<Manifest, StoreError> {
    let path = folder.join(folder::MANIFEST);
    let text = std::fs::read(&path).map_err(StoreError::io("reading", &path))?;
    serde_json::from_slice(&text).map_err(|error| StoreError::Damaged { path, reason: error.to_string() })
}
