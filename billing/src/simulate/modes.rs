//! The same period under every mode: what each measures, and what it costs where a contract has a price for it.

use crate::bill::{BillError, bill, measure::measure};
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

/// Every mode measured, each of the contracts priced, as if it had been in force with the period's days; the cheapest
/// first, those without a price last. Quantities without a price are of the whole account, by the first contract's
/// percentile, without overhead.
///
/// # Errors
/// Traffic that does not fit the period, figures beyond 38 digits, or a region without a price.
pub fn modes(contracts: &[&Contract], period: &Period, traffic: &Traffic) -> Result<Vec<ModeCost>, BillError> {
    let mut costs = Vec::new();
    for contract in contracts {
        costs.push(priced(contract, period, traffic)?);
    }
    let percentile = contracts.first().map(|contract| contract.percentile).unwrap_or_default();
    let whole = traffic.sum(period)?;
    for mode in Mode::ALL.into_iter().filter(|mode| !contracts.iter().any(|contract| contract.mode == *mode)) {
        let measured = measure(mode, percentile, period, &whole)?;
        let unit = if mode.is_bandwidth() { Unit::Mbps { base: 1_000 } } else { Unit::Gb };
        let bits = if mode.is_bandwidth() { Exact::fraction(8, WINDOW_S)? } else { Exact::ONE };
        let quantity = measured.value.times(bits)?.times(Exact::fraction(1, unit.size())?)?.shown()?;
        costs.push(ModeCost {
            contract: None,
            version: None,
            mode,
            quantity,
            unit: unit.name(),
            amount: None,
            currency: None,
            cheapest: false,
        });
    }
    let currency = contracts.first().map(|contract| contract.currency.as_str());
    let comparable = |cost: &&ModeCost| cost.amount.is_some() && cost.currency.as_deref() == currency;
    let least = costs.iter().filter(comparable).filter_map(|cost| cost.amount).min();
    for cost in &mut costs {
        cost.cheapest = comparable(&&*cost) && cost.amount == least;
    }
    costs.sort_by_key(|cost| (cost.amount.is_none(), cost.currency.as_deref() != currency, cost.amount));
    Ok(costs)
}

fn priced(contract: &Contract, period: &Period, traffic: &Traffic) -> Result<ModeCost, BillError> {
    let as_if = Contract { zone: period.zone(), valid_from: period.from(), valid_to: None, ..contract.clone() };
    let bill = bill(&as_if, period, traffic)?;
    let mut quantity = Decimal::ZERO;
    for line in &bill.lines {
        quantity = quantity.checked_add(line.quantity).ok_or(TooLarge)?;
    }
    Ok(ModeCost {
        contract: Some(contract.id.clone()),
        version: Some(contract.version),
        mode: contract.mode,
        quantity,
        unit: contract.unit.name(),
        amount: Some(bill.amount),
        currency: Some(bill.currency),
        cheapest: false,
    })
}
