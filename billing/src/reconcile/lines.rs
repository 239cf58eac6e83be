//! Each line of the invoice beside what it should say. Lines for the same thing and time, such as one per tier, are
//! compared as one; a line that repeats another is owed nothing. How that is worked out is [`super::expected`]'s affair,
//! and why a line is wrong is [`super::causes`]'.

use super::causes::{self, Cause};
use super::expected::{Bundle, Expected, bundles};
use super::{ReconcileError, Sides, Verdict};
use crate::contract::Contract;
use crate::exact::{Exact, Rounding, TooLarge};
use crate::series::{Place, Traffic};
use rust_decimal::Decimal;
use serde::Serialize;

/// Lines of an invoice that are compared: a line per day, domain and region of a large account.
pub const LINES_MAX: usize = 100_000;

/// A line of the invoice, or of the bill where the invoice has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineCheck {
    /// Rows of the invoice that were compared as one; none: expected, but not invoiced.
    pub rows: Vec<u64>,
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

/// All lines, and their sums.
#[derive(Debug, Clone)]
pub struct Checked {
    pub verdict: Verdict,
    pub lines: Vec<LineCheck>,
    pub expected_amount: Option<Decimal>,
    pub invoice_amount: Option<Decimal>,
    pub unchecked_amount: Decimal,
    /// Of a contract that bills bytes, rounded to whole ones.
    pub invoice_bytes: Option<i64>,
    pub causes: Vec<Cause>,
}

/// Compares the lines with what `best` (the log, else the client) comes to.
pub fn check(sides: &Sides, best: &Traffic) -> Result<Checked, ReconcileError> {
    let expected = Expected::new(sides, best)?;
    let (bundles, unchecked) = bundles(sides, &expected)?;
    let (mut lines, mut causes) = (Vec::with_capacity(bundles.len()), Vec::new());
    for bundle in &bundles {
        let line = line(sides, &expected, bundle)?;
        causes.extend(causes::of(sides, &expected, bundle, line.verdict)?);
        lines.push(line);
    }
    lines.extend(expected.not_invoiced(sides, &bundles)?);
    let priced = |bundle: &&Bundle| bundle.expected.is_some();
    let invoiced: Vec<&Bundle> = bundles.iter().filter(priced).collect();
    let (mut amount, mut quantity) = (Decimal::ZERO, Exact::ZERO);
    for bundle in &invoiced {
        amount = amount.checked_add(bundle.amount).ok_or(TooLarge)?;
        quantity = quantity.plus(bundle.quantity.unwrap_or(Exact::ZERO))?;
    }
    let bytes = quantity.times(Exact::whole(sides.contract.unit.size()))?.to_whole(Rounding::HalfEven);
    let is_bytes = sides.invoice.is_some() && !sides.contract.mode.is_bandwidth();
    Ok(Checked {
        verdict: overall(sides.contract, &lines, &expected, amount, sides.invoice.is_some())?,
        lines,
        expected_amount: Some(expected.amount),
        invoice_amount: sides.invoice.map(|_| amount),
        unchecked_amount: unchecked,
        invoice_bytes: if is_bytes { i64::try_from(bytes).ok() } else { None },
        causes: causes::merged(causes),
    })
}

/// The worst of the lines, and of the total beside the bill's.
fn overall(
    contract: &Contract,
    lines: &[LineCheck],
    expected: &Expected,
    invoiced: Decimal,
    has_invoice: bool,
) -> Result<Verdict, TooLarge> {
    if !has_invoice {
        return Ok(Verdict::Incomplete);
    }
    let total = verdict(contract, Some(expected.amount), invoiced)?;
    let compared = lines.iter().map(|line| line.verdict).filter(|verdict| *verdict != Verdict::Incomplete);
    Ok(compared.max().unwrap_or(Verdict::Incomplete).max(total))
}

fn line(sides: &Sides, expected: &Expected, bundle: &Bundle) -> Result<LineCheck, ReconcileError> {
    let money = sides.contract.money;
    let expected_amount = bundle.expected.map(|owed| owed.amount.round(money.decimals, money.rounding)).transpose()?;
    let bytes = |traffic: &Traffic| i64::try_from(traffic.bytes(&bundle.place, bundle.windows.clone())).map_err(|_| TooLarge);
    Ok(LineCheck {
        rows: bundle.rows.clone(),
        item: bundle.item.clone(),
        place: bundle.place.clone(),
        from_ms: bundle.from_ms,
        to_ms: bundle.to_ms,
        client_bytes: bytes(sides.client)?,
        log_bytes: sides.log.map(|_| bytes(expected.best)).transpose()?,
        invoice_quantity: bundle.written,
        invoice_unit: bundle.unit.clone(),
        invoice_amount: Some(bundle.amount),
        expected_quantity: bundle.expected.map(|owed| owed.used.shown()).transpose()?,
        expected_amount,
        difference: expected_amount.map(|expected| bundle.amount.checked_sub(expected).ok_or(TooLarge)).transpose()?,
        verdict: verdict(sides.contract, expected_amount, bundle.amount)?,
    })
}

/// Equal; or within the larger of the contract's share and amount, and always within one smallest coin, which is
/// how lines are rounded when a total is parted; else disputed. Nothing expected of it: incomplete.
pub(super) fn verdict(contract: &Contract, expected: Option<Decimal>, invoiced: Decimal) -> Result<Verdict, TooLarge> {
    let Some(expected) = expected else { return Ok(Verdict::Incomplete) };
    let off = Exact::from(invoiced).minus(expected.into())?.abs();
    let share = Exact::from(expected).abs().times(contract.tolerance.share.into())?;
    let coin = Exact::from(Decimal::new(1, contract.money.decimals));
    let tolerated = share.max(contract.tolerance.absolute.into()).max(coin);
    Ok(match off {
        off if off.is_zero() => Verdict::Ok,
        off if off <= tolerated => Verdict::WithinTolerance,
        _ => Verdict::Disputed,
    })
}
