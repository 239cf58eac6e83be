//! Contracts and traffic for tests.

use livemeter_billing::{Basis, Contract, Period, Place, Series, Told, Traffic};
use rust_decimal::Decimal;

/// A contract with these fields beside the plainest ones.
pub fn contract(fields: &str) -> Contract {
    let has = |name: &str| fields.lines().any(|line| line.trim_start().starts_with(&format!("{name} =")));
    let mut text = String::new();
    let plain = [
        ("id", "\"c\""),
        ("version", "1"),
        ("vendor", "\"v\""),
        ("currency", "\"CNY\""),
        ("zone", "\"Asia/Shanghai\""),
        ("valid_from", "\"2020-01-01\""),
        ("scopes", "[{ cdn = \"a\" }]"),
        ("mode", "\"traffic\""),
        ("unit", "\"GB\""),
        ("tiers_apply", "\"progressive\""),
        ("tiers", "[{ from = 0, price = \"0.2\" }]"),
    ];
    for (name, value) in plain.iter().filter(|(name, _)| !has(name)) {
        text += &format!("{name} = {value}\n");
    }
    Contract::parse(&(text + fields)).expect("a contract")
}

pub fn month(contract: &Contract) -> Period {
    contract.period("2026-10").expect("a month")
}

pub fn traffic(basis: Basis, places: impl IntoIterator<Item = (Place, Vec<u64>)>) -> Traffic {
    let mut traffic = Traffic::new(basis);
    traffic.places = places.into_iter().map(|(place, bytes)| (place, Series::new(bytes).expect("bytes"))).collect();
    traffic
}

/// Bytes that look like nights and evenings and are the same each time: no two days alike.
pub fn waves(windows: usize, seed: u64) -> Vec<u64> {
    let mut state = seed;
    let mut day = 0;
    let noise = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    };
    let wave = |i: usize| {
        if i.is_multiple_of(288) {
            day = noise(&mut state) % 900_000_000;
        }
        let hour = (i % 288) as u64 / 12;
        1_000_000 + day + hour * 40_000_000 + noise(&mut state) % 50_000_000
    };
    (0..windows).map(wave).collect()
}

pub fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

/// Both languages say the same figures, and the Chinese is Chinese: no English word but names and signs that both have.
pub fn says_the_same(told: &Told) {
    let figures = |text: &str| {
        let mut found: Vec<String> = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(str::to_owned).collect();
        found.retain(|figure| figure.contains(|c: char| c.is_ascii_digit()));
        found.sort();
        found
    };
    assert_eq!(figures(&told.zh), figures(&told.en), "{told:?}");
    let names = ["N", "max", "GB", "GiB", "TB", "TiB", "Mbps", "Gbps", "UTC", "Asia", "Shanghai"];
    let words = told.zh.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let english: Vec<&str> = words.filter(|word| !names.contains(word)).collect();
    assert!(english.is_empty(), "{english:?} in {told:?}");
}
