//! Bad lines, kept as `bad.csv`: line, field, reason, and the line's beginning; within a quota, further ones counted.

use crate::error::StoreError;
use crate::limits::Limits;
use std::fs::File;
use std::path::{Path, PathBuf};

pub(crate) struct BadLines {
    writer: csv::Writer<File>,
    path: PathBuf,
    kept_max: u64,
    text_bytes: usize,
    pub(crate) count: u64,
    pub(crate) kept: u64,
}

impl BadLines {
    pub(crate) fn create(path: &Path, limits: &Limits) -> Result<BadLines, StoreError> {
        let file = File::create(path).map_err(StoreError::io("creating", path))?;
        let (kept_max, text_bytes) = (limits.bad_lines_max, limits.bad_line_bytes);
        let mut bad = BadLines { writer: csv::Writer::from_writer(file), path: path.to_owned(), kept_max, text_bytes, count: 0, kept: 0 };
        bad.write(&["line", "reason", "text"])?;
        Ok(bad)
    }

    pub(crate) fn keep(&mut self, line: u64, reason: impl FnOnce() -> String, text: &[u8]) -> Result<(), StoreError> {
        self.count += 1;
        if self.kept == self.kept_max {
            return Ok(());
        }
        self.kept += 1;
        let text = String::from_utf8_lossy(&text[..text.len().min(self.text_bytes)]);
        self.write(&[&line.to_string(), &reason(), &text])
    }

    fn write(&mut self, record: &[&str]) -> Result<(), StoreError> {
        self.writer.write_record(record).map_err(|error| StoreError::io("writing", &self.path)(error.into()))
    }

    pub(crate) fn finish(mut self) -> Result<(u64, u64), StoreError> {
        self.writer.flush().map_err(StoreError::io("writing", &self.path))?;
        self.writer.get_ref().sync_all().map_err(StoreError::io("syncing", &self.path))?;
        Ok((self.count, self.kept))
    }
}
