//! The bill check over a real port: a planted ledger, a vendor's log, a contract and an invoice with two errors; what
//! is found, refused and shown.

use crate::support::{Answer, Increment, Ledger, Service};
use serde_json::{Value, json};
use std::fmt::Write as _;

pub const CONTRACT: &str = r#"
id = "acme-live"
version = 1
vendor = "acme"
currency = "USD"
zone = "UTC"
valid_from = "2026-01-01"
scopes = [{ cdn = "cdn-a", domain = "live.example" }]
mode = "traffic"
unit = "GB"
tiers_apply = "progressive"
tiers = [{ from = "0", price = "0.10" }]
"#;

pub const TEMPLATE: &str = r#"
name = "acme"
tz = "UTC"
currency = "USD"

[columns]
period = "Day"
item = "Item"
domain = "Domain"
quantity = "Quantity"
unit = "Unit"
amount = "Amount"
"#;

/// Whole gigabytes of a day of October.
fn gigabytes(day: i64) -> i64 {
    10 + day
}

/// A session a day, and one on another CDN that is none of the contract's.
async fn october(ledger: &Ledger) {
    let mut rows = vec![Increment::new("2026-10-02T10:00:00Z", "cdn-b", "elsewhere", 999)];
    for day in 1..=31 {
        let mut row = Increment::new(&format!("2026-10-{day:02}T10:00:00Z"), "cdn-a", &format!("s{day}"), gigabytes(day) * 1_000_000_000);
        (row.bytes, row.aborted_bytes) = (row.bytes - 500, 500);
        rows.push(row);
    }
    let mut quarantined = Increment::new("2026-10-03T10:00:00Z", "cdn-a", "s3", 1 << 50);
    quarantined.status = livemeter_schemas::ledger::QUARANTINED;
    rows.push(quarantined);
    ledger.increments(&rows).await;
    ledger.starts(&[]).await;
}

/// What nginx wrote: the same bytes, in two responses a day.
fn log() -> String {
    let mut text = String::new();
    for day in 1..=31 {
        for (second, bytes) in [(0, gigabytes(day) * 1_000_000_000 - 7), (20, 7)] {
            let request = format!("GET /live/{day}.ts?CMCD=sid%3D%22s{day}%22 HTTP/1.1");
            writeln!(text, "192.0.2.1 - - [{day:02}/Oct/2026:10:01:{second:02} +0000] \"{request}\" 200 {bytes} \"-\" \"player\"").unwrap();
        }
    }
    text
}

/// A row a day at 0.10 a gigabyte: the fifth in the wrong unit, the ninth twice.
fn invoice() -> String {
    let mut text = "Day,Item,Domain,Quantity,Unit,Amount\n".to_owned();
    for day in (1..=31).chain([9]) {
        let (quantity, amount) = match day {
            5 => ("16.10612736".to_owned(), "1.61".to_owned()),
            _ => (gigabytes(day).to_string(), format!("{}.{}0", gigabytes(day) / 10, gigabytes(day) % 10)),
        };
        writeln!(text, "2026-10-{day:02},Traffic,live.example,{quantity},GB,{amount}").unwrap();
    }
    text
}

pub async fn planted() -> (Ledger, Service) {
    let ledger = Ledger::empty();
    october(&ledger).await;
    let root = ledger.folder.path().join("bills");
    std::fs::create_dir_all(root.join("templates")).unwrap();
    std::fs::write(root.join("templates/acme.toml"), TEMPLATE).unwrap();
    let service = ledger.serve(|config| config.bills.root = root).await;
    for (path, body) in [
        ("/v1/bills/contracts", CONTRACT.to_owned()),
        ("/v1/bills/logs?vendor=acme&format=nginx&name=access.log", log()),
        ("/v1/bills/invoices?vendor=acme&template=acme&name=october.csv", invoice()),
    ] {
        let answer = service.send("POST", path, &[], &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body());
    }
    (ledger, service)
}

fn problem(answer: &Answer) -> (u16, String, String) {
    let told = answer.json();
    let word = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    (answer.status, word("field"), word("reason"))
}

