//! One line of a bill, from its bytes to its money, with each step told.

use super::measure::{Measure, measure};
use super::percentile;
use super::price::Prices;
use super::{BillError, BillLine, ExactLine, Step};
use crate::contract::{Contract, Mode, RoundPer};
use crate::exact::{Exact, Rounding, TooLarge};
use crate::period::{Period, WINDOW_S};
use crate::series::{Basis, Place, Series};
use crate::told::{Told, rounded};
use num_traits::One;

/// The prices of a contract for one line.
pub fn prices<'a>(contract: &'a Contract, period: &Period, place: &Place) -> Result<Prices<'a>, BillError> {
    let region = place.region.as_deref();
    let no_price = || BillError::NoPrice { region: region.unwrap_or_default().to_owned() };
    Ok(Prices {
        tiers: contract.tariff.of(region).ok_or_else(no_price)?,
        apply: contract.tariff.apply,
        at_boundary: contract.tariff.at_boundary,
        commit: contract.commit.as_ref(),
        free: contract.free.as_ref(),
        share: days_share(period.days().len(), period)?,
    })
}

/// Logged or counted bytes → the contract's unit, as billed; for modes that bill bytes.
pub fn used(contract: &Contract, basis: Basis, bytes: u128) -> Result<Exact, TooLarge> {
    let mut value = Exact::whole(i128::try_from(bytes).map_err(|_| TooLarge)?).times(contract.overhead.into())?;
    if basis == Basis::Client {
        value = value.times(contract.log_overhead.into())?;
    }
    value = value.times(Exact::fraction(1, contract.unit.size())?)?;
    match contract.money.quantity_decimals {
        Some(decimals) => Ok(value.round(decimals, Rounding::HalfUp)?.into()),
        None => Ok(value),
    }
}

/// Measures and prices the bytes of one line.
pub fn line(contract: &Contract, period: &Period, basis: Basis, place: Place, series: &Series) -> Result<BillLine, BillError> {
    let bytes = u64::try_from(series.total()).map_err(|_| TooLarge)?;
    let measured = measure(contract.mode, contract.percentile, period, series)?;
    let mut steps = Steps::default();
    let used = quantity(contract, period, basis, &measured, &mut steps)?;
    let prices = prices(contract, period, &place)?;
    let (billed, exact) = priced(contract, &prices, used, &mut steps)?;
    let money = contract.money;
    let amount = match money.per {
        RoundPer::Total => exact.shown()?,
        RoundPer::Line => {
            let amount = exact.round(money.decimals, money.rounding)?;
            steps.tell(
                "money",
                rounded(money.decimals, money.rounding),
                vec![("amount", shown(exact)?)],
                format!("{amount} {}", contract.currency),
            );
            amount
        }
    };
    Ok(BillLine {
        place,
        bytes,
        quantity: billed.shown()?,
        unit: contract.unit.name(),
        amount,
        samples: measured.samples,
        dropped_windows: measured.dropped_windows,
        steps: steps.0,
        exact: ExactLine { used, amount: exact },
    })
}

/// Used quantity → what is paid for, and its price.
fn priced(contract: &Contract, prices: &Prices, used: Exact, steps: &mut Steps) -> Result<(Exact, Exact), TooLarge> {
    let unit = contract.unit.name();
    if contract.free.is_some() {
        let free = prices.free_quantity()?;
        steps.tell(
            "free",
            Told::new("used − free, at least 0", "用量 − 免费额度，最少为 0"),
            vec![("used", shown(used)?), ("free", shown(free)?)],
            with(used.minus(free.min(used))?, unit)?,
        );
    }
    let slices = prices.slices(used)?;
    let (mut billed, mut amount, mut told) = (Exact::ZERO, Exact::ZERO, Vec::with_capacity(slices.len()));
    for slice in &slices {
        billed = billed.plus(slice.quantity)?;
        amount = amount.plus(slice.amount()?)?;
        told.push(format!("{} × {}", shown(slice.quantity)?, shown(slice.price)?));
    }
    if contract.commit.is_some() {
        let committed = prices.committed()?;
        steps.tell(
            "commit",
            Told::new("max(used, committed)", "max(用量, 保底)"),
            vec![("committed", shown(committed)?)],
            with(billed, unit)?,
        );
    }
    let formula = if told.is_empty() { Told::new("nothing used", "没有用量") } else { Told::figures(told.join(" + ")) };
    steps.tell("price", formula, vec![("quantity", shown(billed)?)], with(amount, &contract.currency)?);
    Ok((billed, amount))
}

