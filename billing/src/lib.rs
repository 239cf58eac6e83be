//! The room of the bill: what a month of bytes costs under a contract, why an invoice says otherwise, and what
//! would have been cheaper. Pure arithmetic: no I/O, no clock, no floats in money. Bytes in, decimals out.
//!
//! * [`exact`]     fractions that never round by themselves, and the one place where they become decimals
//! * [`contract`]  a vendor's contract: TOML text → a checked contract, or a refusal with field and line
//! * [`period`]    a month or a range of days in a zone → days and 5-minute windows in UTC
//! * [`series`]    bytes per window; who and where they belong to
//! * [`bill`]      contract + period + series → a bill whose every step can be followed
//! * [`told`]      a step's or a cause's sentence in two languages
//! * [`reconcile`] client, log and invoice side by side; the difference split, and named where a rule finds it
//! * [`simulate`]  other modes, the month's end, the free slots left, another allocation

pub mod bill;
pub mod contract;
pub mod exact;
pub mod period;
pub mod reconcile;
pub mod series;
pub mod simulate;
pub mod told;

pub use bill::{Bill, BillError, bill};
pub use contract::{Contract, Refusal};
pub use period::{Period, PeriodError};
pub use reconcile::{Reconciliation, Sides, reconcile};
pub use series::{Basis, Place, Series, Traffic};
pub use told::Told;
