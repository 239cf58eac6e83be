//! Vendors' own papers, made into facts: access logs become sums per 5-minute window, domain, region and session;
//! invoices become lines of exact decimals. Files are read and written here; no network, no runtime, no clock.
//! What a bill should be, and why it differs, is `billing`'s affair.
//!
//! * [`format`]   one line of a vendor's log → time, bytes, host, region, request id, session; one module a format
//! * [`import`]   a log file → facts, all or nothing: reads, counts, leaves out repetitions, stores
//! * [`store`]    the folder of imports: list, forget, sums, bad lines, and the lines behind a figure
//! * [`facts`]    the columns of the facts, as Parquet
//! * [`manifest`] what is written down about an import
//! * [`invoice`]  invoices in CSV and XLSX by a template, FOCUS as it is
//! * [`sample`]   a log that looks real, from a seed, for tests and measurements
//! * [`position`] the line of a field, for refusals
//! * [`limits`]   how much of everything, and why

pub mod error;
pub mod facts;
pub mod format;
pub mod import;
pub mod invoice;
pub mod limits;
pub mod manifest;
mod position;
pub mod sample;
pub mod store;

pub use error::{ImportError, StoreError};
pub use facts::{FactBatches, Filter, LineRange, SessionTraffic, Traffic};
pub use format::{Format, FormatError};
pub use import::{ImportRequest, Imported, Progress};
pub use limits::Limits;
pub use manifest::Manifest;
pub use store::{BadLine, Line, LogStore};