#[tokio::test]
async fn two_planted_errors_are_found_and_named_and_nothing_else_is() {
    let (_ledger, service) = planted().await;
    let answer = service.get("/v1/bills/check?contract=acme-live&period=2026-10").await;
    assert_eq!(answer.status, 200, "{}", answer.body());
    let check = answer.json();
    let causes: Vec<_> = check["causes"].as_array().unwrap().iter().map(|c| (c["cause"].as_str().unwrap(), c["day"].as_str())).collect();
    assert_eq!(check["verdict"], "disputed");
    assert_eq!(causes.len(), 2, "{check:#}");
    assert!(causes.contains(&("day_billed_twice", Some("2026-10-09"))), "{causes:?}");
    assert!(causes.iter().any(|c| c.0 == "wrong_unit"), "{causes:?}");
    // What is said in words is said in both languages.
    let zh = |value: &Value, name: &str| value[name].as_str().is_some_and(|text| text.contains(|c: char| ('一'..='龥').contains(&c)));
    assert!(check["causes"].as_array().unwrap().iter().all(|cause| zh(cause, "evidence_zh")), "{check:#}");
    let steps = check["bills"][0]["steps"].as_array().unwrap();
    assert_eq!(steps[0]["formula"], "sum of all windows; windows 8928");
    assert_eq!(steps[0]["formula_zh"], "所有窗口之和；窗口数 8928");

    // The waterfall adds up, and client and log agree: quarantined rows and other CDNs are no part of it.
    let bytes: i64 = (1..=31).map(gigabytes).sum::<i64>() * 1_000_000_000;
    let step = |name: &str| check["waterfall"].as_array().unwrap().iter().find(|s| s["step"] == name).unwrap()["bytes"].clone();
    assert_eq!((step("client"), step("log"), step("unexplained")), (json!(bytes), json!(bytes), json!(0)));
    assert_eq!(check["bills"][1]["amount"], "80.60", "{:#}", check["bills"]);
    assert_eq!(check["days"].as_array().unwrap().len(), 31);
    assert_eq!(check["source"]["table_version"], 0);
    assert_eq!(check["source"]["log_sha256"].as_array().unwrap().len(), 1);

    // Down to windows, sessions and lines.
    let windows = service.get("/v1/bills/windows?contract=acme-live&day=2026-10-09").await.json();
    let window = windows["windows"].as_array().unwrap().iter().find(|w| w["client_bytes"] != 0).unwrap().clone();
    assert_eq!(windows["windows"].as_array().unwrap().len(), 288);
    assert_eq!((&window["start"], &window["log_bytes"]), (&json!("2026-10-09T10:00:00Z"), &json!(19_000_000_000_i64)));
    let sessions = service.get("/v1/bills/sessions?contract=acme-live&window=2026-10-09T10:00:00Z").await.json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "{sessions:#}");
    assert_eq!(sessions["sessions"][0]["session_id"], "s9");
    assert_eq!(sessions["source"]["log_sha256"], check["source"]["log_sha256"]);
    let told = sessions["sessions"][0]["log_lines"].as_str().unwrap().to_owned();
    let (sha256, range) = told.split_once(':').unwrap();
    assert_eq!(range, "17-18");
    let lines = service.get(&format!("/v1/bills/lines?vendor=acme&sha256={sha256}&first=17&last=18")).await.json();
    assert!(lines["lines"][0]["text"].as_str().unwrap().contains("sid%3D%22s9%22"), "{lines:#}");

    let simulation = service.get("/v1/bills/simulation?contract=acme-live&period=2026-10").await;
    assert_eq!(simulation.status, 200, "{}", simulation.body());
    assert_eq!(simulation.json()["modes"][0]["cheapest"], true);
}

