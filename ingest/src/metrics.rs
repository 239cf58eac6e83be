//! What is counted. Every label is from a fixed set; nothing a client sends becomes one. Labelled
//! counters on the common path are looked up once, here, and then only incremented.

use livemeter_schemas::refusal::Code;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// From a local broker's millisecond to the producer's own timeout.
const DELIVERY_S: [f64; 14] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];
/// Every status that `http::answers` can give.
const STATUSES: [(u16, &str); 14] = [
    (200, "200"),
    (204, "204"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (410, "410"),
    (413, "413"),
    (415, "415"),
    (422, "422"),
    (429, "429"),
    (503, "503"),
];

type Label = [(&'static str, &'static str); 1];
type Labelled = Family<Label, Counter>;

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub events_accepted: Counter,
    refused: [(Code, Counter); Code::ALL.len()],
    requests: Vec<(u16, Counter)>,
    faults: Labelled,
    pub bytes_received: Counter,
    pub bytes_inflated: Counter,
    pub deadletters: DeadLetterCounts,
    pub apps_reloads: Reloads,
    pub geo_reloads: Reloads,
    pub delivery_seconds: Histogram,
    pub cmcd_ignored: CmcdIgnored,
    pub connections: Gauge,
    pub connections_refused: Counter,
    pub connections_over_address: Counter,
    closed: Labelled,
    pub tls_reloads: Counter,
    pub spans_sent: Counter,
    pub spans_dropped: Counter,
    pub tls_reloads_failed: Counter,
    requests_in_flight: Gauge,
    bytes_in_flight: Gauge,
    kafka_ready: Gauge,
    apps: Gauge,
}

/// Changes of files that were put in force, and those that could not be.
#[derive(Debug)]
pub struct Reloads {
    pub taken: Counter,
    pub refused: Counter,
}

/// What of CMCD reports was passed over: keys of no version, and values that their keys cannot have.
#[derive(Debug)]
pub struct CmcdIgnored {
    pub unknown_keys: Counter,
    pub bad_values: Counter,
}

/// What became of dead letters: `kept` by Kafka's report; `failed` when it did not come or the queue was full.
#[derive(Debug)]
pub struct DeadLetterCounts {
    pub kept: Counter,
    pub failed: Counter,
    pub over_own_quota: Counter,
    pub over_total_quota: Counter,
}

