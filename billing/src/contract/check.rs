//! Text → contract: every field looked at once, in the order of the file. The first thing wrong is told.

use super::refusal::{Reason, Refusal};
use super::tariff::{Tariff, Tier, TiersApply};
use super::text::{CommitText, FreeText, MoneyText, Number, ScopeText, Text, TierText, ToleranceText};
use super::unit::{UNITS, Unit};
use super::{
    Commit, Contract, Free, Mode, Money, NAME_BYTES_MAX, Percentile, SCOPES_MAX, Scope, SumOver, TEXT_BYTES_MAX, TIERS_MAX, Tolerance,
    currency,
};
use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use toml::Spanned;

/// A text, to say on which line something stands.
struct Lines<'a>(&'a str);

/// See [`Contract::parse`].
pub(super) fn contract(text: &str) -> Result<Contract, Refusal> {
    if text.len() > TEXT_BYTES_MAX {
        let reason = Reason::Limit { size: text.len().to_string(), limit: TEXT_BYTES_MAX.to_string(), of: "bytes" };
        return Err(Refusal { line: 1, field: "text".into(), reason });
    }
    let lines = Lines(text);
    let read: Text = text.parse().map_err(|e| lines.shape(&e))?;
    let currency = read.currency.get_ref().clone();
    let known = "the codes of ISO 4217";
    let minor_digits = currency::minor_digits(&currency)
        .ok_or_else(|| lines.refuse("currency", &read.currency, Reason::Unknown { value: currency.clone(), known }))?;
    let zone = lines.zone(&read.zone)?;
    let (valid_from, valid_to) = lines.validity(&read)?;
    let mode = *read.mode.get_ref();
    let unit = lines.unit(&read, mode)?;
    let sum_over = read.sum_over.as_ref().map_or(SumOver::Account, |sum_over| *sum_over.get_ref());
    let contract = Contract {
        id: lines.id("id", &read.id)?,
        version: *read.version.get_ref(),
        vendor: lines.id("vendor", &read.vendor)?,
        currency,
        minor_digits,
        zone,
        valid_from,
        valid_to,
        scopes: lines.scopes(&read.scopes)?,
        mode,
        sum_over,
        unit,
        overhead: lines.factor("overhead", read.overhead.as_ref())?,
        log_overhead: lines.factor("log_overhead", read.log_overhead.as_ref())?,
        tariff: lines.tariff(&read, sum_over)?,
        percentile: Percentile {
            rounding: read.percentile.rounding,
            valid_days_only: read.percentile.valid_days_only,
            prorate: read.percentile.prorate,
        },
        commit: read.commit.as_ref().map(|commit| lines.commit(commit, sum_over)).transpose()?,
        free: read.free.as_ref().map(|free| lines.free(free, sum_over, *read.tiers_apply.get_ref())).transpose()?,
        money: lines.money(&read.money, minor_digits)?,
        tolerance: lines.tolerance(&read.tolerance)?,
    };
    Ok(contract)
}

