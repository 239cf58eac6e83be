//! Errors planted in invoices: each is named, with its row, day and money; and where nothing is planted, nothing is named.

use crate::make::{contract, decimal, says_the_same, traffic, waves};
use livemeter_billing::reconcile::{CauseKind, InvoiceLine, InvoiceSide, LogSide, ReconcileError, Reconciliation, Tail, Verdict};
use livemeter_billing::{Basis, Contract, Period, Place, Sides, Traffic, bill, reconcile};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

const TIERED: &str = "overhead = \"1.1\"\ntolerance = { share = \"0.01\" }\ntiers = [{ from = 0, up_to = 2000, price = \"0.25\" }, { from = 2000, price = \"0.2\" }]";
const REACHED: &str = "mode = \"p95_month\"\nunit = \"Mbps\"\noverhead = \"1.08\"\ntolerance = { share = \"0.01\" }\ntiers_apply = \"reached\"\n\
    tiers = [{ from = 0, up_to = 20, price = 30 }, { from = 20, up_to = 100, price = 25 }, { from = 100, price = 20 }]";

struct Case {
    contract: Contract,
    period: Period,
    client: Traffic,
    log: LogSide,
    utc: Traffic,
}

impl Case {
    fn new(fields: &str, seed: u64) -> Case {
        let contract = contract(fields);
        let period = contract.period("2026-10").expect("a month");
        // Eight hours more, since UTC's month ends later.
        let all = waves(period.windows() + 96, seed);
        let of = |basis, bytes: &[u64]| traffic(basis, [(Place::ALL, bytes.to_vec())]);
        let mut log = LogSide::new(false);
        log.anonymous = of(Basis::Log, &all[..period.windows()]);
        let utc = of(Basis::Log, &all[96..]);
        let client = of(Basis::Client, &all[..period.windows()]);
        Case { contract, period, client, log, utc }
    }

    fn check(&self, lines: Vec<InvoiceLine>) -> Reconciliation {
        let invoice = InvoiceSide { currency: self.contract.currency.clone(), lines };
        let tails: [Tail; 0] = [];
        let (contract, period) = (&self.contract, &self.period);
        let sides = Sides {
            contract,
            period,
            client: &self.client,
            log: Some(&self.log),
            tails: &tails,
            invoice: Some(&invoice),
            utc: Some(&self.utc),
        };
        reconcile(&sides).expect("compared")
    }

    /// Quantity of some days as an honest vendor writes it, and the whole's amount by its own arithmetic.
    fn quantity(&self, days: std::ops::Range<usize>) -> Decimal {
        let days = &self.period.days()[days];
        let windows = days[0].first..days[days.len() - 1].range().end;
        let bytes = Decimal::from(self.log.anonymous.bytes(&Place::ALL, windows) as u64);
        bytes * self.contract.overhead / Decimal::from(self.contract.unit.size() as i64)
    }

    fn whole(&self) -> (Decimal, Decimal) {
        let bill = bill(&self.contract, &self.period, &self.log.anonymous).expect("a bill");
        (bill.lines[0].quantity, bill.amount)
    }

    /// What a used quantity costs: by hand, for the two price lists of this file.
    fn price(&self, used: Decimal) -> Decimal {
        let amount = match self.contract.mode.is_bandwidth() {
            true if used <= decimal("20") => used * decimal("30"),
            true if used <= decimal("100") => used * decimal("25"),
            true => used * decimal("20"),
            false => used.min(decimal("2000")) * decimal("0.25") + (used - decimal("2000")).max(Decimal::ZERO) * decimal("0.2"),
        };
        cents(amount)
    }

    fn line(&self, row: u64, days: std::ops::Range<usize>, quantity: Decimal, amount: Decimal) -> InvoiceLine {
        let days = &self.period.days()[days];
        let (first, last) = (days[0].range().start, days[days.len() - 1].range().end);
        InvoiceLine {
            row,
            item: "CDN".into(),
            place: Place::ALL,
            from_ms: self.period.window_ms(first),
            to_ms: self.period.window_ms(last),
            quantity: Some(quantity.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero)),
            unit: Some(self.contract.unit.name().into()),
            price: None,
            amount,
        }
    }

    fn month(&self, quantity: Decimal) -> Vec<InvoiceLine> {
        vec![self.line(2, 0..31, quantity, self.price(quantity))]
    }
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

#[track_caller]
fn names(checked: &Reconciliation, kinds: &[CauseKind]) {
    let found: Vec<CauseKind> = checked.causes.iter().map(|cause| cause.cause).collect();
    assert_eq!(found, kinds, "{:#?}", checked.causes);
    assert_eq!(checked.verdict, Verdict::Disputed);
    checked.causes.iter().for_each(|cause| says_the_same(&cause.evidence));
}

fn gib() -> Decimal {
    decimal("1.073741824")
}

