//! What if the traffic had been parted otherwise between CDNs, each billed by its own contract. What the bytes of a
//! place may be billed by is [`crate::bill`]'s affair: places keep their names wherever they go.

use super::share::Share;
use crate::bill::{Bill, BillError, bill};
use crate::contract::Contract;
use crate::exact::TooLarge;
use crate::period::Period;
use crate::series::{Basis, Place, Series, SeriesError, Traffic};
use serde::Serialize;
use std::collections::BTreeSet;

/// Another allocation, by the contracts' places in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// A share of one contract's bytes goes to another.
    Shift { from: usize, to: usize, share: Share },
    /// Each contract's share of all bytes.
    Shares(Vec<Share>),
}

/// The bills before and after, in the contracts' order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reallocated {
    /// Bytes that left the contract they had been under.
    pub moved: u64,
    pub before: Vec<Bill>,
    pub after: Vec<Bill>,
}

/// Why there is no answer. Retrying does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    #[error("allocation: the shares do not add up to 100 %")]
    Incomplete,
    #[error("allocation: the plan is for other contracts than those given")]
    Plan,
    #[error("allocation: some bytes are as players count, some as logs do")]
    Basis,
    #[error("contract {contract}: {source}")]
    Bill { contract: String, source: BillError },
    #[error(transparent)]
    Series(#[from] SeriesError),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Parts the bytes anew, window by window and place by place, in whole bytes of which none is lost, and bills both.
///
/// # Errors
/// See [`AllocationError`]; among them contracts whose days are not the period's.
pub fn reallocate(sides: &[(&Contract, &Traffic)], period: &Period, plan: &Plan) -> Result<Reallocated, AllocationError> {
    let basis = sides.first().map_or(Basis::Client, |(_, traffic)| traffic.basis);
    if sides.iter().any(|(_, traffic)| traffic.basis != basis) {
        return Err(AllocationError::Basis);
    }
    let (after, moved) = match plan {
        Plan::Shift { from, to, share } => shifted(sides, period, (*from, *to), *share)?,
        Plan::Shares(shares) => shared(sides, period, shares)?,
    };
    let billed = |contract: &Contract, traffic: &Traffic| {
        bill(contract, period, traffic).map_err(|source| AllocationError::Bill { contract: contract.id.clone(), source })
    };
    let before = sides.iter().map(|(contract, traffic)| billed(contract, traffic)).collect::<Result<_, _>>()?;
    let after = sides.iter().zip(&after).map(|((contract, _), traffic)| billed(contract, traffic)).collect::<Result<_, _>>()?;
    Ok(Reallocated { moved, before, after })
}

type Parted = (Vec<Traffic>, u64);

/// Of each window the share, rounded down, parted among the places by largest remainder.
fn shifted(sides: &[(&Contract, &Traffic)], period: &Period, (from, to): (usize, usize), share: Share) -> Result<Parted, AllocationError> {
    let mut after: Vec<Traffic> = sides.iter().map(|(_, traffic)| (*traffic).clone()).collect();
    let source = sides.get(from).filter(|_| from != to && to < sides.len()).ok_or(AllocationError::Plan)?.1;
    source.places.values().try_for_each(|series| series.matches(period))?;
    let mut goes = vec![Vec::with_capacity(period.windows()); source.places.len()];
    for window in 0..period.windows() {
        let exact: Vec<u128> = source.places.values().map(|series| share.times(series.bytes()[window])).collect();
        let whole = exact.iter().sum::<u128>() / Share::divisor();
        for (goes, bytes) in goes.iter_mut().zip(parted(&exact, whole)) {
            goes.push(bytes);
        }
    }
    let mut moved = 0_u64;
    for ((place, series), goes) in source.places.iter().zip(goes) {
        let stays = series.bytes().iter().zip(&goes).map(|(all, goes)| all - goes).collect();
        let goes = Series::new(goes)?;
        moved = u64::try_from(goes.total()).ok().and_then(|bytes| moved.checked_add(bytes)).ok_or(TooLarge)?;
        after[from].places.insert(place.clone(), Series::new(stays)?);
        match after[to].places.get_mut(place) {
            Some(sum) => sum.add_all(&goes)?,
            None => drop(after[to].places.insert(place.clone(), goes)),
        }
    }
    Ok((after, moved))
}

/// Of each window of each place the bytes of all contracts, parted by the shares and largest remainder.
fn shared(sides: &[(&Contract, &Traffic)], period: &Period, shares: &[Share]) -> Result<Parted, AllocationError> {
    if shares.len() != sides.len() {
        return Err(AllocationError::Plan);
    }
    if !Share::complete(shares) {
        return Err(AllocationError::Incomplete);
    }
    let mut after: Vec<Traffic> = sides.iter().map(|(_, traffic)| Traffic::new(traffic.basis)).collect();
    let places: BTreeSet<&Place> = sides.iter().flat_map(|(_, traffic)| traffic.places.keys()).collect();
    let mut moved = 0_u64;
    for place in places {
        let own: Vec<Option<&Series>> = sides.iter().map(|(_, traffic)| traffic.places.get(place)).collect();
        own.iter().flatten().try_for_each(|series| series.matches(period))?;
        let mut parts = vec![Vec::with_capacity(period.windows()); sides.len()];
        for window in 0..period.windows() {
            let had: Vec<u64> = own.iter().map(|series| series.map_or(0, |series| series.bytes()[window])).collect();
            let all = had.iter().try_fold(0_u64, |sum, bytes| sum.checked_add(*bytes)).ok_or(TooLarge)?;
            let exact: Vec<u128> = shares.iter().map(|share| share.times(all)).collect();
            for ((part, bytes), had) in parts.iter_mut().zip(parted(&exact, u128::from(all))).zip(had) {
                moved = moved.checked_add(had.saturating_sub(bytes)).ok_or(TooLarge)?;
                part.push(bytes);
            }
        }
        for ((traffic, part), own) in after.iter_mut().zip(parts).zip(own) {
            // Nothing of a place that a contract never had is no place of it: it may have no price there.
            if own.is_some() || part.iter().any(|bytes| *bytes > 0) {
                traffic.places.insert(place.clone(), Series::new(part)?);
            }
        }
    }
    Ok((after, moved))
}

/// Exact parts ([`Share::divisor`] times too large) → whole ones that add up to `whole`; of equal remainders the first
/// part gains.
fn parted(exact: &[u128], whole: u128) -> Vec<u64> {
    let floors: u128 = exact.iter().map(|part| part / Share::divisor()).sum();
    let left = whole.saturating_sub(floors);
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by_key(|part| std::cmp::Reverse(exact[*part] % Share::divisor()));
    let mut parts = vec![0; exact.len()];
    for (rank, part) in order.into_iter().enumerate() {
        // At most the window's bytes, which are 64 bits.
        parts[part] = (exact[part] / Share::divisor()) as u64 + u64::from((rank as u128) < left);
    }
    parts
}
