//! A vendor's contract, checked: whoever holds a [`Contract`] need not doubt it. Its text is TOML, read in two
//! steps: the shape ([`text`]), then the sense ([`check`]). What follows from it is [`crate::bill`]'s affair.
//!
//! * [`text`]     the file's fields, as written
//! * [`check`]    text → contract
//! * [`tariff`]   tiers: from zero, without gap or overlap
//! * [`unit`]     GB and GiB, Mbps and its base
//! * [`currency`] the smallest coin of each currency
//! * [`refusal`]  field, line and limit of what was refused

pub mod check;
pub mod currency;
pub mod refusal;
pub mod tariff;
pub mod text;
pub mod unit;

use crate::exact::Rounding;
use crate::period::{Period, PeriodError};
use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use refusal::{Reason, Refusal};
pub use tariff::{AtBoundary, Tariff, Tier, TiersApply};
pub use unit::Unit;

/// A contract's text: a page. Far larger is another file by mistake.
pub const TEXT_BYTES_MAX: usize = 256 << 10;
/// Price lists have about ten tiers.
pub const TIERS_MAX: usize = 64;
/// Entries that say what belongs to a contract. Beyond it, a wider one says the same.
pub const SCOPES_MAX: usize = 1_000;
/// Of ids, names, domains and regions.
pub const NAME_BYTES_MAX: usize = 255;

/// One version of one contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Small letters, digits and hyphens.
    pub id: String,
    pub version: u32,
    /// As in the log and invoice stores.
    pub vendor: String,
    /// ISO 4217.
    pub currency: String,
    /// Decimals of its smallest coin: 2 of CNY, 0 of JPY.
    pub minor_digits: u32,
    pub zone: Tz,
    /// First day, in `zone`.
    pub valid_from: NaiveDate,
    /// Last day, inclusive; none: open.
    pub valid_to: Option<NaiveDate>,
    pub scopes: Vec<Scope>,
    pub mode: Mode,
    /// What is measured and priced as one.
    pub sum_over: SumOver,
    pub unit: Unit,
    pub tariff: Tariff,
    /// Billed ÷ logged bytes: TCP/IP headers and what was sent again. At least 1.
    pub overhead: Decimal,
    /// Logged ÷ body bytes, where a log counts more than bodies (CloudFront's `sc-bytes` has headers). At least 1.
    pub log_overhead: Decimal,
    pub percentile: Percentile,
    pub commit: Option<Commit>,
    pub free: Option<Free>,
    pub money: Money,
    pub tolerance: Tolerance,
}

/// What of the ledger and of the vendor's log belongs to a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// The ledger's name of the CDN.
    pub cdn: String,
    /// None: all.
    pub domain: Option<String>,
    pub region: Option<String>,
}

impl Contract {
    /// Text → contract.
    ///
    /// # Errors
    /// The first thing wrong, with its field, its line and, where there is one, the limit.
    pub fn parse(text: &str) -> Result<Contract, Refusal> {
        check::contract(text)
    }

    /// True when bytes of this CDN, domain and region are the contract's. A side that does not tell one of them
    /// is not held against it.
    pub fn has(&self, cdn: &str, domain: Option<&str>, region: Option<&str>) -> bool {
        let fits = |wanted: &Option<String>, told: Option<&str>| match (wanted, told) {
            (Some(wanted), Some(told)) => wanted == told,
            _ => true,
        };
        self.scopes.iter().any(|scope| scope.cdn == cdn && fits(&scope.domain, domain) && fits(&scope.region, region))
    }

    /// A month or a range of days of the contract's zone, cut to its validity.
    ///
    /// # Errors
    /// No period, too long a one, or one outside the validity.
    pub fn period(&self, text: &str) -> Result<Period, PeriodError> {
        Period::parse(self.zone, text)?.within(self.valid_from, self.valid_to)
    }

    /// CDNs of the ledger that belong to it, each once, in order.
    pub fn cdns(&self) -> Vec<&str> {
        let mut cdns: Vec<&str> = self.scopes.iter().map(|scope| scope.cdn.as_str()).collect();
        cdns.sort_unstable();
        cdns.dedup();
        cdns
    }
}

/// What is billed (definitions: "Traffic and bills").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All bytes.
    Traffic,
    /// 95th percentile of the period's windows.
    P95Month,
    /// 95th percentile of each day, averaged.
    P95DayAvg,
    /// Each day's peak, averaged.
    PeakDayAvg,
    /// The fourth highest daily peak.
    Peak4Month,
    /// 95th percentile, samples from 00:00 to 08:00 at half.
    P95OffpeakHalf,
}

impl Mode {
    pub const ALL: [Mode; 6] = [Mode::Traffic, Mode::P95Month, Mode::P95DayAvg, Mode::PeakDayAvg, Mode::Peak4Month, Mode::P95OffpeakHalf];

    /// As contracts and definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Traffic => "traffic",
            Mode::P95Month => "p95_month",
            Mode::P95DayAvg => "p95_day_avg",
            Mode::PeakDayAvg => "peak_day_avg",
            Mode::Peak4Month => "peak4_month",
            Mode::P95OffpeakHalf => "p95_offpeak_half",
        }
    }

    /// True of modes that bill bandwidth.
    pub fn is_bandwidth(self) -> bool {
        self != Mode::Traffic
    }
}

/// What is summed before it is measured: percentiles are never added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SumOver {
    #[default]
    Account,
    Region,
    Domain,
}

/// How many samples are dropped: a contract's rounding of 0.05 N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropRounding {
    #[default]
    Floor,
    Ceil,
    /// Half goes up.
    Nearest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Percentile {
    pub rounding: DropRounding,
    /// Only days with traffic are sampled, and the result counts by their share of the month's days (Huawei).
    pub valid_days_only: bool,
    /// The result counts by the share of the month's days that lie within the contract.
    pub prorate: bool,
}

/// A minimum: at least this is paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// In the contract's unit.
    pub quantity: Decimal,
    /// Price of a unit beyond; none: the tiers go on.
    pub overage_price: Option<Decimal>,
    /// By days, where only a part of the month lies within the contract.
    pub prorate: bool,
}

/// A quantity that costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Free {
    /// In the contract's unit.
    pub quantity: Decimal,
    /// True: it fills the lowest tiers, which are then shorter by it. False: the tiers begin behind it.
    pub fills_tiers: bool,
    pub prorate: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Money {
    pub rounding: Rounding,
    pub per: RoundPer,
    /// Of an amount; the currency's minor digits unless the contract says otherwise.
    pub decimals: u32,
    /// Decimals that a billed quantity is rounded to before it is priced; none: not at all.
    pub quantity_decimals: Option<u32>,
}

/// Where money is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundPer {
    #[default]
    Line,
    Total,
}

/// A difference of up to the larger of both is not disputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tolerance {
    /// Of the expected amount, 0–1.
    pub share: Decimal,
    /// Money.
    pub absolute: Decimal,
}
