//! Tells how far recovery is, when it takes long enough for anybody to ask.

use super::Recovered;
use std::time::{Duration, Instant};

/// Recovery that takes longer than this tells how far it is.
const PATIENCE: Duration = Duration::from_secs(2);

pub struct Progress {
    began: Instant,
    told: Instant,
    files: usize,
    files_all: usize,
    pub rows: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Progress { began: Instant::now(), told: Instant::now(), files: 0, files_all: 0, rows: 0 }
    }
}

impl Progress {
    pub fn await_files(&mut self, files: usize) {
        self.files_all += files;
    }

    pub fn file(&mut self, rows: u64) {
        self.rows += rows;
        self.files += 1;
        if self.told.elapsed() > PATIENCE {
            self.told = Instant::now();
            tracing::info!(files = self.files, of = self.files_all, rows = self.rows, rows_per_s = self.rate(), "recovering");
        }
    }

    pub fn end(&self, recovered: &Recovered) {
        let ms = self.began.elapsed().as_millis() as u64;
        let Recovered { rows, sessions, evicted, snapshots } = recovered;
        tracing::info!(rows, sessions, evicted, snapshots, ms, rows_per_s = self.rate(), "recovered from the ledger");
    }

    fn rate(&self) -> u64 {
        (self.rows as f64 / self.began.elapsed().as_secs_f64().max(0.001)) as u64
    }
}
