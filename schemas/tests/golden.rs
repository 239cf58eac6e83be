//! The contract as files: what is in `golden/` was true once and must stay so. Clients in the field
//! cannot be changed, so these files are added to, never edited.

use livemeter_schemas::answer::{Answer, Batch, RawBatch};
use livemeter_schemas::event::{CMCD, Event, TYPES};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::{self, DeadLetter, Record};
use livemeter_schemas::{EVENTS_VERSION, decode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn golden(name: &str) -> String {
    let path = format!("{}/golden/v1/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Decodes each event of a batch, as ingest does.
fn decoded(text: &str) -> Batch<'_> {
    let raw: RawBatch = serde_json::from_str(text).unwrap();
    let events = raw.events.iter().map(|e| decode::event(e.get(), &Limits::default()).unwrap()).collect();
    Batch { v: raw.v, app: raw.app, sent_at_ms: raw.sent_at_ms, token: raw.token, events }
}

#[test]
fn every_event_type_reads_and_writes_as_it_did() {
    for kind in TYPES.iter().chain(&["mixed"]) {
        let text = golden(&format!("{kind}.batch"));
        let batch = decoded(&text);
        assert_eq!(batch.v, EVENTS_VERSION);
        assert_eq!(serde_json::to_value(&batch).unwrap(), value(&text), "{kind}");
        if *kind != "mixed" {
            assert_eq!(batch.events.iter().map(Event::type_name).collect::<Vec<_>>(), [*kind]);
        }
    }
}

/// Ingest writes it and the processor reads it, perhaps of another version.
#[test]
fn a_report_reads_and_writes_as_it_did() {
    let text = golden("cmcd.event");
    let event = decode::event(&text, &Limits::default()).unwrap();
    assert_eq!(event.type_name(), CMCD);
    assert_eq!(serde_json::to_value(&event).unwrap(), value(&text));
    let least = r#"{"type":"cmcd","session_id":"s","seq":0,"at_ms":0,"user_id":"u","programme_id":"p"}"#;
    assert_eq!(serde_json::to_string(&decode::event(least, &Limits::default()).unwrap()).unwrap(), least);
}

#[test]
fn a_client_that_knows_only_the_required_fields_still_works() {
    let text = golden("older-client.batch");
    let batch = decoded(&text);
    assert_eq!(batch.sent_at_ms, None);
    assert_eq!(batch.events.len(), TYPES.len(), "one of each type");
    let heartbeat = &batch.events[2];
    assert_eq!(heartbeat.head().region, None);
    assert_eq!(heartbeat.counters()[0].aborted_bytes, 0);
}

#[test]
fn a_newer_clients_unknown_fields_are_ignored_here_and_kept_in_the_record() {
    let text = golden("newer-client.batch");
    let batch = decoded(&text);
    assert_eq!(batch.events, decoded(&golden("heartbeat.batch")).events);
    let raw: RawBatch = serde_json::from_str(&text).unwrap();
    let mut bytes = Vec::new();
    record::write(&mut bytes, &raw.app, 7, raw.sent_at_ms, raw.events[0].get()).unwrap();
    let kept: Record = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(kept.event.get(), raw.events[0].get());
    assert_eq!(value(kept.event.get())["counters"][0]["retransmitted_bytes"], 77);
}

#[test]
fn the_record_reads_and_writes_as_it_did() {
    let text = golden("record");
    let record: Record = serde_json::from_str(&text).unwrap();
    let event = decode::parse(record.event.get()).unwrap();
    assert_eq!(event, decoded(&golden("heartbeat.batch")).events[0]);
    let mut bytes = Vec::new();
    record::write(&mut bytes, &record.app, record.received_at_ms, record.sent_at_ms, record.event.get()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value(&text));
}

#[test]
fn the_answer_and_the_dead_letter_read_and_write_as_they_did() {
    same::<Answer>("answer");
    same::<DeadLetter>("deadletter");
}

fn same<T: DeserializeOwned + Serialize>(name: &str) {
    let text = golden(name);
    let read: T = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), value(&text), "{name}");
}