/// Of an invoice in the wrong unit throughout, in which each day is two lines.
#[tokio::test]
async fn every_row_that_a_line_or_a_cause_rests_on_is_told_or_counted() {
    let (_ledger, service) = planted().await;
    let mut text = "Day,Item,Domain,Quantity,Unit,Amount\n".to_owned();
    for day in 1..=31 {
        // A GB for a GiB's worth of bytes: the figure is larger by 1.024³.
        for (share, part) in [("peak", 0.4), ("rest", 0.6)] {
            let quantity = gigabytes(day) as f64 * 1.073_741_824 * part;
            writeln!(text, "2026-10-{day:02},Traffic {share},live.example,{quantity:.9},GB,{:.2}", quantity * 0.1).unwrap();
        }
    }
    let sent = service.send("POST", "/v1/bills/invoices?vendor=acme&template=acme&name=gib.csv", &[], &text).await;
    assert_eq!(sent.status, 200, "{}", sent.body());
    let path = format!("contract=acme-live&period=2026-10&invoice={}", sent.json()["sha256"].as_str().unwrap());
    let check = service.get(&format!("/v1/bills/check?{path}")).await.json();
    assert_eq!(check["lines"][0]["invoice_rows"], json!([2, 3]), "{:#}", check["lines"][0]);
    let cause = &check["causes"][0];
    assert_eq!(
        (&cause["cause"], &cause["invoice_row"], &cause["invoice_rows_more"]),
        (&json!("wrong_unit"), &json!(2), &json!(42)),
        "{cause:#}"
    );
    assert_eq!(cause["invoice_rows"], json!((2..22).collect::<Vec<_>>()));
    let csv = service.get(&format!("/v1/bills/export?{path}&format=csv")).await;
    let line = csv.body().lines().nth(1).unwrap();
    assert!(line.contains(",disputed,2 3,USD,"), "{line}");
}

#[tokio::test]
async fn papers_that_cannot_be_taken_are_refused_by_line_and_field_and_nothing_of_them_is_kept() {
    let (_ledger, service) = planted().await;
    let contract = |from: &str, to: &str| CONTRACT.replace(from, to).replace("version = 1", "version = 2");
    let cases: [(String, &str); 5] = [
        (
            contract(
                "tiers = [{ from = \"0\", price = \"0.10\" }]",
                "tiers = [{ from = \"0\", up_to = \"10\", price = \"1\" }, { from = \"9\", price = \"2\" }]",
            ),
            "tiers",
        ),
        (
            contract(
                "tiers = [{ from = \"0\", price = \"0.10\" }]",
                "tiers = [{ from = \"0\", up_to = \"10\", price = \"1\" }, { from = \"11\", price = \"2\" }]",
            ),
            "tiers",
        ),
        (contract("unit = \"GB\"", "unit = \"GBit\""), "unit"),
        (contract("zone = \"UTC\"", "zone = \"Mars/Olympus\""), "zone"),
        (contract("price = \"0.10\"", "price = 0.10"), "price"),
    ];
    for (text, field) in cases {
        let answer = service.send("PUT", "/v1/bills/contracts?check=true", &[], &text).await;
        let (status, at, reason) = problem(&answer);
        assert_eq!(status, 422, "{text}: {reason}");
        assert!(at.contains("line ") && at.contains(field), "{at}: {reason}");
    }
    // Another text under a version that is kept.
    let (status, field, reason) = problem(&service.send("PUT", "/v1/bills/contracts", &[], &CONTRACT.replace("0.10", "0.09")).await);
    assert_eq!((status, field.as_str()), (409, "version"), "{reason}");
    assert_eq!(service.send("PUT", "/v1/bills/contracts", &[], CONTRACT).await.status, 200);

    let cloudfront = include_str!("../../../logs/tests/logs/cloudfront.tsv");
    let (status, field, reason) = problem(&service.send("POST", "/v1/bills/logs?vendor=acme&format=nginx", &[], cloudfront).await);
    assert_eq!(status, 422, "{reason}");
    assert!(field.starts_with("line "), "{field}: {reason}");
    let (status, field, reason) = problem(&service.send("POST", "/v1/bills/logs?vendor=acme&format=apache", &[], &log()).await);
    assert_eq!((status, field.as_str()), (400, "format"), "{reason}");
    let euros = invoice().replace("Amount\n", "Amount,Currency\n").replace("0\n", "0,EUR\n").replace("1.61\n", "1.61,EUR\n");
    let root = _ledger.folder.path().join("bills/templates/euro.toml");
    std::fs::write(
        root,
        TEMPLATE.replace("currency = \"USD\"\n", "").replace("name = \"acme\"", "name = \"euro\"") + "currency = \"Currency\"\n",
    )
    .unwrap();
    let (status, field, reason) = problem(&service.send("POST", "/v1/bills/invoices?vendor=acme&template=euro", &[], &euros).await);
    assert_eq!(status, 422, "{reason}");
    assert!(field.contains("row 2") && reason.contains("EUR") && reason.contains("USD"), "{field}: {reason}");

    let count = async |what: &str| service.get(&format!("/v1/bills/{what}")).await.json()[what_list(what)].as_array().map(Vec::len);
    assert_eq!((count("contracts").await, count("logs").await, count("invoices").await), (Some(1), Some(1), Some(1)));
    // The same bytes again change nothing.
    let again = service.send("POST", "/v1/bills/logs?vendor=acme&format=nginx&name=access.log", &[], &log()).await.json();
    assert_eq!(again["known"], true);

    // Another site's page may neither write nor read.
    let foreign = [("origin", "http://evil.example")];
    for (method, path) in
        [("POST", "/v1/bills/logs?vendor=acme&format=nginx"), ("PUT", "/v1/bills/contracts"), ("GET", "/v1/bills/contracts")]
    {
        let (status, field, _) = problem(&service.send(method, path, &foreign, "").await);
        assert_eq!((status, field.as_str()), (403, "Origin"), "{method} {path}");
    }
    for (path, status, named) in [
        ("/v1/bills/check?contract=nobody&period=2026-10", 404, "contract"),
        ("/v1/bills/check?contract=acme-live&period=2025-10", 400, "period"),
        ("/v1/bills/check?contract=acme-live&period=october", 400, "period"),
        ("/v1/bills/check?contract=acme-live", 400, "period"),
        ("/v1/bills/check?contract=acme-live&period=2026-10&colour=red", 400, "colour"),
        ("/v1/bills/check?contract=acme-live&period=2026-10&invoice=deadbeef", 404, "invoice"),
        ("/v1/bills/export?contract=acme-live&period=2026-10&format=pdf", 400, "format"),
        ("/v1/bills/windows?contract=acme-live&day=2026-10-40", 400, "day"),
        ("/v1/bills/sessions?contract=acme-live&window=2026-10-09T10:01:00Z", 400, "window"),
    ] {
        let (found, field, reason) = problem(&service.get(path).await);
        assert_eq!((found, field.as_str()), (status, named), "{path}: {reason}");
    }
}

