//! A large month, measured on demand:
//! `cargo test --release -p livemeter-billing --test it speed -- --ignored --nocapture`

use crate::make::{contract, month, traffic, waves};
use livemeter_billing::contract::Mode;
use livemeter_billing::{Basis, Contract, Place, bill};
use std::time::{Duration, Instant};

const VENDORS: u64 = 50;
const DOMAINS: u64 = 200;

/// 50 vendors × 200 domains × 8,928 windows, every mode, a bill of 200 lines each: at most a second on one core.
#[test]
#[ignore = "a measurement, worth doing in release"]
fn a_month_of_fifty_vendors_takes_a_second() {
    let of_mode = |mode: Mode| {
        let unit = if mode.is_bandwidth() { "Mbps" } else { "GB" };
        contract(&format!("mode = \"{}\"\nunit = \"{unit}\"\noverhead = \"1.1\"\nsum_over = \"domain\"", mode.name()))
    };
    let contracts: Vec<Contract> = Mode::ALL.into_iter().map(of_mode).collect();
    let period = month(&contracts[0]);
    let (mut took, mut lines) = (Duration::ZERO, 0);
    let mut by_mode = vec![Duration::ZERO; contracts.len()];
    for vendor in 0..VENDORS {
        let place = |domain: u64| (Place::new(Some(&format!("d{domain}")), None), waves(period.windows(), vendor << 32 | domain));
        let side = traffic(Basis::Log, (0..DOMAINS).map(place));
        for (contract, sum) in contracts.iter().zip(&mut by_mode) {
            let start = Instant::now();
            lines += bill(contract, &period, &side).expect("a bill").lines.len();
            *sum += start.elapsed();
        }
    }
    took += by_mode.iter().sum();
    println!("{lines} lines in {took:?}; by mode: {:?}", Mode::ALL.iter().map(|mode| mode.name()).zip(&by_mode).collect::<Vec<_>>());
    assert_eq!(lines as u64, VENDORS * DOMAINS * 6);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
