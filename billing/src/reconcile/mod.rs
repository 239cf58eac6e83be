//! Client, log and invoice side by side: by how much they differ, what each part of the difference is, and what the
//! invoice got wrong where a rule can tell. Whole bytes and exact decimals; every split adds up to what was split.
//!
//! * [`sides`]     what is compared
//! * [`waterfall`] client → log → invoice, in bytes, by place, day and window
//! * [`lines`]     each line of the invoice beside what it should say
//! * [`expected`]  what it should say
//! * [`causes`]    errors with a name, and the rule by which each is recognised

pub mod causes;
pub mod expected;
pub mod lines;
pub mod sides;
pub mod waterfall;

use crate::bill::{Bill, BillError, bill};
use crate::exact::TooLarge;
use crate::series::SeriesError;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

pub use causes::{Cause, CauseKind};
pub use lines::LineCheck;
pub use sides::{InvoiceLine, InvoiceSide, LogSide, Sides, Tail};
pub use waterfall::{Estimate, Parts, PlaceParts, Splits, WaterfallStep};

/// What became of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Equal to the last digit.
    Ok,
    /// Different by no more than the contract tolerates.
    WithinTolerance,
    /// A side is missing: nothing can be said.
    Incomplete,
    Disputed,
}

/// The whole check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// The worst of the lines'; without an invoice: incomplete.
    pub verdict: Verdict,
    pub client_bill: Bill,
    pub log_bill: Option<Bill>,
    /// False: `without_sdk` is part of `unexplained`, one figure. No session id is in the log.
    pub without_sdk_known: bool,
    pub total: Parts,
    pub days: Vec<DayParts>,
    pub places: Vec<PlaceParts>,
    pub waterfall: Vec<WaterfallStep>,
    pub lines: Vec<LineCheck>,
    /// Of lines that the contract prices: expected and invoiced.
    pub expected_amount: Option<Decimal>,
    pub invoice_amount: Option<Decimal>,
    /// Of lines that it does not: taxes, requests, other services.
    pub unchecked_amount: Decimal,
    pub causes: Vec<Cause>,
}

/// One day of the contract's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayParts {
    #[serde(serialize_with = "crate::period::date")]
    pub date: NaiveDate,
    pub parts: Parts,
    /// Highest 5-minute bandwidth of the day, bit/s, rounded down: of the log where there is one, else of the client.
    pub peak_bps: u64,
    /// Of client against log: whether what is not explained stays within the contract's share.
    pub verdict: Verdict,
}

/// Why nothing was compared. Retrying does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    #[error("invoice: currency {invoice}; the contract's is {contract}")]
    Currency { invoice: String, contract: String },
    #[error("invoice: {lines} lines; the limit is {limit}", limit = lines::LINES_MAX)]
    TooManyLines { lines: usize },
    #[error(transparent)]
    Bill(#[from] BillError),
    #[error(transparent)]
    Series(#[from] SeriesError),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Compares the sides.
///
/// # Errors
/// An invoice in another currency, too many lines of it, or a side that cannot be billed.
pub fn reconcile(sides: &Sides) -> Result<Reconciliation, ReconcileError> {
    sides.admit()?;
    let splits = Splits::new(sides)?;
    let client_bill = bill(sides.contract, sides.period, sides.client)?;
    let logged = sides.log.map(LogSide::all).transpose()?;
    let log_bill = logged.as_ref().map(|logged| bill(sides.contract, sides.period, logged)).transpose()?;
    let best = logged.as_ref().unwrap_or(sides.client);
    let checked = lines::check(sides, best)?;
    let total = splits.total()?;
    Ok(Reconciliation {
        verdict: checked.verdict,
        without_sdk_known: splits.without_sdk_known(),
        waterfall: waterfall::steps(sides, &total, checked.invoice_bytes),
        days: splits.days(sides, &best.sum(sides.period)?)?,
        places: splits.places()?,
        total,
        client_bill,
        log_bill,
        lines: checked.lines,
        expected_amount: checked.expected_amount,
        invoice_amount: checked.invoice_amount,
        unchecked_amount: checked.unchecked_amount,
        causes: checked.causes,
    })
}
