//! What the person at the terminal sees: lasting lines, and one living line below them (or, without a
//! terminal, a plain line every ten seconds).

use super::plan::{Plan, reached};
use super::watch::Scrape;
use crate::settings::{Settings, show_size};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Standard output. Writing to it may fail: a closed terminal is no reason to stop metering.
pub struct Screen {
    /// Cut to the terminal's width. None without a terminal.
    living: Option<ProgressBar>,
    told: Option<Instant>,
}

impl Screen {
    pub fn new() -> Screen {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Screen { living: (!bar.is_hidden()).then_some(bar), told: None }
    }

    /// Something that stays.
    pub fn say(&self, text: &str) {
        let write = || drop(writeln!(std::io::stdout(), "{text}"));
        match &self.living {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// What is going on now, for those who watch.
    pub fn doing(&self, what: impl Into<String>) {
        if let Some(bar) = &self.living {
            bar.set_message(what.into());
        }
    }

    /// How it stands.
    pub fn progress(&mut self, line: String) {
        if self.living.is_some() {
            self.doing(line);
        } else if self.told.is_none_or(|at| at.elapsed() >= PLAIN_EVERY) {
            self.told = Some(Instant::now());
            self.say(&line);
        }
    }

    /// Nothing living remains.
    pub fn clear(&self) {
        if let Some(bar) = &self.living {
            bar.finish_and_clear();
        }
    }
}

/// Addresses and a first command to try.
pub fn welcome(plan: &Plan, settings: &Settings, took: Duration) -> String {
    let [ingest, processor, query] =
        ["ingest", "processor", "query"].map(|section| reached(settings.address(&format!("{section}.listen"))));
    // As it was typed: the newcomer's copy is in no search path yet.
    let livemeter = std::env::args().next().unwrap_or_else(|| "livemeter".into());
    let server = if query.to_string() == "127.0.0.1:8701" { String::new() } else { format!(" --server http://{query}") };
    let audience = match plan.viewers {
        0 => "No simulated audience.".to_owned(),
        n => format!("{} simulated viewers are watching.", grouped(n as f64)),
    };
    format!(
        "Livemeter is up ({:.1} s). Data and logs are in {}.

  console    http://{query}/
  query      http://{query}/v1/reports/traffic   (reports, SQL)
  ingest     http://{ingest}/v1/events           (players post here)
  processor  http://{processor}/metrics
  kafka      {}

Try:
  curl 'http://{query}/v1/reports/traffic?by=cdn'
  {livemeter} sql{server} \"SELECT cdn, SUM(bytes) AS bytes FROM increments GROUP BY cdn\"

{audience}
Ctrl-C stops everything; the next start goes on from there.
",
        took.as_secs_f64(),
        plan.data.display(),
        plan.brokers
    )
}

/// The figures of the living line.
#[derive(Default)]
pub struct Progress {
    accepted: Total,
    rate: f64,
    refused: Total,
    rows: Total,
    lag_records: f64,
    lag_seconds: f64,
    pub disk_used: u64,
    last: Option<(Instant, f64)>,
}

impl Progress {
    pub fn observe(&mut self, ingest: Option<&Scrape>, processor: Option<&Scrape>) {
        if let Some(ingest) = ingest {
            self.accepted.read(ingest.sum("livemeter_ingest_events_accepted_total"));
            self.refused.read(ingest.sum("livemeter_ingest_events_refused_total"));
            let (now, accepted) = (Instant::now(), self.accepted.all());
            if let Some((then, before)) = self.last {
                // Smoothed over some seconds.
                let rate = (accepted - before) / now.duration_since(then).as_secs_f64().max(0.001);
                self.rate += (rate - self.rate) * 0.3;
            }
            self.last = Some((now, accepted));
        }
        if let Some(processor) = processor {
            self.rows.read(processor.sum("livemeter_processor_rows_written_total"));
            self.lag_records = processor.sum("livemeter_processor_lag_records");
            self.lag_seconds = processor.sum("livemeter_processor_lag_seconds");
        }
    }

    /// The most wanted first: a narrow terminal shows the beginning.
    pub fn line(&self, disk_max: u64, audience: bool) -> String {
        let refused = if self.refused.all() > 0.0 { format!(" · refused {}", grouped(self.refused.all())) } else { String::new() };
        format!(
            "accepted {} (+{}/s) · rows {} · lag {}, {:.0} s{refused} · disk {} of {}{}",
            grouped(self.accepted.all()),
            grouped(self.rate),
            grouped(self.rows.all()),
            grouped(self.lag_records),
            self.lag_seconds,
            show_size(self.disk_used),
            show_size(disk_max),
            if audience { "" } else { " · no audience" }
        )
    }
}

/// A service's counter since the tree's start. A service that was started again counts from zero.
#[derive(Default)]
struct Total {
    before: f64,
    now: f64,
}

impl Total {
    fn read(&mut self, value: f64) {
        if value < self.now {
            self.before += self.now;
        }
        self.now = value;
    }

    fn all(&self) -> f64 {
        self.before + self.now
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
    fn a_counter_that_begins_again_is_added_to_what_it_was() {
        let mut total = super::Total::default();
        [3.0, 10.0, 10.0, 2.0, 5.0].into_iter().for_each(|value| total.read(value));
        assert_eq!(total.all(), 15.0);
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(super::grouped(0.0), "0");
        assert_eq!(super::grouped(999.0), "999");
        assert_eq!(super::grouped(1_234_567.0), "1,234,567");
    }
}
