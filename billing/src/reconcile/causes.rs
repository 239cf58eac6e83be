//! Errors of invoices that have a name, each with the rule by which it is recognised.
//!
//! All rules are one: *redo the vendor's arithmetic with the error in it; where that gives the invoice's figure, and
//! the right arithmetic does not, the error is named.* Errors are sought alone first, then in pairs. A difference that
//! the contract tolerates is only looked at where an error gives the figure almost to the digit. Of several errors that
//! fit, the one that fits best is named. Nothing that is paid for rightly has a cause.

use super::expected::{Bundle, Expected, Owed};
use super::{ReconcileError, Sides, Verdict};
use crate::exact::{Exact, TooLarge};
use crate::told::Told;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

/// What was done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// Counted in the unit of the other base. Rule: invoiced ÷ expected is 1.073741824 or its inverse (GB and GiB;
    /// of TB and TiB 1.099511627776, of Mbps 1.048576, of Gbps 1.073741824).
    WrongUnit,
    /// Rule: invoiced − expected is what one day of the line's time comes to; or a line is for time, domain and
    /// region that another, longer or equal line is for already.
    DayBilledTwice,
    /// Rule: the quantity is that of the same dates with days cut in UTC.
    WrongZone,
    /// Rule: invoiced ÷ expected is the contract's overhead factor, which the expected quantity has in it already.
    OverheadTwice,
    /// Rule: the quantity is right, and the amount is that quantity at the price of another tier, or by the other
    /// reading of the tiers (slice by slice, or all at the reached price).
    WrongTier,
}

/// An error with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    pub cause: CauseKind,
    /// Rows of the invoice.
    pub rows: Vec<u64>,
    #[serde(serialize_with = "crate::period::date_or_null")]
    pub day: Option<NaiveDate>,
    /// Money it accounts for; negative: to the vendor's disadvantage.
    pub amount: Decimal,
    /// In words, with the figures compared.
    pub evidence: Told,
}

/// How near an error's figure must come, of the invoice's: an error alone, in a disputed line; in one that is
/// tolerated; and a pair of errors, of which there are many more to choose from.
const NEAR: (i128, i128) = (1, 2_000);
const NEAR_TOLERATED: (i128, i128) = (1, 1_000_000);
const NEAR_PAIR: (i128, i128) = (1, 50_000);
/// And of the difference, at most a tenth may be left.
const LEFT: (i128, i128) = (1, 10);
/// Rows named in a sentence; the cause itself has them all.
const ROWS_NAMED_MAX: usize = 20;

/// One error: what the quantity becomes by it.
#[derive(Debug, Clone)]
struct Error {
    kind: CauseKind,
    day: Option<NaiveDate>,
    becomes: Becomes,
    told: Told,
}

#[derive(Debug, Clone, Copy)]
enum Becomes {
    Times(Exact),
    Plus(Exact),
    This(Exact),
}

impl Error {
    fn of(&self, quantity: Exact) -> Result<Exact, TooLarge> {
        match self.becomes {
            Becomes::Times(factor) => quantity.times(factor),
            Becomes::Plus(more) => quantity.plus(more),
            Becomes::This(other) => Ok(other),
        }
    }
}

/// The causes of one bundle's difference; none where none is recognised.
pub fn of(sides: &Sides, expected: &Expected, bundle: &Bundle, verdict: Verdict) -> Result<Vec<Cause>, ReconcileError> {
    let (Some(owed), Some(quantity)) = (bundle.expected, bundle.quantity) else { return Ok(vec![]) };
    if let Some(row) = bundle.repeats {
        return Ok(vec![repeated(sides, bundle, row)?]);
    }
    let near = match verdict {
        Verdict::Disputed => NEAR,
        Verdict::WithinTolerance => NEAR_TOLERATED,
        Verdict::Ok | Verdict::Incomplete => return Ok(vec![]),
    };
    let seek = Seek { sides, expected, bundle, owed, quantity };
    if seek.fits(owed.used, near, false)?.is_some() {
        return Ok(seek.wrong_tier()?.into_iter().collect());
    }
    let errors = seek.errors()?;
    if let Some(found) = seek.alone(&errors, near)? {
        return Ok(vec![found]);
    }
    if verdict == Verdict::Disputed { seek.pair(&errors) } else { Ok(vec![]) }
}

