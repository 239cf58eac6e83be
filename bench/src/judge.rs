//! The ledger's answers against the simulator's truth, to the byte. The truth is read as JSON, as any
//! auditor would: nothing of the simulator is linked in.

use crate::metrics::get;
use anyhow::{Context, Result, bail};
use chrono::{Duration, Utc};
use livemeter_tests::http::Http;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The counters of one CDN, summed over all sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Totals {
    #[serde(default)]
    pub bytes: i64,
    #[serde(default)]
    pub aborted_bytes: i64,
    #[serde(default)]
    pub play_ms: i64,
    #[serde(default)]
    pub stall_ms: i64,
    #[serde(default)]
    pub stalls: i64,
}

pub type ByCdn = BTreeMap<String, Totals>;

/// What the simulator wrote down.
#[derive(Debug, Clone, Deserialize)]
pub struct Truth {
    pub cdns: ByCdn,
    pub sessions: u64,
    pub events_acknowledged: u64,
    pub events_unacknowledged: u64,
    pub requests: u64,
    pub retries: u64,
    pub refused: u64,
    pub merged: u64,
    pub dropped: u64,
}

/// Reads the truth; one that is not exact cannot judge anybody.
pub fn read(path: &Path) -> Result<Truth> {
    let text = std::fs::read(path).with_context(|| format!("the simulator left no truth in {}", path.display()))?;
    let truth: Truth = serde_json::from_slice(&text)?;
    if truth.events_unacknowledged > 0 {
        bail!("the truth is not exact: {} events were sent and never answered", truth.events_unacknowledged);
    }
    Ok(truth)
}

#[derive(Deserialize)]
struct Row {
    cdn: String,
    #[serde(flatten)]
    totals: Totals,
}

#[derive(Deserialize)]
struct Report {
    rows: Vec<Row>,
}

/// What the ledger says, through the two reports of the query service.
pub async fn ledger(query: &Http, app: &str) -> Result<ByCdn> {
    let day = |days| (Utc::now() + Duration::days(days)).format("%Y-%m-%d");
    let range = format!("by=cdn&app={app}&from={}&to={}", day(-2), day(2));
    let report = async |name: &str| -> Result<Vec<Row>> {
        let text = get(query, &format!("/v1/reports/{name}?{range}")).await?;
        let report: Report = serde_json::from_str(&text).with_context(|| format!("the {name} report: {text}"))?;
        Ok(report.rows)
    };
    let mut sums = ByCdn::new();
    for row in report("traffic").await? {
        let sum = sums.entry(row.cdn).or_default();
        (sum.bytes, sum.aborted_bytes) = (row.totals.bytes, row.totals.aborted_bytes);
    }
    for row in report("quality").await? {
        let sum = sums.entry(row.cdn).or_default();
        (sum.play_ms, sum.stall_ms, sum.stalls) = (row.totals.play_ms, row.totals.stall_ms, row.totals.stalls);
    }
    Ok(sums)
}

/// How far the two are apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Bytes (completed and aborted) that are missing or too many, over all CDNs: gaps never cancel out.
    pub lost_bytes: u64,
    /// One line for each counter that differs.
    pub lines: Vec<String>,
}

/// Holds the ledger against the truth, counter by counter.
pub fn compare(truth: &ByCdn, ledger: &ByCdn) -> Difference {
    let mut difference = Difference::default();
    let cdns: std::collections::BTreeSet<&String> = truth.keys().chain(ledger.keys()).collect();
    for cdn in cdns {
        let (t, l) = (truth.get(cdn).copied().unwrap_or_default(), ledger.get(cdn).copied().unwrap_or_default());
        let fields = [
            ("bytes", t.bytes, l.bytes),
            ("aborted_bytes", t.aborted_bytes, l.aborted_bytes),
            ("play_ms", t.play_ms, l.play_ms),
            ("stall_ms", t.stall_ms, l.stall_ms),
            ("stalls", t.stalls, l.stalls),
        ];
        for (name, truth, ledger) in fields.into_iter().filter(|(_, truth, ledger)| truth != ledger) {
            difference.lines.push(format!("{cdn} {name}: truth {truth}, ledger {ledger}, missing {}", truth - ledger));
            if name.ends_with("bytes") {
                difference.lost_bytes += truth.abs_diff(ledger);
            }
        }
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_named_and_gaps_never_cancel_out() {
        let totals = |bytes, stalls| Totals { bytes, stalls, ..Totals::default() };
        let truth = ByCdn::from([("a".into(), totals(10, 1)), ("b".into(), totals(10, 0))]);
        assert_eq!(compare(&truth, &truth), Difference::default());
        let ledger = ByCdn::from([("a".into(), totals(13, 2)), ("b".into(), totals(7, 0)), ("c".into(), totals(0, 0))]);
        let difference = compare(&truth, &ledger);
        assert_eq!(difference.lost_bytes, 6);
        assert_eq!(difference.lines.len(), 3, "{:?}", difference.lines);
        assert_eq!(compare(&truth, &ByCdn::new()).lost_bytes, 20);
    }
}
