//! Any text as an event, as a JSON batch and as NDJSON: it is accepted or refused, never more. What is accepted
//! stands on Kafka unharmed and reads back as the same event; a refusal is short. Read by the fuzz target and
//! by ingest's tests; a broken promise is a panic.

use livemeter_ingest::batch::{self, Batch, Parameters, Rules};
use livemeter_schemas::decode;
use livemeter_schemas::event::{Event, Heartbeat};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::{self, Record};
use livemeter_schemas::refusal::Refusal;
use serde::Deserialize;
use std::borrow::Cow;

/// The time of receipt of all that is tried; the golden examples were sent just before it.
const RECEIVED_AT_MS: i64 = 1_790_000_031_000;
const EVENTS_MAX: usize = 50;
/// A refusal is told to a client, written to a log and kept: however long the text, it is no longer than this. 120
/// characters of it are repeated, each of which may be escaped with ten.
const REASON_BYTES_MAX: usize = 1_536;
const FIELD_BYTES_MAX: usize = 200;

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

pub fn check(data: &[u8]) {
    let limits = Limits::default();
    let rules = Rules { limits: &limits, events_max: EVENTS_MAX, received_at_ms: RECEIVED_AT_MS };
    let text = match batch::utf8(data) {
        Ok(text) => text,
        Err(refusal) => return short(&refusal),
    };
    match decode::event(text, &limits) {
        Ok(event) => stands(text, &event, &limits),
        Err(refusal) => short(&refusal),
    }
    judged(batch::json(text, &rules), &limits);
    judged(batch::ndjson(text, Parameters { v: Some("1".into()), app: Some("demo".into()), sent_at_ms: None }, &rules), &limits);
    // The first line as what the query could say.
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let said = Parameters { v: Some("1".into()), app: Some(first.into()), sent_at_ms: Some(first.into()) };
    judged(batch::ndjson(rest, said, &rules), &limits);
}

fn judged(batch: Result<Batch<'_>, Refusal>, limits: &Limits) {
    let batch = match batch {
        Ok(batch) => batch,
        Err(refusal) => return short(&refusal),
    };
    assert!(batch.events.len() <= EVENTS_MAX, "{} events", batch.events.len());
    let mut value = Vec::new();
    for judged in &batch.events {
        let event = match &judged.verdict {
            Ok(event) => event,
            Err(refusal) => {
                short(refusal);
                continue;
            }
        };
        stands(judged.text, event, limits);
        let key = record::key(&batch.app, event.head().session_id);
        assert!(key.len() <= 2 * limits.id_bytes_max + 1, "a key of {} bytes", key.len());
        record::write(&mut value, &batch.app, RECEIVED_AT_MS, batch.sent_at_ms, judged.text).expect("a record can be written");
        let read: Record = serde_json::from_slice(&value).expect("a record can be read");
        assert_eq!((read.app.as_ref(), read.sent_at_ms, read.event.get()), (batch.app.as_ref(), batch.sent_at_ms, judged.text.trim()));
    }
}

/// An accepted event: within its limits, of the type that its text names, and the same when it is written anew.
fn stands(text: &str, event: &Event<'_>, limits: &Limits) {
    assert!(text.len() <= limits.event_bytes_max, "an event of {} bytes", text.len());
    let again = serde_json::to_string(event).expect("an event can be written");
    assert!(again.len() <= limits.event_bytes_max, "it is {} bytes when written anew", again.len());
    assert_eq!(decode::event(&again, limits).as_ref(), Ok(event));
    // A heartbeat as the SDKs write it has a reader of its own: what that says, the contract's own types say too.
    if let Event::Heartbeat(beat) = event {
        assert_eq!(serde_json::from_str::<Heartbeat<'_>>(text).ok().as_ref(), Some(beat));
    }
    let kind = |text: &str| serde_json::from_str::<Tag<'_>>(text).expect("a text that was accepted names its type").kind.into_owned();
    assert_eq!(kind(text), kind(&again));
}

fn short(refusal: &Refusal) {
    assert!(refusal.reason.len() <= REASON_BYTES_MAX, "a reason of {} bytes: {}", refusal.reason.len(), refusal.reason);
    let field = refusal.field.as_deref().unwrap_or_default();
    assert!(field.len() <= FIELD_BYTES_MAX, "a field's name of {} bytes: {field}", field.len());
}
