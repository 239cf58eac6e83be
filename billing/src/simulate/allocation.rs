//! What if a share of one CDN's traffic had gone over another, each billed by its own contract.

use crate::bill::{Bill, BillError, bill};
use crate::contract::Contract;
use crate::exact::TooLarge;
use crate::period::Period;
use crate::series::{Place, Series, SeriesError, Traffic};
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

/// Moves a share of each window's bytes from one contract's CDN to another's, place by place. Shares over 100 are 100.
///
/// # Errors
/// Contracts whose days differ (their windows are not the same), and what [`bill`] refuses.
pub fn reallocate(
    from: (&Contract, &Traffic),
    to: (&Contract, &Traffic),
    period: &Period,
    share_percent: u32,
) -> Result<Reallocated, BillError> {
    let (mut left, mut gained, mut moved) = (Traffic::new(from.1.basis), to.1.clone(), 0_u64);
    let split = split(&from.1.places, period, share_percent.min(100))?;
    for ((place, series), goes) in from.1.places.iter().zip(split) {
        let stays = series.bytes().iter().zip(goes.bytes()).map(|(all, goes)| all - goes).collect();
        left.places.insert(place.clone(), Series::new(stays)?);
        moved = u64::try_from(goes.total()).ok().and_then(|bytes| moved.checked_add(bytes)).ok_or(TooLarge)?;
        match gained.places.get_mut(place) {
            Some(sum) => sum.add_all(&goes)?,
            None => drop(gained.places.insert(place.clone(), goes)),
        }
    }
    Ok(Reallocated {
        moved,
        from_before: bill(from.0, period, from.1)?,
        from_after: bill(from.0, period, &left)?,
        to_before: bill(to.0, period, to.1)?,
        to_after: bill(to.0, period, &gained)?,
    })
}

/// The bytes of each place that go: of each window the share, rounded down, parted among the places in whole bytes by
/// largest remainder; of equal remainders the first place gains.
fn split(places: &BTreeMap<Place, Series>, period: &Period, percent: u32) -> Result<Vec<Series>, SeriesError> {
    let percent = u128::from(percent);
    places.values().try_for_each(|series| series.matches(period))?;
    let mut goes = vec![Vec::with_capacity(period.windows()); places.len()];
    for window in 0..period.windows() {
        let exact: Vec<u128> = places.values().map(|series| u128::from(series.bytes()[window]) * percent).collect();
        let floors: u128 = exact.iter().map(|share| share / 100).sum();
        let left = exact.iter().sum::<u128>() / 100 - floors;
        let mut order: Vec<usize> = (0..exact.len()).collect();
        order.sort_by_key(|place| std::cmp::Reverse(exact[*place] % 100));
        for (rank, place) in order.into_iter().enumerate() {
            // At most all of the place's bytes, which are 64 bits.
            goes[place].push((exact[place] / 100) as u64 + u64::from((rank as u128) < left));
        }
    }
    goes.into_iter().map(Series::new).collect()
}
