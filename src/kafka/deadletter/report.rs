//! A CMCD report that ingest refused → the record that it would be now, by ingest's own reading of `POST /v1/cmcd`.
//! What its sender's address told, region and network, is gone.

use livemeter_ingest::batch::Rules;
use livemeter_ingest::cmcd::hosts::Hosts;
use livemeter_ingest::cmcd::{self, Form, Kind, Sender};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::{self, CmcdRequest, DeadLetter, LookedUp};
use livemeter_schemas::refusal::Refusal;
use std::borrow::Cow;

/// `text` is the letter's, whole; `beside` is what its request said.
///
/// # Errors
/// Why it would be refused again.
pub fn record(letter: &DeadLetter, beside: &CmcdRequest, text: &str, hosts: &Hosts, limits: &Limits) -> Result<Vec<u8>, String> {
    let mut form =
        Form { kind: Kind::Json, app: Some(Cow::Borrowed(&letter.app)), target: beside.target.as_deref().map(Cow::Borrowed), query: None };
    let mut body = text;
    // A dictionary of structured fields begins with a key. It is kept decoded, as a query holds it.
    if !text.trim_start().starts_with('{') {
        (form.kind, form.query, body) = (Kind::Lines, Some(Cow::Borrowed(text)), "");
    }
    let sender = Sender { app: None, user_id: beside.user_id.as_deref() };
    // Numbered as it was: the same number again is a repeat.
    let received_at_ms = letter.received_at_ms.saturating_add(i64::from(beside.place));
    let rules = Rules { limits, events_max: 1, received_at_ms };
    let again = |refusal: &Refusal| format!("it would be refused again: {}", refusal.reason);
    let reports = cmcd::read(body, &form, sender, hosts, &rules).map_err(|refusal| again(&refusal))?;
    let batch = reports.batch(&rules);
    let judged = batch.events.first().ok_or("its text holds no report")?;
    judged.verdict.as_ref().map_err(again)?;
    let mut value = Vec::new();
    record::write_from(&mut value, &letter.app, letter.received_at_ms, batch.sent_at_ms, LookedUp::default(), judged.text)
        .map_err(|e| e.to_string())?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::refusal::Code;
    use serde_json::{Value, json};

    const RECEIVED: i64 = 1_790_000_000_000;

    fn letter(text: &str) -> DeadLetter {
        livemeter_ingest::deadletter::build("demo", RECEIVED, &Refusal::new(Code::TooLong, "sid", "long"), text.as_bytes())
    }

    fn event(text: &str, beside: &CmcdRequest) -> Result<Value, String> {
        let hosts = "edge.example=cdn-a".parse().unwrap();
        record(&letter(text), beside, text, &hosts, &Limits::default()).map(|value| serde_json::from_slice(&value).unwrap())
    }

    #[test]
    fn a_report_becomes_what_its_request_would_have_made_of_it() {
        let beside = CmcdRequest { target: Some("2".into()), user_id: Some("ada".into()), place: 3 };
        for text in [
            r#"e=ps,h="edge.example",sid="s",sn=7,sta=p,ts=1789999999000"#,
            r#"{"e":"ps","h":"edge.example","sid":"s","sn":7,"sta":"p","ts":1789999999000}"#,
        ] {
            let record = event(text, &beside).unwrap();
            assert_eq!((&record["app"], &record["received_at_ms"]), (&json!("demo"), &json!(RECEIVED)));
            let of = &record["event"];
            let found = ["type", "session_id", "seq", "at_ms", "user_id", "cdn", "state"].map(|name| of[name].clone());
            let expected = [json!("cmcd"), json!("s~2"), json!(7), json!(1_789_999_999_000i64), json!("ada"), json!("cdn-a"), json!("p")];
            assert_eq!(found, expected, "{text}");
        }
        // Version 1 has no number: it gets the one that it would have got then.
        let record = event(r#"sid="s",bs"#, &beside).unwrap();
        assert_eq!((&record["event"]["seq"], &record["event"]["at_ms"]), (&json!(RECEIVED + 3), &json!(RECEIVED + 3)));
    }

    #[test]
    fn what_is_refused_again_is_told_so() {
        for text in ["", "sid", "v=3,sid=\"s\"", "sid=\"s\"\nsid=\"t\"", "{}", "[1]"] {
            let said = event(text, &CmcdRequest::default());
            assert!(said.as_ref().is_err_and(|why| why.contains("again") || why.contains("no report")), "{text:?}: {said:?}");
        }
    }
}
