//! `livemeter bill …` and `livemeter logs …`. Papers are read and kept on the bill check's folder directly; what
//! needs the ledger is asked of the query service, so that there is one road to a figure.

mod asked;
mod check;
mod layouts;
pub mod logs;
mod papers;
mod simulation;
mod whatif;

use crate::cli::{Failure, exit};
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_query::Error;
use livemeter_query::bills::Bills;
use livemeter_query::bills::layouts::Kind;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn command(settings: &Settings, word: &str, given: &ArgMatches) -> Result<(), Failure> {
    let has_file = given.try_get_one::<String>("file").ok().flatten().is_some();
    match word {
        // `bill contract check FILE` and `bill check` share a word; only the first has a file.
        "check" if has_file => papers::contract(settings, given, true),
        "add" => papers::contract(settings, given, false),
        "import" => papers::invoice(settings, given),
        "list" => papers::list(settings, given),
        "check" => check::command(given),
        "simulate" => simulation::command(given),
        "what-if" => whatif::command(given),
        "template" => layouts::command(settings, Kind::Template, given),
        "export" => asked::export(given),
        _ => asked::evidence(given),
    }
}

fn bills(settings: &Settings) -> Bills {
    Bills::new(crate::services::bills_config(settings))
}

/// A refusal is the asker's affair; what may pass later is not.
fn failure(error: Error) -> Failure {
    let message = match &error {
        Error::Paper { at, .. } => format!("{error} ({at})"),
        Error::Parameter { field, .. } => format!("{error} (--{field})"),
        _ => error.to_string(),
    };
    Failure { message, code: if error.retry() { exit::FAILED } else { exit::USAGE } }
}

fn text(given: &ArgMatches, name: &str) -> Option<String> {
    given.try_get_one::<String>(name).ok().flatten().cloned()
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

fn short(sha256: &str) -> String {
    sha256.chars().take(8).collect()
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
