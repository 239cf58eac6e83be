//! Every record that a fuzzer found to be of interest, read again; see `fuzz/checks/record.rs`. Finding more is
//! `make fuzz`.

use livemeter_processor::entry;
use std::path::Path;

#[path = "../../../fuzz/checks/record.rs"]
mod record_check;

#[test]
fn records_are_read_or_refused_and_the_quick_way_says_what_the_thorough_one_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/record");
    let mut inputs: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= 10, "{} inputs in {}", inputs.len(), folder.display());
    for input in inputs {
        // Shown when the check fails.
        println!("{}", input.display());
        record_check::check(&std::fs::read(&input).unwrap());
    }
}
