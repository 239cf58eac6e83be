//! Who may post, and what is stored of them: real binaries, the embedded broker, the tools that keep the files. Keys
//! and tokens are made by `livemeter apps`, pseudonyms' keys by `livemeter privacy`, as an operator would.

#[path = "identity/privacy.rs"]
mod privacy;
#[path = "identity/tokens.rs"]
mod tokens;

use livemeter_tests::apps::{Apps, livemeter, said};
use livemeter_tests::audience::{APP, Session, batch};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::http::Answer;
use livemeter_tests::tree::Tree;
use livemeter_tests::{kafka, wait};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Ingest under these apps, looking for changes often.
pub async fn tree(broker: &Broker, apps: &Apps, more: &[&str]) -> Tree {
    let file = apps.file();
    let flags = [&["--apps-file", &file, "--apps-poll", "100ms"], more].concat();
    Tree::start_with(&broker.addr(), &[("ingest", &flags), ("process", &["--commit-interval", "500ms"])]).await
}

pub async fn post(tree: &Tree, key: &str, body: &Value) -> Answer {
    tree.ingest().post_json(&format!("/v1/events?key={key}"), body).await.expect("an answer")
}

/// Waits until a post with this key is answered so.
pub async fn until_answered(tree: &Tree, key: &str, status: u16) {
    wait::until(&format!("key {:.12}… to be answered {status}", key), || async {
        let answer = post(tree, key, &batch(vec![])).await;
        if answer.status == status { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text())) }
    })
    .await;
}

pub async fn metric(tree: &Tree, name: &str) -> f64 {
    let text = tree.ingest().get("/metrics").await.expect("metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_needed_rotated_and_taken_back_without_a_pause() {
    let (apps, first) = Apps::with(&["--origin", "https://player.example"]);
    assert!(!apps.text().contains(&first), "only the hash is written");
    let broker = Broker::start(Kind::Embedded).await;
    let tree = tree(&broker, &apps, &[]).await;
    let body = batch(vec![Session::new("s", "u", "cdn-a").plays(1_000, 10).heartbeat()]);

    let without = tree.ingest().post_json("/v1/events", &body).await.expect("an answer");
    assert_eq!((without.status, without.json()["field"].clone()), (401, json!("key")));
    let wrong = format!("{}0", &first[..first.len() - 1]);
    let wrong = if wrong == first { format!("{}1", &first[..first.len() - 1]) } else { wrong };
    let (of_wrong, of_unknown) = (post(&tree, &wrong, &body).await, post(&tree, &first, &of_app("unknown", &body)).await);
    assert_eq!((of_wrong.status, of_unknown.status), (403, 403));
    assert_eq!(of_wrong.text(), of_unknown.text(), "which of the two was wrong is not told");
    assert_eq!(post(&tree, &first, &body).await.status, 200);

    for (origin, status) in [("https://player.example", 200), ("https://elsewhere.example", 403)] {
        let headers = [("content-type", "text/plain"), ("origin", origin)];
        let answer = tree.ingest().post(&format!("/v1/events?key={first}"), &headers, body.to_string()).await.expect("an answer");
        assert_eq!(answer.status, status, "{origin}: {}", answer.text());
    }

    // Rotation: the second works beside the first, then the first is taken back.
    let second = said(&apps.run(&["apps", "key", "add", "--app", APP, "--json"]))["key"].as_str().expect("a key").to_owned();
    until_answered(&tree, &second, 200).await;
    assert_eq!(post(&tree, &first, &body).await.status, 200, "both are good");
    apps.run(&["apps", "key", "revoke", "--app", APP, "--key", &first[4..12]]);
    until_answered(&tree, &first, 403).await;
    assert_eq!(post(&tree, &second, &body).await.status, 200);

    // A broken file is told and counted; what was in force stays so.
    let good = apps.text();
    apps.write("[[app]]\nid = 'tests'\nheartbeat = 'often'\n");
    wait::until("the broken file to be noticed", || async {
        let refused = metric(&tree, "livemeter_ingest_apps_reloads_total{outcome=\"refused\"}").await;
        if refused > 0.0 { Ok(()) } else { Err("it is not") }
    })
    .await;
    assert_eq!(post(&tree, &second, &body).await.status, 200);
    let checked = livemeter(&["ingest", "--check-config", "--apps-file", &apps.file()]);
    assert_eq!((checked.status.code(), String::from_utf8_lossy(&checked.stderr).contains("heartbeat")), (Some(2), true));
    apps.write(&good);
    let checked = livemeter(&["ingest", "--check-config", "--apps-file", &apps.file()]);
    assert!(checked.status.success() && String::from_utf8_lossy(&checked.stdout).contains(&second[4..12]));

    assert_eq!(letters(&broker).len(), 0, "what strangers send is only counted");
    assert!(metric(&tree, "livemeter_ingest_requests_refused_total{error=\"key_refused\"}").await >= 2.0);
}

#[test]
fn the_tools_keep_the_files_comments_and_refuse_what_ingest_would_refuse() {
    let (apps, key) = Apps::with(&[]);
    apps.write(&format!("# whom to call: ada\n{}", apps.text()));
    apps.run(&["apps", "create", "other", "--cdn", "cdn-a", "--user-ids", "as_sent"]);
    assert!(apps.text().starts_with("# whom to call: ada\n"));
    let twice = livemeter(&["apps", "create", "other", "--apps-file", &apps.file()]);
    assert_eq!((twice.status.code(), String::from_utf8_lossy(&twice.stderr).contains("twice")), (Some(2), true));
    let listed = said(&apps.run(&["apps", "list", "--json"]));
    let ids: Vec<&Value> = listed["apps"].as_array().expect("apps").iter().map(|app| &app["id"]).collect();
    assert_eq!(ids, [&json!("other"), &json!(APP)]);
    assert_eq!(listed["apps"][1]["keys"][0]["id"], json!(key[4..12]));
    apps.run(&["apps", "key", "revoke", "--app", APP, "--key", &key[4..12], "--not-after", "2030-01-01"]);
    assert!(apps.text().contains("2030-01-01T00:00:00Z"));
    let nobody = livemeter(&["apps", "list"]);
    assert_eq!(nobody.status.code(), Some(2), "a file must be named");
}

/// All dead letters.
pub fn letters(broker: &Broker) -> Vec<Value> {
    let stored = kafka::read_all(&broker.addr(), "livemeter.deadletter.v1", 1);
    stored.iter().map(|r| serde_json::from_slice(&r.value).expect("JSON")).collect()
}

fn of_app(app: &str, body: &Value) -> Value {
    let mut body = body.clone();
    body["app"] = json!(app);
    body
}

/// Every file below a folder that holds these bytes.
pub fn files_with(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if std::fs::read(&path).is_ok_and(|content| content.windows(bytes.len()).any(|window| window == bytes)) {
            found.push(path);
        }
    }
    found
}
