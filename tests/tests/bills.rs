//! The bill check through the real binary: players' events, an edge's log, a contract, and an invoice with two errors.
//! Both are found and named by the command line; the bundle recomputes in DuckDB. Black box, embedded broker.

use livemeter_tests::audience::{APP, batch, now_ms};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::tree::Tree;
use livemeter_tests::{binary, wait};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

const DAY_MS: i64 = 24 * 3_600_000;
/// Of each of four days, in the order of days: whole numbers of ten megabytes.
const BYTES: [i64; 4] = [900_000_000, 1_200_000_000, 1_700_000_000, 1_100_000_000];
/// The day billed twice, and the one in the wrong unit.
const TWICE: usize = 1;
const WRONG_UNIT: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_with_two_errors_is_seen_through() {
    let broker = Broker::start(Kind::Embedded).await;
    let bills = tempfile::tempdir().expect("a temporary folder");
    let root = bills.path().join("bills");
    let place = root.to_str().expect("a plain path").to_owned();
    let tree = Tree::start_with(
        &broker.addr(),
        &[("process", &["--commit-interval", "500ms"]), ("query", &["--refresh-interval", "200ms", "--bills", &place])],
    )
    .await;
    // Ten o'clock of four days that are over, young enough to be taken.
    let first_day_ms = (now_ms() / DAY_MS - 5) * DAY_MS;
    let noon: Vec<i64> = (0..4).map(|day| first_day_ms + day * DAY_MS + 10 * 3_600_000).collect();
    watched(&tree, &noon).await;

    let cli = Cli { server: tree.url(2), root: place, folder: bills.path() };
    cli.write("template.toml", &TEMPLATE.replace("\"UTC\"", "\"Mars\""));
    let refused = cli.run(&["bill", "template", "template.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("line 3, tz"), "{}", String::from_utf8_lossy(&refused.stderr));
    cli.write("template.toml", TEMPLATE);
    cli.done(&["bill", "template", "template.toml", "--json"]);
    assert_eq!(cli.done(&["bill", "template", "--json"])["layouts"][0]["name"], "acme");
    let date = |day: usize| date(noon[day]);
    let period = format!("{}..{}", date(0), date(3));
    cli.write("contract.toml", &CONTRACT.replace("FROM", &date(0)));
    cli.write("access.log", &log(&noon));
    cli.write("invoice.csv", &invoice(&[0, 1, 2, 3].map(date)));
    let told = cli.done(&["bill", "contract", "check", "contract.toml", "--json"]);
    assert_eq!(told["id"], "acme-live");
    cli.done(&["bill", "contract", "add", "contract.toml", "--json"]);
    // Before there is an invoice, a side is missing.
    assert_eq!(cli.asked("check", &period, &[]).status.code(), Some(4));
    let imported = cli.done(&["logs", "import", "access.log", "--vendor", "acme", "--format", "nginx", "--json"]);
    assert_eq!((&imported["lines"], &imported["bad_lines"], &imported["known"]), (&json!(4), &json!(0), &json!(false)));
    assert_eq!(cli.done(&["logs", "import", "access.log", "--vendor", "acme", "--format", "nginx", "--json"])["known"], true);
    cli.done(&["bill", "invoice", "import", "invoice.csv", "--vendor", "acme", "--template", "acme", "--json"]);

    let out = cli.asked("check", &period, &["--json"]);
    assert_eq!(out.status.code(), Some(3), "{}", String::from_utf8_lossy(&out.stderr));
    let check: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let causes: Vec<_> = check["causes"].as_array().expect("a list").iter().map(|c| (&c["cause"], &c["day"])).collect();
    assert_eq!(causes.len(), 2, "{check:#}");
    assert!(causes.contains(&(&json!("day_billed_twice"), &json!(date(TWICE)))), "{check:#}");
    assert!(causes.iter().any(|(cause, _)| **cause == json!("wrong_unit")), "{check:#}");
    let page = String::from_utf8(cli.asked("check", &period, &[]).stdout).expect("text");
    assert!(page.contains("verdict: disputed") && page.contains("day_billed_twice") && page.contains('█'), "{page}");

    let zip = bills.path().join("evidence.zip");
    let out = cli.asked("evidence", &period, &["-o", zip.to_str().expect("a plain path")]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    recomputes(&zip, bills.path());
    assert!(cli.asked("export", &period, &["--format", "xlsx", "-o", "check.xlsx"]).status.success());
    let told = cli.asked("simulate", &period, &["--json"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));

    // Half of it by another vendor, at a twentieth of the price.
    let bolt = CONTRACT.replace("FROM", &date(0)).replace("acme", "bolt").replace("cdn-a", "cdn-b").replace("\"10\"", "\"0.5\"");
    cli.write("bolt.toml", &bolt);
    cli.done(&["bill", "contract", "add", "bolt.toml", "--json"]);
    let what_if = [
        "bill",
        "what-if",
        "--contracts",
        "acme-live,bolt-live",
        "--period",
        &period,
        "--from",
        "acme-live",
        "--to",
        "bolt-live",
        "--percent",
        "50",
    ];
    let told = cli.done(&[&what_if[..], &["--json"]].concat());
    assert_eq!((&told["total"]["before_amount"], &told["total"]["after_amount"]), (&json!("49.00"), &json!("25.73")), "{told:#}");
    let page = String::from_utf8(cli.run(&what_if).stdout).expect("text");
    assert!(page.contains("together: 49.00 before, 25.73 after, -23.27 USD"), "{page}");
    let several = ["bill", "export", "--contract", "acme-live,bolt-live", "--period", &period, "-o", "vendors.xlsx"];
    let out = cli.run(&several);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));

    // A log of another format: refused by its line, nothing kept.
    cli.write("other.log", &log(&noon[..3]));
    let out = cli.run(&["logs", "import", "other.log", "--vendor", "acme", "--format", "cloudfront"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("line 1"), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(cli.done(&["logs", "list", "--json"])["imports"].as_array().map(Vec::len), Some(1));
}

const CONTRACT: &str = r#"
id = "acme-live"
version = 1
vendor = "acme"
currency = "USD"
zone = "UTC"
valid_from = "FROM"
scopes = [{ cdn = "cdn-a", domain = "live.example" }]
mode = "traffic"
unit = "GB"
tiers_apply = "progressive"
tiers = [{ from = "0", price = "10" }]
"#;

const TEMPLATE: &str = r#"
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

/// A session a day, of four and a half minutes.
async fn watched(tree: &Tree, noon: &[i64]) {
    for (day, at_ms) in noon.iter().enumerate() {
        let started_at_ms = at_ms + 10_000;
        let heartbeat = json!({
            "type": "heartbeat", "session_id": format!("s{day}"), "seq": 1, "at_ms": at_ms + 280_000, "user_id": "u", "programme_id": "match-7",
            "session_started_at_ms": started_at_ms, "state": "p", "cdn": "cdn-a",
            "counters": [{ "cdn": "cdn-a", "first_used_at_ms": started_at_ms, "bytes": BYTES[day] - 4_000, "aborted_bytes": 4_000,
                "play_ms": 270_000, "stall_ms": 0, "stalls": 0 }],
        });
        let answer = tree.ingest().post_json("/v1/events", &batch(vec![heartbeat])).await.expect("an answer");
        assert_eq!(answer.json()["accepted"], json!(1), "{}", answer.text());
    }
    let sql = format!("SELECT SUM(bytes) FROM increments WHERE app = '{APP}' AND status = 'booked'");
    wait::until("all bytes in the ledger", || async {
        let answer = tree.query().post_json("/v1/sql", &json!({ "sql": sql })).await?;
        let found = answer.json()["rows"][0][0].clone();
        if found == json!(BYTES.iter().sum::<i64>() - 16_000) { Ok(()) } else { Err(answer.text()) }
    })
    .await;
}

fn log(noon: &[i64]) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut text = String::new();
    for (day, at_ms) in noon.iter().enumerate() {
        let date = date(*at_ms);
        let parts: Vec<&str> = date.split('-').collect();
        let month = MONTHS[parts[1].parse::<usize>().expect("a month") - 1];
        let request = format!("GET /live/a.ts?CMCD=sid%3D%22s{day}%22 HTTP/1.1");
        let when = format!("{}/{month}/{}:10:02:00 +0000", parts[2], parts[0]);
        writeln!(text, "192.0.2.1 - - [{when}] \"{request}\" 200 {} \"-\" \"player\"", BYTES[day]).expect("written");
    }
    text
}

fn invoice(dates: &[String; 4]) -> String {
    let mut text = "Day,Item,Domain,Quantity,Unit,Amount\n".to_owned();
    for day in [0, 1, 2, 3, TWICE] {
        let cents = BYTES[day] / 1_000_000;
        let (quantity, amount) = match day {
            WRONG_UNIT => ("1.8253611008".to_owned(), "18.25".to_owned()),
            _ => (format!("{}.{:03}", cents / 1_000, cents % 1_000), format!("{}.{:02}", cents / 100, cents % 100)),
        };
        writeln!(text, "{},Traffic,live.example,{quantity},GB,{amount}", dates[day]).expect("written");
    }
    text
}

/// `2026-10-01` of a moment, UTC: days since 1970 by the civil calendar.
fn date(at_ms: i64) -> String {
    let days = at_ms.div_euclid(DAY_MS) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

struct Cli<'a> {
    server: String,
    root: String,
    folder: &'a Path,
}

impl Cli<'_> {
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).expect("written");
    }

    /// Runs it over the folder of papers.
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(binary::path("livemeter"));
        command.args(args).current_dir(self.folder).env("LIVEMETER_BILLS_ROOT", &self.root);
        command.env("LIVEMETER_SERVER", &self.server).output().expect("livemeter can be started")
    }

    /// The same, which must end well and tell JSON.
    fn done(&self, args: &[&str]) -> Value {
        let out = self.run(args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {}", String::from_utf8_lossy(&out.stdout)))
    }

    fn asked(&self, word: &str, period: &str, more: &[&str]) -> Output {
        self.run(&[&["bill", word, "--contract", "acme-live", "--period", period], more].concat())
    }
}

/// DuckDB comes to the figures of the bundle. Its package comes from PyPI: see `tests/readers/fetch`.
fn recomputes(zip: &Path, folder: &Path) {
    let readers = Path::new(env!("CARGO_MANIFEST_DIR")).join("readers");
    let fetched = Command::new(readers.join("fetch")).arg("files").output().expect("the script can be run");
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    let python = String::from_utf8(fetched.stdout).expect("a path");
    let unpacked = folder.join("evidence");
    let run = |args: &[&Path]| Command::new(python.trim()).args(args).output().expect("python can be run");
    let out = run(&[Path::new("-m"), Path::new("zipfile"), Path::new("-e"), zip, &unpacked]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let out = run(&[&readers.join("recompute.py"), &unpacked, Path::new("facts.parquet")]);
    assert!(out.status.success(), "{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
}
