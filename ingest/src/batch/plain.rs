//! The quick way of a JSON batch: an envelope as the SDKs write it, every event good. Each event is decoded where it
//! stands, and where it ended is where it ends: the text is read once. Anything else is for [`super::thorough`] to judge,
//! which says the same of what this takes; a batch with one bad event costs both.

use super::{Batch, Judged, Rules, check_count, check_envelope, finish};
use livemeter_schemas::event::Event;
use livemeter_schemas::{EVENTS_VERSION, decode, plain, time};
use std::borrow::Cow;

/// A heartbeat of one CDN is longer; what is shorter makes the list grow.
const EVENT_BYTES: usize = 256;
const V: &str = "{\"v\":1,\"app\":\"";

pub fn batch<'a>(text: &'a str, rules: &Rules) -> Option<Batch<'a>> {
    const { assert!(EVENTS_VERSION == 1, "V says so too") };
    let (app, rest) = plain::text(text.strip_prefix(V)?)?;
    let (sent_at_ms, rest) = match rest.strip_prefix(",\"sent_at_ms\":") {
        Some(rest) => plain::integer(rest).map(|(ms, rest)| (Some(ms), rest))?,
        None => (None, rest),
    };
    let (token, rest) = match rest.strip_prefix(",\"token\":\"") {
        Some(rest) => plain::text(rest).map(|(token, rest)| (Some(Cow::Borrowed(token)), rest))?,
        None => (None, rest),
    };
    let (app, sent_at_ms) = check_envelope(Cow::Borrowed(app), sent_at_ms, rules).ok()?;
    let (events, rest) = events(rest.strip_prefix(",\"events\":[")?, sent_at_ms, rules)?;
    let ended = rest.strip_prefix('}')?.trim_ascii().is_empty();
    ended.then(|| Batch { token, ..finish(app, sent_at_ms, events) })
}

/// The events of a list behind its bracket, and what follows it. At least one: an empty list is rare.
fn events<'a>(mut rest: &'a str, sent_at_ms: Option<i64>, rules: &Rules) -> Option<(Vec<Judged<'a>>, &'a str)> {
    // About as many as the text can hold, so that the list does not grow, and move, again and again.
    let mut events = Vec::with_capacity((rest.len() / EVENT_BYTES + 1).min(rules.events_max));
    loop {
        check_count(events.len() + 1, rules).ok()?;
        let (event, text, behind) = decode::first(rest, rules.limits)?;
        // Looked at where it is: an event is large, and moving it costs as much as reading it. Space before it is not its own.
        if matches!(event, Event::Cmcd(_)) || !text.starts_with('{') {
            return None;
        }
        time::check(event.head().at_ms, sent_at_ms, rules.received_at_ms, rules.limits).ok()?;
        events.push(Judged { text, verdict: Ok(event) });
        match behind.strip_prefix(',') {
            Some(behind) => rest = behind,
            None => return Some((events, behind.strip_prefix(']')?)),
        }
    }
}
