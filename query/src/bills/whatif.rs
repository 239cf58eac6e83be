//! What if the traffic had been parted otherwise between vendors: which contracts, whose count, and how it is told.
//! The parting and the bills are `livemeter_billing`'s.

use super::ask::Ask;
use super::check;
use super::client::{self, Client};
use super::{Bills, told};
use crate::engine::Engine;
use crate::error::Error;
use livemeter_billing::simulate::{AllocationError, Plan, Reallocated, Share, reallocate};
use livemeter_billing::{Basis, Bill, Contract, Traffic};
use livemeter_schemas::bills::{WhatIf, WhatIfBill, WhatIfFigures, WhatIfQuery, WhatIfTotal};
use rust_decimal::Decimal;
use std::sync::Arc;

/// A contract with what was counted under it.
struct Side {
    ask: Ask,
    as_if: bool,
    client: Client,
    counted: Traffic,
    logged: Option<Traffic>,
    log_sha256: Vec<String>,
}

/// `GET /v1/bills/what-if`
pub async fn answer(bills: &Arc<Bills>, engine: &Engine, asked: &WhatIfQuery) -> Result<WhatIf, Error> {
    let names = bills.names("contracts", &asked.contracts)?;
    let plan = plan(asked, &names)?;
    let (period, text) = (asked.period.clone(), asked.period.clone());
    let asks = bills.job(move |bills| bills.several(&names, &period)).await?;
    apart(&asks)?;
    // One version of the ledger for all.
    let snapshot = engine.snapshot().await?;
    let mut sides = Vec::with_capacity(asks.len());
    for (ask, as_if) in asks {
        let client = client::read_series(engine, &snapshot, &ask, bills.config.deadline_ms).await?;
        sides.push(bills.job(move |bills| bills.side(ask, as_if, client)).await?);
    }
    bills.job(move |_| simulated(&sides, &plan, text)).await
}

/// What is to go where. Either all shares or one shift; what is missing or too much is named.
fn plan(asked: &WhatIfQuery, names: &[String]) -> Result<Plan, Error> {
    let share = |field: &str, text: &str| {
        let wrong = || Error::parameter(field, format!("{field} {text:?} is no share: percent from 0 to 100 with at most two decimals"));
        Share::parse(text.trim()).ok_or_else(wrong)
    };
    let place = |field: &str, name: &Option<String>| {
        let name = name.as_deref().unwrap_or_default();
        let unknown = || Error::parameter(field, format!("{field} {name:?} is none of the contracts: {}", names.join(", ")));
        names.iter().position(|one| one == name).ok_or_else(unknown)
    };
    match (&asked.shares, &asked.percent) {
        (Some(_), _) if asked.percent.is_some() || asked.from.is_some() || asked.to.is_some() => {
            Err(Error::parameter("shares", "either shares, or from, to and percent"))
        }
        (Some(text), _) => {
            let shares = text.split(',').map(|text| share("shares", text)).collect::<Result<Vec<_>, _>>()?;
            if shares.len() != names.len() {
                return Err(Error::parameter("shares", format!("{} shares for {} contracts", shares.len(), names.len())));
            }
            if !Share::complete(&shares) {
                return Err(Error::parameter("shares", format!("shares {text} do not add up to 100 percent")));
            }
            Ok(Plan::Shares(shares))
        }
        (None, Some(percent)) => {
            let (from, to) = (place("from", &asked.from)?, place("to", &asked.to)?);
            if from == to {
                return Err(Error::parameter("to", "from and to are the same contract"));
            }
            Ok(Plan::Shift { from, to, share: share("percent", percent)? })
        }
        (None, None) => Err(Error::parameter("percent", "either shares, or from, to and percent")),
    }
}

/// The same bytes under two contracts would be counted twice.
fn apart(asks: &[(Ask, bool)]) -> Result<(), Error> {
    for (index, (one, _)) in asks.iter().enumerate() {
        for (other, _) in asks.iter().skip(index + 1) {
            let (a, b) = (one.contract(), other.contract());
            let both = b.scopes.iter().find(|scope| a.has(&scope.cdn, scope.domain.as_deref(), scope.region.as_deref()));
            if let Some(scope) = both {
                let reason = format!("contracts {} and {} both have {}: its bytes would be counted twice", a.id, b.id, scope.cdn);
                return Err(Error::parameter("contracts", reason));
            }
        }
    }
    Ok(())
}

