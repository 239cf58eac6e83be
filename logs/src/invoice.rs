//! Invoices: a vendor's CSV or XLSX by a template, FOCUS as it is → lines of exact decimals. No float is computed with.
//!
//! * [`template`] which column is what
//! * [`table`]    a file as rows of texts
//! * [`reading`]  rows → lines; [`number`] and [`period`] what stands in the cells
//! * [`limits`]   how large an invoice may be, and why
//!
//! Kept as `<root>/invoices/<vendor>/<sha256>.json`, the original beside it.

pub mod limits;
mod number;
mod period;
mod reading;
mod store;
mod table;
pub mod template;

use crate::error::StoreError;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use limits::InvoiceLimits;
pub use store::InvoiceStore;
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

impl Layout {
    fn name(&self) -> String {
        match self {
            Layout::Focus => "focus".to_owned(),
            Layout::Template(template) => format!("template:{}", template.name),
        }
    }
}

impl InvoiceError {
    /// True where the same request may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        matches!(self, InvoiceError::Store(error) if error.is_transient())
    }
}

impl From<Template> for Layout {
    fn from(template: Template) -> Layout {
        Layout::Template(Box::new(template))
    }
}

/// A file's bytes → its invoice. Pure: `sha256` and name are the caller's.
fn read(bytes: &[u8], request: &InvoiceRequest, sha256: String, limits: &InvoiceLimits) -> Result<Invoice, InvoiceError> {
    let expected = request.currency.as_deref();
    let (lines, currency) = match &request.layout {
        Layout::Focus if table::is_xlsx(bytes) => {
            return Err(InvoiceError::File { kind: "FOCUS", reason: "it is a spreadsheet; FOCUS is read as CSV".to_owned() });
        }
        Layout::Focus => reading::focus(&table::rows(bytes, b',', None, limits)?, expected)?,
        Layout::Template(template) => {
            reading::by_template(&table::rows(bytes, template.delimiter, template.sheet.as_deref(), limits)?, template, expected)?
        }
    };
    let mut total = Decimal::ZERO;
    for line in &lines {
        let reason = || "the sum of amounts is past 28 digits".to_owned();
        total = total.checked_add(line.amount).ok_or_else(|| InvoiceError::Cell {
            row: line.row,
            column: "amount".to_owned(),
            reason: reason(),
        })?;
    }
    let file_name = || request.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Invoice {
        v: 1,
        vendor: request.vendor.clone(),
        name: request.name.clone().unwrap_or_else(file_name),
        sha256,
        layout: request.layout.name(),
        currency,
        total,
        from_ms: lines.iter().map(|line| line.from_ms).min().unwrap_or_default(),
        to_ms: lines.iter().map(|line| line.to_ms).max().unwrap_or_default(),
        imported_at_ms: request.imported_at_ms,
        lines,
    })
}
