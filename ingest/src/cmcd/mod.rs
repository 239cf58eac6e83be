//! CMCD reports (CTA-5004-B) of players that embed no SDK of ours → events of the type `cmcd`. Pure. What becomes of
//! them in the ledger is the processor's.
//!
//! * [`values`]  one report's text, in any of its three forms, → keys and typed values
//! * [`report`]  keys and values → one event, or why not
//! * [`hosts`]   the table from hosts to CDNs: CMCD has no key for a CDN
//!
//! One bad value costs itself, one bad report costs itself; both are counted.

pub mod hosts;
pub mod report;
pub mod values;

use crate::batch::{self, Batch, Judged, Rules};
use hosts::Hosts;
use livemeter_schemas::decode;
use livemeter_schemas::event::Event;
use livemeter_schemas::refusal::{Code, Refusal};
use report::{Context, Report};
use std::borrow::Cow;
use std::ops::AddAssign;
use values::Values;

/// A newest report this far ahead of its receipt, or so far behind it, tells of a wrong clock; less is the network,
/// or a player that tries again.
const AHEAD_MS: i64 = 60_000;
const BEHIND_MS: i64 = 10 * 60_000;

/// How the reports of a body are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One a line, each a structured dictionary, or `CMCD=` and the same percent-encoded.
    Lines,
    /// One object, an array of them, or one a line.
    Json,
}

/// What of a request is not its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form<'a> {
    pub kind: Kind,
    pub app: Option<Cow<'a, str>>,
    /// Tells apart several targets of one player that lead here: each numbers its reports for itself.
    pub target: Option<Cow<'a, str>>,
    /// `CMCD=` in the URL, as version 1 sends it.
    pub query: Option<Cow<'a, str>>,
}

/// Who posts, as far as reports lack it.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    pub app: Option<&'a str>,
    pub user_id: Option<&'a str>,
}

/// What was passed over, and cost nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ignored {
    pub unknown_keys: u64,
    pub bad_values: u64,
}

impl AddAssign for Ignored {
    fn add_assign(&mut self, other: Ignored) {
        self.unknown_keys += other.unknown_keys;
        self.bad_values += other.bad_values;
    }
}

/// One report: the text it came as, and the event's, if it is one.
#[derive(Debug)]
pub struct Read {
    text: String,
    verdict: Result<String, Refusal>,
}

/// A body's reports.
#[derive(Debug)]
pub struct Reports {
    pub app: String,
    pub ignored: Ignored,
    sent_at_ms: Option<i64>,
    reads: Vec<Read>,
}

/// Reads a body. Only what concerns all of it is refused here.
pub fn read(body: &str, form: &Form, sender: Sender, hosts: &Hosts, rules: &Rules) -> Result<Reports, Refusal> {
    let app = form.app.as_deref().or(sender.app);
    let missing = || Refusal::new(Code::MissingField, "app", "app is missing; it is a query parameter where no key tells it");
    let app = app.ok_or_else(missing)?;
    decode::id("app", app, rules.limits)?;
    if let Some(target) = &form.target {
        decode::id("target", target, rules.limits)?;
    }
    let texts = texts(body, form, rules.events_max)?;
    let context =
        Context { hosts, limits: rules.limits, target: form.target.as_deref(), user_id: sender.user_id, ignored: Ignored::default() };
    let mut reports =
        Reports { app: app.to_owned(), ignored: Ignored::default(), sent_at_ms: None, reads: Vec::with_capacity(texts.len()) };
    let mut newest: Option<i64> = None;
    for (index, (text, values)) in texts.into_iter().enumerate() {
        let mut context = Context { ignored: Ignored::default(), ..context };
        // Reports without a number or a time get those of their receipt.
        let received = rules.received_at_ms.saturating_add(index as i64);
        let verdict = values.and_then(|values| report::event(&text, values, received, &mut context));
        reports.ignored += context.ignored;
        newest = newest.max(verdict.as_ref().ok().and_then(|report| report.ts_ms));
        reports.reads.push(Read { verdict: verdict.and_then(json), text: text.into_owned() });
    }
    reports.sent_at_ms = newest.filter(|ts| wrong_clock(*ts, rules.received_at_ms));
    Ok(reports)
}

