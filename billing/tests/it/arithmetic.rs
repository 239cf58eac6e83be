//! Laws of the arithmetic, each checked against a slower way to the same figure.

use crate::make::{contract, decimal, month, traffic};
use livemeter_billing::bill::percentile;
use livemeter_billing::bill::price::Prices;
use livemeter_billing::contract::{AtBoundary, DropRounding, Tier, TiersApply};
use livemeter_billing::exact::{Exact, Rounding};
use livemeter_billing::{Basis, Period, Place, bill};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    prop::collection::vec((1_u32..5_000, 0_u32..10_000), 1..8).prop_map(|parts| {
        let (mut from, last) = (Decimal::ZERO, parts.len() - 1);
        let tier = |(i, (width, price)): (usize, (u32, u32))| {
            let up_to = from + Decimal::new(i64::from(width), 1);
            let tier = Tier { from, up_to: (i < last).then_some(up_to), price: Decimal::new(i64::from(price), 4) };
            from = up_to;
            tier
        };
        parts.into_iter().enumerate().map(tier).collect()
    })
}

fn prices(tiers: &[Tier], apply: TiersApply) -> Prices<'_> {
    Prices { tiers, apply, at_boundary: AtBoundary::LowerTier, commit: None, free: None, share: Exact::ONE }
}

proptest! {
    #[test]
    fn the_percentile_is_that_of_a_full_sort(mut samples in prop::collection::vec(0_u64..50, 1..600), ceil: bool) {
        let rounding = if ceil { DropRounding::Ceil } else { DropRounding::Floor };
        let dropped = percentile::dropped(samples.len(), rounding);
        // Stable, by value alone: the earlier of equals stands before the later.
        let mut order: Vec<usize> = (0..samples.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(samples[*i]));
        let found = percentile::found(&samples, dropped);
        prop_assert_eq!(found.place, order[dropped]);
        let mut expected: Vec<u32> = order[..dropped].iter().map(|i| *i as u32).collect();
        expected.sort_unstable();
        prop_assert_eq!(found.dropped, expected);
        let billed = samples[order[dropped]];
        prop_assert_eq!(found.billed, billed);
        prop_assert_eq!(percentile::billed(&mut samples, dropped), billed);
    }

    /// Unit by unit: each hundredth of a unit is priced by the tier that it lies in.
    #[test]
    fn progressive_tiers_are_the_sum_of_small_pieces(tiers in tiers(), hundredths in 0_u32..200_000) {
        let amount = prices(&tiers, TiersApply::Progressive).amount(Exact::from(Decimal::new(i64::from(hundredths), 2))).expect("fits");
        let mut sum = Decimal::ZERO;
        // Widths are tenths, so each tenth lies in one tier; the rest of the last tenth too.
        for tenth in 0..=hundredths / 10 {
            let at = Decimal::new(i64::from(tenth), 1);
            let tier = tiers.iter().find(|tier| tier.from <= at && tier.up_to.is_none_or(|up_to| at < up_to)).expect("a tier");
            let piece = if tenth == hundredths / 10 { hundredths % 10 } else { 10 };
            sum += tier.price * Decimal::new(i64::from(piece), 2);
        }
        prop_assert_eq!(amount, Exact::from(sum));
    }

    #[test]
    fn the_reached_tier_prices_all(tiers in tiers(), tenths in 0_u32..40_000) {
        let quantity = Decimal::new(i64::from(tenths), 1);
        let tier = tiers.iter().rev().find(|tier| quantity > tier.from).unwrap_or(&tiers[0]);
        let amount = prices(&tiers, TiersApply::Reached).amount(quantity.into()).expect("fits");
        prop_assert_eq!(amount, Exact::from(quantity * tier.price));
    }

    #[test]
    fn more_bytes_never_cost_less(bytes in prop::collection::vec(0_u64..1 << 40, 288), more in 0_u64..1 << 42, window in 0_usize..288) {
        let contract = contract("tiers = [{ from = 0, up_to = 50, price = \"0.3\" }, { from = 50, up_to = 9000, price = \"0.2\" }, { from = 9000, price = \"0.01\" }]\noverhead = \"1.1\"\ncommit = { quantity = 20, overage_price = \"0.4\" }");
        let period = contract.period("2026-10-01..2026-10-01").expect("a day");
        let of = |bytes: Vec<u64>| bill(&contract, &period, &traffic(Basis::Log, [(Place::ALL, bytes)])).expect("a bill").amount;
        let mut larger = bytes.clone();
        larger[window] += more;
        prop_assert!(of(larger) >= of(bytes));
    }

    /// Summed first, then the percentile: whatever the parts, an account's bill is that of its sum.
    #[test]
    fn percentiles_are_of_sums(a in prop::collection::vec(0_u64..1 << 34, 288), b in prop::collection::vec(0_u64..1 << 34, 288)) {
        let fields = "mode = \"p95_month\"\nunit = \"Mbps\"";
        let account = contract(fields);
        let period = account.period("2026-10-01..2026-10-01").expect("a day");
        let places = [(Place::new(Some("a"), None), a.clone()), (Place::new(Some("b"), None), b.clone())];
        let parted = bill(&account, &period, &traffic(Basis::Log, places.clone())).expect("a bill");
        let sum = a.iter().zip(&b).map(|(a, b)| a + b).collect();
        let whole = bill(&account, &period, &traffic(Basis::Log, [(Place::ALL, sum)])).expect("a bill");
        prop_assert_eq!(parted.amount, whole.amount);
        let domains = bill(&contract(&format!("{fields}\nsum_over = \"domain\"")), &period, &traffic(Basis::Log, places)).expect("a bill");
        prop_assert_eq!(domains.lines.len(), 2);
    }

    #[test]
    fn fractions_round_as_decimals_do(value in -1_000_000_i64..1_000_000, decimals in 0_u32..4) {
        use rust_decimal::RoundingStrategy as By;
        let decimal = Decimal::new(value, 4);
        let rules = [(Rounding::HalfUp, By::MidpointAwayFromZero), (Rounding::HalfEven, By::MidpointNearestEven), (Rounding::Down, By::ToZero), (Rounding::Up, By::AwayFromZero)];
        for (rule, by) in rules {
            prop_assert_eq!(Exact::from(decimal).round(decimals, rule).expect("fits"), decimal.round_dp_with_strategy(decimals, by));
        }
    }
}

