//! What-if: the traffic parted otherwise between contracts, as it is asked and answered.

use super::{ContractSummary, Source};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /v1/bills/what-if?…`: either `shares`, or `from`, `to` and `percent`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfQuery {
    /// The contracts, parted by commas: `acme-live,bolt-live`. The days are those of the first.
    pub contracts: String,
    /// A month of the first contract's zone, `2026-10`; or `2026-10-01..2026-10-15`, both inclusive.
    pub period: String,
    /// Each contract's share of all bytes, in percent and in their order: `62.5,37.5`. They add up to 100.
    pub shares: Option<String>,
    /// The contract that bytes are taken from.
    pub from: Option<String>,
    /// The contract that they go to.
    pub to: Option<String>,
    /// How much of each 5-minute window of `from` goes, in percent with at most two decimals.
    pub percent: Option<String>,
}

/// The bills of another allocation beside those of the one that was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhatIf {
    pub period: String,
    /// RFC 3339 with the zone's offset.
    pub from: String,
    pub to: String,
    /// Whose count: `log` where each contract has logs that count alike, else `client`.
    pub side: String,
    /// Bytes that left the contract they had been under.
    pub moved_bytes: i64,
    pub contracts: Vec<WhatIfBill>,
    /// The sum; null where the contracts' currencies differ.
    pub total: Option<WhatIfTotal>,
}

/// One contract's bill before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhatIfBill {
    pub contract: ContractSummary,
    /// True where it was billed as if it had the first contract's days: its zone or its validity is another.
    pub as_if: bool,
    pub before: WhatIfFigures,
    pub after: WhatIfFigures,
    /// After less before.
    pub difference_amount: String,
    pub source: Source,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhatIfFigures {
    pub bytes: i64,
    /// Of all bytes, in percent with two decimals; null where there are none.
    pub share_percent: Option<String>,
    pub quantity: String,
    pub unit: String,
    pub amount: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhatIfTotal {
    pub before_amount: String,
    pub after_amount: String,
    /// After less before: negative is saved.
    pub difference_amount: String,
    pub currency: String,
}
