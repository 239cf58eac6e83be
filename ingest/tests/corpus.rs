//! Every input that a fuzzer found to be of interest, and every one that ever broke a promise, tried again: no
//! fuzzer is needed for that. Finding more is `make fuzz`; what is checked is in `fuzz/checks`.

#[path = "../../fuzz/checks/allocations.rs"]
mod allocations;
#[path = "../../fuzz/checks/cmcd.rs"]
mod cmcd;
#[path = "../../fuzz/checks/event_decoder.rs"]
mod event_decoder;
#[path = "../../fuzz/checks/inflate.rs"]
mod inflate;

use std::path::Path;

/// What the test has to find at least: an empty folder would prove nothing.
const INPUTS_MIN: usize = 10;

fn every_input(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut inputs: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= INPUTS_MIN, "{} inputs in {}", inputs.len(), folder.display());
    for input in inputs {
        // Shown when the check fails.
        println!("{}", input.display());
        check(&std::fs::read(&input).unwrap());
    }
}

#[test]
fn events_are_accepted_or_refused_and_never_more() {
    every_input("event_decoder", event_decoder::check);
}

#[test]
fn reports_are_accepted_or_refused_and_never_more() {
    every_input("cmcd", cmcd::check);
}

#[test]
fn bodies_are_inflated_within_their_limits() {
    every_input("inflate", inflate::check);
}
