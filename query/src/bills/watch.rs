//! Looks at the burst budget of every contract that bills a month's percentile, now and then, so that an operator is
//! told before the free slots run out and not when somebody asks. By the players' count: logs come hours late.

use super::{Bills, burst};
use crate::engine::Engine;
use crate::error::Error;
use crate::metrics::{Burst, Metrics};
use chrono::DateTime;
use livemeter_billing::Basis;
use livemeter_billing::contract::Mode;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a look needs.
pub struct Watch<'a> {
    pub bills: &'a Arc<Bills>,
    pub engine: &'a Engine,
    pub metrics: &'a Metrics,
}

impl Watch<'_> {
    /// Looks again and again, `every` so often; never where that is zero. The caller drops it to end it.
    pub async fn run(&self, now_ms: impl Fn() -> i64) {
        let every = Duration::from_millis(self.bills.config.burst_watch_ms);
        if every.is_zero() {
            return std::future::pending().await;
        }
        let mut clock = tokio::time::interval(every);
        // After a long look the next is not hurried.
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            match self.look(now_ms()).await {
                Ok(found) => self.metrics.bursts(&found.0, found.1),
                Err(error) => self.failed("", &error),
            }
        }
    }

    /// The budgets by contract, and how many contracts were left out.
    async fn look(&self, now_ms: i64) -> Result<(BTreeMap<String, Burst>, usize), Error> {
        let contracts = self.bills.job(move |bills| bills.monthly(now_ms)).await?;
        // Without one nothing is read: a ledger that is not there yet is no trouble then.
        if contracts.is_empty() {
            return Ok((BTreeMap::new(), 0));
        }
        let most = self.bills.config.burst_contracts_max;
        let left_out = contracts.len().saturating_sub(most);
        let snapshot = self.engine.snapshot().await?;
        let mut found = BTreeMap::new();
        for (id, month) in contracts.into_iter().take(most) {
            let asked = id.clone();
            let budget = async {
                let ask = self.bills.job(move |bills| bills.ask(&asked, &month, None)).await?;
                let (ask, series) = burst::counted(self.bills, self.engine, &snapshot, ask, Basis::Client).await?;
                let known = (burst::known(&ask, &series, now_ms), Basis::Client);
                burst::budget(self.bills, self.engine, &snapshot, &ask, known).await
            };
            match budget.await {
                Ok(Some(budget)) => {
                    found.insert(id, Burst { slots: budget.slots, left: budget.left, alert: budget.alert });
                }
                Ok(None) => {}
                // One contract's trouble is not the others'.
                Err(error) => self.failed(&id, &error),
            }
        }
        Ok((found, left_out))
    }

    fn failed(&self, contract: &str, error: &Error) {
        tracing::warn!(contract, error = %error, "a burst budget could not be worked out");
        self.metrics.burst_failed();
    }
}

impl Bills {
    /// Contracts in force that bill a month's percentile, each with the month it is in now.
    fn monthly(&self, now_ms: i64) -> Result<Vec<(String, String)>, Error> {
        let mut newest = BTreeMap::new();
        for stored in self.contracts.all()? {
            let today = DateTime::from_timestamp_millis(now_ms).unwrap_or_default().with_timezone(&stored.contract.zone).date_naive();
            let contract = &stored.contract;
            let in_force = contract.valid_from <= today && contract.valid_to.is_none_or(|last| today <= last);
            if in_force {
                newest.insert(contract.id.clone(), (contract.mode, today.format("%Y-%m").to_string()));
            }
        }
        Ok(newest.into_iter().filter(|(_, (mode, _))| *mode == Mode::P95Month).map(|(id, (_, month))| (id, month)).collect())
    }
}
