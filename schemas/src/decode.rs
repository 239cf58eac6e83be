//! Bytes → a checked event, or a refusal that names the field, the value's size and the limit.
//! Heartbeats as the SDKs write them have a reader of their own, [`beat`]. Everything else is read once too: its
//! `type` comes first, and is peeked at. Only other orders pay for looking for it, and only a refusal for finding
//! the field's path. Sizes and ranges are judged in [`check`].

mod beat;
mod check;
mod explain;

pub use check::id;
pub use explain::clip;

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
    if let Some((heartbeat, "")) = beat::first(json) {
        return Ok(Event::Heartbeat(heartbeat));
    }
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
    of_kind(&kind, &mut Whole(json)).unwrap_or_else(|| {
        let known = TYPES.join(", ");
        let reason = format!("type {:?} is unknown; known types are {known}", explain::clip(&kind));
        Err(Refusal::new(Code::UnknownType, "type", reason))
    })
}

/// The event that `json` begins with, its own text, and what follows it: one reading for both. None says nothing but
/// "look closely": what is refused, or is not as the SDKs write it, is for [`event`] to name.
pub fn first<'a>(json: &'a str, limits: &Limits) -> Option<(Event<'a>, &'a str, &'a str)> {
    if let Some((heartbeat, rest)) = beat::first(json) {
        let (event, text) = (Event::Heartbeat(heartbeat), json.get(..json.len() - rest.len())?);
        let fit = text.len() <= limits.event_bytes_max && check::event(&event, limits).is_ok();
        return fit.then_some((event, text, rest));
    }
    let (kind, behind) = leading(json)?;
    let mut beginning = Beginning { json, length: 0 };
    let event = of_kind(kind, &mut beginning)?.ok()?;
    let (text, rest) = json.split_at_checked(beginning.length)?;
    // The type ends before the event does, or there would be none.
    let others = text.get(json.len() - behind.len()..)?;
    let fit = text.len() <= limits.event_bytes_max && said_once(text, others) && check::event(&event, limits).is_ok();
    fit.then_some((event, text, rest))
}

/// Where an event is read from.
trait Source<'a> {
    type Fault;
    fn read<T: Deserialize<'a>>(&mut self) -> Result<T, Self::Fault>;
}

/// A text that is one event.
struct Whole<'a>(&'a str);

impl<'a> Source<'a> for Whole<'a> {
    type Fault = Refusal;
    fn read<T: Deserialize<'a>>(&mut self) -> Result<T, Refusal> {
        typed(self.0)
    }
}

/// A text that begins with an event, and how long that was.
struct Beginning<'a> {
    json: &'a str,
    length: usize,
}

impl<'a> Source<'a> for Beginning<'a> {
    type Fault = serde_json::Error;
    fn read<T: Deserialize<'a>>(&mut self) -> Result<T, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(self.json).into_iter();
        let value = reader.next().unwrap_or_else(|| Err(serde::de::Error::custom("nothing")))?;
        self.length = reader.byte_offset();
        Ok(value)
    }
}

/// None for a type that is unknown.
fn of_kind<'a, S: Source<'a>>(kind: &str, source: &mut S) -> Option<Result<Event<'a>, S::Fault>> {
    Some(match kind {
        "heartbeat" => source.read().map(Event::Heartbeat),
        "stall" => source.read().map(Event::Stall),
        "session_start" => source.read().map(Event::SessionStart),
        "playback_start" => source.read().map(Event::PlaybackStart),
        "session_end" => source.read().map(Event::SessionEnd),
        "cdn_switch" => source.read().map(Event::CdnSwitch),
        "error" => source.read().map(Event::Error),
        CMCD => source.read().map(Event::Cmcd),
        _ => return None,
    })
}

/// The type, where it is the object's first member and cannot be given twice. None says nothing but "look closely".
fn peek(json: &str) -> Option<&str> {
    let (kind, behind) = leading(json)?;
    said_once(json, behind).then_some(kind)
}

/// The type, where it is the object's first member, and what follows it.
fn leading(json: &str) -> Option<(&str, &str)> {
    let member = json.trim_ascii_start().strip_prefix('{')?.trim_ascii_start().strip_prefix(TYPE)?;
    member.trim_ascii_start().strip_prefix(':')?.trim_ascii_start().strip_prefix('"')?.split_once('"')
}

/// `"type"` does not stand behind it once more, and nothing is escaped, under which another could hide.
fn said_once(json: &str, behind: &str) -> bool {
    memchr::memchr(b'\\', json.as_bytes()).is_none() && memchr::memmem::find(behind.as_bytes(), TYPE.as_bytes()).is_none()
}

fn typed<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(json).map_err(|e| explain::why::<T>(json, e))
}

/// An event over its size: names the text or list that is to blame, when one is.
fn too_long(json: &str, limits: &Limits) -> Refusal {
    let blamed = parse(json).ok().and_then(|event| check::event(&event, limits).err());
    blamed.unwrap_or_else(|| Refusal::over(Code::TooLong, "event", json.len() as i64, limits.event_bytes_max as i64, "bytes"))
}
