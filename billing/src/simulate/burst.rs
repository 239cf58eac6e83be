//! The burst budget: a 95th percentile leaves 0.05 N windows of a month free. How many are used above a level, and
//! whether so few are left that someone should know.

use super::share::Share;
use crate::bill::percentile;
use crate::contract::{Contract, DropRounding, Mode};
use crate::exact::{Exact, Rounding, TooLarge};
use crate::period::WINDOW_S;
use crate::series::{Basis, bandwidth_bps};
use serde::Serialize;

/// Slots above a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BurstBudget {
    /// bit/s; a window above it is a burst.
    pub level_bps: u64,
    /// Free slots of the whole period.
    pub slots: u64,
    /// Windows above the level so far.
    pub used: u64,
    /// Zero: the next one raises the bill.
    pub left: u64,
    /// True when no more is left than the share of the budget at which to tell someone.
    pub alert: bool,
}

/// Of a period of `windows`, the first of which are `known`. `alert`: the share of its own budget at which to tell someone.
pub fn burst_budget(windows: usize, known: &[u64], rounding: DropRounding, level_bps: u64, alert: Share) -> BurstBudget {
    // bytes × 8 ÷ 300 above the level, without dividing.
    let is_burst = |bytes: &&u64| u128::from(**bytes) * 8 > u128::from(level_bps) * WINDOW_S as u128;
    let slots = percentile::dropped(windows, rounding) as u64;
    let used = known.iter().filter(is_burst).count() as u64;
    let left = slots.saturating_sub(used);
    let alert = u128::from(left) * Share::divisor() <= alert.times(slots);
    BurstBudget { level_bps, slots, used, left, alert }
}

/// What a month may reach without a higher bill: the contract's minimum, as bandwidth of counted bytes; none where it
/// has none, or bills something else.
///
/// # Errors
/// A figure beyond 38 digits.
pub fn committed_bps(contract: &Contract, basis: Basis) -> Result<Option<u64>, TooLarge> {
    let Some(commit) = contract.commit.as_ref().filter(|_| contract.mode == Mode::P95Month) else { return Ok(None) };
    let billed = Exact::from(commit.quantity).times(Exact::whole(contract.unit.size()))?;
    let logged = billed.over(contract.overhead.into())?;
    let counted = if basis == Basis::Client { logged.over(contract.log_overhead.into())? } else { logged };
    Ok(u64::try_from(counted.to_whole(Rounding::Down)).ok())
}

/// The percentile of windows as bandwidth, rounded down: of the windows so far, or of another month.
pub fn reached_bps(windows: &[u64], rounding: DropRounding) -> u64 {
    let billed = percentile::billed(&mut windows.to_vec(), percentile::dropped(windows.len(), rounding));
    u64::try_from(bandwidth_bps(billed).to_whole(Rounding::Down)).unwrap_or(u64::MAX)
}
