//! The bill check's shapes: what may be asked of `/v1/bills/…` and what is answered. Money and quantities are
//! decimals in text, never floats; bytes are exact integers. How they are worked out is `billing`'s affair.

mod asked;
mod whatif;

pub use asked::{
    BillDayQuery, BillQuery, BillWindowQuery, ContractUpload, InvoiceUpload, LayoutUpload, LogLinesQuery, LogUpload, VendorQuery,
};
pub use whatif::{WhatIf, WhatIfBill, WhatIfFigures, WhatIfQuery, WhatIfTotal};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /v1/bills/contracts`: the contracts known, each version of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contracts {
    pub contracts: Vec<ContractSummary>,
}

/// One version of one contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractSummary {
    pub id: String,
    pub version: u32,
    /// SHA-256 of the file's text, hex.
    pub sha256: String,
    pub vendor: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA zone in which the contract's days begin.
    pub tz: String,
    /// Billing mode, as `definitions` names it: `traffic`, `p95_month`, …
    pub mode: String,
    /// First and last day, `2026-01-31`; null: open.
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
    pub cdns: Vec<String>,
    pub domains: Vec<String>,
}

/// `GET /v1/bills/lines`: lines of a vendor's log as they stand in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLines {
    pub vendor: String,
    pub sha256: String,
    pub name: String,
    pub lines: Vec<LogLine>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// Counted from 1.
    pub line: u64,
    pub text: String,
    /// Why it was not counted; null of a good line.
    pub reason: Option<String>,
}

/// `POST /v1/bills/logs?vendor=…&format=…&name=…` and `GET /v1/bills/logs`: one file of a vendor's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogImport {
    pub vendor: String,
    pub format: String,
    pub name: String,
    /// SHA-256 of the file's bytes as given, hex.
    pub sha256: String,
    /// True when the same bytes had been imported before; nothing was changed then.
    pub known: bool,
    pub lines: u64,
    /// Lines whose request had been counted before.
    pub duplicate_lines: u64,
    pub bad_lines: u64,
    /// The first few bad lines.
    pub bad: Vec<BadLine>,
    pub bytes: u64,
    /// First and last time in the log, RFC 3339 UTC.
    pub from: Option<String>,
    pub to: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BadLine {
    /// Counted from 1.
    pub line: u64,
    pub reason: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogImports {
    pub imports: Vec<LogImport>,
}

/// `POST /v1/bills/invoices?vendor=…&template=…&name=…` and `GET /v1/bills/invoices`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvoiceSummary {
    pub vendor: String,
    pub name: String,
    pub sha256: String,
    pub known: bool,
    pub currency: String,
    pub total: String,
    pub lines: u64,
    pub from: Option<String>,
    pub to: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invoices {
    pub invoices: Vec<InvoiceSummary>,
}

/// `PUT /v1/bills/templates/{name}` and `PUT /v1/bills/formats/{name}`: how a vendor's papers are read, kept by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layout {
    pub name: String,
    /// SHA-256 of the text, hex.
    pub sha256: String,
    /// SHA-256 of the text that it took the place of; null: there was none, or the same.
    pub replaced_sha256: Option<String>,
}

/// `GET /v1/bills/templates` and `GET /v1/bills/formats`: those that were kept, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layouts {
    pub layouts: Vec<Layout>,
}

/// `GET /v1/bills/check`: client, log and invoice side by side, and why they differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillCheck {
    pub contract: ContractSummary,
    pub period: String,
    /// The part of the period within the contract's validity, RFC 3339 with the zone's offset.
    pub from: String,
    pub to: String,
    pub invoice: Option<InvoiceSummary>,
    /// `ok`, `within_tolerance`, `disputed`, or `incomplete` where a side is missing.
    pub verdict: String,
    /// Bytes from the client's count to the log's, step by step; adds up exactly.
    pub waterfall: Vec<WaterfallStep>,
    /// What is owed by our own arithmetic over each side that is there: `client`, `log`.
    pub bills: Vec<BillOf>,
    /// What was found, by name, with its evidence in words.
    pub causes: Vec<Cause>,
    pub lines: Vec<CheckLine>,
    pub days: Vec<CheckDay>,
    pub source: Source,
}

/// One step of the waterfall.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaterfallStep {
    /// `client`, `log_overhead`, `telemetry_loss`, `without_sdk`, `unexplained`, `without_sdk_or_unexplained`, `log`,
    /// `overhead`, `invoice_difference`, `invoice`.
    pub step: String,
    /// `total` for `client`, `log` and `invoice`, else `difference`.
    pub kind: String,
    /// Bytes; negative where the step takes away. Of an invoice without a quantity in bytes: null.
    pub bytes: Option<i64>,
    /// Of an estimate: its interval.
    pub low_bytes: Option<i64>,
    pub high_bytes: Option<i64>,
}

/// What one side's figures cost under the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillOf {
    /// `client` or `log`.
    pub side: String,
    pub quantity: String,
    pub unit: String,
    pub amount: String,
    pub currency: String,
    /// Of a percentile: samples, how many were dropped, the rank billed, and its window.
    pub samples: Option<u64>,
    pub dropped: Option<u64>,
    pub rank: Option<u64>,
    pub billed_window: Option<String>,
    /// How it was worked out, a sentence a step.
    pub steps: Vec<BillStep>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillStep {
    pub name: String,
    /// The formula in words and signs, with the figures that went in.
    pub formula: String,
    pub formula_zh: String,
    pub value: String,
}

/// A difference with a name: `wrong_unit`, `day_billed_twice`, `wrong_zone`, `overhead_twice`, `wrong_tier`, …
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    pub cause: String,
    /// Row of the invoice, from 1; null where it is of the whole. Of several, the first.
    pub invoice_row: Option<u64>,
    /// Every row that it rests on, or the first twenty.
    pub invoice_rows: Vec<u64>,
    /// How many there are beyond those.
    pub invoice_rows_more: u64,
    /// The day it is about, where it is about one.
    pub day: Option<String>,
    /// Money it accounts for.
    pub amount: String,
    /// Why it is named, in words, with the figures compared.
    pub evidence: String,
    pub evidence_zh: String,
}

/// One line of the bill: a scope of the contract beside the invoice's line for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckLine {
    pub item: String,
    pub domain: Option<String>,
    pub region: Option<String>,
    pub client_bytes: i64,
    pub log_bytes: Option<i64>,
    /// Row of the invoice, from 1; null: expected, but not invoiced. Of several compared as one, the first.
    pub invoice_row: Option<u64>,
    /// Every row that was compared as one, or the first twenty.
    pub invoice_rows: Vec<u64>,
    /// How many there are beyond those.
    pub invoice_rows_more: u64,
    pub invoice_quantity: Option<String>,
    pub expected_quantity: Option<String>,
    pub unit: Option<String>,
    pub invoice_amount: Option<String>,
    pub expected_amount: Option<String>,
    pub difference_amount: Option<String>,
    pub verdict: String,
}

/// One day of the contract's zone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckDay {
    pub day: String,
    pub client_bytes: i64,
    pub log_bytes: Option<i64>,
    pub overhead_bytes: Option<i64>,
    pub telemetry_loss_bytes: Option<i64>,
    pub without_sdk_bytes: Option<i64>,
    /// With `without_sdk` null: both in one figure.
    pub unexplained_bytes: Option<i64>,
    /// The day's highest 5-minute bandwidth, of the log where there is one, bit/s.
    pub peak_bandwidth_bps: i64,
    pub verdict: String,
}

/// `GET /v1/bills/windows?contract=…&day=2026-10-01`: the 5-minute series behind a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillWindows {
    pub day: String,
    pub windows: Vec<BillWindow>,
    pub source: Source,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillWindow {
    /// RFC 3339 with the zone's offset.
    pub start: String,
    pub client_bytes: i64,
    pub log_bytes: Option<i64>,
    /// Place among the period's samples, 1 the largest; null where the mode has no rank.
    pub rank: Option<u64>,
    /// `billed`, `dropped` or `counted`.
    pub role: String,
}

/// `GET /v1/bills/sessions?contract=…&window=…`: who is behind a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillSessions {
    pub window: String,
    pub sessions: Vec<BillSession>,
    pub truncated: bool,
    pub source: Source,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillSession {
    /// Empty: log lines of no session.
    pub session_id: String,
    pub cdn: Option<String>,
    pub client_bytes: i64,
    pub log_bytes: Option<i64>,
    /// Partition and offset of the first Kafka record behind it.
    pub record: Option<String>,
    /// File (first 8 letters of its SHA-256) and lines of the log, first to last.
    pub log_lines: Option<String>,
}

/// `GET /v1/bills/simulation`: the same month under every mode, what is to come, and what is left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Simulation {
    pub contract: ContractSummary,
    pub period: String,
    /// Every mode a price is known for, cheapest first.
    pub modes: Vec<ModeCost>,
    pub forecast: Option<Forecast>,
    pub burst: Option<BurstBudget>,
    pub source: Source,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModeCost {
    /// The contract that has the prices, and its mode.
    pub contract: String,
    pub mode: String,
    pub quantity: String,
    pub unit: String,
    pub amount: String,
    pub currency: String,
    pub cheapest: bool,
}

/// The 95th percentile at the period's end, from its windows so far. An estimate, and labelled so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// How it was made, in words.
    pub method: String,
    pub method_zh: String,
    pub p50_bps: i64,
    pub low_bps: i64,
    pub high_bps: i64,
    /// Share of outcomes between low and high, in percent.
    pub confidence_percent: u32,
}

/// How many of the period's free 5-minute slots are used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BurstBudget {
    /// Slots above it are bursts, bit/s of counted bytes.
    pub level_bps: i64,
    /// Whose level it is: `commit` (the contract's minimum), `last_month` (its percentile), or `so_far`.
    pub level: String,
    pub slots: u64,
    pub used: u64,
    pub left: u64,
    /// True when no more are left than the share of its own slots at which to tell someone (`bills.burst_alert_percent`).
    pub alert: bool,
}

/// What an answer was computed from: enough to ask for the same again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Version of the ledger's table; null when there is none yet.
    pub table_version: Option<i64>,
    /// Kafka offsets reached, `partition:offset`.
    pub offsets: Vec<String>,
    pub contract_sha256: String,
    pub invoice_sha256: Option<String>,
    pub log_sha256: Vec<String>,
}
