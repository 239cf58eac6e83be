//! The check's own tables: about, waterfall, bills, lines, causes, days, windows. Their columns' names are stable:
//! programs may rely on them.

use super::super::check::Loaded;
use super::super::drill;
use super::about;
use super::table::{Cell, Column, Table, decimal, exact, exact_or_none, int, table, text};
use crate::error::Error;
use livemeter_schemas::bills::{BillCheck, BillWindow};

const ABOUT: [Column; 2] = [text("name"), text("value")];
const WATERFALL: [Column; 5] = [text("step"), text("kind"), int("bytes"), int("low_bytes"), int("high_bytes")];
const BILLS: [Column; 9] = [
    text("side"),
    decimal("quantity"),
    text("unit"),
    decimal("amount"),
    text("currency"),
    int("samples"),
    int("dropped"),
    int("rank"),
    text("billed_window"),
];
const STEPS: [Column; 4] = [text("side"), text("step"), text("formula"), text("value")];
pub const LINES: [Column; 15] = [
    text("vendor"),
    text("item"),
    text("domain"),
    text("region"),
    int("client_bytes"),
    int("log_bytes"),
    int("invoice_row"),
    decimal("invoice_quantity"),
    decimal("expected_quantity"),
    text("unit"),
    decimal("invoice_amount"),
    decimal("expected_amount"),
    decimal("difference_amount"),
    text("verdict"),
    text("invoice_rows"),
];
const LINES_ABOUT: [Column; 21] = [
    text("vendor"),
    text("item"),
    text("domain"),
    text("region"),
    int("client_bytes"),
    int("log_bytes"),
    int("invoice_row"),
    decimal("invoice_quantity"),
    decimal("expected_quantity"),
    text("unit"),
    decimal("invoice_amount"),
    decimal("expected_amount"),
    decimal("difference_amount"),
    text("verdict"),
    text("invoice_rows"),
    text("currency"),
    text("contract"),
    int("contract_version"),
    text("period"),
    int("table_version"),
    text("kafka_offsets"),
];
pub const CAUSES: [Column; 7] =
    [text("cause"), int("invoice_row"), text("day"), decimal("amount"), text("currency"), text("evidence"), text("invoice_rows")];
pub const DAYS: [Column; 9] = [
    text("day"),
    int("client_bytes"),
    int("log_bytes"),
    int("overhead_bytes"),
    int("telemetry_loss_bytes"),
    int("without_sdk_bytes"),
    int("unexplained_bytes"),
    int("peak_bandwidth_bps"),
    text("verdict"),
];
const WINDOWS: [Column; 5] = [text("window_start"), int("client_bytes"), int("log_bytes"), int("rank"), text("role")];

/// Every table, for a workbook: the summary first, then the vendor's lines on a sheet named for it.
pub fn all(loaded: &Loaded, check: &BillCheck) -> Result<Vec<Table>, Error> {
    let vendor = format!("{} {}", check.contract.vendor, check.contract.id);
    Ok(vec![
        table("Summary", &ABOUT, summary(check)),
        Table { name: vendor, ..lines(check, false) },
        table(
            "Waterfall",
            &WATERFALL,
            check
                .waterfall
                .iter()
                .map(|s| vec![s.step.as_str().into(), s.kind.as_str().into(), s.bytes.into(), s.low_bytes.into(), s.high_bytes.into()])
                .collect(),
        ),
        bills(check),
        table("Steps", &STEPS, steps(check)),
        causes(check),
        days(check),
        windows(&drill::ranked(loaded)?),
    ])
}

fn summary(check: &BillCheck) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> =
        about(check).into_iter().map(|(name, value)| vec![name.trim_start_matches("livemeter.").into(), value.into()]).collect();
    for bill in &check.bills {
        rows.push(vec![format!("owed by the {}", bill.side).into(), format!("{} {}", bill.amount, bill.currency).into()]);
    }
    if let Some(invoice) = &check.invoice {
        rows.push(vec!["invoiced".into(), format!("{} {}", invoice.total, invoice.currency).into()]);
    }
    for cause in &check.causes {
        rows.push(vec![cause.cause.as_str().into(), cause.evidence.as_str().into()]);
    }
    rows
}

