//! What becomes of each column, whatever the batches; that lines and decisions keep rows apart.

use super::*;
use arrow::array::{BooleanArray, Int64Array, TimestampMicrosecondArray};
use livemeter_schemas::period::LineOffset;
use proptest::prelude::*;

/// One row, as far as the tests tell rows apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    session: u8,
    asn: Option<i64>,
    decided: bool,
    offset: i64,
    amount: i64,
}

fn batch(rows: &[Row]) -> RecordBatch {
    let schema = ledger::increments();
    let fields: Vec<_> = schema.fields().iter().filter(|f| f.name() != ledger::DATE).cloned().collect();
    let column = |field: &Arc<arrow::datatypes::Field>| -> ArrayRef {
        let number = |of: &dyn Fn(&Row) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) };
        match (field.name().as_str(), field.data_type()) {
            ("decided_at", _) => {
                let at = rows.iter().map(|r| r.decided.then_some(7_000));
                Arc::new(TimestampMicrosecondArray::from_iter(at).with_timezone("UTC"))
            }
            ("session_id", _) => Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.session.to_string()))),
            ("asn", _) => Arc::new(Int64Array::from_iter(rows.iter().map(|r| r.asn))),
            ("records", _) => number(&|_| 1),
            ("kafka_offset" | "kafka_offset_first" | "reached_bytes", _) => number(&|r| r.offset),
            ("correction_ms", _) => number(&|r| -r.offset),
            ("bytes" | "stalls", _) => number(&|r| r.amount),
            (_, DataType::Int64) => number(&|_| 1),
            (_, DataType::Boolean) => Arc::new(BooleanArray::from(vec![false; rows.len()])),
            (_, DataType::Timestamp(..)) => {
                Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|_| 300_000_000)).with_timezone("UTC"))
            }
            _ => Arc::new(StringArray::from_iter_values(rows.iter().map(|_| "x"))),
        }
    };
    let columns = fields.iter().map(column).collect();
    RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), columns).unwrap()
}

fn period(offset: i64) -> ClosedPeriod {
    ClosedPeriod {
        v: 1,
        period: "p".into(),
        tz: "UTC".into(),
        from_ms: 0,
        to_ms: 600_000,
        closed_at_ms: 1,
        closed_by: "me".into(),
        offsets: vec![LineOffset { generation: 1, partition: 1, offset }],
        table_version: 1,
        totals: vec![],
        totals_sha256: String::new(),
    }
}

/// Folds what comes in these batches; per row out: session, amount, records, first and last offset, correction, reached.
fn folded(batches: &[&[Row]], periods: &[ClosedPeriod]) -> Vec<(String, [i64; 6])> {
    let mut fold = Fold::new(periods).unwrap();
    let mut out: Vec<RecordBatch> = batches.iter().filter_map(|rows| fold.push(batch(rows)).unwrap()).collect();
    out.extend(fold.finish());
    let mut rows = Vec::new();
    for batch in &out {
        let numbers = ["bytes", "records", "kafka_offset_first", "kafka_offset", "correction_ms", "reached_bytes"]
            .map(|name| values::<Int64Type>(batch, name).unwrap());
        let sessions = batch.column_by_name("session_id").unwrap().as_string::<i32>();
        rows.extend((0..batch.num_rows()).map(|row| (sessions.value(row).to_owned(), numbers.map(|n| n[row]))));
    }
    rows
}

fn row(session: u8, offset: i64, amount: i64) -> Row {
    Row { session, asn: None, decided: false, offset, amount }
}

#[test]
fn each_column_becomes_what_its_law_says() {
    let rows = [row(1, 5, 10), row(1, 8, 20), row(1, 9, 0), row(2, 6, 7)];
    let expected = vec![("1".to_owned(), [30, 3, 5, 9, -9, 9]), ("2".to_owned(), [7, 1, 6, 6, -6, 6])];
    assert_eq!(folded(&[&rows], &[]), expected);
    assert_eq!(folded(&[&rows[..1], &[], &rows[1..2], &rows[2..]], &[]), expected, "batches make no difference");
    assert_eq!(folded(&[], &[]), vec![]);
}

#[test]
fn a_line_is_never_crossed_and_a_decision_stays_a_row() {
    let rows = [row(1, 5, 1), row(1, 8, 2), row(1, 9, 4)];
    let amounts = |periods: &[ClosedPeriod], rows: &[Row]| folded(&[rows], periods).iter().map(|(_, n)| n[0]).collect::<Vec<_>>();
    assert_eq!(amounts(&[period(9)], &rows), [3, 4]);
    assert_eq!(amounts(&[period(9), period(6)], &rows), [1, 2, 4]);
    assert_eq!(amounts(&[ClosedPeriod { from_ms: 600_000, to_ms: 900_000, ..period(9) }], &rows), [7], "another period's line");
    let decided = |offset, amount| Row { decided: true, ..row(1, offset, amount) };
    assert_eq!(amounts(&[], &[row(1, 5, 1), row(1, 8, 2), decided(5, -1), decided(5, 1)]), [3, -1, 1]);
}

#[test]
fn networks_are_kept_apart_and_none_is_one_of_its_own() {
    let of = |asn, offset, amount| Row { asn, ..row(1, offset, amount) };
    let rows =
        [of(None, 1, 1), of(None, 2, 2), of(Some(0), 3, 4), of(Some(64_500), 4, 8), of(Some(64_500), 5, 16), of(Some(64_501), 6, 32)];
    let mut fold = Fold::new(&[]).unwrap();
    assert!(fold.push(batch(&rows)).unwrap().is_some_and(|complete| complete.num_rows() == 3));
    let amounts: Vec<i64> = folded(&[&rows[..2], &rows[2..5], &rows[5..]], &[]).iter().map(|(_, n)| n[0]).collect();
    assert_eq!(amounts, [3, 4, 24, 32]);
}

#[test]
fn every_column_has_a_law_and_a_sum_that_overflows_is_refused() {
    for field in ledger::increments().fields().iter().filter(|f| f.name() != ledger::DATE) {
        assert!(rule(field.name()).is_some(), "{} has none", field.name());
    }
    let mut fold = Fold::new(&[]).unwrap();
    let error = fold.push(batch(&[row(1, 1, i64::MAX), row(1, 2, 1)])).unwrap_err();
    assert!(error.to_string().contains("column bytes: a sum is beyond 64 bits"), "{error}");
}

proptest! {
    #[test]
    fn sums_stay_and_each_side_is_one_row(rows in prop::collection::vec((0u8..4, 0i64..40, 0i64..1000), 1..60),
                                          cuts in prop::collection::vec(0usize..60, 0..5), line in 0i64..40) {
        let mut rows: Vec<Row> = rows.into_iter().map(|(session, offset, amount)| row(session, offset, amount)).collect();
        rows.sort();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).chain([0, rows.len()]).collect();
        cuts.sort();
        let batches: Vec<&[Row]> = cuts.windows(2).map(|w| &rows[w[0]..w[1]]).collect();
        let out = folded(&batches, &[period(line)]);
        let mut expected: std::collections::BTreeMap<(String, bool), (i64, i64)> = Default::default();
        for row in &rows {
            let sum = expected.entry((row.session.to_string(), row.offset >= line)).or_default();
            *sum = (sum.0 + row.amount, sum.1 + 1);
        }
        let out: Vec<_> = out.into_iter().map(|(session, n)| ((session, n[3] >= line), (n[0], n[1]))).collect();
        prop_assert_eq!(out, expected.into_iter().collect::<Vec<_>>());
    }
}
