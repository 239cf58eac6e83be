//! The reports against the truth of a simulated audience: every CDN, every counter, to the byte.

use crate::http::Http;
use crate::process::Process;
use crate::wait;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The audience's own end: its duration, what crashes cost it, and its last counters.
const AUDIENCE_PATIENCE: Duration = Duration::from_secs(420);

/// The counters that the reports show, by report.
const FIELDS: [(&str, &[&str]); 2] = [("traffic", &["bytes", "aborted_bytes"]), ("quality", &["play_ms", "stall_ms", "stalls"])];

/// Waits for the audience to end and reads its truth, which must be certain for a comparison to mean anything.
pub fn told_by(audience: &mut Process, path: &Path) -> Value {
    let status = audience.wait(AUDIENCE_PATIENCE);
    assert!(status.success(), "the audience ended with {status}\n{}", audience.log_tail());
    let truth: Value = serde_json::from_slice(&std::fs::read(path).expect("the truth was written")).expect("JSON");
    println!("truth: {truth}");
    let uncertain = (&truth["events_unacknowledged"], &truth["events_unsent"], &truth["refused"]);
    assert_eq!(uncertain, (&json!(0), &json!(0), &json!(0)), "the truth is uncertain");
    truth
}

/// All bytes of an app in the ledger.
pub async fn bytes(query: &Http, app: &str) -> Result<i64, String> {
    Ok(rows(query, "traffic", app).await?.iter().filter_map(|row| row["bytes"].as_i64()).sum())
}

/// Waits until the ledger holds more bytes than `before`, while the audience goes on.
pub async fn grown(query: &Http, app: &str, audience: &mut Process, before: i64) -> i64 {
    wait::until("the ledger to grow", || {
        let ended = audience.check();
        async move {
            ended?;
            let bytes = bytes(query, app).await?;
            if bytes > before { Ok(bytes) } else { Err(format!("{bytes} bytes")) }
        }
    })
    .await
}

/// Waits until both reports say what the truth says.
pub async fn equal(query: &Http, app: &str, truth: &Value) {
    wait::until("the reports to equal the truth", || async {
        let cdns = truth["cdns"].as_object().expect("CDNs");
        for (report, fields) in FIELDS {
            let rows = rows(query, report, app).await?;
            if rows.len() != cdns.len() {
                return Err(format!("{report}: {} CDNs instead of {}", rows.len(), cdns.len()));
            }
            for (cdn, expected) in cdns {
                let row = rows.iter().find(|row| row["cdn"] == *cdn).ok_or_else(|| format!("{report}: no {cdn}"))?;
                if let Some(field) = fields.iter().find(|field| row[**field] != expected[**field]) {
                    return Err(format!("{cdn}: {field} is {}, the truth is {}", row[*field], expected[*field]));
                }
            }
        }
        Ok(())
    })
    .await;
}

async fn rows(query: &Http, report: &str, app: &str) -> Result<Vec<Value>, String> {
    let answer = query.get(&format!("/v1/reports/{report}?by=cdn&app={app}")).await?;
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.text()));
    }
    Ok(answer.json()["rows"].as_array().expect("rows").clone())
}
