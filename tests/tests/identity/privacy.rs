//! Pseudonyms: what is stored names nobody, and whoever keeps the keys can still find a user's rows.

use crate::{files_with, letters, post, tree};
use livemeter_tests::apps::{Apps, livemeter, said};
use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::{kafka, wait};
use serde_json::{Value, json};

/// Knows 127.0.0.0/8 as Berlin.
const GEO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ingest/testdata/geo.mmdb");
const RAW: &str = "ada.lovelace@example.org";

#[tokio::test(flavor = "multi_thread")]
async fn a_pseudonym_is_all_that_is_stored_of_a_user() {
    let (apps, key) = Apps::with(&["--user-ids", "pseudonym"]);
    let keys = apps.path("keys.toml");
    let keys = keys.to_str().expect("a plain path");
    let without = livemeter(&["ingest", "--check-config", "--apps-file", &apps.file()]);
    assert_eq!((without.status.code(), String::from_utf8_lossy(&without.stderr).contains("pseudonym_keys_file")), (Some(2), true));
    assert!(livemeter(&["privacy", "keys", "rotate", "--pseudonym-keys-file", keys]).status.success());

    let broker = Broker::start(Kind::Embedded).await;
    let tree = tree(&broker, &apps, &["--pseudonym-keys-file", keys, "--geo-file", GEO]).await;
    let mut ada = Session::new("s-1", RAW, "cdn-a");
    let mut error = ada.heartbeat();
    error["type"] = json!("error");
    error["code"] = json!("licence");
    error["message"] = json!(format!("no licence for {RAW}"));
    error["fatal"] = json!(false);
    let mut unknown_field = ada.plays(1_000, 100).heartbeat();
    unknown_field["account"] = json!(RAW);
    let mut wrong = ada.heartbeat();
    wrong["seq"] = json!("two");
    let answer = post(&tree, &key, &batch(vec![error, unknown_field, wrong])).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(2)), "{}", answer.text());
    // One that says no region gets the one of its address; the address itself is nowhere.
    let mut bob = Session::new("s-2", "bob", "cdn-a").plays(50, 5).heartbeat();
    bob.as_object_mut().expect("an object").remove("region");
    assert_eq!(post(&tree, &key, &batch(vec![bob])).await.status, 200);
    let broken = batch(vec![ada.heartbeat()]).to_string().replace("\"v\":1", "\"v\":");
    let json = [("content-type", "application/json")];
    assert_eq!(tree.ingest().post(&format!("/v1/events?key={key}"), &json, broken).await.expect("an answer").status, 400);

    let names = said(&livemeter(&["privacy", "pseudonyms", "--app", APP, "--user", RAW, "--json", "--pseudonym-keys-file", keys]));
    let name = names["pseudonyms"][0]["user_id"].as_str().expect("a name").to_owned();
    let sql = format!("SELECT region, CAST(SUM(bytes) AS BIGINT) FROM increments WHERE app = '{APP}' GROUP BY region ORDER BY region");
    wait::until("the ledger to have both regions", || async {
        let rows = tree.query().post_json("/v1/sql", &json!({ "sql": sql })).await?.json()["rows"].clone();
        if rows == json!([["DE-BE", 50], ["eu", 1000]]) { Ok(()) } else { Err(rows.to_string()) }
    })
    .await;
    let sql = format!("SELECT user_id, CAST(SUM(bytes) AS BIGINT) FROM increments WHERE app = '{APP}' AND region = 'eu' GROUP BY user_id");
    wait::until("the ledger to have the pseudonym", || async {
        let rows = tree.query().post_json("/v1/sql", &json!({ "sql": sql })).await?.json()["rows"].clone();
        if rows == json!([[name, 1000]]) { Ok(()) } else { Err(rows.to_string()) }
    })
    .await;

    wait::until("the two letters", || async {
        let found = letters(&broker);
        if found.len() == 2 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    for letter in letters(&broker) {
        assert_eq!((&letter["head"], letter["sha256"].as_str().map(str::len)), (&json!(""), Some(64)), "{letter}");
        assert!(!letter.to_string().contains(RAW), "{letter}");
    }
    let records: Vec<Value> =
        kafka::read_all(&broker.addr(), "livemeter.events.v1", 4).iter().map(|r| serde_json::from_slice(&r.value).expect("JSON")).collect();
    let of_ada: Vec<&Value> = records.iter().filter(|r| r["event"]["session_id"] == "s-1").collect();
    assert!(of_ada.len() == 2 && of_ada.iter().all(|r| r["event"]["user_id"] == json!(name)), "{records:#?}");
    assert!(!format!("{records:?}").contains(RAW) && !format!("{records:?}").contains("127.0.0.1"));
    for folder in [tree.folder(), broker.folder()] {
        assert_eq!(files_with(folder, RAW.as_bytes()), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn keys_are_not_rotated_within_a_billing_period_nor_destroyed_while_they_are_used() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("keys.toml");
    let file = file.to_str().expect("a plain path");
    let run = |words: &[&str]| livemeter(&[&["privacy", "keys"], words, &["--pseudonym-keys-file", file]].concat());
    let refused = |words: &[&str], says: &str| {
        let out = run(words);
        let why = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!((out.status.code(), why.contains(says)), (Some(2), true), "{words:?}: {why}");
    };
    assert!(run(&["rotate", "--from", "2020-01-01"]).status.success());
    refused(&["rotate", "--from", "2020-01-20"], "31 days");
    refused(&["rotate", "--from", "2021-01-01"], "a day ahead");
    refused(&["destroy", "--key", "p1", "--yes"], "the newest");
    let second = said(&run(&["rotate", "--json"]));
    assert_eq!(second["id"], "p2");
    refused(&["destroy", "--key", "p1", "--yes"], "in use until");
    // Three years later, as far as the file goes.
    let text = std::fs::read_to_string(file).expect("read").replace(second["valid_from"].as_str().expect("a time"), "2023-01-01T00:00:00Z");
    std::fs::write(file, text).expect("written");
    refused(&["destroy", "--key", "p1"], "--yes");
    assert!(run(&["destroy", "--key", "p1", "--yes"]).status.success());
    let listed = said(&run(&["list", "--json"]));
    assert_eq!((&listed["keys"][0]["kept"], &listed["keys"][1]["kept"]), (&json!(false), &json!(true)));
    let names = said(&livemeter(&["privacy", "pseudonyms", "--app", APP, "--user", RAW, "--json", "--pseudonym-keys-file", file]));
    assert_eq!(names["pseudonyms"].as_array().map(Vec::len), Some(1), "what a destroyed key has named stays nameless");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).expect("there").permissions());
    assert_eq!(mode & 0o077, 0, "nobody else can read it");
}
