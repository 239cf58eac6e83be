//! `livemeter derive`: refreshes or rebuilds the derived tables, shows how far it is, and prints what each
//! of them holds and reflects. How they are made is the processor's.

use crate::cli::{Failure, exit};
use crate::services::{failure, once, processor};
use crate::settings::{Settings, show_size};
use clap::ArgMatches;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use livemeter_processor::derive::store::Replace;
use livemeter_processor::derive::{Deriver, Outcome, Progress, Scope, TableReport, table};
use livemeter_schemas::derived::TABLES;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

pub fn command(settings: &Settings, given: &ArgMatches) -> Result<(), Failure> {
    let config = processor(settings);
    let scope = if given.get_flag("rebuild") { Scope::All } else { Scope::Changed };
    let wanted: Vec<&'static str> = match given.get_many::<String>("table") {
        Some(names) => names.filter_map(|name| table(name)).collect(),
        None => TABLES.to_vec(),
    };
    let mut deriver = Deriver::new(&config).map_err(|e| failure(&e, e.retry()))?;
    let screen = Screen::new();
    let reports = once(async {
        let mut reports = Vec::new();
        for table in wanted {
            screen.begin(table);
            let report = deriver.refresh(table, scope, &|progress| screen.show(progress)).await.map_err(|e| failure(&e, e.retry()))?;
            if report.outcome == Outcome::NoLedger {
                let message = format!("there is no ledger at {} yet; the processor makes it (--ledger)", config.ledger);
                return Err(Failure { message, code: exit::FAILED });
            }
            if matches!(report.outcome, Outcome::Refreshed { .. }) {
                deriver.upkeep(table).await.map_err(|e| failure(&e, e.retry()))?;
            }
            reports.push(report);
        }
        Ok(reports)
    });
    screen.clear();
    let reports = reports?;
    let text = if given.get_flag("json") { lines(&reports) } else { readable(&reports) };
    // `| head` may close the pipe: it has what it wanted.
    let _ = std::io::stdout().write_all(text.as_bytes());
    match reports.iter().find(|r| r.outcome == Outcome::Elsewhere) {
        Some(report) if scope == Scope::All => Err(Failure {
            message: format!("{} was refreshed by somebody else meanwhile, and not rebuilt here; run it again", report.table),
            code: exit::FAILED,
        }),
        _ => Ok(()),
    }
}

fn what(report: &TableReport) -> String {
    match &report.outcome {
        Outcome::NoLedger => "no ledger".into(),
        Outcome::Same => "up to date".into(),
        Outcome::Elsewhere => "refreshed by somebody else".into(),
        Outcome::Refreshed { dates: Replace::All, .. } => "every date made".into(),
        Outcome::Refreshed { dates: Replace::Dates(dates), .. } if dates.is_empty() => "nothing changed".into(),
        Outcome::Refreshed { dates: Replace::Dates(dates), .. } => format!("{} dates made", dates.len()),
    }
}

fn readable(reports: &[TableReport]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(["table", "increments", "events", "rows", "files", "bytes", "done"]);
    for i in 1..=5 {
        if let Some(column) = table.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for report in reports {
        let version = |v: Option<i64>| v.map_or_else(String::new, |v| v.to_string());
        table.add_row([
            report.table.to_owned(),
            version(report.reflects.map(|r| r.increments)),
            version(report.reflects.map(|r| r.events)),
            report.rows.to_string(),
            report.files.to_string(),
            show_size(report.bytes),
            what(report),
        ]);
    }
    format!("{table}\nincrements, events: the versions of the primary tables that each table reflects\n")
}

fn lines(reports: &[TableReport]) -> String {
    let line = |report: &TableReport| {
        let reflects = report.reflects.map(|r| serde_json::json!({ "increments": r.increments, "events": r.events }));
        let (made, dates) = match &report.outcome {
            Outcome::Refreshed { dates: Replace::Dates(dates), rows } => (*rows, Some(dates.iter().collect::<Vec<_>>())),
            Outcome::Refreshed { dates: Replace::All, rows } => (*rows, None),
            _ => (0, Some(Vec::new())),
        };
        let outcome = match report.outcome {
            Outcome::NoLedger => "no_ledger",
            Outcome::Same => "same",
            Outcome::Elsewhere => "elsewhere",
            Outcome::Refreshed { .. } => "refreshed",
        };
        let object = serde_json::json!({
            "table": report.table, "outcome": outcome, "reflects": reflects, "rows": report.rows, "files": report.files,
            "bytes": report.bytes, "rows_made": made, "dates_made": dates,
        });
        format!("{object}\n")
    };
    reports.iter().map(line).collect()
}

/// A bar on standard error; without a terminal, a line every ten seconds.
struct Screen {
    bar: ProgressBar,
    terminal: bool,
    began: Mutex<(Instant, Instant)>,
}

impl Screen {
    fn new() -> Screen {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(1) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {elapsed_precise} {msg}") {
            bar.set_style(style);
        }
        Screen { bar, terminal, began: Mutex::new((Instant::now(), Instant::now())) }
    }

    fn begin(&self, table: &str) {
        if let Ok(mut began) = self.began.lock() {
            began.0 = Instant::now();
        }
        self.bar.set_length(1);
        self.bar.set_position(0);
        self.bar.set_message(format!("{table}: looking for what has changed"));
    }

    fn show(&self, progress: &Progress) {
        let Ok(mut began) = self.began.lock() else { return };
        let rate = progress.rows as f64 / began.0.elapsed().as_secs_f64().max(0.001);
        let Progress { table, done, parts, date, rows } = progress;
        let line = format!("{table}: {date} ({done} of {parts}), {rows} rows, {rate:.0}/s");
        if self.terminal {
            self.bar.set_length(*parts as u64);
            self.bar.set_position(*done as u64);
            self.bar.set_message(line);
        } else if began.1.elapsed() >= PLAIN_EVERY {
            began.1 = Instant::now();
            eprintln!("{line}");
        }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
