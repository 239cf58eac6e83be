//! One event as it stands on Kafka. The client's own text is kept whole inside the envelope, so fields that this
//! version does not know survive to one that does. What was not taken is in [`letter`].

mod letter;

pub use letter::{Bound, CmcdRequest, DEADLETTER_HEAD_BYTES, DeadLetter, Origin};

use crate::RECORD_VERSION;
use crate::plain;
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
    /// Where the batch came from, as ingest looked it up; only where the client gave no region.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Cow<'a, str>>,
    /// Number of the autonomous system that the batch came from, as ingest looked it up; never the client's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// The event exactly as the client wrote it; under the user's pseudonym, where its app has those.
    #[serde(borrow)]
    #[schemars(with = "crate::event::Event<'a>")]
    pub event: &'a RawValue,
}

/// What ingest has looked up of the address that a batch came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LookedUp<T> {
    pub region: Option<T>,
    pub asn: Option<u32>,
}

/// What stands before the event in the records of one batch: written once, however many those are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    before: Vec<u8>,
}

impl Frame {
    pub fn new(app: &str, received_at_ms: i64, sent_at_ms: Option<i64>, found: LookedUp<&str>) -> serde_json::Result<Self> {
        let mut before = Vec::with_capacity(app.len() + 128);
        let _ = write!(before, "{{\"v\":{RECORD_VERSION},\"app\":");
        serde_json::to_writer(&mut before, app)?;
        let _ = write!(before, ",\"received_at_ms\":{received_at_ms}");
        if let Some(sent) = sent_at_ms {
            let _ = write!(before, ",\"sent_at_ms\":{sent}");
        }
        if let Some(region) = found.region {
            before.extend_from_slice(b",\"region\":");
            serde_json::to_writer(&mut before, region)?;
        }
        if let Some(asn) = found.asn {
            let _ = write!(before, ",\"asn\":{asn}");
        }
        before.extend_from_slice(b",\"event\":");
        Ok(Frame { before })
    }

    /// Writes the record around the client's own text of the event.
    pub fn write(&self, out: &mut Vec<u8>, event: &str) {
        out.clear();
        out.reserve(self.before.len() + event.len() + 1);
        out.extend_from_slice(&self.before);
        out.extend_from_slice(event.as_bytes());
        out.push(b'}');
    }
}

/// One record alone, around the client's own text of the event.
pub fn write(out: &mut Vec<u8>, app: &str, received_at_ms: i64, sent_at_ms: Option<i64>, event: &str) -> serde_json::Result<()> {
    write_from(out, app, received_at_ms, sent_at_ms, LookedUp::default(), event)
}

/// The same with what was looked up.
pub fn write_from(
    out: &mut Vec<u8>,
    app: &str,
    received_at_ms: i64,
    sent_at_ms: Option<i64>,
    found: LookedUp<&str>,
    event: &str,
) -> serde_json::Result<()> {
    Frame::new(app, received_at_ms, sent_at_ms, found)?.write(out, event);
    Ok(())
}

/// A record's members, its event not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'a> {
    pub app: Cow<'a, str>,
    pub received_at_ms: i64,
    pub sent_at_ms: Option<i64>,
    pub region: Option<Cow<'a, str>>,
    pub asn: Option<u32>,
    pub event: &'a str,
}

impl<'a> From<Record<'a>> for Parts<'a> {
    fn from(record: Record<'a>) -> Self {
        let Record { app, received_at_ms, sent_at_ms, region, asn, event, .. } = record;
        Parts { app, received_at_ms, sent_at_ms, region, asn, event: event.get() }
    }
}

/// Takes a record apart that was written by [`write`], without reading its event. None where it looks any other
/// way: then it is for serde to say what it is. Where `event` turns out to be one JSON value, this is the same.
pub fn parts(text: &str) -> Option<Parts<'_>> {
    const V: &str = "{\"v\":1,\"app\":\"";
    const { assert!(RECORD_VERSION == 1, "V says so too") };
    let (app, rest) = plain::text(text.strip_prefix(V)?)?;
    let (received_at_ms, rest) = plain::integer(rest.strip_prefix(",\"received_at_ms\":")?)?;
    let (sent_at_ms, rest) = match rest.strip_prefix(",\"sent_at_ms\":") {
        Some(rest) => plain::integer(rest).map(|(ms, rest)| (Some(ms), rest))?,
        None => (None, rest),
    };
    let (region, rest) = match rest.strip_prefix(",\"region\":\"") {
        Some(rest) => plain::text(rest).map(|(region, rest)| (Some(Cow::Borrowed(region)), rest))?,
        None => (None, rest),
    };
    let (asn, rest) = match rest.strip_prefix(",\"asn\":") {
        Some(rest) => plain::integer(rest).and_then(|(n, rest)| Some((Some(u32::try_from(n).ok()?), rest)))?,
        None => (None, rest),
    };
    let event = rest.strip_prefix(",\"event\":")?.strip_suffix('}')?;
    // Space around it belongs to nobody: serde leaves it out of the event's own text, and so must this.
    if !event.starts_with('{') || !event.ends_with('}') {
        return None;
    }
    Some(Parts { app: Cow::Borrowed(app), received_at_ms, sent_at_ms, region, asn, event })
}

