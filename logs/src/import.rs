//! A log file → facts, all or nothing.

use crate::error::ImportError;
use crate::format::Format;
use crate::manifest::Manifest;
use crate::store::LogStore;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

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
    /// Keep a copy of the file (packed), for files that go away after the import, such as uploads.
    pub keep_original: bool,
    /// The caller's clock.
    pub imported_at_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub manifest: Manifest,
    /// True when the same bytes had been imported before: nothing was changed, and the manifest is the old one.
    pub known: bool,
}

/// How far an import is. Called about every 4 MiB of text.
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
    pub fn import(
        &self,
        _request: &ImportRequest,
        _progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Imported, ImportError> {
        todo!()
    }
}
