//! What becomes of bad input, as data: an event with one thing wrong, and the refusal expected.

use livemeter_schemas::decode;
use livemeter_schemas::limits::Limits;
use livemeter_schemas::refusal::{Code, Refusal};
use proptest::prelude::*;
use serde_json::{Value, json};

const HEARTBEAT: &str = include_str!("../golden/v1/heartbeat.batch.json");
const STALL: &str = include_str!("../golden/v1/stall.batch.json");

fn only_event(batch: &str) -> Value {
    serde_json::from_str::<Value>(batch).unwrap()["events"][0].clone()
}

/// A good event with the value at `pointer` replaced.
fn with(batch: &str, pointer: &str, value: Value) -> String {
    let mut event = only_event(batch);
    *event.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    event.to_string()
}

/// A good event with the field at `pointer` taken away.
fn without(batch: &str, pointer: &str) -> String {
    let mut event = only_event(batch);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    event.to_string()
}

fn refused(text: &str) -> Refusal {
    decode::event(text, &Limits::default()).expect_err(text.get(..80).unwrap_or(text))
}

/// `says`: words that the reason must hold.
fn check(text: &str, code: Code, field: Option<&str>, says: &[&str]) {
    let refusal = refused(text);
    let short = text.get(..120).unwrap_or(text);
    assert_eq!((refusal.code, refusal.field.as_deref()), (code, field), "{short}: {refusal:?}");
    for word in says {
        assert!(refusal.reason.contains(word), "{short}: {:?} does not say {word:?}", refusal.reason);
    }
    assert!(refusal.reason.len() < 500, "a reason must stay short: {} bytes", refusal.reason.len());
}

#[test]
fn the_good_events_are_taken() {
    for batch in [HEARTBEAT, STALL] {
        decode::event(&only_event(batch).to_string(), &Limits::default()).unwrap();
    }
}

#[test]
fn what_is_not_an_event_at_all() {
    for broken in ["", " ", "{", "{\"type\":\"heartbeat\"", "nul", "{'type':1}", "[1,", "\u{0}", "{\"type\":\"stall\"} x"] {
        check(broken, Code::Malformed, None, &["not valid JSON"]);
    }
    for other in ["7", "null", "[]", "[\"heartbeat\"]", "\"heartbeat\"", "true"] {
        check(other, Code::WrongType, None, &["an event must be an object"]);
    }
}

#[test]
fn types() {
    check("{}", Code::MissingField, Some("type"), &["type is missing", "heartbeat", "cdn_switch"]);
    check("{\"type\":null}", Code::MissingField, Some("type"), &["known types are"]);
    check("{\"type\":7}", Code::WrongType, Some("type"), &["integer `7`", "string"]);
    check("{\"type\":\"teleport\"}", Code::UnknownType, Some("type"), &["\"teleport\" is unknown", "heartbeat"]);
    let long = format!("{{\"type\":{:?}}}", "x".repeat(10_000));
    check(&long, Code::UnknownType, Some("type"), &["…", "is unknown"]);
    check("{\"type\":\"stall\",\"type\":\"stall\"}", Code::Malformed, Some("type"), &["given twice"]);
    // The same, where it is harder to see.
    check("{\"type\":\"stall\",\"t\\u0079pe\":\"stall\"}", Code::Malformed, Some("type"), &["given twice"]);
    check("{\"x\":{\"type\":\"stall\"}}", Code::MissingField, Some("type"), &["missing"]);
}

#[test]
fn missing_fields_are_named_with_their_path() {
    for field in ["session_id", "seq", "at_ms", "user_id", "programme_id", "session_started_at_ms", "state", "counters"] {
        check(&without(HEARTBEAT, &format!("/{field}")), Code::MissingField, Some(field), &[field, "is missing"]);
    }
    for field in ["cdn", "first_used_at_ms", "bytes", "play_ms", "stall_ms", "stalls"] {
        let path = format!("counters[1].{field}");
        check(&without(HEARTBEAT, &format!("/counters/1/{field}")), Code::MissingField, Some(&path), &[&path, "is missing"]);
    }
    check(&without(STALL, "/last_segment/status"), Code::MissingField, Some("last_segment.status"), &["is missing"]);
    check(&with(HEARTBEAT, "/user_id", json!("")), Code::MissingField, Some("user_id"), &["user_id is empty"]);
    check(&with(HEARTBEAT, "/counters/0/cdn", json!("")), Code::MissingField, Some("counters[0].cdn"), &["is empty"]);
}

