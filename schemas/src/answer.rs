//! The batch as a client posts it and what ingest answers, event by event.

use crate::event::Event;
use crate::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A batch as ingest reads it: the events stay text until each is decoded on its own.
#[derive(Debug, Deserialize)]
pub struct RawBatch<'a> {
    pub v: u32,
    #[serde(borrow)]
    pub app: Cow<'a, str>,
    #[serde(default)]
    pub sent_at_ms: Option<i64>,
    #[serde(borrow, default)]
    pub token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub events: Vec<&'a RawValue>,
}

/// A batch as a client writes it. `POST /v1/events`, `application/json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Batch<'a> {
    /// Version of the event contract: 1.
    pub v: u32,
    /// The app (tenant) these events belong to.
    pub app: Cow<'a, str>,
    /// The session's clock at this attempt to send; stamped anew at each retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at_ms: Option<i64>,
    /// The session token, where the app's sessions have one; a header can carry it too. It is never stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Cow<'a, str>>,
    pub events: Vec<Event<'a>>,
}

/// What became of one event, in the order of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum EventAnswer {
    /// Durable in Kafka.
    Accepted {
        /// Set when times were corrected by more than a minute.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Never to be sent again as it is.
    Refused(Refusal),
}

/// Every session should report: what an answer means that does not say.
pub const SAMPLING_ALL: f64 = 1.0;

/// The body of every 200 and 422.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    pub accepted: u64,
    pub refused: u64,
    /// How often the client should send heartbeats from now on.
    pub heartbeat_ms: u64,
    /// The share of sessions that should report while they play, from 0 to 1; all when absent. The others keep
    /// counting and say only their last counters, so totals stay whole.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub sampling: f64,
    pub events: Vec<EventAnswer>,
}

fn all() -> f64 {
    SAMPLING_ALL
}

fn is_all(sampling: &f64) -> bool {
    *sampling >= SAMPLING_ALL
}

/// The body of every other answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A word for programs, such as `body_too_large`.
    pub error: String,
    /// One sentence for people.
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Whether the same request may succeed later.
    pub retry: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_without_reading_its_events() {
        let text = r#"{"v":1,"app":"de\u0021mo","events":[{"type":"from the future"}, 7],"more":true}"#;
        let batch: RawBatch = serde_json::from_str(text).unwrap();
        assert_eq!((batch.v, batch.app.as_ref(), batch.sent_at_ms), (1, "de!mo", None));
        let events: Vec<&str> = batch.events.iter().map(|e| e.get()).collect();
        assert_eq!(events, [r#"{"type":"from the future"}"#, "7"]);
    }

    #[test]
    fn an_accepted_event_is_one_word_and_a_refused_one_says_why() {
        let accepted = EventAnswer::Accepted { note: None };
        assert_eq!(serde_json::to_string(&accepted).unwrap(), r#"{"status":"accepted"}"#);
        let refused = EventAnswer::Refused(Refusal::over(crate::refusal::Code::TooLong, "app", 200, 128, "bytes"));
        let json = serde_json::to_value(&refused).unwrap();
        assert_eq!((&json["status"], &json["code"], &json["limit"]), (&"refused".into(), &"too_long".into(), &128.into()));
    }
}
