//! CMCD reports in every form. What is checked is in `checks/`.

#![no_main]

#[path = "../checks/cmcd.rs"]
mod cmcd;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cmcd::check(data));
