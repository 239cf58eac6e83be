//! Rows of one group that stand together → one row. Pure: sorted batches go in, folded ones come out. The law of
//! what each column becomes is the doc of `livemeter_schemas::ledger::increments`.

use crate::error::Error;
use crate::table::Kind;
use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch, StringArray, UInt64Array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use livemeter_schemas::ledger;
use livemeter_schemas::period::ClosedPeriod;
use std::ops::Range;
use std::sync::Arc;

/// What rows of one group have in common, in the order in which files are sorted: what compresses best first.
pub const KEYS: [&str; 12] = [
    "app",
    "cdn",
    "programme_id",
    "window_start",
    "session_id",
    "user_id",
    "region",
    "asn",
    "status",
    "late",
    "kafka_generation",
    "kafka_partition",
];
/// Within a group: rows by decision last, and each in the order of the log. A line cuts that order once.
pub const ORDER: [&str; 2] = ["decided_at", "kafka_offset"];

/// What becomes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Sum,
    Largest,
    Smallest,
    /// Of the row with the largest offset; for keys, of any.
    Last,
}

fn rule(column: &str) -> Option<Rule> {
    match column {
        "bytes" | "aborted_bytes" | "play_ms" | "stall_ms" | "stalls" | "records" => Some(Rule::Sum),
        "at" | "received_at" | "kafka_offset" => Some(Rule::Largest),
        "kafka_offset_first" => Some(Rule::Smallest),
        "correction_ms" | "decided_at" | "decided_by" | "decided_why" => Some(Rule::Last),
        _ if column.starts_with("reached_") => Some(Rule::Largest),
        _ => KEYS.contains(&column).then_some(Rule::Last),
    }
}

/// Folds a sorted stream. A group that goes on in the next batch is carried over as its one row so far.
pub struct Fold<'p> {
    periods: &'p [ClosedPeriod],
    converter: RowConverter,
    carry: Option<RecordBatch>,
}

