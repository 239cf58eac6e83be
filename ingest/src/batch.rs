//! The text of a body → its events, each accepted or refused by name. Pure: no I/O, the time of
//! receipt is passed in. One bad event never costs the others; a bad envelope costs the batch.
//! What nearly all clients send is read by [`plain`], once; here stands what holds for any text.

mod plain;

use crate::config::BATCH_EVENTS_CEILING;
use crate::counters;
use livemeter_schemas::event::Event;
use livemeter_schemas::limits::Limits;
use livemeter_schemas::refusal::{Code, Refusal};
use livemeter_schemas::{EVENTS_VERSION, decode, time};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Versions of the event contract that are understood.
pub const VERSIONS: [u32; 1] = [EVENTS_VERSION];
/// A clock beyond the year 9999 is not a clock.
const SENT_AT_MS_MAX: i64 = 253_402_300_799_999;
/// Corrections up to a minute are everyday; larger ones are told to the client.
const CORRECTION_NOTED_MS: i64 = 60_000;

/// What the judgement needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'r> {
    pub limits: &'r Limits,
    pub events_max: usize,
    pub received_at_ms: i64,
}

/// One batch: its envelope was right.
#[derive(Debug)]
pub struct Batch<'a> {
    pub app: Cow<'a, str>,
    pub sent_at_ms: Option<i64>,
    /// The session token, when the envelope carried one.
    pub token: Option<Cow<'a, str>>,
    pub events: Vec<Judged<'a>>,
}

/// One event: the client's own text, and what became of it.
#[derive(Debug)]
pub struct Judged<'a> {
    pub text: &'a str,
    pub verdict: Result<Event<'a>, Refusal>,
}

/// The envelope of an NDJSON body, which comes as query parameters.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Parameters<'a> {
    pub v: Option<Cow<'a, str>>,
    pub app: Option<Cow<'a, str>>,
    pub sent_at_ms: Option<Cow<'a, str>>,
}

/// [`livemeter_schemas::answer::RawBatch`], but a million empty events cost no memory.
#[derive(Deserialize)]
struct Envelope<'a> {
    v: u32,
    #[serde(borrow)]
    app: Cow<'a, str>,
    #[serde(default)]
    sent_at_ms: Option<i64>,
    #[serde(borrow, default)]
    token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    events: Texts<'a>,
}

/// A list's own texts, as many as may be kept, and how many there were.
pub struct Texts<'a> {
    pub kept: Vec<&'a RawValue>,
    pub count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounded;
        impl<'de> Visitor<'de> for Bounded {
            type Value = Texts<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of events")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts<'de>, A::Error> {
                let mut texts = Texts { kept: Vec::new(), count: 0 };
                while let Some(text) = seq.next_element()? {
                    texts.count += 1;
                    if texts.count <= BATCH_EVENTS_CEILING {
                        texts.kept.push(text);
                    }
                }
                Ok(texts)
            }
        }
        deserializer.deserialize_seq(Bounded)
    }
}

/// Bytes → text, or where it stops being text.
pub fn utf8(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes)
        .map_err(|e| Refusal::whole(Code::Malformed, format!("the body is not UTF-8: byte {} is wrong", e.valid_up_to())))
}

/// Judges a JSON batch.
pub fn json<'a>(text: &'a str, rules: &Rules) -> Result<Batch<'a>, Refusal> {
    plain::batch(text, rules).map_or_else(|| thorough(text, rules), Ok)
}

/// Whatever it looks like: each event is found first, then decoded.
fn thorough<'a>(text: &'a str, rules: &Rules) -> Result<Batch<'a>, Refusal> {
    // An array would also pass for a struct; nobody means that.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(not_an_object(text));
    }
    let envelope: Envelope = serde_json::from_str(text).map_err(|e| explain(text, e))?;
    check_version(envelope.v)?;
    let (app, sent_at_ms) = check_envelope(envelope.app, envelope.sent_at_ms, rules)?;
    check_count(envelope.events.count, rules)?;
    let events = envelope.events.kept.into_iter().map(|raw| judge(raw.get(), sent_at_ms, rules)).collect();
    Ok(Batch { token: envelope.token, ..finish(app, sent_at_ms, events) })
}

/// Judges one event per line. Empty lines are passed over.
pub fn ndjson<'a>(text: &'a str, parameters: Parameters<'a>, rules: &Rules) -> Result<Batch<'a>, Refusal> {
    let missing = |name: &str| Refusal::new(Code::MissingField, name, format!("{name} is missing; with NDJSON it is a query parameter"));
    let v = parameters.v.ok_or_else(|| missing("v"))?;
    check_version(number("v", &v)?)?;
    let sent_at_ms = parameters.sent_at_ms.map(|s| number("sent_at_ms", &s)).transpose()?;
    let (app, sent_at_ms) = check_envelope(parameters.app.ok_or_else(|| missing("app"))?, sent_at_ms, rules)?;
    let lines = || text.split('\n').map(str::trim).filter(|line| !line.is_empty());
    check_count(lines().count(), rules)?;
    let events = lines().map(|line| judge(line, sent_at_ms, rules)).collect();
    Ok(finish(app, sent_at_ms, events))
}

