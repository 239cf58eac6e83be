//! Several contracts in one workbook: a row a contract, a sheet a vendor with its lines, then causes and days of all.
//! Their columns are those of a single contract's sheets, with the contract before them.

use super::super::check::{self, Loaded};
use super::super::{Bills, told};
use super::summary::{self, CAUSES, DAYS, LINES};
use super::table::{Cell, Column, Table, Writer, decimal, exact, int, table, text};
use super::{Format, Made, xlsx};
use crate::engine::Engine;
use crate::error::Error;
use livemeter_billing::reconcile;
use livemeter_schemas::bills::{BillCheck, BillQuery};
use std::collections::BTreeMap;
use std::io::BufWriter;
use std::sync::Arc;

const SUMMARY: [Column; 18] = [
    text("vendor"),
    text("contract"),
    int("contract_version"),
    text("period"),
    text("from"),
    text("to"),
    text("verdict"),
    text("side"),
    decimal("expected_quantity"),
    text("unit"),
    decimal("expected_amount"),
    decimal("invoice_amount"),
    text("currency"),
    int("table_version"),
    text("kafka_offsets"),
    text("contract_sha256"),
    text("invoice_sha256"),
    text("log_sha256"),
];
const VENDOR: [Column; LINES.len() + 2] = beside(&LINES);
const ALL_CAUSES: [Column; CAUSES.len() + 2] = beside(&CAUSES);
const ALL_DAYS: [Column; DAYS.len() + 2] = beside(&DAYS);

/// Columns with the contract and its currency before them.
const fn beside<const N: usize, const ALL: usize>(columns: &[Column; N]) -> [Column; ALL] {
    let mut all = [text("contract"); ALL];
    all[1] = text("contract_currency");
    let mut at = 0;
    while at < N {
        all[at + 2] = columns[at];
        at += 1;
    }
    all
}

/// Each contract is checked like alone, one after the other, so that only one is held with its series.
pub async fn file(bills: &Arc<Bills>, engine: &Engine, asked: &BillQuery, format: Format, summary: bool) -> Result<Made, Error> {
    let several = "of several contracts, parted by commas,";
    if format != Format::Xlsx {
        return Err(Error::parameter("format", format!("{several} only a workbook is made: format=xlsx")));
    }
    if !summary {
        return Err(Error::parameter("detail", format!("{several} only the summary is made")));
    }
    if asked.invoice.is_some() {
        return Err(Error::parameter("invoice", format!("{several} each has its vendor's newest invoice")));
    }
    let names = bills.names("contract", &asked.contract)?;
    let mut checks = Vec::with_capacity(names.len());
    for contract in names {
        let one = BillQuery { contract, period: asked.period.clone(), ..BillQuery::default() };
        let loaded = check::load(bills, engine, &one).await?;
        checks.push(bills.job(move |_| checked(&loaded)).await?);
    }
    let period = asked.period.clone();
    bills.job(move |bills| bills.workbook(&checks, &period)).await
}

fn checked(loaded: &Loaded) -> Result<BillCheck, Error> {
    reconcile(&loaded.sides()).map(|found| told::told(loaded, &found)).map_err(check::reconcile)
}

impl Bills {
    fn workbook(&self, checks: &[BillCheck], period: &str) -> Result<Made, Error> {
        let made = self.making_named(format!("{}-contracts-{period}-check", checks.len()), Format::Xlsx)?;
        let out = made.file.reopen().map_err(|e| super::table::failed("an export")(&e))?;
        let mut book = xlsx::Xlsx::new(&self.scratch()?, "Bill check")?;
        book.table(&table("Summary", &SUMMARY, checks.iter().map(row).collect()))?;
        let mut vendors: BTreeMap<&str, Vec<&BillCheck>> = BTreeMap::new();
        for check in checks {
            vendors.entry(&check.contract.vendor).or_default().push(check);
        }
        for (vendor, checks) in vendors {
            book.table(&of_all(vendor, &VENDOR, &checks, |check| summary::lines(check, false)))?;
        }
        let all: Vec<&BillCheck> = checks.iter().collect();
        book.table(&of_all("Causes", &ALL_CAUSES, &all, summary::causes))?;
        book.table(&of_all("Days", &ALL_DAYS, &all, summary::days))?;
        book.finish(BufWriter::new(out))?;
        Ok(made)
    }
}

/// The rows of each contract's own table, one contract after the other.
fn of_all(name: &str, columns: &'static [Column], checks: &[&BillCheck], own: impl Fn(&BillCheck) -> Table) -> Table {
    let rows = checks.iter().flat_map(|check| {
        let before = [check.contract.id.as_str(), check.contract.currency.as_str()].map(Cell::from);
        own(check).rows.into_iter().map(move |row| before.iter().cloned().chain(row).collect())
    });
    table(name, columns, rows.collect())
}

/// What is owed is by the log where there is one, else by the players' count.
fn row(check: &BillCheck) -> Vec<Cell> {
    let (contract, source, owed) = (&check.contract, &check.source, check.bills.last());
    vec![
        contract.vendor.as_str().into(),
        contract.id.as_str().into(),
        i64::from(contract.version).into(),
        check.period.as_str().into(),
        check.from.as_str().into(),
        check.to.as_str().into(),
        check.verdict.as_str().into(),
        owed.map(|bill| bill.side.clone()).into(),
        owed.map_or(Cell::None, |bill| exact(bill.quantity.as_str())),
        owed.map(|bill| bill.unit.clone()).into(),
        owed.map_or(Cell::None, |bill| exact(bill.amount.as_str())),
        check.invoice.as_ref().map_or(Cell::None, |invoice| exact(invoice.total.as_str())),
        contract.currency.as_str().into(),
        source.table_version.into(),
        source.offsets.join(" ").into(),
        source.contract_sha256.as_str().into(),
        source.invoice_sha256.clone().into(),
        source.log_sha256.join(" ").into(),
    ]
}
