//! What may be asked of the bill check: query strings, and bodies by their path. An unknown parameter is refused.

use schemars::JsonSchema;
use serde::Deserialize;

/// `PUT /v1/bills/contracts?check=…`, the body being the contract's text; `POST` means the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractUpload {
    /// True: say whether it would be taken, and keep nothing.
    pub check: Option<bool>,
}

/// `PUT /v1/bills/{templates,formats}/{name}?check=…`, the body being the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutUpload {
    /// True: say whether it would be taken, and keep nothing.
    pub check: Option<bool>,
}

/// `POST /v1/bills/logs?…`, the body being the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogUpload {
    /// Small letters, digits and hyphens.
    pub vendor: String,
    /// `cloudfront`, `akamai`, `tencent`, `aliyun`, `fastly`, `fastly-clf`, `nginx`, or the name of a mapping file in the bill check's folder `formats/`.
    pub format: String,
    /// The file's name as people know it.
    pub name: Option<String>,
    /// Domain of lines that name none; default: the only domain of the vendor's contracts.
    pub domain: Option<String>,
    /// Region of lines that name none.
    pub region: Option<String>,
}

/// `POST /v1/bills/invoices?…`, the body being the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceUpload {
    pub vendor: String,
    /// `focus`, or the name of a template in the bill check's folder `templates/`.
    pub template: String,
    pub name: Option<String>,
}

/// `GET /v1/bills/{logs,invoices}?…`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VendorQuery {
    /// Only this vendor's.
    pub vendor: Option<String>,
}

/// `GET /v1/bills/windows?…`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BillDayQuery {
    pub contract: String,
    /// A day of the contract's zone, `2026-10-01`.
    pub day: String,
    /// The period whose samples are ranked; default: the day's month.
    pub period: Option<String>,
}

/// `GET /v1/bills/sessions?…`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BillWindowQuery {
    pub contract: String,
    /// Start of a 5-minute window, RFC 3339.
    pub window: String,
}

/// `GET /v1/bills/lines?…`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLinesQuery {
    pub vendor: String,
    /// SHA-256 of the log, or its first 8 letters or more.
    pub sha256: String,
    /// First and last line, counted from 1, both inclusive. Without them: the bad lines that were kept.
    pub first: Option<u64>,
    pub last: Option<u64>,
}

/// `GET /v1/bills/{check,export,evidence,simulation}?…`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BillQuery {
    /// The contract's id; `id@2` for a version of one's choice, else the newest that is valid in the period. Of `export` in
    /// `xlsx`: several, parted by commas, for a workbook with a sheet per vendor.
    pub contract: String,
    /// A month of the contract's zone, `2026-10`; or `2026-10-01..2026-10-15`, both inclusive.
    pub period: String,
    /// SHA-256 of the invoice, or its first 8 letters; default: the newest of the vendor for the period, if any.
    pub invoice: Option<String>,
    /// Of `export`: `csv`, `xlsx`, `parquet`, `focus-1.4`, `focus-1.2`.
    pub format: Option<String>,
    /// Of `export`: `summary` (the default), `windows`, `sessions` or `users`: rows per 5 minutes, and session or user.
    pub detail: Option<String>,
}
