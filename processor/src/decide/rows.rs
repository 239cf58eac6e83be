//! The rows of a decision as columns of `increments`. Pure.

use super::{Quarantined, Signature, Verdict};
use crate::buffer::date;
use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::error::ArrowError;
use livemeter_schemas::ledger;
use std::sync::Arc;

/// One row to be.
struct Row<'a> {
    of: &'a Quarantined,
    status: &'static str,
    amounts: [i64; 5],
}

/// Two rows for each group: its amounts taken out of quarantine, and put where they belong.
pub(super) fn decision(
    decided: &[Quarantined],
    verdict: Verdict,
    by: Signature<'_>,
    decided_at_ms: i64,
) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<Row<'_>> = decided.iter().flat_map(|of| pair(of, verdict)).collect();
    let schema = ledger::increments();
    let columns = schema.fields().iter().map(|field| {
        column(field.name(), &rows, by, decided_at_ms)
            .ok_or_else(|| ArrowError::SchemaError(format!("a decision has no column {}", field.name())))
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::new(schema), columns)
}

fn pair(of: &Quarantined, verdict: Verdict) -> [Row<'_>; 2] {
    let out = Row { of, status: ledger::QUARANTINED, amounts: of.amounts.map(i64::saturating_neg) };
    [out, Row { of, status: verdict.status(), amounts: of.amounts }]
}

fn column(name: &str, rows: &[Row<'_>], by: Signature<'_>, decided_at_ms: i64) -> Option<ArrayRef> {
    let text = |f: &dyn Fn(&Row<'_>) -> String| -> ArrayRef { Arc::new(rows.iter().map(|r| Some(f(r))).collect::<StringArray>()) };
    let int = |f: &dyn Fn(&Row<'_>) -> i64| -> ArrayRef { Arc::new(rows.iter().map(|r| Some(f(r))).collect::<Int64Array>()) };
    let ms = |f: &dyn Fn(&Row<'_>) -> i64| -> ArrayRef {
        let micros = rows.iter().map(|r| Some(f(r).saturating_mul(1000)));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    Some(match name {
        "window_start" => ms(&|r| r.of.group.window_start_ms),
        "app" => text(&|r| r.of.group.app.clone()),
        "programme_id" => text(&|r| r.of.group.programme_id.clone()),
        "cdn" => text(&|r| r.of.group.cdn.clone()),
        "region" => Arc::new(rows.iter().map(|r| r.of.group.region.clone()).collect::<StringArray>()),
        "asn" => Arc::new(rows.iter().map(|r| r.of.group.asn).collect::<Int64Array>()),
        "user_id" => text(&|r| r.of.group.user_id.clone()),
        "session_id" => text(&|r| r.of.group.session_id.clone()),
        "status" => text(&|r| r.status.to_owned()),
        "late" => Arc::new(rows.iter().map(|r| Some(r.of.late)).collect::<BooleanArray>()),
        "reached_seq" => int(&|r| r.of.reached_seq),
        "at" => ms(&|r| r.of.at_ms),
        "correction_ms" => int(&|r| r.of.correction_ms),
        "received_at" => ms(&|r| r.of.received_at_ms),
        "kafka_generation" => int(&|r| r.of.group.kafka_generation),
        "kafka_partition" => int(&|r| r.of.group.kafka_partition),
        "kafka_offset_first" => int(&|r| r.of.kafka_offset_first),
        "kafka_offset" => int(&|r| r.of.kafka_offset),
        // No record is behind it that is not behind the rows decided on.
        "records" => int(&|_| 0),
        "decided_at" => ms(&|_| decided_at_ms),
        "decided_by" => text(&|_| by.by.to_owned()),
        "decided_why" => text(&|_| by.why.to_owned()),
        ledger::DATE => text(&|r| date(r.of.group.window_start_ms)),
        counter => {
            const COUNTERS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];
            let (reached, name) = counter.strip_prefix("reached_").map_or((false, counter), |name| (true, name));
            let i = COUNTERS.iter().position(|known| *known == name)?;
            int(&|r| if reached { &r.of.reached } else { &r.amounts }.get(i).copied().unwrap_or_default())
        }
    })
}
