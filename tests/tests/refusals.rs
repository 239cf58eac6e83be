//! What an ingest that speaks TLS has refused, told by the query service: it trusts whom it is told to, and says so
//! where it does not. How counts are read and added up is the query service's own tests' affair.

use livemeter_tests::apps::{Apps, livemeter};
use livemeter_tests::audience::{Session, batch};
use livemeter_tests::edge::Edge;
use livemeter_tests::http::Http;
use livemeter_tests::process::Process;
use livemeter_tests::tls::Certificate;
use livemeter_tests::{binary, ports, wait};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// What a query service says that trusts this file.
async fn told(edge: &Edge, trusted: &Path) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let http = Http::new(format!("http://127.0.0.1:{}", ports::free()));
    let mut command = Command::new(binary::path("livemeter"));
    command.args(["query", "--listen", http.authority(), "--refusals-from", &format!("https://{}", edge.addr())]);
    command.arg("--refusals-ca-file").arg(trusted).arg("--ledger").arg(folder.path().join("ledger"));
    let mut query = Process::start("query", command, &folder.path().join("query.log"));
    wait::until("the query service", || {
        let (ended, http) = (query.check(), http.clone());
        async move {
            ended.unwrap_or_else(|why| panic!("{why}"));
            http.get("/healthz").await.map(drop)
        }
    })
    .await;
    http.get("/v1/refusals").await.expect("an answer").json()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_that_speaks_tls_is_asked_by_who_trusts_it() {
    let edge = Edge::start_secure(Apps::with(&[]), &[]).await;
    let body = batch(vec![Session::new("s", "u", "cdn-a").plays(1, 1).heartbeat()]).to_string();
    let forged = edge.request("POST", "/v1/events?key=lmw_1a2b3c4d_none", "content-type: application/json\r\n", body.as_bytes());
    assert_eq!(edge.exchange(&forged).await.statuses, [403]);

    let known = told(&edge, &edge.certificate().expect("it speaks TLS").file()).await;
    assert_eq!(known["services"], json!([{ "address": format!("https://{}", edge.addr()) }]), "{known}");
    let rows = known["rows"].as_array().expect("rows");
    assert!(rows.contains(&json!({ "by": "ingest", "what": "request", "cause": "key_refused", "count": 1 })), "{known}");

    let foreign = Certificate::make();
    for (file, why) in [(foreign.file(), "no TLS with it"), (edge.folder().join("none.pem"), "query.refusals_ca_file")] {
        let said = told(&edge, &file).await;
        let failure = said["services"][0]["failure"].as_str().unwrap_or_default();
        assert!(failure.contains(why) && said["rows"] == json!([]), "{said} lacks {why:?}");
    }
}

#[test]
fn tls_without_anybody_to_trust_is_refused_at_start() {
    let out = livemeter(&["query", "--refusals-from", "https://127.0.0.1:1"]);
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(2) && said.contains("query.refusals_ca_file"), "{:?} {said}", out.status);
}
