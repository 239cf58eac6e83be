//! What each line of an invoice should say: its bytes measured and priced as the contract says, its part of the whole
//! where the whole is priced as one.

use super::lines::LineCheck;
use super::sides::{InvoiceLine, Sides};
use super::{ReconcileError, Verdict};
use crate::bill::{self, Bill, bill, group_of, line, price::Prices};
use crate::contract::{Contract, TiersApply};
use crate::exact::{Exact, TooLarge};
use crate::period::Period;
use crate::series::{Place, Series, Traffic};
use chrono::{DateTime, NaiveTime};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// The bill of the side that invoices are compared with, ready to be parted.
pub struct Expected<'a> {
    pub best: &'a Traffic,
    pub bill: Bill,
    pub amount: Decimal,
    /// Bytes of what the contract prices as one.
    groups: BTreeMap<Place, Cow<'a, Series>>,
}

/// What is owed for a bundle.
#[derive(Debug, Clone, Copy)]
pub struct Owed {
    /// In the contract's unit, before minimum and free quantity.
    pub used: Exact,
    pub amount: Exact,
    /// Money for one unit, on average; of a bundle that is priced as a whole: none, its tiers tell.
    pub average: Option<Exact>,
}

/// Lines of an invoice that are compared as one.
#[derive(Debug, Clone)]
pub struct Bundle {
    pub rows: Vec<u64>,
    pub item: String,
    pub place: Place,
    /// The line of the bill that it is part of.
    pub group: Place,
    pub from_ms: i64,
    pub to_ms: i64,
    pub windows: Range<usize>,
    /// As written, and in the contract's unit.
    pub written: Option<Decimal>,
    pub unit: Option<String>,
    pub quantity: Option<Exact>,
    /// Half of the last digit written: what it may be off by rounding alone.
    pub slack: Exact,
    pub amount: Decimal,
    /// None: nothing of the contract's.
    pub expected: Option<Owed>,
    /// Row that it repeats.
    pub repeats: Option<u64>,
}

impl<'a> Expected<'a> {
    pub fn new(sides: &Sides, best: &'a Traffic) -> Result<Expected<'a>, ReconcileError> {
        let bill = bill(sides.contract, sides.period, best)?;
        let groups = bill::grouped(sides.contract.sum_over, sides.period, best)?;
        Ok(Expected { best, amount: bill.amount, bill, groups })
    }

    /// The bill's line that a group is.
    fn line(&self, group: &Place) -> Option<&bill::BillLine> {
        self.bill.lines.iter().find(|line| line.place == *group)
    }

    pub fn prices<'c>(&self, sides: &Sides<'c>, group: &Place) -> Result<Prices<'c>, ReconcileError> {
        Ok(line::prices(sides.contract, sides.period, group)?)
    }

    /// Used quantity of some windows of a place, of a contract that bills bytes.
    pub fn used(&self, contract: &Contract, place: &Place, windows: Range<usize>) -> Result<Exact, TooLarge> {
        line::used(contract, self.best.basis, self.best.bytes(place, windows))
    }

    /// What a group owes for a stretch of the period. Progressive tiers are filled in order of time, so a stretch owes
    /// what it adds; where the reached tier prices everything, a stretch owes its share.
    fn stretch(&self, sides: &Sides, group: &Place, windows: &Range<usize>) -> Result<Owed, ReconcileError> {
        let none = Owed { used: Exact::ZERO, amount: Exact::ZERO, average: None };
        let Some(whole) = self.line(group).map(|line| line.exact) else { return Ok(none) };
        if *windows == (0..sides.period.windows()) {
            return Ok(Owed { used: whole.used, amount: whole.amount, average: None });
        }
        let bytes = |range| self.groups.get(group).map_or(0, |series| series.sum(range));
        let used = |range| line::used(sides.contract, self.best.basis, bytes(range));
        let here = used(windows.clone())?;
        let amount = match sides.contract.tariff.apply {
            TiersApply::Reached if whole.used.is_zero() => Exact::ZERO,
            TiersApply::Reached => whole.amount.times(here)?.over(whole.used)?,
            TiersApply::Progressive => {
                let prices = self.prices(sides, group)?;
                let until = |end| if end == 0 { Ok(Exact::ZERO) } else { prices.amount(used(0..end)?) };
                until(windows.end)?.minus(until(windows.start)?)?
            }
        };
        let average = if here.is_zero() { Exact::ZERO } else { amount.over(here)? };
        Ok(Owed { used: here, amount, average: Some(average) })
    }

    /// What a bundle owes: all of its stretch, or its share of it by quantity.
    fn owed(&self, sides: &Sides, bundle: &Bundle) -> Result<Owed, ReconcileError> {
        let stretch = self.stretch(sides, &bundle.group, &bundle.windows)?;
        if sides.contract.mode.is_bandwidth() || bundle.place == bundle.group {
            return Ok(stretch);
        }
        let used = self.used(sides.contract, &bundle.place, bundle.windows.clone())?;
        if used == stretch.used {
            return Ok(stretch);
        }
        let average = if stretch.used.is_zero() { Exact::ZERO } else { stretch.amount.over(stretch.used)? };
        Ok(Owed { used, amount: average.times(used)?, average: Some(average) })
    }

    /// Lines of the bill that no line of the invoice is for.
    pub fn not_invoiced(&self, sides: &Sides, bundles: &[Bundle]) -> Result<Vec<LineCheck>, ReconcileError> {
        let missing = self.bill.lines.iter().filter(|line| !bundles.iter().any(|b| b.expected.is_some() && b.group == line.place));
        let all = 0..sides.period.windows();
        let bytes = |traffic: &Traffic, place: &Place| i64::try_from(traffic.bytes(place, all.clone())).map_err(|_| TooLarge);
        let line = |line: &bill::BillLine| {
            Ok(LineCheck {
                rows: vec![],
                item: self.bill.mode.name().to_owned(),
                place: line.place.clone(),
                from_ms: sides.period.start_ms(),
                to_ms: sides.period.end_ms(),
                client_bytes: bytes(sides.client, &line.place)?,
                log_bytes: sides.log.map(|_| bytes(self.best, &line.place)).transpose()?,
                invoice_quantity: None,
                invoice_unit: None,
                invoice_amount: None,
                expected_quantity: Some(line.quantity),
                expected_amount: Some(line.amount),
                difference: None,
                verdict: Verdict::Incomplete,
            })
        };
        missing.map(line).collect()
    }
}

