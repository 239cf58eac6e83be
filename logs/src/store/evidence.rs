//! The lines behind a figure, read again from the original, and the lines that could not be read.

use super::{LogStore, folder};
use crate::error::{ImportError, StoreError};
use crate::import::lines::{self, RawLine};
use crate::import::source::{self, Source};
use crate::manifest::Manifest;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;

/// A line that could not be read, as far as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub line: u64,
    pub reason: String,
    /// Its beginning; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// A line of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    pub text: String,
}

impl LogStore {
    /// The bad lines of an import, as far as they were kept: the manifest says how many there were.
    pub fn bad_lines(&self, vendor: &str, sha256: &str) -> Result<Vec<BadLine>, StoreError> {
        let manifest = self.find(vendor, sha256)?;
        let path = self.vendor_folder(vendor)?.join(&manifest.sha256).join(folder::BAD);
        let damaged = |reason: String| StoreError::Damaged { path: path.clone(), reason };
        let mut reader = csv::Reader::from_path(&path).map_err(|error| damaged(error.to_string()))?;
        let records = reader.deserialize::<(u64, String, String)>();
        records
            .map(|record| record.map(|(line, reason, text)| BadLine { line, reason, text }).map_err(|error| damaged(error.to_string())))
            .collect()
    }

    /// Lines of the original. It is read to its end and hashed: what is shown is what was counted, or nothing is shown.
    /// The store's own copy comes first; else the file must still lie where it was.
    pub fn lines(&self, vendor: &str, sha256: &str, range: RangeInclusive<u64>) -> Result<Vec<Line>, StoreError> {
        let asked = range.end().saturating_sub(*range.start()).saturating_add(1);
        if asked > self.limits.lines_max {
            return Err(StoreError::Limit { what: "lines asked for", value: asked, limit: "lines_max", max: self.limits.lines_max });
        }
        let manifest = self.find(vendor, sha256)?;
        let gone = || StoreError::OriginalGone { sha256: manifest.sha256.clone(), path: manifest.path.clone() };
        let file = self.original(&manifest)?.ok_or_else(gone)?;
        let mut limits = self.limits.clone();
        if manifest.kept_original {
            limits.ratio_max = u64::MAX; // packed here, from a file that was within the limits
        }
        let mut source = Source::open(file, &limits).map_err(StoreError::io("reading", &manifest.path))?;
        let mut found = Vec::new();
        let take = |number: u64, line: RawLine| {
            if range.contains(&number) {
                let (RawLine::Whole(text) | RawLine::TooLong(text)) = line;
                found.push(Line { number, text: String::from_utf8_lossy(text).into_owned() });
            }
            Ok(())
        };
        let read = lines::for_each(&mut source, self.limits.line_bytes_max, take, |_, _| Ok(()));
        read.map_err(|error| match error {
            ImportError::Store(error) => error,
            _ => gone(),
        })?;
        let (_, hash) = source.finish().map_err(StoreError::io("reading", &manifest.path))?;
        // A copy that was packed here has another hash; what came out of it was checked when it was opened.
        if hash != manifest.sha256 && !(manifest.kept_original && manifest.packing == "none") {
            return Err(gone());
        }
        Ok(found)
    }

    /// The original, opened; none where it is gone or is another by its length.
    fn original(&self, manifest: &Manifest) -> Result<Option<File>, StoreError> {
        if manifest.kept_original {
            let (path, packed_here) = folder::original(&self.vendor_folder(&manifest.vendor)?.join(&manifest.sha256), &manifest.packing);
            let open = || File::open(&path).map_err(StoreError::io("opening", &path));
            if packed_here && source::sha256_unpacked(open()?).map_err(StoreError::io("reading", &path))? != manifest.sha256 {
                return Err(StoreError::Damaged { path, reason: "it is not what was imported".to_owned() });
            }
            return open().map(Some);
        }
        match File::open(&manifest.path) {
            Ok(file) if file.metadata().is_ok_and(|metadata| metadata.len() == manifest.file_bytes) => Ok(Some(file)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("opening", &manifest.path)(error)),
        }
    }
}
