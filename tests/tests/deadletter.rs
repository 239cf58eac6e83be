//! Poison that a newer limit understands: it is kept, listed once, put back, and booked once, however often
//! it is put back. Black box, over both brokers; the audit has the last word.

#[path = "deadletter/report.rs"]
mod report;

use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::tree::Tree;
use livemeter_tests::{binary, kafka, wait};
use rdkafka::producer::FutureRecord;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

pub const DEADLETTERS: &str = "livemeter.deadletter.v1";

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_repaired_once_apache() {
    poison_is_repaired_once(Kind::Apache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_repaired_once_embedded() {
    poison_is_repaired_once(Kind::Embedded).await;
}

async fn poison_is_repaired_once(kind: Kind) {
    let broker = Broker::start(kind).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("processor.toml");
    let id_bytes_max = |n: u32| std::fs::write(&file, format!("[ingest]\nid_bytes_max = {n}\n")).expect("the file can be written");
    id_bytes_max(16);
    let flags = ["--commit-interval", "500ms", "--config", file.to_str().expect("a plain path")];
    let mut tree = Tree::start_with(&broker.addr(), &[("process", &flags), ("query", &["--refresh-interval", "200ms"])]).await;

    let (mut long, mut short) = (Session::new("an-id-of-more-than-16-bytes", "u-1", "cdn-a"), Session::new("short", "u-2", "cdn-b"));
    let events = vec![long.plays(1_000, 500).heartbeat(), long.plays(234, 500).heartbeat(), short.plays(77, 500).heartbeat()];
    let answer = tree.ingest().post_json("/v1/events", &batch(events)).await.expect("an answer");
    assert_eq!(answer.json()["accepted"], json!(3), "{}", answer.text());
    booked_is(&tree, &[("cdn-b", 77)]).await;

    let letters = wait::until("two dead letters", || async {
        let (low, high) = kafka::watermarks(&broker.addr(), DEADLETTERS, 0);
        if high - low == 2 { Ok(kafka::read(&broker.addr(), DEADLETTERS, 0, low, high)) } else { Err(format!("{low} to {high}")) }
    })
    .await;
    let origin = |value: &[u8]| {
        let letter: Value = serde_json::from_slice(value).expect("JSON");
        format!("{}/{}/{}", letter["origin"]["topic"].as_str().expect("a topic"), letter["origin"]["partition"], letter["origin"]["offset"])
    };
    for letter in &letters {
        assert_eq!(letter.key.as_deref(), Some(origin(&letter.value).as_bytes()), "a letter's key is its origin");
    }
    // Written twice, as around a crash: told once.
    let key = origin(&letters[0].value);
    let twice = FutureRecord::to(DEADLETTERS).key(&key).payload(&letters[0].value).partition(0);
    kafka::producer(&broker.addr(), &[]).send(twice, kafka::PATIENTLY).await.expect("delivered");
    let listed = deadletter(&broker, &["list", "--json"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 2);

    // Not yet understood: left where it is, with the reason.
    let left = told(&deadletter(&broker, &["replay", "--json", "--id-bytes-max", "16"]));
    assert_eq!((&left["replayed"], &left["repeats"]), (&json!(0), &json!(1)), "{left}");
    assert!(left["skipped"].as_object().expect("reasons").keys().all(|why| why.contains("session_id")), "{left}");
    let dry = told(&deadletter(&broker, &["replay", "--json", "--dry-run", "--code", "too_long", "--app", APP]));
    assert_eq!((&dry["replayed"], &dry["dry_run"]), (&json!(2), &json!(true)), "{dry}");
    let one = told(&deadletter(&broker, &["replay", "--json", "--dry-run", "--origin", &origin(&letters[1].value)]));
    assert_eq!(one["replayed"], json!(1), "{one}");

    // Understood: put back twice, booked once.
    tree.stop();
    id_bytes_max(128);
    tree.restart().await;
    for _ in 0..2 {
        let done = told(&deadletter(&broker, &["replay", "--json"]));
        assert_eq!((&done["replayed"], &done["skipped"]), (&json!(2), &json!({})), "{done}");
    }
    let report = wait::until("the ledger to have it all", || async {
        let report = audit(&broker, tree.folder());
        let lag: i64 = report["partitions"].as_array().expect("partitions").iter().filter_map(|p| p["lag_records"].as_i64()).sum();
        if lag == 0 { Ok(report) } else { Err(format!("{lag} records to go")) }
    })
    .await;
    assert_eq!((&report["ok"], &report["differences"]), (&json!(true), &json!(0)), "{report}");
    assert_eq!(report["topic"]["records"], json!(3 + 4), "{report}");
    booked_is(&tree, &[("cdn-a", 1_234), ("cdn-b", 77)]).await;
    let (_, high) = kafka::watermarks(&broker.addr(), DEADLETTERS, 0);
    assert_eq!(high, 3, "what was put back was not refused again");
}

async fn booked_is(tree: &Tree, expected: &[(&str, u64)]) {
    let expected: Vec<Value> = expected.iter().map(|(cdn, bytes)| json!([cdn, bytes])).collect();
    wait::until("the traffic report", || async {
        let answer = tree.query().get(&format!("/v1/reports/traffic?by=cdn&app={APP}")).await?;
        let rows = answer.json()["rows"].as_array().cloned().unwrap_or_default();
        let mut found: Vec<Value> = rows.iter().map(|r| json!([r["cdn"], r["bytes"]])).collect();
        found.sort_by_key(Value::to_string);
        if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
    })
    .await;
}

pub fn deadletter(broker: &Broker, arguments: &[&str]) -> Output {
    let (word, flags) = arguments.split_first().expect("a word");
    let mut command = Command::new(binary::path("livemeter"));
    let out = command.args(["deadletter", word, "--brokers", &broker.addr()]).args(flags).output().expect("livemeter can be started");
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    out
}

pub fn told(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).expect("one JSON object")
}

pub fn audit(broker: &Broker, folder: &Path) -> Value {
    let mut command = Command::new(binary::path("livemeter"));
    command.args(["audit", "--topic", "--json", "--brokers", &broker.addr(), "--ledger"]).arg(folder.join("ledger"));
    let out = command.output().expect("livemeter can be started");
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)))
}