/// Causes of the same kind and of no day become one.
pub fn merged(causes: Vec<Cause>) -> Vec<Cause> {
    let mut merged: Vec<Cause> = Vec::new();
    for cause in causes {
        let same = merged.iter_mut().find(|other| other.cause == cause.cause && other.day.is_none() && cause.day.is_none());
        match same.and_then(|other| Some((other.amount.checked_add(cause.amount)?, other))) {
            Some((amount, other)) => {
                other.amount = amount;
                other.rows.extend(cause.rows);
            }
            None => merged.push(cause),
        }
    }
    for cause in merged.iter_mut().filter(|cause| cause.day.is_none() && cause.rows.len() > 1) {
        let (Told { en, zh }, rows) = (&cause.evidence, cause.rows.len());
        cause.evidence = Told::new(format!("{en}; likewise in all of {rows} rows"), format!("{zh}；全部 {rows} 行都是如此"));
    }
    merged
}

fn repeated(sides: &Sides, bundle: &Bundle, row: u64) -> Result<Cause, TooLarge> {
    let day = sides.period.days().iter().find(|day| day.range() == bundle.windows).map(|day| day.date);
    let mut rows = bundle.rows.iter().take(ROWS_NAMED_MAX).map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut rows_zh = rows.clone();
    if let Some(more) = bundle.rows.len().checked_sub(ROWS_NAMED_MAX).filter(|more| *more > 0) {
        rows += &format!(" and {more} more");
        rows_zh += &format!(" 等另 {more} 行");
    }
    let evidence = Told::new(
        format!("row {rows} is for what row {row} is for already: {} more", bundle.amount),
        format!("第 {rows_zh} 行与第 {row} 行所收的是同一项：多收 {}", bundle.amount),
    );
    Ok(Cause { cause: CauseKind::DayBilledTwice, rows: bundle.rows.clone(), day, amount: bundle.amount, evidence })
}

struct Seek<'a, 'b> {
    sides: &'a Sides<'b>,
    expected: &'a Expected<'a>,
    bundle: &'a Bundle,
    owed: Owed,
    quantity: Exact,
}

impl Seek<'_, '_> {
    /// How far a figure is from the invoice's quantity; none: too far.
    fn fits(&self, figure: Exact, near: (i128, i128), explains: bool) -> Result<Option<Exact>, TooLarge> {
        let off = self.quantity.minus(figure)?.abs();
        let difference = self.quantity.minus(self.owed.used)?.abs();
        let share = self.quantity.abs().times(Exact::fraction(near.0, near.1)?)?;
        let left = difference.times(Exact::fraction(LEFT.0, LEFT.1)?)?;
        let is_near = off <= share.max(self.bundle.slack) && (!explains || off <= left);
        Ok(is_near.then_some(off))
    }

    fn errors(&self) -> Result<Vec<Error>, ReconcileError> {
        let mut errors = self.units()?;
        let overhead = Exact::from(self.sides.contract.overhead);
        if overhead > Exact::ONE {
            let factor = self.sides.contract.overhead;
            let told = Told::new(format!("the overhead factor {factor} applied once more"), format!("开销系数 {factor} 多乘了一次"));
            errors.push(Error { kind: CauseKind::OverheadTwice, day: None, becomes: Becomes::Times(overhead), told });
        }
        if let Some(utc) = self.utc()? {
            let zone = self.sides.contract.zone.name();
            let told = Told::new(format!("days cut in UTC instead of {zone}"), format!("日期按 UTC 而不是 {zone} 划分"));
            errors.push(Error { kind: CauseKind::WrongZone, day: None, becomes: Becomes::This(utc), told });
        }
        errors.extend(self.days()?);
        Ok(errors)
    }

    fn units(&self) -> Result<Vec<Error>, TooLarge> {
        let unit = self.sides.contract.unit;
        let other = unit.taken_for();
        let Some(factor) = unit.in_unit(other) else { return Ok(vec![]) };
        let error = |factor: Exact, told: Told| Error { kind: CauseKind::WrongUnit, day: None, becomes: Becomes::Times(factor), told };
        let size = |unit: crate::contract::Unit| {
            Told::new(format!("{} of {}", unit.name(), unit.size()), format!("{}（{}）", unit.name(), unit.size()))
        };
        let (ours, theirs) = (size(unit), size(other));
        let inverse = Exact::ONE.over(factor)?;
        Ok(vec![
            error(
                factor,
                Told::new(
                    format!("counted in {}, the contract says {}", theirs.en, ours.en),
                    format!("按 {} 计量，合同约定的是 {}", theirs.zh, ours.zh),
                ),
            ),
            error(
                inverse,
                Told::new(
                    format!("converted from {} to {} the wrong way", ours.en, theirs.en),
                    format!("从 {} 换算到 {} 时方向反了", ours.zh, theirs.zh),
                ),
            ),
        ])
    }

