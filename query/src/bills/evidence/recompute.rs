//! The bill as SQL for DuckDB alone: the same arithmetic as `livemeter_billing`, written a second time, in whole
//! numbers. A quantity is a fraction n ÷ d; money is rounded once, at the end. Pure: contract and period → text.

use livemeter_billing::contract::{AtBoundary, DropRounding, Mode, RoundPer, SumOver, TiersApply};
use livemeter_billing::exact::Rounding;
use livemeter_billing::{Contract, Period};
use rust_decimal::Decimal;
use std::fmt::Write as _;

/// The text of `recompute.sql`. Its last statement answers what is owed: side, domain, region, bytes, used quantity to
/// nine decimals, amount; the line named `total` is the whole.
pub fn sql(contract: &Contract, period: &Period) -> String {
    let numbers = Numbers::of(contract, period);
    let mut text = HEAD.to_owned();
    text += &constants(contract, period, &numbers);
    text += &tiers(contract, &numbers);
    text += &lines(contract.sum_over);
    text += &measured(contract.mode);
    text += PRICED;
    text
}

const HEAD: &str = "-- The bill, recomputed from the files beside this one: duckdb < recompute.sql, in this folder.\n\
-- Whole numbers throughout (HUGEINT): no rounding but where the contract rounds. It stops on overflow.\n\
CREATE OR REPLACE TEMP MACRO half_up(n, d) AS (2 * n + d) // (2 * d);\n\
CREATE OR REPLACE TEMP MACRO half_even(n, d) AS n // d + CASE WHEN 2 * (n % d) > d OR (2 * (n % d) = d AND (n // d) % 2 = 1) THEN 1 ELSE 0 END;\n\
CREATE OR REPLACE TEMP MACRO rounded_down(n, d) AS n // d;\n\
CREATE OR REPLACE TEMP MACRO rounded_up(n, d) AS (n + d - 1) // d;\n\
CREATE OR REPLACE TEMP MACRO shown(n, decimals) AS CASE WHEN decimals = 0 THEN CAST(n AS VARCHAR) ELSE\n\
  CAST(n // CAST(power(10, decimals) AS HUGEINT) AS VARCHAR) || '.' || lpad(CAST(n % CAST(power(10, decimals) AS HUGEINT) AS VARCHAR), decimals, '0') END;\n\n";

/// Decimals of the contract as whole numbers over common denominators.
struct Numbers {
    /// Quantities are over this.
    scale: i128,
    /// Prices are over this.
    price_scale: i128,
    days: i128,
    days_asked: i128,
    quantity_digits: u32,
    price_digits: u32,
}

impl Numbers {
    fn of(contract: &Contract, period: &Period) -> Numbers {
        let tiers = || contract.tariff.tiers.values().flatten();
        let bounds = tiers().flat_map(|tier| [Some(tier.from), tier.up_to]).flatten();
        let more = [contract.free.as_ref().map(|free| free.quantity), contract.commit.as_ref().map(|commit| commit.quantity)];
        let digits = |values: &mut dyn Iterator<Item = Decimal>| values.map(|value| value.normalize().scale()).max().unwrap_or_default();
        let quantity_digits = digits(&mut bounds.chain(more.into_iter().flatten()));
        let price_digits =
            digits(&mut tiers().map(|tier| tier.price).chain(contract.commit.as_ref().and_then(|commit| commit.overage_price)));
        let (days, days_asked) = (period.days().len() as i128, period.days_asked() as i128);
        Numbers {
            scale: power(quantity_digits) * days_asked,
            price_scale: power(price_digits),
            days,
            days_asked,
            quantity_digits,
            price_digits,
        }
    }

    /// A quantity over `scale`; by the share of the month's days where it is prorated.
    fn quantity(&self, value: Decimal, prorate: bool) -> i128 {
        whole(value, self.quantity_digits) * if prorate { self.days } else { self.days_asked }
    }

    fn price(&self, value: Decimal) -> i128 {
        whole(value, self.price_digits)
    }
}

fn power(digits: u32) -> i128 {
    10_i128.saturating_pow(digits)
}

fn whole(value: Decimal, digits: u32) -> i128 {
    let value = value.normalize();
    value.mantissa() * power(digits.saturating_sub(value.scale()))
}

fn fraction(value: Decimal) -> (i128, i128) {
    let value = value.normalize();
    (value.mantissa(), power(value.scale()))
}

