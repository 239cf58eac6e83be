//! The tools over the ledger: audit, quarantine, erasure, closed periods. What they mean is the processor's own code;
//! here are arguments, tables and exit codes.

pub mod audit;
pub mod erase;
pub mod period;
pub mod progress;
pub mod quarantine;

use crate::cli::Failure;
use crate::settings::Settings;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;

/// The ledger's root.
fn root(settings: &Settings) -> Result<Url, Failure> {
    let config = livemeter_processor::Config { ledger: settings.text("ledger.root"), ..livemeter_processor::Config::default() };
    config.ledger_url().map_err(Failure::usage)
}

fn failure(error: livemeter_processor::Error) -> Failure {
    crate::services::failure(&error, error.retry())
}

/// One JSON value on a line of its own.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&serde_json::to_string(value).map_err(Failure::new)?);
    Ok(())
}

/// `| head` may close the pipe: it has what it wanted.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A table whose columns from `numbers` on are numbers.
fn table(header: &[&str], numbers: usize) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN).set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    table
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".into(), |v| v.to_string())
}

/// RFC 3339, UTC; the bare number when it is no time at all.
fn time(at_ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(at_ms);
    time.map_or_else(|| at_ms.to_string(), |t| t.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

/// RFC 3339, or a date alone: its first moment in UTC.
fn parse_time(name: &str, text: &str) -> Result<i64, Failure> {
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(time.timestamp_millis());
    }
    let date: chrono::NaiveDate = text.parse().map_err(|_| {
        Failure::usage(format!("--{name} is {text:?}; accepted: a date such as 2026-10-01, or RFC 3339 such as 2026-10-01T08:05:00Z"))
    })?;
    Ok(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
