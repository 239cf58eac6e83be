//! What can go wrong, by cause. HTTP statuses are chosen in [`crate::http`], nowhere else.

use datafusion::error::DataFusionError;
use deltalake::DeltaTableError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    // What was asked is wrong; asking again changes nothing.
    #[error("{statement} is not allowed; only SELECT is")]
    NotASelect { statement: String },
    #[error("found {found} statements; one SELECT at a time is allowed")]
    StatementCount { found: usize },
    #[error("table {name} is not one of increments, events and information_schema's")]
    UnknownTable { name: String },
    #[error("table function {name} is not allowed; only generate_series and range are")]
    UnknownTableFunction { name: String },
    #[error("{0}")]
    Sql(String),
    #[error("{reason}")]
    Parameter { field: String, reason: String },
    #[error("{field} is {value} {unit}; the limit is {limit}")]
    TooLarge { field: &'static str, value: u64, limit: u64, unit: &'static str },
    #[error("the sum of {column} does not fit 64 bits; ask for a shorter range or more keys")]
    Overflow { column: &'static str },

    // The bill check's papers.
    #[error("{reason}")]
    Unknown { field: &'static str, reason: String },
    #[error("{reason}")]
    Conflict { field: &'static str, reason: String },
    /// A contract, a log or an invoice that cannot be taken; nothing of it was. `at` is a field or a line.
    #[error("{reason}")]
    Paper { code: &'static str, at: String, reason: String, size: Option<(u64, u64)> },
    #[error("the body broke off, or nothing came for {limit_ms} ms; nothing was kept")]
    Upload { limit_ms: u64 },
    #[error("the bill check's folder: {0}")]
    Folder(String),
    /// `bytes`: how much of a body had come. Nothing of it was kept.
    #[error("the disk of the bill check's folder is full: {reason}")]
    DiskFull { reason: String, bytes: Option<u64> },

    // The question is larger than its bounds.
    #[error(
        "the query needs more than the memory or spill space of all queries ({limit_bytes} bytes of memory); select fewer rows or groups"
    )]
    Memory { limit_bytes: u64 },
    #[error("the answer is over {limit_bytes} bytes; select fewer columns or rows, or ask for CSV")]
    AnswerTooLarge { limit_bytes: u64 },
    #[error("the answer has more than {limit} rows; add a LIMIT or a narrower WHERE")]
    TooManyRows { limit: u64 },
    #[error("the query took longer than {limit_ms} ms")]
    Deadline { limit_ms: u64 },

    // Not now.
    #[error("{running} queries are running and {waiting} waiting, which is the limit")]
    Busy { running: usize, waiting: usize },
    #[error("table {table} of the ledger cannot be read")]
    Ledger {
        table: &'static str,
        #[source]
        source: Box<DeltaTableError>,
    },
    #[error("the query failed for a reason that lies with the service; its log says more")]
    Internal(String),

    // At start.
    #[error("ledger {value:?} is neither a folder nor a URL: {reason}")]
    LedgerPlace { value: String, reason: String },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[error("serving stopped: {0}")]
    Serve(std::io::Error),
}

impl Error {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotASelect { .. } => "not_a_select",
            Error::StatementCount { .. } => "statement_count",
            Error::UnknownTable { .. } => "unknown_table",
            Error::UnknownTableFunction { .. } => "unknown_table_function",
            Error::Sql(_) => "sql",
            Error::Parameter { .. } => "bad_parameter",
            Error::TooLarge { .. } => "too_large",
            Error::Overflow { .. } => "overflow",
            Error::Unknown { .. } => "unknown",
            Error::Conflict { .. } => "conflict",
            Error::Paper { code, .. } => code,
            Error::Upload { .. } => "upload",
            Error::Folder(_) => "folder",
            Error::DiskFull { .. } => "disk_full",
            Error::Memory { .. } => "memory",
            Error::AnswerTooLarge { .. } => "answer_too_large",
            Error::TooManyRows { .. } => "too_many_rows",
            Error::Deadline { .. } => "deadline",
            Error::Busy { .. } => "busy",
            Error::Ledger { .. } => "ledger",
            Error::Internal(_) => "internal",
            Error::LedgerPlace { .. } => "ledger_place",
            Error::Listen { .. } => "listen",
            Error::Serve(_) => "serve",
        }
    }

    /// May the same request succeed later?
    pub fn retry(&self) -> bool {
        matches!(
            self,
            Error::Busy { .. }
                | Error::Upload { .. }
                | Error::Folder(_)
                | Error::DiskFull { .. }
                | Error::Memory { .. }
                | Error::Deadline { .. }
                | Error::Ledger { .. }
                | Error::Internal(_)
                | Error::Listen { .. }
        )
    }

    /// A wrong parameter, named.
    pub fn parameter(field: &str, reason: impl Into<String>) -> Error {
        Error::Parameter { field: field.into(), reason: reason.into() }
    }
}

/// Sorts the engine's errors by whose they are. What the asker can mend is told in the engine's words,
/// without backtraces; what lies with us is logged in full and told in one sentence.
pub fn from_engine(error: DataFusionError, memory_bytes_max: usize) -> Error {
    let root = error.find_root();
    match root {
        DataFusionError::ResourcesExhausted(detail) => {
            tracing::warn!(detail, "a query was refused memory or spill space");
            Error::Memory { limit_bytes: memory_bytes_max as u64 }
        }
        DataFusionError::SQL(..)
        | DataFusionError::Plan(_)
        | DataFusionError::SchemaError(..)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Configuration(_)
        | DataFusionError::Execution(_)
        | DataFusionError::ArrowError(..)
        | DataFusionError::Collection(_) => Error::Sql(sentence(root)),
        _ => Error::Internal(error.strip_backtrace()),
    }
}

fn sentence(error: &DataFusionError) -> String {
    let text = match error {
        DataFusionError::Collection(all) => all.first().map(|e| e.find_root().strip_backtrace()).unwrap_or_default(),
        other => other.strip_backtrace(),
    };
    const PREFIXES: [&str; 8] = [
        "Error during planning: ",
        "Schema error: ",
        "Execution error: ",
        "Arrow error: ",
        "This feature is not implemented: ",
        "SQL error: ",
        "Invalid or Unsupported Configuration: ",
        "External error: ",
    ];
    let mut text = text.as_str();
    while let Some(rest) = PREFIXES.iter().find_map(|p| text.strip_prefix(p)) {
        text = rest;
    }
    // The parser's errors are shown in their debug form: `ParserError("…")`.
    let inner = text.strip_prefix("ParserError(\"").or_else(|| text.strip_prefix("TokenizerError(\""));
    match inner.and_then(|t| t.strip_suffix("\")")) {
        Some(inner) => inner.replace("\\\"", "\""),
        None => text.to_owned(),
    }
}
