// The bill check's shapes, exactly as schemas/src/bills.rs has them; to be aliases of the generated ones.
// Money and quantities are decimals in text; bytes are exact integers.

/** `GET /v1/bills/contracts`: the contracts known, each version of its own. */
export interface Contracts {
  contracts: ContractSummary[];
}

/** One version of one contract. */
export interface ContractSummary {
  id: string;
  version: number;
  /** SHA-256 of the file's text, hex. */
  sha256: string;
  vendor: string;
  /** ISO 4217. */
  currency: string;
  /** IANA zone in which the contract's days begin. */
  tz: string;
  /** Billing mode, as `definitions` names it: `traffic`, `p95_month`, … */
  mode: string;
  /** First and last day, `2026-01-31`; null: open. */
  valid_from?: string | null;
  valid_to?: string | null;
  cdns: string[];
  domains: string[];
}

/** `POST /v1/bills/logs?vendor=…&format=…&name=…` and `GET /v1/bills/logs`: one file of a vendor's log. */
export interface LogImport {
  vendor: string;
  format: string;
  name: string;
  /** SHA-256 of the file's bytes as given, hex. */
  sha256: string;
  /** True when the same bytes had been imported before; nothing was changed then. */
  known: boolean;
  lines: number;
  /** Lines whose request had been counted before. */
  duplicate_lines: number;
  bad_lines: number;
  /** The first few bad lines. */
  bad: BadLine[];
  bytes: number;
  /** First and last time in the log, RFC 3339 UTC. */
  from?: string | null;
  to?: string | null;
}

export interface BadLine {
  /** Counted from 1. */
  line: number;
  reason: string;
}

export interface LogImports {
  imports: LogImport[];
}

/** `GET /v1/bills/lines`: lines of a vendor's log as they stand in the file. */
export interface LogLines {
  vendor: string;
  sha256: string;
  name: string;
  lines: LogLine[];
}

export interface LogLine {
  /** Counted from 1. */
  line: number;
  text: string;
  /** Why it was not counted; null of a good line. */
  reason?: string | null;
}

/** `POST /v1/bills/invoices?vendor=…&template=…&name=…` and `GET /v1/bills/invoices`. */
export interface InvoiceSummary {
  vendor: string;
  name: string;
  sha256: string;
  known: boolean;
  currency: string;
  total: string;
  lines: number;
  from?: string | null;
  to?: string | null;
}

export interface Invoices {
  invoices: InvoiceSummary[];
}

/** `GET /v1/bills/check`: client, log and invoice side by side, and why they differ. */
export interface BillCheck {
  contract: ContractSummary;
  period: string;
  /** The part of the period within the contract's validity, RFC 3339 with the zone's offset. */
  from: string;
  to: string;
  invoice?: InvoiceSummary | null;
  /** `ok`, `within_tolerance`, `disputed`, or `incomplete` where a side is missing. */
  verdict: string;
  /** Bytes from the client's count to the log's, step by step; adds up exactly. */
  waterfall: WaterfallStep[];
  /** What is owed by our own arithmetic over each side that is there: `client`, `log`. */
  bills: BillOf[];
  /** What was found, by name, with its evidence in words. */
  causes: Cause[];
  lines: CheckLine[];
  days: CheckDay[];
  source: Source;
}

/** One step of the waterfall. */
export interface WaterfallStep {
  /** `client`, `overhead`, `telemetry_loss`, `without_sdk`, `unexplained`, `without_sdk_or_unexplained`, `log`, `invoice`. */
  step: string;
  /** `total` for `client`, `log` and `invoice`, else `difference`. */
  kind: string;
  /** Bytes; negative where the step takes away. Of an invoice without a quantity in bytes: null. */
  bytes?: number | null;
  /** Of an estimate: its interval. */
  low_bytes?: number | null;
  high_bytes?: number | null;
}

/** What one side's figures cost under the contract. */
export interface BillOf {
  /** `client` or `log`. */
  side: string;
  quantity: string;
  unit: string;
  amount: string;
  currency: string;
  /** Of a percentile: samples, how many were dropped, the rank billed, and its window. */
  samples?: number | null;
  dropped?: number | null;
  rank?: number | null;
  billed_window?: string | null;
  /** How it was worked out, a sentence a step. */
  steps: BillStep[];
}