impl Bills {
    /// Names parted by commas, each once, no more than the limit.
    pub fn names(&self, field: &'static str, text: &str) -> Result<Vec<String>, Error> {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        let limit = self.config.together_max;
        if names.len() > limit {
            return Err(Error::TooLarge { field, value: names.len() as u64, limit: limit as u64, unit: "contracts" });
        }
        let id = |name: &str| name.split('@').next().unwrap_or_default().to_owned();
        let twice = names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|other| id(other) == id(name)));
        match twice {
            Some((_, name)) => Err(Error::parameter(field, format!("contract {name:?} is named twice"))),
            None => Ok(names),
        }
    }

    /// The contracts over the days of the first.
    fn several(&self, names: &[String], period: &str) -> Result<Vec<(Ask, bool)>, Error> {
        let (first, others) = names.split_first().ok_or_else(|| Error::parameter("contracts", "no contract is named"))?;
        let first = self.ask(first, period, None)?;
        let mut asks = vec![(first.clone(), false)];
        for name in others {
            asks.push(self.ask_as_if(name, &first)?);
        }
        Ok(asks)
    }

    fn side(&self, ask: Ask, as_if: bool, client: Client) -> Result<Side, Error> {
        let counted = check::client_traffic(&ask, &client)?;
        let imports = self.imports_of(&ask)?;
        let logged = if imports.is_empty() { None } else { Some(self.log_traffic(&ask, &ask.period)?) };
        let log_sha256 = imports.into_iter().map(|manifest| manifest.sha256).collect();
        Ok(Side { ask, as_if, client, counted, logged, log_sha256 })
    }
}

/// Logged bytes of one vendor are logged bytes of another only where both logs count alike; a player counts them all alike.
fn simulated(sides: &[Side], plan: &Plan, period: String) -> Result<WhatIf, Error> {
    let overhead = |side: &Side| side.ask.contract().log_overhead;
    let alike = sides.iter().all(|side| sides.first().is_some_and(|first| overhead(first) == overhead(side)));
    let logged: Option<Vec<&Traffic>> = sides.iter().map(|side| side.logged.as_ref().filter(|_| alike)).collect();
    let basis = if logged.is_some() { Basis::Log } else { Basis::Client };
    let traffic = logged.unwrap_or_else(|| sides.iter().map(|side| &side.counted).collect());
    let both: Vec<(&Contract, &Traffic)> = sides.iter().map(|side| side.ask.contract()).zip(traffic).collect();
    let Some(first) = sides.first() else { return Err(Error::parameter("contracts", "no contract is named")) };
    let found = reallocate(&both, &first.ask.period, plan).map_err(refused)?;
    Ok(WhatIf {
        period,
        from: first.ask.label(first.ask.from_ms),
        to: first.ask.label(first.ask.to_ms),
        side: told::side(basis).to_owned(),
        moved_bytes: whole(u128::from(found.moved)),
        total: total(&found)?,
        contracts: told_bills(sides, &found, basis)?,
    })
}

fn told_bills(sides: &[Side], found: &Reallocated, basis: Basis) -> Result<Vec<WhatIfBill>, Error> {
    let all = |bills: &[Bill]| bills.iter().map(bytes).sum::<u128>();
    let (all_before, all_after) = (all(&found.before), all(&found.after));
    let told = |(side, (before, after)): (&Side, (&Bill, &Bill))| {
        let logs = if basis == Basis::Log { side.log_sha256.clone() } else { Vec::new() };
        Ok(WhatIfBill {
            contract: side.ask.summary().clone(),
            as_if: side.as_if,
            before: figures(side, before, all_before)?,
            after: figures(side, after, all_after)?,
            difference_amount: after.amount.checked_sub(before.amount).ok_or_else(too_large)?.to_string(),
            source: side.ask.source(&side.client, logs),
        })
    };
    sides.iter().zip(found.before.iter().zip(&found.after)).map(told).collect()
}

fn figures(side: &Side, bill: &Bill, all: u128) -> Result<WhatIfFigures, Error> {
    let quantity = bill.lines.iter().try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.quantity)).ok_or_else(too_large)?;
    Ok(WhatIfFigures {
        bytes: whole(bytes(bill)),
        share_percent: Share::of(bytes(bill), all).map(|share| share.to_string()),
        quantity: quantity.to_string(),
        unit: side.ask.contract().unit.name().to_owned(),
        amount: bill.amount.to_string(),
    })
}

/// The sums, where all are in one currency.
fn total(found: &Reallocated) -> Result<Option<WhatIfTotal>, Error> {
    let Some(currency) = found.before.first().map(|bill| &bill.currency) else { return Ok(None) };
    if found.before.iter().any(|bill| bill.currency != *currency) {
        return Ok(None);
    }
    let sum = |bills: &[Bill]| bills.iter().try_fold(Decimal::ZERO, |sum, bill| sum.checked_add(bill.amount)).ok_or_else(too_large);
    let (before, after) = (sum(&found.before)?, sum(&found.after)?);
    Ok(Some(WhatIfTotal {
        before_amount: before.to_string(),
        after_amount: after.to_string(),
        difference_amount: after.checked_sub(before).ok_or_else(too_large)?.to_string(),
        currency: currency.clone(),
    }))
}

fn bytes(bill: &Bill) -> u128 {
    bill.lines.iter().map(|line| u128::from(line.bytes)).sum()
}

fn whole(bytes: u128) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn too_large() -> Error {
    super::refusals::paper("too_large", "amount", "the sum of the amounts has more than 28 digits", None)
}

fn refused(error: AllocationError) -> Error {
    super::refusals::paper("bill", "contracts", error.to_string(), None)
}