fn constants(contract: &Contract, period: &Period, numbers: &Numbers) -> String {
    let (overhead, log_overhead) = (fraction(contract.overhead), fraction(contract.log_overhead));
    let (seconds, bits) = if contract.mode.is_bandwidth() { (300, 8) } else { (1, 1) };
    let percentile = contract.percentile;
    let by_days = contract.mode.is_bandwidth() && (percentile.valid_days_only || percentile.prorate);
    let drop = match percentile.rounding {
        DropRounding::Floor => "count // 20",
        DropRounding::Ceil => "(count + 19) // 20",
        DropRounding::Nearest => "(count + 10) // 20",
    };
    let round = match contract.money.rounding {
        Rounding::HalfUp => "half_up",
        Rounding::HalfEven => "half_even",
        Rounding::Down => "rounded_down",
        Rounding::Up => "rounded_up",
    };
    let free = contract.free.as_ref().map_or(0, |free| numbers.quantity(free.quantity, free.prorate));
    let committed = contract.commit.as_ref().map_or(0, |commit| numbers.quantity(commit.quantity, commit.prorate));
    let overage = contract.commit.as_ref().and_then(|commit| commit.overage_price).map(|price| numbers.price(price));
    let text = |value: Option<i128>| value.map_or_else(|| "NULL".to_owned(), |value| value.to_string());
    let unit_size = contract.unit.size();
    let mut out = format!(
        "-- Contract {} version {}, {}, {}. Bytes (of a window: × 8 ÷ 300 s) × overhead ÷ the unit's size = quantity.\n\
         CREATE OR REPLACE TEMP MACRO money(n, d) AS {round}(n, d);\n\
         CREATE OR REPLACE TEMP MACRO dropped(count) AS least({drop}, greatest(count - 1, 0));\n\
         CREATE OR REPLACE TEMP TABLE terms AS SELECT\n",
        contract.id,
        contract.version,
        contract.mode.name(),
        period_text(period)
    );
    let quantity_decimals = contract.money.quantity_decimals.map(i128::from);
    let figures: [(&str, String, &str); 15] = [
        ("factor", (bits * overhead.0).to_string(), "bits per byte, and the overhead's numerator"),
        ("divisor", (seconds * overhead.1 * unit_size).to_string(), "seconds of a window, the overhead's denominator, the unit's size"),
        ("client_factor", log_overhead.0.to_string(), "what a log counts beyond bodies: the client's bytes only"),
        ("client_divisor", log_overhead.1.to_string(), "its denominator"),
        ("valid_days_only", percentile.valid_days_only.to_string(), "only days with traffic are samples"),
        ("by_days", by_days.to_string(), "the result counts by the share of the month's days"),
        ("days", numbers.days.to_string(), "of the period"),
        ("days_asked", numbers.days_asked.to_string(), "of the whole month or range"),
        ("quantity_decimals", text(quantity_decimals), "the quantity is rounded before it is priced"),
        ("scale", numbers.scale.to_string(), "tiers, free and committed quantities are over this"),
        ("price_scale", numbers.price_scale.to_string(), "prices are over this"),
        ("free", free.to_string(), "free quantity"),
        ("free_fills_tiers", contract.free.as_ref().is_some_and(|free| free.fills_tiers).to_string(), "it shortens the lowest tiers"),
        ("committed", committed.to_string(), "minimum quantity"),
        ("overage_price", text(overage), "price beyond the minimum, where there is one"),
    ];
    for (name, value, why) in figures {
        let kind = if value == "true" || value == "false" { "BOOLEAN" } else { "HUGEINT" };
        let _ = writeln!(out, "  CAST({value} AS {kind}) AS {name}, -- {why}");
    }
    let reached = contract.tariff.apply == TiersApply::Reached;
    let lower = contract.tariff.at_boundary == AtBoundary::LowerTier;
    let each = contract.money.per == RoundPer::Line;
    let _ = writeln!(out, "  {reached} AS reached, -- the tier that is reached prices everything");
    let _ = writeln!(out, "  {lower} AS lower_tier, -- a quantity on a boundary is the lower tier's");
    let _ = writeln!(out, "  {each} AS each_line, -- money is rounded line by line");
    let _ = writeln!(out, "  {} AS money_decimals;\n", contract.money.decimals);
    out
}

fn period_text(period: &Period) -> String {
    format!("{} to {} in {}", period.from(), period.to(), period.zone().name())
}

fn tiers(contract: &Contract, numbers: &Numbers) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut rows = Vec::new();
    for (region, tiers) in &contract.tariff.tiers {
        for tier in tiers {
            let up_to = tier.up_to.map_or_else(|| "NULL".to_owned(), |up_to| numbers.quantity(up_to, false).to_string());
            let (from, price) = (numbers.quantity(tier.from, false), numbers.price(tier.price));
            rows.push(format!(
                "  ({}, CAST({from} AS HUGEINT), CAST({up_to} AS HUGEINT), CAST({price} AS HUGEINT))",
                quoted(region.as_deref().unwrap_or_default())
            ));
        }
    }
    format!(
        "-- Tiers; an empty region stands for all without a list of their own.\n\
         CREATE OR REPLACE TEMP TABLE tiers AS SELECT * FROM (VALUES\n{}\n) AS t(region, starts, ends, price);\n\n",
        rows.join(",\n")
    )
}

