//! `livemeter bill check`: the check as a readable page. Exit codes: 0 agreed or within tolerance, 3 disputed, 4 incomplete.

use super::{asked, or_dash, print, print_json, table};
use crate::cli::{Failure, exit};
use clap::ArgMatches;
use livemeter_schemas::bills::{BillCheck, BillOf, WaterfallStep};

/// Width of the waterfall's bars.
const BAR: usize = 40;

pub fn command(given: &ArgMatches) -> Result<(), Failure> {
    let check: BillCheck = asked::json(given, "check")?;
    if given.get_flag("json") {
        print_json(&check)?;
    } else {
        print(&page(&check));
    }
    let told = |code, message: String| Err(Failure { message, code });
    match check.verdict.as_str() {
        "disputed" => {
            let causes: Vec<&str> = check.causes.iter().map(|c| c.cause.as_str()).collect();
            let found = if causes.is_empty() { "no cause found".to_owned() } else { causes.join(", ") };
            told(exit::ATTENTION, format!("the bill is disputed: {found}"))
        }
        "incomplete" => told(exit::INCOMPLETE, "the check is incomplete: a side is missing".into()),
        _ => Ok(()),
    }
}

fn page(check: &BillCheck) -> String {
    let c = &check.contract;
    let mut page = vec![
        format!("{} version {}, {}: {} ({}), {} to {}", c.id, c.version, c.vendor, check.period, c.mode, check.from, check.to),
        match &check.invoice {
            Some(i) => format!("invoice {} ({}): {} {} in {} lines", i.name, super::short(&i.sha256), i.total, i.currency, i.lines),
            None => "no invoice for the period".into(),
        },
        format!("verdict: {}", check.verdict),
        waterfall(&check.waterfall),
        bills(&check.bills),
    ];
    for bill in &check.bills {
        page.extend(bill.steps.iter().map(|step| format!("  {}: {} = {} ({})", bill.side, step.name, step.value, step.formula)));
    }
    let mut lines = table(
        &["item", "domain", "region", "rows", "invoiced", "expected", "unit", "amount", "expected amount", "difference", "verdict"],
        3,
    );
    for l in &check.lines {
        lines.add_row([
            l.item.clone(),
            or_dash(l.domain.clone()),
            or_dash(l.region.clone()),
            rows(&l.invoice_rows, l.invoice_rows_more).unwrap_or_else(|| "-".into()),
            or_dash(l.invoice_quantity.clone()),
            or_dash(l.expected_quantity.clone()),
            or_dash(l.unit.clone()),
            or_dash(l.invoice_amount.clone()),
            or_dash(l.expected_amount.clone()),
            or_dash(l.difference_amount.clone()),
            l.verdict.clone(),
        ]);
    }
    page.push(lines.to_string());
    for cause in &check.causes {
        let row = rows(&cause.invoice_rows, cause.invoice_rows_more).map_or_else(String::new, |rows| format!(", row {rows}"));
        let day = cause.day.as_ref().map_or_else(String::new, |day| format!(", {day}"));
        page.push(format!("! {}{row}{day}: {} {}. {}", cause.cause, cause.amount, c.currency, cause.evidence));
    }
    let source = &check.source;
    let logs: Vec<String> = source.log_sha256.iter().map(|hash| super::short(hash)).collect();
    let logs = if logs.is_empty() { "none".to_owned() } else { logs.join(" ") };
    page.push(format!(
        "source: increments at version {}, offsets {}, logs {logs}",
        or_dash(source.table_version),
        source.offsets.join(" ")
    ));
    page.join("\n")
}

/// `2`, `2 5 9`, or `2 5 9 and 12 more`; none where no row is invoiced.
fn rows(rows: &[u64], more: u64) -> Option<String> {
    let told = rows.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    match (rows.is_empty(), more) {
        (true, _) => None,
        (_, 0) => Some(told),
        _ => Some(format!("{told} and {more} more")),
    }
}

fn bills(bills: &[BillOf]) -> String {
    let mut table = table(&["side", "quantity", "unit", "amount", "currency", "samples", "dropped", "rank", "billed window"], 1);
    for b in bills {
        let ranks = [b.samples, b.dropped, b.rank].map(or_dash);
        let words = [b.side.clone(), b.quantity.clone(), b.unit.clone(), b.amount.clone(), b.currency.clone()];
        table.add_row(words.into_iter().chain(ranks).chain([or_dash(b.billed_window.clone())]));
    }
    table.to_string()
}

/// A bar a step: totals from the left, differences where they begin.
fn waterfall(steps: &[WaterfallStep]) -> String {
    let (mut at, mut spans) = (0_i128, Vec::new());
    for step in steps {
        let bytes = i128::from(step.bytes.unwrap_or_default());
        let (from, to) = if step.kind == "total" { (0, bytes) } else { (at, at + bytes) };
        at = to;
        spans.push((step, from.min(to), from.max(to)));
    }
    let most = spans.iter().map(|(_, _, to)| *to).max().unwrap_or_default().max(1);
    let cell = |bytes: i128| usize::try_from(bytes.max(0) * BAR as i128 / most).unwrap_or(BAR).min(BAR);
    let mut table = table(&["step", "bytes", "from", "to", ""], 1);
    if let Some(column) = table.column_mut(4) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    for (step, from, to) in spans {
        let mark = if step.kind == "total" { "█" } else { "▒" };
        let bar = if step.bytes.is_some() {
            format!("{}{}", " ".repeat(cell(from)), mark.repeat(cell(to).saturating_sub(cell(from)).max(1)))
        } else {
            String::new()
        };
        table.add_row([step.step.clone(), or_dash(step.bytes), or_dash(step.low_bytes), or_dash(step.high_bytes), bar]);
    }
    table.to_string()
}