#[test]
fn an_honest_invoice_is_ok_and_has_no_cause() {
    for fields in [TIERED, REACHED] {
        let case = Case::new(fields, 1);
        let (quantity, amount) = case.whole();
        let checked = case.check(vec![case.line(2, 0..31, quantity, amount)]);
        assert_eq!((checked.verdict, checked.lines[0].difference), (Verdict::Ok, Some(Decimal::ZERO)));
        assert_eq!(case.price(quantity), amount);
        assert!(checked.causes.is_empty());
    }
}

#[test]
fn the_wrong_unit_is_named() {
    let case = Case::new(TIERED, 2);
    let (quantity, amount) = case.whole();
    for wrong in [quantity * gib(), quantity / gib()] {
        let checked = case.check(case.month(wrong));
        names(&checked, &[CauseKind::WrongUnit]);
        assert_eq!(checked.causes[0].amount, case.price(wrong) - amount);
        assert!(checked.causes[0].evidence.en.contains("1000000000") && checked.causes[0].evidence.en.contains("1073741824"));
    }
    let case = Case::new(REACHED, 2);
    let (quantity, _) = case.whole();
    names(&case.check(case.month(quantity * decimal("1.048576"))), &[CauseKind::WrongUnit]);
}

#[test]
fn a_day_billed_twice_is_named_in_a_months_line() {
    let case = Case::new(TIERED, 3);
    let (quantity, amount) = case.whole();
    for day in [0, 13, 30] {
        let wrong = quantity + case.quantity(day..day + 1);
        let checked = case.check(case.month(wrong));
        names(&checked, &[CauseKind::DayBilledTwice]);
        assert_eq!((checked.causes[0].day, checked.causes[0].amount), (Some(case.period.days()[day].date), case.price(wrong) - amount));
    }
}

/// A line a day, one of them twice; or a line for the month and one more for a day of it.
#[test]
fn a_day_billed_twice_is_named_by_its_line() {
    let case = Case::new("tolerance = { share = \"0.01\" }", 4);
    let of_day = |row: u64, day: usize| {
        case.line(row, day..day + 1, case.quantity(day..day + 1), cents(case.quantity(day..day + 1) * decimal("0.2")))
    };
    let mut lines: Vec<InvoiceLine> = (0..31).map(|day| of_day(day as u64 + 2, day)).collect();
    let honest = case.check(lines.clone());
    assert!(honest.causes.is_empty() && honest.verdict <= Verdict::WithinTolerance, "{:?}", honest.verdict);
    lines.push(of_day(99, 17));
    let (quantity, amount) = case.whole();
    let month = vec![case.line(2, 0..31, quantity, amount), of_day(99, 17)];
    for lines in [lines, month] {
        let checked = case.check(lines);
        names(&checked, &[CauseKind::DayBilledTwice]);
        let cause = &checked.causes[0];
        assert_eq!((cause.rows.as_slice(), cause.day), (&[99][..], Some(case.period.days()[17].date)));
        assert_eq!(cause.amount, cents(case.quantity(17..18) * decimal("0.2")));
    }
    // The same line for a day at twice its quantity.
    let double =
        |line: InvoiceLine| InvoiceLine { quantity: line.quantity.map(|q| q * Decimal::TWO), amount: line.amount * Decimal::TWO, ..line };
    let lines = (0..31).map(|day| if day == 9 { double(of_day(11, day)) } else { of_day(day as u64 + 2, day) }).collect();
    let checked = case.check(lines);
    names(&checked, &[CauseKind::DayBilledTwice]);
    assert_eq!((checked.causes[0].rows.as_slice(), checked.causes[0].day), (&[11][..], Some(case.period.days()[9].date)));
}

/// Both errors of one line are named, each with its money.
#[test]
fn a_wrong_unit_and_a_day_billed_twice_are_named_together() {
    let case = Case::new(TIERED, 5);
    let (quantity, amount) = case.whole();
    let wrong = (quantity + case.quantity(20..21)) * gib();
    let checked = case.check(case.month(wrong));
    let mut kinds: Vec<CauseKind> = checked.causes.iter().map(|cause| cause.cause).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [CauseKind::WrongUnit, CauseKind::DayBilledTwice], "{:#?}", checked.causes);
    assert_eq!(checked.causes.iter().find_map(|cause| cause.day), Some(case.period.days()[20].date));
    let explained: Decimal = checked.causes.iter().map(|cause| cause.amount).sum();
    assert!((explained - (case.price(wrong) - amount)).abs() <= decimal("0.01"), "{explained}");
}