    /// Of a contract that bills bytes: each day that lies wholly within the bundle's time.
    fn days(&self) -> Result<Vec<Error>, TooLarge> {
        if self.sides.contract.mode.is_bandwidth() {
            return Ok(vec![]);
        }
        let windows = &self.bundle.windows;
        let within = |day: &&crate::period::Day| day.first >= windows.start && day.first + day.windows <= windows.end;
        let error = |day: &crate::period::Day| {
            let more = self.expected.used(self.sides.contract, &self.bundle.place, day.range())?;
            let (date, amount) = (day.date, more.shown()?);
            let told = Told::new(format!("{date} billed twice: {amount} more"), format!("{date} 被计费两次：多 {amount}"));
            Ok(Error { kind: CauseKind::DayBilledTwice, day: Some(day.date), becomes: Becomes::Plus(more), told })
        };
        self.sides.period.days().iter().filter(within).map(error).filter(|error| !is_nothing(error)).collect()
    }

    /// The quantity of the same dates in UTC.
    fn utc(&self) -> Result<Option<Exact>, ReconcileError> {
        let (contract, utc_zone) = (self.sides.contract, chrono_tz::Tz::UTC);
        let Some(traffic) = self.sides.utc.filter(|_| contract.zone != utc_zone) else { return Ok(None) };
        let period = self.sides.period.in_zone(utc_zone).map_err(|_| TooLarge)?;
        if contract.mode.is_bandwidth() {
            let contract = crate::Contract { zone: utc_zone, ..contract.clone() };
            let bill = crate::bill(&contract, &period, traffic)?;
            return Ok(bill.lines.iter().find(|line| line.place == self.bundle.group).map(|line| line.exact.used));
        }
        let date_at = |window| self.sides.period.day_of(window).map(|day| (day.date, day.first == window));
        let index_of = |date| period.days().iter().find(|day| day.date == date).map(|day| day.first);
        let windows = &self.bundle.windows;
        let start = date_at(windows.start).filter(|(_, begins)| *begins).and_then(|(date, _)| index_of(date));
        let end = match date_at(windows.end) {
            Some((date, begins)) => index_of(date).filter(|_| begins),
            None => Some(period.windows()),
        };
        let (Some(start), Some(end)) = (start, end) else { return Ok(None) };
        let bytes = traffic.bytes(&self.bundle.place, start..end);
        Ok(Some(crate::bill::line::used(contract, self.expected.best.basis, bytes)?))
    }

    fn alone(&self, errors: &[Error], near: (i128, i128)) -> Result<Option<Cause>, ReconcileError> {
        let mut best: Option<(Exact, &Error)> = None;
        for error in errors {
            if let Some(off) = self.fits(error.of(self.owed.used)?, near, true)?
                && best.is_none_or(|(least, _)| off < least)
            {
                best = Some((off, error));
            }
        }
        let Some((_, error)) = best else { return Ok(None) };
        let figure = error.of(self.owed.used)?;
        let amount = Exact::from(self.bundle.amount).minus(self.owed.amount)?;
        Ok(Some(self.cause(error, self.owed.used, figure, amount)?))
    }

    /// Two errors of different kinds, one upon the other.
    fn pair(&self, errors: &[Error]) -> Result<Vec<Cause>, ReconcileError> {
        let mut best: Option<(Exact, &Error, &Error)> = None;
        for first in errors {
            let between = first.of(self.owed.used)?;
            let others = errors.iter().filter(|other| other.kind != first.kind && matches!(other.becomes, Becomes::Times(_)));
            for second in others {
                if let Some(off) = self.fits(second.of(between)?, NEAR_PAIR, true)?
                    && best.as_ref().is_none_or(|(least, ..)| off < *least)
                {
                    best = Some((off, first, second));
                }
            }
        }
        let Some((_, first, second)) = best else { return Ok(vec![]) };
        let between = first.of(self.owed.used)?;
        let priced = self.priced(between)?;
        let rest = Exact::from(self.bundle.amount).minus(priced)?;
        Ok(vec![
            self.cause(first, self.owed.used, between, priced.minus(self.owed.amount)?)?,
            self.cause(second, between, second.of(between)?, rest)?,
        ])
    }

