//! Every split adds up: of each window, day and place, and of the whole, whatever the sides hold.

use crate::make::{contract, decimal, traffic};
use livemeter_billing::reconcile::{InvoiceLine, InvoiceSide, LogSide, Parts, Splits, Tail, Verdict};
use livemeter_billing::{Basis, Place, Series, Sides, Traffic, reconcile};
use proptest::prelude::*;

const WINDOWS: usize = 288 * 2;

fn places() -> impl Strategy<Value = Vec<(Place, Vec<u64>)>> {
    let place = prop::sample::subsequence(vec!["a", "b", "c"], 1..=3);
    (place, any::<u64>(), 0_u64..1 << 33).prop_map(|(names, seed, most)| {
        let bytes = |i: usize| crate::make::waves(WINDOWS, seed ^ i as u64).into_iter().map(|bytes| bytes % (most + 1)).collect();
        names.into_iter().enumerate().map(|(i, name)| (Place::new(Some(name), Some("cn")), bytes(i))).collect()
    })
}

fn tails() -> impl Strategy<Value = Vec<Tail>> {
    let tail = (0..WINDOWS, prop::option::of(0_u64..1 << 30), 0_u64..1 << 40, 0_u64..100_000).prop_map(
        |(window, logged_after, bytes, lived_ms)| Tail {
            place: Place::new(Some("a"), Some("cn")),
            window,
            logged_after,
            bytes,
            lived_ms,
            heartbeat_ms: 10_000,
        },
    );
    prop::collection::vec(tail, 0..20)
}

fn adds_up(parts: &Parts) -> bool {
    let told = parts.client + parts.log_overhead + parts.telemetry_loss.point + parts.without_sdk.unwrap_or_default();
    let loss = parts.telemetry_loss;
    parts.log.is_none_or(|log| told + parts.unexplained.expect("with a log") == log) && loss.low <= loss.point && loss.point <= loss.high
}