/// Sums first, by what the contract measures as one.
fn lines(sum_over: SumOver) -> String {
    let (domain, region) = match sum_over {
        SumOver::Account => ("''", "''"),
        SumOver::Region => ("''", "coalesce(region, '')"),
        SumOver::Domain => ("coalesce(domain, '')", "''"),
    };
    let always = if sum_over == SumOver::Account {
        "UNION ALL SELECT DISTINCT side, '', '', (SELECT min(window_start_ms) FROM 'windows.parquet'), 0 FROM 'series.parquet'"
    } else {
        ""
    };
    format!(
        "-- Windows of the period, then bytes per window of what is measured as one: first the sum, then the percentile.\n\
         CREATE OR REPLACE TEMP TABLE windows AS SELECT * FROM 'windows.parquet';\n\
         CREATE OR REPLACE TEMP TABLE counted AS SELECT side, domain, region, window_start_ms, sum(bytes)::HUGEINT AS bytes FROM (\n  \
         SELECT side, {domain} AS domain, {region} AS region, window_start_ms, bytes::HUGEINT AS bytes FROM 'series.parquet' {always}\n\
         ) GROUP BY ALL;\n\
         CREATE OR REPLACE TEMP TABLE dense AS SELECT l.side, l.domain, l.region, w.window_start_ms, w.day, w.hour, coalesce(c.bytes, 0)::HUGEINT AS bytes\n  \
         FROM (SELECT DISTINCT side, domain, region FROM counted) l CROSS JOIN windows w\n  \
         LEFT JOIN counted c ON c.side = l.side AND c.domain = l.domain AND c.region = l.region AND c.window_start_ms = w.window_start_ms;\n\
         CREATE OR REPLACE TEMP TABLE samples AS SELECT * FROM (\n  \
         SELECT *, max(bytes) OVER (PARTITION BY side, domain, region, day) > 0 AS valid FROM dense\n\
         ) WHERE valid OR NOT (SELECT valid_days_only FROM terms);\n\n"
    )
}

/// What the mode measures: `v` ÷ `over`, and how many days were measured.
fn measured(mode: Mode) -> String {
    const LINE: &str = "side, domain, region";
    let ranked = |weight: &str, over: i64| {
        format!(
            "  SELECT {LINE}, coalesce(max(bytes) FILTER (WHERE rank = dropped(count) + 1), 0)::HUGEINT AS v, {over}::HUGEINT AS over FROM (\n    \
             SELECT {LINE}, {weight} AS bytes, row_number() OVER (PARTITION BY {LINE} ORDER BY {weight} DESC, window_start_ms) AS rank,\n    \
             count(*) OVER (PARTITION BY {LINE}) AS count FROM samples\n  ) GROUP BY ALL"
        )
    };
    let daily = |of_day: &str| {
        format!(
            "  SELECT {LINE}, sum(bytes)::HUGEINT AS v, count(*)::HUGEINT AS over FROM (\n    \
             SELECT {LINE}, day, {of_day} AS bytes FROM (\n      \
             SELECT *, row_number() OVER (PARTITION BY {LINE}, day ORDER BY bytes DESC, window_start_ms) AS rank,\n      \
             count(*) OVER (PARTITION BY {LINE}, day) AS count FROM samples\n    ) GROUP BY ALL\n  ) GROUP BY ALL"
        )
    };
    let figure = match mode {
        Mode::Traffic => format!("  SELECT {LINE}, sum(bytes)::HUGEINT AS v, 1::HUGEINT AS over FROM counted GROUP BY ALL"),
        Mode::P95Month => ranked("bytes", 1),
        Mode::P95OffpeakHalf => ranked("CASE WHEN hour >= 8 THEN 2 * bytes ELSE bytes END", 2),
        Mode::P95DayAvg => daily("max(bytes) FILTER (WHERE rank = dropped(count) + 1)"),
        Mode::PeakDayAvg => daily("max(bytes)"),
        Mode::Peak4Month => format!(
            "  SELECT {LINE}, coalesce(max(bytes) FILTER (WHERE rank = 4), 0)::HUGEINT AS v, 1::HUGEINT AS over FROM (\n    \
             SELECT {LINE}, bytes, row_number() OVER (PARTITION BY {LINE} ORDER BY bytes DESC, day) AS rank FROM (\n      \
             SELECT {LINE}, day, max(bytes) AS bytes FROM samples GROUP BY ALL\n    )\n  ) GROUP BY ALL"
        ),
    };
    format!(
        "-- Mode {}: of each line, v ÷ over.\n\
         CREATE OR REPLACE TEMP TABLE figures AS\n{figure};\n\
         CREATE OR REPLACE TEMP TABLE measured AS SELECT t.*, coalesce(f.v, 0)::HUGEINT AS v, coalesce(f.over, 1)::HUGEINT AS over FROM (\n  \
         SELECT c.side, c.domain, c.region, sum(c.bytes)::HUGEINT AS bytes, (SELECT count(DISTINCT day) FROM samples s\n    \
         WHERE s.side = c.side AND s.domain = c.domain AND s.region = c.region)::HUGEINT AS days_measured FROM counted c GROUP BY ALL\n\
         ) t LEFT JOIN figures f ON f.side = t.side AND f.domain = t.domain AND f.region = t.region;\n\n",
        mode.name()
    )
}

const PRICED: &str = include_str!("priced.sql");
