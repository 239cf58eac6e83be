//! `livemeter logs import|format|list|bad|lines|forget`: vendors' logs on the bill check's folder.

use super::{bills, failure, now_ms, or_dash, print, print_json, short, table, text};
use crate::cli::Failure;
use crate::services;
use crate::settings::{Settings, show_size};
use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use livemeter_query::bills::Bills;
use livemeter_query::bills::layouts::Kind;
use livemeter_schemas::bills::{LogImport, LogLines, LogLinesQuery, LogUpload};
use std::path::Path;
use std::time::Instant;

pub fn command(settings: &Settings, word: &str, given: &ArgMatches) -> Result<(), Failure> {
    let json = given.get_flag("json");
    let (vendor, sha256) = (text(given, "vendor"), text(given, "sha256").unwrap_or_default());
    let named = vendor.clone().unwrap_or_default();
    match word {
        "import" => import(settings, given, json),
        "format" => super::layouts::command(settings, Kind::Format, given),
        "list" => {
            let imports = bills(settings).log_imports(vendor.as_deref()).map_err(failure)?;
            if json {
                return print_json(&imports);
            }
            print(&page(&imports.imports));
            Ok(())
        }
        "forget" => {
            let gone = bills(settings).forget_log(&named, &sha256).map_err(failure)?;
            if json {
                return print_json(&gone);
            }
            print(&format!(
                "forgotten: {} ({}), {} bytes of traffic; the file itself was left alone",
                gone.name,
                short(&gone.sha256),
                gone.bytes
            ));
            Ok(())
        }
        _ => {
            let number = |name| given.try_get_one::<u64>(name).ok().flatten().copied();
            let asked = LogLinesQuery { vendor: named, sha256, first: number("first"), last: number("last") };
            show(&bills(settings).log_lines(&asked).map_err(failure)?, json)
        }
    }
}

fn import(settings: &Settings, given: &ArgMatches, json: bool) -> Result<(), Failure> {
    let mut config = services::bills_config(settings);
    // A file on this machine has a place of its own.
    config.keep_original = given.get_flag("copy");
    let bills = Bills::new(config);
    let asked = LogUpload {
        vendor: text(given, "vendor").unwrap_or_default(),
        format: text(given, "format").unwrap_or_default(),
        name: None,
        domain: text(given, "domain"),
        region: text(given, "region"),
    };
    let files: Vec<&String> = given.get_many::<String>("file").into_iter().flatten().collect();
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for file in files {
        match one(&bills, &asked, file) {
            Ok(imported) if json => print_json(&imported)?,
            Ok(imported) => done.push(imported),
            Err(error) => {
                let Failure { message, code } = failure(error);
                eprintln!("livemeter logs: {file}: {message}");
                refused.push(code);
            }
        }
    }
    if !done.is_empty() {
        print(&page(&done));
        for import in &done {
            for bad in &import.bad {
                print(&format!("{}: line {}: {}", import.name, bad.line, bad.reason));
            }
        }
    }
    match refused.iter().max() {
        None => Ok(()),
        Some(code) => Err(Failure { message: format!("{} of the files refused; nothing of them was kept", refused.len()), code: *code }),
    }
}

/// Imports a file; a bar shows how far and how fast.
fn one(bills: &Bills, asked: &LogUpload, file: &str) -> Result<LogImport, livemeter_query::Error> {
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} % {msg}") {
        bar.set_style(style);
    }
    let name = Path::new(file).file_name().map_or_else(|| file.to_owned(), |name| name.to_string_lossy().into_owned());
    bar.set_prefix(name.clone());
    let began = Instant::now();
    let asked = LogUpload { name: Some(name), ..asked.clone() };
    // The place is kept to read lines there again: it must mean the same from any folder.
    let path = std::path::absolute(file).unwrap_or_else(|_| file.into());
    let imported = bills.import_log(&asked, &path, now_ms(), |progress| {
        bar.set_length(progress.file_bytes.max(1));
        bar.set_position(progress.done_bytes);
        let rate = progress.text_bytes as f64 / began.elapsed().as_secs_f64().max(0.001);
        bar.set_message(format!("{} lines, {}/s", progress.lines, show_size(rate as u64)));
        true
    });
    bar.finish_and_clear();
    imported
}

fn page(imports: &[LogImport]) -> String {
    let mut table = table(&["vendor", "format", "file", "sha256", "from", "to", "known", "lines", "repeated", "bad", "bytes"], 7);
    for i in imports {
        let words = [i.vendor.clone(), i.format.clone(), i.name.clone(), short(&i.sha256), or_dash(i.from.clone()), or_dash(i.to.clone())];
        let numbers = [i.lines, i.duplicate_lines, i.bad_lines, i.bytes].map(|n| n.to_string());
        let known = if i.known { "yes" } else { "no" }.to_owned();
        table.add_row(words.into_iter().chain([known]).chain(numbers));
    }
    format!("{table}\n{} files", imports.len())
}

fn show(lines: &LogLines, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(lines);
    }
    for line in &lines.lines {
        match &line.reason {
            Some(reason) => print(&format!("{}: {reason}: {}", line.line, line.text)),
            None => print(&format!("{}: {}", line.line, line.text)),
        }
    }
    Ok(())
}
