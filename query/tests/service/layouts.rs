//! Templates and mapping files through the API: read before they are kept, refused by line and field, used at once.

use crate::bills::{TEMPLATE, planted};
use crate::support::Service;
use serde_json::json;

const FORMAT: &str = r#"
name = "edge"
lines = "delimited"
delimiter = "|"
columns = ["at", "host", "bytes"]

[fields]
time = "at"
host = "host"
bytes = "bytes"

[time]
format = "unix"
"#;

async fn put(service: &Service, kind: &str, name: &str, text: &str) -> (u16, serde_json::Value) {
    let answer = service.send("PUT", &format!("/v1/bills/{kind}/{name}"), &[], text).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_layout_is_kept_listed_used_and_replaced() {
    let (ledger, service) = planted().await;
    let (status, first) = put(&service, "templates", "crane", &TEMPLATE.replace("\"acme\"", "\"crane\"")).await;
    assert_eq!((status, &first["name"], &first["replaced_sha256"]), (200, &json!("crane"), &json!(null)), "{first}");
    let invoice = "Day,Item,Domain,Quantity,Unit,Amount\n2026-10-01,Traffic,live.example,11,GB,1.10\n";
    let sent = service.send("POST", "/v1/bills/invoices?vendor=crane&template=crane", &[], invoice).await;
    assert_eq!((sent.status, sent.json()["total"].as_str()), (200, Some("1.10")), "{}", sent.body());

    assert_eq!(put(&service, "formats", "edge", FORMAT).await.0, 200);
    let log = "1790848860|live.example|7\n";
    let sent = service.send("POST", "/v1/bills/logs?vendor=crane&format=edge", &[], log).await;
    assert_eq!((sent.status, sent.json()["bytes"].as_u64()), (200, Some(7)), "{}", sent.body());

    // The same again changes nothing; another text takes its place and says of which.
    let again = put(&service, "templates", "crane", &TEMPLATE.replace("\"acme\"", "\"crane\"")).await;
    assert_eq!(again, (200, first.clone()));
    let (_, second) = put(&service, "templates", "crane", &TEMPLATE.replace("\"acme\"", "\"crane\"").replace("\"Day\"", "\"Date\"")).await;
    assert_eq!(second["replaced_sha256"], first["sha256"]);
    let listed = service.get("/v1/bills/templates").await.json();
    let names: Vec<_> = listed["layouts"].as_array().unwrap().iter().map(|one| (one["name"].clone(), one["sha256"].clone())).collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[1], (json!("crane"), second["sha256"].clone()));
    assert_eq!(service.get("/v1/bills/formats").await.json()["layouts"][0]["name"], "edge");
    // Strangers' names are no labels of the metrics.
    assert!(!service.get("/metrics").await.body().contains("crane"));
    drop(ledger);
}

#[tokio::test]
async fn a_layout_that_cannot_be_read_is_refused_by_line_and_field_and_not_kept() {
    let (ledger, service) = planted().await;
    let kept = || {
        let names = |folder: &str| std::fs::read_dir(ledger.folder.path().join("bills").join(folder)).map_or(0, Iterator::count);
        (names("templates"), names("formats"))
    };
    assert_eq!(kept(), (1, 0));
    let other = TEMPLATE.replace("\"acme\"", "\"crane\"");
    for (kind, name, text, status, field) in [
        ("templates", "crane", other.replace("tz = \"UTC\"", "tz = \"Mars\""), 422, "line 3, tz"),
        ("templates", "crane", other.replace("currency = \"USD\"", "currency = \"dollars\""), 422, "line 4, currency"),
        ("templates", "crane", other.replace("item = ", "thing = "), 422, "line 8, thing"),
        ("templates", "crane", other.replace("\"Day\"", "Day"), 422, "line 7, file"),
        ("templates", "heron", other.clone(), 422, "name"),
        ("templates", "focus", other.replace("\"crane\"", "\"focus\""), 409, "name"),
        ("templates", "..%2Fcrane", other.replace("\"crane\"", "\"../crane\""), 422, "line 2, name"),
        ("formats", "edge", FORMAT.replace("\"bytes\"\n", "\"size\"\n"), 422, "line 10, fields.bytes"),
        ("formats", "edge", FORMAT.replace("\"unix\"", "\"%H\""), 422, "line 12, time"),
        ("formats", "edge", FORMAT.replace("delimiter = \"|\"\n", ""), 422, "delimiter"),
        ("formats", "nginx", FORMAT.replace("\"edge\"", "\"nginx\""), 409, "name"),
        ("formats", "edge", format!("{FORMAT}{}", "#".repeat(64 << 10)), 413, "format"),
    ] {
        let (found, problem) = put(&service, kind, name, &text).await;
        assert_eq!((found, problem["field"].as_str()), (status, Some(field)), "{kind}/{name}: {problem}");
        assert_eq!(kept(), (1, 0), "{kind}/{name}");
    }
    let (status, _) = put(&service, "formats", "edge?check=true", FORMAT).await;
    assert_eq!((status, kept()), (200, (1, 0)));
    let foreign = service.send("PUT", "/v1/bills/formats/edge", &[("origin", "http://evil.example")], FORMAT).await;
    assert_eq!((foreign.status, kept()), (403, (1, 0)));
}
