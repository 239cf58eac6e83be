//! A closed period: what the ledger held of it, and up to which offsets, when somebody drew the line. One
//! JSON file a period in [`FOLDER`], below the ledger's root. Rows beyond the line that fall into the period
//! are adjustments. How totals are read is not here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Folder of the closed periods, below the ledger's root.
pub const FOLDER: &str = "periods";

/// One closed period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClosedPeriod {
    pub v: u32,
    /// `2026-10` for a month, `2026-10-31` for a day; with `tz` the file's name.
    pub period: String,
    /// IANA name of the zone whose days these are.
    pub tz: String,
    /// First and next millisecond of the period: windows in `[from_ms, to_ms)` belong to it.
    pub from_ms: i64,
    pub to_ms: i64,
    /// When the line was drawn, and by whom.
    pub closed_at_ms: i64,
    pub closed_by: String,
    /// Per generation and partition, the first offset beyond the line.
    pub offsets: Vec<LineOffset>,
    /// Version of `increments` that the totals were read from.
    pub table_version: i64,
    /// Booked amounts, by app and CDN, in order.
    pub totals: Vec<PeriodTotal>,
    /// SHA-256, in hex, of the totals as canonical text: see [`ClosedPeriod::canonical`].
    pub totals_sha256: String,
}

/// Where the line crosses one partition of one generation of the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LineOffset {
    pub generation: i64,
    pub partition: i64,
    pub offset: i64,
}

/// What was booked for one app and CDN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PeriodTotal {
    pub app: String,
    pub cdn: String,
    pub bytes: i64,
    pub aborted_bytes: i64,
    pub play_ms: i64,
    pub stall_ms: i64,
    pub stalls: i64,
}

impl ClosedPeriod {
    /// The text whose hash is `totals_sha256`: the period, its zone and bounds, the line, and every total, as
    /// JSON without spaces, in this order. Anybody can compute it again.
    pub fn canonical(&self) -> serde_json::Result<String> {
        serde_json::to_string(&(&self.period, &self.tz, self.from_ms, self.to_ms, &self.offsets, &self.totals))
    }

    /// Whether a row lies within the line: its last record was booked before the period was closed, and no
    /// later decision made it. A partition that the line does not name lies beyond it.
    pub fn within_line(&self, generation: i64, partition: i64, offset: i64, decided_at_ms: Option<i64>) -> bool {
        let decided_before = decided_at_ms.is_none_or(|at| at < self.closed_at_ms);
        decided_before && self.offsets.iter().any(|l| l.generation == generation && l.partition == partition && offset < l.offset)
    }

    /// Whether windows that start then belong to the period.
    pub fn holds(&self, window_start_ms: i64) -> bool {
        (self.from_ms..self.to_ms).contains(&window_start_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_exact() {
        let offsets = vec![LineOffset { generation: 1, partition: 0, offset: 10 }];
        let period = ClosedPeriod {
            v: 1,
            period: "2026-10".into(),
            tz: "UTC".into(),
            from_ms: 0,
            to_ms: 300_000,
            closed_at_ms: 1_000,
            closed_by: "finance".into(),
            offsets,
            table_version: 7,
            totals: vec![],
            totals_sha256: String::new(),
        };
        assert!(period.within_line(1, 0, 9, None) && period.within_line(1, 0, 9, Some(999)));
        assert!(!period.within_line(1, 0, 10, None), "the next offset lies beyond");
        assert!(!period.within_line(1, 1, 0, None) && !period.within_line(2, 0, 0, None), "unknown places lie beyond");
        assert!(!period.within_line(1, 0, 9, Some(1_000)), "a later decision lies beyond");
        assert!(period.holds(0) && !period.holds(300_000));
        assert_eq!(period.canonical().unwrap(), r#"["2026-10","UTC",0,300000,[{"generation":1,"partition":0,"offset":10}],[]]"#);
    }
}
