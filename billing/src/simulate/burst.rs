//! The burst budget: a 95th percentile leaves 0.05 N windows of a month free. How many are used above a level, and
//! whether so few are left that someone should know.

use crate::bill::percentile;
use crate::contract::DropRounding;
use crate::series::bandwidth_bps;
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

/// Of a period of `windows`, of which `known` are over. `alert_left`: slots left at which to tell someone.
pub fn burst_budget(windows: usize, known: &[u64], rounding: DropRounding, level_bps: u64, alert_left: u64) -> BurstBudget {
    todo!()
}