fn what_list(what: &str) -> &'static str {
    match what {
        "contracts" => "contracts",
        "logs" => "imports",
        _ => "invoices",
    }
}

#[tokio::test]
async fn a_check_can_be_had_as_a_file() {
    let (_ledger, service) = planted().await;
    let ask = async |format: &str| service.get(&format!("/v1/bills/export?contract=acme-live&period=2026-10&format={format}")).await;
    let csv = ask("csv").await;
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"), "{}", csv.body());
    let header = csv.body().lines().next().unwrap().to_owned();
    assert!(
        header.starts_with("vendor,item,domain,region,client_bytes,log_bytes,invoice_row,invoice_quantity,expected_quantity,unit,"),
        "{header}"
    );
    assert!(header.ends_with("table_version,kafka_offsets"), "{header}");
    for format in ["focus-1.4", "focus-1.2"] {
        let answer = ask(format).await;
        assert!(answer.body().starts_with("BilledCost,BillingAccountId,"), "{}", answer.body());
    }
    for detail in ["windows", "sessions", "users"] {
        let answer = ask(&format!("csv&detail={detail}")).await;
        assert_eq!((answer.status, answer.body().lines().count()), (200, 32), "{detail}: {}", answer.body());
        let bytes: Value =
            service.rows("SELECT SUM(bytes + aborted_bytes) FROM increments WHERE cdn = 'cdn-a' AND status = 'booked'").await;
        let sum: i64 = answer
            .body()
            .lines()
            .skip(1)
            .filter_map(|line| line.split(',').find_map(|cell| cell.parse::<i64>().ok().filter(|n| *n > 1_000)))
            .sum();
        assert_eq!(bytes[0][0], json!(sum), "{detail}");
    }
}
