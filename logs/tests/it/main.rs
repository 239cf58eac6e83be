//! The room tried from outside, on files: golden samples of each format, packing, repetition, refusals, limits,
//! evidence, invoices.

mod evidence;
mod golden;
mod invoices;
mod limits;
mod refusals;
mod repetition;
mod room;
