//! The check as a file: CSV, XLSX, Parquet, FOCUS. Each is written whole to the disk, row by row, before its first
//! byte goes out, so that memory stays small and a file that is cut never looks whole.
//!
//! * [`table`]   named columns and cells
//! * [`csv`], [`parquet`], [`xlsx`] where tables go
//! * [`summary`] the check's own tables
//! * [`detail`]  rows per 5 minutes, and session or user, streamed from the ledger
//! * [`focus`]   FOCUS 1.4 and 1.2

pub mod csv;
pub mod detail;
pub mod focus;
pub mod parquet;
pub mod summary;
pub mod table;
pub mod xlsx;

use super::check::{self, Loaded};
use super::{Bills, refusals, told};
use crate::engine::Engine;
use crate::error::Error;
use livemeter_schemas::bills::{BillCheck, BillQuery};
use std::io::BufWriter;
use std::sync::Arc;
use table::{Table, Writer};
use tempfile::NamedTempFile;

/// A file that was made, on its way out; it goes with this guard.
#[derive(Debug)]
pub struct Made {
    pub file: NamedTempFile,
    pub name: String,
    /// Media type.
    pub kind: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
    Parquet,
    Focus14,
    Focus12,
}

impl Format {
    pub fn parse(text: &str) -> Result<Format, Error> {
        Ok(match text {
            "csv" => Format::Csv,
            "xlsx" => Format::Xlsx,
            "parquet" => Format::Parquet,
            "focus-1.4" => Format::Focus14,
            "focus-1.2" => Format::Focus12,
            other => {
                return Err(Error::parameter(
                    "format",
                    format!("format {other:?} is unknown; csv, xlsx, parquet, focus-1.4 and focus-1.2 are"),
                ));
            }
        })
    }

    fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Xlsx => "xlsx",
            Format::Parquet => "parquet",
            Format::Focus14 => "focus-1.4.csv",
            Format::Focus12 => "focus-1.2.csv",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::Parquet => "application/vnd.apache.parquet",
            _ => "text/csv; charset=utf-8",
        }
    }
}

/// `GET /v1/bills/export`
pub async fn file(bills: &Arc<Bills>, engine: &Engine, asked: &BillQuery) -> Result<Made, Error> {
    let format = Format::parse(asked.format.as_deref().unwrap_or("csv"))?;
    let detail = detail::Detail::parse(asked.detail.as_deref().unwrap_or("summary"))?;
    let loaded = check::load(bills, engine, asked).await?;
    if let (Some(detail), Format::Csv | Format::Xlsx | Format::Parquet) = (detail, format) {
        return detail::file(bills, engine, loaded, detail, format).await;
    }
    bills.job(move |bills| bills.export(&loaded, format)).await
}

impl Bills {
    fn export(&self, loaded: &Loaded, format: Format) -> Result<Made, Error> {
        let check = told::check(loaded)?;
        let made = self.making(loaded, format, "check")?;
        let out = made.file.reopen().map_err(|e| table::failed("an export")(&e))?;
        match format {
            Format::Csv => one(csv::Csv::new(BufWriter::new(out)), &summary::lines(&check, true), csv::Csv::finish)?,
            Format::Parquet => {
                one(parquet::Parquet::new(BufWriter::new(out), about(&check)), &summary::lines(&check, false), parquet::Parquet::finish)?
            }
            Format::Xlsx => {
                let mut book = xlsx::Xlsx::new(&self.scratch()?, "Bill check")?;
                summary::all(loaded, &check)?.iter().try_for_each(|table| book.table(table))?;
                book.finish(BufWriter::new(out))?;
            }
            Format::Focus14 | Format::Focus12 => {
                one(csv::Csv::new(BufWriter::new(out)), &focus::table(loaded, &check, format == Format::Focus14)?, csv::Csv::finish)?;
            }
        }
        Ok(made)
    }

    /// A temporary file, named for the reader.
    pub fn making(&self, loaded: &Loaded, format: Format, what: &str) -> Result<Made, Error> {
        let folder = self.scratch()?;
        let file =
            tempfile::Builder::new().prefix(".export-").tempfile_in(&folder).map_err(refusals::folder("making a file in", &folder))?;
        let summary = loaded.ask.summary();
        let name = format!("{}-v{}-{}-{what}.{}", summary.id, summary.version, loaded.ask.text, format.ending());
        Ok(Made { file, name, kind: format.kind() })
    }

    /// Where files are made: beside the papers, on the disk that has room.
    pub fn scratch(&self) -> Result<std::path::PathBuf, Error> {
        let folder = self.config.root.join("uploads");
        std::fs::create_dir_all(&folder).map_err(refusals::folder("making", &folder))?;
        Ok(folder)
    }
}

fn one<W: Writer>(mut writer: W, table: &Table, finish: fn(W) -> Result<(), Error>) -> Result<(), Error> {
    writer.table(table)?;
    finish(writer)
}

/// What a file was made from, as names and values.
pub fn about(check: &BillCheck) -> Vec<(String, String)> {
    let s = &check.source;
    let mut about = vec![
        ("contract", check.contract.id.clone()),
        ("contract_version", check.contract.version.to_string()),
        ("contract_sha256", s.contract_sha256.clone()),
        ("period", check.period.clone()),
        ("from", check.from.clone()),
        ("to", check.to.clone()),
        ("table_version", s.table_version.map(|v| v.to_string()).unwrap_or_default()),
        ("kafka_offsets", s.offsets.join(" ")),
        ("invoice_sha256", s.invoice_sha256.clone().unwrap_or_default()),
        ("log_sha256", s.log_sha256.join(" ")),
    ];
    about.push(("verdict", check.verdict.clone()));
    about.into_iter().map(|(name, value)| (format!("livemeter.{name}"), value)).collect()
}
