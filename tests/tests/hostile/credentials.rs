//! Keys that are guessed and tokens that are forged, used up, or another session's. Nothing is taken, nothing is
//! kept, and the answers tell nothing.

use crate::tally;
use futures::future::join_all;
use livemeter_tests::apps::Apps;
use livemeter_tests::audience::{Session, batch};
use livemeter_tests::edge::Edge;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn keys_cannot_be_guessed_and_guessing_is_not_free() {
    // Loopback is limited here as any other address would be.
    let rate = ["--unlimited-addresses", "", "--address-events-per-s", "100", "--address-events-burst", "1000"];
    let edge = Edge::start(Apps::with(&[]), &rate).await;
    let body = batch(vec![Session::new("guessed", "u", "cdn-a").plays(1, 1).heartbeat()]).to_string();
    let (id, http) = (edge.key[4..12].to_owned(), edge.http());
    let guess = async |n: usize| {
        // Half of them know the id of a real key, which is no secret.
        let key = if n.is_multiple_of(2) { format!("lmw_{id}_{:064x}", n * 7919) } else { format!("lmw_{n:08x}_{:064x}", n * 7919) };
        let headers = [("content-type", "application/json"), ("authorization", &*format!("Bearer {key}"))];
        let answer = http.post("/v1/events", &headers, body.clone()).await.expect("an answer");
        edge.hear(&answer.body);
        (answer.status, answer.headers.contains_key("retry-after"), answer.text())
    };
    let mut said = Vec::new();
    for round in 0..30 {
        said.extend(join_all((0..100).map(|n| guess(round * 100 + n))).await);
    }
    let words: std::collections::BTreeSet<&String> = said.iter().filter(|(status, ..)| *status == 403).map(|(.., text)| text).collect();
    assert_eq!(words.len(), 1, "one sentence for all that are wrong: {words:?}");
    let answers: Vec<(u16, bool)> = said.iter().map(|(status, later, _)| (*status, *later)).collect();
    assert!(answers.iter().all(|answer| [(403, false), (429, true)].contains(answer)), "{}", tally(answers));
    let limited = answers.iter().filter(|answer| answer.0 == 429).count();
    assert!(limited > 500, "over the address's rate nothing is even looked at: {}", tally(answers));
    let counted = edge.metric("livemeter_ingest_requests_refused_total{error=\"key_refused\"}").await
        + edge.metric("livemeter_ingest_requests_refused_total{error=\"address_rate\"}").await;
    assert!(counted >= 3_000, "{counted}");
    assert_eq!(edge.metric("livemeter_ingest_deadletters_total{outcome=\"kept\"}").await, 0, "strangers are only counted");
    // Until the address has saved up enough to be served again.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    edge.is_well(&format!("3,000 guessed keys (status, Retry-After): {}", tally(answers))).await;
    assert_eq!(edge.sessions().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_cannot_be_forged_kept_or_borrowed() {
    let edge = Edge::start(Apps::with_tokens(), &["--token-leeway", "0s"]).await;
    let brief = edge.apps.token("ed", "ada", &["--ttl", "1"]);
    let of_session = edge.apps.token("hs", "ada", &["--session", "s-of-ada"]);
    let expired_at = tokio::time::Instant::now() + std::time::Duration::from_millis(2_100);
    let http = edge.http();
    let post = async |session: &str, user: &str, token: Option<&str>| {
        let mut body = batch(vec![Session::new(session, user, "cdn-a").plays(1, 1).heartbeat()]);
        if let Some(token) = token {
            body["token"] = json!(token);
        }
        let answer = http.post_json(&edge.path(), &body).await.expect("an answer");
        edge.hear(&answer.body);
        (answer.status, answer.json())
    };

    // One character changed, anywhere, of both algorithms.
    for kid in ["ed", "hs"] {
        let good = edge.apps.token(kid, "mallory", &[]);
        let forged: Vec<String> = (0..good.len()).filter_map(|at| changed(&good, at)).collect();
        let said = join_all(forged.iter().map(|token| post("forged", "mallory", Some(token)))).await;
        assert!(said.iter().all(|(status, body)| *status == 401 && body["field"] == "token"), "{}", tally(said.iter().map(|s| s.0)));
        edge.is_well(&format!("{} × a {kid} token with one character changed: all 401", said.len())).await;
    }

    // Whole forgeries, and a token whose time is over.
    let good = edge.apps.token("ed", "mallory", &[]);
    let parts: Vec<&str> = good.split('.').collect();
    let victim = edge.apps.token("ed", "ada", &[]);
    let claims_of_ada = victim.split('.').nth(1).expect("claims");
    tokio::time::sleep_until(expired_at).await;
    let forgeries = [
        ("no token", None),
        ("an empty one", Some(String::new())),
        ("no JWT", Some("lm".into())),
        ("alg none", Some(format!("eyJhbGciOiJub25lIiwia2lkIjoiZWQifQ.{}.", parts[1]))),
        ("no signature", Some(format!("{}.{}.", parts[0], parts[1]))),
        ("another's claims", Some(format!("{}.{claims_of_ada}.{}", parts[0], parts[2]))),
        ("the other algorithm", Some(format!("eyJhbGciOiJIUzI1NiIsImtpZCI6ImVkIn0.{}.{}", parts[1], parts[2]))),
        ("four parts", Some(format!("{good}.{}", parts[2]))),
        ("60 KB", Some("a".repeat(60_000))),
        ("expired", Some(brief)),
    ];
    for (what, token) in &forgeries {
        for _ in 0..20 {
            let (status, body) = post("forged", "mallory", token.as_deref()).await;
            assert_eq!((status, &body["field"]), (401, &json!("token")), "{what}: {body}");
        }
    }
    edge.is_well(&format!("{} kinds of forged or expired tokens, 20 × each: all 401", forgeries.len())).await;

    // Good tokens, borrowed: another session of the same user, and another user. Only the one it was made for is taken.
    let mut told = Vec::new();
    for n in 0..50 {
        for (session, user) in [(format!("other-{n}"), "ada"), ("s-of-ada".into(), "mallory"), (format!("forged-{n}"), "mallory")] {
            let (status, body) = post(&session, user, Some(&of_session)).await;
            told.push((status, body["events"][0]["code"].as_str().unwrap_or_default().to_owned()));
        }
    }
    assert!(told.iter().all(|said| *said == (422, "forbidden".into())), "{}", tally(told));
    let (status, body) = post("s-of-ada", "ada", Some(&of_session)).await;
    assert_eq!((status, &body["accepted"]), (200, &json!(1)), "its own session has it: {body}");
    edge.is_well(&format!("150 × a good token in another's hands: {}", tally(told))).await;
    let on_kafka: Vec<Value> =
        edge.stored().into_iter().filter(|event| event["session_id"] != *edge.victim.lock().expect("whole").id).collect();
    assert_eq!(on_kafka.len(), 1, "one event was taken: {on_kafka:?}");
}

/// The same token with another character at this place; none where that would be the same signature: the last
/// character of a part has bits that mean nothing.
fn changed(token: &str, at: usize) -> Option<String> {
    let mut bytes = token.as_bytes().to_owned();
    if bytes[at] == b'.' || bytes.get(at + 1).is_none_or(|next| *next == b'.') {
        return None;
    }
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).ok()
}
