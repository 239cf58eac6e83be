//! The bundle's tables: series by place, the period's windows with ranks, sessions of both sides, the log's facts, the
//! invoice's lines, and what is owed. Their columns' names are stable: `recompute.sql` and others read them.

use super::super::check::{self, Loaded};
use super::super::export::parquet::Parquet;
use super::super::export::table::{Cell, Column, Table, Writer, decimal, exact, int, text};
use super::super::papers::utc;
use super::super::vendor::filter;
use super::super::{Bills, drill, refusals, told};
use crate::error::Error;
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use chrono::{DateTime, Timelike};
use livemeter_billing::contract::SumOver;
use livemeter_billing::exact::Rounding;
use livemeter_billing::{Bill, Place, Reconciliation};
use std::collections::BTreeMap;
use std::io::Write;

const SERIES: [Column; 5] = [text("side"), text("domain"), text("region"), int("window_start_ms"), int("bytes")];
const WINDOWS: [Column; 8] = [
    int("window_start_ms"),
    text("window_start"),
    text("day"),
    int("hour"),
    int("client_bytes"),
    int("log_bytes"),
    int("rank"),
    text("role"),
];
const SESSIONS: [Column; 10] = [
    text("session_id"),
    text("cdn"),
    text("region"),
    int("client_bytes"),
    int("log_bytes"),
    int("ended"),
    int("first_window_ms"),
    int("last_window_ms"),
    text("log_lines"),
    text("known_to"),
];
const FACTS: [Column; 9] = [
    text("log_sha256"),
    int("window_start_ms"),
    text("domain"),
    text("region"),
    text("session_id"),
    int("bytes"),
    int("requests"),
    int("first_line"),
    int("last_line"),
];
const INVOICE: [Column; 11] = [
    int("row"),
    text("item"),
    text("domain"),
    text("region"),
    text("from"),
    text("to"),
    decimal("quantity"),
    text("unit"),
    decimal("price"),
    decimal("amount"),
    text("text"),
];
const BILLED: [Column; 10] = [
    text("side"),
    text("what"),
    text("domain"),
    text("region"),
    text("bytes"),
    decimal("used"),
    decimal("amount"),
    int("billed_window_ms"),
    int("billed_window_bytes"),
    int("rank"),
];

fn table(name: &str, columns: &'static [Column], rows: Vec<Vec<Cell>>) -> Table {
    Table { name: name.to_owned(), columns, rows }
}

/// Bytes per window, domain and region, of both sides; windows without traffic are left out.
pub fn series(loaded: &Loaded) -> Result<Table, Error> {
    let mut rows = Vec::new();
    let mut sides = vec![loaded.client_traffic.clone()];
    sides.extend(loaded.log.as_ref().map(|log| log.all().map_err(check::series)).transpose()?);
    for traffic in &sides {
        let side = told::side(traffic.basis);
        if traffic.places.is_empty() && loaded.ask.contract().sum_over == SumOver::Account {
            rows.push(vec![side.into(), Cell::None, Cell::None, loaded.ask.from_ms.into(), 0_i64.into()]);
        }
        for (place, series) in &traffic.places {
            for (index, bytes) in series.bytes().iter().enumerate().filter(|(_, bytes)| **bytes > 0) {
                let start_ms = loaded.ask.period.window_ms(index);
                rows.push(vec![side.into(), place.domain.clone().into(), place.region.clone().into(), start_ms.into(), (*bytes).into()]);
            }
        }
    }
    Ok(table("series", &SERIES, rows))
}

/// Every window of the period, dense, with its day and hour on the contract's clock.
pub fn windows(loaded: &Loaded) -> Result<Table, Error> {
    let ranked = drill::ranked(loaded)?;
    let zone = loaded.ask.period.zone();
    let rows = ranked.into_iter().enumerate().map(|(index, window)| {
        let start_ms = loaded.ask.period.window_ms(index);
        let hour = DateTime::from_timestamp_millis(start_ms).unwrap_or_default().with_timezone(&zone).hour();
        vec![
            start_ms.into(),
            window.start.into(),
            loaded.ask.day(start_ms).into(),
            i64::from(hour).into(),
            window.client_bytes.into(),
            window.log_bytes.into(),
            window.rank.into(),
            window.role.into(),
        ]
    });
    Ok(table("windows", &WINDOWS, rows.collect()))
}

