//! What the benches share. They measure the real binaries from outside: the kernel's accounts of each
//! process, each service's own `/metrics`, and the ledger's answers held against the simulator's truth.
//!
//! * [`process`]  CPU and memory of a process, from `/proc`
//! * [`metrics`]  a service's `/metrics` and other answers, over HTTP
//! * [`house`]    a broker, the services around it, and one look at all of them
//! * [`series`]   one sample a second, and what it says: means, peaks, flat or growing
//! * [`audience`] made-up viewers, as records of the topic
//! * [`ledger`]   a ledger of made-up rows, as an audience would leave it
//! * [`judge`]    ledger against truth, to the byte
//! * [`beats`]    the heartbeats that a topic is filled with, and what they add up to
//! * [`bodies`]   the same as requests, made before any time is measured
//! * [`load`]     posts them over connections that are kept, for as little CPU as that can be done
//! * [`http`]     a handler that reads a body and throws it away
//! * [`sides`]    whom they are posted to, and the bare producers that need no posting
//! * [`topic`]    a topic for each run: made, counted, deleted
//! * [`figures`]  what `bench-ingest` prints
//! * [`fill`]     fills the topic with them
//! * [`drain`]    the processor, alone or in a group, drains it
//! * [`peer`]     Apache Flink drains it
//! * [`probes`]   what was posted and when SQL showed it
//! * [`tables`]   what a ledger's tables are on their storage: files, bytes, log
//! * [`totals`]   what either has stored, read back

pub mod audience;
pub mod beats;
pub mod bodies;
pub mod drain;
pub mod figures;
pub mod fill;
pub mod house;
pub mod http;
pub mod judge;
pub mod ledger;
pub mod load;
pub mod metrics;
pub mod peer;
pub mod probes;
pub mod process;
pub mod series;
pub mod sides;
pub mod tables;
pub mod topic;
pub mod totals;
