//! The shapes of `POST /v1/sql`: a SELECT over the ledger, and its answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A question: `application/json`. The tables are `increments` and `events`, and those made from them:
/// `traffic_5m`, `usage_daily`, `sessions`, `stalls`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// One SELECT (or WITH … SELECT).
    pub sql: String,
    /// `json` (default) or `csv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Most rows answered; at most, and by default, the service's own limit (10,000 as JSON).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    pub name: String,
    /// The Arrow type's name, such as `Int64` or `Utf8`.
    #[serde(rename = "type")]
    pub data_type: String,
}

/// The answer as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SqlAnswer {
    pub columns: Vec<Column>,
    /// Row by row, each value in the order of `columns`. Integers are exact; times are RFC 3339 UTC.
    pub rows: Vec<Vec<Value>>,
    pub row_count: u64,
    /// True when more rows existed than are answered.
    pub truncated: bool,
    /// The version of each table that was read: asking the same of the same versions gives the same answer.
    pub table_versions: BTreeMap<String, i64>,
    pub elapsed_ms: u64,
}
