//! The query service from outside: small ledgers with known rows, asked over a real port.

mod bills;
mod compacted;
mod derived;
mod evidence;
mod http;
mod million;
mod refusals;
mod reports;
mod support;
