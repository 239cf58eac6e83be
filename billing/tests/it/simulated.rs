//! Other modes, the period's end, the free slots, another allocation.

use crate::make::{contract, month, traffic, waves};
use livemeter_billing::contract::{DropRounding, Mode};
use livemeter_billing::simulate::{AllocationError, Plan, Share, burst_budget, committed_bps, forecast, modes, reached_bps, reallocate};
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
    let budget = burst_budget(8_928, &known, DropRounding::Floor, 100_000_000, percent("1.34"));
    assert_eq!((budget.slots, budget.used, budget.left, budget.alert), (446, 440, 6, false));
    // 6 of 446 are 1.345… %.
    assert!(burst_budget(8_928, &known, DropRounding::Floor, 100_000_000, percent("1.35")).alert);
    // A tenth of a day's 14 slots is not a tenth of a month's 446.
    let day = |bursts: usize| burst_budget(288, &vec![3_750_000_001; bursts], DropRounding::Floor, 100_000_000, percent("10"));
    assert_eq!((day(12).alert, day(13).alert), (false, true));
    assert_eq!(burst_budget(8_640, &known, DropRounding::Floor, 100_000_000, Share::ALL).left, 0);
}

#[test]
fn a_minimum_is_the_bandwidth_that_counted_bytes_may_reach() {
    let fields = "mode = \"p95_month\"\nunit = \"Mbps\"\noverhead = \"1.1\"\nlog_overhead = \"1.25\"\ncommit = { quantity = \"110\" }";
    let by = |contract: &livemeter_billing::Contract, basis| committed_bps(contract, basis).expect("a figure");
    assert_eq!((by(&contract(fields), Basis::Log), by(&contract(fields), Basis::Client)), (Some(100_000_000), Some(80_000_000)));
    assert_eq!(by(&contract("commit = { quantity = \"110\" }"), Basis::Log), None);
    assert_eq!(by(&contract("mode = \"p95_month\"\nunit = \"Mbps\""), Basis::Log), None);
    // Of twenty samples one is dropped.
    let windows: Vec<u64> = (1..=20).map(|n| n * 37_500_000).collect();
    assert_eq!(reached_bps(&windows, DropRounding::Floor), 19_000_000);
}

fn percent(text: &str) -> Share {
    Share::parse(text).expect("a share")
}

fn moves(share: Share) -> Plan {
    Plan::Shift { from: 0, to: 1, share }
}

#[test]
fn another_allocation_is_billed_on_all_sides() {
    let (a, b) = (contract("id = \"a\""), contract("id = \"b\"\ntiers = [{ from = 0, price = \"0.1\" }]"));
    let period = a.period("2026-10-01..2026-10-01").expect("a day");
    let of = |bytes: u64| traffic(Basis::Log, [(Place::ALL, vec![bytes; 288])]);
    let (had, nothing) = (of(10_000_000_000), of(0));
    let amounts = |bills: &[livemeter_billing::Bill]| bills.iter().map(|bill| bill.amount.to_string()).collect::<Vec<_>>();
    let sides = [(&a, &had), (&b, &nothing)];
    let found = reallocate(&sides, &period, &moves(percent("25"))).expect("bills");
    assert_eq!(found.moved, 720_000_000_000);
    assert_eq!(
        (amounts(&found.before), amounts(&found.after)),
        (vec!["576.00".into(), "0.00".into()], vec!["432.00".into(), "72.00".into()])
    );
    // The same, told as shares of all.
    let shares = |parts: &[&str]| Plan::Shares(parts.iter().map(|part| percent(part)).collect());
    let same = reallocate(&sides, &period, &shares(&["75", "25"])).expect("bills");
    assert_eq!((same.moved, amounts(&same.after)), (found.moved, amounts(&found.after)));

    let refused = |plan: &Plan| reallocate(&sides, &period, plan).expect_err("a refusal");
    assert_eq!(refused(&shares(&["75", "24.99"])), AllocationError::Incomplete);
    assert_eq!(refused(&shares(&["100"])), AllocationError::Plan);
    assert_eq!(refused(&Plan::Shift { from: 0, to: 0, share: Share::ALL }), AllocationError::Plan);
    assert_eq!(refused(&Plan::Shift { from: 0, to: 2, share: Share::ALL }), AllocationError::Plan);
    let counted = traffic(Basis::Client, [(Place::ALL, vec![1; 288])]);
    let mixed = reallocate(&[(&a, &had), (&b, &counted)], &period, &moves(Share::ALL));
    assert_eq!(mixed.expect_err("a refusal"), AllocationError::Basis);
}

