//! The fault run: the processor is killed, cut off, filled up and raced against itself, again and again, while a
//! producer writes; at the end the ledger must say what the producer's own log says, to the byte.
//!
//! * [`settings`]  how many faults, how long, from which seed
//! * [`viewers`]   sessions whose counters rise, and what a network makes of their reports
//! * [`workload`]  writes them to the topic, and keeps the log
//! * [`ledger`]    the folder of the ledger: a small file system of its own, where that is allowed
//! * [`worker`]    one `livemeter process`: started with armed failpoints, killed, paused, asked
//! * [`proxy`]     the road to the broker: cut, slow, silent
//! * [`packets`]   the road to the broker: packets vanish
//! * [`scenes`]    each kind of fault, acted out
//! * [`plan`]      which fault comes next
//! * [`oracle`]    the log against the ledger
//! * [`run`](mod@run)  the whole of it

pub mod ledger;
pub mod oracle;
pub mod packets;
pub mod plan;
pub mod proxy;
pub mod run;
pub mod scenes;
pub mod settings;
pub mod viewers;
pub mod worker;
pub mod workload;
