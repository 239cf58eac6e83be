//! The period under every contract and mode that is known, the forecast of its 95th percentile, and what is left of
//! the free slots.

use super::check::{self, Loaded};
use super::{Bills, drill};
use crate::engine::Engine;
use crate::error::Error;
use livemeter_billing::bill::percentile;
use livemeter_billing::exact::Rounding;
use livemeter_billing::series::bandwidth_bps;
use livemeter_billing::{Contract, simulate};
use livemeter_schemas::bills::{BillQuery, BurstBudget, Forecast, ModeCost, Simulation};
use livemeter_schemas::time::WINDOW_MS;
use std::sync::Arc;

/// Free slots left at which someone should know: a tenth of a month's 432.
const ALERT_LEFT: u64 = 43;
/// The same question, the same answer.
const SEED: u64 = 1;

/// `GET /v1/bills/simulation`
pub async fn answer(bills: &Arc<Bills>, engine: &Engine, asked: &BillQuery, now_ms: i64) -> Result<Simulation, Error> {
    let loaded = check::load(bills, engine, asked).await?;
    bills.job(move |bills| bills.simulated(&loaded, now_ms)).await
}

impl Bills {
    fn simulated(&self, loaded: &Loaded, now_ms: i64) -> Result<Simulation, Error> {
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
        let over = usize::try_from((now_ms - ask.from_ms).div_euclid(WINDOW_MS)).unwrap_or_default().min(ask.period.windows());
        let known = series.bytes().get(..over).unwrap_or_default();
        let rounding = own.percentile.rounding;
        let forecast = simulate::forecast(&ask.period, known, rounding, SEED);
        // Bursts are what lies above the percentile so far.
        let level = percentile::billed(&mut known.to_vec(), percentile::dropped(known.len(), rounding));
        let level_bps = u64::try_from(bandwidth_bps(level).to_whole(Rounding::Down)).unwrap_or(u64::MAX);
        let burst = (own.mode.name().starts_with("p95_month") && !known.is_empty())
            .then(|| simulate::burst_budget(ask.period.windows(), known, rounding, level_bps, ALERT_LEFT));
        Ok(Simulation {
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
            burst: burst.map(|b| BurstBudget { level_bps: whole(b.level_bps), slots: b.slots, used: b.used, left: b.left, alert: b.alert }),
            source: ask.source(&loaded.client, loaded.log_sha256()),
        })
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
