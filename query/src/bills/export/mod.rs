//! The check as a file: CSV, XLSX, Parquet, FOCUS. Each is written whole to the disk, row by row, before its first
//! byte goes out, so that memory stays small and a file that is cut never looks whole.
//!
//! * [`table`]   named columns and cells
//! * [`csv`], [`parquet`], [`xlsx`] where tables go
//! * [`summary`] the check's own tables
//! * [`workbook`] several contracts, a sheet a vendor
//! * [`detail`]  rows per 5 minutes, and session or user, streamed from the ledger
//! * [`focus`]   FOCUS 1.4 and 1.2

pub mod csv;
pub mod detail;
pub mod focus;
pub mod parquet;
pub mod summary;
pub mod table;
pub mod workbook;
pub mod xlsx;

use super::ask::Ask;
use super::check::{self, Loaded};
use super::{Bills, refusals, told};
use crate::engine::Engine;
use crate::error::Error;
use livemeter_billing::reconcile;
use livemeter_schemas::bills::{BillCheck, BillQuery, ContractSummary, Source};
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
    if asked.contract.contains(',') {
        return workbook::file(bills, engine, asked, format, detail.is_none()).await;
    }
    if let (Some(detail), Format::Csv | Format::Xlsx | Format::Parquet) = (detail, format) {
        return detail::file(bills, engine, asked, detail, format).await;
    }
    let loaded = check::load(bills, engine, asked).await?;
    bills.job(move |bills| bills.export(&loaded, format)).await
}

impl Bills {
    fn export(&self, loaded: &Loaded, format: Format) -> Result<Made, Error> {
        let found = reconcile(&loaded.sides()).map_err(check::reconcile)?;
        let check = told::told(loaded, &found);
        let made = self.making(&loaded.ask, format, "check")?;
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
                one(
                    csv::Csv::new(BufWriter::new(out)),
                    &focus::table(loaded, &found, &check, format == Format::Focus14),
                    csv::Csv::finish,
                )?;
            }
        }
        Ok(made)
    }

    /// A temporary file, named for the reader.
    pub fn making(&self, ask: &Ask, format: Format, what: &str) -> Result<Made, Error> {
        let summary = ask.summary();
        self.making_named(format!("{}-v{}-{}-{what}", summary.id, summary.version, ask.text), format)
    }

    /// The same by its name without its ending.
    pub fn making_named(&self, name: String, format: Format) -> Result<Made, Error> {
        let folder = self.scratch()?;
        let file =
            tempfile::Builder::new().prefix(".export-").tempfile_in(&folder).map_err(refusals::folder("making a file in", &folder))?;
        Ok(Made { file, name: format!("{name}.{}", format.ending()), kind: format.kind() })
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
    let mut about = stands_on(&check.contract, &check.source, [&check.period, &check.from, &check.to]);
    about.push(("livemeter.verdict".to_owned(), check.verdict.clone()));
    about
}

/// The same of a file that has no check in it.
pub fn stands_on(contract: &ContractSummary, source: &Source, [period, from, to]: [&str; 3]) -> Vec<(String, String)> {
    let about = [
        ("contract", contract.id.clone()),
        ("contract_version", contract.version.to_string()),
        ("contract_sha256", source.contract_sha256.clone()),
        ("period", period.to_owned()),
        ("from", from.to_owned()),
        ("to", to.to_owned()),
        ("table_version", source.table_version.map(|v| v.to_string()).unwrap_or_default()),
        ("kafka_offsets", source.offsets.join(" ")),
        ("invoice_sha256", source.invoice_sha256.clone().unwrap_or_default()),
        ("log_sha256", source.log_sha256.join(" ")),
    ];
    about.into_iter().map(|(name, value)| (format!("livemeter.{name}"), value)).collect()
}
