//! `livemeter bill contract …` and `bill invoice …`: papers on the bill check's folder.

use super::{bills, failure, now_ms, or_dash, print, print_json, short, table, text};
use crate::cli::Failure;
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_schemas::bills::{ContractSummary, InvoiceSummary, InvoiceUpload};
use std::path::Path;

/// `contract check` and `contract add`.
pub fn contract(settings: &Settings, given: &ArgMatches, check: bool) -> Result<(), Failure> {
    let file = text(given, "file").unwrap_or_default();
    let content = std::fs::read_to_string(&file).map_err(|e| Failure::usage(format!("{file}: {e}")))?;
    let summary = bills(settings).contracts.add(&content, check).map_err(failure)?;
    if given.get_flag("json") {
        return print_json(&summary);
    }
    let done = if check { "sound" } else { "kept" };
    print(&format!("{done}: contract {} version {}, {} with {}", summary.id, summary.version, summary.mode, summary.vendor));
    Ok(())
}

pub fn invoice(settings: &Settings, given: &ArgMatches) -> Result<(), Failure> {
    let file = text(given, "file").unwrap_or_default();
    let path = Path::new(&file);
    let asked = InvoiceUpload {
        vendor: text(given, "vendor").unwrap_or_default(),
        template: text(given, "template").unwrap_or_default(),
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()),
    };
    let invoice = bills(settings).import_invoice(&asked, path, now_ms()).map_err(failure)?;
    if given.get_flag("json") {
        return print_json(&invoice);
    }
    print(&invoices(&[invoice]));
    Ok(())
}

/// `contract list` and `invoice list`: only invoices are listed by vendor.
pub fn list(settings: &Settings, given: &ArgMatches) -> Result<(), Failure> {
    let json = given.get_flag("json");
    if given.try_contains_id("vendor").is_err() {
        let listed = bills(settings).contracts.list().map_err(failure)?;
        if json {
            return print_json(&listed);
        }
        print(&contracts(&listed.contracts));
        return Ok(());
    }
    let listed = bills(settings).invoice_list(text(given, "vendor").as_deref()).map_err(failure)?;
    if json {
        return print_json(&listed);
    }
    print(&invoices(&listed.invoices));
    Ok(())
}

fn contracts(contracts: &[ContractSummary]) -> String {
    let mut table = table(&["contract", "version", "vendor", "mode", "currency", "zone", "from", "to", "CDNs", "domains", "sha256"], 99);
    for c in contracts {
        table.add_row([
            c.id.clone(),
            c.version.to_string(),
            c.vendor.clone(),
            c.mode.clone(),
            c.currency.clone(),
            c.tz.clone(),
            or_dash(c.valid_from.clone()),
            or_dash(c.valid_to.clone()),
            c.cdns.join(" "),
            c.domains.join(" "),
            short(&c.sha256),
        ]);
    }
    format!("{table}\n{} versions", contracts.len())
}

fn invoices(invoices: &[InvoiceSummary]) -> String {
    let mut table = table(&["vendor", "file", "sha256", "from", "to", "known", "lines", "total", "currency"], 6);
    for i in invoices {
        let known = if i.known { "yes" } else { "no" }.to_owned();
        let (from, to) = (or_dash(i.from.clone()), or_dash(i.to.clone()));
        table.add_row([
            i.vendor.clone(),
            i.name.clone(),
            short(&i.sha256),
            from,
            to,
            known,
            i.lines.to_string(),
            i.total.clone(),
            i.currency.clone(),
        ]);
    }
    format!("{table}\n{} invoices", invoices.len())
}
