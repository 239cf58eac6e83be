//! Logs and invoices: import, list, and the lines of a log. What a line means is `livemeter_logs`' affair.

use super::Bills;
use super::layouts::Kind;
use super::refusals;
use crate::error::Error;
use chrono::{DateTime, SecondsFormat};
use livemeter_logs::format::Mapping;
use livemeter_logs::invoice::{Invoice, InvoiceRequest, Layout, Template};
use livemeter_logs::{Format, ImportRequest, Imported, Manifest, Progress};
use livemeter_schemas::bills::{
    BadLine, InvoiceSummary, InvoiceUpload, Invoices, LogImport, LogImports, LogLine, LogLines, LogLinesQuery, LogUpload,
};
use std::ops::ControlFlow;
use std::path::Path;

/// Bad lines told in the answer to an import; all that were kept can be asked for.
const BAD_SHOWN: usize = 10;

impl Bills {
    /// Imports a log that lies at `path`. `go_on` is asked about every MiB; nothing is kept once it says no.
    pub fn import_log(
        &self,
        asked: &LogUpload,
        path: &Path,
        now_ms: i64,
        mut go_on: impl FnMut(Progress) -> bool,
    ) -> Result<LogImport, Error> {
        let format = match Format::named(&asked.format) {
            Ok(format) => format,
            Err(unknown) => match self.layout(Kind::Format, &asked.format)? {
                Some(text) => Mapping::parse(&text).map_err(refusals::format)?.into(),
                None => return Err(refusals::format(unknown)),
            },
        };
        let mut request = ImportRequest::new(&asked.vendor, path, format, now_ms);
        request.name = asked.name.clone();
        request.domain = asked.domain.clone().or_else(|| self.only_domain(&asked.vendor));
        request.region = asked.region.clone();
        request.keep_original = self.config.keep_original;
        let mut progress = |p: Progress| if go_on(p) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        let Imported { manifest, known } = self.logs.import(&request, &mut progress).map_err(refusals::import)?;
        let mut told = log_import(&manifest, known);
        told.bad = self
            .bad(&manifest)?
            .into_iter()
            .take(BAD_SHOWN)
            .map(|l| BadLine { line: l.line, reason: l.reason.unwrap_or_default() })
            .collect();
        Ok(told)
    }

    /// Takes an import out again.
    pub fn forget_log(&self, vendor: &str, sha256: &str) -> Result<LogImport, Error> {
        self.logs.forget(vendor, sha256).map(|manifest| log_import(&manifest, true)).map_err(refusals::store)
    }

    pub fn log_imports(&self, vendor: Option<&str>) -> Result<LogImports, Error> {
        let imports = self.logs.imports(vendor).map_err(refusals::store)?;
        Ok(LogImports { imports: imports.iter().map(|manifest| log_import(manifest, true)).collect() })
    }

    /// Lines of a log: those asked for, or the bad ones.
    pub fn log_lines(&self, asked: &LogLinesQuery) -> Result<LogLines, Error> {
        let manifest = self.logs.find(&asked.vendor, &asked.sha256).map_err(refusals::store)?;
        let lines = match (asked.first, asked.last) {
            (None, None) => self.bad(&manifest)?,
            (first, last) => {
                let first = first.or(last).unwrap_or(1);
                let last = last.unwrap_or(first);
                if first == 0 || last < first {
                    return Err(Error::parameter("first", format!("lines {first} to {last} are none; they are counted from 1")));
                }
                let lines = self.logs.lines(&asked.vendor, &manifest.sha256, first..=last).map_err(refusals::store)?;
                lines.into_iter().map(|line| LogLine { line: line.number, text: line.text, reason: None }).collect()
            }
        };
        Ok(LogLines { vendor: manifest.vendor, sha256: manifest.sha256, name: manifest.name, lines })
    }

    fn bad(&self, manifest: &Manifest) -> Result<Vec<LogLine>, Error> {
        if manifest.bad_lines == 0 {
            return Ok(Vec::new());
        }
        let bad = self.logs.bad_lines(&manifest.vendor, &manifest.sha256).map_err(refusals::store)?;
        Ok(bad.into_iter().map(|line| LogLine { line: line.line, text: line.text, reason: Some(line.reason) }).collect())
    }

    pub fn import_invoice(&self, asked: &InvoiceUpload, path: &Path, now_ms: i64) -> Result<InvoiceSummary, Error> {
        let layout = match asked.template.as_str() {
            "focus" => Layout::Focus,
            name => {
                let text = self.layout(Kind::Template, name)?.ok_or_else(|| {
                    let reason = format!("template {name:?} is neither `focus` nor a file of the bill check's folder templates/");
                    Error::parameter("template", reason)
                })?;
                Layout::Template(Box::new(Template::parse(&text).map_err(refusals::template)?))
            }
        };
        let request = InvoiceRequest {
            vendor: asked.vendor.clone(),
            path: path.to_owned(),
            name: asked.name.clone(),
            layout,
            currency: self.only_currency(&asked.vendor),
            imported_at_ms: now_ms,
        };
        let imported = self.invoices.import(&request).map_err(refusals::invoice)?;
        Ok(invoice_summary(&imported.invoice, imported.known))
    }

    pub fn invoice_list(&self, vendor: Option<&str>) -> Result<Invoices, Error> {
        let invoices = self.invoices.invoices(vendor).map_err(refusals::store)?;
        Ok(Invoices { invoices: invoices.iter().map(|invoice| invoice_summary(invoice, true)).collect() })
    }
}

/// An import as it is told.
pub fn log_import(manifest: &Manifest, known: bool) -> LogImport {
    LogImport {
        vendor: manifest.vendor.clone(),
        format: manifest.format.clone(),
        name: manifest.name.clone(),
        sha256: manifest.sha256.clone(),
        known,
        lines: manifest.lines,
        duplicate_lines: manifest.duplicate_lines,
        bad_lines: manifest.bad_lines,
        bad: Vec::new(),
        bytes: manifest.traffic_bytes,
        from: manifest.first_ms.map(utc),
        to: manifest.last_ms.map(utc),
    }
}

/// An invoice as it is told.
pub fn invoice_summary(invoice: &Invoice, known: bool) -> InvoiceSummary {
    InvoiceSummary {
        vendor: invoice.vendor.clone(),
        name: invoice.name.clone(),
        sha256: invoice.sha256.clone(),
        known,
        currency: invoice.currency.clone(),
        total: invoice.total.to_string(),
        lines: invoice.lines.len() as u64,
        from: Some(utc(invoice.from_ms)),
        to: Some(utc(invoice.to_ms)),
    }
}

/// RFC 3339, UTC.
pub fn utc(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