#[test]
fn wrong_types_are_named_with_their_path() {
    check(&with(HEARTBEAT, "/user_id", json!(5)), Code::WrongType, Some("user_id"), &["user_id", "integer `5`", "string"]);
    check(&with(HEARTBEAT, "/seq", json!("5")), Code::WrongType, Some("seq"), &["string \"5\"", "u64"]);
    check(&with(HEARTBEAT, "/at_ms", json!(1.5)), Code::WrongType, Some("at_ms"), &["floating point `1.5`", "i64"]);
    check(&with(HEARTBEAT, "/counters", json!({})), Code::WrongType, Some("counters"), &["map", "sequence"]);
    check(&with(HEARTBEAT, "/counters/1", json!(null)), Code::WrongType, Some("counters[1]"), &["null"]);
    check(&with(HEARTBEAT, "/counters/1/bytes", json!(null)), Code::WrongType, Some("counters[1].bytes"), &["null"]);
    check(&with(HEARTBEAT, "/state", json!(null)), Code::WrongType, Some("state"), &["state: expected a word"]);
    check(&with(HEARTBEAT, "/state", json!("z")), Code::WrongType, Some("state"), &["`z`", "`p`"]);
    check(&with(STALL, "/kind", json!("nap")), Code::WrongType, Some("kind"), &["`nap`", "`rebuffer`"]);
    check(&with(STALL, "/user_id", json!(vec!["x".repeat(9000)])), Code::WrongType, Some("user_id"), &["sequence"]);
}

#[test]
fn numbers_out_of_range_are_named_with_value_and_limit() {
    let max = Limits::default().counter_max as i64;
    let case = |pointer: &str, field: &str, value: i64, limit: i64| {
        let batch = if pointer.contains("counters") || pointer == "/seq" { HEARTBEAT } else { STALL };
        let text = with(batch, pointer, json!(value));
        check(&text, Code::OutOfRange, Some(field), &[&format!("{field} is {value}"), &format!("the limit is {limit}")]);
        let refusal = refused(&text);
        assert_eq!((refusal.value, refusal.limit), (Some(value), Some(limit)));
    };
    for name in ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"] {
        case(&format!("/counters/0/{name}"), &format!("counters[0].{name}"), -5, 0);
        case(&format!("/counters/1/{name}"), &format!("counters[1].{name}"), max + 1, max);
    }
    case("/seq", "seq", -1, 0);
    case("/seq", "seq", max + 1, max);
    case("/stall_ms", "stall_ms", i64::MAX, max);
    case("/threshold_ms", "threshold_ms", -1, 0);
    case("/last_segment/status", "last_segment.status", 65_536, 65_535);
    case("/last_segment/bytes", "last_segment.bytes", max + 1, max);
    let exact = with(HEARTBEAT, "/counters/0/bytes", json!(max));
    decode::event(&exact, &Limits::default()).unwrap();
    // Beyond 64 bits JSON's numbers turn into floating point.
    let huge = only_event(HEARTBEAT).to_string().replace("1596684", "99999999999999999999999");
    check(&huge, Code::WrongType, Some("counters[0].bytes"), &["floating point"]);
}

#[test]
fn texts_too_long_are_named_with_size_and_limit() {
    let case = |batch: &str, pointer: &str, field: &str, size: usize, limit: i64| {
        let text = with(batch, pointer, json!("x".repeat(size)));
        check(&text, Code::TooLong, Some(field), &[field, &size.to_string(), &limit.to_string(), "bytes"]);
        let refusal = refused(&text);
        assert_eq!((refusal.value, refusal.limit), (Some(size as i64), Some(limit)));
    };
    case(HEARTBEAT, "/user_id", "user_id", 1 << 20, 128);
    case(HEARTBEAT, "/user_id", "user_id", 129, 128);
    case(HEARTBEAT, "/session_id", "session_id", 129, 128);
    case(HEARTBEAT, "/programme_id", "programme_id", 5000, 128);
    case(HEARTBEAT, "/region", "region", 129, 128);
    case(HEARTBEAT, "/cdn", "cdn", 129, 128);
    case(HEARTBEAT, "/counters/1/cdn", "counters[1].cdn", 129, 128);
    case(STALL, "/cause", "cause", 1025, 1024);
    case(STALL, "/last_segment/host", "last_segment.host", 20_000, 1024);
    let mut event = only_event(HEARTBEAT);
    event["from_the_future"] = json!("x".repeat(20_000));
    check(&event.to_string(), Code::TooLong, Some("event"), &["event is 20", "the limit is 16384"]);
}

