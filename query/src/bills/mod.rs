//! The bill check: papers from a folder, the client's count from the ledger, and what `livemeter_billing`
//! makes of them. The arithmetic is there, the reading of logs and invoices is `livemeter_logs`'; here they
//! are brought together. HTTP is [`crate::http`]'s.
//!
//! * [`contracts`] the folder of contracts: a file a version, never overwritten
//! * [`papers`]    logs and invoices: import, list, show lines
//! * [`layouts`]   templates of invoices and mapping files of logs, by name
//! * [`refusals`]  what those rooms refuse → our errors
//! * [`ask`]       contract and period, resolved
//! * [`client`]    the client's series and sessions, out of the ledger
//! * [`vendor`]    the vendor's, out of the facts
//! * [`check`]     all three sides → the check
//! * [`told`]      a check as it is told
//! * [`drill`]     a day's windows, a window's sessions
//! * [`burst`]     what is left of the free slots
//! * [`watch`]     the same for an operator, by itself
//! * [`simulate`]  the period under every mode
//! * [`whatif`]    the period with the traffic parted otherwise between vendors
//! * [`export`]    the check as a file
//! * [`evidence`]  all that a check stands on, in one ZIP

pub mod ask;
pub mod burst;
pub mod check;
pub mod client;
pub mod contracts;
pub mod drill;
pub mod evidence;
pub mod export;
pub mod layouts;
pub mod papers;
pub mod refusals;
pub mod simulate;
pub mod told;
pub mod vendor;
pub mod watch;
pub mod whatif;

use crate::config;
use crate::error::Error;
use contracts::Contracts;
use livemeter_logs::invoice::{InvoiceLimits, InvoiceStore};
use livemeter_logs::{Limits, LogStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The folder of papers, and a gate for what takes long.
pub struct Bills {
    pub config: config::Bills,
    pub contracts: Contracts,
    pub logs: LogStore,
    pub invoices: InvoiceStore,
    jobs: Arc<Semaphore>,
}

impl Bills {
    pub fn new(config: config::Bills) -> Bills {
        let jobs = Arc::new(Semaphore::new(config.jobs_max));
        Bills {
            contracts: Contracts::new(&config),
            logs: LogStore::new(&config.root, Limits::default()),
            invoices: InvoiceStore::new(&config.root, InvoiceLimits::default()),
            jobs,
            config,
        }
    }

    /// Runs long work on a thread of its own, once there is a place for it. The work keeps its place until
    /// it has really ended, even when nobody waits for it any more.
    pub async fn job<T: Send + 'static>(
        self: &Arc<Bills>,
        work: impl FnOnce(&Bills) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let late = Duration::from_millis(self.config.deadline_ms);
        let busy = || Error::Busy { running: self.config.jobs_max, waiting: 0 };
        let place = tokio::time::timeout(late, Arc::clone(&self.jobs).acquire_owned()).await;
        let place = place.map_err(|_| busy())?.map_err(|_| busy())?;
        let bills = Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || {
            let done = work(&bills);
            drop(place);
            done
        });
        work.await.map_err(|e| Error::Internal(format!("a bill check's work broke off: {e}")))?
    }
}
