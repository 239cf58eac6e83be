//! A reconciliation as it is told: decimals in text, times in the contract's zone. Pure.

use super::check::{self, Loaded};
use crate::error::Error;
use livemeter_billing::bill::Step;
use livemeter_billing::reconcile::{DayParts, LineCheck, Parts, Verdict};
use livemeter_billing::told::input_zh;
use livemeter_billing::{Basis, Bill, Reconciliation, reconcile};
use livemeter_schemas::bills::{BillCheck, BillOf, BillStep, Cause, CheckDay, CheckLine, WaterfallStep};

/// Rows of the invoice told of one line or cause: a tier or a day each. An error in every line has as many as the invoice.
const ROWS_TOLD_MAX: usize = 20;

pub fn check(loaded: &Loaded) -> Result<BillCheck, Error> {
    let found = reconcile(&loaded.sides()).map_err(check::reconcile)?;
    Ok(told(loaded, &found))
}

pub fn told(loaded: &Loaded, found: &Reconciliation) -> BillCheck {
    let ask = &loaded.ask;
    let bills = std::iter::once(&found.client_bill).chain(&found.log_bill).map(|one| bill(loaded, one)).collect();
    BillCheck {
        contract: ask.summary().clone(),
        period: ask.text.clone(),
        from: ask.label(ask.from_ms),
        to: ask.label(ask.to_ms),
        invoice: ask.invoice_summary(),
        verdict: verdict(found.verdict).to_owned(),
        waterfall: found
            .waterfall
            .iter()
            .map(|step| WaterfallStep {
                step: step.step.to_owned(),
                kind: if step.is_total { "total" } else { "difference" }.to_owned(),
                bytes: step.bytes,
                low_bytes: step.low,
                high_bytes: step.high,
            })
            .collect(),
        bills,
        causes: causes(found),
        lines: found.lines.iter().map(|one| line(loaded, one)).collect(),
        days: found.days.iter().map(day).collect(),
        source: ask.source(&loaded.client, loaded.log_sha256()),
    }
}

pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::WithinTolerance => "within_tolerance",
        Verdict::Incomplete => "incomplete",
        Verdict::Disputed => "disputed",
    }
}

pub fn side(basis: Basis) -> &'static str {
    match basis {
        Basis::Client => "client",
        Basis::Log => "log",
    }
}

/// A bill as one figure; of several lines that are measured apart, the quantities' sum and no rank.
fn bill(loaded: &Loaded, bill: &Bill) -> BillOf {
    let quantity: rust_decimal::Decimal = bill.lines.iter().map(|line| line.quantity).sum();
    let only = if let [only] = bill.lines.as_slice() { Some(only) } else { None };
    let sample = only.and_then(|line| if let [sample] = line.samples.as_slice() { Some(sample) } else { None });
    let steps = bill.lines.iter().flat_map(|line| &line.steps).chain(&bill.steps);
    BillOf {
        side: side(bill.basis).to_owned(),
        quantity: quantity.to_string(),
        unit: loaded.ask.contract().unit.name().to_owned(),
        amount: bill.amount.to_string(),
        currency: bill.currency.clone(),
        samples: sample.map(|s| s.samples as u64),
        dropped: sample.map(|s| s.dropped as u64),
        rank: sample.map(|s| s.rank as u64),
        billed_window: sample.map(|s| loaded.ask.label(s.start_ms)),
        steps: steps.map(step).collect(),
    }
}

fn step(step: &Step) -> BillStep {
    let en: Vec<String> = step.inputs.iter().map(|(name, value)| format!("{} {value}", name.replace('_', " "))).collect();
    let zh: Vec<String> = step.inputs.iter().map(|(name, value)| format!("{} {value}", input_zh(name).unwrap_or(name))).collect();
    BillStep {
        name: step.name.to_owned(),
        formula: with(&step.formula.en, &en, ["; ", ", "]),
        formula_zh: with(&step.formula.zh, &zh, ["；", "，"]),
        value: step.output.clone(),
    }
}

/// A formula and, behind it, the figures that went in.
fn with(formula: &str, inputs: &[String], [before, between]: [&str; 2]) -> String {
    if inputs.is_empty() { formula.to_owned() } else { format!("{formula}{before}{}", inputs.join(between)) }
}

fn causes(found: &Reconciliation) -> Vec<Cause> {
    let told = |cause: &livemeter_billing::reconcile::Cause| {
        let (invoice_rows, invoice_rows_more) = rows(&cause.rows);
        Cause {
            cause: word(cause.cause),
            invoice_row: cause.rows.first().copied(),
            invoice_rows,
            invoice_rows_more,
            day: cause.day.map(|day| day.to_string()),
            amount: cause.amount.to_string(),
            evidence: cause.evidence.en.clone(),
            evidence_zh: cause.evidence.zh.clone(),
        }
    };
    found.causes.iter().map(told).collect()
}

/// The first rows, and how many more there are.
fn rows(all: &[u64]) -> (Vec<u64>, u64) {
    (all.iter().take(ROWS_TOLD_MAX).copied().collect(), all.len().saturating_sub(ROWS_TOLD_MAX) as u64)
}

/// The word that the contract of the page has for it: snake case, as the types write themselves.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn line(loaded: &Loaded, line: &LineCheck) -> CheckLine {
    let decimal = |value: &Option<rust_decimal::Decimal>| value.map(|value| value.to_string());
    let (invoice_rows, invoice_rows_more) = rows(&line.rows);
    CheckLine {
        item: line.item.clone(),
        domain: line.place.domain.clone(),
        region: line.place.region.clone(),
        client_bytes: line.client_bytes,
        log_bytes: line.log_bytes,
        invoice_row: line.rows.first().copied(),
        invoice_rows,
        invoice_rows_more,
        invoice_quantity: decimal(&line.invoice_quantity),
        expected_quantity: decimal(&line.expected_quantity),
        unit: line.invoice_unit.clone().or_else(|| Some(loaded.ask.contract().unit.name().to_owned())),
        invoice_amount: decimal(&line.invoice_amount),
        expected_amount: decimal(&line.expected_amount),
        difference_amount: decimal(&line.difference),
        verdict: verdict(line.verdict).to_owned(),
    }
}

fn day(day: &DayParts) -> CheckDay {
    let Parts { client, log, overhead, telemetry_loss, without_sdk, unexplained, log_overhead } = &day.parts;
    CheckDay {
        day: day.date.to_string(),
        client_bytes: *client,
        log_bytes: *log,
        overhead_bytes: Some(log_overhead + overhead),
        telemetry_loss_bytes: Some(telemetry_loss.point),
        without_sdk_bytes: *without_sdk,
        unexplained_bytes: *unexplained,
        peak_bandwidth_bps: i64::try_from(day.peak_bps).unwrap_or(i64::MAX),
        verdict: verdict(day.verdict).to_owned(),
    }
}
