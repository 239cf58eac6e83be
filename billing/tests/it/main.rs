//! The room of the bill from outside, one program so that it links once.
//!
//! * [`make`]       contracts and traffic for tests
//! * [`goldens`]    figures worked out elsewhere, most from vendors' own published examples
//! * [`contracts`]  what is refused, and where in the text
//! * [`periods`]    months, zones, days on which clocks change
//! * [`arithmetic`] laws: percentile, tiers, monotony, rounding
//! * [`splits`]     every split adds up
//! * [`planted`]    errors planted in invoices are named, and nothing else is
//! * [`simulated`]  modes, forecast, burst budget, allocation
//! * [`speed`]      a large month, measured on demand

mod arithmetic;
mod contracts;
mod goldens;
mod make;
mod periods;
mod planted;
mod simulated;
mod speed;
mod splits;
