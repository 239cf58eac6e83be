//! What if a share of one CDN's traffic had gone over another, each billed by its own contract.

use crate::bill::{Bill, BillError, bill};
use crate::contract::Contract;
use crate::period::Period;
use crate::series::{Basis, Place, Series, SeriesError, Traffic};
use serde::Serialize;
use std::collections::BTreeMap;

/// Both bills, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reallocated {
    /// Bytes that moved.
    pub moved: u64,
    pub from_before: Bill,
    pub from_after: Bill,
    pub to_before: Bill,
    pub to_after: Bill,
}

/// Moves `share_percent` of each window's bytes of each place.
pub fn reallocate(
    from: &Contract,
    from_traffic: &Traffic,
    to: &Contract,
    to_traffic: &Traffic,
    period: &Period,
    share_percent: u32,
) -> Result<Reallocated, BillError> {
    todo!()
}