impl Lines<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.0.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    fn refuse<T>(&self, field: impl Into<String>, value: &Spanned<T>, reason: Reason) -> Refusal {
        Refusal { line: self.line(value.span().start), field: field.into(), reason }
    }

    /// What the TOML reader could not take. It names unknown and missing fields in its message.
    fn shape(&self, error: &toml::de::Error) -> Refusal {
        let told = error.message().trim().to_owned();
        let start = error.span().map_or(0, |span| span.start);
        let field = told.split('`').nth(1).map(str::to_owned);
        // The name that stands before the value.
        let before = self.0.get(..start).and_then(|text| text.lines().next_back()).unwrap_or_default();
        let key = before.trim_end().strip_suffix('=').map(str::trim_end).unwrap_or_default();
        let written = key.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().filter(|key| !key.is_empty()).map(str::to_owned);
        let named = told.starts_with("unknown field") || told.starts_with("missing field");
        let field = if named { field } else { written.or(field) };
        Refusal { line: self.line(start), field: field.unwrap_or_else(|| "text".into()), reason: Reason::Shape { told } }
    }

    fn id(&self, field: &str, value: &Spanned<String>) -> Result<String, Refusal> {
        let id = self.name(field, value)?;
        let plain = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let told = || Reason::Shape { told: format!("{id:?} is no id: small letters, digits and hyphens") };
        if plain { Ok(id) } else { Err(self.refuse(field, value, told())) }
    }

    fn name(&self, field: &str, value: &Spanned<String>) -> Result<String, Refusal> {
        let name = value.get_ref();
        match name.len() {
            0 => Err(self.refuse(field, value, Reason::Shape { told: "is empty".into() })),
            size if size > NAME_BYTES_MAX => {
                Err(self.refuse(field, value, Reason::Limit { size: size.to_string(), limit: NAME_BYTES_MAX.to_string(), of: "bytes" }))
            }
            _ => Ok(name.clone()),
        }
    }

    fn zone(&self, value: &Spanned<String>) -> Result<Tz, Refusal> {
        let known = "the names of the IANA time zone database";
        value.get_ref().parse().map_err(|_| self.refuse("zone", value, Reason::Unknown { value: value.get_ref().clone(), known }))
    }

    fn validity(&self, read: &Text) -> Result<(NaiveDate, Option<NaiveDate>), Refusal> {
        let date = |field: &str, value: &Spanned<String>| {
            let told = || Reason::Shape { told: format!("{:?} is no date such as \"2026-01-31\"", value.get_ref()) };
            NaiveDate::parse_from_str(value.get_ref(), "%Y-%m-%d").map_err(|_| self.refuse(field, value, told()))
        };
        let from = date("valid_from", &read.valid_from)?;
        let Some(valid_to) = &read.valid_to else { return Ok((from, None)) };
        let to = date("valid_to", valid_to)?;
        if to < from {
            let reason = Reason::UpsideDown { value: to.to_string(), from: from.to_string() };
            return Err(self.refuse("valid_to", valid_to, reason));
        }
        Ok((from, Some(to)))
    }

    fn unit(&self, read: &Text, mode: Mode) -> Result<Unit, Refusal> {
        let base = read.bandwidth_base.as_ref().map_or(1_000, |base| *base.get_ref());
        if let Some(value) = read.bandwidth_base.as_ref().filter(|_| ![1_000, 1_024].contains(&base)) {
            return Err(self.refuse("bandwidth_base", value, Reason::Unknown { value: base.to_string(), known: "1000, 1024" }));
        }
        let name = read.unit.get_ref();
        let unknown = || self.refuse("unit", &read.unit, Reason::Unknown { value: name.clone(), known: UNITS });
        let unit = Unit::named(name, base).ok_or_else(unknown)?;
        if unit.is_bandwidth() != mode.is_bandwidth() {
            let told = format!("{name} does not go with mode {}", mode.name());
            return Err(self.refuse("unit", &read.unit, Reason::Clash { told }));
        }
        Ok(unit)
    }

    fn scopes(&self, value: &Spanned<Vec<ScopeText>>) -> Result<Vec<Scope>, Refusal> {
        let scopes = value.get_ref();
        self.count("scopes", value, scopes.len(), SCOPES_MAX)?;
        let optional = |field: String, value: &Option<Spanned<String>>| value.as_ref().map(|value| self.name(&field, value)).transpose();
        let scope = |(i, scope): (usize, &ScopeText)| {
            Ok(Scope {
                cdn: self.name(&format!("scopes[{i}].cdn"), &scope.cdn)?,
                domain: optional(format!("scopes[{i}].domain"), &scope.domain)?,
                region: optional(format!("scopes[{i}].region"), &scope.region)?,
            })
        };
        scopes.iter().enumerate().map(scope).collect()
    }

    /// At least one, at most the limit.
    fn count<T>(&self, field: &str, value: &Spanned<T>, size: usize, limit: usize) -> Result<(), Refusal> {
        match size {
            0 => Err(self.refuse(field, value, Reason::Shape { told: "is empty".into() })),
            size if size > limit => {
                Err(self.refuse(field, value, Reason::Limit { size: size.to_string(), limit: limit.to_string(), of: "entries" }))
            }
            _ => Ok(()),
        }
    }

    /// A decimal that is not negative.
    fn positive(&self, field: &str, value: &Spanned<Number>) -> Result<Decimal, Refusal> {
        let number = value.get_ref().0;
        // Twelve decimals of a price and as many digits before them: all that fits the arithmetic behind.
        if number.is_sign_negative() && !number.is_zero() {
            return Err(self.refuse(field, value, Reason::Negative { value: number.to_string() }));
        }
        if number.scale() > 12 || number > Decimal::from(10_u64.pow(15)) {
            let limit = "12 decimals, 10^15".to_owned();
            return Err(self.refuse(field, value, Reason::Limit { size: number.to_string(), limit, of: "" }));
        }
        Ok(number.normalize())
    }

    fn factor(&self, field: &str, value: Option<&Spanned<Number>>) -> Result<Decimal, Refusal> {
        let Some(value) = value else { return Ok(Decimal::ONE) };
        let factor = self.positive(field, value)?;
        if factor < Decimal::ONE || factor > Decimal::TWO || factor.scale() > 6 {
            let limit = "1 to 2 with 6 decimals".to_owned();
            return Err(self.refuse(field, value, Reason::Limit { size: factor.to_string(), limit, of: "as a factor" }));
        }
        Ok(factor)
    }

    fn tariff(&self, read: &Text, sum_over: SumOver) -> Result<Tariff, Refusal> {
        let value = &read.tiers;
        self.count("tiers", value, value.get_ref().len(), TIERS_MAX)?;
        let mut tiers: BTreeMap<Option<String>, Vec<Tier>> = BTreeMap::new();
        for (i, tier) in value.get_ref().iter().enumerate() {
            if let Some(region) = tier.region.as_ref().filter(|_| sum_over != SumOver::Region) {
                let told = "prices by region need sum_over = \"region\"".to_owned();
                return Err(self.refuse(format!("tiers[{i}].region"), region, Reason::Clash { told }));
            }
            let region = tier.region.as_ref().map(|region| self.name(&format!("tiers[{i}].region"), region)).transpose()?;
            let list = tiers.entry(region).or_default();
            list.push(self.tier(i, tier, list.last())?);
        }
        if let Some((region, last)) =
            tiers.iter().filter_map(|(region, list)| Some((region, list.last()?))).find(|(_, last)| last.up_to.is_some())
        {
            let of = region.as_deref().map_or(String::new(), |region| format!(" of region {region}"));
            let told = format!("the last tier{of} ends at {}: beyond it there is no price", last.up_to.unwrap_or_default());
            return Err(self.refuse("tiers", value, Reason::Clash { told }));
        }
        Ok(Tariff { apply: *read.tiers_apply.get_ref(), at_boundary: read.at_boundary, tiers })
    }

    /// One tier, behind the one before it of the same list.
    fn tier(&self, i: usize, tier: &TierText, before: Option<&Tier>) -> Result<Tier, Refusal> {
        let field = |name: &str| format!("tiers[{i}].{name}");
        let from = self.positive(&field("from"), &tier.from)?;
        let up_to = tier.up_to.as_ref().map(|up_to| self.positive(&field("up_to"), up_to)).transpose()?;
        // Behind a tier without end everything overlaps.
        let begins = before.map_or(Some(Decimal::ZERO), |before| before.up_to);
        let (value, end) = (from.to_string(), begins.map_or("no end".to_owned(), |end| end.to_string()));
        if begins.is_none_or(|end| from < end) {
            return Err(self.refuse(field("from"), &tier.from, Reason::Overlap { value, before: end }));
        }
        if begins.is_some_and(|end| from > end) {
            return Err(self.refuse(field("from"), &tier.from, Reason::Gap { value, before: end }));
        }
        if let (Some(value), Some(end)) = (&tier.up_to, up_to.filter(|end| *end <= from)) {
            let reason = Reason::UpsideDown { value: end.to_string(), from: from.to_string() };
            return Err(self.refuse(field("up_to"), value, reason));
        }
        Ok(Tier { from, up_to, price: self.positive(&field("price"), &tier.price)? })
    }

    fn commit(&self, value: &Spanned<CommitText>, sum_over: SumOver) -> Result<Commit, Refusal> {
        self.of_account("commit", value, sum_over)?;
        let commit = value.get_ref();
        let overage = commit.overage_price.as_ref().map(|price| self.positive("commit.overage_price", price)).transpose()?;
        Ok(Commit { quantity: self.positive("commit.quantity", &commit.quantity)?, overage_price: overage, prorate: commit.prorate })
    }

    fn free(&self, value: &Spanned<FreeText>, sum_over: SumOver, apply: TiersApply) -> Result<Free, Refusal> {
        self.of_account("free", value, sum_over)?;
        let free = value.get_ref();
        let fills_tiers = free.fills_tiers.as_ref().is_some_and(|fills| *fills.get_ref());
        if let Some(fills) = free.fills_tiers.as_ref().filter(|_| fills_tiers && apply == TiersApply::Reached) {
            let told = "a free quantity fills tiers only where they are progressive".to_owned();
            return Err(self.refuse("free.fills_tiers", fills, Reason::Clash { told }));
        }
        Ok(Free { quantity: self.positive("free.quantity", &free.quantity)?, fills_tiers, prorate: free.prorate })
    }

    /// How a minimum or a free quantity is parted among domains or regions is told by no contract we know: not guessed.
    fn of_account<T>(&self, field: &str, value: &Spanned<T>, sum_over: SumOver) -> Result<(), Refusal> {
        let told = "is of the whole account: it needs sum_over = \"account\"".to_owned();
        if sum_over == SumOver::Account { Ok(()) } else { Err(self.refuse(field, value, Reason::Clash { told })) }
    }

    fn money(&self, money: &MoneyText, minor_digits: u32) -> Result<Money, Refusal> {
        for (field, value) in [("money.decimals", &money.decimals), ("money.quantity_decimals", &money.quantity_decimals)] {
            if let Some(value) = value.as_ref().filter(|value| *value.get_ref() > 12) {
                return Err(self.refuse(
                    field,
                    value,
                    Reason::Limit { size: value.get_ref().to_string(), limit: "12".into(), of: "decimals" },
                ));
            }
        }
        Ok(Money {
            rounding: money.rounding,
            per: money.per,
            decimals: money.decimals.as_ref().map_or(minor_digits, |value| *value.get_ref()),
            quantity_decimals: money.quantity_decimals.as_ref().map(|value| *value.get_ref()),
        })
    }

    fn tolerance(&self, tolerance: &ToleranceText) -> Result<Tolerance, Refusal> {
        let part =
            |field: &str, value: &Option<Spanned<Number>>| value.as_ref().map_or(Ok(Decimal::ZERO), |value| self.positive(field, value));
        let share = part("tolerance.share", &tolerance.share)?;
        if let Some(value) = tolerance.share.as_ref().filter(|_| share > Decimal::ONE) {
            return Err(self.refuse(
                "tolerance.share",
                value,
                Reason::Limit { size: share.to_string(), limit: "1".into(), of: "as a share" },
            ));
        }
        Ok(Tolerance { share, absolute: part("tolerance.absolute", &tolerance.absolute)? })
    }
}