impl<'p> Fold<'p> {
    /// `periods`: the closed ones, whose lines no row may span.
    pub fn new(periods: &'p [ClosedPeriod]) -> Result<Fold<'p>, Error> {
        let schema = ledger::increments();
        let field = |name: &str| schema.field_with_name(name).map(|field| SortField::new(field.data_type().clone()));
        let fields = KEYS.iter().map(|name| field(name)).collect::<Result<_, _>>().map_err(columns)?;
        Ok(Fold { periods, converter: RowConverter::new(fields).map_err(columns)?, carry: None })
    }

    /// Takes the next rows in; gives the rows that are complete.
    pub fn push(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>, Error> {
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        let batch = match self.carry.take() {
            Some(carry) => concat_batches(&batch.schema(), [&carry, &batch]).map_err(columns)?,
            None => batch,
        };
        let folded = fold(&batch, &self.groups(&batch)?)?;
        let complete = folded.num_rows().saturating_sub(1);
        self.carry = Some(folded.slice(complete, 1));
        Ok((complete > 0).then(|| folded.slice(0, complete)))
    }

    /// The last row.
    pub fn finish(self) -> Option<RecordBatch> {
        self.carry
    }

    /// Runs of rows that become one row each.
    fn groups(&self, batch: &RecordBatch) -> Result<Vec<Range<usize>>, Error> {
        let keys = KEYS.iter().map(|name| column(batch, name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let keys = self.converter.convert_columns(&keys).map_err(columns)?;
        let sides = Sides::new(batch, self.periods)?;
        let decided = column(batch, "decided_at")?;
        let (mut groups, mut start) = (Vec::new(), 0);
        for row in 1..batch.num_rows() {
            let apart = decided.is_valid(row) || decided.is_valid(row - 1) || !alike(&keys, row) || sides.differ(row);
            if apart {
                groups.push(start..row);
                start = row;
            }
        }
        groups.push(start..batch.num_rows());
        Ok(groups)
    }
}

/// Whether a row has the keys of the one before it.
fn alike(keys: &Rows, row: usize) -> bool {
    keys.row(row - 1) == keys.row(row)
}

/// On which side of each closed period's line a row without a decision lies.
struct Sides<'b> {
    periods: &'b [ClosedPeriod],
    window_us: &'b [i64],
    generation: &'b [i64],
    partition: &'b [i64],
    offset: &'b [i64],
}

impl<'b> Sides<'b> {
    fn new(batch: &'b RecordBatch, periods: &'b [ClosedPeriod]) -> Result<Self, Error> {
        Ok(Sides {
            periods,
            window_us: values::<TimestampMicrosecondType>(batch, "window_start")?,
            generation: values::<Int64Type>(batch, "kafka_generation")?,
            partition: values::<Int64Type>(batch, "kafka_partition")?,
            offset: values::<Int64Type>(batch, "kafka_offset")?,
        })
    }

    fn within(&self, period: &ClosedPeriod, row: usize) -> Option<bool> {
        let place = (*self.generation.get(row)?, *self.partition.get(row)?, *self.offset.get(row)?);
        Some(period.within_line(place.0, place.1, place.2, None))
    }

    /// Whether a line that the window knows runs between a row and the one before it.
    fn differ(&self, row: usize) -> bool {
        let window_ms = self.window_us.get(row).map_or(i64::MIN, |us| us.div_euclid(1000));
        let mut holding = self.periods.iter().filter(|period| period.holds(window_ms));
        holding.any(|period| self.within(period, row - 1) != self.within(period, row))
    }
}

/// One row for each group.
fn fold(batch: &RecordBatch, groups: &[Range<usize>]) -> Result<RecordBatch, Error> {
    let last = UInt64Array::from_iter_values(groups.iter().map(|group| group.end.saturating_sub(1) as u64));
    let one = |field: &Arc<arrow::datatypes::Field>| {
        let name = field.name().as_str();
        let rule = rule(name).ok_or_else(|| Error::Ledger(format!("column {name}: how it is rolled up is not known")))?;
        match (rule, field.data_type()) {
            (Rule::Last, _) => take(column(batch, name)?, &last, None).map_err(columns),
            (rule, DataType::Timestamp(..)) => numbers::<TimestampMicrosecondType>(batch, name, groups, rule),
            (rule, _) => numbers::<Int64Type>(batch, name, groups, rule),
        }
    };
    let folded = batch.schema().fields().iter().map(one).collect::<Result<Vec<ArrayRef>, Error>>()?;
    RecordBatch::try_new(batch.schema(), folded).map_err(columns)
}

fn numbers<T: ArrowPrimitiveType<Native = i64>>(
    batch: &RecordBatch,
    name: &str,
    groups: &[Range<usize>],
    rule: Rule,
) -> Result<ArrayRef, Error> {
    let values = values::<T>(batch, name)?;
    let over = || Error::Ledger(format!("column {name}: a sum is beyond 64 bits"));
    let one = |group: &Range<usize>| {
        let rows = values.get(group.clone()).unwrap_or_default();
        match rule {
            Rule::Sum => rows.iter().try_fold(0i64, |sum, value| sum.checked_add(*value)).ok_or_else(over),
            Rule::Smallest => Ok(rows.iter().copied().min().unwrap_or_default()),
            Rule::Largest | Rule::Last => Ok(rows.iter().copied().max().unwrap_or_default()),
        }
    };
    let folded = groups.iter().map(one).collect::<Result<Vec<i64>, Error>>()?;
    let folded = PrimitiveArray::<T>::from_iter_values(folded);
    Ok(Arc::new(folded.with_data_type(column(batch, name)?.data_type().clone())))
}

/// The batch with the table's columns, its date among them.
pub fn dated(batch: &RecordBatch, kind: Kind, date: &str) -> Result<RecordBatch, Error> {
    let schema = kind.schema();
    let one = |field: &Arc<arrow::datatypes::Field>| match field.name().as_str() {
        ledger::DATE => Ok(Arc::new(StringArray::from(vec![date; batch.num_rows()])) as ArrayRef),
        name => column(batch, name).cloned(),
    };
    let arrays = schema.fields().iter().map(one).collect::<Result<Vec<_>, Error>>()?;
    RecordBatch::try_new(Arc::new(schema), arrays).map_err(columns)
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, Error> {
    batch.column_by_name(name).ok_or_else(|| Error::Ledger(format!("column {name} is missing")))
}

fn values<'b, T: ArrowPrimitiveType>(batch: &'b RecordBatch, name: &str) -> Result<&'b [T::Native], Error> {
    let array = column(batch, name)?.as_primitive_opt::<T>().filter(|array| array.null_count() == 0);
    array.map(|array| array.values().as_ref()).ok_or_else(|| Error::Ledger(format!("column {name} is of another type or has nulls")))
}

fn columns(error: ArrowError) -> Error {
    Error::Ledger(format!("rows do not fit the columns: {error}"))
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
