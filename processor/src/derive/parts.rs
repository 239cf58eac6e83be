//! Sessions in parts. What a statement sorts and groups may spill no more than it is allowed, and a ledger of a month is more
//! than that: so sessions are made in parts, each of whole sessions, told apart by a hash of their ids.

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use deltalake::datafusion::error::Result;
use deltalake::datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use std::sync::Arc;
use twox_hash::XxHash64;

/// The function's name in SQL: `session_part(session_id, parts)` is from 0 to `parts` - 1.
const NAME: &str = "session_part";
/// How much larger rows may be where they are spilled than in their files, where repeated texts cost little. A month's files
/// of 1.5 GB were more than 4 GB; texts that repeat more make it worse.
const SPILLED: u64 = 16;

/// One of so many parts of all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub part: u64,
    pub of: u64,
}

impl Share {
    /// All sessions, in as many parts as files of so many bytes ask for.
    pub fn all(file_bytes: u64, spill_bytes_max: u64) -> impl Iterator<Item = Share> {
        let of = file_bytes.saturating_mul(SPILLED).div_ceil(spill_bytes_max.max(1)).max(1);
        (0..of).map(move |part| Share { part, of })
    }

    /// The condition that a row is of this part.
    pub fn condition(self) -> String {
        let Share { part, of } = self;
        if of == 1 { "TRUE".into() } else { format!("{NAME}(session_id, {of}) = {part}") }
    }
}

/// The function for a session of the engine.
pub fn function() -> ScalarUDF {
    create_udf(NAME, vec![DataType::Utf8, DataType::Int64], DataType::Int64, Volatility::Immutable, Arc::new(parts))
}

fn parts(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let [ids, of] = arrays.as_slice() else { return Ok(ColumnarValue::Array(Arc::new(Int64Array::from(Vec::<i64>::new())))) };
    let (ids, of) = (ids.as_string::<i32>(), of.as_primitive::<Int64Type>());
    let part = |(id, of): (Option<&str>, Option<i64>)| {
        let of = u64::try_from(of?).ok().filter(|of| *of > 0)?;
        i64::try_from(XxHash64::oneshot(0, id?.as_bytes()) % of).ok()
    };
    let found: Int64Array = ids.iter().zip(of).map(part).collect();
    Ok(ColumnarValue::Array(Arc::new(found) as ArrayRef))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_parts_as_are_needed_and_one_at_least() {
        let of = |bytes, spill| Share::all(bytes, spill).count();
        assert_eq!((of(0, 100), of(6, 96), of(7, 96), of(60, 96)), (1, 1, 2, 10));
        assert_eq!(Share { part: 0, of: 1 }.condition(), "TRUE");
        assert_eq!(Share { part: 2, of: 3 }.condition(), "session_part(session_id, 3) = 2");
    }

    #[test]
    fn each_session_is_in_one_part_and_none_is_empty() {
        let ids: Vec<String> = (0..1_000).map(|n| format!("session-{n}")).collect();
        let ids = ColumnarValue::Array(Arc::new(arrow::array::StringArray::from(ids)));
        let ColumnarValue::Array(found) = parts(&[ids, ColumnarValue::Array(Arc::new(Int64Array::from(vec![7; 1_000])))]).unwrap() else {
            panic!("an array")
        };
        let found = found.as_primitive::<Int64Type>().clone();
        let sizes: Vec<usize> = (0..7).map(|part| found.values().iter().filter(|p| **p == part).count()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 1_000);
        assert!(sizes.iter().all(|size| (80..220).contains(size)), "{sizes:?}");
    }
}
