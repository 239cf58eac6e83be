//! Errors of invoices that have a name, each with the rule by which it is recognised.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

/// What was done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    WrongUnit,
    DayBilledTwice,
    WrongZone,
    OverheadTwice,
    WrongTier,
}

/// An error with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    pub cause: CauseKind,
    /// Rows of the invoice; empty: of the whole.
    pub rows: Vec<u64>,
    pub day: Option<NaiveDate>,
    /// Money it accounts for; negative: to the vendor's disadvantage.
    pub amount: Decimal,
    /// In words, with the figures compared.
    pub evidence: String,
}
