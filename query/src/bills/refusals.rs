//! What the folder of papers refuses → our errors: which field, row or line, and why. Pure.

use crate::error::Error;
use livemeter_logs::invoice::{InvoiceError, TemplateError};
use livemeter_logs::{FormatError, ImportError, StoreError};
use std::io::ErrorKind;

pub fn store(error: StoreError) -> Error {
    let reason = error.to_string();
    match error {
        StoreError::Unknown { .. } => Error::Unknown { field: "sha256", reason },
        StoreError::Vendor(_) => Error::parameter("vendor", reason),
        StoreError::Busy { .. } => Error::Busy { running: 1, waiting: 0 },
        StoreError::Needed { .. } => Error::Conflict { field: "sha256", reason },
        StoreError::OriginalGone { .. } => Error::Unknown { field: "sha256", reason },
        StoreError::Limit { what, value, max, .. } => paper("too_large", what, reason, Some((value, max))),
        StoreError::Io { source, .. } if source.kind() == ErrorKind::StorageFull => Error::DiskFull { reason, bytes: None },
        StoreError::Io { .. } | StoreError::Damaged { .. } => Error::Folder(reason),
    }
}

pub fn import(error: ImportError) -> Error {
    let reason = error.to_string();
    match error {
        ImportError::WrongFormat { line, name, .. } => paper("wrong_format", &format!("line {line}, {name}"), reason, None),
        ImportError::Empty { .. } => paper("empty", "body", reason, None),
        ImportError::Limit { field, value, max, .. } => paper("too_large", field, reason, Some((value, max))),
        ImportError::Request { field, .. } => Error::parameter(field, reason),
        ImportError::Packed { .. } => paper("packed", "body", reason, None),
        ImportError::Changed { .. } | ImportError::Stopped => Error::Folder(reason),
        ImportError::Store(error) => store(error),
    }
}

pub fn invoice(error: InvoiceError) -> Error {
    let reason = error.to_string();
    let cell = |row: u64, column: &str| format!("row {row}, {column}");
    match error {
        InvoiceError::Cell { row, column, .. } => paper("invoice", &cell(row, &column), reason, None),
        InvoiceError::Currency { row, column, .. } => paper("currency", &cell(row, &column), reason, None),
        InvoiceError::Header { missing, .. } => paper("invoice", &missing, reason, None),
        InvoiceError::Empty { .. } => paper("empty", "body", reason, None),
        InvoiceError::Limit { field, value, max, .. } => paper("too_large", field, reason, Some((value, max))),
        InvoiceError::File { .. } => paper("invoice", "body", reason, None),
        InvoiceError::Store(error) => store(error),
    }
}

pub fn format(error: FormatError) -> Error {
    Error::parameter("format", error.to_string())
}

pub fn template(error: TemplateError) -> Error {
    Error::parameter("template", error.to_string())
}

/// The text of a mapping file that is to be kept.
pub fn format_text(error: FormatError) -> Error {
    let reason = error.to_string();
    match error {
        FormatError::Mapping { line, field, .. } => paper("format", &at(line, &field), reason, None),
        FormatError::Unknown(_) => Error::parameter("format", reason),
    }
}

/// The text of a template that is to be kept.
pub fn template_text(error: TemplateError) -> Error {
    paper("template", &at(error.line, &error.field), error.to_string(), None)
}

fn at(line: Option<u64>, field: &str) -> String {
    line.map_or_else(|| field.to_owned(), |line| format!("line {line}, {field}"))
}

/// A paper that cannot be taken, and where in it.
pub fn paper(code: &'static str, at: &str, reason: impl Into<String>, size: Option<(u64, u64)>) -> Error {
    Error::Paper { code, at: at.to_owned(), reason: reason.into(), size }
}

pub fn folder(what: &str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
    let place = format!("{what} {}", path.display());
    move |e| {
        let reason = format!("{place}: {e}");
        if e.kind() == ErrorKind::StorageFull { Error::DiskFull { reason, bytes: None } } else { Error::Folder(reason) }
    }
}
