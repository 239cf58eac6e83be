//! The primary and the derived Delta tables as readers see them: opened when they are there, empty when they are not yet,
//! refreshed at most once per `refresh_ms` and shared by all readers until then. Nothing writes here.

use crate::config::Config;
use crate::error::Error;
use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::datasource::empty::EmptyTable;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use futures::future::try_join_all;
use livemeter_schemas::{derived, ledger};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use url::Url;

/// One table at one version.
#[derive(Clone)]
pub struct TableAt {
    pub name: &'static str,
    /// The loaded table; none while nobody has written it.
    pub table: Option<DeltaTable>,
    pub provider: Arc<dyn TableProvider>,
}

impl TableAt {
    /// The Delta version; none while the table does not exist.
    pub fn version(&self) -> Option<i64> {
        self.table.as_ref().and_then(|t| t.version()).and_then(|v| i64::try_from(v).ok())
    }
}

/// Every table, each at one version: what one query or report reads.
#[derive(Clone)]
pub struct Snapshot {
    pub increments: TableAt,
    pub events: TableAt,
    /// In the order of [`derived::TABLES`]. Each says itself which versions of the others it reflects.
    pub derived: Vec<TableAt>,
}

/// Which version of each table was read; a table that does not exist yet has none.
pub type Versions = BTreeMap<&'static str, i64>;

impl Snapshot {
    pub fn tables(&self) -> impl Iterator<Item = &TableAt> {
        self.primary().into_iter().chain(&self.derived)
    }

    /// The two tables that everything else is made from.
    pub fn primary(&self) -> [&TableAt; 2] {
        [&self.increments, &self.events]
    }

    pub fn versions(&self) -> Versions {
        self.tables().filter_map(|t| Some((t.name, t.version()?))).collect()
    }
}

/// The ledger's tables.
pub struct Ledger {
    increments: Slot,
    events: Slot,
    derived: Vec<Slot>,
}

impl Ledger {
    /// Names the places; nothing is read until the first question.
    pub fn new(config: &Config) -> Result<Ledger, Error> {
        let root = root_url(&config.ledger)?;
        let slot = |name, schema| Slot::new(&root, name, schema, Duration::from_millis(config.refresh_ms));
        let derived = derived::TABLES.into_iter().map(|name| slot(name, derived::schema(name))).collect::<Result<_, _>>()?;
        Ok(Ledger { increments: slot(ledger::INCREMENTS, ledger::increments())?, events: slot(ledger::EVENTS, ledger::events())?, derived })
    }

    /// Every table at a version at most `refresh_ms` old.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let derived = try_join_all(self.derived.iter().map(Slot::at));
        let (increments, events, derived) = tokio::try_join!(self.increments.at(), self.events.at(), derived)?;
        Ok(Snapshot { increments, events, derived })
    }

    /// Forgets what is loaded, so that the next reader opens the tables afresh: after a read failed,
    /// the table may have been replaced under us.
    pub async fn forget(&self) {
        for slot in [&self.increments, &self.events].into_iter().chain(&self.derived) {
            *slot.shared.lock().await = None;
        }
    }
}

/// A folder becomes an absolute file URL without being created: looking must leave no trace.
fn root_url(place: &str) -> Result<Url, Error> {
    let wrong = |reason: String| Error::LedgerPlace { value: place.into(), reason };
    let mut url = if place.contains("://") {
        Url::parse(place).map_err(|e| wrong(e.to_string()))?
    } else {
        let absolute = std::path::absolute(place).map_err(|e| wrong(e.to_string()))?;
        Url::from_directory_path(absolute).map_err(|()| wrong("not an absolute path".into()))?
    };
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

struct Slot {
    name: &'static str,
    url: Url,
    empty: Arc<dyn TableProvider>,
    refresh: Duration,
    /// Held while the log is read, so that readers who come together wait for one refresh.
    shared: Mutex<Option<Looked>>,
}

struct Looked {
    at: Instant,
    found: TableAt,
}

impl Slot {
    fn new(root: &Url, name: &'static str, schema: Schema, refresh: Duration) -> Result<Slot, Error> {
        let url = root.join(&format!("{name}/")).map_err(|e| Error::LedgerPlace { value: root.to_string(), reason: e.to_string() })?;
        Ok(Slot { name, url, empty: Arc::new(EmptyTable::new(Arc::new(schema))), refresh, shared: Mutex::new(None) })
    }

    async fn at(&self) -> Result<TableAt, Error> {
        let mut shared = self.shared.lock().await;
        let known = shared.take();
        if let Some(looked) = known.as_ref().filter(|l| l.at.elapsed() < self.refresh) {
            let found = looked.found.clone();
            *shared = known;
            return Ok(found);
        }
        // When looking fails, nothing is kept: the next reader opens the table afresh.
        let found = self.look(known.map(|l| l.found)).await.map_err(|e| Error::Ledger { table: self.name, source: Box::new(e) })?;
        *shared = Some(Looked { at: Instant::now(), found: found.clone() });
        Ok(found)
    }

    async fn look(&self, known: Option<TableAt>) -> Result<TableAt, DeltaTableError> {
        let before = known.as_ref().and_then(TableAt::version);
        let table = match known.as_ref().and_then(|k| k.table.clone()) {
            Some(mut table) => match table.update_state().await {
                Ok(()) => Some(table),
                Err(error) => {
                    tracing::warn!(table = self.name, %error, "refresh failed; opening the table afresh");
                    self.open().await?
                }
            },
            None => self.open().await?,
        };
        let Some(table) = table else {
            return Ok(TableAt { name: self.name, table: None, provider: Arc::clone(&self.empty) });
        };
        let version = table.version().and_then(|v| i64::try_from(v).ok());
        match known {
            Some(known) if version.is_some() && version == before => Ok(known),
            _ => {
                let provider = table.table_provider().await.map_err(|e| DeltaTableError::Generic(e.strip_backtrace()))?;
                Ok(TableAt { name: self.name, table: Some(table), provider })
            }
        }
    }

    async fn open(&self) -> Result<Option<DeltaTable>, DeltaTableError> {
        // Opening a folder that is not there would fail by its path; "not there yet" is an answer, not an error.
        if let Ok(path) = self.url.to_file_path()
            && !path.join("_delta_log").is_dir()
        {
            return Ok(None);
        }
        let mut table = DeltaTableBuilder::from_url(self.url.clone())?.build()?;
        if !table.verify_deltatable_existence().await? {
            return Ok(None);
        }
        table.load().await?;
        Ok(Some(table))
    }
}