fn sum(parts: impl IntoIterator<Item = Parts>) -> (i64, i64, i64, i64, i64, i64, i64) {
    parts.into_iter().fold((0, 0, 0, 0, 0, 0, 0), |s, p| {
        let (without, left, log) = (p.without_sdk.unwrap_or_default(), p.unexplained.unwrap_or_default(), p.log.unwrap_or_default());
        (s.0 + p.client, s.1 + p.log_overhead, s.2 + p.telemetry_loss.point, s.3 + without, s.4 + left, s.5 + log, s.6 + p.overhead)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_waterfall_adds_up_exactly(
        client in places(), known in places(), unseen in places(), anonymous in places(), tails in tails(),
        has_log: bool, session_ids: bool, quantity in 0_u64..1 << 40, factors in 0_usize..3,
    ) {
        let factors = ["", "overhead = \"1.1\"", "overhead = \"1.073\"\nlog_overhead = \"1.0137\""][factors];
        let contract = contract(factors);
        let period = contract.period("2026-10-01..2026-10-02").expect("days");
        let client = traffic(Basis::Client, client);
        let mut log = LogSide::new(session_ids);
        log.anonymous = traffic(Basis::Log, anonymous);
        if session_ids {
            (log.known, log.unseen) = (traffic(Basis::Log, known), traffic(Basis::Log, unseen));
        }
        let line = InvoiceLine {
            row: 2, item: "traffic".into(), place: Place::ALL, from_ms: period.start_ms(), to_ms: period.end_ms(),
            quantity: Some(rust_decimal::Decimal::new(quantity as i64, 6)), unit: Some("GB".into()), price: None, amount: decimal("12.34"),
        };
        let invoice = InvoiceSide { currency: "CNY".into(), lines: vec![line] };
        let sides = Sides {
            contract: &contract, period: &period, client: &client, log: has_log.then_some(&log), tails: &tails,
            invoice: Some(&invoice), utc: None,
        };
        let checked = reconcile(&sides).expect("compared");
        prop_assert!(adds_up(&checked.total));
        prop_assert!(checked.days.iter().all(|day| adds_up(&day.parts)) && checked.places.iter().all(|place| adds_up(&place.parts)));
        let whole = sum([checked.total]);
        prop_assert_eq!(sum(checked.days.iter().map(|day| day.parts)), whole);
        prop_assert_eq!(sum(checked.places.iter().map(|place| place.parts)), whole);
        let windows = Splits::new(&sides).expect("split").windows(0..WINDOWS).expect("fits");
        prop_assert!(windows.iter().all(adds_up));
        prop_assert_eq!(sum(windows), whole);
        prop_assert_eq!(checked.total.client as u128, client.bytes(&Place::ALL, 0..WINDOWS));
        prop_assert_eq!(checked.total.without_sdk.is_some(), has_log && session_ids);
        // Each total is the one before and the steps between.
        let mut reached = 0;
        for step in &checked.waterfall {
            let bytes = step.bytes.expect("bytes are billed");
            if step.is_total && step.step != "client" {
                prop_assert_eq!(reached, bytes, "{}", step.step);
            }
            reached = if step.is_total { bytes } else { reached + bytes };
        }
        prop_assert_eq!(checked.waterfall.last().map(|step| step.step), Some("invoice"));
        prop_assert_eq!(reached, (quantity * 1_000) as i64);
    }
}

/// Where a log tells domains and the ledger does not, both are compared without: else the same bytes stood against each other.
#[test]
fn places_are_compared_as_both_sides_tell_them() {
    let contract = contract("");
    let period = contract.period("2026-10-01..2026-10-02").expect("days");
    let client = traffic(Basis::Client, [(Place::new(None, Some("cn")), vec![90; WINDOWS])]);
    let mut log = LogSide::new(false);
    log.anonymous = traffic(
        Basis::Log,
        [(Place::new(Some("a"), Some("cn")), vec![40; WINDOWS]), (Place::new(Some("b"), Some("cn")), vec![60; WINDOWS])],
    );
    let sides = Sides { contract: &contract, period: &period, client: &client, log: Some(&log), tails: &[], invoice: None, utc: None };
    let checked = reconcile(&sides).expect("compared");
    let [only] = checked.places.as_slice() else { panic!("{} places", checked.places.len()) };
    assert_eq!((only.parts.client, only.parts.log, only.parts.unexplained), (90 * 576, Some(100 * 576), Some(10 * 576)));
    assert_eq!(checked.verdict, Verdict::Incomplete);
    assert!(checked.waterfall.iter().any(|step| step.step == "without_sdk_or_unexplained"));
}

/// What each part is made of, with figures small enough to follow.
#[test]
fn parts_are_what_their_names_say() {
    let contract = contract("overhead = \"1.1\"\ntolerance = { share = \"0.05\" }");
    let period = contract.period("2026-10-01..2026-10-01").expect("a day");
    let one = |basis, bytes: u64| {
        let mut series = Series::zeros(&period);
        series.add(7, bytes).expect("fits");
        let mut side = Traffic::new(basis);
        side.places.insert(Place::ALL, series);
        side
    };
    let log = LogSide { session_ids: true, known: one(Basis::Log, 1_030), unseen: one(Basis::Log, 200), anonymous: one(Basis::Log, 300) };
    let tail = |logged_after| Tail { place: Place::ALL, window: 7, logged_after, bytes: 4_000, lived_ms: 40_000, heartbeat_ms: 10_000 };
    let client = one(Basis::Client, 1_000);
    let exact = [tail(Some(20))];
    let sides = Sides { contract: &contract, period: &period, client: &client, log: Some(&log), tails: &exact, invoice: None, utc: None };
    let parts = reconcile(&sides).expect("compared").total;
    assert_eq!((parts.client, parts.telemetry_loss.point, parts.without_sdk, parts.unexplained), (1_000, 220, Some(300), Some(10)));
    assert!(parts.telemetry_loss.is_exact());
    assert_eq!((parts.log, parts.overhead), (Some(1_530), 153));
    let mut blind = LogSide::new(false);
    blind.anonymous = one(Basis::Log, 1_530);
    let guessed = [tail(None)];
    let parts = reconcile(&Sides { log: Some(&blind), tails: &guessed, ..sides }).expect("compared").total;
    assert_eq!((parts.telemetry_loss.low, parts.telemetry_loss.point, parts.telemetry_loss.high), (0, 500, 1_000));
    assert_eq!((parts.without_sdk, parts.unexplained), (None, Some(30)));
    let days = reconcile(&Sides { log: Some(&blind), tails: &guessed, ..sides }).expect("compared").days;
    assert_eq!((days[0].verdict, days[0].peak_bps), (Verdict::WithinTolerance, 1_530 * 8 / 300));
}