    fn priced(&self, used: Exact) -> Result<Exact, ReconcileError> {
        match self.owed.average {
            Some(average) => Ok(average.times(used)?),
            None => Ok(self.expected.prices(self.sides, &self.bundle.group)?.amount(used)?),
        }
    }

    fn cause(&self, error: &Error, before: Exact, after: Exact, amount: Exact) -> Result<Cause, TooLarge> {
        let money = self.sides.contract.money;
        let unit = self.sides.contract.unit.name();
        let quotient = if before.is_zero() { String::new() } else { format!(" (× {})", after.over(before)?.round(9, money.rounding)?) };
        let (before, after, invoiced) = (before.shown()?, after.shown()?, self.quantity.shown()?);
        let Told { en, zh } = &error.told;
        let evidence = Told::new(
            format!("{en}: {before} {unit} becomes {after} {unit}{quotient}; invoiced are {invoiced} {unit}"),
            format!("{zh}：{before} {unit} 变成 {after} {unit}{quotient}；账单为 {invoiced} {unit}"),
        );
        let amount = amount.round(money.decimals, money.rounding)?;
        Ok(Cause { cause: error.kind, rows: self.bundle.rows.clone(), day: error.day, amount, evidence })
    }

    /// The quantity is right and the amount is not.
    fn wrong_tier(&self) -> Result<Option<Cause>, ReconcileError> {
        let prices = self.expected.prices(self.sides, &self.bundle.group)?;
        let (invoiced, right) = (Exact::from(self.bundle.amount), self.owed.amount);
        let difference = invoiced.minus(right)?.abs();
        let coin = Exact::from(Decimal::new(1, self.sides.contract.money.decimals));
        let mut readings = Vec::new();
        for (i, tier) in prices.tiers.iter().enumerate() {
            let (tier, price) = (i + 1, tier.price);
            let told = Told::new(format!("all of it at tier {tier}'s price {price}"), format!("全部按第 {tier} 阶梯的价格 {price}"));
            readings.push((self.quantity.times(price.into())?, told));
        }
        if self.bundle.place == self.bundle.group {
            use crate::contract::TiersApply::{Progressive, Reached};
            let (apply, told) = match prices.apply {
                Progressive => (
                    Reached,
                    Told::new(
                        "all at the reached tier's price instead of each slice at its own",
                        "全部按到达阶梯的价格，而不是各段各按其价",
                    ),
                ),
                Reached => (
                    Progressive,
                    Told::new(
                        "each slice at its own price instead of all at the reached tier's",
                        "各段各按其价，而不是全部按到达阶梯的价格",
                    ),
                ),
            };
            readings.push((crate::bill::price::Prices { apply, ..prices }.amount(self.owed.used)?, told));
        }
        let mut best: Option<(Exact, Told)> = None;
        for (figure, told) in readings {
            let off = invoiced.minus(figure)?.abs();
            let left = difference.times(Exact::fraction(LEFT.0, LEFT.1)?)?;
            let near = invoiced.abs().times(Exact::fraction(NEAR.0, NEAR.1)?)?.max(coin);
            if off <= near && off <= left && best.as_ref().is_none_or(|(least, _)| off < *least) {
                best = Some((off, told));
            }
        }
        let Some((_, Told { en, zh })) = best else { return Ok(None) };
        let money = self.sides.contract.money;
        let (invoiced_amount, expected) = (self.bundle.amount, right.shown()?);
        let evidence = Told::new(
            format!("the quantity is right; {en} gives the invoiced {invoiced_amount}, expected are {expected}"),
            format!("用量正确；{zh}，得出账单的 {invoiced_amount}，应为 {expected}"),
        );
        let amount = invoiced.minus(right)?.round(money.decimals, money.rounding)?;
        Ok(Some(Cause { cause: CauseKind::WrongTier, rows: self.bundle.rows.clone(), day: None, amount, evidence }))
    }
}

/// A day without traffic explains nothing.
fn is_nothing(error: &Result<Error, TooLarge>) -> bool {
    matches!(error, Ok(Error { becomes: Becomes::Plus(more), .. }) if more.is_zero())
}
