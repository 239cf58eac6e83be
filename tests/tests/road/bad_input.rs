//! Bad input: each kind gets a reason that names the field and the limit, the rest of the batch is
//! taken, and what was refused is found again among the dead letters.

use crate::{accepted, traffic_is};
use livemeter_tests::audience::{APP, Session, batch, now_ms};
use livemeter_tests::brokers::Broker;
use livemeter_tests::tree::Tree;
use livemeter_tests::{kafka, wait};
use serde_json::{Value, json};
use std::io::Write as _;

const DEADLETTERS: &str = "livemeter.deadletter.v1";
const YEAR_MS: i64 = 365 * 86_400_000;

/// One wrong heartbeat of a batch, what its refusal must say: code, field, limit.
struct Bad {
    event: Value,
    code: &'static str,
    field: &'static str,
    limit: Option<i64>,
}

/// A right heartbeat, spoilt.
fn bad(code: &'static str, field: &'static str, limit: Option<i64>, spoil: impl FnOnce(&mut Value)) -> Bad {
    let mut event = Session::new(format!("bad-{code}-{field}"), "user-bad", "cdn-a").plays(1_000_000_000, 1_000).heartbeat();
    spoil(&mut event);
    Bad { event, code, field, limit }
}

fn bad_events() -> Vec<Bad> {
    vec![
        bad("wrong_type", "counters[0].bytes", None, |e| e["counters"][0]["bytes"] = json!("many")),
        bad("missing_field", "session_id", None, |e| drop(e.as_object_mut().expect("an object").remove("session_id"))),
        bad("out_of_range", "counters[0].bytes", None, |e| e["counters"][0]["bytes"] = json!(-1)),
        bad("clock", "at_ms", Some(7 * 86_400_000), |e| e["at_ms"] = json!(now_ms() - YEAR_MS)),
        bad("too_long", "user_id", Some(128), |e| e["user_id"] = json!("u".repeat(10_000))),
        bad("control_character", "user_id", None, |e| e["user_id"] = json!("nul\u{0}byte")),
        bad("unknown_type", "type", None, |e| e["type"] = json!("heartbeet")),
    ]
}

pub async fn is_refused_by_name_and_found_again(broker: Broker, tree: Tree) {
    let (ingest, query) = (tree.ingest(), tree.query());
    let mut good = Session::new("good", "user-good", "cdn-a");
    let bad = bad_events();
    // Good, bad, good, bad, …: each answer must stand at its event's place.
    let mut events = Vec::new();
    for spoilt in &bad {
        events.push(good.plays(1_000, 1_000).heartbeat());
        events.push(spoilt.event.clone());
    }
    let answer = ingest.post_json("/v1/events", &batch(events)).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = answer.json();
    assert_eq!((&said["accepted"], &said["refused"]), (&json!(bad.len()), &json!(bad.len())), "{said}");
    for (i, spoilt) in bad.iter().enumerate() {
        assert_eq!(said["events"][2 * i]["status"], "accepted");
        let refusal = &said["events"][2 * i + 1];
        assert_eq!(
            (&refusal["status"], &refusal["code"], &refusal["field"]),
            (&json!("refused"), &json!(spoilt.code), &json!(spoilt.field)),
            "{refusal}"
        );
        assert!(refusal["reason"].as_str().expect("a reason").contains(spoilt.field.rsplit('.').next().expect("a name")), "{refusal}");
        if let Some(limit) = spoilt.limit {
            assert_eq!(refusal["limit"], json!(limit), "{refusal}");
        }
    }
    traffic_is(&query, &[("cdn-a", 1_000 * bad.len() as u64, 0, 1)]).await;

    // A counter that falls at a higher `seq` is known only to the processor: it goes to the dead letters
    // from there, and what was booked before stays.
    let mut fallen = good.clone();
    fallen.bytes -= 500;
    accepted(&ingest, vec![fallen.heartbeat()]).await;

    let wanted: Vec<&str> = bad.iter().map(|b| b.code).chain(["counter_fell"]).collect();
    let letters = wait::until("the dead letters", || async {
        let (low, high) = kafka::watermarks(&broker.addr(), DEADLETTERS, 0);
        let letters: Vec<Value> = kafka::read(&broker.addr(), DEADLETTERS, 0, low, high)
            .iter()
            .map(|r| serde_json::from_slice(&r.value).expect("JSON"))
            .collect();
        let found: Vec<&str> = letters.iter().filter_map(|l| l["code"].as_str()).collect();
        match wanted.iter().find(|code| !found.contains(code)) {
            None => Ok(letters),
            Some(missing) => Err(format!("no {missing} among {found:?}")),
        }
    })
    .await;
    assert_eq!(letters.len(), wanted.len(), "{letters:#?}");
    for letter in &letters {
        assert_eq!(letter["app"], APP, "{letter}");
        assert_eq!(letter["sha256"].as_str().expect("a hash").len(), 64);
        let (length, head) = (letter["length_bytes"].as_u64().expect("a length"), letter["head"].as_str().expect("a head"));
        assert!(head.contains("session") || head.contains("heartbeat"), "{letter}");
        assert_eq!(length as usize, head.len(), "under 16 KiB the whole text is kept");
    }
    let by: Vec<&Value> = letters.iter().filter(|l| l["code"] == "counter_fell").map(|l| &l["by"]).collect();
    assert_eq!(by, [&json!("processor")]);
    traffic_is(&query, &[("cdn-a", 1_000 * bad.len() as u64, 0, 1)]).await;

    // A whole device clock that is a year off is no fault: the batch says what time it has.
    let then = now_ms() - YEAR_MS;
    let mut off = Session::new("year-off", "user-off", "cdn-b").plays(42, 1_000).heartbeat();
    off["at_ms"] = json!(then);
    off["session_started_at_ms"] = json!(then - 60_000);
    off["counters"][0]["first_used_at_ms"] = json!(then - 60_000);
    let answer =
        ingest.post_json("/v1/events", &json!({ "v": 1, "app": APP, "sent_at_ms": then, "events": [off] })).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["events"][0]["note"].is_string(), "a large correction is told: {}", answer.text());
    traffic_is(&query, &[("cdn-a", 1_000 * bad.len() as u64, 0, 1), ("cdn-b", 42, 0, 1)]).await;
}

