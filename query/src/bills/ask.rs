//! What is asked of a bill: a contract's name and a period in words → one version of the contract, a range of
//! instants within its validity, and the invoice beside it.

use super::contracts::Stored;
use super::refusals;
use super::{Bills, papers};
use crate::error::Error;
use crate::zone;
use livemeter_billing::{Contract, Period};
use livemeter_logs::invoice::Invoice;
use livemeter_schemas::bills::{ContractSummary, InvoiceSummary, Source};
use std::collections::BTreeSet;

/// Resolved.
#[derive(Debug, Clone)]
pub struct Ask {
    pub stored: Stored,
    /// As it was asked for.
    pub text: String,
    /// The part within the contract's validity.
    pub period: Period,
    pub from_ms: i64,
    /// Exclusive.
    pub to_ms: i64,
    /// Regions that the contract is limited to; none: all.
    regions: Vec<String>,
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

    pub fn regions(&self) -> &[String] {
        &self.regions
    }

    pub fn contract(&self) -> &Contract {
        &self.stored.contract
    }

    pub fn invoice_summary(&self) -> Option<InvoiceSummary> {
        self.invoice.as_ref().map(|invoice| papers::invoice_summary(invoice, true))
    }

    /// An instant as the contract's clocks show it.
    pub fn label(&self, at_ms: i64) -> String {
        zone::label(self.period.zone(), at_ms)
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
        let versions = self.contracts.versions(contract)?;
        let refused = |error: livemeter_billing::PeriodError| Error::parameter("period", error.to_string());
        let text = one_day(period);
        let mut reason = None;
        for stored in versions.into_iter().rev() {
            match stored.contract.period(&text) {
                Ok(period_within) => return self.resolved(stored, period, period_within, invoice),
                Err(error) => reason = reason.or(Some(error)),
            }
        }
        // The newest version's reason; another period may fit.
        Err(reason.map_or_else(|| Error::parameter("contract", "no version of the contract"), refused))
    }

    /// A contract over the days of another, as if its own began and ended with them: its newest version that is valid
    /// then, else the newest. True: its zone or its validity is another.
    pub fn ask_as_if(&self, contract: &str, like: &Ask) -> Result<(Ask, bool), Error> {
        let versions = self.contracts.versions(contract)?;
        let valid = |stored: &&Stored| stored.contract.period(&one_day(&like.text)).is_ok_and(|own| own == like.period);
        let own = versions.iter().rev().find(valid);
        let as_if = own.is_none();
        let newest = own.or(versions.last()).cloned();
        let mut stored = newest.ok_or_else(|| Error::parameter("contracts", "no version of the contract"))?;
        let period = like.period.clone();
        (stored.contract.zone, stored.contract.valid_from, stored.contract.valid_to) = (period.zone(), period.from(), None);
        let regions = regions(&stored);
        let (from_ms, to_ms) = (like.from_ms, like.to_ms);
        Ok((Ask { stored, text: like.text.clone(), period, from_ms, to_ms, regions, invoice: None }, as_if))
    }

    fn resolved(&self, stored: Stored, text: &str, period: Period, invoice: Option<&str>) -> Result<Ask, Error> {
        let (from_ms, to_ms) = (period.start_ms(), period.end_ms());
        let invoice = self.invoice_of(&stored.summary.vendor, invoice, from_ms, to_ms)?;
        let regions = regions(&stored);
        Ok(Ask { stored, text: text.to_owned(), period, from_ms, to_ms, regions, invoice })
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

/// The regions that a contract is limited to: one scope without a region takes them all.
fn regions(stored: &Stored) -> Vec<String> {
    let scopes = &stored.contract.scopes;
    if scopes.iter().any(|scope| scope.region.is_none()) {
        return Vec::new();
    }
    let all: BTreeSet<String> = scopes.iter().filter_map(|scope| scope.region.clone()).collect();
    all.into_iter().collect()
}

/// One day is a range of one.
fn one_day(text: &str) -> String {
    if text.len() == 10 && !text.contains("..") { format!("{text}..{text}") } else { text.to_owned() }
}
