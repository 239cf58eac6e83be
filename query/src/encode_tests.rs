//! Values at the edges of their types, written exactly.

use super::*;
use arrow::array::{
    BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, NullArray, StringArray, StringViewArray,
    TimestampMicrosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{Field, Int32Type};
use std::sync::Arc;

fn one(array: ArrayRef) -> RecordBatch {
    RecordBatch::try_new(Arc::new(Schema::new(vec![Field::new("v", array.data_type().clone(), true)])), vec![array]).unwrap()
}

fn check(array: ArrayRef, json: &str, csv: &str) {
    let batch = one(array);
    let mut out = String::new();
    json_rows(&mut out, &batch, usize::MAX, true).unwrap();
    assert_eq!(out, json);
    assert!(serde_json::from_str::<serde_json::Value>(&format!("[{out}]")).is_ok(), "{out}");
    assert_eq!(String::from_utf8(csv_rows(&batch, usize::MAX).unwrap()).unwrap(), csv);
}

#[test]
fn numbers_keep_every_digit() {
    let ints = Int64Array::from(vec![Some(i64::MAX), Some(i64::MIN), None]);
    check(Arc::new(ints), "[9223372036854775807],[-9223372036854775808],[null]", "9223372036854775807\n-9223372036854775808\n\"\"\n");
    check(Arc::new(UInt64Array::from(vec![u64::MAX])), "[18446744073709551615]", "18446744073709551615\n");
    let decimals = Decimal128Array::from(vec![123_456_789_012_345_678_901_234_567_890i128]).with_precision_and_scale(38, 2).unwrap();
    check(Arc::new(decimals), "[1234567890123456789012345678.90]", "1234567890123456789012345678.90\n");
    check(Arc::new(Float64Array::from(vec![0.1, f64::NAN, f64::INFINITY])), "[0.1],[null],[null]", "0.1\nNaN\ninf\n");
    check(Arc::new(BooleanArray::from(vec![true, false])), "[true],[false]", "true\nfalse\n");
}

#[test]
fn times_are_rfc_3339_in_utc() {
    let at = TimestampMicrosecondArray::from(vec![1_790_000_000_123_456, 1_790_000_000_000_000]);
    let json = "[\"2026-09-21T14:13:20.123456Z\"],[\"2026-09-21T14:13:20Z\"]";
    let csv = "2026-09-21T14:13:20.123456Z\n2026-09-21T14:13:20Z\n";
    check(Arc::new(at.clone().with_timezone("UTC")), json, csv);
    check(Arc::new(at.clone().with_timezone("+08:00")), json, csv);
    check(Arc::new(at), json, csv);
    check(Arc::new(TimestampSecondArray::from(vec![0])), "[\"1970-01-01T00:00:00Z\"]", "1970-01-01T00:00:00Z\n");
    check(Arc::new(Date32Array::from(vec![20_000])), "[\"2024-10-04\"]", "2024-10-04\n");
}

#[test]
fn text_is_escaped_in_both_forms() {
    let nasty = "a\"b,c\n\u{1}é😀";
    let json = "[\"a\\\"b,c\\n\\u0001é😀\"]";
    let csv = "\"a\"\"b,c\n\u{1}é😀\"\n";
    check(Arc::new(StringArray::from(vec![nasty])), json, csv);
    check(Arc::new(StringViewArray::from(vec![nasty])), json, csv);
    let dictionary: DictionaryArray<Int32Type> = vec![Some("2026-11-23"), None].into_iter().collect();
    check(Arc::new(dictionary), "[\"2026-11-23\"],[null]", "2026-11-23\n\"\"\n");
    check(Arc::new(NullArray::new(1)), "[null]", "\"\"\n");
}

#[test]
fn types_have_arrows_names_without_their_layout() {
    let schema = Schema::new(vec![
        Field::new("a", DataType::Utf8View, true),
        Field::new("b", DataType::Int64, true),
        Field::new("c", timestamp(TimeUnit::Microsecond), true),
        Field::new("d", DataType::Decimal128(38, 0), true),
    ]);
    let kinds: Vec<String> = columns(&schema).into_iter().map(|c| c.data_type).collect();
    assert_eq!(kinds, ["Utf8", "Int64", "Timestamp", "Decimal128(38, 0)"]);
    assert_eq!(csv_header(&schema).unwrap(), b"a,b,c,d\n");
}
