//! The query service from outside: small ledgers with known rows, asked over a real port.

mod compacted;
mod derived;
mod http;
mod refusals;
mod reports;
mod support;
