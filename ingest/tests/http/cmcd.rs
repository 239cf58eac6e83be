//! `POST /v1/cmcd` over HTTP: what a player's own reporter sends, and what it hears.

use crate::identity::{demo_key, service as keyed, token};
use crate::memory::Mood;
use crate::service::{NOW, Said, Service};
use crate::{gzip, service};
use hyper::Method;
use livemeter_ingest::Config;
use livemeter_ingest::rate::Limit;
use serde_json::{Value, json};

const CMCD: (&str, &str) = ("content-type", "application/cmcd");

fn report(sn: u64, sta: &str) -> String {
    format!(r#"cid="p1",com.livemeter-bytes="{sn}00",e=ps,h="127.0.0.1:81",sid="s1",sn={sn},sta={sta},ts={NOW},v=2"#)
}

async fn start(mood: Mood) -> Service {
    Service::with(mood, Config { cmcd_hosts: "127.0.0.1:81=cdn-a".parse().unwrap(), ..Config::default() }).await
}

async fn post(service: &Service, query: &str, headers: &[(&str, &str)], body: impl Into<bytes::Bytes>) -> Said {
    service.send(Method::POST, &format!("/v1/cmcd{query}"), headers, body).await
}

/// What was written for Kafka: keys, and the events within.
fn written(service: &Service) -> Vec<(String, Value)> {
    let events = service.sink.events.lock().unwrap();
    events.iter().map(|(key, text)| (key.clone(), serde_json::from_str::<Value>(text).unwrap()["event"].clone())).collect()
}

#[tokio::test]
async fn reports_are_answered_204_once_they_are_durable_one_record_each() {
    let service = start(Mood::Acks).await;
    let body = format!("{}\n{}", report(1, "s"), report(2, "p"));
    let said = post(&service, "?app=demo", &[CMCD], body).await;
    assert_eq!((said.status, said.text.as_str()), (204, ""));
    let written = written(&service);
    assert_eq!(written.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["demo/s1", "demo/s1"]);
    let expected = json!({"type": "cmcd", "session_id": "s1", "seq": 2, "at_ms": NOW, "user_id": "anonymous", "programme_id": "p1",
        "event": "ps", "state": "p", "cdn": "cdn-a", "bytes": [{"bytes": 200}], "report": report(2, "p")});
    assert_eq!(written[1].1, expected);
    assert_eq!(service.metric("livemeter_ingest_events_accepted_total").await, 2.0);
    assert_eq!(service.metric("livemeter_ingest_requests_total{status=\"204\"}").await, 1.0);
}

#[tokio::test]
async fn every_form_that_players_have_is_taken() {
    let service = start(Mood::Acks).await;
    let json = format!(r#"[{{"sid":"s1","sn":1,"ts":{NOW},"v":2}}]"#);
    let packed = gzip(report(1, "p").as_bytes());
    let version_1 = "?app=demo&CMCD=bl%3D2100%2Csid%3D%22s1%22";
    for (query, headers, body) in [
        ("?app=demo", vec![("content-type", "text/cmcd; charset=utf-8")], report(1, "p").into_bytes()),
        ("?app=demo", vec![("content-type", "application/json")], json.clone().into_bytes()),
        ("?app=demo", vec![("content-type", "application/cmcd+json")], json.into_bytes()),
        ("?app=demo", vec![("content-type", "text/plain")], report(1, "p").into_bytes()),
        ("?app=demo", vec![CMCD, ("content-encoding", "gzip")], packed),
        (version_1, vec![], vec![]),
        ("?app=demo", vec![], b"CMCD=bl%3D2100%2Csid%3D%22s1%22".to_vec()),
    ] {
        let before = written(&service).len();
        let said = post(&service, query, &headers, body).await;
        assert_eq!((said.status, written(&service).len()), (204, before + 1), "{query} {headers:?} {}", said.text);
    }
    let xml = post(&service, "?app=demo", &[("content-type", "text/xml")], report(1, "p")).await;
    assert_eq!((xml.status, &xml.json()["field"]), (415, &json!("content-type")));
    assert_eq!(post(&service, "?app=demo", &[CMCD], "").await.status, 204, "nothing was asked");
}

#[tokio::test]
async fn a_bad_report_costs_itself_and_is_kept_as_it_was_sent() {
    let service = start(Mood::Acks).await;
    let newer = report(2, "p").replace("v=2", "v=3");
    let body = format!("{}\n{newer}\nnonsense(", report(1, "p"));
    assert_eq!(post(&service, "?app=demo", &[CMCD], body).await.status, 204);
    assert_eq!((written(&service).len(), service.sink.letters.lock().unwrap().len()), (1, 2));
    assert!(service.sink.letters.lock().unwrap().iter().any(|text| serde_json::from_str::<Value>(text).unwrap()["head"] == newer));
    assert_eq!(service.metric("livemeter_ingest_events_refused_total{code=\"unsupported_version\"}").await, 1.0);
    assert_eq!(service.metric("livemeter_ingest_events_refused_total{code=\"malformed\"}").await, 1.0);
    let all = post(&service, "?app=demo", &[CMCD], newer).await;
    assert_eq!((all.status, &all.json()["events"][0]["code"]), (422, &json!("unsupported_version")));
    let odd = post(&service, "?app=demo", &[CMCD], format!("{},sf=1,xyz=2", report(3, "z"))).await;
    assert_eq!(odd.status, 204);
    assert_eq!(service.metric("livemeter_ingest_cmcd_ignored_total{cause=\"bad_value\"}").await, 1.0);
    assert_eq!(service.metric("livemeter_ingest_cmcd_ignored_total{cause=\"unknown_key\"}").await, 1.0);
}

/// A letter holds what is needed to read its report again: who said it, to which target, and where in the request.
#[tokio::test]
async fn a_refused_report_is_kept_with_what_its_request_said_beside_it() {
    let beside = async |service: &Service, query: &str| {
        let body = format!("{}\n{}", report(1, "p"), report(2, "p").replace("v=2", "v=3"));
        assert_eq!(post(service, query, &[CMCD], body).await.status, 204);
        serde_json::from_str::<Value>(&service.sink.letters.lock().unwrap()[0]).unwrap()["cmcd"].clone()
    };
    let query = format!("?key={}&target=2&token={}", demo_key(), token(|b| b.cdns = vec!["127.0.0.1:81".into()]));
    assert_eq!(beside(&keyed("").await, &query).await, json!({ "target": "2", "user_id": "u1", "place": 1 }));
    assert_eq!(beside(&start(Mood::Acks).await, "?app=demo").await, json!({ "place": 1 }));
    // A text that is withheld cannot be read again, so nothing is kept beside it.
    let withheld = format!("?key={}", demo_key());
    assert_eq!(beside(&keyed("user_ids = 'pseudonym'").await, &withheld).await, Value::Null);
}

#[tokio::test]
async fn nothing_is_promised_that_kafka_does_not_have() {
    let service = start(Mood::Away).await;
    let said = post(&service, "?app=demo", &[CMCD], report(1, "p")).await;
    assert_eq!((said.status, said.header("retry-after")), (503, "5"));
    *service.sink.mood.lock().unwrap() = Mood::Acks;
    assert_eq!(post(&service, "?app=demo", &[CMCD], report(1, "p")).await.status, 204);
}

#[tokio::test]
async fn who_sends_too_much_is_told_to_back_off() {
    let rate = Limit { per_s: 1, burst: 2 };
    let service = Service::with(Mood::Acks, Config { app_rate: rate, ..Config::default() }).await;
    let body = format!("{}\n{}", report(1, "s"), report(2, "p"));
    assert_eq!(post(&service, "?app=demo", &[CMCD], body.clone()).await.status, 204);
    let said = post(&service, "?app=demo", &[CMCD], body).await;
    assert_eq!((said.status, said.header("retry-after").is_empty()), (429, false));
    assert_eq!(written(&service).len(), 2);
}

#[tokio::test]
async fn a_page_elsewhere_may_post_and_an_event_may_not_come_by_this_door_nor_a_report_by_the_other() {
    let service = start(Mood::Acks).await;
    let asked = [("origin", "https://player.example"), ("access-control-request-method", "POST")];
    let preflight = service.send(Method::OPTIONS, "/v1/cmcd?app=demo", &asked, "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, "*"));
    assert_eq!(service.get("/v1/cmcd").await.status, 405);
    assert_eq!(post(&service, "?app=demo", &[("content-type", "application/json")], service::heartbeat(1, 10)).await.status, 422);
    post(&service, "?app=demo", &[CMCD], report(1, "p")).await;
    let event = written(&service)[0].1.to_string();
    let said = service.post(service::batch(&[event])).await;
    assert_eq!((said.status, &said.json()["events"][0]["code"]), (422, &json!("unknown_type")));
}

#[tokio::test]
async fn the_key_tells_the_app_the_token_the_user_and_an_app_may_want_no_reports() {
    let service = keyed("").await;
    assert_eq!(post(&service, "", &[CMCD], report(1, "p")).await.status, 401);
    assert_eq!(post(&service, &format!("?key={}&app=other", demo_key()), &[CMCD], report(1, "p")).await.status, 403);
    let query = format!("?key={}&token={}", demo_key(), token(|b| b.cdns = vec!["127.0.0.1:81".into()]));
    assert_eq!(post(&service, &query, &[CMCD], report(1, "p")).await.status, 204);
    let (key, event) = written(&service).remove(0);
    assert_eq!((key.as_str(), &event["user_id"]), ("demo/s1", &json!("u1")));
    // Bound to the programme, too.
    let other = post(&service, &query, &[CMCD], report(2, "p").replace("p1", "p2")).await;
    assert_eq!((other.status, &other.json()["events"][0]["field"]), (422, &json!("programme_id")));
    let forged = post(&service, &format!("?key={}&token=a.b.c", demo_key()), &[CMCD], report(3, "p")).await;
    assert_eq!((forged.status, &forged.json()["field"]), (401, &json!("token")));

    let silent = keyed("cmcd = false").await;
    let gone = post(&silent, &format!("?key={}", demo_key()), &[CMCD], report(1, "p")).await;
    assert_eq!((gone.status, &gone.json()["retry"]), (410, &json!(false)));
    assert!(written(&silent).is_empty());
}

#[tokio::test]
async fn a_user_with_a_pseudonym_is_named_nowhere() {
    let service = keyed("user_ids = 'pseudonym'").await;
    let body = format!(r#"{},com.livemeter-user="ada@example",com.example-account="ada@example""#, report(1, "p"));
    assert_eq!(post(&service, &format!("?key={}", demo_key()), &[CMCD], body).await.status, 204);
    let (_, event) = written(&service).remove(0);
    assert!(!event.to_string().contains("ada@example") && event["user_id"].as_str().unwrap().starts_with("p1."), "{event}");
}
