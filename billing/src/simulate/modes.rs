//! The same period under every mode: what each measures, and what it costs where a contract has a price for it.

use crate::bill::{BillError, bill, line, measure::measure};
use crate::contract::{Contract, Mode, Unit};
use crate::exact::{Exact, TooLarge};
use crate::period::{Period, WINDOW_S};
use crate::series::Traffic;
use rust_decimal::Decimal;
use serde::Serialize;

/// A mode's quantity, and its price where one is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModeCost {
    /// The contract that has the prices; none: the mode is measured only.
    pub contract: Option<String>,
    pub version: Option<u32>,
    pub mode: Mode,
    pub quantity: Decimal,
    pub unit: &'static str,
    pub amount: Option<Decimal>,
    pub currency: Option<String>,
    /// Of those in the first contract's currency.
    pub cheapest: bool,
}

/// Every mode measured, each of the contracts priced; the cheapest first, those without a price last.
pub fn modes(contracts: &[&Contract], period: &Period, traffic: &Traffic) -> Result<Vec<ModeCost>, BillError> {
    todo!()
}
