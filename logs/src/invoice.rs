//! Invoices: a vendor's CSV or XLSX by a template, FOCUS as it is → lines of exact decimals. No float is made on the way.
//!
//! * [`template`] which column is what
//! * [`limits`]   how large an invoice may be, and why

pub mod limits;
pub mod template;

use crate::error::StoreError;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use limits::InvoiceLimits;
pub use template::{Template, TemplateError};

/// An invoice as it was read. `total` is the sum of its lines' amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub v: u32,
    pub vendor: String,
    /// The file's name as people know it.
    pub name: String,
    /// SHA-256 of the file's bytes, hex. The invoice's name.
    pub sha256: String,
    /// `focus` or `template:<name>`.
    pub layout: String,
    /// ISO 4217.
    pub currency: String,
    #[serde(with = "rust_decimal::serde::str")]
    pub total: Decimal,
    /// Earliest start and latest end of the lines, ms since 1970 UTC; the end is exclusive.
    pub from_ms: i64,
    pub to_ms: i64,
    pub imported_at_ms: i64,
    pub lines: Vec<InvoiceLine>,
}

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// Row of the sheet or of the file, counted from 1, the header included.
    pub row: u64,
    pub item: String,
    pub domain: Option<String>,
    pub region: Option<String>,
    /// What it is for: ms since 1970 UTC, the end exclusive.
    pub from_ms: i64,
    pub to_ms: i64,
    /// None on lines that have none, such as a tax or a discount.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub quantity: Option<Decimal>,
    /// As written: `GB`, `Mbps`, …
    pub unit: Option<String>,
    #[serde(with = "rust_decimal::serde::str_option")]
    pub price: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// The row as it stands in the file, cells joined by tabs.
    pub text: String,
}

/// How a file is to be read.
#[derive(Debug, Clone)]
pub enum Layout {
    /// FinOps Open Cost and Usage Specification 1.x, CSV.
    Focus,
    Template(Box<Template>),
}

#[derive(Debug, Clone)]
pub struct InvoiceRequest {
    pub vendor: String,
    pub path: PathBuf,
    pub name: Option<String>,
    pub layout: Layout,
    /// Currency of the contract: an invoice in another is refused.
    pub currency: Option<String>,
    pub imported_at_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceImported {
    pub invoice: Invoice,
    /// True when the same bytes had been imported before: nothing was changed.
    pub known: bool,
}

/// Why an invoice was not imported. Nothing of it is in the store then.
#[derive(Debug, thiserror::Error)]
pub enum InvoiceError {
    #[error("row {row} column {column}: {reason}")]
    Cell { row: u64, column: String, reason: String },
    #[error("no header row within the first {rows} rows has the columns {missing}")]
    Header { rows: u64, missing: String },
    #[error("no line in it: {rows} rows were read")]
    Empty { rows: u64 },
    #[error("row {row} column {column}: currency {found}, expected {expected}")]
    Currency { row: u64, column: String, found: String, expected: String },
    #[error("`{field}`: {value} is over the limit `{limit}` of {max}")]
    Limit { field: &'static str, value: u64, limit: &'static str, max: u64 },
    #[error("the file cannot be read as {kind}: {reason}")]
    File { kind: &'static str, reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// `<root>/invoices/<vendor>/<sha256>.json`, the original beside it.
pub struct InvoiceStore {
    pub(crate) root: PathBuf,
    pub(crate) limits: InvoiceLimits,
}

impl InvoiceStore {
    pub fn new(root: impl Into<PathBuf>, limits: InvoiceLimits) -> InvoiceStore {
        InvoiceStore { root: root.into(), limits }
    }

    pub fn import(&self, _request: &InvoiceRequest) -> Result<InvoiceImported, InvoiceError> {
        let _ = (&self.root, &self.limits);
        todo!()
    }

    /// Invoices of a vendor, or of all, by vendor, start and hash.
    pub fn invoices(&self, _vendor: Option<&str>) -> Result<Vec<Invoice>, StoreError> {
        todo!()
    }

    /// One invoice; `sha256` may be its first 8 letters or more.
    pub fn find(&self, _vendor: &str, _sha256: &str) -> Result<Invoice, StoreError> {
        todo!()
    }

    pub fn forget(&self, _vendor: &str, _sha256: &str) -> Result<Invoice, StoreError> {
        todo!()
    }
}
