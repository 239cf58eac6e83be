//! Any text as CMCD reports: lines of a structured dictionary, of version 1's query argument, and JSON in each of its
//! shapes. A report is accepted or refused, never more; what is accepted is an event within all limits that reads back
//! the same; a refusal is short. Read by the fuzz target and by ingest's tests; a broken promise is a panic.

use livemeter_ingest::batch::{self, Rules};
use livemeter_ingest::cmcd::hosts::Hosts;
use livemeter_ingest::cmcd::{self, Form, Kind, Sender};
use livemeter_schemas::decode;
use livemeter_schemas::event::Event;
use livemeter_schemas::limits::Limits;
use livemeter_schemas::refusal::Refusal;
use std::borrow::Cow;

const RECEIVED_AT_MS: i64 = 1_790_000_031_000;
const REPORTS_MAX: usize = 50;
const REASON_BYTES_MAX: usize = 1_536;

pub fn check(data: &[u8]) {
    let Ok(text) = batch::utf8(data) else { return };
    let form = |kind| Form { kind, app: Some("demo".into()), target: None, query: None };
    judged(text, &form(Kind::Lines));
    judged(text, &form(Kind::Json));
    // The first line as what the URL could say.
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let said = |text: &'static str| Form { target: Some(Cow::Borrowed(text)), ..form(Kind::Lines) };
    judged(rest, &Form { query: Some(first.into()), ..said("second") });
    judged(rest, &Form { app: Some(first.into()), target: Some(first.into()), ..form(Kind::Lines) });
}

fn judged(text: &str, form: &Form<'_>) {
    let limits = Limits::default();
    let rules = Rules { limits: &limits, events_max: REPORTS_MAX, received_at_ms: RECEIVED_AT_MS };
    let hosts: Hosts = "127.0.0.1=cdn-a, *.edge.example=cdn-b".parse().expect("a table");
    let reports = match cmcd::read(text, form, Sender { app: None, user_id: None }, &hosts, &rules) {
        Ok(reports) => reports,
        Err(refusal) => return short(&refusal),
    };
    let batch = reports.batch(&rules);
    assert!(batch.events.len() <= REPORTS_MAX, "{} reports", batch.events.len());
    for judged in &batch.events {
        match &judged.verdict {
            Err(refusal) => short(refusal),
            Ok(event) => {
                assert!(matches!(event, Event::Cmcd(_)), "a report became a {}", event.type_name());
                assert!(judged.text.len() <= limits.event_bytes_max, "an event of {} bytes", judged.text.len());
                assert_eq!(decode::event(judged.text, &limits).as_ref(), Ok(event));
                assert!(event.head().session_id.len() <= limits.id_bytes_max);
            }
        }
    }
}

fn short(refusal: &Refusal) {
    assert!(refusal.reason.len() <= REASON_BYTES_MAX, "a reason of {} bytes: {}", refusal.reason.len(), refusal.reason);
}
