//! The shapes of the two reports, of the definitions and of the status: what may be asked and what is answered.

use crate::METRICS_VERSION;
use crate::metrics::{self, Metric};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What rows a report is broken down by. Several may be given, comma-separated, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Cdn,
    Programme,
    User,
    Time,
}

/// `GET /v1/reports/{traffic,quality}?…`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// `cdn`, `programme`, `user`, `time`; comma-separated. Default `cdn`.
    /// Present but empty: one row of totals (views cannot be summed over CDNs).
    pub by: Option<String>,
    /// Start, inclusive: RFC 3339, or a local date or date and time in `tz`. Default: 24 h before `to`.
    pub from: Option<String>,
    /// End, exclusive. Default: now.
    pub to: Option<String>,
    /// IANA time zone in which dates are read and time buckets begin. Default `UTC`.
    pub tz: Option<String>,
    /// Width of a time bucket: `5m`, `1h` or `1d` (a day of `tz`). Default `1h`. Only with `by=time`.
    pub step: Option<String>,
    pub app: Option<String>,
    pub cdn: Option<String>,
    pub programme: Option<String>,
    pub user: Option<String>,
    /// `json` (default) or `csv`.
    pub format: Option<String>,
    /// Most rows answered; default 10,000.
    pub limit: Option<u32>,
}

/// The keys of a row: only those asked for by `by` are present.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keys {
    /// Start of the time bucket, RFC 3339 with the offset of `tz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cdn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Traffic of one row. Sums are exact 64-bit integers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficRow {
    #[serde(flatten)]
    pub keys: Keys,
    pub bytes: i64,
    pub aborted_bytes: i64,
    pub sessions: i64,
    /// Highest 5-minute bandwidth within the row: bytes × 8 ÷ 300 s, rounded down.
    pub peak_bandwidth_bps: i64,
}

/// Quality of one row. Ratios are null when nothing was played.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityRow {
    #[serde(flatten)]
    pub keys: Keys,
    pub play_ms: i64,
    pub stall_ms: i64,
    pub stalls: i64,
    pub views: i64,
    pub stall_ratio: Option<f64>,
    pub stalls_per_100s: Option<f64>,
    pub stall_ms_per_100s: Option<f64>,
    pub stalled_views_ratio: Option<f64>,
    pub startup_p50_ms: Option<f64>,
    pub startup_p95_ms: Option<f64>,
}

/// A report, with what is needed to ask for exactly the same again.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "{Row}Report")]
pub struct Report<Row> {
    pub app: Option<String>,
    pub from: String,
    pub to: String,
    pub tz: String,
    /// Version of the Delta table that was read; null when it does not exist yet.
    pub table_version: Option<i64>,
    /// True when more rows existed than `limit`.
    pub truncated: bool,
    pub definitions: Vec<Metric>,
    pub rows: Vec<Row>,
}

/// `GET /v1/definitions`: every metric a report or the bill check may show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Definitions {
    /// Version of the definitions as a whole.
    pub version: u32,
    pub metrics: Vec<Metric>,
}

impl Definitions {
    /// As they are now.
    pub fn published() -> Definitions {
        Definitions { version: METRICS_VERSION, metrics: metrics::all().copied().collect() }
    }
}

/// `GET /v1/status`: what the ledger holds now, and how fresh it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The query service's clock, RFC 3339 UTC: freshness is `now` − `newest_received_at`.
    pub now: String,
    /// When ingest received the newest row of the ledger, RFC 3339 UTC; null when there is none.
    pub newest_received_at: Option<String>,
    /// Apps and CDNs seen lately, sorted: the choices of a filter.
    pub apps: Vec<String>,
    pub cdns: Vec<String>,
    pub tables: Vec<TableStatus>,
}

/// One table of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableStatus {
    /// `increments`, `events`, or the name of a table made from those.
    pub name: String,
    /// The newest version of the Delta table; null when it does not exist yet.
    pub version: Option<i64>,
    /// When that version was committed, RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<String>,
    /// Rows it holds.
    #[serde(default)]
    pub rows: u64,
    /// Of a derived table: the versions of `increments` and `events` that it reflects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reflects: Option<BTreeMap<String, i64>>,
}
