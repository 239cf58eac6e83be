//! A contract's file as written: names and types of its fields, and where in the text each stands. Whether it
//! makes sense is [`super::check`]'s affair. Amounts are decimals in quotes or whole numbers: a float is refused.

use super::tariff::{AtBoundary, TiersApply};
use super::{DropRounding, Mode, RoundPer, SumOver};
use crate::exact::Rounding;
use rust_decimal::Decimal;
use serde::Deserialize as Derive;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::fmt;
use std::str::FromStr;
use toml::Spanned;

#[derive(Debug, Derive)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub id: Spanned<String>,
    pub version: Spanned<u32>,
    pub vendor: Spanned<String>,
    pub currency: Spanned<String>,
    pub zone: Spanned<String>,
    pub valid_from: Spanned<String>,
    pub valid_to: Option<Spanned<String>>,
    pub scopes: Spanned<Vec<ScopeText>>,
    pub mode: Spanned<Mode>,
    #[serde(default)]
    pub sum_over: Option<Spanned<SumOver>>,
    pub unit: Spanned<String>,
    /// Of Mbps and Gbps: 1000 or 1024.
    pub bandwidth_base: Option<Spanned<u32>>,
    pub overhead: Option<Spanned<Number>>,
    pub log_overhead: Option<Spanned<Number>>,
    pub tiers_apply: Spanned<TiersApply>,
    #[serde(default)]
    pub at_boundary: AtBoundary,
    pub tiers: Spanned<Vec<TierText>>,
    #[serde(default)]
    pub percentile: PercentileText,
    pub commit: Option<Spanned<CommitText>>,
    pub free: Option<Spanned<FreeText>>,
    #[serde(default)]
    pub money: MoneyText,
    #[serde(default)]
    pub tolerance: ToleranceText,
}

#[derive(Debug, Derive)]
#[serde(deny_unknown_fields)]
pub struct ScopeText {
    pub cdn: Spanned<String>,
    pub domain: Option<Spanned<String>>,
    pub region: Option<Spanned<String>>,
}

#[derive(Debug, Derive)]
#[serde(deny_unknown_fields)]
pub struct TierText {
    pub region: Option<Spanned<String>>,
    pub from: Spanned<Number>,
    pub up_to: Option<Spanned<Number>>,
    pub price: Spanned<Number>,
}

#[derive(Debug, Default, Derive)]
#[serde(deny_unknown_fields, default)]
pub struct PercentileText {
    pub rounding: DropRounding,
    pub valid_days_only: bool,
    pub prorate: bool,
}

#[derive(Debug, Derive)]
#[serde(deny_unknown_fields)]
pub struct CommitText {
    pub quantity: Spanned<Number>,
    pub overage_price: Option<Spanned<Number>>,
    #[serde(default)]
    pub prorate: bool,
}

#[derive(Debug, Derive)]
#[serde(deny_unknown_fields)]
pub struct FreeText {
    pub quantity: Spanned<Number>,
    #[serde(default)]
    pub fills_tiers: Option<Spanned<bool>>,
    #[serde(default)]
    pub prorate: bool,
}

#[derive(Debug, Default, Derive)]
#[serde(deny_unknown_fields, default)]
pub struct MoneyText {
    pub rounding: Rounding,
    pub per: RoundPer,
    pub decimals: Option<Spanned<u32>>,
    pub quantity_decimals: Option<Spanned<u32>>,
}

#[derive(Debug, Default, Derive)]
#[serde(deny_unknown_fields, default)]
pub struct ToleranceText {
    pub share: Option<Spanned<Number>>,
    pub absolute: Option<Spanned<Number>>,
}

/// `"0.085"` or `12`, never `0.085`: that is a float before anyone can look at it.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a decimal in quotes, such as \"0.085\", or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        // Digits and one point: `from_str` would take `1_000` and round what has too many digits.
        let plain = text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value = if plain { Decimal::from_str_exact(text).ok() } else { None };
        value.map(Number).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number(Decimal::from(value)))
    }
}

impl FromStr for Text {
    type Err = toml::de::Error;

    fn from_str(text: &str) -> Result<Text, toml::de::Error> {
        toml::from_str(text)
    }
}