#[test]
fn the_wrong_zone_is_named() {
    let case = Case::new("tolerance = { share = \"0.001\" }", 6);
    let utc_day = |day: usize| {
        let bytes = Decimal::from(case.utc.bytes(&Place::ALL, day * 288..(day + 1) * 288) as u64);
        bytes / decimal("1000000000")
    };
    let lines: Vec<InvoiceLine> =
        (0..31).map(|day| case.line(day as u64 + 2, day..day + 1, utc_day(day), cents(utc_day(day) * decimal("0.2")))).collect();
    let checked = case.check(lines.clone());
    names(&checked, &[CauseKind::WrongZone]);
    assert!(checked.causes[0].rows.len() >= 20, "only rows {:?}", checked.causes[0].rows);
    assert!(checked.causes[0].evidence.en.contains("Asia/Shanghai"));
    // Dated in UTC it is the same invoice.
    let shifted = |line: InvoiceLine| InvoiceLine { from_ms: line.from_ms + 8 * 3_600_000, to_ms: line.to_ms + 8 * 3_600_000, ..line };
    names(&case.check(lines.into_iter().map(shifted).collect()), &[CauseKind::WrongZone]);
}

#[test]
fn overhead_billed_twice_is_named() {
    for (fields, factor) in [(TIERED, "1.1"), (REACHED, "1.08")] {
        let case = Case::new(fields, 7);
        let (quantity, _) = case.whole();
        names(&case.check(case.month(quantity * decimal(factor))), &[CauseKind::OverheadTwice]);
    }
}

#[test]
fn the_wrong_tier_is_named() {
    let case = Case::new(TIERED, 8);
    let (quantity, amount) = case.whole();
    assert!(quantity > decimal("2000"));
    // All at the first tier's price, and all at the reached one's.
    for price in ["0.25", "0.2"] {
        let wrong = cents(quantity * decimal(price));
        let checked = case.check(vec![case.line(2, 0..31, quantity, wrong)]);
        names(&checked, &[CauseKind::WrongTier]);
        assert_eq!(checked.causes[0].amount, wrong - amount);
    }
    let case = Case::new(REACHED, 8);
    let (quantity, _) = case.whole();
    names(&case.check(vec![case.line(2, 0..31, quantity, cents(quantity * decimal("30")))]), &[CauseKind::WrongTier]);
}

#[test]
fn another_currency_is_refused() {
    let case = Case::new(TIERED, 9);
    let invoice = InvoiceSide { currency: "USD".into(), lines: vec![] };
    let (contract, period) = (&case.contract, &case.period);
    let sides = Sides { contract, period, client: &case.client, log: None, tails: &[], invoice: Some(&invoice), utc: None };
    let error = reconcile(&sides).expect_err("refused");
    assert_eq!(error, ReconcileError::Currency { invoice: "USD".into(), contract: "CNY".into() });
}

/// A line per tier, as many vendors write them, and a tax: one comparison, and one line that is not compared.
#[test]
fn lines_per_tier_are_one_and_taxes_are_none() {
    let case = Case::new(TIERED, 10);
    let (quantity, amount) = case.whole();
    let first = InvoiceLine { item: "first 2000 GB".into(), ..case.line(2, 0..31, decimal("2000"), decimal("500")) };
    let second = InvoiceLine { item: "beyond".into(), ..case.line(3, 0..31, quantity - decimal("2000"), amount - decimal("500")) };
    let tax = InvoiceLine { quantity: None, unit: None, item: "VAT".into(), ..case.line(4, 0..31, Decimal::ZERO, decimal("30")) };
    let requests = InvoiceLine { unit: Some("10k requests".into()), ..case.line(5, 0..31, decimal("7"), decimal("4.20")) };
    let checked = case.check(vec![first, second, tax, requests]);
    assert_eq!((checked.verdict, checked.lines[0].rows.as_slice()), (Verdict::Ok, &[2, 3][..]));
    assert_eq!((checked.invoice_amount, checked.unchecked_amount), (Some(amount), decimal("34.20")));
    assert!(checked.causes.is_empty());
}

#[test]
fn a_line_that_is_missing_is_told() {
    let case = Case::new(TIERED, 11);
    let checked = case.check(vec![]);
    assert_eq!((checked.lines.len(), checked.lines[0].verdict, checked.verdict), (1, Verdict::Incomplete, Verdict::Disputed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Invoices of honest vendors, by month or by day, off by up to what is tolerated: no error is named.
    #[test]
    fn nothing_is_named_where_nothing_is_planted(seed: u64, bandwidth: bool, daily: bool, off in -900_i64..900) {
        let case = Case::new(if bandwidth { REACHED } else { TIERED }, seed);
        let (quantity, amount) = case.whole();
        let factor = Decimal::ONE + Decimal::new(off, 5);
        let lines = if daily && !bandwidth {
            let average = amount / quantity;
            (0..31).map(|day| {
                let of_day = case.quantity(day..day + 1) * factor;
                let until = |days: usize| if days == 0 { Decimal::ZERO } else { case.price(case.quantity(0..days)) };
                let amount = if off == 0 { average * of_day } else { (until(day + 1) - until(day)) * factor };
                case.line(day as u64 + 2, day..day + 1, of_day, cents(amount))
            }).collect()
        } else {
            case.month(quantity * factor)
        };
        let checked = case.check(lines);
        prop_assert!(checked.causes.is_empty(), "{:#?}", checked.causes);
        prop_assert!(daily || checked.verdict <= Verdict::WithinTolerance);
    }
}
