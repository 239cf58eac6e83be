//! What is written down about an import, as `import.json` beside its facts. The store lists these.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Counts add up: `lines` = `counted_lines` + `skipped_lines` + `duplicate_lines` + `bad_lines`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub v: u32,
    pub vendor: String,
    /// The file's name as people know it.
    pub name: String,
    /// Where it was read from; the lines behind a figure are read there again.
    pub path: PathBuf,
    /// SHA-256 of the file's bytes as given (packed ones packed), hex. The import's name.
    pub sha256: String,
    /// `cloudfront`, …, `mapping:<name>`.
    pub format: String,
    /// `none`, `gzip` or `zstd`.
    pub packing: String,
    pub file_bytes: u64,
    /// Length once unpacked.
    pub text_bytes: u64,
    pub lines: u64,
    pub counted_lines: u64,
    /// Headers, comments, empty lines.
    pub skipped_lines: u64,
    /// Lines whose request had been counted before, in this file or another.
    pub duplicate_lines: u64,
    /// Of those, the ones that repeat a request of another import, by its SHA-256.
    pub duplicates_of: BTreeMap<String, u64>,
    pub bad_lines: u64,
    /// Of those, the ones kept with their reason.
    pub bad_kept: u64,
    /// Counted lines whose session is none (too long, control signs): they count without one.
    pub odd_sessions: u64,
    /// Sum of the counted lines' bytes: what the vendor says it delivered.
    pub traffic_bytes: u64,
    /// Rows of facts.
    pub rows: u64,
    /// True when the lines carry a request's id, so that repetitions are left out.
    pub has_request_ids: bool,
    /// True when at least one counted line carries a session's id.
    pub has_sessions: bool,
    /// First and last time of the lines that could be read, repetitions too, ms since 1970 UTC.
    pub first_ms: Option<i64>,
    pub last_ms: Option<i64>,
    pub imported_at_ms: i64,
    /// True when the store holds its own copy of the file.
    pub kept_original: bool,
}
