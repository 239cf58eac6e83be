//! What is asked of a bill: a contract's name and a period in words → one version of the contract, a range of
//! instants within its validity, and the invoice beside it.

use super::contracts::Stored;
use super::refusals;
use super::{Bills, papers};
use crate::error::Error;
use crate::zone::{self, Step};
use chrono::{Days, Months, NaiveDate};
use chrono_tz::Tz;
use livemeter_logs::invoice::Invoice;
use livemeter_schemas::bills::{ContractSummary, InvoiceSummary, Source};

/// Resolved.
#[derive(Debug, Clone)]
pub struct Ask {
    pub stored: Stored,
    pub tz: Tz,
    /// As it was asked for.
    pub period: String,
    /// First and last day asked for, whatever the contract's validity.
    pub days: (NaiveDate, NaiveDate),
    /// The part within the contract's validity; the end exclusive.
    pub from_ms: i64,
    pub to_ms: i64,
    /// Start of each day within, ascending.
    pub day_starts_ms: Vec<i64>,
    pub invoice: Option<Invoice>,
}

impl Ask {
    pub fn summary(&self) -> &ContractSummary {
        &self.stored.summary
    }

    pub fn cdns(&self) -> &[String] {
        &self.stored.summary.cdns
    }

    pub fn domains(&self) -> &[String] {
        &self.stored.summary.domains
    }

    /// Regions that the contract is limited to; none: all.
    pub fn regions(&self) -> &[String] {
        self.stored.contract.regions()
    }

    pub fn invoice_summary(&self) -> Option<InvoiceSummary> {
        self.invoice.as_ref().map(|invoice| papers::invoice_summary(invoice, true))
    }

    /// An instant as the contract's clocks show it.
    pub fn label(&self, at_ms: i64) -> String {
        zone::label(self.tz, at_ms)
    }

    /// The day that holds an instant, `2026-10-01`.
    pub fn day(&self, at_ms: i64) -> String {
        self.label(at_ms).chars().take(10).collect()
    }

    /// What an answer stands on.
    pub fn source(&self, client: &super::client::Client, log_sha256: Vec<String>) -> Source {
        Source {
            table_version: client.table_version,
            offsets: client.offsets_told(),
            contract_sha256: self.summary().sha256.clone(),
            invoice_sha256: self.invoice.as_ref().map(|invoice| invoice.sha256.clone()),
            log_sha256,
        }
    }
}

impl Bills {
    /// The contract's newest version that is valid in the period, and the invoice asked for or the newest one.
    pub fn ask(&self, contract: &str, period: &str, invoice: Option<&str>) -> Result<Ask, Error> {
        let days = days(period)?;
        let versions = self.contracts.versions(contract)?;
        let stored = versions.iter().rev().find(|stored| valid_days(stored, days).is_some()).cloned();
        let Some(stored) = stored else {
            let valid = versions.iter().map(|s| {
                let open = |day: &Option<String>| day.clone().unwrap_or_else(|| "…".into());
                format!("version {}: {} to {}", s.summary.version, open(&s.summary.valid_from), open(&s.summary.valid_to))
            });
            let valid = valid.collect::<Vec<_>>().join("; ");
            return Err(Error::parameter("period", format!("contract {contract} is not valid in {period} ({valid})")));
        };
        let (first, last) = valid_days(&stored, days).unwrap_or(days);
        let tz = zone::parse(&stored.summary.tz)?;
        let start = |day: NaiveDate| zone::instant_ms(tz, "period", &day.to_string());
        let end = last.checked_add_days(Days::new(1)).ok_or_else(|| Error::parameter("period", "period ends after all time"))?;
        let (from_ms, to_ms) = (start(first)?, start(end)?);
        let invoice = self.invoice_of(&stored.summary.vendor, invoice, from_ms, to_ms)?;
        let day_starts_ms = zone::starts_ms(tz, Step::Day, from_ms, to_ms);
        Ok(Ask { stored, tz, period: period.to_owned(), days, from_ms, to_ms, day_starts_ms, invoice })
    }

    fn invoice_of(&self, vendor: &str, sha256: Option<&str>, from_ms: i64, to_ms: i64) -> Result<Option<Invoice>, Error> {
        if let Some(sha256) = sha256 {
            return self.invoices.find(vendor, sha256).map(Some).map_err(|error| match refusals::store(error) {
                Error::Unknown { reason, .. } => Error::Unknown { field: "invoice", reason },
                other => other,
            });
        }
        let overlaps = |invoice: &Invoice| invoice.from_ms < to_ms && invoice.to_ms > from_ms;
        let invoices = self.invoices.invoices(Some(vendor)).map_err(refusals::store)?;
        Ok(invoices.into_iter().filter(overlaps).max_by_key(|invoice| (invoice.imported_at_ms, invoice.sha256.clone())))
    }
}

/// `2026-10`, or `2026-10-01..2026-10-15`, both inclusive; or one day.
pub fn days(period: &str) -> Result<(NaiveDate, NaiveDate), Error> {
    let wrong = |why: &str| {
        Error::parameter("period", format!("period {period:?} {why}; accepted are a month (2026-10), a day, and days (2026-10-01..2026-10-15)"))
    };
    let day = |text: &str| text.parse::<NaiveDate>().map_err(|_| wrong("is no period"));
    if let Some((first, last)) = period.split_once("..") {
        let (first, last) = (day(first)?, day(last)?);
        return if first <= last { Ok((first, last)) } else { Err(wrong("ends before it begins")) };
    }
    if let Ok(first) = format!("{period}-01").parse::<NaiveDate>() {
        let next = first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt());
        return next.map(|last| (first, last)).ok_or_else(|| wrong("is after all time"));
    }
    day(period).map(|day| (day, day))
}

/// The part of the days within the contract's validity.
fn valid_days(stored: &Stored, (first, last): (NaiveDate, NaiveDate)) -> Option<(NaiveDate, NaiveDate)> {
    let day = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<NaiveDate>().ok());
    let first = day(&stored.summary.valid_from).map_or(first, |from| first.max(from));
    let last = day(&stored.summary.valid_to).map_or(last, |to| last.min(to));
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_month_or_days() {
        let told = |period: &str| days(period).map(|(a, b)| format!("{a} {b}")).map_err(|e| e.to_string());
        assert_eq!(told("2026-02").unwrap(), "2026-02-01 2026-02-28");
        assert_eq!(told("2028-02").unwrap(), "2028-02-01 2028-02-29");
        assert_eq!(told("2026-12").unwrap(), "2026-12-01 2026-12-31");
        assert_eq!(told("2026-10-03..2026-10-15").unwrap(), "2026-10-03 2026-10-15");
        assert_eq!(told("2026-10-03").unwrap(), "2026-10-03 2026-10-03");
        for wrong in ["", "2026", "2026-13", "2026-02-30", "2026-10-05..2026-10-01", "october"] {
            assert!(told(wrong).unwrap_err().contains("2026-10-01..2026-10-15"), "{wrong}");
        }
    }
}
