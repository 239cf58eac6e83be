//! What the bill check hands out, read by others: the bundle recomputed by DuckDB alone, to the digit, in every mode;
//! the workbook by openpyxl; FOCUS by its checkers. Their packages come from PyPI: see `tests/readers/fetch`.

use crate::bills::{CONTRACT, planted};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

fn readers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/readers")
}

fn python(name: &str) -> Result<String, String> {
    let out = Command::new(readers().join("fetch")).arg(name).output().expect("the script can be run");
    if out.status.success() {
        return Ok(String::from_utf8(out.stdout).unwrap().trim().to_owned());
    }
    Err(String::from_utf8_lossy(&out.stderr).into_owned())
}

fn run(python: &str, args: &[&str]) -> (bool, String) {
    let out = Command::new(python).args(args).output().expect("python can be run");
    (out.status.success(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

/// The planted month under every mode, with every option that the arithmetic has.
fn contracts() -> Vec<String> {
    let head = |id: &str| CONTRACT.split("mode =").next().unwrap().replace("acme-live", id);
    let tiers = "[{ from = \"0\", up_to = \"100.5\", price = \"0.101\" }, { from = \"100.5\", up_to = \"300\", price = \"0.0937\" }, { from = \"300\", price = \"0.05\" }]";
    let mut all = Vec::new();
    for (id, rest) in [
        ("gib", "mode = \"traffic\"\nunit = \"GiB\"\noverhead = \"1.1\"\nlog_overhead = \"1.007\"\ntiers_apply = \"progressive\""),
        (
            "reached",
            "mode = \"traffic\"\nunit = \"GB\"\ntiers_apply = \"reached\"\nmoney = { rounding = \"half_even\", per = \"total\", decimals = 4 }",
        ),
        (
            "free",
            "mode = \"traffic\"\nunit = \"GB\"\ntiers_apply = \"progressive\"\nfree = { quantity = \"50.25\", fills_tiers = true, prorate = true }",
        ),
        (
            "off",
            "mode = \"traffic\"\nunit = \"GB\"\ntiers_apply = \"progressive\"\nfree = { quantity = \"50.25\", fills_tiers = false }\nmoney = { quantity_decimals = 2, rounding = \"up\" }",
        ),
        (
            "commit",
            "mode = \"traffic\"\nunit = \"GB\"\ntiers_apply = \"progressive\"\ncommit = { quantity = \"500\", overage_price = \"0.2\" }",
        ),
        (
            "under",
            "mode = \"traffic\"\nunit = \"TB\"\ntiers_apply = \"progressive\"\ncommit = { quantity = \"5\" }\nmoney = { rounding = \"down\" }",
        ),
        (
            "p95",
            "mode = \"p95_month\"\nunit = \"Mbps\"\nbandwidth_base = 1024\ntiers_apply = \"reached\"\npercentile = { valid_days_only = true }",
        ),
        (
            "p95-ceil",
            "mode = \"p95_month\"\nunit = \"Mbps\"\ntiers_apply = \"progressive\"\noverhead = \"1.08\"\npercentile = { rounding = \"ceil\" }",
        ),
        ("p95-day", "mode = \"p95_day_avg\"\nunit = \"Mbps\"\ntiers_apply = \"progressive\"\npercentile = { rounding = \"nearest\" }"),
        ("peaks", "mode = \"peak_day_avg\"\nunit = \"Mbps\"\ntiers_apply = \"progressive\""),
        ("peak4", "mode = \"peak4_month\"\nunit = \"Gbps\"\ntiers_apply = \"progressive\"\nsum_over = \"domain\""),
        ("offpeak", "mode = \"p95_offpeak_half\"\nunit = \"Mbps\"\ntiers_apply = \"progressive\""),
    ] {
        all.push(format!("{}{rest}\ntiers = {tiers}\n", head(id)));
    }
    // A month that ends within the contract, by another zone's days.
    let shorter = all.last().unwrap().replace("id = \"offpeak\"", "id = \"beijing\"").replace("zone = \"UTC\"", "zone = \"Asia/Shanghai\"");
    all.push(shorter.replace("valid_from = \"2026-01-01\"", "valid_from = \"2026-10-05\""));
    all
}

#[tokio::test]
async fn duckdb_alone_comes_to_the_same_figures_in_every_mode() {
    let python = python("files").unwrap();
    let (_ledger, service) = planted().await;
    let mut texts = contracts();
    texts.push(CONTRACT.to_owned());
    for text in texts {
        let kept = service.send("PUT", "/v1/bills/contracts", &[], &text).await;
        assert_eq!(kept.status, 200, "{text}\n{}", kept.body());
        let id = kept.json()["id"].as_str().unwrap().to_owned();
        let zip = service.bytes(&format!("/v1/bills/evidence?contract={id}&period=2026-10")).await;
        let folder = tempfile::tempdir().unwrap();
        zip::ZipArchive::new(Cursor::new(zip)).unwrap().extract(folder.path()).unwrap();
        let place = folder.path().to_str().unwrap();
        let (equal, told) = run(&python, &[readers().join("recompute.py").to_str().unwrap(), place, "facts.parquet"]);
        assert!(equal, "{id}:\n{told}");
        let sums = Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(place).status().unwrap();
        assert!(sums.success(), "{id}");
        let readme = std::fs::read_to_string(folder.path().join("README.txt")).unwrap();
        assert!(readme.contains("duckdb < recompute.sql"), "{readme}");
    }
}

#[tokio::test]
async fn a_workbook_opens_elsewhere_with_numbers_as_numbers_and_a_frozen_header() {
    let python = python("files").unwrap();
    let (_ledger, service) = planted().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("check.xlsx");
    std::fs::write(&path, service.bytes("/v1/bills/export?contract=acme-live&period=2026-10&format=xlsx").await).unwrap();
    let (sound, told) = run(&python, &[readers().join("workbook.py").to_str().unwrap(), path.to_str().unwrap()]);
    assert!(sound, "{told}");
    let path = folder.path().join("windows.parquet");
    std::fs::write(&path, service.bytes("/v1/bills/export?contract=acme-live&period=2026-10&format=parquet&detail=windows").await).unwrap();
    let count = format!("import duckdb; print(duckdb.sql(\"SELECT count(*), sum(bytes) FROM '{}'\").fetchall())", path.display());
    assert_eq!(run(&python, &["-c", &count]).1.trim(), "[(31, 806000000000)]");
}

/// Two vendors, one of them with two contracts, beside each other.
#[tokio::test]
async fn a_workbook_of_several_contracts_has_a_sheet_per_vendor() {
    let python = python("files").unwrap();
    let (_ledger, service) = planted().await;
    let bolt = CONTRACT.replace("acme-live", "bolt-live").replace("\"acme\"", "\"bolt\"").replace("cdn-a", "cdn-b").replace("USD", "EUR");
    for text in [bolt, CONTRACT.replace("acme-live", "acme-vod")] {
        assert_eq!(service.send("PUT", "/v1/bills/contracts", &[], &text).await.status, 200);
    }
    let path = "/v1/bills/export?contract=acme-live,bolt-live,acme-vod&period=2026-10";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vendors.xlsx");
    std::fs::write(&file, service.bytes(&format!("{path}&format=xlsx")).await).unwrap();
    let (sound, told) = run(&python, &[readers().join("sheets.py").to_str().unwrap(), file.to_str().unwrap()]);
    assert!(sound, "{told}");
    let book: serde_json::Value = serde_json::from_str(&told).unwrap();
    let mut names: Vec<&String> = book.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["Causes", "Days", "Summary", "acme", "bolt"]);
    for (name, sheet) in book.as_object().unwrap() {
        assert_eq!((&sheet["frozen"], &sheet["bold"]), (&"A2".into(), &true.into()), "{name}");
        for (at, column) in sheet["header"].as_array().unwrap().iter().enumerate() {
            let number = column.as_str().unwrap().ends_with("_bytes")
                || ["_amount", "_quantity"].iter().any(|end| column.as_str().unwrap().ends_with(end));
            let wrong = |row: &&serde_json::Value| number && !(row[at].is_number() || row[at].is_null());
            assert_eq!(sheet["rows"].as_array().unwrap().iter().find(wrong), None, "{name} {column}");
        }
    }
    let cell = |sheet: &str, row: usize, column: &str| {
        let at = book[sheet]["header"].as_array().unwrap().iter().position(|name| name == column).unwrap();
        book[sheet]["rows"][row][at].clone()
    };
    assert_eq!(book["Summary"]["rows"].as_array().unwrap().len(), 3);
    assert_eq!(
        (cell("Summary", 0, "contract"), cell("Summary", 0, "expected_amount"), cell("Summary", 0, "invoice_amount")),
        ("acme-live".into(), 80.6.into(), 82.61.into())
    );
    assert_eq!(
        (cell("Summary", 1, "verdict"), cell("Summary", 1, "currency"), cell("Summary", 1, "side")),
        ("incomplete".into(), "EUR".into(), "client".into())
    );
    // Both contracts of one vendor on its sheet, each with its own lines; a day a row and contract.
    let contracts: std::collections::BTreeSet<String> =
        book["acme"]["rows"].as_array().unwrap().iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    assert_eq!(contracts.into_iter().collect::<Vec<_>>(), ["acme-live", "acme-vod"]);
    assert_eq!((cell("bolt", 0, "contract"), book["Days"]["rows"].as_array().unwrap().len()), ("bolt-live".into(), 93));
    for (query, field) in
        [("&format=csv", "format"), ("&format=xlsx&detail=windows", "detail"), ("&format=xlsx&invoice=deadbeef", "invoice")]
    {
        let refused = service.get(&format!("{path}{query}")).await;
        assert_eq!((refused.status, refused.json()["field"].as_str()), (400, Some(field)), "{query}");
    }
}

#[tokio::test]
async fn focus_has_every_mandatory_column_and_passes_the_checkers_that_are_there() {
    let (_ledger, service) = planted().await;
    let folder = tempfile::tempdir().unwrap();
    for version in ["1.4", "1.2"] {
        let answer = service.get(&format!("/v1/bills/export?contract=acme-live&period=2026-10&format=focus-{version}")).await;
        let header: Vec<&str> = answer.body().lines().next().unwrap().split(',').collect();
        let parties: &[&str] =
            if version == "1.4" { &["HostProviderName", "ServiceProviderName"] } else { &["ProviderName", "PublisherName"] };
        for column in MANDATORY.iter().chain(parties) {
            assert!(header.contains(column), "FOCUS {version} lacks {column}: {header:?}");
        }
        let path = folder.path().join(format!("focus-{version}.csv"));
        std::fs::write(&path, answer.body()).unwrap();
        let python = match python(&format!("focus-{version}")) {
            Ok(python) => python,
            Err(why) => {
                println!("FOCUS {version} was not checked by others: {why}");
                continue;
            }
        };
        let (sound, told) = run(&python, &[readers().join("focus.py").to_str().unwrap(), version, path.to_str().unwrap()]);
        assert!(sound, "FOCUS {version}:\n{told}");
    }
}

/// Of Cost and Usage, in both versions.
const MANDATORY: [&str; 19] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ServiceCategory",
    "ServiceName",
];
