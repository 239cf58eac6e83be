//! Sizes and ranges of a decoded event, field by field. What is wrong is named with its path.

use crate::event::{Cmcd, Counters, Event, LastSegment};
use crate::limits::Limits;
use crate::refusal::{Code, Refusal};

pub fn event(event: &Event, limits: &Limits) -> Result<(), Refusal> {
    let head = event.head();
    id("session_id", head.session_id, limits)?;
    id("user_id", head.user_id, limits)?;
    id("programme_id", head.programme_id, limits)?;
    optional_id("region", head.region, limits)?;
    at_most("seq", head.seq, limits.counter_max)?;
    match event {
        Event::Heartbeat(e) => {
            optional_id("cdn", e.cdn.as_deref(), limits)?;
            counters(&e.counters, limits)
        }
        Event::SessionEnd(e) => counters(&e.counters, limits),
        Event::Stall(e) => {
            id("cdn", &e.cdn, limits)?;
            at_most("stall_ms", e.stall_ms, limits.counter_max)?;
            at_most("threshold_ms", e.threshold_ms, limits.counter_max)?;
            text("cause", e.cause.as_deref(), limits)?;
            e.last_segment.as_ref().map_or(Ok(()), |s| last_segment(s, limits))
        }
        Event::SessionStart(e) => {
            optional_id("cdn", e.cdn.as_deref(), limits)?;
            optional_id("sdk", e.sdk.as_deref(), limits)?;
            optional_id("player", e.player.as_deref(), limits)
        }
        Event::PlaybackStart(e) => {
            id("cdn", &e.cdn, limits)?;
            at_most("startup_ms", e.startup_ms, limits.counter_max)
        }
        Event::CdnSwitch(e) => {
            id("from_cdn", &e.from_cdn, limits)?;
            id("to_cdn", &e.to_cdn, limits)
        }
        Event::Error(e) => {
            optional_id("cdn", e.cdn.as_deref(), limits)?;
            id("code", &e.code, limits)?;
            text("message", e.message.as_deref(), limits)
        }
        Event::Cmcd(e) => cmcd(e, limits),
    }
}

fn cmcd(e: &Cmcd, limits: &Limits) -> Result<(), Refusal> {
    optional_id("event", e.event.as_deref(), limits)?;
    optional_id("cdn", e.cdn.as_deref(), limits)?;
    optional_id("error", e.error.as_deref(), limits)?;
    for (field, value) in
        [("startup_ms", e.startup_ms), ("bitrate_kbps", e.bitrate_kbps), ("buffer_ms", e.buffer_ms), ("latency_ms", e.latency_ms)]
    {
        at_most(field, value.unwrap_or_default(), limits.counter_max)?;
    }
    if e.bytes.len() > limits.cdns_max {
        return Err(Refusal::over(Code::TooMany, "bytes", e.bytes.len() as i64, limits.cdns_max as i64, "CDNs"));
    }
    e.bytes.iter().try_for_each(|said| {
        optional_id("bytes.cdn", said.cdn.as_deref(), limits)?;
        at_most("bytes.bytes", said.bytes, limits.counter_max)
    })
}

fn counters(counters: &[Counters], limits: &Limits) -> Result<(), Refusal> {
    if counters.len() > limits.cdns_max {
        return Err(Refusal::over(Code::TooMany, "counters", counters.len() as i64, limits.cdns_max as i64, "CDNs"));
    }
    for (i, c) in counters.iter().enumerate() {
        // Names are built only when something is wrong: this runs for every heartbeat.
        let name = |field: &str| format!("counters[{i}].{field}");
        id_at(|| name("cdn"), &c.cdn, limits)?;
        let values = [
            ("bytes", c.bytes),
            ("aborted_bytes", c.aborted_bytes),
            ("play_ms", c.play_ms),
            ("stall_ms", c.stall_ms),
            ("stalls", c.stalls),
        ];
        if let Some((field, value)) = values.into_iter().find(|(_, value)| *value > limits.counter_max) {
            return Err(range(name(field), value, limits.counter_max));
        }
        if counters.iter().take(i).any(|earlier| earlier.cdn == c.cdn) {
            return Err(Refusal::new(Code::TooMany, name("cdn"), format!("{} names {:?} a second time", name("cdn"), c.cdn)));
        }
    }
    Ok(())
}

fn last_segment(s: &LastSegment, limits: &Limits) -> Result<(), Refusal> {
    at_most("last_segment.throughput_bps", s.throughput_bps, limits.counter_max)?;
    at_most("last_segment.bytes", s.bytes, limits.counter_max)?;
    text("last_segment.host", s.host.as_deref(), limits)
}

/// Checks an id: not empty, within the limit, no control characters.
pub fn id(field: &str, value: &str, limits: &Limits) -> Result<(), Refusal> {
    id_at(|| field.to_owned(), value, limits)
}

fn id_at(field: impl Fn() -> String, value: &str, limits: &Limits) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(Refusal::new(Code::MissingField, field(), format!("{} is empty", field())));
    }
    if value.len() > limits.id_bytes_max {
        return Err(Refusal::over(Code::TooLong, field(), value.len() as i64, limits.id_bytes_max as i64, "bytes"));
    }
    // Nearly every id is printable ASCII, which is seen in a few wide steps.
    if value.bytes().fold(true, |plain, b| plain & (b' '..0x7f).contains(&b)) {
        return Ok(());
    }
    match value.chars().find(|c| c.is_control()) {
        Some(found) => Err(control(field(), found)),
        None => Ok(()),
    }
}

fn optional_id(field: &str, value: Option<&str>, limits: &Limits) -> Result<(), Refusal> {
    value.map_or(Ok(()), |v| id(field, v, limits))
}

/// Free text may hold line breaks and tabs, but no other control character.
fn text(field: &str, value: Option<&str>, limits: &Limits) -> Result<(), Refusal> {
    let Some(value) = value else { return Ok(()) };
    if value.len() > limits.text_bytes_max {
        return Err(Refusal::over(Code::TooLong, field, value.len() as i64, limits.text_bytes_max as i64, "bytes"));
    }
    match value.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Some(found) => Err(control(field.to_owned(), found)),
        None => Ok(()),
    }
}

fn control(field: String, found: char) -> Refusal {
    let reason = format!("{field} holds the control character U+{:04X}; none is allowed", u32::from(found));
    Refusal::new(Code::ControlCharacter, field, reason)
}

fn at_most(field: &str, value: u64, max: u64) -> Result<(), Refusal> {
    if value > max { Err(range(field.to_owned(), value, max)) } else { Ok(()) }
}

fn range(field: String, value: u64, max: u64) -> Refusal {
    let reason = format!("{field} is {value}; the limit is {max}");
    Refusal { code: Code::OutOfRange, field: Some(field), reason, value: i64::try_from(value).ok(), limit: i64::try_from(max).ok() }
}
