//! Free 5-minute slots: above which level, and told to an operator by the metrics. The month is the one we are in.

use crate::support::{Increment, Ledger, Service};
use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use serde_json::json;

/// Bills a month's percentile; 100 Mbps are paid for in any case, which is 3,750,000,000 bytes in 5 minutes.
const CONTRACT: &str = r#"
id = "acme-peak"
version = 1
vendor = "acme"
currency = "USD"
zone = "ZONE"
valid_from = "2020-01-01"
scopes = [{ cdn = "cdn-a" }]
mode = "p95_month"
unit = "Mbps"
tiers_apply = "reached"
tiers = [{ from = "0", price = "1" }]
"#;
const COMMIT: &str = "commit = { quantity = \"100\" }\n";

/// A zone in which the month is hours old, whenever the test runs.
fn zone(now: DateTime<Utc>) -> &'static str {
    if now.day() == 1 && now.hour() < 2 { "Asia/Shanghai" } else { "UTC" }
}

/// Two bursts and a window below the level within the last hour, all within the month.
async fn bursting(now: DateTime<Utc>) -> (Ledger, Service) {
    let ledger = Ledger::empty();
    let ago = |minutes| (now - chrono::Duration::minutes(minutes)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let of = |minutes, bytes| Increment::new(&ago(minutes), "cdn-a", &format!("s{minutes}"), bytes);
    ledger.increments(&[of(20, 3_750_000_001), of(30, 4_000_000_000), of(40, 3_750_000_000)]).await;
    ledger.starts(&[]).await;
    let root = ledger.folder.path().join("bills");
    let service = ledger
        .serve(|config| {
            config.bills.root = root;
            (config.bills.burst_watch_ms, config.bills.burst_alert_percent, config.bills.burst_contracts_max) = (200, 100, 1);
        })
        .await;
    (ledger, service)
}

async fn keep(service: &Service, text: &str) {
    let kept = service.send("PUT", "/v1/bills/contracts", &[], text).await;
    assert_eq!(kept.status, 200, "{}", kept.body());
}

/// The metric's value; none while it is not told.
fn told(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[tokio::test]
async fn an_operator_is_told_of_the_slots_that_are_left_and_strangers_names_are_bounded() {
    let now = Utc::now();
    let (_ledger, service) = bursting(now).await;
    let contract = CONTRACT.replace("ZONE", zone(now)).replace("mode =", &format!("{COMMIT}mode ="));
    keep(&service, &contract).await;
    // One that bills otherwise, and one too many for the setting.
    let traffic = contract.replace("acme-peak", "acme-all").replace(COMMIT, "").replace("p95_month", "traffic").replace("Mbps", "GB");
    keep(&service, &traffic).await;
    keep(&service, &contract.replace("acme-peak", "zeta-peak")).await;
    let name = |metric: &str| format!("livemeter_query_{metric}{{contract=\"acme-peak\"}}");
    let began = std::time::Instant::now();
    let metrics = loop {
        let text = service.get("/metrics").await.body().to_owned();
        if told(&text, "livemeter_query_burst_left_out").is_some_and(|n| n > 0.0) {
            break text;
        }
        assert!(began.elapsed().as_secs() < 30, "{text}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    let slots = told(&metrics, &name("burst_slots")).expect("told");
    assert!((403.0..=446.0).contains(&slots), "{slots}");
    assert_eq!((told(&metrics, &name("burst_slots_left")), told(&metrics, &name("burst_alert"))), (Some(slots - 2.0), Some(1.0)));
    assert!(!metrics.contains("zeta-peak") && !metrics.contains("acme-all"), "{metrics}");
    assert_eq!(told(&metrics, "livemeter_query_burst_failures_total"), Some(0.0));
    // Every name in the alert rules is one of these.
    let rules = include_str!("../../../deploy/alerts.yaml");
    let names = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("livemeter_query_"));
    assert_eq!(names.map(|name| assert!(metrics.contains(name), "{name} is in the rules alone")).count(), 3);
}

#[tokio::test]
async fn the_level_is_the_minimum_else_the_last_months_else_the_one_so_far() {
    let now = Utc::now();
    let (ledger, service) = bursting(now).await;
    let contract = CONTRACT.replace("ZONE", zone(now));
    keep(&service, &contract).await;
    keep(&service, &contract.replace("mode =", &format!("{COMMIT}mode =")).replace("acme-peak", "acme-least")).await;
    let month = |at: DateTime<Utc>| at.with_timezone(&zone(now).parse::<chrono_tz::Tz>().unwrap()).format("%Y-%m").to_string();
    let ask = async |contract: &str| {
        let answer = service.get(&format!("/v1/bills/simulation?contract={contract}&period={}", month(now))).await;
        assert_eq!(answer.status, 200, "{}", answer.body());
        answer.json()["burst"].clone()
    };
    let least = ask("acme-least").await;
    assert_eq!((&least["level"], &least["level_bps"], &least["used"]), (&json!("commit"), &json!(100_000_000), &json!(2)));
    assert_eq!(ask("acme-peak").await["level"], "so_far");
    // A month before it, of one window in twenty and one more.
    let first = now.with_timezone(&zone(now).parse::<chrono_tz::Tz>().unwrap()).with_day(1).unwrap().with_timezone(&Utc);
    let before = first - chrono::Duration::days(3);
    let at = |n: i64| (before - chrono::Duration::minutes(5 * n)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let rows: Vec<_> = (0..460).map(|n| Increment::new(&at(n), "cdn-a", "old", 37_500_000 * 99)).collect();
    ledger.increments(&rows).await;
    let last = ask("acme-peak").await;
    assert_eq!((&last["level"], &last["level_bps"], &last["used"]), (&json!("last_month"), &json!(99_000_000), &json!(3)), "{last}");
}