/// Read at the moment of the scrape.
#[derive(Debug, Clone, Copy)]
pub struct Levels {
    pub requests: usize,
    pub bytes: usize,
    pub kafka_ready: bool,
    pub apps: usize,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("livemeter_ingest");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let events_accepted = counter("events_accepted", "Events acknowledged by Kafka and answered as accepted");
        let bytes_received = counter("received_bytes", "Bytes of bodies as sent");
        let bytes_inflated = counter("inflated_bytes", "Bytes of packed bodies after decompression");
        let connections_refused = counter("connections_refused", "Connections over connections_max");
        let connections_over_address = counter("connections_refused_address", "Connections over address_connections_max");
        let spans_sent = counter("spans_sent", "Traced requests told to the collector");
        let spans_dropped = counter("spans_dropped", "Traced requests not told: the queue was full, or the collector did not take them");
        let tls_reloads = counter("tls_reloads", "Certificates taken while running");
        let tls_reloads_failed = counter("tls_reloads_failed", "Changed certificate files that could not be used; the old one stays");
        let closed =
            labelled(&mut registry, "connections_closed", "Connections closed for taking too long, by what they took too long for");
        let refused = labelled(&mut registry, "events_refused", "Events refused, by cause");
        let requests = labelled(&mut registry, "requests", "Requests answered, by status");
        let faults = labelled(&mut registry, "requests_refused", "Whole requests refused, by cause");
        let letters = labelled(&mut registry, "deadletters", "Refused texts, by whether they were kept");
        let reloads = labelled(&mut registry, "apps_reloads", "Changes of the file of apps, by whether they could be used");
        let geo_reloads =
            labelled(&mut registry, "geo_reloads", "Changes of the files of regions and networks, by whether they could be used");
        let ignored = labelled(&mut registry, "cmcd_ignored", "Keys of CMCD reports that were passed over, by cause");
        let letter = |outcome| of(&letters, "outcome", outcome);
        let delivery_seconds = Histogram::new(DELIVERY_S);
        registry.register("delivery_seconds", "From queueing a request's events to Kafka's last report", delivery_seconds.clone());
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Metrics {
            events_accepted,
            refused: Code::ALL.map(|code| (code, of(&refused, "code", code.as_str()))),
            requests: STATUSES.iter().map(|(status, name)| (*status, of(&requests, "status", name))).collect(),
            faults,
            bytes_received,
            bytes_inflated,
            deadletters: DeadLetterCounts {
                kept: letter("kept"),
                failed: letter("failed"),
                over_own_quota: letter("over_own_quota"),
                over_total_quota: letter("over_total_quota"),
            },
            apps_reloads: Reloads { taken: of(&reloads, "outcome", "taken"), refused: of(&reloads, "outcome", "refused") },
            geo_reloads: Reloads { taken: of(&geo_reloads, "outcome", "taken"), refused: of(&geo_reloads, "outcome", "refused") },
            cmcd_ignored: CmcdIgnored {
                unknown_keys: of(&ignored, "cause", "unknown_key"),
                bad_values: of(&ignored, "cause", "bad_value"),
            },
            delivery_seconds,
            connections_refused,
            connections_over_address,
            closed,
            tls_reloads,
            spans_sent,
            spans_dropped,
            tls_reloads_failed,
            connections: gauge("connections", "Open connections"),
            requests_in_flight: gauge("requests_in_flight", "Requests in progress"),
            bytes_in_flight: gauge("bytes_in_flight", "Bytes of bodies being read or judged"),
            kafka_ready: gauge("kafka_ready", "1 when Kafka can be used"),
            apps: gauge("apps", "Apps that may post; 0 in open mode, where anyone may"),
            registry,
        }
    }

    pub fn refused(&self, code: Code) {
        if let Some((_, counter)) = self.refused.iter().find(|(known, _)| *known == code) {
            counter.inc();
        }
    }

    pub fn answered(&self, status: u16) {
        if let Some((_, counter)) = self.requests.iter().find(|(known, _)| *known == status) {
            counter.inc();
        }
    }

    /// `word` is one of [`crate::error::Fault::word`].
    pub fn fault(&self, word: &'static str) {
        self.faults.get_or_create(&[("error", word)]).inc();
    }

    /// `cause` is from a fixed set: see `http::pace`.
    pub fn closed(&self, cause: &'static str) {
        self.closed.get_or_create(&[("cause", cause)]).inc();
    }

    /// The text of `/metrics`.
    pub fn text(&self, levels: Levels) -> String {
        self.requests_in_flight.set(levels.requests as i64);
        self.bytes_in_flight.set(levels.bytes as i64);
        self.kafka_ready.set(i64::from(levels.kafka_ready));
        self.apps.set(levels.apps as i64);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn labelled(registry: &mut Registry, name: &str, help: &str) -> Labelled {
    let family = Labelled::default();
    registry.register(name, help, family.clone());
    family
}

fn of(family: &Labelled, name: &'static str, value: &'static str) -> Counter {
    family.get_or_create(&[(name, value)]).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::refusals::COUNTED;

    #[test]
    fn names_are_those_the_supervisor_reads() {
        let metrics = Metrics::new();
        metrics.events_accepted.inc_by(3);
        Code::ALL.into_iter().for_each(|code| metrics.refused(code));
        metrics.answered(200);
        metrics.fault("busy");
        metrics.closed("head");
        let text = metrics.text(Levels { requests: 2, bytes: 7, kafka_ready: true, apps: 0 });
        for line in [
            "livemeter_ingest_events_accepted_total 3",
            "livemeter_ingest_events_refused_total{code=\"too_long\"} 1",
            "livemeter_ingest_events_refused_total{code=\"counter_fell\"} 1",
            "livemeter_ingest_requests_total{status=\"200\"} 1",
            "livemeter_ingest_requests_refused_total{error=\"busy\"} 1",
            "livemeter_ingest_deadletters_total{outcome=\"kept\"} 0",
            "livemeter_ingest_bytes_in_flight 7",
            "livemeter_ingest_kafka_ready 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        for counted in COUNTED.iter().filter(|counted| counted.by == "ingest") {
            let name = counted.metric.trim_end_matches("_total");
            assert!(text.contains(&format!("# TYPE {name} counter\n")), "{name} is not in\n{text}");
        }
    }
}
