//! What refreshing derived tables counts about itself.

use super::TableReport;
use crate::status::TableLabel;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Debug)]
pub struct Metrics {
    pub refreshes: Family<TableLabel, Counter>,
    pub failures: Family<TableLabel, Counter>,
    pub seconds: Family<TableLabel, Histogram, fn() -> Histogram>,
    pub rows: Family<TableLabel, Counter>,
    pub lag_versions: Family<TableLabel, Gauge>,
    pub lag_seconds: Family<TableLabel, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            refreshes: Default::default(),
            failures: Default::default(),
            seconds: Family::new_with_constructor(buckets),
            rows: Default::default(),
            lag_versions: Default::default(),
            lag_seconds: Default::default(),
        }
    }
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register("derive_refreshes", "Commits to a derived table", self.refreshes.clone());
        registry.register("derive_failures", "Refreshes of a derived table that failed, and are tried again", self.failures.clone());
        registry.register("derive_seconds", "Time of one refresh", self.seconds.clone());
        registry.register("derive_rows", "Rows of a derived table made anew", self.rows.clone());
        registry.register(
            "derive_lag_versions",
            "Versions of the primary tables that a derived table did not reflect when it was last looked at",
            self.lag_versions.clone(),
        );
        registry.register(
            "derive_lag_seconds",
            "By how much the newest row received was newer than the newest row reflected when last looked at",
            self.lag_seconds.clone(),
        );
    }

    /// How far a table was behind when a refresh of it began.
    pub fn lag(&self, report: &TableReport) {
        let label = TableLabel { table: report.table };
        let Some(newest) = report.newest else { return };
        let (versions, ms) = report.before.map_or((newest.increments + newest.events, 0), |before| {
            let versions = newest.increments - before.increments + newest.events - before.events;
            (versions, newest.clock_ms - before.clock_ms)
        });
        self.lag_versions.get_or_create(&label).set(versions.max(0));
        self.lag_seconds.get_or_create(&label).set(ms.max(0) / 1000);
    }

    pub fn refreshed(&self, table: &'static str, rows: u64, took: Duration) {
        let label = TableLabel { table };
        self.refreshes.get_or_create(&label).inc();
        self.rows.get_or_create(&label).inc_by(rows);
        self.seconds.get_or_create(&label).observe(took.as_secs_f64());
    }
}

/// From a small ledger to a day of a large one.
fn buckets() -> Histogram {
    Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0])
}