/// Said to the client of every accepted event when its clock was far off.
pub fn note(sent_at_ms: Option<i64>, received_at_ms: i64) -> Option<String> {
    let correction = time::correction_ms(sent_at_ms, received_at_ms);
    (correction.saturating_abs() > CORRECTION_NOTED_MS)
        .then(|| format!("times were corrected by {correction:+} ms: sent_at_ms is that far from the time of receipt"))
}

fn judge<'a>(text: &'a str, sent_at_ms: Option<i64>, rules: &Rules) -> Judged<'a> {
    let verdict = decoded(text, sent_at_ms, rules).and_then(is_for_events);
    Judged { text, verdict }
}

fn is_for_events(event: Event) -> Result<Event, Refusal> {
    match event {
        Event::Cmcd(_) => Err(Refusal::new(Code::UnknownType, "type", "type \"cmcd\" is not taken here; reports go to POST /v1/cmcd")),
        event => Ok(event),
    }
}

/// One event, its sizes and its time checked, whichever door it came by.
pub fn decoded<'a>(text: &'a str, sent_at_ms: Option<i64>, rules: &Rules) -> Result<Event<'a>, Refusal> {
    let event = decode::event(text, rules.limits)?;
    time::check(event.head().at_ms, sent_at_ms, rules.received_at_ms, rules.limits)?;
    Ok(event)
}

fn finish<'a>(app: Cow<'a, str>, sent_at_ms: Option<i64>, mut events: Vec<Judged<'a>>) -> Batch<'a> {
    for (index, refusal) in counters::falls(&events) {
        if let Some(event) = events.get_mut(index) {
            event.verdict = Err(refusal);
        }
    }
    Batch { app, sent_at_ms, token: None, events }
}

fn check_version(v: u32) -> Result<(), Refusal> {
    if VERSIONS.contains(&v) {
        return Ok(());
    }
    let known = VERSIONS.map(|v| v.to_string()).join(", ");
    let refusal = Refusal::new(Code::UnsupportedVersion, "v", format!("v is {v}; supported versions are {known}"));
    Err(Refusal { value: Some(i64::from(v)), ..refusal })
}

fn check_envelope<'a>(app: Cow<'a, str>, sent_at_ms: Option<i64>, rules: &Rules) -> Result<(Cow<'a, str>, Option<i64>), Refusal> {
    decode::id("app", &app, rules.limits)?;
    if let Some(sent) = sent_at_ms.filter(|sent| !(0..=SENT_AT_MS_MAX).contains(sent)) {
        let reason = format!("sent_at_ms is {sent}; it is milliseconds since 1970, from 0 to {SENT_AT_MS_MAX}");
        let refusal = Refusal::new(Code::OutOfRange, "sent_at_ms", reason);
        return Err(Refusal { value: Some(sent), limit: Some(SENT_AT_MS_MAX), ..refusal });
    }
    Ok((app, sent_at_ms))
}

fn check_count(count: usize, rules: &Rules) -> Result<(), Refusal> {
    if count > rules.events_max {
        return Err(Refusal::over(Code::TooMany, "events", count as i64, rules.events_max as i64, "events"));
    }
    Ok(())
}

fn number<T: std::str::FromStr>(field: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::new(Code::WrongType, field, format!("{field} is {:?}; a number is expected", clip(text))))
}

/// The slow path: names what is wrong with an envelope. A version we do not know comes first, since
/// nothing else about such a batch can be judged.
fn explain(text: &str, first: serde_json::Error) -> Refusal {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    if !first.is_data() {
        return Refusal::whole(Code::Malformed, format!("the body is not valid JSON: {first}"));
    }
    if let Some(refusal) = serde_json::from_str(text).ok().and_then(|Version { v }| check_version(v).err()) {
        return refusal;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let Err(error) = serde_path_to_error::deserialize::<_, Envelope>(&mut reader) else {
        return Refusal::whole(Code::Malformed, clip(&first.to_string()));
    };
    let (path, message) = (error.path().to_string(), error.inner().to_string());
    let said = message.split(" at line ").next().unwrap_or(&message);
    if let Some(name) = said.strip_prefix("missing field `").and_then(|s| s.strip_suffix('`')) {
        return Refusal::new(Code::MissingField, name, format!("{name} is missing"));
    }
    Refusal::new(Code::WrongType, path.clone(), format!("{path}: {}", clip(said)))
}

fn not_an_object(text: &str) -> Refusal {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Refusal::whole(Code::WrongType, r#"the body is not a batch; {"v":1,"app":…,"events":[…]} is expected"#),
        Err(e) => Refusal::whole(Code::Malformed, format!("the body is not valid JSON: {e}")),
    }
}

/// Nothing a client sends comes back longer than this.
pub fn clip(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
