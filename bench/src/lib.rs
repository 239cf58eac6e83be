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

pub mod audience;
pub mod house;
pub mod judge;
pub mod ledger;
pub mod metrics;
pub mod process;
pub mod series;
