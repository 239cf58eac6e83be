//! Other modes, the period's end, the free slots, another allocation.

use crate::make::{contract, decimal, month, traffic, waves};
use livemeter_billing::contract::{DropRounding, Mode};
use livemeter_billing::simulate::{burst_budget, forecast, modes, reallocate};
use livemeter_billing::{Basis, Place, bill};
use proptest::prelude::*;

#[test]
fn every_mode_is_measured_and_the_cheapest_named() {
    let by_traffic = contract("id = \"by-traffic\"");
    let p95 = contract("id = \"p95\"\nmode = \"p95_month\"\nunit = \"Mbps\"\ntiers = [{ from = 0, price = 1 }]");
    let dollars = contract("id = \"dollars\"\ncurrency = \"USD\"\ntiers = [{ from = 0, price = \"0.00001\" }]");
    let period = month(&by_traffic);
    let side = traffic(Basis::Log, [(Place::ALL, waves(period.windows(), 1))]);
    let costs = modes(&[&by_traffic, &p95, &dollars], &period, &side).expect("costs");
    let priced: Vec<_> = costs.iter().map(|cost| (cost.contract.as_deref(), cost.cheapest)).collect();
    assert_eq!(priced[..3], [(Some("p95"), true), (Some("by-traffic"), false), (Some("dollars"), false)]);
    let rest: Vec<Mode> = costs[3..].iter().map(|cost| cost.mode).collect();
    assert_eq!(rest, [Mode::P95DayAvg, Mode::PeakDayAvg, Mode::Peak4Month, Mode::P95OffpeakHalf]);
    assert!(costs[3..].iter().all(|cost| cost.amount.is_none() && !cost.quantity.is_zero()));
    assert_eq!(costs[0].amount, Some(bill(&p95, &period, &side).expect("a bill").amount));
}

#[test]
fn the_forecast_is_the_same_for_the_same_seed_and_sure_at_the_end() {
    let contract = contract("");
    let period = month(&contract);
    let bytes = waves(period.windows(), 7);
    let at = |windows: usize, seed: u64| forecast(&period, &bytes[..windows], DropRounding::Floor, seed);
    assert_eq!(at(288 * 2 - 1, 1), None);
    let early = at(288 * 10 + 100, 1).expect("a forecast");
    assert_eq!(Some(&early), at(288 * 10 + 100, 1).as_ref());
    assert!(early.low_bps < early.p50_bps && early.p50_bps < early.high_bps, "{early:?}");
    assert_eq!((early.known, early.to_come), (2_980, 8_928 - 2_980));
    let end = at(period.windows(), 1).expect("a forecast");
    let mut sorted = bytes.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!((end.low_bps, end.high_bps, end.now_bps), (sorted[446] * 8 / 300, sorted[446] * 8 / 300, sorted[446] * 8 / 300));
}

/// Of a hundred months whose days go up and down by chance, forecast on the eleventh day.
#[test]
fn the_interval_holds_the_truth_about_as_often_as_it_says() {
    let contract = contract("");
    let period = month(&contract);
    let holds = |seed: &u64| {
        let bytes = waves(period.windows(), seed * 7_919 + 3);
        let found = forecast(&period, &bytes[..288 * 10], DropRounding::Floor, *seed).expect("a forecast");
        let truth = forecast(&period, &bytes, DropRounding::Floor, *seed).expect("a forecast").now_bps;
        found.low_bps <= truth && truth <= found.high_bps
    };
    let held = (0..100).filter(holds).count();
    println!("{held} of 100");
    assert!(held >= 80, "{held} of 100");
}

/// Two weeks that repeat themselves exactly leave nothing to guess.
#[test]
fn days_that_are_all_alike_are_forecast_to_the_byte() {
    let contract = contract("");
    let period = month(&contract);
    let day = waves(288, 3);
    let bytes: Vec<u64> = day.iter().cycle().take(288 * 14).copied().collect();
    let found = forecast(&period, &bytes, DropRounding::Floor, 5).expect("a forecast");
    assert_eq!((found.low_bps, found.high_bps), (found.p50_bps, found.p50_bps));
}

#[test]
fn the_burst_budget_counts_windows_above_the_level() {
    // 100 Mbit/s to the byte is no burst; one byte more is.
    let known = [vec![3_750_000_000; 10], vec![3_750_000_001; 440], vec![0; 50]].concat();
    let budget = burst_budget(8_928, &known, DropRounding::Floor, 100_000_000, 5);
    assert_eq!((budget.slots, budget.used, budget.left, budget.alert), (446, 440, 6, false));
    assert!(burst_budget(8_928, &known, DropRounding::Floor, 100_000_000, 6).alert);
    assert_eq!(burst_budget(8_640, &known, DropRounding::Floor, 100_000_000, 0).left, 0);
}

#[test]
fn another_allocation_is_billed_on_both_sides() {
    let (a, b) = (contract("id = \"a\""), contract("id = \"b\"\ntiers = [{ from = 0, price = \"0.1\" }]"));
    let period = a.period("2026-10-01..2026-10-01").expect("a day");
    let of = |bytes: u64| traffic(Basis::Log, [(Place::ALL, vec![bytes; 288])]);
    let found = reallocate((&a, &of(10_000_000_000)), (&b, &of(0)), &period, 25).expect("bills");
    assert_eq!(found.moved, 720_000_000_000);
    assert_eq!((found.from_before.amount, found.from_after.amount), (decimal("576.00"), decimal("432.00")));
    assert_eq!((found.to_before.amount, found.to_after.amount), (decimal("0.00"), decimal("72.00")));
}

proptest! {
    #[test]
    fn what_moves_is_the_share_of_each_window_and_nothing_is_lost(seed: u64, percent in 0_u32..=100) {
        let (a, b) = (contract("id = \"a\"\nsum_over = \"domain\""), contract("id = \"b\"\nsum_over = \"domain\""));
        let period = a.period("2026-10-01..2026-10-01").expect("a day");
        let domains = ["x", "y", "z"].into_iter().enumerate().map(|(i, name)| (Place::new(Some(name), None), waves(288, seed ^ i as u64)));
        let (from, to) = (traffic(Basis::Log, domains), traffic(Basis::Log, [(Place::new(Some("x"), None), waves(288, !seed))]));
        let found = reallocate((&a, &from), (&b, &to), &period, percent).expect("bills");
        let total = |bill: &livemeter_billing::Bill| bill.lines.iter().map(|line| line.bytes).sum::<u64>();
        let share: u64 = (0..288).map(|w| from.places.values().map(|series| series.bytes()[w]).sum::<u64>() * u64::from(percent) / 100).sum();
        prop_assert_eq!(found.moved, share);
        prop_assert_eq!(total(&found.from_after) + found.moved, total(&found.from_before));
        prop_assert_eq!(total(&found.to_before) + found.moved, total(&found.to_after));
        for (before, after) in found.from_before.lines.iter().zip(&found.from_after.lines) {
            let exact = u128::from(before.bytes) * u128::from(percent) / 100;
            prop_assert!((u128::from(before.bytes - after.bytes)).abs_diff(exact) <= 288);
        }
    }
}
