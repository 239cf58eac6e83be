//! Figures worked out elsewhere: by vendors in their documentation, or by a program of fractions and full sorts that
//! shares nothing with this room. Each file of `tests/goldens` names its source.

use crate::make::{decimal, says_the_same, traffic};
use livemeter_billing::told::input_zh;
use livemeter_billing::{Basis, Contract, Place, bill};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    source: String,
    period: String,
    mix: Option<Mix>,
    fills: Vec<Fill>,
    contract: String,
    expected: Expected,
}

/// Window i holds (a × i + b) mod m bytes.
#[derive(Deserialize)]
struct Mix {
    a: u64,
    b: u64,
    m: u64,
}

#[derive(Deserialize)]
struct Fill {
    from: usize,
    to: usize,
    bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    windows: usize,
    start: i64,
    used: Decimal,
    amount: Decimal,
    samples: Option<usize>,
    dropped: Option<usize>,
    rank: Option<usize>,
    window: Option<i64>,
}

#[test]
fn every_golden_figure_is_met() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let mut met = 0;
    for file in std::fs::read_dir(&folder).expect("goldens") {
        let path = file.expect("a file").path();
        let golden: Golden = toml::from_str(&std::fs::read_to_string(&path).expect("text")).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        assert!(!golden.source.is_empty(), "{path:?} names no source");
        meets(&path.display().to_string(), &golden);
        met += 1;
    }
    assert!(met >= 40, "only {met} goldens were found");
}

fn meets(name: &str, golden: &Golden) {
    let contract = Contract::parse(&golden.contract).unwrap_or_else(|e| panic!("{name}: {e}"));
    let period = contract.period(&golden.period).unwrap_or_else(|e| panic!("{name}: {e}"));
    let expected = &golden.expected;
    assert_eq!((period.windows(), period.start_ms()), (expected.windows, expected.start), "{name}");
    let mut bytes = vec![0; period.windows()];
    if let Some(mix) = &golden.mix {
        bytes = (0..period.windows() as u64)
            .map(|i| ((u128::from(mix.a) * u128::from(i) + u128::from(mix.b)) % u128::from(mix.m)) as u64)
            .collect();
    }
    for fill in &golden.fills {
        let end = fill.to.min(bytes.len());
        bytes[fill.from..end].fill(fill.bytes);
    }
    let bill = bill(&contract, &period, &traffic(Basis::Log, [(Place::ALL, bytes)])).unwrap_or_else(|e| panic!("{name}: {e}"));
    let [line] = bill.lines.as_slice() else { panic!("{name}: {} lines", bill.lines.len()) };
    assert_eq!(line.exact.used.shown().expect("fits"), expected.used, "{name}: used");
    assert_eq!(bill.amount, expected.amount, "{name}: amount");
    for step in line.steps.iter().chain(&bill.steps) {
        says_the_same(&step.formula);
        assert!(step.inputs.iter().all(|(input, _)| input_zh(input).is_some()), "{name}: {:?} have no Chinese name", step.inputs);
    }
    if let Some(window) = expected.window {
        let sample = line.samples.first().unwrap_or_else(|| panic!("{name}: no sample"));
        let found = (Some(sample.samples), Some(sample.dropped), Some(sample.rank), sample.start_ms);
        assert_eq!(found, (expected.samples, expected.dropped, expected.rank, window), "{name}: sample");
        assert_eq!(line.dropped_windows.len(), sample.dropped, "{name}: dropped windows");
    }
}

/// Huawei, price-cdn/cdn_01_0158: after 10,000 GB, the next 300 GB are 240 at the first price and 60 at the second.
#[test]
fn huaweis_hour_is_what_the_bill_grows_by() {
    let text = include_str!("../goldens/huawei-traffic.toml");
    let golden: Golden = toml::from_str(text).expect("a golden");
    let contract = Contract::parse(&golden.contract).expect("a contract");
    let period = contract.period(&golden.period).expect("a month");
    let of = |windows: usize| {
        let mut bytes = vec![0; period.windows()];
        bytes[..windows].fill(10 << 30);
        bill(&contract, &period, &traffic(Basis::Log, [(Place::ALL, bytes)])).expect("a bill").amount
    };
    assert_eq!(of(1_030) - of(1_000), decimal("240") * decimal("0.2") + decimal("60") * decimal("0.18"));
}

/// A bill says how it came about, in figures that a person can follow, and its decimals are text.
#[test]
fn a_bill_tells_its_steps_and_writes_decimals_as_text() {
    let golden: Golden = toml::from_str(include_str!("../goldens/byteplus-95.toml")).expect("a golden");
    let contract = Contract::parse(&golden.contract).expect("a contract");
    let period = contract.period(&golden.period).expect("a month");
    let bytes = vec![3_750_000_000; period.windows()];
    let bill = bill(&contract, &period, &traffic(Basis::Log, [(Place::ALL, bytes)])).expect("a bill");
    let names: Vec<&str> = bill.lines[0].steps.iter().map(|step| step.name).collect();
    assert_eq!(names, ["percentile", "bandwidth", "unit", "days", "price", "money"]);
    let json = serde_json::to_value(&bill).expect("JSON");
    assert_eq!(json["amount"], "1430.0000");
    assert_eq!(json["lines"][0]["quantity"], "100");
    assert_eq!(json["lines"][0]["steps"][1]["output"], "100000000 bit/s");
    assert_eq!(json["lines"][0]["samples"][0]["date"], "2022-07-02");
}
