//! Tests of `batch`: envelopes and events as tables of cases, and properties over any text.

use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_790_000_000_000;

fn rules(limits: &Limits) -> Rules<'_> {
    Rules { limits, events_max: 10, received_at_ms: NOW }
}

fn stall(extra: &str) -> String {
    format!(
        r#"{{"type":"stall","session_id":"s","seq":1,"at_ms":{NOW},"user_id":"u","programme_id":"p","cdn":"a","began_at_ms":{NOW},"stall_ms":5,"kind":"rebuffer","media":"video","threshold_ms":500{extra}}}"#
    )
}

fn envelope_refusal(text: &str) -> Refusal {
    json(text, &rules(&Limits::default())).expect_err(text)
}

#[test]
fn a_wrong_envelope_is_refused_by_name() {
    for (text, code, field) in [
        ("", Code::Malformed, None),
        ("{\"v\":1,", Code::Malformed, None),
        (r#"{"v":1,"app":"a","events":[{]}"#, Code::Malformed, None),
        (r#"{"v":1,"app":"a","events":[]} tail"#, Code::Malformed, None),
        (r#"{"app":"a","events":[]}"#, Code::MissingField, Some("v")),
        (r#"{"v":1,"events":[]}"#, Code::MissingField, Some("app")),
        (r#"{"v":1,"app":"a"}"#, Code::MissingField, Some("events")),
        (r#"{"v":1,"app":"","events":[]}"#, Code::MissingField, Some("app")),
        (r#"{"v":1,"app":"a\u0000b","events":[]}"#, Code::ControlCharacter, Some("app")),
        (r#"{"v":1,"app":7,"events":[]}"#, Code::WrongType, Some("app")),
        (r#"{"v":1,"app":"a","events":{}}"#, Code::WrongType, Some("events")),
        (r#"{"v":1,"app":"a","sent_at_ms":"now","events":[]}"#, Code::WrongType, Some("sent_at_ms")),
        (r#"{"v":1,"app":"a","sent_at_ms":-1,"events":[]}"#, Code::OutOfRange, Some("sent_at_ms")),
        (r#"{"v":2,"app":"a","events":[]}"#, Code::UnsupportedVersion, Some("v")),
        (r#"{"v":2,"anything":"else"}"#, Code::UnsupportedVersion, Some("v")),
        (r#"{"v":1,"app":"a","events":[1,2,3,4,5,6,7,8,9,10,11]}"#, Code::TooMany, Some("events")),
        ("[1]", Code::WrongType, None),
        ("7", Code::WrongType, None),
    ] {
        let refusal = envelope_refusal(text);
        assert_eq!((refusal.code, refusal.field.as_deref()), (code, field), "{text}: {refusal:?}");
    }
    assert_eq!(envelope_refusal(r#"{"v":9,"app":"a","events":[]}"#).reason, "v is 9; supported versions are 1");
    let long = format!(r#"{{"v":1,"app":"{}","events":[]}}"#, "a".repeat(1 << 20));
    let refusal = envelope_refusal(&long);
    assert_eq!((refusal.code, refusal.value, refusal.limit), (Code::TooLong, Some(1 << 20), Some(128)));
}

#[test]
fn a_bad_event_costs_only_itself() {
    let (good, long) = (stall(""), stall("").replace("\"u\"", &format!("\"{}\"", "u".repeat(1 << 20))));
    let nul = stall("").replace("\"u\"", r#""u\u0000""#);
    let negative = stall("").replace("\"stall_ms\":5", "\"stall_ms\":-5");
    let wrong = stall("").replace("\"stall_ms\":5", "\"stall_ms\":\"5\"");
    let missing = stall("").replace("\"stall_ms\":5,", "");
    let unknown = stall("").replace("\"stall\"", "\"yawn\"");
    let text =
        format!(r#"{{"v":1,"app":"demo","sent_at_ms":{NOW},"events":[{good},{long},{nul},{negative},{wrong},{missing},{unknown},7]}}"#);
    let limits = Limits::default();
    let batch = json(&text, &rules(&limits)).unwrap();
    let seen: Vec<_> =
        batch.events.iter().map(|e| e.verdict.as_ref().err().map(|r| (r.code, r.field.clone().unwrap_or_default()))).collect();
    let refused = |code, field: &str| Some((code, field.to_owned()));
    assert_eq!(
        seen[..7],
        [
            None,
            refused(Code::TooLong, "user_id"),
            refused(Code::ControlCharacter, "user_id"),
            refused(Code::OutOfRange, "stall_ms"),
            refused(Code::WrongType, "stall_ms"),
            refused(Code::MissingField, "stall_ms"),
            refused(Code::UnknownType, "type"),
        ]
    );
    assert_eq!(seen[7].as_ref().map(|(code, _)| *code), Some(Code::WrongType));
    assert_eq!(batch.events[0].text, good);
}

#[test]
fn a_clock_a_year_off_is_noted_when_the_batch_says_so_and_refused_when_not() {
    let year = 365 * 86_400_000;
    let off = stall("").replace(&NOW.to_string(), &(NOW - year).to_string());
    let limits = Limits::default();
    let with = format!(r#"{{"v":1,"app":"demo","sent_at_ms":{},"events":[{off}]}}"#, NOW - year);
    assert!(json(&with, &rules(&limits)).unwrap().events[0].verdict.is_ok());
    assert!(note(Some(NOW - year), NOW).unwrap().contains("+31536000000 ms"));
    assert_eq!(note(Some(NOW - 60_000), NOW), None);
    assert_eq!(note(None, NOW), None);
    let without = format!(r#"{{"v":1,"app":"demo","events":[{off}]}}"#);
    assert_eq!(json(&without, &rules(&limits)).unwrap().events[0].verdict.as_ref().unwrap_err().code, Code::Clock);
}

#[test]
fn ndjson_takes_its_envelope_from_the_query() {
    let limits = Limits::default();
    let full = |v: &'static str, app: &'static str| Parameters { v: Some(v.into()), app: Some(app.into()), sent_at_ms: None };
    let text = format!("{}\r\n\n{{broken\n{}", stall(""), stall(",\"new\":1"));
    let batch = ndjson(&text, full("1", "demo"), &rules(&limits)).unwrap();
    let codes: Vec<_> = batch.events.iter().map(|e| e.verdict.as_ref().err().map(|r| r.code)).collect();
    assert_eq!(codes, [None, Some(Code::Malformed), None]);
    for (parameters, code, field) in [
        (Parameters { app: Some("a".into()), ..Parameters::default() }, Code::MissingField, "v"),
        (Parameters { v: Some("1".into()), ..Parameters::default() }, Code::MissingField, "app"),
        (full("one", "a"), Code::WrongType, "v"),
        (full("3", "a"), Code::UnsupportedVersion, "v"),
        (Parameters { sent_at_ms: Some("soon".into()), ..full("1", "a") }, Code::WrongType, "sent_at_ms"),
    ] {
        let refusal = ndjson("", parameters, &rules(&limits)).unwrap_err();
        assert_eq!((refusal.code, refusal.field.as_deref()), (code, Some(field)));
    }
}

#[test]
fn a_million_empty_events_are_counted_and_not_held() {
    let text = format!(r#"{{"v":1,"app":"a","events":[{}0]}}"#, "0,".repeat(1_000_000));
    assert_eq!(envelope_refusal(&text).value, Some(1_000_001));
    let list = format!("[{}0]", "0,".repeat(50_000));
    let texts: Texts = serde_json::from_str(&list).unwrap();
    assert_eq!((texts.kept.len(), texts.count), (BATCH_EVENTS_CEILING, 50_001));
}

fn heartbeat(extra: &str) -> String {
    format!(
        r#"{{"type":"heartbeat","session_id":"h","seq":2,"at_ms":{NOW},"user_id":"u","programme_id":"p","session_started_at_ms":{NOW},"state":"p","counters":[{{"cdn":"a","first_used_at_ms":{NOW},"bytes":7,"aborted_bytes":0,"play_ms":1,"stall_ms":0,"stalls":0}}]{extra}}}"#
    )
}

#[test]
fn what_the_sdks_write_goes_the_quick_way() {
    let limits = Limits::default();
    for events in [stall(""), format!("{},{}", stall(""), heartbeat(r#","x":{"y":[1]}"#))] {
        for text in [
            format!(r#"{{"v":1,"app":"demo","events":[{events}]}}"#),
            format!(r#"{{"v":1,"app":"demo","sent_at_ms":{NOW},"events":[{events}]}}"#),
            format!("{{\"v\":1,\"app\":\"demo\",\"sent_at_ms\":{NOW},\"token\":\"a.b.c\",\"events\":[{events}]}}\n"),
        ] {
            let quick = plain::batch(&text, &rules(&limits)).expect(&text);
            assert_eq!(format!("{quick:?}"), format!("{:?}", thorough(&text, &rules(&limits)).unwrap()));
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_judged_without_panic_and_no_answer_is_longer_than_a_line(text in ".{0,300}") {
        let limits = Limits::default();
        if let Err(refusal) = json(&text, &rules(&limits)) {
            prop_assert!(refusal.reason.len() < 1000);
        }
        let parameters = Parameters { v: Some("1".into()), app: Some("a".into()), sent_at_ms: None };
        if let Ok(batch) = ndjson(&text, parameters, &rules(&limits)) {
            prop_assert!(batch.events.iter().all(|e| e.verdict.is_err()));
        }
    }

    /// Whatever else is in the batch, a good event is accepted with its text untouched.
    #[test]
    fn good_events_survive_any_neighbour(bad in proptest::collection::vec("[a-z0-9 \\[\\]]{0,20}", 0..8), at in 0usize..8) {
        let good = stall(",\"x\":[1, 2]");
        let mut events: Vec<String> = bad.iter().map(|b| serde_json::to_string(b).unwrap()).collect();
        let at = at.min(events.len());
        events.insert(at, good.clone());
        let text = format!(r#"{{"v":1,"app":"demo","events":[{}]}}"#, events.join(","));
        let limits = Limits::default();
        let batch = json(&text, &rules(&limits)).unwrap();
        let accepted: Vec<_> = batch.events.iter().filter(|e| e.verdict.is_ok()).map(|e| e.text).collect();
        prop_assert_eq!(accepted, [good.as_str()]);
        prop_assert_eq!(batch.events.len(), events.len());
    }

    /// The quick way takes nothing that the thorough one would refuse or read otherwise: bytes of a good batch are
    /// replaced, doubled and left out, members given twice or in odd places.
    #[test]
    fn the_quick_way_says_what_the_thorough_one_says(
        pick in proptest::collection::vec(0usize..6, 1..5),
        change in proptest::collection::vec((0usize..2_000, 0usize..24), 0..3),
    ) {
        let odd = [
            "\"", "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "0", "-", "1e3", "null", "\"type\":\"stall\",", "\"token\":\"t\",",
            "\"sent_at_ms\":1,", "\"seq\":3,", "\u{7f}", "é", "\\u0000", ",,", "}}", "",
        ];
        let events = [
            stall(""), stall(",\"x\":[1, 2]"), heartbeat(""), heartbeat(",\"counters\":[]"), stall(",\"type\":\"stall\""),
            stall("").replace(&NOW.to_string(), "5"),
        ];
        let list: Vec<&str> = pick.iter().map(|n| events[*n].as_str()).collect();
        let mut text = format!(r#"{{"v":1,"app":"demo","sent_at_ms":{NOW},"events":[{}]}}"#, list.join(","));
        for (at, what) in change {
            let mut at = at % text.len();
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let next = text[at..].chars().next().map_or(0, char::len_utf8);
            // Beside the character there, or in its place.
            text.replace_range(at..at + if what % 2 == 0 { next } else { 0 }, odd[what]);
        }
        let limits = Limits::default();
        if let Some(quick) = plain::batch(&text, &rules(&limits)) {
            let thorough = thorough(&text, &rules(&limits)).map(|batch| format!("{batch:?}"));
            prop_assert_eq!(thorough, Ok(format!("{quick:?}")), "{}", text);
        }
    }
}