impl Reports {
    /// The same as a batch, every report accepted or refused by name.
    pub fn batch(&self, rules: &Rules) -> Batch<'_> {
        let events = self.reads.iter().map(|read| match &read.verdict {
            Ok(text) => match batch::decoded(text, self.sent_at_ms, rules) {
                Ok(event) => Judged { text, verdict: Ok(event) },
                Err(refusal) => Judged { text: &read.text, verdict: Err(refusal) },
            },
            Err(refusal) => Judged { text: &read.text, verdict: Err(refusal.clone()) },
        });
        Batch { app: Cow::Borrowed(&self.app), sent_at_ms: self.sent_at_ms, token: None, events: events.collect() }
    }
}

/// A report carries no time of sending. Where its newest time cannot be explained by the network, that time stands
/// for it; else the device's clock is taken as right, so that no delay stretches an interval.
fn wrong_clock(ts_ms: i64, received_at_ms: i64) -> bool {
    !(-BEHIND_MS..=AHEAD_MS).contains(&ts_ms.saturating_sub(received_at_ms))
}

fn json(report: Report) -> Result<String, Refusal> {
    serde_json::to_string(&Event::Cmcd(report.event)).map_err(|e| Refusal::whole(Code::Malformed, e.to_string()))
}

type Texts<'a> = Vec<(Cow<'a, str>, Result<Values, Refusal>)>;

/// The reports' own texts, each with what it says.
fn texts<'a>(body: &'a str, form: &'a Form, max: usize) -> Result<Texts<'a>, Refusal> {
    let over = |count: usize| Refusal::over(Code::TooMany, "reports", count as i64, max as i64, "reports");
    let query = form.query.as_deref().map(|text| (Cow::Borrowed(text), values::dictionary(text)));
    let lines = || body.split('\n').map(str::trim).filter(|line| !line.is_empty());
    let within = || match lines().count() + usize::from(query.is_some()) {
        count if count > max => Err(over(count)),
        _ => Ok(()),
    };
    let found: Texts = match form.kind {
        // Of an array, lines say nothing; and one object may be written over many.
        Kind::Json if body.trim_ascii_start().starts_with('[') => array(body, max)?,
        Kind::Json => match values::object(body) {
            Ok(values) => vec![(Cow::Borrowed(body), Ok(values))],
            Err(_) => {
                within()?;
                lines().map(|line| (Cow::Borrowed(line), values::object(line))).collect()
            }
        },
        Kind::Lines => {
            within()?;
            lines().map(line).collect()
        }
    };
    let found: Texts = query.into_iter().chain(found).collect();
    if found.len() > max { Err(over(found.len())) } else { Ok(found) }
}

fn line(text: &str) -> (Cow<'_, str>, Result<Values, Refusal>) {
    if !text.starts_with("CMCD=") {
        return (Cow::Borrowed(text), values::dictionary(text));
    }
    let decoded = url::form_urlencoded::parse(text.as_bytes()).next().map(|(_, value)| value).unwrap_or_default();
    let values = values::dictionary(&decoded);
    (decoded, values)
}

fn array(body: &str, max: usize) -> Result<Texts<'_>, Refusal> {
    let wrong = |e: serde_json::Error| format!("the body is not a list of reports: {}", batch::clip(&e.to_string()));
    let batch::Texts { kept, count } = serde_json::from_str(body).map_err(|e| Refusal::whole(Code::Malformed, wrong(e)))?;
    if count > max {
        return Err(Refusal::over(Code::TooMany, "reports", count as i64, max as i64, "reports"));
    }
    Ok(kept.into_iter().map(|raw| (Cow::Borrowed(raw.get()), values::object(raw.get()))).collect())
}

#[cfg(test)]
mod tests;
