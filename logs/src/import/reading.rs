//! One file being read: each line to its sum, to the spilled records, or to the bad ones.

use super::bad::BadLines;
use super::groups::{Groups, NoGroup};
use super::head::Head;
use super::lines::{self, RawLine};
use super::repeats;
use super::source::Source;
use super::spill::{Record, Spill};
use super::{ImportRequest, Progress, facts};
use crate::error::{ImportError, StoreError};
use crate::format::Format;
use crate::format::parser::{BadField, Hit, Parser};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::store::folder;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What is known of a file once it is read to its end.
pub(super) struct Read {
    pub(super) sha256: String,
    packing: &'static str,
    file_bytes: u64,
    text_bytes: u64,
    lines: u64,
}

pub(super) struct Reading {
    format: Format,
    limits: Limits,
    folder: PathBuf,
    parser: Parser,
    head: Head,
    tally: Tally,
    bad: BadLines,
    skipped_lines: u64,
}

/// What was counted so far, and what waits for its repetitions to be found.
struct Tally {
    groups: Groups,
    spill: Spill,
    folder: PathBuf,
    counted_lines: u64,
    counted_bytes: u64,
    /// Bytes of all lines, repetitions too: may not pass what a column holds.
    all_bytes: u64,
    first_ms: i64,
    last_ms: i64,
}

impl Tally {
    fn take(&mut self, number: u64, hit: &Hit) -> Result<(), NoGroup> {
        let group = self.groups.of(hit)?;
        self.all_bytes = self.all_bytes.checked_add(hit.bytes).filter(|sum| *sum <= i64::MAX as u64).ok_or_else(|| {
            let max = i64::MAX as u64;
            NoGroup::Refused(ImportError::Limit { field: "bytes of all lines", value: max + 1, limit: "a column of 63 bits", max })
        })?;
        self.first_ms = self.first_ms.min(hit.time_ms);
        self.last_ms = self.last_ms.max(hit.time_ms);
        if hit.request_id.is_empty() {
            self.groups.add(group, hit.bytes, number);
            self.counted_lines += 1;
            self.counted_bytes += hit.bytes;
            return Ok(());
        }
        let record = Record { id: repeats::id_of(hit.request_id, hit.time_ms), line: number, bytes: hit.bytes, group };
        let pushed = self.spill.push(&record, &self.folder).map_err(StoreError::io("spilling records to", &self.folder));
        pushed.map_err(|error| NoGroup::Refused(error.into()))
    }
}

impl Reading {
    /// `folder` is the import's own, and goes away with it.
    pub(super) fn new(request: &ImportRequest, limits: &Limits, folder: &Path) -> Result<Reading, ImportError> {
        let tally = Tally {
            groups: Groups::new(request, limits),
            spill: Spill::new(),
            folder: folder.to_owned(),
            counted_lines: 0,
            counted_bytes: 0,
            all_bytes: 0,
            first_ms: i64::MAX,
            last_ms: i64::MIN,
        };
        Ok(Reading {
            format: request.format.clone(),
            limits: limits.clone(),
            folder: folder.to_owned(),
            parser: Parser::new(request.format.mapping()),
            head: Head::new(limits),
            tally,
            bad: BadLines::create(&folder.join(folder::BAD), limits)?,
            skipped_lines: 0,
        })
    }

    /// Reads the file to its end.
    pub(super) fn read(
        &mut self,
        file: File,
        file_bytes: u64,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Read, ImportError> {
        let mut source = Source::open(file, &self.limits).map_err(StoreError::io("reading", &self.folder))?;
        let packing = source.packing();
        let tick = |source: &Source, lines: u64| {
            let (done_bytes, text_bytes) = source.bytes();
            match progress(Progress { done_bytes, file_bytes, text_bytes, lines }) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(ImportError::Stopped),
            }
        };
        let line_bytes_max = self.limits.line_bytes_max;
        let lines = lines::for_each(&mut source, line_bytes_max, |number, line| self.line(number, line), tick)?;
        self.head.judge(&self.format)?;
        let (_, text_bytes) = source.bytes();
        let (file_bytes, sha256) = source.finish().map_err(StoreError::io("reading", &self.folder))?;
        if self.tally.first_ms == i64::MAX {
            return Err(ImportError::Empty { format: self.format.name().to_owned(), lines });
        }
        Ok(Read { sha256, packing, file_bytes, text_bytes, lines })
    }