pub async fn bodies_beyond_the_limits_are_refused(_broker: Broker, tree: Tree) {
    let ingest = tree.ingest();
    let json_headers: &[(&str, &str)] = &[("content-type", "application/json")];
    let refused = async |what: &str, headers: &[(&str, &str)], body: Vec<u8>, status: u16, says: &str| {
        let answer = ingest.post("/v1/events", headers, body).await.unwrap_or_else(|e| panic!("{what}: no answer: {e}"));
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        let problem = answer.json();
        assert!(problem["reason"].as_str().is_some_and(|reason| reason.contains(says)), "{what}: {problem}");
        assert_eq!(problem["retry"], json!(false), "{what}: {problem}");
    };
    refused("broken JSON", json_headers, b"{\"v\":1,\"app\":\"tests\",\"events\":[{".to_vec(), 400, "not valid JSON").await;
    refused("a NUL byte", json_headers, b"{\"v\":1,\0\"app\":\"tests\",\"events\":[]}".to_vec(), 400, "not valid JSON").await;
    refused("no app", json_headers, b"{\"v\":1,\"events\":[]}".to_vec(), 400, "app").await;
    refused("10 MB", json_headers, vec![b' '; 10_000_000], 413, "limit").await;

    let bomb = gzip(&vec![b' '; 200_000_000]);
    assert!(bomb.len() < 1_000_000, "the bomb itself is small: {} bytes", bomb.len());
    let packed: &[(&str, &str)] = &[("content-type", "application/json"), ("content-encoding", "gzip")];
    refused("a zip bomb", packed, bomb, 413, "limit").await;

    // 1 MB of user id does not fit the body; gzipped it does, and is refused as what it is: one event's field.
    let mut long = Session::new("long", "u", "cdn-a").plays(1, 1).heartbeat();
    long["user_id"] = json!(letters(1_000_000));
    let mut good = Session::new("beside", "u", "cdn-a");
    let both = gzip(batch(vec![long, good.plays(7, 1).heartbeat()]).to_string().as_bytes());
    let answer = ingest.post("/v1/events", packed, both).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = answer.json();
    assert_eq!(
        (&said["events"][0]["code"], &said["events"][0]["field"], &said["events"][0]["value"], &said["events"][0]["limit"]),
        (&json!("too_long"), &json!("user_id"), &json!(1_000_000), &json!(128)),
        "{said}"
    );
    assert_eq!(said["events"][1]["status"], "accepted");

    // And an ordinary gzipped batch is taken whole.
    let body = gzip(batch(vec![good.plays(1_000, 1).heartbeat()]).to_string().as_bytes());
    assert_eq!(ingest.post("/v1/events", packed, body).await.expect("an answer").status, 200);
    traffic_is(&tree.query(), &[("cdn-a", 1_007, 0, 1)]).await;
}

/// Letters without a pattern: a text that packs too well would be taken for a bomb.
fn letters(count: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + (state % 26) as u8)
    };
    (0..count).map(|_| next()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}
