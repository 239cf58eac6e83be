//! What is refused of a contract's text: each refusal names the field, the line, and the limit where there is one.

use livemeter_billing::Contract;
use livemeter_billing::contract::{Mode, Reason, SumOver, TEXT_BYTES_MAX, TIERS_MAX};

const GOOD: &str = r#"id = "aliyun-live"
version = 3
vendor = "aliyun"
currency = "CNY"
zone = "Asia/Shanghai"
valid_from = "2026-01-01"
valid_to = "2026-12-31"
scopes = [{ cdn = "ali", domain = "live.example" }, { cdn = "ali-2" }]
mode = "traffic"
sum_over = "account"
unit = "GB"
overhead = "1.1"
tiers_apply = "progressive"
tiers = [
  { from = 0, up_to = 10000, price = "0.2" },
  { from = 10000, up_to = "50000.5", price = "0.15" },
  { from = "50000.5", price = "0.1" },
]
percentile = { rounding = "floor" }
commit = { quantity = 100, overage_price = "0.3" }
money = { rounding = "half_even", per = "total" }
tolerance = { share = "0.02", absolute = 10 }
"#;

#[test]
fn a_good_contract_is_read() {
    let contract = Contract::parse(GOOD).expect("a contract");
    assert_eq!((contract.mode, contract.sum_over, contract.minor_digits), (Mode::Traffic, SumOver::Account, 2));
    assert_eq!(contract.cdns(), ["ali", "ali-2"]);
    assert!(contract.has("ali", Some("live.example"), None) && contract.has("ali", None, Some("cn")));
    assert!(!contract.has("ali", Some("other.example"), None) && !contract.has("b", None, None));
    assert!(contract.has("ali-2", Some("other.example"), None));
}

/// The good text with one thing changed: refused with this field, on this line, and these words.
#[track_caller]
fn refused(old: &str, new: &str, field: &str, line: usize, words: &str) {
    assert!(GOOD.contains(old), "{old:?} is no part of the text");
    let refusal = Contract::parse(&GOOD.replacen(old, new, 1)).expect_err("this is refused");
    assert_eq!((refusal.field.as_str(), refusal.line), (field, line), "{refusal}");
    let told = refusal.to_string();
    assert!(told.contains(words), "{told:?} lacks {words:?}");
}

#[test]
fn tiers_that_overlap_or_leave_gaps_are_refused() {
    refused("from = 10000", "from = 9000", "tiers[1].from", 16, "9000 overlaps the tier before, which ends at 10000");
    refused("from = 10000", "from = 10001", "tiers[1].from", 16, "10001 leaves a gap: the tier before ends at 10000");
    refused("from = 0,", "from = 1,", "tiers[0].from", 15, "gap");
    refused("up_to = 10000, ", "", "tiers[1].from", 16, "ends at no end");
    refused("up_to = \"50000.5\"", "up_to = 10000", "tiers[1].up_to", 16, "10000 lies before 10000");
    refused("from = \"50000.5\"", "from = \"50000.5\", up_to = 60000", "tiers", 14, "beyond it there is no price");
}

#[test]
fn what_is_unknown_is_refused() {
    refused("unit = \"GB\"", "unit = \"GBit\"", "unit", 11, "known are GB, GiB");
    refused("Asia/Shanghai", "Asia/Peking", "zone", 5, "\"Asia/Peking\" is unknown");
    refused("CNY", "RMB", "currency", 4, "ISO 4217");
    refused("\"traffic\"", "\"p96_month\"", "mode", 9, "p95_month");
    refused("version = 3", "version = 3\ndiscount = 5", "discount", 3, "unknown field");
    refused("price = \"0.2\"", "price = \"0.2\", cost = 1", "cost", 15, "unknown field");
    refused("zone = \"Asia/Shanghai\"\n", "", "zone", 1, "missing field");
}

#[test]
fn what_makes_no_sense_is_refused() {
    refused("price = \"0.15\"", "price = \"-0.15\"", "tiers[1].price", 16, "-0.15 is negative");
    refused("2026-12-31", "2025-12-31", "valid_to", 7, "2025-12-31 lies before 2026-01-01");
    refused("2026-01-01", "2026-02-30", "valid_from", 6, "no date");
    refused("overhead = \"1.1\"", "overhead = \"0.9\"", "overhead", 12, "1 to 2");
    refused("unit = \"GB\"", "unit = \"Mbps\"", "unit", 11, "does not go with mode traffic");
    refused("\"account\"", "\"region\"", "commit", 20, "needs sum_over");
    refused("share = \"0.02\"", "share = 2", "tolerance.share", 22, "limit of 1");
    refused("aliyun-live", "Aliyun live", "id", 1, "small letters");
}

/// A float has lost digits before anyone can look at it.
#[test]
fn floats_are_refused() {
    refused("price = \"0.2\"", "price = 0.2", "price", 15, "a decimal in quotes");
    refused("overhead = \"1.1\"", "overhead = 1.1", "overhead", 12, "a decimal in quotes");
    refused("price = \"0.2\"", "price = \"1e3\"", "price", 15, "a decimal in quotes");
}

#[test]
fn what_is_too_large_is_refused() {
    let tiers: Vec<String> = (0..=TIERS_MAX).map(|i| format!("{{ from = {i}, up_to = {}, price = 1 }}", i + 1)).collect();
    let (head, tail) = GOOD.split_once("tiers = [").expect("tiers");
    let (_, tail) = tail.split_once("\n]\n").expect("their end");
    let refusal = Contract::parse(&format!("{head}tiers = [{}]\n{tail}", tiers.join(", "))).expect_err("too many");
    assert_eq!(refusal.field, "tiers");
    assert_eq!(refusal.reason, Reason::Limit { size: "65".into(), limit: "64".into(), of: "entries" });
    let refusal = Contract::parse(&format!("{GOOD}#{}", "x".repeat(TEXT_BYTES_MAX))).expect_err("too long");
    assert_eq!((refusal.field.as_str(), refusal.line), ("text", 1));
    refused("price = \"0.2\"", "price = \"0.0000000000001\"", "tiers[0].price", 15, "12 decimals");
}

/// What the console offers a newcomer to begin with must be taken as it stands.
#[test]
fn the_consoles_example_is_a_contract() {
    let example = include_str!("../../../web/src/bill/example.toml");
    let contract = Contract::parse(example).expect("the example is valid");
    assert_eq!((contract.mode, contract.tariff.tiers[&None].len()), (Mode::P95Month, 2));
}