/// The invoice's lines, bundled; and the money of those that the contract does not price.
pub fn bundles(sides: &Sides, expected: &Expected) -> Result<(Vec<Bundle>, Decimal), ReconcileError> {
    let (mut found, mut unchecked) = (BTreeMap::<Key, Bundle>::new(), Decimal::ZERO);
    let (mut seen, mut others) = (BTreeMap::new(), Vec::new());
    for line in sides.invoice.map_or(&[][..], |invoice| &invoice.lines) {
        let mut bundle = bundle(sides, line)?;
        if bundle.quantity.is_none() {
            unchecked = unchecked.checked_add(line.amount).ok_or(TooLarge)?;
            others.push(bundle);
            continue;
        }
        let key = (bundle.group.clone(), bundle.place.clone(), bundle.windows.start, bundle.windows.end);
        let same = (key.clone(), line.item.clone(), line.quantity, line.amount);
        match (seen.get(&same), found.get_mut(&key)) {
            // The same line again, to the letter.
            (Some(row), _) => {
                bundle.repeats = Some(*row);
                others.push(bundle);
                continue;
            }
            (None, Some(sum)) => sum.join(bundle)?,
            (None, None) => drop(found.insert(key, bundle)),
        }
        seen.insert(same, line.row);
    }
    let mut bundles = repeats(found.into_values().collect());
    bundles.extend(others);
    for bundle in &mut bundles {
        bundle.expected = match (bundle.quantity, bundle.repeats) {
            (None, _) => None,
            (Some(_), Some(_)) => Some(Owed { used: Exact::ZERO, amount: Exact::ZERO, average: None }),
            (Some(_), None) => Some(expected.owed(sides, bundle)?),
        };
    }
    bundles.sort_by_key(|bundle| bundle.rows.first().copied());
    Ok((bundles, unchecked))
}

type Key = (Place, Place, usize, usize);