/// Sessions of the ledger beside the log's; lines of no session are one row.
pub fn sessions(loaded: &Loaded) -> Table {
    let logged = loaded.vendor.iter().flat_map(|vendor| &vendor.sessions);
    let mut logged: BTreeMap<&str, _> = logged.map(|s| (s.session_id.as_deref().unwrap_or_default(), s)).collect();
    let lines = |s: &livemeter_logs::SessionTraffic| {
        s.lines.iter().map(|l| format!("{}:{}-{}", l.sha256, l.first_line, l.last_line)).collect::<Vec<_>>().join(" ")
    };
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for s in &loaded.client.sessions {
        let log = logged.remove(s.session_id.as_str());
        rows.push(vec![
            s.session_id.as_str().into(),
            s.cdn.as_str().into(),
            s.region.as_str().into(),
            s.bytes.into(),
            log.map(|log| log.bytes).into(),
            i64::from(s.ended).into(),
            s.first_window_ms.into(),
            s.last_window_ms.into(),
            log.map(lines).into(),
            if log.is_some() { "both" } else { "client" }.into(),
        ]);
    }
    for (id, log) in logged {
        let id = if id.is_empty() { Cell::None } else { id.into() };
        let mut row = vec![id, Cell::None, Cell::None, 0_i64.into(), log.bytes.into(), Cell::None];
        row.extend([log.first_window_ms.into(), log.last_window_ms.into(), lines(log).into(), "log".into()]);
        rows.push(row);
    }
    table("sessions", &SESSIONS, rows)
}

pub fn invoice(loaded: &Loaded) -> Option<Table> {
    let invoice = loaded.ask.invoice.as_ref()?;
    let decimal = |value: &Option<rust_decimal::Decimal>| value.map_or(Cell::None, |value| exact(value.to_string()));
    let rows = invoice.lines.iter().map(|l| {
        vec![
            l.row.into(),
            l.item.as_str().into(),
            l.domain.clone().into(),
            l.region.clone().into(),
            utc(l.from_ms).into(),
            utc(l.to_ms).into(),
            decimal(&l.quantity),
            l.unit.clone().into(),
            decimal(&l.price),
            exact(l.amount.to_string()),
            l.text.as_str().into(),
        ]
    });
    Some(table("invoice", &INVOICE, rows.collect()))
}

/// What is owed by each side's count: the figures that `recompute.sql` must come to.
pub fn billed(found: &Reconciliation) -> Result<Table, Error> {
    let mut rows = Vec::new();
    for bill in std::iter::once(&found.client_bill).chain(&found.log_bill) {
        let side = told::side(bill.basis);
        for line in &bill.lines {
            let used =
                line.exact.used.round(9, Rounding::HalfUp).map_err(|e| refusals::paper("too_large", "quantity", e.to_string(), None))?;
            let sample = if let [sample] = line.samples.as_slice() { Some(sample) } else { None };
            rows.push(vec![
                side.into(),
                "line".into(),
                line.place.domain.clone().into(),
                line.place.region.clone().into(),
                line.bytes.to_string().into(),
                exact(format!("{used:.9}")),
                exact(line.amount.to_string()),
                sample.map(|s| s.start_ms).into(),
                sample.map(|s| s.bytes).into(),
                sample.map(|s| s.rank as u64).into(),
            ]);
        }
        rows.push(total(side, bill));
    }
    Ok(table("billed", &BILLED, rows))
}

fn total(side: &str, bill: &Bill) -> Vec<Cell> {
    let bytes: u128 = bill.lines.iter().map(|line| u128::from(line.bytes)).sum();
    let mut row: Vec<Cell> = vec![side.into(), "total".into(), Cell::None, Cell::None, bytes.to_string().into(), Cell::None];
    row.extend([exact(bill.amount.to_string()), Cell::None, Cell::None, Cell::None]);
    row
}

impl Bills {
    /// The log's facts of the period, row by row: each with its file's hash and its lines.
    pub fn facts_file(&self, loaded: &Loaded, out: impl Write + Send) -> Result<(), Error> {
        let ask = &loaded.ask;
        let mut file = Parquet::new(out, Vec::new());
        file.begin("facts", &FACTS)?;
        let facts = self.logs.facts(&ask.summary().vendor, ask.from_ms, ask.to_ms, &filter(ask)).map_err(refusals::store)?;
        for batch in facts {
            let batch = batch.map_err(refusals::store)?;
            let long = |column: usize| batch.column(column).as_primitive::<Int64Type>();
            let texts = |column: usize| batch.column(column).as_string::<i32>();
            let (domains, regions, sessions, imports) = (texts(1), texts(2), texts(3), texts(8));
            for row in 0..batch.num_rows() {
                // Of several scopes the filter is their widest: what is no scope's is left out here too.
                let ours: Option<Place> = check::log_place(ask, domains.value(row), regions.value(row));
                if ours.is_none() {
                    continue;
                }
                let session = sessions.is_valid(row).then(|| sessions.value(row));
                let mut cells: Vec<Cell> =
                    vec![imports.value(row).into(), long(0).value(row).into(), domains.value(row).into(), regions.value(row).into()];
                cells.push(session.into());
                cells.extend([4, 5, 6, 7].map(|column| long(column).value(row).into()));
                file.row(&cells)?;
            }
        }
        file.finish()
    }
}
