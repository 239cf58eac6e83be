//! A contract's own days and versions: Beijing days over a ledger in UTC, an invoice whose days were cut in UTC, and which
//! version of a contract counts.

use crate::bills::{CONTRACT, TEMPLATE, planted};
use crate::support::{Increment, Ledger, Service};
use serde_json::json;
use std::fmt::Write as _;

/// Dates of UTC from the last of September on: at 20:00 it is four o'clock of the next day in Beijing.
fn dates() -> Vec<String> {
    std::iter::once("2026-09-30".to_owned()).chain((1..=31).map(|day| format!("2026-10-{day:02}"))).collect()
}

fn gigabytes(date: usize) -> usize {
    10 + 3 * date
}

/// 32 evenings, of which the first 31 are Beijing's October.
async fn evenings() -> (Ledger, Service) {
    let ledger = Ledger::empty();
    let dates = dates();
    let row = |(at, date): (usize, &String)| {
        Increment::new(&format!("{date}T20:00:00Z"), "cdn-a", &format!("s{at}"), gigabytes(at) as i64 * 1_000_000_000)
    };
    ledger.increments(&dates.iter().enumerate().map(row).collect::<Vec<_>>()).await;
    ledger.starts(&[]).await;
    let root = ledger.folder.path().join("bills");
    let service = ledger.serve(|config| config.bills.root = root).await;
    let mut log = String::new();
    for (at, date) in dates.iter().enumerate() {
        let (month, day) = if date.starts_with("2026-09") { ("Sep", "30") } else { ("Oct", &date[8..]) };
        let request = format!("GET /a.ts?CMCD=sid%3D%22s{at}%22 HTTP/1.1");
        writeln!(log, "192.0.2.1 - - [{day}/{month}/2026:20:01:00 +0000] \"{request}\" 200 {} \"-\" \"-\"", gigabytes(at) * 1_000_000_000)
            .unwrap();
    }
    // Of each of Beijing's dates what that date had in UTC.
    let mut invoice = "Day,Item,Domain,Quantity,Unit,Amount\n".to_owned();
    for (at, date) in dates.iter().enumerate().skip(1) {
        let quantity = gigabytes(at);
        writeln!(invoice, "{date},Traffic,live.example,{quantity},GB,{}.{}0", quantity / 10, quantity % 10).unwrap();
    }
    for (method, path, body) in [
        ("PUT", "/v1/bills/contracts", CONTRACT.replace("\"UTC\"", "\"Asia/Shanghai\"")),
        ("PUT", "/v1/bills/templates/acme", TEMPLATE.replace("\"UTC\"", "\"Asia/Shanghai\"")),
        ("POST", "/v1/bills/logs?vendor=acme&format=nginx", log),
        ("POST", "/v1/bills/invoices?vendor=acme&template=acme", invoice),
    ] {
        let answer = service.send(method, path, &[], &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body());
    }
    (ledger, service)
}

#[tokio::test]
async fn days_are_the_contracts_and_an_invoice_with_those_of_utc_is_seen_through() {
    let (_ledger, service) = evenings().await;
    let check = service.get("/v1/bills/check?contract=acme-live&period=2026-10").await.json();
    assert_eq!((&check["from"], &check["to"]), (&json!("2026-10-01T00:00:00+08:00"), &json!("2026-11-01T00:00:00+08:00")));
    let days: Vec<_> =
        check["days"].as_array().unwrap().iter().map(|d| (d["day"].clone(), d["client_bytes"].as_u64(), d["log_bytes"].as_u64())).collect();
    assert_eq!(days.len(), 31);
    for (at, (day, client, log)) in days.into_iter().enumerate() {
        let bytes = Some(gigabytes(at) as u64 * 1_000_000_000);
        assert_eq!((day, client, log), (json!(format!("2026-10-{:02}", at + 1)), bytes, bytes));
    }
    let causes: Vec<_> = check["causes"].as_array().unwrap().iter().map(|cause| cause["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["wrong_zone"], "{:#}", check["causes"]);
    // The month's first evening is the last of September elsewhere.
    let windows = service.get("/v1/bills/windows?contract=acme-live&day=2026-10-01").await.json();
    let window = windows["windows"].as_array().unwrap().iter().find(|window| window["client_bytes"] != 0).unwrap();
    assert_eq!(window["start"], "2026-10-01T04:00:00+08:00");
    let sessions = service.get("/v1/bills/sessions?contract=acme-live&window=2026-10-01T04:00:00%2B08:00").await.json();
    assert_eq!((&sessions["sessions"][0]["session_id"], &sessions["window"]), (&json!("s0"), &json!("2026-10-01T04:00:00+08:00")));
}

#[tokio::test]
async fn the_newest_version_that_is_valid_counts_unless_another_is_named() {
    let (_ledger, service) = planted().await;
    for (version, from, price) in [(2, "2026-01-01", "0.20"), (3, "2026-12-01", "0.30")] {
        let text = CONTRACT.replace("version = 1", &format!("version = {version}")).replace("2026-01-01", from).replace("0.10", price);
        assert_eq!(service.send("PUT", "/v1/bills/contracts", &[], &text).await.status, 200);
    }
    let owed = async |contract: &str| {
        let check = service.get(&format!("/v1/bills/check?contract={contract}&period=2026-10")).await.json();
        (check["contract"]["version"].as_u64(), check["bills"][1]["amount"].as_str().map(str::to_owned))
    };
    assert_eq!(owed("acme-live").await, (Some(2), Some("161.20".to_owned())));
    assert_eq!(owed("acme-live@1").await, (Some(1), Some("80.60".to_owned())));
    assert_eq!(service.get("/v1/bills/check?contract=acme-live@3&period=2026-10").await.status, 400);
}
