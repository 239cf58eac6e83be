//! What if the traffic had been parted otherwise: two vendors' October, and what is refused.

use crate::bills::{CONTRACT, planted};
use serde_json::{Value, json};

/// The other CDN's contract, whose days are Beijing's.
const BOLT: &str = r#"
id = "bolt-live"
version = 1
vendor = "bolt"
currency = "USD"
zone = "Asia/Shanghai"
valid_from = "2026-01-01"
scopes = [{ cdn = "cdn-b", domain = "live.example" }]
mode = "traffic"
unit = "GB"
tiers_apply = "progressive"
tiers = [{ from = "0", up_to = "100", price = "0.50" }, { from = "100", price = "0.05" }]
"#;

async fn two() -> (crate::support::Ledger, crate::support::Service) {
    let (ledger, service) = planted().await;
    for text in [BOLT.to_owned(), BOLT.replace("bolt", "euro").replace("USD", "EUR").replace("cdn-b", "cdn-c")] {
        assert_eq!(service.send("PUT", "/v1/bills/contracts", &[], &text).await.status, 200);
    }
    (ledger, service)
}

/// All of October is 806 GB, 80.60 at one vendor; the other has 999 bytes of its own and no log, so players' bytes count.
#[tokio::test]
async fn bytes_that_go_elsewhere_are_billed_by_the_other_contract() {
    let (_ledger, service) = two().await;
    let path = "/v1/bills/what-if?contracts=acme-live,bolt-live&period=2026-10";
    let answer = service.get(&format!("{path}&from=acme-live&to=bolt-live&percent=50")).await;
    assert_eq!(answer.status, 200, "{}", answer.body());
    let found = answer.json();
    let amounts = |found: &Value, at: usize| {
        let one = &found["contracts"][at];
        [&one["before"]["amount"], &one["after"]["amount"], &one["difference_amount"]].map(|text| text.as_str().unwrap().to_owned())
    };
    assert_eq!((&found["side"], &found["moved_bytes"]), (&json!("client"), &json!(403_000_000_000_i64)));
    assert_eq!(amounts(&found, 0), ["80.60", "40.30", "-40.30"]);
    // 100 GB at 0.50, 303.000000999 GB at 0.05.
    assert_eq!(amounts(&found, 1), ["0.00", "65.15", "65.15"]);
    let total = json!({ "before_amount": "80.60", "after_amount": "105.45", "difference_amount": "24.85", "currency": "USD" });
    assert_eq!(found["total"], total);
    assert_eq!(found["contracts"][1]["after"]["bytes"], 403_000_000_999_i64);
    assert_eq!((&found["contracts"][0]["as_if"], &found["contracts"][1]["as_if"]), (&json!(false), &json!(true)));
    assert_eq!(
        (&found["contracts"][0]["before"]["share_percent"], &found["contracts"][0]["after"]["share_percent"]),
        (&json!("100"), &json!("50"))
    );
    assert_eq!(found["contracts"][0]["source"]["table_version"], 0);

    let shares = service.get(&format!("{path}&shares=0,100")).await.json();
    assert_eq!((amounts(&shares, 0)[1].as_str(), amounts(&shares, 1)[1].as_str()), ("0.00", "85.30"));
    let nothing = service.get(&format!("{path}&from=acme-live&to=bolt-live&percent=0")).await.json();
    assert_eq!((&nothing["moved_bytes"], &nothing["total"]["difference_amount"]), (&json!(0), &json!("0.00")));
    // Another currency: both bills, no sum.
    let euros = service.get("/v1/bills/what-if?contracts=acme-live,euro-live&period=2026-10&shares=12.5,87.5").await.json();
    assert_eq!((&euros["total"], euros["contracts"].as_array().map(Vec::len)), (&Value::Null, Some(2)));
}

/// Logged bytes of one vendor are those of another only where both logs count alike.
#[tokio::test]
async fn logs_count_where_each_vendor_has_one_and_both_count_alike() {
    let (_ledger, service) = two().await;
    let line = "192.0.2.1 - - [02/Oct/2026:10:01:00 +0000] \"GET /live/1.ts HTTP/1.1\" 200 1000000000 \"-\" \"player\"\n";
    assert_eq!(service.send("POST", "/v1/bills/logs?vendor=bolt&format=nginx", &[], line).await.status, 200);
    let ask = async || service.get("/v1/bills/what-if?contracts=acme-live,bolt-live&period=2026-10&shares=50,50").await.json();
    let found = ask().await;
    let bolt = &found["contracts"][1];
    assert_eq!((&found["side"], &bolt["before"]["bytes"]), (&json!("log"), &json!(1_000_000_000)), "{found:#}");
    assert_eq!(bolt["after"]["bytes"], 403_500_000_000_i64);
    assert_eq!(bolt["source"]["log_sha256"].as_array().map(Vec::len), Some(1));
    let headers = BOLT.replace("version = 1", "version = 2").replace("unit =", "log_overhead = \"1.25\"\nunit =");
    assert_eq!(service.send("PUT", "/v1/bills/contracts", &[], &headers).await.status, 200);
    let found = ask().await;
    assert_eq!((&found["side"], &found["contracts"][1]["before"]["bytes"]), (&json!("client"), &json!(999)));
    assert_eq!(found["contracts"][1]["source"]["log_sha256"], json!([]));
}

#[tokio::test]
async fn a_what_if_that_makes_no_sense_is_refused_by_its_field() {
    let (ledger, service) = two().await;
    let twin = CONTRACT.replace("acme-live", "acme-next");
    assert_eq!(service.send("PUT", "/v1/bills/contracts", &[], &twin).await.status, 200);
    let two = "contracts=acme-live,bolt-live&period=2026-10";
    for (query, status, field) in [
        (two.to_owned(), 400, "percent"),
        (format!("{two}&shares=50,49.99"), 400, "shares"),
        (format!("{two}&shares=50"), 400, "shares"),
        (format!("{two}&shares=150,-50"), 400, "shares"),
        (format!("{two}&shares=50,50&percent=1"), 400, "shares"),
        (format!("{two}&from=acme-live&to=bolt-live&percent=101"), 400, "percent"),
        (format!("{two}&from=acme-live&to=bolt-live&percent=1.234"), 400, "percent"),
        (format!("{two}&from=acme-live&to=acme-live&percent=1"), 400, "to"),
        (format!("{two}&from=crane&to=bolt-live&percent=1"), 400, "from"),
        (format!("{two}&percent=1"), 400, "from"),
        ("contracts=acme-live,crane&period=2026-10&shares=50,50".to_owned(), 404, "contract"),
        ("contracts=acme-live,acme-live&period=2026-10&shares=50,50".to_owned(), 400, "contracts"),
        // Both have cdn-a: its bytes would be counted twice.
        ("contracts=acme-live,acme-next&period=2026-10&shares=50,50".to_owned(), 400, "contracts"),
        (
            format!("contracts={}&period=2026-10&shares=50,50", (0..17).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",")),
            413,
            "contracts",
        ),
        ("contracts=acme-live,bolt-live&shares=50,50".to_owned(), 400, "period"),
    ] {
        let answer = service.get(&format!("/v1/bills/what-if?{query}")).await;
        let told = answer.json();
        assert_eq!((answer.status, told["field"].as_str()), (status, Some(field)), "{query}: {told}");
    }
    drop(ledger);
}
