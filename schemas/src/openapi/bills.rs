//! The bill check's part of the published contract: its paths, what is asked and what is answered.

use super::paths::{answer, later, problem, shape};
use crate::bills::*;
use schemars::generate::SchemaGenerator;
use serde_json::{Value, json};

/// The query strings, in the order in which [`paths`] takes them.
pub fn asked(generator: &mut SchemaGenerator) -> [&'static str; 10] {
    generator.subschema_for::<ContractUpload>();
    generator.subschema_for::<LogUpload>();
    generator.subschema_for::<InvoiceUpload>();
    generator.subschema_for::<VendorQuery>();
    generator.subschema_for::<BillQuery>();
    generator.subschema_for::<BillDayQuery>();
    generator.subschema_for::<BillWindowQuery>();
    generator.subschema_for::<LogLinesQuery>();
    generator.subschema_for::<WhatIfQuery>();
    generator.subschema_for::<LayoutUpload>();
    [
        "ContractUpload",
        "LogUpload",
        "InvoiceUpload",
        "VendorQuery",
        "BillQuery",
        "BillDayQuery",
        "BillWindowQuery",
        "LogLinesQuery",
        "WhatIfQuery",
        "LayoutUpload",
    ]
}

pub fn answered(generator: &mut SchemaGenerator) {
    generator.subschema_for::<Contracts>();
    generator.subschema_for::<LogImports>();
    generator.subschema_for::<Invoices>();
    generator.subschema_for::<BillCheck>();
    generator.subschema_for::<BillWindows>();
    generator.subschema_for::<BillSessions>();
    generator.subschema_for::<LogLines>();
    generator.subschema_for::<Simulation>();
    generator.subschema_for::<WhatIf>();
    generator.subschema_for::<Layouts>();
}

pub fn paths(queries: &[Value; 10]) -> Value {
    let [contract, log, invoice, vendor, bill, day, window, lines, what_if, layout] = queries;
    // Only `export` knows formats and details.
    let bill_alone: Value =
        bill.as_array().into_iter().flatten().filter(|p| p["name"] != "format" && p["name"] != "detail").cloned().collect();
    let file = |kinds: &[&str]| -> Value {
        kinds
            .iter()
            .map(|kind| ((*kind).to_owned(), json!({ "schema": { "type": "string", "format": "binary" } })))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let text = json!({ "application/toml": { "schema": { "type": "string" } }, "text/plain": { "schema": { "type": "string" } } });
    let exports =
        file(&["text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.apache.parquet"]);
    json!({
        "/v1/bills/contracts": {
            "get": get("bill_contracts", "The contracts known, each version of its own.", &json!([]), shape("Contracts")),
            "put": put("put_bill_contract", "Keep a version of a contract. One that is kept is never overwritten by another text.", contract, text.clone(), shape("ContractSummary")),
            "post": put("post_bill_contract", "The same as PUT.", contract, text.clone(), shape("ContractSummary")),
        },
        "/v1/bills/logs": {
            "get": get("bill_logs", "The files of vendors' logs that were imported.", vendor, shape("LogImports")),
            "post": put("post_bill_log", "Import a vendor's log: plain, gzip or zstd. All of it or nothing; the same bytes change nothing.", log, file(&["application/octet-stream"]), shape("LogImport")),
        },
        "/v1/bills/invoices": {
            "get": get("bill_invoices", "The invoices that were imported.", vendor, shape("Invoices")),
            "post": put("post_bill_invoice", "Import an invoice: CSV or XLSX. All of it or nothing.", invoice, file(&["application/octet-stream"]), shape("InvoiceSummary")),
        },
        "/v1/bills/templates": { "get": get("bill_templates", "The templates of invoices that were kept.", &json!([]), shape("Layouts")) },
        "/v1/bills/templates/{name}": { "put": put("put_bill_template", "Keep a template of a vendor's invoices. What it replaces is told; invoices that were imported keep their lines.", &named(layout), text.clone(), shape("Layout")) },
        "/v1/bills/formats": { "get": get("bill_formats", "The mapping files of logs that were kept; the formats known by name are not among them.", &json!([]), shape("Layouts")) },
        "/v1/bills/formats/{name}": { "put": put("put_bill_format", "Keep a mapping file of a vendor's logs. What it replaces is told; logs that were imported stay as they were read.", &named(layout), text.clone(), shape("Layout")) },
        "/v1/bills/check": { "get": get("bill_check", "Client, log and invoice side by side, and why they differ.", &bill_alone, shape("BillCheck")) },
        "/v1/bills/windows": { "get": get("bill_windows", "The 5-minute series behind a day, with ranks.", day, shape("BillWindows")) },
        "/v1/bills/sessions": { "get": get("bill_sessions", "The sessions behind a 5-minute window.", window, shape("BillSessions")) },
        "/v1/bills/lines": { "get": get("bill_lines", "Lines of a vendor's log as they stand in the file; the bad ones with their reason.", lines, shape("LogLines")) },
        "/v1/bills/simulation": { "get": get("bill_simulation", "The same period under every mode, a forecast, and the free slots that are left.", &bill_alone, shape("Simulation")) },
        "/v1/bills/what-if": { "get": get("bill_what_if", "What the vendors would have billed, had the traffic been parted otherwise between them.", what_if, shape("WhatIf")) },
        "/v1/bills/export": { "get": get("bill_export", "The check as a file.", bill, exports) },
        "/v1/bills/evidence": { "get": get("bill_evidence", "All that the check stands on, as a ZIP that anybody can recompute.", &bill_alone, file(&["application/zip"])) },
    })
}

/// Parameters behind the name in the path.
fn named(parameters: &Value) -> Value {
    let name = json!({ "name": "name", "in": "path", "required": true, "description": "Letters, digits, - and _; as the text has it.", "schema": { "type": "string" } });
    std::iter::once(&name).chain(parameters.as_array().into_iter().flatten()).cloned().collect()
}

fn get(name: &str, summary: &str, parameters: &Value, content: Value) -> Value {
    json!({
        "operationId": format!("get_{name}"),
        "tags": ["query"],
        "summary": summary,
        "parameters": parameters,
        "responses": refusals(summary, content),
    })
}

fn put(id: &str, summary: &str, parameters: &Value, body: Value, content: Value) -> Value {
    let mut responses = refusals(summary, content);
    responses["408"] = later("The body broke off or paused too long; nothing was kept.");
    responses["409"] = problem("Another text is kept under this name.");
    responses["413"] = problem("The body is larger than the limit.");
    responses["422"] = problem("The paper cannot be taken: the field or line, and why. Nothing of it was kept.");
    responses["507"] = problem("The disk is full; nothing was kept.");
    json!({
        "operationId": id,
        "tags": ["query"],
        "summary": summary,
        "parameters": parameters,
        "requestBody": { "required": true, "content": body },
        "responses": responses,
    })
}

fn refusals(summary: &str, content: Value) -> Value {
    json!({
        "200": answer(summary, content),
        "400": problem("A parameter is wrong: its name, the value and what is accepted."),
        "403": problem("Host or Origin is not this service's own."),
        "404": problem("No such contract, log or invoice."),
        "413": problem("The answer would be larger than the limit."),
        "422": problem("The papers do not fit together: what, and why."),
        "429": later("Too much at once."),
        "503": later("It took longer than one check may, or the ledger or the folder cannot be read now."),
    })
}
