//! What is left of a contract's free 5-minute slots, above a level that does not move with the bursts themselves:
//! the contract's minimum, else the last month's percentile, else the one so far. What a budget is, is
//! `livemeter_billing`'s affair; who is told of it by itself, [`super::watch`]'s.

use super::ask::Ask;
use super::{Bills, check, client, drill};
use crate::engine::Engine;
use crate::error::Error;
use crate::ledger::Snapshot;
use chrono::{Months, NaiveDate};
use livemeter_billing::contract::Mode;
use livemeter_billing::exact::TooLarge;
use livemeter_billing::simulate::{Share, burst_budget, committed_bps, reached_bps};
use livemeter_billing::{Basis, Series, Traffic};
use livemeter_schemas::bills::BurstBudget;
use livemeter_schemas::time::WINDOW_MS;
use std::sync::Arc;

/// The windows of the period that are over, of those that were counted.
pub fn known<'a>(ask: &Ask, series: &'a Series, now_ms: i64) -> &'a [u64] {
    let over = usize::try_from((now_ms - ask.from_ms).div_euclid(WINDOW_MS)).unwrap_or_default().min(ask.period.windows());
    series.bytes().get(..over).unwrap_or_default()
}

/// None of a contract that drops no windows of a month, or before the first window is over.
pub async fn budget(
    bills: &Arc<Bills>,
    engine: &Engine,
    snapshot: &Snapshot,
    ask: &Ask,
    (known, basis): (&[u64], Basis),
) -> Result<Option<BurstBudget>, Error> {
    let contract = ask.contract();
    if contract.mode != Mode::P95Month || known.is_empty() {
        return Ok(None);
    }
    let rounding = contract.percentile.rounding;
    let too_large = |e: TooLarge| super::refusals::paper("too_large", "commit", e.to_string(), None);
    let (level_bps, level) = match committed_bps(contract, basis).map_err(too_large)? {
        Some(bps) => (bps, "commit"),
        None => match last_month(bills, engine, snapshot, ask, basis).await? {
            Some(last) => (reached_bps(last.bytes(), rounding), "last_month"),
            None => (reached_bps(known, rounding), "so_far"),
        },
    };
    let alert = Share::parse(&bills.config.burst_alert_percent.to_string()).unwrap_or(Share::ALL);
    let found = burst_budget(ask.period.windows(), known, rounding, level_bps, alert);
    Ok(Some(BurstBudget {
        level_bps: i64::try_from(level_bps).unwrap_or(i64::MAX),
        level: level.to_owned(),
        slots: found.slots,
        used: found.used,
        left: found.left,
        alert: found.alert,
    }))
}

/// The month before, by the same count; none where the contract was not in force, or nothing was counted.
async fn last_month(bills: &Arc<Bills>, engine: &Engine, snapshot: &Snapshot, ask: &Ask, basis: Basis) -> Result<Option<Series>, Error> {
    let first = NaiveDate::parse_from_str(&format!("{}-01", ask.text), "%Y-%m-%d").ok();
    let Some(before) = first.and_then(|first| first.checked_sub_months(Months::new(1))) else { return Ok(None) };
    let (id, text) = (ask.summary().id.clone(), before.format("%Y-%m").to_string());
    let asked = bills.job(move |bills| match bills.ask(&id, &text, None) {
        // Not in force then.
        Err(Error::Parameter { .. }) => Ok(None),
        asked => asked.map(Some),
    });
    let Some(before) = asked.await? else { return Ok(None) };
    let series = counted(bills, engine, snapshot, before, basis).await?.1;
    Ok(if series.total() == 0 { None } else { Some(series) })
}

/// A period's windows, by the players or by the logs.
pub async fn counted(bills: &Arc<Bills>, engine: &Engine, snapshot: &Snapshot, ask: Ask, basis: Basis) -> Result<(Ask, Series), Error> {
    let client = match basis {
        Basis::Client => Some(client::read_series(engine, snapshot, &ask, bills.config.deadline_ms).await?),
        Basis::Log => None,
    };
    bills
        .job(move |bills| {
            let traffic: Traffic = match &client {
                Some(client) => check::client_traffic(&ask, client)?,
                None => bills.log_traffic(&ask, &ask.period)?,
            };
            let series = drill::summed(&ask, &traffic)?;
            Ok((ask, series))
        })
        .await
}