    fn line(&mut self, number: u64, line: RawLine) -> Result<(), ImportError> {
        let (line, outcome) = match line {
            RawLine::Whole(line) => (line, self.parser.read(line, |hit| self.tally.take(number, &hit))),
            RawLine::TooLong(line) => {
                let reason = format!("longer than the limit `line_bytes_max` of {}", self.limits.line_bytes_max);
                (line, Err(BadField { field: 0, name: "line".to_owned(), reason, in_header: false }))
            }
        };
        let bad = match outcome {
            Ok(None) => {
                self.skipped_lines += 1;
                return Ok(());
            }
            Ok(Some(Ok(()))) => None,
            Ok(Some(Err(NoGroup::Refused(error)))) => return Err(error),
            Ok(Some(Err(NoGroup::Bad(name, reason)))) => Some(BadField { field: 0, name: name.to_owned(), reason, in_header: false }),
            Err(bad) => Some(bad),
        };
        if self.head.is_open {
            self.head.take(&self.format, number, line, bad.as_ref())?;
        }
        match bad {
            None => Ok(()),
            Some(bad) => Ok(self.bad.keep(number, || bad.to_string(), line)?),
        }
    }

    /// Leaves repetitions out and writes the facts. `earlier` are the vendor's imports.
    pub(super) fn finish(
        mut self,
        request: &ImportRequest,
        read: Read,
        earlier: &[Manifest],
        vendor_folder: &Path,
    ) -> Result<Manifest, ImportError> {
        let tally = &mut self.tally;
        // A repetition has the same time: imports of other times cannot hold it.
        let overlaps = |manifest: &&Manifest| {
            manifest.has_request_ids && manifest.first_ms <= Some(tally.last_ms) && manifest.last_ms >= Some(tally.first_ms)
        };
        let earlier: Vec<Manifest> = earlier.iter().filter(overlaps).cloned().collect();
        let counted = repeats::count(&mut tally.spill, &mut tally.groups, vendor_folder, &earlier, &self.folder.join(folder::IDS))?;
        let rows = facts::write(&mut tally.groups, &self.folder.join(folder::FACTS))?;
        let (bad_lines, bad_kept) = self.bad.finish()?;
        let counted_lines = tally.counted_lines + counted.lines;
        let file_name = || request.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Manifest {
            v: 1,
            vendor: request.vendor.clone(),
            name: request.name.clone().unwrap_or_else(file_name),
            path: std::path::absolute(&request.path).unwrap_or_else(|_| request.path.clone()),
            sha256: read.sha256,
            format: self.format.name().to_owned(),
            packing: read.packing.to_owned(),
            file_bytes: read.file_bytes,
            text_bytes: read.text_bytes,
            lines: read.lines,
            counted_lines,
            skipped_lines: self.skipped_lines,
            duplicate_lines: counted.duplicates,
            duplicates_of: counted.duplicates_of,
            bad_lines,
            bad_kept,
            odd_sessions: tally.groups.odd_sessions,
            traffic_bytes: tally.counted_bytes + counted.bytes,
            rows,
            has_request_ids: request.format.mapping().has_request_ids(),
            has_sessions: tally.groups.has_sessions(),
            first_ms: Some(tally.first_ms),
            last_ms: Some(tally.last_ms),
            imported_at_ms: request.imported_at_ms,
            kept_original: false,
        })
    }
}
