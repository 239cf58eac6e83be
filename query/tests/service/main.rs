//! The query service from outside: small ledgers with known rows, asked over a real port.

mod bills;
mod burst;
mod compacted;
mod derived;
mod evidence;
mod http;
mod layouts;
mod million;
mod refusals;
mod reports;
mod support;
mod uploads;
mod whatif;
mod zones;
