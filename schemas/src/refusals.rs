//! What services refuse, by cause, as `GET /v1/refusals` tells it; and the counters it is read from. Those names are a
//! contract between services: who counts keeps them, who adds them up looks for nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A connection: refused, or closed for taking too long.
    Connection,
    /// A whole request.
    Request,
    /// One event of a request.
    Event,
    /// A record that had reached Kafka.
    Record,
    /// Not a refusal: what became of refused texts that were to be kept.
    DeadLetter,
}

/// `GET /v1/refusals`: counts since each service started, added up over all that answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusals {
    /// When the services were asked, RFC 3339 UTC.
    pub asked_at: String,
    /// Those that are asked, as they are set; none: nobody is.
    pub services: Vec<Asked>,
    /// Counts that are not zero, the largest first within each `what`.
    pub rows: Vec<RefusalRow>,
}

/// One service that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    pub address: String,
    /// Why it did not answer; null when it did. Its counts are then missing in `rows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// One count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusalRow {
    /// `ingest` or `processor`.
    pub by: String,
    pub what: What,
    /// A word from a fixed set of the service's, such as `too_long`, `key_refused` or `kafka_away`.
    pub cause: String,
    pub count: u64,
}

/// A counter that is read: its name and label in the text of `/metrics`, and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub metric: &'static str,
    /// The label that tells the cause; without one, `cause` does.
    pub label: Option<&'static str>,
    pub cause: &'static str,
    pub by: &'static str,
    pub what: What,
}

const fn labelled(metric: &'static str, label: &'static str, by: &'static str, what: What) -> Counted {
    Counted { metric, label: Some(label), cause: "", by, what }
}

/// All that are read.
pub const COUNTED: [Counted; 8] = [
    labelled("livemeter_ingest_events_refused_total", "code", "ingest", What::Event),
    labelled("livemeter_ingest_requests_refused_total", "error", "ingest", What::Request),
    labelled("livemeter_ingest_connections_closed_total", "cause", "ingest", What::Connection),
    Counted {
        metric: "livemeter_ingest_connections_refused_total",
        label: None,
        cause: "connections_max",
        by: "ingest",
        what: What::Connection,
    },
    Counted {
        metric: "livemeter_ingest_connections_refused_address_total",
        label: None,
        cause: "address_connections_max",
        by: "ingest",
        what: What::Connection,
    },
    labelled("livemeter_ingest_deadletters_total", "outcome", "ingest", What::DeadLetter),
    labelled("livemeter_processor_refused_total", "code", "processor", What::Record),
    labelled("livemeter_processor_dead_letters_total", "outcome", "processor", What::DeadLetter),
];
