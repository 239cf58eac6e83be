//! Client → log → invoice in whole bytes. Each window of each place is split by itself, so that days, places and the
//! whole are sums of the same figures, and every split adds up exactly.

use super::sides::{LogSide, Sides, Tail};
use super::{DayParts, ReconcileError, Verdict};
use crate::contract::Contract;
use crate::exact::{Exact, Rounding, TooLarge};
use crate::period::Period;
use crate::series::{Place, Series, Traffic, bandwidth_bps};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;

/// A figure that may be an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Estimate {
    pub point: i64,
    /// Bounds; equal to the point where it is exact.
    pub low: i64,
    pub high: i64,
}

/// The difference between client and log, parted.
/// `client + log_overhead + telemetry_loss.point + without_sdk + unexplained = log`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Parts {
    pub client: i64,
    /// What a log counts beyond bodies, by the contract's `log_overhead`.
    pub log_overhead: i64,
    /// Tails of sessions without an end, and sessions that the log has and the ledger never saw.
    pub telemetry_loss: Estimate,
    /// Log lines of no session; none where the log has no session ids.
    pub without_sdk: Option<i64>,
    /// What is left; with `without_sdk` none, both in one figure. None without a log.
    pub unexplained: Option<i64>,
    pub log: Option<i64>,
    /// What is billed beyond the log, by the contract's `overhead`; without a log, beyond the client and its loss.
    pub overhead: i64,
}

/// Of one domain and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceParts {
    pub place: Place,
    pub parts: Parts,
}

/// One step from a total to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaterfallStep {
    /// `client`, `log_overhead`, `telemetry_loss`, `without_sdk`, `unexplained` or `without_sdk_or_unexplained`, `log`,
    /// `overhead`, `invoice_difference`, `invoice`.
    pub step: &'static str,
    /// A total, not a difference.
    pub is_total: bool,
    /// None: of an invoice that bills bandwidth.
    pub bytes: Option<i64>,
    /// Of an estimate that is not exact.
    pub low: Option<i64>,
    pub high: Option<i64>,
}

pub struct Splits;
impl Splits {
    pub fn new(_sides: &Sides) -> Result<Splits, ReconcileError> {
        todo!()
    }
    pub fn without_sdk_known(&self) -> bool {
        todo!()
    }
    pub fn total(&self) -> Result<Parts, TooLarge> {
        todo!()
    }
    pub fn days(&self, _sides: &Sides) -> Result<Vec<DayParts>, ReconcileError> {
        todo!()
    }
    pub fn places(&self) -> Result<Vec<PlaceParts>, TooLarge> {
        todo!()
    }
    /// Each window of a range, over all places.
    pub fn windows(&self, _windows: Range<usize>) -> Result<Vec<Parts>, TooLarge> {
        todo!()
    }
}
pub fn steps(_sides: &Sides, _total: &Parts, _invoice_bytes: Option<i64>) -> Vec<WaterfallStep> {
    todo!()
}