#[test]
fn lines_or_the_total_are_rounded_as_the_contract_says() {
    let fields = |per: &str| {
        format!("sum_over = \"domain\"\nmoney = {{ rounding = \"half_up\", per = \"{per}\" }}\ntiers = [{{ from = 0, price = \"0.125\" }}]")
    };
    let amount = |per: &str| {
        let contract = contract(&fields(per));
        let period = contract.period("2026-10-01..2026-10-01").expect("a day");
        let one = |domain: &str| (Place::new(Some(domain), None), [vec![1_000_000_000], vec![0; 287]].concat());
        bill(&contract, &period, &traffic(Basis::Log, ["a", "b", "c"].map(one))).expect("a bill").amount
    };
    assert_eq!((amount("line"), amount("total")), (decimal("0.39"), decimal("0.38")));
}

#[test]
fn prices_by_region_and_regions_without_one() {
    let priced = contract(
        "sum_over = \"region\"\ntiers = [{ region = \"cn\", from = 0, price = 2 }, { region = \"us\", from = 0, up_to = 1, price = 3 }, { region = \"us\", from = 1, price = 1 }]",
    );
    let period = priced.period("2026-10-01..2026-10-01").expect("a day");
    let one = |region: &str| (Place::new(Some("d"), Some(region)), [vec![3_000_000_000], vec![0; 287]].concat());
    let two = bill(&priced, &period, &traffic(Basis::Log, ["cn", "us"].map(one))).expect("a bill");
    assert_eq!(two.amount, decimal("11.00"));
    let error = bill(&priced, &period, &traffic(Basis::Log, ["eu"].map(one))).expect_err("no price");
    assert_eq!(error.to_string(), "bill: the contract has no price for region \"eu\"");
}

#[test]
fn a_clients_bytes_become_logged_ones_first() {
    let contract = contract("overhead = \"1.1\"\nlog_overhead = \"1.02\"");
    let period = month(&contract);
    let of =
        |basis| bill(&contract, &period, &traffic(basis, [(Place::ALL, vec![1_000_000_000; 8_928])])).expect("a bill").lines[0].quantity;
    assert_eq!(of(Basis::Log), decimal("9820.8"));
    assert_eq!(of(Basis::Client), decimal("10017.216"));
}

#[test]
fn a_bill_wants_its_own_days_and_windows() {
    let dated = contract("valid_to = \"2026-10-15\"");
    let whole = Period::parse(dated.zone, "2026-10").expect("a month");
    let some = traffic(Basis::Log, [(Place::ALL, vec![0; whole.windows()])]);
    assert!(bill(&dated, &whole, &some).is_err_and(|e| e.to_string().contains("2026-10-31")));
    assert!(bill(&dated, &dated.period("2026-10").expect("a part"), &some).is_err_and(|e| e.to_string().contains("8928 windows")));
    let utc = Period::parse(chrono_tz::Tz::UTC, "2026-10-01..2026-10-02").expect("days");
    assert!(bill(&dated, &utc, &some).is_err_and(|e| e.to_string().contains("Asia/Shanghai")));
}
