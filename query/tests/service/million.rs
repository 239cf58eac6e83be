//! A million rows of 5 minutes × session as a file: how long it takes, and how much memory. On demand:
//! `cargo test --workspace --test service -- million --ignored --nocapture`

use crate::bills::CONTRACT;
use crate::support::{Increment, Ledger, Service, at};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::time::Instant;

const ROWS: i64 = 1_000_000;
/// Memory that an export may take beyond what the service has anyway. Queries alone may take 256 MiB.
const MORE_BYTES_MAX: u64 = 256 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: a minute of two cores"]
async fn a_million_rows_need_no_more_memory_than_a_few() {
    let ledger = Ledger::empty();
    let (start_ms, windows) = (at("2026-10-01T00:00:00Z"), 31 * 288);
    for part in 0..20 {
        let row = |row: i64| {
            let mut increment = Increment::new("2026-10-01T00:00:00Z", "cdn-a", &format!("session-{row:07}"), 1_000_000 + row);
            increment.at_ms = start_ms + row % windows * 300_000;
            increment
        };
        let rows: Vec<Increment> = (part * ROWS / 20..(part + 1) * ROWS / 20).map(row).collect();
        ledger.increments(&rows).await;
    }
    ledger.starts(&[]).await;
    let root = ledger.folder.path().join("bills");
    let service = ledger.serve(|config| (config.bills.root, config.refresh_ms) = (root, 60_000)).await;
    assert_eq!(service.send("PUT", "/v1/bills/contracts", &[], CONTRACT).await.status, 200);
    for format in ["csv", "parquet", "xlsx"] {
        // The highest that was resident is counted anew from here.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let (before, began) = (resident("VmRSS:"), Instant::now());
        let bytes = length(&service, &format!("/v1/bills/export?contract=acme-live&period=2026-10&format={format}&detail=sessions")).await;
        let (took, peak) = (began.elapsed(), resident("VmHWM:"));
        println!("{format}: {bytes} bytes in {took:.1?}, resident {} MB, at most {} MB", before >> 20, peak >> 20);
        assert!(peak - before < MORE_BYTES_MAX, "{format}: {} MB more", (peak - before) >> 20);
        assert!(bytes > 1_000_000, "{format}: {bytes} bytes");
    }
}

fn resident(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Reads an answer as it comes and keeps nothing of it.
async fn length(service: &Service, path: &str) -> usize {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<bytes::Bytes>>();
    let request = axum::http::Request::builder().uri(format!("http://{}{path}", service.address)).body(Full::default()).unwrap();
    let response = client.request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let (mut body, mut bytes) = (response.into_body(), 0);
    while let Some(frame) = body.frame().await {
        bytes += frame.unwrap().data_ref().map_or(0, bytes::Bytes::len);
    }
    bytes
}
