//! Derived tables: traffic per 5 minutes, daily usage, sessions, stalls. Made from the two primary tables alone,
//! by date, and never from Kafka: any of them can be made again at any time, and comes out the same.
//!
//! * [`changes`]   log entries → dates that changed (pure)
//! * [`sql`]       the statements of the tables whose dates stand alone (pure)
//! * [`sessions`]  the statements of the table of sessions, which cross midnight (pure)
//! * [`parts`]     whole sessions, in parts that fit
//! * [`strays`]    sessions whose rows lie where nobody looked
//! * [`engine`]    a statement → rows, within bounded memory
//! * [`store`]     one derived table on its storage: the only writer
//! * [`refresh`]   one refresh of one table
//! * [`beside`]    refreshes every so often, beside the worker
//! * [`metrics`]   what that counts

pub mod beside;
pub mod changes;
pub mod engine;
pub mod metrics;
pub mod parts;
pub mod refresh;
pub mod sessions;
pub mod sql;
pub mod store;
pub mod strays;

pub use beside::spawn;
pub use metrics::Metrics;
pub use refresh::{Progress, Reflects};

use crate::config::Config;
use crate::error::Error;
use engine::Engine;
use livemeter_schemas::derived::{DERIVED_VERSION, SESSIONS, TABLES};
use livemeter_schemas::ledger::{EVENTS, INCREMENTS};
use refresh::{Refresh, Sources};
use std::collections::BTreeMap;
use store::{Committed, Replace, Store, load};
use url::Url;

/// How much of a table to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What changed since the versions that it reflects.
    Changed,
    /// All of it, whatever it reflects.
    All,
}

/// What a refresh did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There is no ledger yet.
    NoLedger,
    /// It reflects the newest versions already.
    Same,
    /// These dates were made anew.
    Refreshed { dates: Replace, rows: u64 },
    /// Somebody else has refreshed it meanwhile.
    Elsewhere,
}

/// A table after a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReport {
    pub table: &'static str,
    pub outcome: Outcome,
    /// What it reflects now; none while there is no ledger.
    pub reflects: Option<Reflects>,
    /// What it could have reflected when this began, and did then.
    pub newest: Option<Reflects>,
    pub before: Option<Reflects>,
    pub rows: u64,
    pub files: u64,
    pub bytes: u64,
}

/// Refreshes derived tables of one ledger. One statement at a time.
pub struct Deriver {
    root: Url,
    config: Config,
    engine: Engine,
    sources: Option<Sources>,
    stores: BTreeMap<&'static str, Store>,
}

impl Deriver {
    pub fn new(config: &Config) -> Result<Deriver, Error> {
        let (root, engine) = (config.ledger_url()?, Engine::new(config)?);
        Ok(Deriver { root, config: config.clone(), engine, sources: None, stores: BTreeMap::new() })
    }

    /// Brings one table up to date in one commit. May be dropped at any await: the table stays what it says it is.
    pub async fn refresh(&mut self, table: &'static str, scope: Scope, tell: &(dyn Fn(&Progress) + Sync)) -> Result<TableReport, Error> {
        // Before the table itself is looked at: an empty ledger must not get tables.
        if self.sources.is_none() && !self.load_sources().await? {
            let none =
                TableReport { table, outcome: Outcome::NoLedger, reflects: None, newest: None, before: None, rows: 0, files: 0, bytes: 0 };
            return Ok(none);
        }
        let mut store = match self.stores.remove(table) {
            Some(mut store) => {
                store.update().await?;
                store
            }
            None => Store::open(&self.root, table, &self.config).await?,
        };
        let before = store.reflects().await?;
        check_layout(table, before.as_ref())?;
        // The sources after the table: so they are never older than what it reflects.
        let Some(sources) = &mut self.sources else { return Err(Error::Ledger("the primary tables are gone".into())) };
        if sources.update().await.is_err() {
            // Replaced under us, perhaps: opened afresh next time.
            self.sources = None;
            return Err(Error::Derive { table, reason: "the primary tables cannot be read; they are opened afresh".into(), retry: true });
        }
        let now = sources.reflects(self.config.session_silence_ms).await?;
        let outcome = if scope == Scope::Changed && is_same(table, before.as_ref(), &now) {
            Outcome::Same
        } else {
            let known = if scope == Scope::All { None } else { before };
            let memory_days = self.config.memory_days;
            let refresh = Refresh { engine: &self.engine, sources, store: &mut store, now, before: known, memory_days, tell };
            let made = refresh.run().await?;
            match made.outcome {
                Committed::Done => Outcome::Refreshed { dates: made.dates, rows: made.rows },
                Committed::Elsewhere => Outcome::Elsewhere,
            }
        };
        let (rows, files, bytes) = store.size()?;
        let reflects = store.reflects().await?;
        self.stores.insert(table, store);
        Ok(TableReport { table, outcome, reflects, newest: Some(now), before, rows, files, bytes })
    }

    /// Checkpoint and clean-up of a table that was refreshed.
    pub async fn upkeep(&mut self, table: &'static str) -> Result<(), Error> {
        match self.stores.get_mut(table) {
            Some(store) => store.upkeep().await,
            None => Ok(()),
        }
    }

    async fn load_sources(&mut self) -> Result<bool, Error> {
        let (increments, events) = (load(&self.root, INCREMENTS).await?, load(&self.root, EVENTS).await?);
        self.sources = increments.zip(events).map(|(increments, events)| Sources { increments, events });
        Ok(self.sources.is_some())
    }
}

/// The table of that name; none when there is none.
pub fn table(name: &str) -> Option<&'static str> {
    TABLES.into_iter().find(|table| *table == name)
}

/// Only sessions depend on the silence.
fn is_same(table: &str, before: Option<&Reflects>, now: &Reflects) -> bool {
    before.is_some_and(|before| {
        (before.increments, before.events) == (now.increments, now.events) && (table != SESSIONS || before.silence_ms == now.silence_ms)
    })
}

fn check_layout(table: &str, before: Option<&Reflects>) -> Result<(), Error> {
    match before.map(|b| b.layout).filter(|layout| *layout != i64::from(DERIVED_VERSION)) {
        None => Ok(()),
        Some(layout) => Err(Error::Ledger(format!(
            "derived table {table} has the columns of version {layout}; this program makes version {DERIVED_VERSION}. Delete the folder \
             {table} below the ledger, which holds nothing of its own, and run `livemeter derive --rebuild`"
        ))),
    }
}
