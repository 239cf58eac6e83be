//! A log file → facts, all or nothing: read, counted, repetitions left out, stored under the file's hash.
//!
//! * [`source`]  the file as text: unpacked, hashed
//! * [`lines`]   the text as lines
//! * [`head`]    whether it is the format that was said
//! * [`groups`]  the sums, in memory; [`intern`] their texts
//! * [`spill`]   lines with a request's id, on disk; [`repeats`] those that were counted before
//! * [`bad`]     the lines that could not be read

mod bad;
pub(crate) mod groups;
mod head;
mod intern;
pub(crate) mod lines;
mod reading;
mod repeats;
pub(crate) mod source;
mod spill;

pub use groups::WINDOW_MS;

use crate::error::{ImportError, StoreError};
use crate::facts;
use crate::format::Format;
use crate::manifest::Manifest;
use crate::store::{LogStore, folder};
use reading::Reading;
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What is to be imported, and how it is to be read.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// Small letters, digits and hyphens.
    pub vendor: String,
    pub path: PathBuf,
    /// The file's name as people know it; default: that of `path`.
    pub name: Option<String>,
    pub format: Format,
    /// Domain of lines that name none; nginx's combined format needs it.
    pub domain: Option<String>,
    /// Region of lines that name none; default: empty.
    pub region: Option<String>,
    /// The vendor's names of regions → those of the contract. A region that is not here stays as it is.
    pub regions: BTreeMap<String, String>,
    /// Sum lines as if none had a session: for files with more of them than the limit allows.
    pub without_sessions: bool,
    /// Keep a copy of the file (packed), for files that go away after the import, such as uploads.
    pub keep_original: bool,
    /// The caller's clock.
    pub imported_at_ms: i64,
}

impl ImportRequest {
    /// A request with nothing but what must be said.
    pub fn new(vendor: &str, path: impl Into<PathBuf>, format: Format, imported_at_ms: i64) -> ImportRequest {
        ImportRequest {
            vendor: vendor.to_owned(),
            path: path.into(),
            name: None,
            format,
            domain: None,
            region: None,
            regions: BTreeMap::new(),
            without_sessions: false,
            keep_original: false,
            imported_at_ms,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub manifest: Manifest,
    /// True when the same bytes had been imported before: nothing was changed, and the manifest is the old one.
    pub known: bool,
}

/// How far an import is. Called about four times a MiB of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file read, of `file_bytes`.
    pub done_bytes: u64,
    pub file_bytes: u64,
    /// Bytes of text, once unpacked.
    pub text_bytes: u64,
    pub lines: u64,
}

impl LogStore {
    /// Imports a file. `progress` may stop it by `ControlFlow::Break`; nothing is left of it then.
    /// One import of a vendor runs at a time: another is refused as busy.
    pub fn import(&self, request: &ImportRequest, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Imported, ImportError> {
        check(request)?;
        let vendor_folder = self.vendor_folder(&request.vendor)?;
        let _lock = folder::lock(&vendor_folder, &request.vendor)?;
        folder::sweep(&vendor_folder)?;
        let earlier = self.imports(Some(&request.vendor))?;
        if earlier.len() >= self.limits.imports_max {
            let (value, max) = (earlier.len() as u64 + 1, self.limits.imports_max as u64);
            return Err(ImportError::Limit { field: "imports of the vendor", value, limit: "imports_max", max });
        }
        let (file, before) = open(&request.path)?;
        if let Some(known) = known_by_length(&earlier, before.len(), &request.path)? {
            return Ok(Imported { manifest: known, known: true });
        }
        let temporary = folder::temporary(&vendor_folder)?;
        let mut reading = Reading::new(request, &self.limits, temporary.path())?;
        let read = reading.read(file, before.len(), progress)?;
        if changed(&before, &request.path)? {
            return Err(ImportError::Changed { path: request.path.clone() });
        }
        if let Some(known) = earlier.iter().find(|manifest| manifest.sha256 == read.sha256) {
            return Ok(Imported { manifest: known.clone(), known: true });
        }
        let mut manifest = reading.finish(request, read, &earlier, &vendor_folder)?;
        if request.keep_original {
            let kept = folder::keep_original(&request.path, temporary.path(), &manifest.packing)?;
            if kept != manifest.sha256 {
                return Err(ImportError::Changed { path: request.path.clone() });
            }
            manifest.kept_original = true;
        }
        folder::publish(temporary, &vendor_folder, &manifest)?;
        Ok(Imported { manifest, known: false })
    }
}

fn check(request: &ImportRequest) -> Result<(), ImportError> {
    if !request.format.mapping().names_hosts() && request.domain.as_ref().is_none_or(String::is_empty) {
        let reason = format!("lines of {} name no host: say which domain they are of", request.format.name());
        return Err(ImportError::Request { field: "domain", reason });
    }
    Ok(())
}

fn open(path: &Path) -> Result<(File, Metadata), StoreError> {
    let file = File::open(path).map_err(StoreError::io("opening", path))?;
    let metadata = file.metadata().map_err(StoreError::io("looking at", path))?;
    Ok((file, metadata))
}

/// A file as long as one that was imported is hashed first: it costs less than to read all its lines.
fn known_by_length(earlier: &[Manifest], file_bytes: u64, path: &Path) -> Result<Option<Manifest>, StoreError> {
    if !earlier.iter().any(|manifest| manifest.file_bytes == file_bytes) {
        return Ok(None);
    }
    let sha256 = source::sha256(open(path)?.0).map_err(StoreError::io("reading", path))?;
    Ok(earlier.iter().find(|manifest| manifest.sha256 == sha256).cloned())
}

fn changed(before: &Metadata, path: &Path) -> Result<bool, StoreError> {
    let after = std::fs::metadata(path).map_err(StoreError::io("looking at", path))?;
    Ok(before.len() != after.len() || before.modified().ok() != after.modified().ok())
}
