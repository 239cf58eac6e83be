//! Price lists: tiers from zero upward, each beginning where the one before ends. How a quantity is priced by
//! them is [`crate::bill::price`]'s affair.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A price from one quantity up to another, in the contract's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tier {
    pub from: Decimal,
    /// None: without end. The last tier alone.
    pub up_to: Option<Decimal>,
    /// Money per unit.
    pub price: Decimal,
}

/// What a quantity beyond the first tier costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TiersApply {
    /// Each slice at its own tier's price (累进; Baidu's worked example: CDN-ABROAD/s/fkbyrpxb4-en).
    Progressive,
    /// The tier that is reached prices everything (阶梯到达; Huawei's worked examples: price-cdn/cdn_01_0159).
    Reached,
}

/// Whose a quantity is that lies on the boundary of two tiers. Only where the reached tier prices everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtBoundary {
    /// "0–10 TB (inclusive)", as Baidu's list says.
    #[default]
    LowerTier,
    UpperTier,
}

/// A contract's prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tariff {
    pub apply: TiersApply,
    pub at_boundary: AtBoundary,
    /// By region; under `None` those for all regions without a list of their own. Each is not empty.
    pub tiers: BTreeMap<Option<String>, Vec<Tier>>,
}

impl Tariff {
    /// The list for a region; none when the contract has no price for it.
    pub fn of(&self, region: Option<&str>) -> Option<&[Tier]> {
        let own = region.and_then(|region| self.tiers.get(&Some(region.to_owned())));
        own.or_else(|| self.tiers.get(&None)).map(Vec::as_slice)
    }
}
