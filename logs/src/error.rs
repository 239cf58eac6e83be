//! What can go wrong with a log and its store, by cause. Each says whether to try again.

use std::io;
use std::path::PathBuf;

/// Why nothing was imported. Nothing of the file is in the store then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is of another format, or broken from the start.
    #[error("line {line} {}`{name}`: {reason}; {hint}", place(*field))]
    WrongFormat { line: u64, field: usize, name: String, reason: String, hint: String },
    #[error("the file has no line of {format}: {lines} lines were read")]
    Empty { format: String, lines: u64 },
    #[error("`{field}`: {value} is over the limit `{limit}` of {max}")]
    Limit { field: &'static str, value: u64, limit: &'static str, max: u64 },
    #[error("`{field}`: {reason}")]
    Request { field: &'static str, reason: String },
    #[error("the file cannot be unpacked after {at_bytes} bytes of text: {reason}")]
    Packed { at_bytes: u64, reason: String },
    #[error("the file changed while it was read: {path}")]
    Changed { path: PathBuf },
    #[error("stopped by the caller")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the store could not answer, or take something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{what} {path}: {source}")]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("another import of vendor {vendor} is running")]
    Busy { vendor: String },
    #[error("no import {sha256} of vendor {vendor}")]
    Unknown { vendor: String, sha256: String },
    #[error("`{0}` is no vendor's id: small letters, digits and hyphens, at most 64")]
    Vendor(String),
    #[error("import {sha256} stands for lines that {} later imports repeat: forget those first ({})", by.len(), by.join(", "))]
    Needed { sha256: String, by: Vec<String> },
    #[error("{path} is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("the original of {sha256} is not there any more, or is another file now: {path}")]
    OriginalGone { sha256: String, path: PathBuf },
    #[error("{what}: {value} is over the limit `{limit}` of {max}")]
    Limit { what: &'static str, value: u64, limit: &'static str, max: u64 },
}

fn place(field: usize) -> String {
    if field == 0 { String::new() } else { format!("field {field} ") }
}

impl ImportError {
    /// True where the same request may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        match self {
            ImportError::Store(error) => error.is_transient(),
            ImportError::Changed { .. } => true,
            _ => false,
        }
    }
}

impl StoreError {
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Busy { .. } | StoreError::Io { .. })
    }

    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.into();
        move |source| StoreError::Io { what, path, source }
    }
}
