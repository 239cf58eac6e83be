//! What would have been, and what is to come. Money is exact; the forecast is an estimate and says so.
//!
//! * [`modes`]      the same period under every mode and contract
//! * [`forecast`]   the 95th percentile at the period's end
//! * [`burst`]      free 5-minute slots: used and left
//! * [`allocation`] the traffic parted otherwise between contracts
//! * [`share`]      hundredths of a percent

pub mod allocation;
pub mod burst;
pub mod forecast;
pub mod modes;
pub mod share;

pub use allocation::{AllocationError, Plan, Reallocated, reallocate};
pub use burst::{BurstBudget, burst_budget, committed_bps, reached_bps};
pub use forecast::{Forecast, forecast};
pub use modes::{ModeCost, modes};
pub use share::Share;
