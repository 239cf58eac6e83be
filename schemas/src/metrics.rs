//! The definitions printed beside every figure: name, formula, unit, source. Pages and reports read
//! them from here, so that no figure is shown without what it means.
//!
//! * [`bills`] those of the bill check

use schemars::JsonSchema;
use serde::Serialize;

/// One metric's definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Metric {
    /// Column name in reports.
    pub name: &'static str,
    pub version: u32,
    pub unit: &'static str,
    pub formula: &'static str,
    pub formula_zh: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
}

macro_rules! define {
    ($name:literal, $unit:literal, $formula:literal, $zh:literal, $source:literal) => {
        $crate::metrics::Metric {
            name: $name,
            version: $crate::METRICS_VERSION,
            unit: $unit,
            formula: $formula,
            formula_zh: $zh,
            source: $source,
        }
    };
}

// After the macro, which it uses.
mod bills;

/// Every metric that a report may show.
const REPORTS: &[Metric] = &[
    define!(
        "bytes",
        "B",
        "Network body bytes of completed responses from the CDN's hosts; playlists included, browser-cache hits excluded",
        "从该 CDN 主机完整收到的响应正文字节数；含播放列表，不含浏览器缓存命中",
        "Livemeter"
    ),
    define!(
        "aborted_bytes",
        "B",
        "Body bytes of aborted responses, as far as they got; never part of bytes",
        "被中止的响应已收到的正文字节数；不计入 bytes",
        "Livemeter"
    ),
    define!("sessions", "", "Sessions with any row in the ledger", "账本中有记录的会话数", "Livemeter"),
    define!(
        "play_ms",
        "ms",
        "Time in state playing, charged to the CDN of the media at the playhead",
        "处于播放状态的时间，计入播放头处媒体所属的 CDN",
        "CTA-5004-B states"
    ),
    define!(
        "stall_ms",
        "ms",
        "Time in state rebuffering after playing, or with a frozen picture; charged to the CDN in use when the stall began",
        "播放后重新缓冲或画面冻结的时间；计入卡顿开始时所用的 CDN",
        "CTA-5004-B states"
    ),
    define!(
        "stalls",
        "",
        "Transitions from playing into rebuffering, and frozen pictures; one that overlaps another is one stall",
        "从播放进入重新缓冲或画面冻结的次数；重叠的算一次",
        "CTA-5004-B states"
    ),
    define!(
        "stall_ratio",
        "",
        "Σ stall_ms ÷ (Σ play_ms + Σ stall_ms); sum over sum, never a mean of ratios",
        "Σ stall_ms ÷ (Σ play_ms + Σ stall_ms)；先求和再相除，绝不取比率的平均",
        "Media3"
    ),
    define!("stalls_per_100s", "1/100 s", "100 × stalls ÷ seconds played", "100 × 卡顿次数 ÷ 播放秒数", "Livemeter"),
    define!("stall_ms_per_100s", "ms/100 s", "100 × stall_ms ÷ seconds played", "100 × 卡顿毫秒 ÷ 播放秒数", "Livemeter"),
    define!("views", "", "Sessions with play time", "有播放时间的会话数", "Livemeter"),
    define!(
        "stalled_views_ratio",
        "",
        "Views with at least one stall ÷ views that started",
        "至少卡顿一次的观看数 ÷ 已开始的观看数",
        "Livemeter"
    ),
    define!("startup_p50_ms", "ms", "Starting → playing, once per view; median", "从开始到播放，每次观看一次；中位数", "CTA-5004-B states"),
    define!(
        "startup_p95_ms",
        "ms",
        "Starting → playing, once per view; 95th percentile",
        "从开始到播放，每次观看一次；第 95 百分位",
        "CTA-5004-B states"
    ),
    define!("bandwidth_bps", "bit/s", "bytes in the window × 8 ÷ seconds of the window", "窗口内字节 × 8 ÷ 窗口秒数", "percentile billing"),
    define!(
        "peak_bandwidth_bps",
        "bit/s",
        "The highest 5-minute bandwidth: bytes in the window × 8 ÷ 300 s",
        "最高的 5 分钟带宽：窗口内字节 × 8 ÷ 300 秒",
        "percentile billing"
    ),
    define!(
        "freshness_ms",
        "ms",
        "The query service's clock − when ingest received the newest row of the ledger",
        "查询服务的时钟 − 接入服务收到账本最新一行的时间",
        "Livemeter"
    ),
];

/// Every metric that a report or a page may show.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    REPORTS.iter().chain(bills::BILLS)
}

/// Looks a metric up by its column name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    all().find(|m| m.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bills::{CheckDay, CheckLine};
    use crate::reports::{QualityRow, TrafficRow};

    #[test]
    fn every_figure_of_a_report_has_a_definition_and_each_only_one() {
        let rows = [serde_json::to_value(TrafficRow::default()).unwrap(), serde_json::to_value(QualityRow::default()).unwrap()];
        for name in rows.iter().flat_map(|row| row.as_object().unwrap().keys()) {
            assert!(metric(name).is_some(), "{name} has no definition");
        }
        for m in all() {
            assert_eq!(all().filter(|other| other.name == m.name).count(), 1, "{}", m.name);
            assert!(!m.formula.is_empty() && !m.formula_zh.is_empty() && !m.source.is_empty());
        }
    }

    #[test]
    fn every_size_rate_and_sum_of_a_bill_check_has_a_definition() {
        let rows = [serde_json::to_value(CheckLine::default()).unwrap(), serde_json::to_value(CheckDay::default()).unwrap()];
        let is_figure = |name: &&String| ["_bytes", "_bps", "_quantity", "_amount"].iter().any(|unit| name.ends_with(unit));
        let names: Vec<&String> = rows.iter().flat_map(|row| row.as_object().unwrap().keys()).filter(is_figure).collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert!(metric(name).is_some(), "{name} has no definition");
        }
    }
}