#[test]
fn control_characters_are_named() {
    check(&with(HEARTBEAT, "/user_id", json!("a\u{0}b")), Code::ControlCharacter, Some("user_id"), &["user_id", "U+0000"]);
    check(&with(HEARTBEAT, "/session_id", json!("a\nb")), Code::ControlCharacter, Some("session_id"), &["U+000A"]);
    check(&with(HEARTBEAT, "/counters/0/cdn", json!("\u{7f}")), Code::ControlCharacter, Some("counters[0].cdn"), &["U+007F"]);
    check(&with(HEARTBEAT, "/region", json!("\u{85}")), Code::ControlCharacter, Some("region"), &["U+0085"]);
    check(&with(STALL, "/cause", json!("a\u{1}")), Code::ControlCharacter, Some("cause"), &["U+0001"]);
    decode::event(&with(STALL, "/cause", json!("two\nlines\tand a tab")), &Limits::default()).unwrap();
    // A bare NUL byte within a string is not JSON.
    let bare = only_event(HEARTBEAT).to_string().replace("u-1001", "u-\u{0}1001");
    check(&bare, Code::Malformed, None, &["control character"]);
}

#[test]
fn counters_of_too_many_cdns_or_of_one_twice() {
    let one = only_event(HEARTBEAT)["counters"][0].clone();
    let many: Vec<Value> = (0..17)
        .map(|i| {
            let mut counters = one.clone();
            counters["cdn"] = json!(format!("cdn-{i}"));
            counters
        })
        .collect();
    decode::event(&with(HEARTBEAT, "/counters", json!(many[..16])), &Limits::default()).unwrap();
    check(&with(HEARTBEAT, "/counters", json!(many)), Code::TooMany, Some("counters"), &["counters is 17 CDNs", "the limit is 16"]);
    check(&with(HEARTBEAT, "/counters", json!([one, one])), Code::TooMany, Some("counters[1].cdn"), &["\"cdn-a\" a second time"]);
    decode::event(&with(HEARTBEAT, "/counters", json!([])), &Limits::default()).unwrap();
}

#[test]
fn unknown_fields_are_fine_anywhere() {
    let mut event = only_event(STALL);
    event["mood"] = json!({"a": [1, 2, {"b": null}]});
    event["last_segment"]["rtt_ms"] = json!(12);
    decode::event(&event.to_string(), &Limits::default()).unwrap();
    let deep = format!(",\"x\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let text = only_event(STALL).to_string().strip_suffix('}').unwrap().to_owned() + &deep;
    decode::event(&text, &Limits::default()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic_and_every_refusal_is_short(text in "\\PC{0,200}") {
        if let Err(refusal) = decode::event(&text, &Limits::default()) {
            prop_assert!(!refusal.reason.is_empty() && refusal.reason.len() < 800);
        }
    }

    #[test]
    fn a_good_event_cut_anywhere_is_refused_as_malformed(cut in 1usize..400) {
        let text = only_event(HEARTBEAT).to_string();
        let cut = cut.min(text.len() - 1);
        prop_assert_eq!(refused(&text[..cut]).code, Code::Malformed);
    }

    #[test]
    fn any_value_in_any_place_is_taken_or_refused_by_that_places_name(
        place in prop::sample::select(vec!["/user_id", "/seq", "/counters/0/bytes", "/counters/1/cdn", "/state", "/region"]),
        value in prop_oneof![Just(json!(null)), any::<i64>().prop_map(|n| json!(n)), any::<f64>().prop_map(|n| json!(n)),
            "\\PC{0,300}".prop_map(|s| json!(s)), Just(json!([])), Just(json!({}))],
    ) {
        if let Err(refusal) = decode::event(&with(HEARTBEAT, place, value), &Limits::default()) {
            let field = refusal.field.unwrap_or_default();
            let last = place.rsplit('/').next().unwrap();
            prop_assert!(field.ends_with(last), "{} is not {}", field, place);
        }
    }
}
