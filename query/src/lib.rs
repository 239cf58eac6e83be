//! Ledger → answers: SQL for analysts, two reports for everybody, and the console's page, over HTTP.
//! Nothing here writes a table (the bill check keeps papers in a folder of its own); the ledger's columns and the reports' shapes are `livemeter_schemas`'.
//!
//! * [`config`]   every setting and limit, each with its reason
//! * [`error`]    what can go wrong, by cause
//! * [`ledger`]   the Delta tables, opened when there, refreshed at most once a second
//! * [`admit`]    SQL text → one admitted statement, or a refusal that names what was wrong (pure)
//! * [`engine`]   an admitted statement → a bounded stream of rows: memory, time, queue
//! * [`encode`]   rows → JSON and CSV, to the digit (pure)
//! * [`zone`]     local time → instants and time buckets (pure)
//! * [`report`]   a report's parameters → what to read (pure)
//! * [`rows`]     a report's own SQL → batches and their columns
//! * [`number`]   texts → small numbers, exactly, and the memory that takes (pure)
//! * [`groups`]   rows → a report's groups and sessions (pure)
//! * [`traffic`]  bytes, sessions and peaks
//! * [`quality`]  play time, stalls, views and startup times
//! * [`status`]   how far the ledger is and how fresh, from file statistics alone
//! * [`bills`]    contracts, logs and invoices beside the ledger: the bill check, exports, evidence
//! * [`refusals`] what the services have refused, asked of their metrics
//! * [`console`]  the page's files, built into the binary
//! * [`metrics`]  what the service counts about itself
//! * [`http`]     the routes; the only place that knows HTTP

pub mod admit;
pub mod bills;
pub mod config;
pub mod console;
pub mod encode;
pub mod engine;
pub mod error;
pub mod groups;
pub mod http;
pub mod ledger;
pub mod metrics;
pub mod number;
pub mod quality;
pub mod refusals;
pub mod report;
pub mod rows;
pub mod status;
pub mod traffic;
pub mod zone;

pub use config::Config;
pub use error::Error;
pub use http::{Server, run};
