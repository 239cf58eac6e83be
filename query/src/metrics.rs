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
        Metrics { registry, requests, refused, seconds, rows, truncated, running, memory }
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
