//! What the person at the terminal sees: the addresses, something to try, then one living line
//! (or, without a terminal, a line every ten seconds).

use super::plan::Plan;
use super::watch::Scrape;
use crate::settings::{Settings, show_size};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Addresses and a first command to try.
pub fn welcome(plan: &Plan, settings: &Settings, took: Duration) {
    let address = |section: &str| settings.address(&format!("{section}.listen"));
    let (ingest, query) = (address("ingest"), address("query"));
    println!("Livemeter is up ({:.1} s). Data in {}.", took.as_secs_f64(), plan.data.display());
    println!();
    println!("  console    http://{query}/");
    println!("  query      http://{query}/v1/reports/traffic   (SQL, reports)");
    println!("  ingest     http://{ingest}/v1/events           (players post here)");
    println!("  processor  http://{}/metrics", address("processor"));
    println!("  kafka      {}", plan.brokers);
    println!();
    println!("Try:");
    println!("  curl 'http://{query}/v1/reports/traffic?by=cdn'");
    println!("  livemeter sql \"SELECT cdn, SUM(bytes) AS bytes FROM increments GROUP BY cdn\"");
    println!();
    match plan.viewers {
        0 => println!("No simulated audience (VIEWERS=0). Ctrl-C stops everything."),
        n => println!("{n} simulated viewers are watching. Ctrl-C stops everything; the next start goes on from there."),
    }
}

/// The figures of the living line.
#[derive(Default)]
pub struct Progress {
    accepted: f64,
    rate: f64,
    refused: f64,
    rows: f64,
    lag_records: f64,
    lag_seconds: f64,
    pub disk_used: u64,
    last: Option<(Instant, f64)>,
    drawn: Option<Instant>,
}

impl Progress {
    pub fn observe(&mut self, ingest: Option<&Scrape>, processor: Option<&Scrape>) {
        if let Some(ingest) = ingest {
            self.accepted = ingest.sum("livemeter_ingest_events_accepted_total");
            self.refused = ingest.sum("livemeter_ingest_events_refused_total");
            let now = Instant::now();
            if let Some((then, before)) = self.last {
                let seconds = now.duration_since(then).as_secs_f64().max(0.001);
                // Smoothed over some seconds; a restarted service begins at zero again.
                let rate = ((self.accepted - before) / seconds).max(0.0);
                self.rate += (rate - self.rate) * 0.3;
            }
            self.last = Some((now, self.accepted));
        }
        if let Some(processor) = processor {
            self.rows = processor.sum("livemeter_processor_rows_written_total");
            self.lag_records = processor.sum("livemeter_processor_lag_records");
            self.lag_seconds = processor.sum("livemeter_processor_lag_seconds");
        }
    }

    pub fn draw(&mut self, disk_max: u64, audience: bool) {
        let terminal = std::io::stdout().is_terminal();
        if !terminal && self.drawn.is_some_and(|at| at.elapsed() < Duration::from_secs(10)) {
            return;
        }
        self.drawn = Some(Instant::now());
        let line = format!(
            "accepted {} (+{:.0}/s) · refused {} · rows written {} · lag {} records, {:.1} s · disk {} of {}{}",
            grouped(self.accepted),
            self.rate,
            grouped(self.refused),
            grouped(self.rows),
            grouped(self.lag_records),
            self.lag_seconds,
            show_size(self.disk_used),
            show_size(disk_max),
            if audience { "" } else { " · no audience" }
        );
        let mut out = std::io::stdout().lock();
        // A closed terminal is no reason to stop metering.
        let _ = if terminal { write!(out, "\r\x1b[2K{line}") } else { writeln!(out, "{line}") };
        let _ = out.flush();
    }
}

/// 1234567 → 1,234,567
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        assert_eq!(super::grouped(0.0), "0");
        assert_eq!(super::grouped(999.0), "999");
        assert_eq!(super::grouped(1_234_567.0), "1,234,567");
    }
}