/// Bytes, or bytes per window, → the contract's unit. The order of the factors is that of the steps told.
fn quantity(contract: &Contract, period: &Period, basis: Basis, measured: &Measure, steps: &mut Steps) -> Result<Exact, TooLarge> {
    let mut value = measured.value;
    tell_measure(contract, period, measured, steps)?;
    if contract.mode.is_bandwidth() {
        let bytes = shown(value)?;
        value = value.times(Exact::fraction(8, WINDOW_S)?)?;
        steps.tell("bandwidth", Told::new("bytes × 8 ÷ 300 s", "字节 × 8 ÷ 300 秒"), vec![("bytes", bytes)], with(value, "bit/s")?);
    }
    if basis == Basis::Client && !contract.log_overhead.is_one() {
        value = value.times(contract.log_overhead.into())?;
        steps.tell(
            "log_overhead",
            Told::new("× what a log counts beyond bodies", "× 日志在正文之外计入的部分"),
            vec![("factor", contract.log_overhead.to_string())],
            shown(value)?,
        );
    }
    if !contract.overhead.is_one() {
        value = value.times(contract.overhead.into())?;
        steps.tell(
            "overhead",
            Told::new("logged × factor = billed", "日志 × 系数 = 计费"),
            vec![("factor", contract.overhead.to_string())],
            shown(value)?,
        );
    }
    value = value.times(Exact::fraction(1, contract.unit.size())?)?;
    let (unit, size) = (contract.unit.name(), contract.unit.size());
    steps.tell("unit", Told::figures(format!("÷ {size}")), vec![("unit", unit.to_owned())], with(value, unit)?);
    value = by_days(contract, period, measured, value, steps)?;
    if let Some(decimals) = contract.money.quantity_decimals {
        let exact = shown(value)?;
        value = value.round(decimals, Rounding::HalfUp)?.into();
        steps.tell("quantity", rounded(decimals, Rounding::HalfUp), vec![("quantity", exact)], with(value, unit)?);
    }
    Ok(value)
}

/// Bandwidth by the share of the month's days. Huawei, price-cdn/cdn_01_0160: Max95 × price × (X ÷ days of the month),
/// X being the valid days; BytePlus, bandwidth packages, likewise.
fn by_days(contract: &Contract, period: &Period, measured: &Measure, value: Exact, steps: &mut Steps) -> Result<Exact, TooLarge> {
    let percentile = contract.percentile;
    if !contract.mode.is_bandwidth() || !(percentile.valid_days_only || percentile.prorate) {
        return Ok(value);
    }
    let days = if percentile.valid_days_only { measured.days } else { period.days().len() };
    let value = value.times(days_share(days, period)?)?;
    let inputs = vec![("days", days.to_string()), ("days_of_month", period.days_asked().to_string())];
    steps.tell("days", Told::new("× days ÷ days of the month", "× 天数 ÷ 当月天数"), inputs, with(value, contract.unit.name())?);
    Ok(value)
}

fn days_share(days: usize, period: &Period) -> Result<Exact, TooLarge> {
    Exact::fraction(days as i128, period.days_asked() as i128)
}

fn tell_measure(contract: &Contract, period: &Period, measured: &Measure, steps: &mut Steps) -> Result<(), TooLarge> {
    let (windows, days) = (period.windows().to_string(), measured.days.to_string());
    let rank = |sample: &super::Sample| {
        vec![
            ("samples", sample.samples.to_string()),
            ("dropped", sample.dropped.to_string()),
            ("rank", sample.rank.to_string()),
            ("window", utc(sample.start_ms)),
        ]
    };
    let first = measured.samples.first();
    let (name, formula, inputs) = match contract.mode {
        Mode::Traffic => ("sum", Told::new("sum of all windows", "所有窗口之和"), vec![("windows", windows)]),
        Mode::P95Month => {
            let formula = Told::new("drop 0.05 N of N samples, take the next", "N 个采样去掉最大的 0.05 N 个，取下一个");
            ("percentile", formula, first.map(rank).unwrap_or_default())
        }
        Mode::P95OffpeakHalf => {
            let formula = Told::new(
                "samples of 00:00–08:00 at half; drop 0.05 N of N samples, take the next",
                "00:00–08:00 的采样减半；N 个采样去掉最大的 0.05 N 个，取下一个",
            );
            ("percentile", formula, first.map(rank).unwrap_or_default())
        }
        Mode::P95DayAvg => {
            let dropped = percentile::dropped(288, contract.percentile.rounding).to_string();
            let inputs = vec![("days", days), ("dropped_of_288", dropped)];
            let formula = Told::new(
                "drop 0.05 N of each day's N samples, take the next; average over the days",
                "每天的 N 个采样去掉最大的 0.05 N 个，取下一个；再按天平均",
            );
            ("percentile", formula, inputs)
        }
        Mode::PeakDayAvg => {
            let formula = Told::new("largest window of each day; average over the days", "每天最大的窗口；再按天平均");
            ("peak", formula, vec![("days", days)])
        }
        Mode::Peak4Month => {
            let formula = Told::new("fourth highest of the days' peaks; 0 with fewer than 4 days", "各日峰值中第四高的；不足 4 天为 0");
            ("peak", formula, first.map(rank).unwrap_or_else(|| vec![("days", days)]))
        }
    };
    steps.tell(name, formula, inputs, with(measured.value, "B")?);
    Ok(())
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn tell(&mut self, name: &'static str, formula: Told, inputs: Vec<(&'static str, String)>, output: String) {
        self.0.push(Step { name, formula, inputs, output });
    }
}

fn shown(value: Exact) -> Result<String, TooLarge> {
    Ok(value.shown()?.to_string())
}

fn with(value: Exact, unit: &str) -> Result<String, TooLarge> {
    Ok(format!("{} {unit}", value.shown()?))
}

fn utc(at_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at_ms).unwrap_or_default().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
