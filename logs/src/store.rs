//! The folder of imports: list, forget, sums, bad lines, and the lines behind a figure.
//! `<root>/logs/<vendor>/<sha256>/{facts.parquet,ids.bin,bad.csv,import.json}`.

use crate::error::StoreError;
use crate::facts::{Filter, SessionTraffic, Traffic};
use crate::limits::Limits;
use crate::manifest::Manifest;
use arrow::record_batch::RecordBatch;
use std::ops::RangeInclusive;
use std::path::PathBuf;

pub struct LogStore {
    pub(crate) root: PathBuf,
    pub(crate) limits: Limits,
}

/// A line that could not be read, as far as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub line: u64,
    pub reason: String,
    /// Its beginning; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// A line of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub number: u64,
    pub text: String,
}

/// Facts, a batch at a time, in the columns of [`crate::facts::schema`] and `import` (SHA-256) after them.
pub type FactBatches = Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + Send>;

impl LogStore {
    /// `root` is the bill check's folder; it need not exist yet.
    pub fn new(root: impl Into<PathBuf>, limits: Limits) -> LogStore {
        LogStore { root: root.into(), limits }
    }

    /// Vendors with at least one import, by name.
    pub fn vendors(&self) -> Result<Vec<String>, StoreError> {
        todo!()
    }

    /// Imports of a vendor, or of all, by vendor, first time and hash.
    pub fn imports(&self, _vendor: Option<&str>) -> Result<Vec<Manifest>, StoreError> {
        todo!()
    }

    /// One import; `sha256` may be its first 8 letters or more.
    pub fn find(&self, _vendor: &str, _sha256: &str) -> Result<Manifest, StoreError> {
        todo!()
    }

    /// Removes an import. Refused while another left lines out because this one has them.
    pub fn forget(&self, _vendor: &str, _sha256: &str) -> Result<Manifest, StoreError> {
        todo!()
    }

    /// Files of facts that may hold rows of `from_ms..to_ms`, with their import's hash: for a reader of Parquet of one's own.
    pub fn fact_files(&self, _vendor: &str, _from_ms: i64, _to_ms: i64) -> Result<Vec<(String, PathBuf)>, StoreError> {
        todo!()
    }

    /// Facts whose window begins in `from_ms..to_ms`, in no order.
    pub fn facts(&self, _vendor: &str, _from_ms: i64, _to_ms: i64, _filter: &Filter) -> Result<FactBatches, StoreError> {
        todo!()
    }

    /// Sums per (window, domain, region), in that order.
    pub fn traffic(&self, _vendor: &str, _from_ms: i64, _to_ms: i64, _filter: &Filter) -> Result<Vec<Traffic>, StoreError> {
        todo!()
    }

    /// Sums per session, by session, those without one first.
    pub fn sessions(&self, _vendor: &str, _from_ms: i64, _to_ms: i64, _filter: &Filter) -> Result<Vec<SessionTraffic>, StoreError> {
        todo!()
    }

    pub fn bad_lines(&self, _vendor: &str, _sha256: &str) -> Result<Vec<BadLine>, StoreError> {
        todo!()
    }

    /// Lines of the original, if it is still there with that hash, or the store keeps it.
    pub fn lines(&self, _vendor: &str, _sha256: &str, _lines: RangeInclusive<u64>) -> Result<Vec<Line>, StoreError> {
        todo!()
    }
}
