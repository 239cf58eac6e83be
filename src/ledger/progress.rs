//! A bar for what takes longer than a glance: where it is, how fast, how long it will take. On standard error,
//! so that a script's output stays clean; without a terminal, a line every ten seconds.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

pub struct Bar {
    bar: ProgressBar,
    began: Instant,
    told: Instant,
}

impl Bar {
    pub fn new() -> Bar {
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} % {eta_precise} {msg}") {
            bar.set_style(style);
        }
        Bar { bar, began: Instant::now(), told: Instant::now() }
    }

    /// `count` of `unit` so far, at `done` of `of`.
    pub fn at(&mut self, what: &str, done: u64, of: u64, count: u64, unit: &str) {
        let rate = (count as f64 / self.began.elapsed().as_secs_f64().max(0.001)) as u64;
        let line = format!("{what}: {count} {unit} ({rate}/s)");
        self.bar.set_length(of.max(1));
        self.bar.set_position(done);
        if self.bar.is_hidden() && self.told.elapsed() >= PLAIN_EVERY {
            self.told = Instant::now();
            tracing::info!("{line}, {} %", done.saturating_mul(100) / of.max(1));
        }
        self.bar.set_message(line);
    }

    /// The next part begins: its rate is its own.
    pub fn again(&mut self) {
        self.began = Instant::now();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
