//! What would have been, and what is to come. Money is exact; the forecast is an estimate and says so.
//!
//! * [`modes`]      the same period under every mode and contract
//! * [`forecast`]   the 95th percentile at the period's end
//! * [`burst`]      free 5-minute slots: used and left
//! * [`allocation`] another share of the traffic for a CDN

pub mod allocation;
pub mod burst;
pub mod forecast;
pub mod modes;

pub use allocation::{Reallocated, reallocate};
pub use burst::{BurstBudget, burst_budget};
pub use forecast::{Forecast, forecast};
pub use modes::{ModeCost, modes};
