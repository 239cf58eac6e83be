//! `livemeter period close|list|show|verify`: what was billed stays what it was, and what has come since is
//! told apart.

use super::{now_ms, print, print_json, root, table, time};
use crate::cli::Failure;
use crate::services::serve;
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_processor::period::{self, Closing, PeriodError, Shown, Verified};
use livemeter_schemas::period::{ClosedPeriod, PeriodTotal};
use serde_json::json;
use url::Url;

pub fn command(settings: &Settings, word: &str, given: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| given.try_get_one::<String>(name).ok().flatten().cloned().unwrap_or_default();
    let (name, tz, by, json) = (text("period"), text("tz"), text("by"), given.get_flag("json"));
    let now = given.try_get_one::<bool>("now").ok().flatten().copied().unwrap_or_default();
    let (root, grace_ms) = (root(settings)?, settings.duration_ms("period.grace") as i64);
    let word = word.to_owned();
    serve(async move {
        match word.as_str() {
            "close" => {
                if by.trim().is_empty() {
                    return Err(Failure::usage("--by must name who closes the period"));
                }
                let closing = Closing { by: &by, grace_ms, now, clock: now_ms };
                let closed = period::close(&root, &name, &tz, closing).await.map_err(failure)?;
                if json { print_json(&closed) } else { Ok(closed_page(&closed)) }
            }
            "list" => list(&root, json).await,
            "show" => {
                let shown = period::show(&root, &name, &tz).await.map_err(failure)?;
                if json { print_json(&shown) } else { Ok(show_page(&shown)) }
            }
            _ => verified(period::verify(&root, &name, &tz).await.map_err(failure)?, json),
        }
    })
}

fn failure(error: PeriodError) -> Failure {
    match error {
        PeriodError::Name { .. } | PeriodError::NotClosed { .. } => Failure::usage(error),
        other if other.retry() => Failure::new(other),
        other => Failure::attention(other),
    }
}

async fn list(root: &Url, json: bool) -> Result<(), Failure> {
    let periods = period::list(root).await.map_err(failure)?;
    if json {
        return print_json(&json!({ "periods": periods }));
    }
    let mut table = table(&["period", "zone", "closed", "by", "apps and CDNs", "bytes", "hash"], 4);
    for p in &periods {
        let bytes: i128 = p.totals.iter().map(|t| i128::from(t.bytes)).sum();
        let hash = p.totals_sha256.chars().take(12).collect();
        let (closed, count) = (time(p.closed_at_ms), p.totals.len().to_string());
        table.add_row([p.period.clone(), p.tz.clone(), closed, p.closed_by.clone(), count, bytes.to_string(), hash]);
    }
    print(&table.to_string());
    print(&format!("{} closed periods", periods.len()));
    Ok(())
}

fn totals(rows: &[PeriodTotal]) -> String {
    let mut table = table(&["app", "CDN", "bytes", "aborted bytes", "play ms", "stall ms", "stalls"], 2);
    for t in rows {
        let amounts = [t.bytes, t.aborted_bytes, t.play_ms, t.stall_ms, t.stalls].map(|n| n.to_string());
        table.add_row([t.app.clone(), t.cdn.clone()].into_iter().chain(amounts));
    }
    table.to_string()
}

fn closed_page(closed: &ClosedPeriod) {
    let (from, to, at) = (time(closed.from_ms), time(closed.to_ms), time(closed.closed_at_ms));
    print(&format!("{} in {}: {from} to {to}, closed {at} by {}", closed.period, closed.tz, closed.closed_by));
    print(&totals(&closed.totals));
    let line: Vec<String> = closed.offsets.iter().map(|l| format!("g{}/{} < {}", l.generation, l.partition, l.offset)).collect();
    print(&format!("line: {} (increments at version {})", line.join(", "), closed.table_version));
    print(&format!("sha256 {}", closed.totals_sha256));
}

fn show_page(shown: &Shown) {
    closed_page(&shown.closed);
    match shown.adjustments.is_empty() {
        true => print("no adjustments since"),
        false => {
            print(&format!("adjustments since (increments at version {}):", shown.table_version));
            print(&totals(&shown.adjustments));
            print("both together:");
            print(&totals(&shown.both));
        }
    }
}

fn verified(verified: Verified, json: bool) -> Result<(), Failure> {
    if json {
        print_json(&verified)?;
    } else {
        for (kept, found) in &verified.differences {
            print(&format!("! kept {kept:?}, found {found:?}"));
        }
        print(&format!("kept  {}\nfile  {}\nfound {}", verified.kept_sha256, verified.file_sha256, verified.found_sha256));
    }
    match verified.ok {
        true => Ok(()),
        false => Err(Failure::attention(format!("{} in {} does not read as it was closed", verified.period, verified.tz))),
    }
}