/// A stretch within one that a longer line is for already is billed a second time.
fn repeats(mut bundles: Vec<Bundle>) -> Vec<Bundle> {
    bundles.sort_by_key(|bundle| (std::cmp::Reverse(bundle.windows.len()), bundle.rows.first().copied()));
    let mut taken: BTreeMap<Place, BTreeMap<usize, (usize, u64)>> = BTreeMap::new();
    for bundle in &mut bundles {
        let Place { domain, region } = &bundle.place;
        let wider = [
            Place { domain: domain.clone(), region: region.clone() },
            Place { domain: domain.clone(), region: None },
            Place { domain: None, region: region.clone() },
            Place::ALL,
        ];
        let covers = |place: &Place| {
            let (_, (end, row)) = taken.get(place)?.range(..=bundle.windows.start).next_back()?;
            (*end >= bundle.windows.end).then_some(*row)
        };
        bundle.repeats = if bundle.windows.is_empty() { None } else { wider.iter().find_map(covers) };
        if bundle.repeats.is_none() {
            let row = bundle.rows.first().copied().unwrap_or_default();
            taken.entry(bundle.place.clone()).or_default().insert(bundle.windows.start, (bundle.windows.end, row));
        }
    }
    bundles
}

impl Bundle {
    fn join(&mut self, other: Bundle) -> Result<(), TooLarge> {
        self.rows.extend(other.rows);
        self.from_ms = self.from_ms.min(other.from_ms);
        self.to_ms = self.to_ms.max(other.to_ms);
        self.amount = self.amount.checked_add(other.amount).ok_or(TooLarge)?;
        self.slack = self.slack.plus(other.slack)?;
        self.written = match (self.written, other.written) {
            (Some(a), Some(b)) if self.unit == other.unit => a.checked_add(b),
            _ => None,
        };
        if let (Some(a), Some(b)) = (self.quantity, other.quantity) {
            self.quantity = Some(a.plus(b)?);
        }
        Ok(())
    }
}

/// One line, with its unit understood. Without a quantity in the contract's kind of unit it is not the contract's.
fn bundle(sides: &Sides, line: &InvoiceLine) -> Result<Bundle, TooLarge> {
    let contract = sides.contract;
    let unit = line.unit.as_deref().map_or(Some(contract.unit), |text| contract.unit.written(text));
    let per_unit = unit.and_then(|unit| unit.in_unit(contract.unit));
    let windows = if contract.mode.is_bandwidth() {
        // Percentiles are of the whole: what a line of a day or a domain says is a part of it.
        0..sides.period.windows()
    } else {
        windows(sides.period, line)
    };
    let group = group_of(contract.sum_over, &line.place);
    let (mut quantity, mut slack) = (None, Exact::ZERO);
    if let (Some(written), Some(per_unit)) = (line.quantity, per_unit) {
        quantity = Some(Exact::from(written).times(per_unit)?);
        slack = Exact::from(Decimal::new(5, (written.scale() + 1).min(28))).times(per_unit)?;
    }
    Ok(Bundle {
        rows: vec![line.row],
        item: line.item.clone(),
        place: if contract.mode.is_bandwidth() { group.clone() } else { line.place.clone() },
        group,
        from_ms: line.from_ms,
        to_ms: line.to_ms,
        windows,
        written: line.quantity,
        unit: line.unit.clone(),
        quantity,
        slack,
        amount: line.amount,
        expected: None,
        repeats: None,
    })
}

/// The windows that a line is for. Invoices write dates: a boundary that is midnight in UTC, but not in the
/// contract's zone, means that date in the contract's zone.
fn windows(period: &Period, line: &InvoiceLine) -> Range<usize> {
    let index = |at_ms: i64| {
        let clipped = at_ms.clamp(period.start_ms(), period.end_ms());
        ((clipped - period.start_ms()) / crate::period::WINDOW_MS) as usize
    };
    let snapped = |at_ms: i64| {
        let at = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
        let is_midnight = |zone: Tz| at.with_timezone(&zone).time() == NaiveTime::MIN;
        if is_midnight(period.zone()) || !is_midnight(Tz::UTC) {
            return index(at_ms);
        }
        let date = at.date_naive();
        match period.days().iter().find(|day| day.date == date) {
            Some(day) => day.first,
            None if date <= period.from() => 0,
            None => period.windows(),
        }
    };
    let (start, end) = (snapped(line.from_ms), snapped(line.to_ms));
    start..end.max(start)
}
