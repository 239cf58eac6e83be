//! The columns of the facts, as Parquet, and the sums over them.

use arrow::datatypes::{DataType, Field, Schema};
use std::sync::Arc;

/// One row: what one file says of one window, domain, region and session. Rows are additive.
/// `window_start_ms` is ms since 1970 UTC; `session_id` null where the line had none; the row's lines lie within
/// `first_line..=last_line` of the import's file, counted from 1.
pub fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("window_start_ms", DataType::Int64, false),
        Field::new("domain", DataType::Utf8, false),
        Field::new("region", DataType::Utf8, false),
        Field::new("session_id", DataType::Utf8, true),
        Field::new("bytes", DataType::Int64, false),
        Field::new("requests", DataType::Int64, false),
        Field::new("first_line", DataType::Int64, false),
        Field::new("last_line", DataType::Int64, false),
    ]))
}

/// Which facts are asked for; an empty list asks for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub domains: Vec<String>,
    pub regions: Vec<String>,
    pub sessions: Vec<String>,
}

/// Sums of a 5-minute window over all imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    pub window_start_ms: i64,
    pub domain: String,
    pub region: String,
    pub bytes: u64,
    pub requests: u64,
}

/// Sums of a session over the time asked for, and where its lines are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTraffic {
    /// None: all lines without a session.
    pub session_id: Option<String>,
    pub bytes: u64,
    pub requests: u64,
    pub first_window_ms: i64,
    pub last_window_ms: i64,
    /// One an import.
    pub lines: Vec<LineRange>,
}

/// Lines of an import's file, both inclusive, counted from 1. Others lie between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRange {
    pub sha256: String,
    pub first_line: u64,
    pub last_line: u64,
}
