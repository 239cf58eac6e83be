//! One event as it stands on Kafka, and the dead letter. The client's own text is kept whole inside
//! the envelope, so fields that this version does not know survive to one that does.

use crate::RECORD_VERSION;
use crate::refusal::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::Write;

/// Topic of accepted events; keyed by `app/session_id`, so a session keeps its order.
pub const EVENTS_TOPIC: &str = "livemeter.events.v1";
/// Topic of what was not taken, with reasons.
pub const DEADLETTER_TOPIC: &str = "livemeter.deadletter.v1";

/// The value of one record on [`EVENTS_TOPIC`].
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub struct Record<'a> {
    /// Envelope version.
    pub v: u32,
    #[serde(borrow)]
    pub app: Cow<'a, str>,
    /// When ingest received the batch: milliseconds since 1970 on ingest's clock.
    pub received_at_ms: i64,
    /// The batch's `sent_at_ms`, on the session's clock.
    #[serde(default)]
    pub sent_at_ms: Option<i64>,
    /// The event exactly as the client wrote it.
    #[serde(borrow)]
    #[schemars(with = "crate::event::Event<'a>")]
    pub event: &'a RawValue,
}

/// Writes the record around the client's own text of the event.
pub fn write(out: &mut Vec<u8>, app: &str, received_at_ms: i64, sent_at_ms: Option<i64>, event: &str) -> serde_json::Result<()> {
    out.clear();
    out.reserve(event.len() + app.len() + 96);
    let _ = write!(out, "{{\"v\":{RECORD_VERSION},\"app\":");
    serde_json::to_writer(&mut *out, app)?;
    let _ = write!(out, ",\"received_at_ms\":{received_at_ms}");
    if let Some(sent) = sent_at_ms {
        let _ = write!(out, ",\"sent_at_ms\":{sent}");
    }
    out.extend_from_slice(b",\"event\":");
    out.extend_from_slice(event.as_bytes());
    out.push(b'}');
    Ok(())
}

/// The key of a session's records. `/` cannot be confused: the whole key is compared, never split.
pub fn key(app: &str, session_id: &str) -> String {
    format!("{app}/{session_id}")
}

/// The value of one record on [`DEADLETTER_TOPIC`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    pub v: u32,
    /// `ingest` or `processor`.
    pub by: String,
    pub app: String,
    pub received_at_ms: i64,
    pub code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
    /// Where it stood, when it had reached Kafka: topic, partition, offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Length of the whole text in bytes.
    pub length_bytes: u64,
    /// SHA-256 of the whole text, in hex.
    pub sha256: String,
    /// The first 16 KiB of it, invalid UTF-8 replaced.
    pub head: String,
}

/// A place on Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

/// How much of a refused text is kept.
pub const DEADLETTER_HEAD_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_with_the_clients_text_untouched() {
        let event = r#"{"type":"stall", "from_the_future":[1,2]}"#;
        let mut out = Vec::new();
        write(&mut out, "de\"mo", 7, Some(5), event).unwrap();
        let record: Record = serde_json::from_slice(&out).unwrap();
        assert_eq!((record.v, record.app.as_ref(), record.received_at_ms, record.sent_at_ms), (1, "de\"mo", 7, Some(5)));
        assert_eq!(record.event.get(), event);
        write(&mut out, "demo", 7, None, event).unwrap();
        assert_eq!(serde_json::from_slice::<Record>(&out).unwrap().sent_at_ms, None);
    }
}
