//! A simulated audience: viewers that join, watch, stall, switch CDN, vanish and come back, posting what
//! real players would post over an imperfect network — and a truth to hold the meter against.
//!
//! In the order data meets it:
//! * [`config`]    what may be set, with reasons, and its check
//! * [`world`]     the names: CDNs, programmes, regions, users, session ids
//! * [`totals`]    the five counters, and those of every CDN that a session has used
//! * [`session`]   one player's life: states, stalls, switches, counters
//! * [`words`]     a session's moments as events of the contract
//! * [`network`]   what the network does to an event: nothing, loses, doubles, holds it
//! * [`audience`]  all viewers on one schedule
//! * [`outbox`]    what is not acknowledged yet, merged and retried as a player does
//! * [`truth`]     what ingest has acknowledged, per CDN and per session
//! * [`post`]      one keep-alive connection to ingest
//! * [`desk`]      the clock and the connections' work
//! * [`files`]     the truth on disk
//! * [`run`]       the schedule, the drain, the progress
//!
//! All but the last four are pure: time and randomness are passed in.

pub mod audience;
pub mod config;
pub mod desk;
pub mod files;
pub mod network;
pub mod outbox;
pub mod post;
pub mod run;
pub mod session;
pub mod totals;
pub mod truth;
pub mod words;
pub mod world;

pub use config::{Cdn, Config, Error, Retry};
pub use network::Network;
pub use run::{Progress, run};
pub use truth::Truth;
