//! Decompression of a body. What is checked is in `checks/`.

#![no_main]

#[path = "../checks/allocations.rs"]
mod allocations;
#[path = "../checks/inflate.rs"]
mod inflate;

libfuzzer_sys::fuzz_target!(|data: &[u8]| inflate::check(data));
