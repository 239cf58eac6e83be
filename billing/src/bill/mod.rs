//! Contract + period + bytes → a bill. Every step is kept with its formula and figures, so that a person can
//! follow it and open it down to the windows. All is exact until money is rounded, as the contract says.
//!
//! * [`percentile`] how many samples are dropped, which one is billed, and where it stands
//! * [`measure`]    windows → what is billed of them, by mode
//! * [`price`]      quantity → money, by tiers
//! * [`line`]       one line of a bill, step by step

pub mod line;
pub mod measure;
pub mod percentile;
pub mod price;

use crate::contract::{Contract, Mode, RoundPer, SumOver};
use crate::exact::{Exact, TooLarge};
use crate::period::Period;
use crate::series::{Basis, Place, Series, SeriesError, Traffic};
use crate::told::{Told, rounded};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

pub use measure::Sample;

/// What is owed for a period, by one side's count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bill {
    pub contract: String,
    pub version: u32,
    pub vendor: String,
    pub currency: String,
    pub mode: Mode,
    pub basis: Basis,
    /// ms since 1970 UTC; the end is exclusive.
    pub from_ms: i64,
    pub to_ms: i64,
    /// One per account, region or domain, as the contract sums.
    pub lines: Vec<BillLine>,
    pub amount: Decimal,
    /// How the lines became the amount.
    pub steps: Vec<Step>,
}

/// What is owed for one thing that is measured as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BillLine {
    pub place: Place,
    /// As counted, before any factor.
    pub bytes: u64,
    /// As priced, in `unit`.
    pub quantity: Decimal,
    pub unit: &'static str,
    /// Rounded where the contract rounds lines; else to 18 decimals.
    pub amount: Decimal,
    /// The windows that decided: one of a month's percentile or fourth peak, one a day of daily modes, none of traffic.
    pub samples: Vec<Sample>,
    /// Windows (by index) above the billed one, of a month's percentile.
    pub dropped_windows: Vec<u32>,
    pub steps: Vec<Step>,
    /// Quantity and amount, not rounded.
    #[serde(skip)]
    pub exact: ExactLine,
}

/// What stands behind the decimals of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactLine {
    /// Before free quantities and the minimum.
    pub used: Exact,
    pub amount: Exact,
}

/// One step of the arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `sum`, `percentile`, `overhead`, …
    pub name: &'static str,
    /// In words and signs.
    pub formula: Told,
    /// Named figures that went in.
    pub inputs: Vec<(&'static str, String)>,
    pub output: String,
}

/// Why there is no bill. Retrying does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    #[error(transparent)]
    Series(#[from] SeriesError),
    #[error("bill: the contract has no price for region {region:?}")]
    NoPrice { region: String },
    #[error("bill: the period's days are those of {period}, the contract's those of {contract}")]
    Zone { period: String, contract: String },
    #[error("bill: {date} lies outside the contract's validity")]
    Validity { date: NaiveDate },
}

/// The bill of a period, by one side's bytes. The period lies within the contract's validity ([`Contract::period`]),
/// and each series has one figure for each of its windows.
///
/// Logged bytes become billed bytes by the contract's overhead; a client's become logged ones by `log_overhead` first.
///
/// # Errors
/// See [`BillError`].
pub fn bill(contract: &Contract, period: &Period, traffic: &Traffic) -> Result<Bill, BillError> {
    admit(contract, period)?;
    let mut lines = Vec::new();
    for (place, series) in grouped(contract.sum_over, period, traffic)? {
        lines.push(line::line(contract, period, traffic.basis, place, &series)?);
    }
    let (amount, step) = total(contract, &lines)?;
    Ok(Bill {
        contract: contract.id.clone(),
        version: contract.version,
        vendor: contract.vendor.clone(),
        currency: contract.currency.clone(),
        mode: contract.mode,
        basis: traffic.basis,
        from_ms: period.start_ms(),
        to_ms: period.end_ms(),
        lines,
        amount,
        steps: vec![step],
    })
}

fn admit(contract: &Contract, period: &Period) -> Result<(), BillError> {
    if period.zone() != contract.zone {
        return Err(BillError::Zone { period: period.zone().name().to_owned(), contract: contract.zone.name().to_owned() });
    }
    if period.from() < contract.valid_from {
        return Err(BillError::Validity { date: period.from() });
    }
    match contract.valid_to {
        Some(valid_to) if period.to() > valid_to => Err(BillError::Validity { date: period.to() }),
        _ => Ok(()),
    }
}

/// Sums first, by what the contract measures as one. An account without traffic still has its line: a minimum is owed.
pub fn grouped<'a>(sum_over: SumOver, period: &Period, traffic: &'a Traffic) -> Result<BTreeMap<Place, Cow<'a, Series>>, SeriesError> {
    let mut groups: BTreeMap<Place, Cow<Series>> = BTreeMap::new();
    for (place, series) in &traffic.places {
        series.matches(period)?;
        let group = group_of(sum_over, place);
        match groups.get_mut(&group) {
            Some(sum) => sum.to_mut().add_all(series)?,
            None => drop(groups.insert(group, Cow::Borrowed(series))),
        }
    }
    if groups.is_empty() && sum_over == SumOver::Account {
        groups.insert(Place::ALL, Cow::Owned(Series::zeros(period)));
    }
    Ok(groups)
}

/// The line that a place's bytes are part of.
pub fn group_of(sum_over: SumOver, place: &Place) -> Place {
    match sum_over {
        SumOver::Account => Place::ALL,
        SumOver::Region => Place { domain: None, region: place.region.clone() },
        SumOver::Domain => Place { domain: place.domain.clone(), region: None },
    }
}

fn total(contract: &Contract, lines: &[BillLine]) -> Result<(Decimal, Step), TooLarge> {
    let money = contract.money;
    let mut sum = Exact::ZERO;
    for line in lines {
        sum = sum.plus(if money.per == RoundPer::Line { Exact::from(line.amount) } else { line.exact.amount })?;
    }
    let amount = sum.round(money.decimals, money.rounding)?;
    let formula = match money.per {
        RoundPer::Line => Told::new("sum of the lines, each rounded", "各行之和，每行先舍入"),
        RoundPer::Total => {
            let Told { en, zh } = rounded(money.decimals, money.rounding);
            Told::new(format!("sum of the lines, rounded once {en}"), format!("各行之和，只舍入一次，{zh}"))
        }
    };
    let inputs = vec![("lines", lines.len().to_string())];
    Ok((amount, Step { name: "total", formula, inputs, output: format!("{amount} {}", contract.currency) }))
}
