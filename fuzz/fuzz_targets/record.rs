//! A record of the topic, as the processor reads it. Only the reader's own file is built: with the processor
//! would come its table engine, some 500 crates. What is checked is in `checks/`.

#![no_main]
// The processor uses more of its reader than is tried here.
#![allow(dead_code)]

#[path = "../../processor/src/entry.rs"]
mod entry;
#[path = "../checks/record.rs"]
mod record;

libfuzzer_sys::fuzz_target!(|data: &[u8]| record::check(data));
