//! Refreshes the derived tables every so often, beside the worker: on a thread of its own, for a share of the time
//! that is bounded. When several processors run, whoever is first does it, and the others find it done.

use super::{Deriver, Outcome, Scope};
use crate::config::Config;
use crate::error::Error;
use crate::status::{Status, TableLabel};
use livemeter_schemas::derived::TABLES;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Ends the refreshing when dropped, without waiting: a refresh may be cut short at any point.
#[derive(Debug)]
pub struct Deriving {
    _stop: DropGuard,
}

/// Starts it; none when it is not wanted.
pub fn spawn(config: &Config, status: &Arc<Status>) -> Result<Option<Deriving>, Error> {
    if config.derive_interval_ms == 0 {
        return Ok(None);
    }
    let mut beside = Beside { deriver: Deriver::new(config)?, config: config.clone(), status: Arc::clone(status), kept: BTreeMap::new() };
    let (stop, failed) = (CancellationToken::new(), |e: std::io::Error| Error::Ledger(format!("the thread for derived tables: {e}")));
    // A runtime of its own: statements compute for long, and must never hold a thread that the worker needs.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let stopped = stop.clone();
    let run = move || {
        runtime.block_on(async {
            tokio::select! { () = stopped.cancelled() => {}, () = beside.run() => {} }
        })
    };
    std::thread::Builder::new().name("derive".into()).spawn(run).map_err(failed)?;
    Ok(Some(Deriving { _stop: stop.drop_guard() }))
}

struct Beside {
    deriver: Deriver,
    config: Config,
    status: Arc<Status>,
    /// Per table, commits since it was last looked after, and when that was.
    kept: BTreeMap<&'static str, (u64, Instant)>,
}

impl Beside {
    async fn run(&mut self) {
        loop {
            let began = Instant::now();
            for table in TABLES {
                self.refresh(table).await;
            }
            tokio::time::sleep(pause(began.elapsed(), &self.config)).await;
        }
    }

    async fn refresh(&mut self, table: &'static str) {
        let (began, metrics) = (Instant::now(), &self.status.metrics.derive);
        match self.deriver.refresh(table, Scope::Changed, &|_| ()).await {
            Ok(report) => {
                metrics.lag(&report);
                if let Outcome::Refreshed { rows, .. } = report.outcome {
                    metrics.refreshed(table, rows, began.elapsed());
                    self.look_after(table).await;
                }
                tracing::debug!(table, ?report, "derived");
            }
            Err(error) => {
                metrics.failures.get_or_create(&TableLabel { table }).inc();
                tracing::warn!(table, %error, "a derived table was not refreshed; it is tried again");
            }
        }
    }

    /// Every refresh leaves the files it replaced behind, until they are old enough to be removed.
    async fn look_after(&mut self, table: &'static str) {
        let due = Duration::from_millis(self.config.derive_retention_ms() / 2);
        let kept = self.kept.entry(table).or_insert((self.config.checkpoint_commits, Instant::now()));
        kept.0 += 1;
        if kept.0 < self.config.checkpoint_commits && kept.1.elapsed() < due {
            return;
        }
        *kept = (0, Instant::now());
        if let Err(error) = self.deriver.upkeep(table).await {
            self.status.metrics.derive.failures.get_or_create(&TableLabel { table }).inc();
            tracing::warn!(table, %error, "a derived table was not looked after; it is tried again");
        }
    }
}

/// Until the next round: the interval, or longer where the last round took more than its share.
fn pause(took: Duration, config: &Config) -> Duration {
    let rest = took.mul_f64((1.0 / config.derive_share.clamp(0.001, 1.0)) - 1.0);
    rest.max(Duration::from_millis(config.derive_interval_ms).saturating_sub(took))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_round_is_followed_by_a_longer_rest() {
        let config = Config { derive_interval_ms: 60_000, derive_share: 0.1, ..Config::default() };
        let seconds = |took| pause(Duration::from_secs(took), &config).as_secs();
        assert_eq!((seconds(0), seconds(2), seconds(20)), (60, 58, 180));
    }
}
