//! What the query service counts about itself, in Prometheus' text format.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

type Labels = Vec<(&'static str, String)>;

/// The service's counters; one per process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram>,
    rows: Counter,
    truncated: Counter,
    running: Gauge,
    memory: Gauge,
    burst_slots: Family<Labels, Gauge>,
    burst_left: Family<Labels, Gauge>,
    burst_alert: Family<Labels, Gauge>,
    burst_left_out: Gauge,
    burst_failures: Counter,
}

/// A contract's free 5-minute slots of the month that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    pub slots: u64,
    pub left: u64,
    pub alert: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("livemeter_query");
        let requests = Family::<Labels, Counter>::default();
        let refused = Family::<Labels, Counter>::default();
        let seconds = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]));
        let (rows, truncated) = (Counter::default(), Counter::default());
        let (running, memory) = (Gauge::default(), Gauge::default());
        registry.register("requests", "Requests answered, by route and status", requests.clone());
        registry.register("refused", "Requests not answered with data, by cause", refused.clone());
        registry.register("duration_seconds", "From arrival to the answer's head, by route", seconds.clone());
        registry.register("rows", "Rows answered", rows.clone());
        registry.register("truncated", "Answers cut at a row limit, which they say", truncated.clone());
        registry.register("running", "Queries that run now", running.clone());
        registry.register("memory_bytes", "Bytes that queries hold of the memory pool", memory.clone());
        let (burst_slots, burst_left, burst_alert) = <(Family<Labels, Gauge>, Family<Labels, Gauge>, Family<Labels, Gauge>)>::default();
        let (burst_left_out, burst_failures) = (Gauge::default(), Counter::default());
        registry.register("burst_slots", "Free 5-minute slots of the contract's month, by contract", burst_slots.clone());
        registry.register("burst_slots_left", "Free slots that no burst has used, by contract", burst_left.clone());
        registry.register("burst_alert", "1 when no more free slots are left than the share set, by contract", burst_alert.clone());
        registry.register("burst_left_out", "Contracts whose slots are not looked at, since they are too many", burst_left_out.clone());
        registry.register("burst_failures", "Free slots that could not be worked out", burst_failures.clone());
        Metrics {
            registry,
            requests,
            refused,
            seconds,
            rows,
            truncated,
            running,
            memory,
            burst_slots,
            burst_left,
            burst_alert,
            burst_left_out,
            burst_failures,
        }
    }
}

impl Metrics {
    /// One answered request.
    pub fn answered(&self, route: &str, status: u16, seconds: f64) {
        let route = ("route", route.to_owned());
        self.requests.get_or_create(&vec![route.clone(), ("status", status.to_string())]).inc();
        self.seconds.get_or_create(&vec![route]).observe(seconds);
    }

    /// One refusal or failure, by its cause.
    pub fn refused(&self, cause: &str) {
        self.refused.get_or_create(&vec![("error", cause.to_owned())]).inc();
    }

    /// Rows of one answer, and whether a limit cut it.
    pub fn rows(&self, rows: u64, truncated: bool) {
        self.rows.inc_by(rows);
        self.truncated.inc_by(u64::from(truncated));
    }

    /// What the last look at the free slots found. A contract that is no longer there is no longer told.
    pub fn bursts(&self, found: &std::collections::BTreeMap<String, Burst>, left_out: usize) {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        for family in [&self.burst_slots, &self.burst_left, &self.burst_alert] {
            family.clear();
        }
        for (contract, burst) in found {
            let labels = vec![("contract", contract.clone())];
            self.burst_slots.get_or_create(&labels).set(number(burst.slots));
            self.burst_left.get_or_create(&labels).set(number(burst.left));
            self.burst_alert.get_or_create(&labels).set(i64::from(burst.alert));
        }
        self.burst_left_out.set(number(left_out as u64));
    }

    pub fn burst_failed(&self) {
        self.burst_failures.inc();
    }

    /// Counts one running query until the guard is dropped.
    pub fn running(&self) -> Running {
        self.running.inc();
        Running(self.running.clone())
    }

    /// The text that Prometheus reads.
    pub fn text(&self, memory_bytes: usize) -> String {
        self.memory.set(memory_bytes as i64);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// A query that runs.
pub struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}
