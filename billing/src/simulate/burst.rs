//! The burst budget: a 95th percentile leaves 0.05 N windows of a month free. How many are used above a level, and
//! whether so few are left that someone should know.

use crate::bill::percentile;
use crate::contract::DropRounding;
use crate::period::WINDOW_S;
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
    /// True when no more than the threshold is left.
    pub alert: bool,
}

/// Of a period of `windows`, the first of which are `known`. `alert_left`: slots left at which to tell someone.
pub fn burst_budget(windows: usize, known: &[u64], rounding: DropRounding, level_bps: u64, alert_left: u64) -> BurstBudget {
    // bytes × 8 ÷ 300 above the level, without dividing.
    let is_burst = |bytes: &&u64| u128::from(**bytes) * 8 > u128::from(level_bps) * WINDOW_S as u128;
    let slots = percentile::dropped(windows, rounding) as u64;
    let used = known.iter().filter(is_burst).count() as u64;
    let left = slots.saturating_sub(used);
    BurstBudget { level_bps, slots, used, left, alert: left <= alert_left }
}