export interface BillStep {
  name: string;
  /** The formula in words and signs. */
  formula: string;
  value: string;
}

/** A difference with a name: `wrong_unit`, `day_billed_twice`, `wrong_zone`, `overhead_twice`, `wrong_tier`, … */
export interface Cause {
  cause: string;
  /** Row of the invoice, from 1; null where it is of the whole. */
  invoice_row?: number | null;
  /** The day it is about, where it is about one. */
  day?: string | null;
  /** Money it accounts for. */
  amount: string;
  /** Why it is named, in words, with the figures compared. */
  evidence: string;
}

/** One line of the bill: a scope of the contract beside the invoice's line for it. */
export interface CheckLine {
  item: string;
  domain?: string | null;
  region?: string | null;
  client_bytes: number;
  log_bytes?: number | null;
  invoice_row?: number | null;
  invoice_quantity?: string | null;
  expected_quantity?: string | null;
  unit?: string | null;
  invoice_amount?: string | null;
  expected_amount?: string | null;
  difference_amount?: string | null;
  verdict: string;
}

/** One day of the contract's zone. */
export interface CheckDay {
  day: string;
  client_bytes: number;
  log_bytes?: number | null;
  overhead_bytes?: number | null;
  telemetry_loss_bytes?: number | null;
  without_sdk_bytes?: number | null;
  /** With `without_sdk` null: both in one figure. */
  unexplained_bytes?: number | null;
  /** The day's highest 5-minute bandwidth, of the log where there is one, bit/s. */
  peak_bandwidth_bps: number;
  verdict: string;
}

/** `GET /v1/bills/windows?contract=…&day=2026-10-01`: the 5-minute series behind a day. */
export interface BillWindows {
  day: string;
  windows: BillWindow[];
  source: Source;
}

export interface BillWindow {
  /** RFC 3339 with the zone's offset. */
  start: string;
  client_bytes: number;
  log_bytes?: number | null;
  /** Place among the period's samples, 1 the largest; null where the mode has no rank. */
  rank?: number | null;
  /** `billed`, `dropped` or `counted`. */
  role: string;
}

/** `GET /v1/bills/sessions?contract=…&window=…`: who is behind a window. */
export interface BillSessions {
  window: string;
  sessions: BillSession[];
  truncated: boolean;
  source: Source;
}

export interface BillSession {
  /** Empty: log lines of no session. */
  session_id: string;
  cdn?: string | null;
  client_bytes: number;
  log_bytes?: number | null;
  /** Partition and offset of the first Kafka record behind it. */
  record?: string | null;
  /** File (first 8 letters of its SHA-256) and lines of the log, first to last. */
  log_lines?: string | null;
}

/** `GET /v1/bills/simulation`: the same month under every mode, what is to come, and what is left. */
export interface Simulation {
  contract: ContractSummary;
  period: string;
  /** Every mode a price is known for, cheapest first. */
  modes: ModeCost[];
  forecast?: Forecast | null;
  burst?: BurstBudget | null;
  source: Source;
}

export interface ModeCost {
  /** The contract that has the prices, and its mode. */
  contract: string;
  mode: string;
  quantity: string;
  unit: string;
  amount: string;
  currency: string;
  cheapest: boolean;
}

/** The 95th percentile at the period's end, from its windows so far. An estimate, and labelled so. */
export interface Forecast {
  method: string;
  p50_bps: number;
  low_bps: number;
  high_bps: number;
  /** Share of outcomes between low and high, in percent. */
  confidence_percent: number;
}

/** How many of the period's free 5-minute slots are used. */
export interface BurstBudget {
  /** Slots above it are bursts, bit/s. */
  level_bps: number;
  slots: number;
  used: number;
  left: number;
  /** True when fewer are left than the contract's share for an alert. */
  alert: boolean;
}

/** What an answer was computed from: enough to ask for the same again. */
export interface Source {
  /** Version of the ledger's table; null when there is none yet. */
  table_version?: number | null;
  /** Kafka offsets reached, `partition:offset`. */
  offsets: string[];
  contract_sha256: string;
  invoice_sha256?: string | null;
  log_sha256: string[];
}
