//! The contracts: every shape that passes between two rooms of the house, in the order data meets it.
//! Pure: no I/O, no clock, no runtime. Nothing here knows another room.
//!
//! * [`event`]      what a player sends: heartbeats, stalls, starts, ends, switches, errors
//! * [`limits`]     how large each of those may be, and why
//! * [`decode`]     bytes → a checked event, or a refusal that names field, size and limit
//! * [`refusal`]    why something was not taken, for people and for programs
//! * [`answer`]     what ingest answers to a batch
//! * [`record`]     one event as it stands on Kafka, and the dead letter
//! * [`plain`]      pieces of JSON as our own writers write them, taken apart without a parser
//! * [`time`]       device clock → corrected clock; the windows of the ledger
//! * [`ledger`]     the columns of the two primary tables
//! * [`derived`]    the columns of the tables made from those, each explained
//! * [`period`]     a closed period: totals, and the offsets up to which they count
//! * [`metrics`]    the definitions printed beside every figure
//! * [`reports`]    the shapes of the traffic and quality reports, the definitions, the status
//! * [`refusals`]   what services refuse, by cause, and the counters that is read from
//! * [`bills`]      the shapes of the bill check: contracts, logs, invoices, differences, simulation
//! * [`sql`]        a query in SQL, and its answer
//! * [`openapi`]    the published HTTP contract, assembled from all of the above
//! * [`published`]  the committed files made from these types: OpenAPI, JSON Schema, the ledger's columns, definitions

pub mod answer;
pub mod bills;
pub mod decode;
pub mod derived;
pub mod event;
pub mod ledger;
pub mod limits;
pub mod metrics;
pub mod openapi;
pub mod period;
pub mod plain;
pub mod published;
pub mod record;
pub mod refusal;
pub mod refusals;
pub mod reports;
pub mod sql;
pub mod time;

/// Version of the event contract that clients speak (`v` in a batch). Older ones stay accepted.
pub const EVENTS_VERSION: u32 = 1;
/// Version of the envelope around each event on Kafka.
pub const RECORD_VERSION: u32 = 1;
/// Version of the ledger's columns.
pub const LEDGER_VERSION: u32 = 1;
/// Version of the metric definitions.
pub const METRICS_VERSION: u32 = 1;