/// The key of a session's records. `/` cannot be confused: the whole key is compared, never split.
pub fn key(app: &str, session_id: &str) -> String {
    let mut key = String::new();
    write_key(&mut key, app, session_id);
    key
}

/// The same into a text that is used again.
pub fn write_key(key: &mut String, app: &str, session_id: &str) {
    key.clear();
    key.reserve(app.len() + 1 + session_id.len());
    key.push_str(app);
    key.push('/');
    key.push_str(session_id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        write_from(&mut out, "demo", 7, None, LookedUp { region: Some("DE-BE"), asn: Some(u32::MAX) }, event).unwrap();
        let record: Record = serde_json::from_slice(&out).unwrap();
        assert_eq!((record.region.as_deref(), record.asn), (Some("DE-BE"), Some(u32::MAX)));
    }

    fn by_serde(text: &str) -> Option<Parts<'_>> {
        serde_json::from_str::<Record>(text).ok().filter(|r| r.v == RECORD_VERSION).map(Parts::from)
    }

    #[test]
    fn a_record_is_taken_apart_as_serde_reads_it_or_left_to_serde() {
        let event = r#"{"type":"stall","x":"}"}"#;
        let mut out = Vec::new();
        for (app, sent) in [("demo", Some(-5)), ("demo", None), ("dé mo", Some(0))] {
            for (region, asn) in [(None, None), (Some("DE-BE"), None), (None, Some(0)), (Some("DE-BE"), Some(u32::MAX))] {
                write_from(&mut out, app, 7, sent, LookedUp { region, asn }, event).unwrap();
                let text = std::str::from_utf8(&out).unwrap();
                assert_eq!(parts(text), by_serde(text));
                assert_eq!(parts(text).unwrap().event, event);
            }
        }
        let left_to_serde = [
            r#"{"v":1,"app":"a\"b","received_at_ms":7,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":07,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":-0,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":7.0,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":7e1,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":99999999999999999999,"event":{}}"#,
            r#"{"v":2,"app":"a","received_at_ms":7,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":7,"asn":4294967296,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":7,"asn":-1,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":7,"asn":null,"event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":7,"asn":1,"region":"x","event":{}}"#,
            r#"{"v":1,"app":"a","received_at_ms":7,"event":{}} "#,
            "{\"v\":1,\"app\":\"a\",\"received_at_ms\":7,\"event\":\t{}}",
            "{\"v\":1,\"app\":\"a\",\"received_at_ms\":7,\"event\":{} }",
        ];
        for text in left_to_serde {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    proptest! {
        /// Any change to a record: where its event is still one JSON value, both readings are the same.
        #[test]
        fn no_change_to_a_record_is_read_in_two_ways(at in 0usize..120, with in "[-0-9a{}\",:\\\\ ]{0,3}", cut in 0usize..4, sent in proptest::option::of(any::<i64>()), asn in proptest::option::of(any::<u32>())) {
            let mut out = Vec::new();
            write_from(&mut out, "demo", 1_760_000_000_000, sent, LookedUp { region: None, asn }, r#"{"type":"stall","seq":1}"#).unwrap();
            let mut text = String::from_utf8(out).unwrap();
            let at = at.min(text.len());
            text.replace_range(at..(at + cut).min(text.len()), &with);
            if let Some(parts) = parts(&text).filter(|p| serde_json::from_str::<serde::de::IgnoredAny>(p.event).is_ok()) {
                let read = by_serde(&text);
                let event = read.as_ref().map(|r| r.event);
                prop_assert_eq!(event, Some(parts.event), "{}", text);
                let told = |r: Parts| (r.app.into_owned(), r.received_at_ms, r.sent_at_ms, r.asn);
                prop_assert_eq!(read.map(told), Some(told(parts.clone())), "{}", text);
            }
        }
    }
}
