//! Numbers that two rooms must agree on, though neither may know the other.

use crate::root;

/// What a refusal may take to reach a player over a slow network.
const ROAD_MS: u64 = 1_000;

/// A player that hangs up first never hears that it should come again, nor when.
#[test]
fn ingest_answers_before_the_sdk_hangs_up() {
    let defaults: toml::Table = read("src/default.toml").parse().expect("TOML");
    let setting = defaults["ingest"]["delivery_timeout"].as_str().expect("a text");
    let delivery_ms = 1_000 * setting.strip_suffix('s').and_then(|s| s.parse::<u64>().ok()).expect("whole seconds");
    let sdk = read("sdk/web/src/transport.ts");
    let timeout = sdk.lines().find_map(|line| line.strip_prefix("const TIMEOUT_MS = ")).expect("the SDK has a timeout");
    let timeout_ms: u64 = timeout.trim_end_matches(';').replace('_', "").parse().expect("a number");
    assert!(delivery_ms + ROAD_MS <= timeout_ms, "ingest.delivery_timeout is {delivery_ms} ms; the SDK hangs up after {timeout_ms} ms");
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}