/// The lines; `alone`: with what they were made from in each row, for files that have no other place for it.
pub fn lines(check: &BillCheck, alone: bool) -> Table {
    let source = &check.source;
    let rows = check.lines.iter().map(|l| {
        let mut row: Vec<Cell> = vec![
            check.contract.vendor.as_str().into(),
            l.item.as_str().into(),
            l.domain.clone().into(),
            l.region.clone().into(),
            l.client_bytes.into(),
            l.log_bytes.into(),
            l.invoice_row.into(),
            exact_or_none(&l.invoice_quantity),
            exact_or_none(&l.expected_quantity),
            l.unit.clone().into(),
            exact_or_none(&l.invoice_amount),
            exact_or_none(&l.expected_amount),
            exact_or_none(&l.difference_amount),
            l.verdict.as_str().into(),
            all_rows(&l.invoice_rows, l.invoice_rows_more).into(),
        ];
        if alone {
            let c = &check.contract;
            row.extend([c.currency.as_str().into(), c.id.as_str().into(), i64::from(c.version).into(), check.period.as_str().into()]);
            row.extend([source.table_version.into(), source.offsets.join(" ").into()]);
        }
        row
    });
    table("Lines", if alone { &LINES_ABOUT } else { &LINES }, rows.collect())
}

fn bills(check: &BillCheck) -> Table {
    let rows = check.bills.iter().map(|b| {
        vec![
            b.side.as_str().into(),
            exact(b.quantity.as_str()),
            b.unit.as_str().into(),
            exact(b.amount.as_str()),
            b.currency.as_str().into(),
            b.samples.into(),
            b.dropped.into(),
            b.rank.into(),
            b.billed_window.clone().into(),
        ]
    });
    table("Bills", &BILLS, rows.collect())
}

fn steps(check: &BillCheck) -> Vec<Vec<Cell>> {
    let all = check.bills.iter().flat_map(|bill| bill.steps.iter().map(move |step| (bill, step)));
    all.map(|(bill, step)| {
        vec![bill.side.as_str().into(), step.name.as_str().into(), step.formula.as_str().into(), step.value.as_str().into()]
    })
    .collect()
}

pub fn causes(check: &BillCheck) -> Table {
    let rows = check.causes.iter().map(|c| {
        let currency = check.contract.currency.as_str().into();
        vec![
            c.cause.as_str().into(),
            c.invoice_row.into(),
            c.day.clone().into(),
            exact(c.amount.as_str()),
            currency,
            c.evidence.as_str().into(),
            all_rows(&c.invoice_rows, c.invoice_rows_more).into(),
        ]
    });
    table("Causes", &CAUSES, rows.collect())
}

/// `2 5 9`, or `2 5 9 +12` where twelve more are not told.
pub fn all_rows(rows: &[u64], more: u64) -> String {
    let mut told: Vec<String> = rows.iter().map(u64::to_string).collect();
    if more > 0 {
        told.push(format!("+{more}"));
    }
    told.join(" ")
}

pub fn days(check: &BillCheck) -> Table {
    let rows = check.days.iter().map(|d| {
        vec![
            d.day.as_str().into(),
            d.client_bytes.into(),
            d.log_bytes.into(),
            d.overhead_bytes.into(),
            d.telemetry_loss_bytes.into(),
            d.without_sdk_bytes.into(),
            d.unexplained_bytes.into(),
            d.peak_bandwidth_bps.into(),
            d.verdict.as_str().into(),
        ]
    });
    table("Days", &DAYS, rows.collect())
}

fn windows(windows: &[BillWindow]) -> Table {
    let rows = windows
        .iter()
        .map(|w| vec![w.start.as_str().into(), w.client_bytes.into(), w.log_bytes.into(), w.rank.into(), w.role.as_str().into()]);
    table("Windows", &WINDOWS, rows.collect())
}
