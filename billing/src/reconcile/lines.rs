//! Each line of the invoice beside what it should say.

use super::Verdict;
use super::causes::Cause;
use crate::series::Place;
use rust_decimal::Decimal;
use serde::Serialize;

/// Lines of an invoice that are compared: a line per day, domain and region of a large account.
pub const LINES_MAX: usize = 100_000;

/// A line of the invoice, or of the bill where the invoice has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineCheck {
    /// Row of the invoice; none: expected, but not invoiced.
    pub row: Option<u64>,
    pub item: String,
    pub place: Place,
    pub from_ms: i64,
    pub to_ms: i64,
    pub client_bytes: i64,
    pub log_bytes: Option<i64>,
    /// As invoiced, in its own unit.
    pub invoice_quantity: Option<Decimal>,
    pub invoice_unit: Option<String>,
    pub invoice_amount: Option<Decimal>,
    /// In the contract's unit; none of lines that the contract does not price.
    pub expected_quantity: Option<Decimal>,
    pub expected_amount: Option<Decimal>,
    /// Invoiced less expected.
    pub difference: Option<Decimal>,
    pub verdict: Verdict,
}

pub struct Checked {
    pub verdict: Verdict,
    pub lines: Vec<LineCheck>,
    pub expected_amount: Option<Decimal>,
    pub invoice_amount: Option<Decimal>,
    pub unchecked_amount: Decimal,
    pub invoice_bytes: Option<i64>,
    pub causes: Vec<Cause>,
}
pub fn check(_sides: &super::Sides, _best: &crate::series::Traffic) -> Result<Checked, super::ReconcileError> {
    todo!()
}
