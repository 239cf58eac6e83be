//! What a ledger's tables are on their storage: live files and those of one day, bytes, and the log. Read afresh, as
//! any reader would find them. Filling the tables is not here.

use anyhow::{Context, Result, ensure};
use deltalake::DeltaTable;
use livemeter_processor::Config;
use livemeter_processor::derive::{Deriver, Scope};
use livemeter_processor::roll::files::{self, File};
use livemeter_schemas::derived::TABLES;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use url::Url;

/// The most files that were seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Most {
    /// Live at one moment, of all days.
    pub live: usize,
    /// Live at one moment, of one day.
    pub of_a_day: usize,
}

impl Most {
    /// Looks at a table as it is loaded.
    pub fn look(&mut self, files: &[File]) {
        let mut per_day: BTreeMap<&str, usize> = BTreeMap::new();
        for file in files {
            *per_day.entry(&file.date).or_default() += 1;
        }
        self.live = self.live.max(files.len());
        self.of_a_day = self.of_a_day.max(per_day.into_values().max().unwrap_or_default());
    }
}

/// A table as a new reader finds it. `events`: heartbeats that it stands for; `hours`: of the clock acted out.
pub async fn shape(root: &Path, name: &str, most: Most, heartbeats: u64, hours: u64) -> Result<Value> {
    let table = load(root, name).await?;
    let live = files::all(&table)?;
    let bytes: u64 = live.iter().map(|file| file.bytes).sum();
    let rows: u64 = live.iter().filter_map(|file| file.rows).sum();
    let (mut entries, mut entry_bytes, mut checkpoint_bytes, mut log_bytes) = (0u64, 0u64, 0u64, 0u64);
    for file in std::fs::read_dir(root.join(name).join("_delta_log"))?.flatten() {
        let (size, file) = (file.metadata()?.len(), file.file_name().to_string_lossy().into_owned());
        log_bytes += size;
        match file.ends_with(".json") {
            true => (entries, entry_bytes) = (entries + 1, entry_bytes + size),
            false if file.contains(".checkpoint.") => checkpoint_bytes = checkpoint_bytes.max(size),
            false => {}
        }
    }
    ensure!(entries > 0, "no log of {name}");
    let versions = table.version().unwrap_or_default() + 1;
    let per_hour = versions as f64 / hours as f64;
    Ok(json!({
        "files_of_a_day_max": most.of_a_day, "files_max": most.live, "files_at_end": live.len(), "rows": rows, "bytes": bytes,
        "bytes_per_heartbeat": (bytes as f64 / heartbeats as f64 * 100.0).round() / 100.0,
        "commits": versions, "commits_per_day": (per_hour * 24.0).round(), "log_entries_kept": entries, "log_bytes_kept": log_bytes,
        "log_bytes_per_entry": entry_bytes / entries, "checkpoint_bytes_max": checkpoint_bytes,
        "log_bytes_of_an_hour": (per_hour * entry_bytes as f64 / entries as f64).round(),
    }))
}

async fn load(root: &Path, name: &str) -> Result<DeltaTable> {
    let url = Url::from_directory_path(root.join(name)).ok().context("the folder is not absolute")?;
    Ok(deltalake::open_table(url).await?)
}

/// The derived tables, refreshed as beside a worker, only less often.
pub struct Derived {
    deriver: Deriver,
    root: std::path::PathBuf,
    most: BTreeMap<&'static str, Most>,
    refreshes: u64,
    took_s_max: f64,
    failures: u64,
}

impl Derived {
    pub fn new(config: &Config, root: &Path) -> Result<Derived> {
        Ok(Derived { deriver: Deriver::new(config)?, root: root.into(), most: BTreeMap::new(), refreshes: 0, took_s_max: 0.0, failures: 0 })
    }

    /// Brings all of them up to date. One that cannot be is told, now and at the end.
    pub async fn refresh(&mut self) {
        let began = Instant::now();
        for name in TABLES {
            if let Err(error) = self.refresh_one(name).await {
                eprintln!("{error:#}");
                self.failures += 1;
            }
        }
        self.refreshes += 1;
        self.took_s_max = self.took_s_max.max(began.elapsed().as_secs_f64());
    }

    async fn refresh_one(&mut self, name: &'static str) -> Result<()> {
        self.deriver.refresh(name, Scope::Changed, &|_| ()).await.with_context(|| format!("derived table {name}"))?;
        self.deriver.upkeep(name).await?;
        let files = files::all(&load(&self.root, name).await?)?;
        self.most.entry(name).or_default().look(&files);
        Ok(())
    }

    /// What they are now.
    pub async fn told(&self, heartbeats: u64, hours: u64) -> Result<Value> {
        let mut told =
            json!({ "refreshes": self.refreshes, "refresh_s_max": (self.took_s_max * 10.0).round() / 10.0, "failures": self.failures });
        for name in TABLES {
            let most = self.most.get(name).copied().unwrap_or_default();
            told[name] = shape(&self.root, name, most, heartbeats, hours).await?;
        }
        Ok(told)
    }
}
