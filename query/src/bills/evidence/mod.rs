//! All that a check stands on, in one ZIP that a third party can recompute with DuckDB alone: series, sessions, facts of
//! the log with file and lines, the invoice, the contract's text, versions, offsets, hashes, and the bill as SQL.
//!
//! * [`files`]     its tables
//! * [`recompute`] the bill as SQL, written a second time
//! * [`words`]     the README, and the statements over the ledger

pub mod files;
pub mod recompute;
pub mod words;

use super::check::{self, Loaded};
use super::export::parquet::Parquet;
use super::export::table::{Table, Writer, failed};
use super::export::{Made, about, csv, summary, xlsx};
use super::{Bills, papers, refusals, told};
use crate::engine::Engine;
use crate::error::Error;
use livemeter_billing::reconcile;
use livemeter_schemas::bills::BillQuery;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::sync::Arc;
use tempfile::NamedTempFile;
use zip::CompressionMethod;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// `GET /v1/bills/evidence`
pub async fn bundle(bills: &Arc<Bills>, engine: &Engine, asked: &BillQuery, now_ms: i64) -> Result<Made, Error> {
    let loaded = check::load(bills, engine, asked).await?;
    bills.job(move |bills| bills.evidence(&loaded, now_ms)).await
}

impl Bills {
    fn evidence(&self, loaded: &Loaded, now_ms: i64) -> Result<Made, Error> {
        let found = reconcile(&loaded.sides()).map_err(check::reconcile)?;
        let check = told::told(loaded, &found);
        let folder = self.scratch()?;
        let file =
            tempfile::Builder::new().prefix(".evidence-").tempfile_in(&folder).map_err(refusals::folder("making a file in", &folder))?;
        let out = file.reopen().map_err(refusals::folder("opening a file in", &folder))?;
        let mut zip = Bundle { zip: ZipWriter::new(BufWriter::new(out)), sums: String::new(), folder };
        zip.text("README.txt", &words::readme(loaded, &check, &papers::utc(now_ms)))?;
        zip.text("recompute.sql", &recompute::sql(loaded.ask.contract(), &loaded.ask.period))?;
        zip.text("ledger.sql", &words::ledger(&loaded.ask))?;
        zip.text("contract.toml", &loaded.ask.stored.text)?;
        zip.json("check.json", &check)?;
        zip.json("source.json", &check.source)?;
        zip.table("billed.csv", &files::billed(&found)?)?;
        zip.table("series.parquet", &files::series(loaded)?)?;
        zip.table("windows.parquet", &files::windows(loaded)?)?;
        zip.table("sessions.parquet", &files::sessions(loaded))?;
        if let Some(invoice) = files::invoice(loaded) {
            zip.table("invoice.csv", &invoice)?;
        }
        if let Some(vendor) = &loaded.vendor {
            zip.json("logs.json", &vendor.imports)?;
            zip.file("facts.parquet", |out| self.facts_file(loaded, out))?;
        }
        let scratch = zip.folder.clone();
        zip.file("summary.xlsx", |out| {
            let mut book = xlsx::Xlsx::new(&scratch, "Bill check")?;
            summary::all(loaded, &check)?.iter().try_for_each(|table| book.table(table))?;
            book.finish(out)
        })?;
        zip.finish(&about(&check))?;
        let summary = loaded.ask.summary();
        let name = format!("{}-v{}-{}-evidence.zip", summary.id, summary.version, loaded.ask.text);
        Ok(Made { file, name, kind: "application/zip" })
    }
}

/// The ZIP on its way: each file is written to the disk first, hashed, then taken in.
struct Bundle {
    zip: ZipWriter<BufWriter<File>>,
    /// As `sha256sum -c` reads it.
    sums: String,
    folder: std::path::PathBuf,
}

impl Bundle {
    fn text(&mut self, name: &str, text: &str) -> Result<(), Error> {
        self.file(name, |mut out| out.write_all(text.as_bytes()).map_err(|e| failed("the bundle")(&e)))
    }

    fn json(&mut self, name: &str, value: &impl serde::Serialize) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(value).map_err(|e| Error::Internal(e.to_string()))?;
        self.text(name, &text)
    }

    /// By its ending, Parquet or CSV.
    fn table(&mut self, name: &str, table: &Table) -> Result<(), Error> {
        self.file(name, |out| {
            if name.ends_with(".parquet") {
                let mut file = Parquet::new(out, Vec::new());
                file.table(table)?;
                return file.finish();
            }
            let mut file = csv::Csv::new(out);
            file.table(table)?;
            file.finish()
        })
    }

    fn file(&mut self, name: &str, write: impl FnOnce(BufWriter<File>) -> Result<(), Error>) -> Result<(), Error> {
        let wrong = failed("the bundle");
        let part = NamedTempFile::new_in(&self.folder).map_err(|e| wrong(&e))?;
        write(BufWriter::new(part.reopen().map_err(|e| wrong(&e))?))?;
        let packed =
            if name.ends_with(".parquet") || name.ends_with(".xlsx") { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let large = part.as_file().metadata().map_err(|e| wrong(&e))?.len() >= u64::from(u32::MAX);
        let options = SimpleFileOptions::default().compression_method(packed).large_file(large);
        self.zip.start_file(name, options).map_err(|e| wrong(&e))?;
        let (mut from, mut hash) = (BufReader::new(part.reopen().map_err(|e| wrong(&e))?), Sha256::new());
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = from.read(&mut buffer).map_err(|e| wrong(&e))?;
            let bytes = buffer.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            hash.update(bytes);
            self.zip.write_all(bytes).map_err(|e| wrong(&e))?;
        }
        self.sums += &format!("{}  {name}\n", hex::encode(hash.finalize()));
        Ok(())
    }

    fn finish(mut self, about: &[(String, String)]) -> Result<(), Error> {
        let sums = std::mem::take(&mut self.sums);
        self.text("SHA256SUMS", &sums)?;
        let comment: Vec<String> = about.iter().take(7).map(|(name, value)| format!("{name}={value}")).collect();
        let wrong = failed("the bundle");
        self.zip.set_comment(comment.join("; ")).map_err(|e| wrong(&e))?;
        let mut out = self.zip.finish().map_err(|e| wrong(&e))?;
        out.flush().map_err(|e| wrong(&e))
    }
}
