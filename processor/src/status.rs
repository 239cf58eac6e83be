//! What the outside may see of the processor: Prometheus metrics, and whether it is ready. Shared by
//! everything that runs; serving it is in [`crate::http`].

use crate::error::Error;
use livemeter_schemas::refusal::Code;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TableLabel {
    pub table: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PartitionLabel {
    pub partition: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CodeLabel {
    pub code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    pub outcome: &'static str,
}

/// What the processor is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    Starting,
    Recovering,
    Running,
    /// Something failed that may succeed later; it is tried again and again.
    Retrying(String),
    Stopping,
}

/// Metrics and phase.
#[derive(Debug)]
pub struct Status {
    pub registry: Registry,
    pub metrics: Metrics,
    phase: watch::Sender<Phase>,
}

#[derive(Debug)]
pub struct Metrics {
    pub records_consumed: Counter,
    pub rows_written: Family<TableLabel, Counter>,
    pub commits: Family<TableLabel, Counter>,
    pub commit_seconds: Family<TableLabel, Histogram, fn() -> Histogram>,
    pub live_files: Family<TableLabel, Gauge>,
    /// What both tables hold: records below it may be deleted from the broker.
    pub committed_offset: Family<PartitionLabel, Gauge>,
    pub lag_records: Gauge,
    pub lag_seconds: Gauge,
    pub late: Counter,
    pub duplicates: Counter,
    pub empty: Counter,
    pub cmcd_gaps: Counter,
    pub cmcd_fell: Counter,
    pub late_rows: Counter,
    pub quarantined_rows: Counter,
    pub refused: Family<CodeLabel, Counter>,
    pub dead_letters: Family<OutcomeLabel, Counter>,
    pub violations: Counter,
    pub poison: Counter,
    pub absent: Counter,
    pub sessions: Gauge,
    pub sessions_memory_bytes: Gauge,
    pub sessions_evicted: Gauge,
    pub lookups: Counter,
    pub retries: Counter,
    pub partitions: Gauge,
    pub fences: Counter,
    pub snapshots: Counter,
    pub snapshot_failures: Counter,
    pub maintenance_runs: Family<TableLabel, Counter>,
    pub maintenance_failures: Family<TableLabel, Counter>,
    pub derive: crate::derive::Metrics,
    pub merges: Family<TableLabel, Counter>,
    pub merges_overtaken: Family<TableLabel, Counter>,
    pub merged_files: Family<TableLabel, Counter>,
    pub merged_rows_in: Family<TableLabel, Counter>,
    pub merged_rows_out: Family<TableLabel, Counter>,
    pub roll_lag_seconds: Gauge,
}

impl Status {
    pub fn new() -> Arc<Self> {
        let metrics = Metrics::new();
        let mut registry = Registry::with_prefix("livemeter_processor");
        let m = &metrics;
        registry.register("records_consumed", "Records read from the topic", m.records_consumed.clone());
        registry.register("rows_written", "Rows committed to the ledger", m.rows_written.clone());
        registry.register("commits", "Commits to the ledger that hold offsets", m.commits.clone());
        registry.register("commit_seconds", "Time to write and commit a batch", m.commit_seconds.clone());
        registry.register("live_files", "Data files the table consists of", m.live_files.clone());
        registry.register("committed_offset", "First offset that is not in both tables yet", m.committed_offset.clone());
        registry.register("lag_records", "Records on the topic that are not committed yet", m.lag_records.clone());
        registry.register("lag_seconds", "Age of the newest committed record while there is a lag", m.lag_seconds.clone());
        registry.register("late", "Counters at or below the seq reached: nothing to add", m.late.clone());
        registry.register("duplicates", "Events that were in the ledger already", m.duplicates.clone());
        registry.register("cmcd_gaps", "CMCD reports after more than cmcd_gap_max: that time is not counted", m.cmcd_gaps.clone());
        registry.register("cmcd_fell", "CMCD reports whose bytes fell below what they were: not counted", m.cmcd_fell.clone());
        registry.register("empty", "Counters that name no CDN: nothing to book", m.empty.clone());
        registry.register("late_rows", "Rows booked long after their window had closed", m.late_rows.clone());
        registry.register("quarantined_rows", "Rows that imply more than a player can receive", m.quarantined_rows.clone());
        registry.register("refused", "Records sent to the dead letter, by cause", m.refused.clone());
        registry.register(
            "dead_letters",
            "Dead letters by what became of them; those not taken are given again, and count again",
            m.dead_letters.clone(),
        );
        registry.register("violations", "Counters that fell at a higher seq", m.violations.clone());
        registry.register("poison", "Records that could not be read at all", m.poison.clone());
        registry.register("offsets_absent", "Offsets that held no record: a broker's own markers, or a loss", m.absent.clone());
        registry.register("sessions", "Sessions in memory", m.sessions.clone());
        registry.register(
            "sessions_memory_bytes",
            "What the sessions took when they were last looked through",
            m.sessions_memory_bytes.clone(),
        );
        registry.register("sessions_evicted", "Sessions of which only a hash is in memory", m.sessions_evicted.clone());
        registry.register("lookups", "Sessions looked up in the ledger before booking", m.lookups.clone());
        registry.register("retries", "Failures that were tried again", m.retries.clone());
        registry.register("partitions", "Partitions that this worker reads", m.partitions.clone());
        registry.register("fences", "Batches dropped because another worker had committed", m.fences.clone());
        registry.register("snapshots", "Snapshots of a partition's memory that were kept", m.snapshots.clone());
        registry.register("snapshot_failures", "Snapshots that could not be kept", m.snapshot_failures.clone());
        registry.register("maintenance_runs", "Maintenance runs that ended well", m.maintenance_runs.clone());
        registry.register("maintenance_failures", "Maintenance runs that failed", m.maintenance_failures.clone());
        m.derive.register(&mut registry);
        registry.register("merges", "Merges of files, roll-ups among them", m.merges.clone());
        registry.register("merges_overtaken", "Merges given up since somebody had changed their files", m.merges_overtaken.clone());
        registry.register("merged_files", "Files that became fewer by merges", m.merged_files.clone());
        registry.register("merged_rows_in", "Rows read by merges", m.merged_rows_in.clone());
        registry.register("merged_rows_out", "Rows written by merges", m.merged_rows_out.clone());
        registry.register("roll_lag_seconds", "How long closed windows had waited at the last look", m.roll_lag_seconds.clone());
        Arc::new(Status { registry, metrics, phase: watch::channel(Phase::Starting).0 })
    }

    pub fn enter(&self, phase: Phase) {
        self.phase.send_if_modified(|now| {
            let news = *now != phase;
            *now = phase;
            news
        });
    }

    pub fn phase(&self) -> Phase {
        self.phase.borrow().clone()
    }
}

impl Metrics {
    fn new() -> Self {
        Metrics {
            records_consumed: Default::default(),
            rows_written: Default::default(),
            commits: Default::default(),
            commit_seconds: Family::new_with_constructor(commit_buckets),
            live_files: Default::default(),
            committed_offset: Default::default(),
            lag_records: Default::default(),
            lag_seconds: Default::default(),
            late: Default::default(),
            duplicates: Default::default(),
            empty: Default::default(),
            cmcd_gaps: Default::default(),
            cmcd_fell: Default::default(),
            late_rows: Default::default(),
            quarantined_rows: Default::default(),
            refused: Default::default(),
            dead_letters: Default::default(),
            violations: Default::default(),
            poison: Default::default(),
            absent: Default::default(),
            sessions: Default::default(),
            sessions_memory_bytes: Default::default(),
            sessions_evicted: Default::default(),
            lookups: Default::default(),
            retries: Default::default(),
            partitions: Default::default(),
            fences: Default::default(),
            snapshots: Default::default(),
            snapshot_failures: Default::default(),
            maintenance_runs: Default::default(),
            maintenance_failures: Default::default(),
            derive: Default::default(),
            merges: Default::default(),
            merges_overtaken: Default::default(),
            merged_files: Default::default(),
            merged_rows_in: Default::default(),
            merged_rows_out: Default::default(),
            roll_lag_seconds: Default::default(),
        }
    }

    /// Counts dead letters that were given to the broker once.
    pub fn dead_letters(&self, put: Result<(), &Error>, letters: u64) {
        let [taken, refused, failed] = OUTCOMES;
        let outcome = match put {
            Ok(()) => taken,
            Err(Error::LettersRefused(_)) => refused,
            Err(_) => failed,
        };
        self.dead_letters.get_or_create(&OutcomeLabel { outcome }).inc_by(letters);
    }

    pub fn refuse(&self, code: Code) {
        self.refused.get_or_create(&CodeLabel { code: code.as_str() }).inc();
    }
}

/// What can become of dead letters given to the broker.
const OUTCOMES: [&str; 3] = ["taken", "refused", "failed"];

/// From a quick local disk to a slow object store.
fn commit_buckets() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::refusals::COUNTED;

    #[test]
    fn counters_have_the_names_that_refusals_are_read_by() {
        let status = Status::new();
        status.metrics.refuse(Code::Clock);
        status.metrics.dead_letters(Ok(()), 1);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &status.registry).unwrap();
        for counted in COUNTED.iter().filter(|counted| counted.by == "processor") {
            let name = counted.metric.trim_end_matches("_total");
            assert!(text.contains(&format!("# TYPE {name} counter\n")), "{name} is not in\n{text}");
        }
    }
}
