//! The event decoder and the batch around it. What is checked is in `checks/`.

#![no_main]

#[path = "../checks/event_decoder.rs"]
mod event_decoder;

libfuzzer_sys::fuzz_target!(|data: &[u8]| event_decoder::check(data));
