//! The bundle in plain words, and the statements over the ledger that its series came from. Pure.

use super::super::ask::Ask;
use super::super::check::Loaded;
use super::super::client::{BYTES, scope, values};
use livemeter_schemas::bills::BillCheck;
use std::fmt::Write as _;

pub fn readme(loaded: &Loaded, check: &BillCheck, now: &str) -> String {
    let c = &check.contract;
    let mut text = format!(
        "Evidence of a bill check\n\n\
         Contract {} version {} with {}, {}, {}: {} to {}.\n\
         Made by Livemeter at {now}. Verdict: {}.\n\n",
        c.id, c.version, c.vendor, c.mode, check.period, check.from, check.to, check.verdict
    );
    for bill in &check.bills {
        let _ = writeln!(text, "Owed by the {}'s count: {} {} for {} {}.", bill.side, bill.amount, bill.currency, bill.quantity, bill.unit);
        if let (Some(rank), Some(samples), Some(window)) = (bill.rank, bill.samples, &bill.billed_window) {
            let _ = writeln!(text, "  The sample billed is the {rank}th largest of {samples}, of the 5 minutes from {window}.");
        }
    }
    if let Some(invoice) = &check.invoice {
        let _ = writeln!(text, "Invoiced: {} {} ({}, SHA-256 {}).", invoice.total, invoice.currency, invoice.name, invoice.sha256);
    }
    for cause in &check.causes {
        let _ = writeln!(text, "Found: {} {} {}. {}", cause.cause, cause.amount, c.currency, cause.evidence);
    }
    text += "\nTo recompute it, unpack this file, go into the folder, and run DuckDB without any extension:\n\n    \
        duckdb < recompute.sql\n\n\
        Its last table is what is owed by each side's count. It must equal billed.csv, to the digit.\n\
        To see that nothing was changed: sha256sum -c SHA256SUMS\n\n\
        recompute.sql    the contract's arithmetic as SQL, in whole numbers\n\
        billed.csv       what it must come to: per line and in total, with the window and the rank billed\n\
        series.parquet   bytes per 5 minutes, domain and region, as the players counted (client) and as the vendor logged (log)\n\
        windows.parquet  every 5 minutes of the period, with its day on the contract's clock, its rank and its role\n\
        sessions.parquet every session: bytes by both counts, whether its end came, the log's lines that name it\n\
        facts.parquet    what each log file says of each 5 minutes, domain, region and session: its SHA-256 and lines\n\
        logs.json        the log files: names, SHA-256, lines counted, repeated and bad\n\
        invoice.csv      the invoice's lines as they were read\n\
        contract.toml    the contract, as it was given\n\
        check.json       the check as the service answered it; summary.xlsx the same for people\n\
        ledger.sql       the statements over the ledger that the client's figures came from\n\
        source.json      the ledger's table version, the Kafka offsets behind it, and all hashes\n\n\
        Bytes are body bytes; those of aborted requests count, since they were sent. A window without traffic is a sample of\n\
        zero. Windows begin at multiples of 5 minutes, UTC; window_start_ms is milliseconds since 1970, UTC.\n";
    if loaded.vendor.is_none() {
        text += "No log of the vendor has lines in the period: there is no facts.parquet and no logs.json.\n";
    }
    text
}

/// The statements with their values in place, to be read beside the table's version.
pub fn ledger(ask: &Ask) -> String {
    let mut scope = scope(ask);
    for (number, value) in values(ask).iter().enumerate().rev() {
        let shown = value.to_string();
        let shown = match value.data_type() {
            arrow::datatypes::DataType::Timestamp(..) => format!("to_timestamp_micros({shown})"),
            _ => format!("'{}'", shown.replace('\'', "''")),
        };
        scope = scope.replace(&format!("${}", number + 1), &shown);
    }
    format!(
        "-- Over the ledger's table `increments` at the version in source.json. Booked rows alone.\n\
         SELECT window_start, cdn, region, {BYTES} AS bytes FROM increments WHERE {scope} GROUP BY 1, 2, 3;\n\
         SELECT session_id, cdn, {BYTES} AS bytes FROM increments WHERE {scope} GROUP BY 1, 2;\n"
    )
}
