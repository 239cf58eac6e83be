//! The period under every contract and mode that is known, the forecast of its 95th percentile, and what is left of
//! the free slots.

use super::check::{self, Loaded};
use super::{Bills, burst, drill};
use crate::engine::Engine;
use crate::error::Error;
use livemeter_billing::{Contract, simulate};
use livemeter_schemas::bills::{BillQuery, Forecast, ModeCost, Simulation};
use std::sync::Arc;

/// The same question, the same answer.
const SEED: u64 = 1;

/// `GET /v1/bills/simulation`
pub async fn answer(bills: &Arc<Bills>, engine: &Engine, asked: &BillQuery, now_ms: i64) -> Result<Simulation, Error> {
    let loaded = check::load(bills, engine, asked).await?;
    let (ask, basis) = (loaded.ask.clone(), loaded.best()?.basis);
    let (mut found, known) = bills.job(move |bills| bills.simulated(&loaded, now_ms)).await?;
    found.burst = burst::budget(bills, engine, &engine.snapshot().await?, &ask, (&known, basis)).await?;
    Ok(found)
}

impl Bills {
    /// All but the burst budget, for which the windows so far come beside it.
    fn simulated(&self, loaded: &Loaded, now_ms: i64) -> Result<(Simulation, Vec<u64>), Error> {
        let (ask, best) = (&loaded.ask, loaded.best()?);
        let own = ask.contract();
        let others: Vec<_> = self.contracts.all()?.into_iter().map(|stored| stored.contract).collect();
        // Of each other contract the newest version; one that splits regions we do not have cannot be priced.
        let newest =
            others.iter().filter(|one| one.id != own.id && !others.iter().any(|other| other.id == one.id && other.version > one.version));
        let mut contracts: Vec<&Contract> = vec![own];
        contracts.extend(newest.filter(|one| simulate::modes(&[one], &ask.period, &best).is_ok()));
        let refused = |e: livemeter_billing::BillError| check::reconcile(e.into());
        let modes = simulate::modes(&contracts, &ask.period, &best).map_err(refused)?;
        let series = drill::sum(loaded, &best)?;
        let known = burst::known(ask, &series, now_ms);
        let forecast = simulate::forecast(&ask.period, known, own.percentile.rounding, SEED);
        let found = Simulation {
            contract: ask.summary().clone(),
            period: ask.text.clone(),
            modes: modes.into_iter().filter_map(priced).collect(),
            forecast: forecast.map(|f| Forecast {
                method: f.method.en,
                method_zh: f.method.zh,
                p50_bps: whole(f.p50_bps),
                low_bps: whole(f.low_bps),
                high_bps: whole(f.high_bps),
                confidence_percent: f.confidence_percent,
            }),
            burst: None,
            source: ask.source(&loaded.client, loaded.log_sha256()),
        };
        Ok((found, known.to_vec()))
    }
}

/// Modes that a price is known for.
fn priced(cost: simulate::ModeCost) -> Option<ModeCost> {
    Some(ModeCost {
        contract: cost.contract?,
        mode: cost.mode.name().to_owned(),
        quantity: cost.quantity.to_string(),
        unit: cost.unit.to_owned(),
        amount: cost.amount?.to_string(),
        currency: cost.currency?,
        cheapest: cost.cheapest,
    })
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
