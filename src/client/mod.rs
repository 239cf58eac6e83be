//! Talking to a running Livemeter over its published HTTP contracts.

pub mod http;
pub mod sql;
