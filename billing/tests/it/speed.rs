//! A large month, measured on demand:
//! `cargo test --release -p livemeter-billing --test it speed -- --ignored --nocapture`

use crate::make::{contract, month, traffic, waves};
use livemeter_billing::contract::Mode;
use livemeter_billing::{Basis, Contract, Place, bill};
use std::time::{Duration, Instant};

const VENDORS: u64 = 50;
const DOMAINS: u64 = 200;

/// 50 vendors × 200 domains × 8,928 windows under every mode, with all steps told: at most a second of one core where
/// a vendor's account is billed as a whole. A bill of 200 lines each, one a domain, is measured beside it.
#[test]
#[ignore = "a measurement, worth doing in release"]
fn a_month_of_fifty_vendors_takes_a_second() {
    let of_mode = |sum_over: &str, mode: Mode| {
        let unit = if mode.is_bandwidth() { "Mbps" } else { "GB" };
        contract(&format!("mode = \"{}\"\nunit = \"{unit}\"\noverhead = \"1.1\"\nsum_over = \"{sum_over}\"", mode.name()))
    };
    let scopes = ["account", "domain"];
    let contracts: Vec<Contract> = scopes.iter().flat_map(|sum_over| Mode::ALL.map(|mode| of_mode(sum_over, mode))).collect();
    let period = month(&contracts[0]);
    let mut took = vec![Duration::ZERO; contracts.len()];
    let mut lines = 0;
    for vendor in 0..VENDORS {
        let place = |domain: u64| (Place::new(Some(&format!("d{domain}")), None), waves(period.windows(), vendor << 32 | domain));
        let side = traffic(Basis::Log, (0..DOMAINS).map(place));
        for (contract, sum) in contracts.iter().zip(&mut took) {
            let start = on_cpu();
            lines += bill(contract, &period, &side).expect("a bill").lines.len() as u64;
            *sum += on_cpu() - start;
        }
    }
    for (scope, took) in scopes.iter().zip(took.chunks(Mode::ALL.len())) {
        let by_mode: Vec<_> = Mode::ALL.iter().map(|mode| mode.name()).zip(took).collect();
        println!("{scope}: {:?} of CPU; {by_mode:?}", took.iter().sum::<Duration>());
    }
    assert_eq!(lines, VENDORS * (DOMAINS + 1) * 6);
    let account: Duration = took[..Mode::ALL.len()].iter().sum();
    assert!(account < Duration::from_secs(1), "{account:?}");
}

/// Time this thread spent on a CPU, where the system tells; else time that passed. Others may be using the machine.
fn on_cpu() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}
