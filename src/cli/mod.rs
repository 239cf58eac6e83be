//! The command line: one subcommand per service and per tool. Flags are made from the table of
//! settings, so that a flag, a variable and a line of the file can never drift apart.

mod bills;
mod commands;
mod identity;
mod tools;

use crate::settings::{SETTINGS, Settings};
use crate::{apps, bill, client, derive, kafka, ledger, parent, services, telemetry, up};
use clap::ArgMatches;
use commands::command;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit codes, the same everywhere: a script may rely on them.
pub mod exit {
    /// It failed; the same may succeed later.
    pub const FAILED: u8 = 1;
    /// A flag, a setting or an argument is wrong.
    pub const USAGE: u8 = 2;
    /// Trying again is no use: a person must read the message and act.
    pub const ATTENTION: u8 = 3;
    /// The answer is not whole: something it needs is missing. `bill check` alone.
    pub const INCOMPLETE: u8 = 4;
}

/// Parses the arguments, resolves the settings and runs the subcommand.
pub fn run() -> ExitCode {
    let matches = command().get_matches();
    let Some((name, sub)) = matches.subcommand() else { return ExitCode::from(exit::USAGE) };
    if name == "completions" {
        return completions(sub);
    }
    // Flags stand behind the last word: `livemeter topics create --log debug`.
    let (mut word, mut given) = (name, sub);
    while let Some((next, inner)) = given.subcommand() {
        (word, given) = (next, inner);
    }
    let settings = match resolve(given) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("livemeter: {error}");
            return ExitCode::from(exit::USAGE);
        }
    };
    if let Some(parent) = given.get_one::<i32>("die-with-parent") {
        parent::die_with_parent(*parent);
    }
    telemetry::start(given.get_one::<String>("log").map_or("info", String::as_str), given.get_flag("log-json"));
    let result = match name {
        "up" => up::run(&settings, given),
        "apps" => apps::command(&settings, word, given),
        "privacy" => apps::privacy::command(&settings, word, given),
        "ingest" if given.get_flag("check-config") => apps::check_config(&settings),
        "ingest" => services::ingest(&settings),
        "process" => services::process(&settings),
        "query" => services::query(&settings),
        "simulate" => services::simulate(&settings),
        "derive" => derive::command(&settings, given),
        "topics" if word == "repartition" => kafka::repartition::command(&settings),
        "topics" => kafka::topics::command(&settings),
        "deadletter" => kafka::deadletter::command(&settings, word, given),
        "audit" => ledger::audit::command(&settings, given),
        "quarantine" => ledger::quarantine::command(&settings, word, given),
        "erase" => ledger::erase::command(&settings, given),
        "period" => ledger::period::command(&settings, word, given),
        "logs" => bill::logs::command(&settings, word, given),
        "bill" => bill::command(&settings, word, given),
        "sql" => client::sql::command(given),
        _ => show_settings(&settings),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { message, code }) => {
            eprintln!("livemeter {name}: {message}");
            ExitCode::from(code)
        }
    }
}

/// Why a subcommand ended badly, and its exit code.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    pub code: u8,
}

impl Failure {
    pub fn new(error: impl std::fmt::Display) -> Self {
        Failure { message: error.to_string(), code: exit::FAILED }
    }
    pub fn usage(error: impl std::fmt::Display) -> Self {
        Failure { message: error.to_string(), code: exit::USAGE }
    }
    pub fn attention(error: impl std::fmt::Display) -> Self {
        Failure { message: error.to_string(), code: exit::ATTENTION }
    }
}

/// Flags, the environment and the file, resolved.
fn resolve(given: &ArgMatches) -> Result<Settings, Box<dyn std::error::Error>> {
    let mut flags: Vec<(&'static str, String)> = Vec::new();
    for setting in SETTINGS {
        if let Ok(Some(text)) = given.try_get_one::<String>(setting.key) {
            flags.push((setting.key, text.clone()));
        }
    }
    if let Ok(Some(brokers)) = given.try_get_one::<String>("kafka") {
        flags.push(("kafka.brokers", brokers.clone()));
    }
    let content = match given.get_one::<PathBuf>("config") {
        Some(path) => Some((path.as_path(), std::fs::read_to_string(path).map_err(|e| format!("--config {}: {e}", path.display()))?)),
        None => None,
    };
    let file = content.as_ref().map(|(path, text)| (*path, text.as_str()));
    Ok(Settings::resolve(&flags, std::env::vars(), file)?)
}

fn show_settings(settings: &Settings) -> Result<(), Failure> {
    show_sections(settings, |_| true);
    Ok(())
}

/// Settings as they are in force, as TOML.
pub fn show_sections(settings: &Settings, wanted: impl Fn(&str) -> bool) {
    let (mut section, mut page) = ("", String::new());
    for setting in SETTINGS.iter().filter(|s| wanted(s.section())) {
        if setting.section() != section {
            section = setting.section();
            page += &format!("\n[{section}]\n");
        }
        let name = setting.key.split_once('.').map_or(setting.key, |(_, name)| name);
        page += &format!("{name} = {:?}  # {}; {}\n", settings.raw(setting.key), setting.help, setting.kind.accepts());
    }
    // `| head` may close the pipe: it has what it wanted.
    let _ = std::io::stdout().write_all(page.as_bytes());
}

fn completions(matches: &ArgMatches) -> ExitCode {
    if let Some(shell) = matches.get_one::<clap_complete::Shell>("shell") {
        clap_complete::generate(*shell, &mut command(), "livemeter", &mut std::io::stdout());
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::commands::command().debug_assert();
    }
}