/// Three domains of one contract beside one of another.
fn domains(seed: u64) -> [livemeter_billing::Traffic; 2] {
    let place = |name: &str| Place::new(Some(name), None);
    let from = ["x", "y", "z"].into_iter().enumerate().map(|(i, name)| (place(name), waves(288, seed ^ i as u64)));
    [traffic(Basis::Log, from), traffic(Basis::Log, [(place("x"), waves(288, !seed))])]
}

proptest! {
    #[test]
    fn what_moves_is_the_share_of_each_window_and_nothing_is_lost(seed: u64, hundredths in 0_u32..=10_000) {
        let (a, b) = (contract("id = \"a\"\nsum_over = \"domain\""), contract("id = \"b\"\nsum_over = \"domain\""));
        let period = a.period("2026-10-01..2026-10-01").expect("a day");
        let [from, to] = domains(seed);
        let share = percent(&format!("{}.{:02}", hundredths / 100, hundredths % 100));
        let found = reallocate(&[(&a, &from), (&b, &to)], &period, &moves(share)).expect("bills");
        let total = |bill: &livemeter_billing::Bill| bill.lines.iter().map(|line| line.bytes).sum::<u64>();
        let bytes = |w: usize| from.places.values().map(|series| series.bytes()[w]).sum::<u64>();
        let moved: u64 = (0..288).map(|w| bytes(w) * u64::from(hundredths) / 10_000).sum();
        prop_assert_eq!(found.moved, moved);
        prop_assert_eq!(total(&found.after[0]) + found.moved, total(&found.before[0]));
        prop_assert_eq!(total(&found.before[1]) + found.moved, total(&found.after[1]));
        for (before, after) in found.before[0].lines.iter().zip(&found.after[0].lines) {
            let exact = u128::from(before.bytes) * u128::from(hundredths) / 10_000;
            prop_assert!((u128::from(before.bytes - after.bytes)).abs_diff(exact) <= 288);
        }
    }

    #[test]
    fn shares_are_of_all_bytes_of_each_place_and_nothing_is_lost(seed: u64, hundredths in 0_u32..=10_000) {
        let (a, b) = (contract("id = \"a\"\nsum_over = \"domain\""), contract("id = \"b\"\nsum_over = \"domain\""));
        let period = a.period("2026-10-01..2026-10-01").expect("a day");
        let [one, other] = domains(seed);
        let share = |hundredths: u32| percent(&format!("{}.{:02}", hundredths / 100, hundredths % 100));
        let plan = Plan::Shares(vec![share(hundredths), share(10_000 - hundredths)]);
        let found = reallocate(&[(&a, &one), (&b, &other)], &period, &plan).expect("bills");
        let of = |bills: &[livemeter_billing::Bill], domain: &str| -> Vec<u64> {
            let lines = |bill: &livemeter_billing::Bill| bill.lines.iter().filter(|l| l.place.domain.as_deref() == Some(domain)).map(|l| l.bytes).sum();
            bills.iter().map(lines).collect()
        };
        let mut gained = 0;
        for domain in ["x", "y", "z"] {
            let (before, after) = (of(&found.before, domain), of(&found.after, domain));
            let all: u64 = before.iter().sum();
            prop_assert_eq!(all, after.iter().sum::<u64>());
            prop_assert!((u128::from(after[0]) * 10_000).abs_diff(u128::from(all) * u128::from(hundredths)) <= 288 * 10_000);
            gained += before.iter().zip(&after).map(|(before, after)| after.saturating_sub(*before)).sum::<u64>();
        }
        // Within a day one contract may give at noon what it takes at night.
        prop_assert!(found.moved >= gained);
    }
}
