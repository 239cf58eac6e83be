//! Bytes → a checked event, or a refusal that names the field, the value's size and the limit.
//! The happy path reads the text once: its `type` comes first in what the SDKs write, and is peeked at. Only
//! other orders pay for looking for it, and only a refusal for finding the field's path. Sizes and ranges are
//! judged in [`check`].

mod check;
mod explain;

pub use check::id;

use crate::event::{CMCD, Event, TYPES};
use crate::limits::Limits;
use crate::refusal::{Code, Refusal};
use serde::Deserialize;
use std::borrow::Cow;

const TYPE: &str = "\"type\"";

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

/// Decodes and checks one event. Unknown fields are ignored here and kept in the record.
pub fn event<'a>(json: &'a str, limits: &Limits) -> Result<Event<'a>, Refusal> {
    if json.len() > limits.event_bytes_max {
        return Err(too_long(json, limits));
    }
    let event = parse(json)?;
    check::event(&event, limits)?;
    Ok(event)
}

/// Decodes one event without checking sizes: for readers of records that ingest has checked.
pub fn parse(json: &str) -> Result<Event<'_>, Refusal> {
    // Serde would also take an array as a struct, field by position: that is not in the contract.
    if !json.trim_ascii_start().starts_with('{') {
        return Err(explain::not_an_object(json));
    }
    let kind = match peek(json) {
        Some(kind) => Cow::Borrowed(kind),
        None => typed::<Tag>(json)?
            .kind
            .ok_or_else(|| Refusal::new(Code::MissingField, "type", format!("type is missing; known types are {}", TYPES.join(", "))))?,
    };
    match kind.as_ref() {
        "heartbeat" => typed(json).map(Event::Heartbeat),
        "stall" => typed(json).map(Event::Stall),
        "session_start" => typed(json).map(Event::SessionStart),
        "playback_start" => typed(json).map(Event::PlaybackStart),
        "session_end" => typed(json).map(Event::SessionEnd),
        "cdn_switch" => typed(json).map(Event::CdnSwitch),
        "error" => typed(json).map(Event::Error),
        CMCD => typed(json).map(Event::Cmcd),
        other => Err(Refusal::new(
            Code::UnknownType,
            "type",
            format!("type {:?} is unknown; known types are {}", explain::clip(other), TYPES.join(", ")),
        )),
    }
}

/// The type, where it is the object's first member and cannot be given twice: `"type"` stands in the text once,
/// and nothing is escaped, under which another could hide. None says nothing but "look closely".
fn peek(json: &str) -> Option<&str> {
    let member = json.trim_ascii_start().strip_prefix('{')?.trim_ascii_start().strip_prefix(TYPE)?;
    let (kind, rest) = member.trim_ascii_start().strip_prefix(':')?.trim_ascii_start().strip_prefix('"')?.split_once('"')?;
    let plain = memchr::memchr(b'\\', json.as_bytes()).is_none() && memchr::memmem::find(rest.as_bytes(), TYPE.as_bytes()).is_none();
    plain.then_some(kind)
}

fn typed<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(json).map_err(|e| explain::why::<T>(json, e))
}

/// An event over its size: names the text or list that is to blame, when one is.
fn too_long(json: &str, limits: &Limits) -> Refusal {
    let blamed = parse(json).ok().and_then(|event| check::event(&event, limits).err());
    blamed.unwrap_or_else(|| Refusal::over(Code::TooLong, "event", json.len() as i64, limits.event_bytes_max as i64, "bytes"))
}
