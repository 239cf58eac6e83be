//! Rows → Arrow batches of the two tables, column by column, straight into the builders: no row is
//! ever an object of its own. The columns' law is `livemeter_schemas::ledger`.
//!
//! A row of `increments` whose session, CDN and window are those of its (session, CDN)'s last row is added to that
//! one, by the very rules of the roll-up ([`crate::roll::fold`]): all of a batch lies on one side of any closed
//! period's line. In step with the players nothing meets within one commit; behind them, whole minutes do, and
//! a backlog costs a fraction of the rows.

mod details;

use crate::entry::Entry;
use crate::rows::{IncrementRow, RowRef, Rows};
use crate::split::Amounts;
use arrow::array::{ArrayRef, BooleanBuilder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use chrono::DateTime;
use details::Details;
use livemeter_schemas::ledger;
use std::sync::Arc;

/// One column under construction.
enum Column {
    Text(StringBuilder),
    Int(Int64Builder),
    Time(TimestampMicrosecondBuilder),
    Flag(BooleanBuilder),
}

/// What one row puts into one column.
enum Value<'a> {
    Text(Option<&'a str>),
    Int(Option<i64>),
    Ms(Option<i64>),
    Flag(Option<bool>),
}

/// The rows of one table since the last flush.
struct Table {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl Table {
    fn new(schema: arrow::datatypes::Schema) -> Self {
        let mut table = Table { schema: Arc::new(schema), columns: Vec::new(), rows: 0, bytes: 0 };
        table.columns = table.fresh();
        table
    }

    fn fresh(&self) -> Vec<Column> {
        use arrow::datatypes::DataType;
        let column = |field: &Arc<arrow::datatypes::Field>| match field.data_type() {
            DataType::Timestamp(..) => Column::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            DataType::Int64 => Column::Int(Int64Builder::new()),
            DataType::Boolean => Column::Flag(BooleanBuilder::new()),
            _ => Column::Text(StringBuilder::new()),
        };
        self.schema.fields().iter().map(column).collect()
    }

    fn push<const N: usize>(&mut self, row: [Value<'_>; N]) {
        debug_assert_eq!(N, self.columns.len());
        for (column, value) in self.columns.iter_mut().zip(row) {
            self.bytes += 8;
            match (column, value) {
                (Column::Text(b), Value::Text(v)) => {
                    self.bytes += v.map_or(0, str::len);
                    b.append_option(v);
                }
                (Column::Int(b), Value::Int(v)) => b.append_option(v),
                (Column::Time(b), Value::Ms(v)) => b.append_option(v.map(|ms| ms.saturating_mul(1000))),
                (Column::Flag(b), Value::Flag(v)) => b.append_option(v),
                // A value in the wrong column leaves columns of unequal length, which `take` refuses.
                _ => debug_assert!(false, "a value of another type than its column"),
            }
        }
        self.rows += 1;
    }

    /// The text of a column in one row, null as none.
    fn text(&self, column: usize, row: usize) -> Option<&str> {
        let Some(Column::Text(b)) = self.columns.get(column) else { return None };
        let valid = b.validity_slice().is_none_or(|bits| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1));
        let (from, to) = (*b.offsets_slice().get(row)? as usize, *b.offsets_slice().get(row + 1)? as usize);
        valid.then(|| b.values_slice().get(from..to)).flatten().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// A number of one row, null as none.
    fn int(&self, column: usize, row: usize) -> Option<i64> {
        let Some(Column::Int(b)) = self.columns.get(column) else { return None };
        let valid = b.validity_slice().is_none_or(|bits| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1));
        valid.then(|| b.values_slice().get(row).copied()).flatten()
    }

    /// A number or time of one row, to be changed.
    fn number(&mut self, column: usize, row: usize) -> Option<&mut i64> {
        match self.columns.get_mut(column)? {
            Column::Int(b) => b.values_slice_mut().get_mut(row),
            Column::Time(b) => b.values_slice_mut().get_mut(row),
            _ => None,
        }
    }

    fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let fresh = self.fresh();
        let arrays = std::mem::replace(&mut self.columns, fresh).into_iter().map(|column| -> ArrayRef {
            match column {
                Column::Text(mut b) => Arc::new(b.finish()),
                Column::Int(mut b) => Arc::new(b.finish()),
                Column::Time(mut b) => Arc::new(b.finish()),
                Column::Flag(mut b) => Arc::new(b.finish()),
            }
        });
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(self.schema.clone(), arrays.collect()).map(Some)
    }
}

/// Columns of `increments` that a row's successor is compared by, and those that change when it is added.
mod at {
    pub const PROGRAMME: usize = 2;
    pub const REGION: usize = 4;
    pub const ASN: usize = 5;
    pub const USER: usize = 6;
    pub const AMOUNTS: usize = 8;
    pub const SEQ: usize = 15;
    pub const REACHED: usize = 16;
    pub const TIME: usize = 21;
    pub const CORRECTION: usize = 22;
    pub const RECEIVED: usize = 23;
    pub const OFFSET: usize = 27;
    pub const RECORDS: usize = 28;
}

/// What else must be the same for two rows to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grain {
    window_start_ms: i64,
    quarantined: bool,
    late: bool,
}

/// The rows of both tables since the last flush.
pub struct Buffer {
    increments: Table,
    events: Table,
    /// Of each row of `increments`.
    grains: Vec<Grain>,
    /// Counts the batches from 1, so that no row of an earlier one is taken for one of this.
    batch: u32,
    /// Generation of the topic that all rows come from.
    generation: i64,
    /// The date written last, and its day: nearly every row has the same one.
    date: (i64, String),
}

impl Buffer {
    pub fn new(generation: u32) -> Self {
        Buffer {
            increments: Table::new(ledger::increments()),
            events: Table::new(ledger::events()),
            grains: Vec::new(),
            batch: 1,
            generation: generation.into(),
            date: (i64::MIN, String::new()),
        }
    }

    pub fn rows(&self) -> usize {
        self.increments.rows + self.events.rows
    }

    pub fn bytes(&self) -> usize {
        self.increments.bytes + self.events.bytes
    }

    /// Takes the rows of both tables out, increments first; none where there are none.
    pub fn take(&mut self) -> Result<(Option<RecordBatch>, Option<RecordBatch>), ArrowError> {
        self.grains.clear();
        self.batch += 1;
        Ok((self.increments.take()?, self.events.take()?))
    }

    fn on(&mut self, ms: i64) {
        let day = ms.div_euclid(crate::book::DAY_MS);
        if self.date.0 != day {
            self.date = (day, date(ms));
        }
    }
}

/// The UTC date of a time, `YYYY-MM-DD`: the partition it belongs to.
pub fn date(ms: i64) -> String {
    // Times were checked to lie within the years that have such a date.
    DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%d").to_string()
}

fn text(v: &str) -> Value<'_> {
    Value::Text(Some(v))
}
fn int(v: i64) -> Value<'static> {
    Value::Int(Some(v))
}
/// Counters, `seq` and their kin are at most 2^50: checked when the event was read.
fn count(v: u64) -> Value<'static> {
    int(v as i64)
}
fn ms(v: i64) -> Value<'static> {
    Value::Ms(Some(v))
}

impl Buffer {
    /// Adds a row to its predecessor, where that is still here and of the same grain. False: it is not.
    fn added(&mut self, row: &IncrementRow<'_>, grain: Grain) -> bool {
        let (last, head) = (row.last.row as usize, row.entry.head());
        let rows = &mut self.increments;
        let same = row.last.batch == self.batch
            && self.grains.get(last) == Some(&grain)
            && rows.text(at::USER, last) == Some(head.user_id)
            && rows.text(at::PROGRAMME, last) == Some(head.programme_id)
            && rows.text(at::REGION, last) == head.region
            && rows.int(at::ASN, last) == row.entry.asn.map(i64::from);
        if !same {
            return false;
        }
        let mut change = |column: usize, to: &dyn Fn(i64) -> i64| {
            if let Some(number) = rows.number(column, last) {
                *number = to(*number);
            }
        };
        for (i, added) in row.added.array().into_iter().enumerate() {
            change(at::AMOUNTS + i, &|sum| sum.saturating_add(added as i64));
        }
        for (i, reached) in row.reached.array().into_iter().enumerate() {
            change(at::REACHED + i, &|_| reached as i64);
        }
        let (entry, us) = (row.entry, |ms: i64| ms.saturating_mul(1000));
        change(at::SEQ, &|_| head.seq as i64);
        change(at::TIME, &|_| us(row.at_ms));
        change(at::CORRECTION, &|_| entry.correction_ms);
        change(at::RECEIVED, &|before| before.max(us(entry.received_at_ms)));
        change(at::OFFSET, &|_| entry.place.offset);
        change(at::RECORDS, &|records| records + 1);
        true
    }
}

impl Rows for Buffer {
    fn increment(&mut self, row: IncrementRow<'_>) -> RowRef {
        let grain = Grain { window_start_ms: row.window_start_ms, quarantined: row.quarantined, late: row.late };
        if self.added(&row, grain) {
            return row.last;
        }
        self.on(row.window_start_ms);
        let (entry, head) = (row.entry, row.entry.head());
        let Amounts { bytes, aborted_bytes, play_ms, stall_ms, stalls } = row.added;
        self.grains.push(grain);
        let placed = RowRef { batch: self.batch, row: self.increments.rows as u32 };
        self.increments.push([
            ms(row.window_start_ms),
            text(&entry.app),
            text(head.programme_id),
            text(row.cdn),
            Value::Text(head.region),
            Value::Int(entry.asn.map(i64::from)),
            text(head.user_id),
            text(head.session_id),
            count(bytes),
            count(aborted_bytes),
            count(play_ms),
            count(stall_ms),
            count(stalls),
            text(if row.quarantined { ledger::QUARANTINED } else { ledger::BOOKED }),
            Value::Flag(Some(row.late)),
            count(head.seq),
            count(row.reached.bytes),
            count(row.reached.aborted_bytes),
            count(row.reached.play_ms),
            count(row.reached.stall_ms),
            count(row.reached.stalls),
            ms(row.at_ms),
            int(entry.correction_ms),
            ms(entry.received_at_ms),
            int(self.generation),
            int(entry.place.partition.into()),
            int(entry.place.offset),
            int(entry.place.offset),
            int(1),
            Value::Ms(None),
            Value::Text(None),
            Value::Text(None),
            text(&self.date.1),
        ]);
        placed
    }

    fn event(&mut self, entry: &Entry<'_>, late: bool) {
        let (head, at_ms) = (entry.head(), entry.at_ms());
        self.on(at_ms);
        let d = Details::of(entry);
        self.events.push([
            ms(at_ms),
            text(entry.event.type_name()),
            text(&entry.app),
            text(head.programme_id),
            Value::Text(d.cdn),
            Value::Text(head.region),
            Value::Int(entry.asn.map(i64::from)),
            text(head.user_id),
            text(head.session_id),
            count(head.seq),
            Value::Ms(d.began_at_ms),
            Value::Int(d.stall_ms),
            Value::Text(d.stall_kind),
            Value::Text(d.media),
            Value::Int(d.threshold_ms),
            Value::Text(d.cause),
            Value::Int(d.last_status),
            Value::Int(d.last_throughput_bps),
            Value::Int(d.startup_ms),
            Value::Text(d.from_cdn),
            Value::Text(d.to_cdn),
            Value::Text(d.reason),
            Value::Text(d.message),
            Value::Flag(d.fatal),
            text(entry.raw),
            Value::Flag(Some(late)),
            int(entry.correction_ms),
            ms(entry.received_at_ms),
            int(self.generation),
            int(entry.place.partition.into()),
            int(entry.place.offset),
            text(&self.date.1),
            Value::Text(entry.cmcd_state.as_deref()),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_where_they_are_looked_for() {
        let schema = ledger::increments();
        let name = |at: usize| schema.field(at).name().as_str();
        assert_eq!([at::PROGRAMME, at::REGION, at::ASN, at::USER].map(name), ["programme_id", "region", "asn", "user_id"]);
        assert_eq!([at::AMOUNTS, at::AMOUNTS + 4].map(name), ["bytes", "stalls"]);
        assert_eq!([at::SEQ, at::REACHED, at::REACHED + 4].map(name), ["reached_seq", "reached_bytes", "reached_stalls"]);
        assert_eq!([at::TIME, at::CORRECTION, at::RECEIVED].map(name), ["at", "correction_ms", "received_at"]);
        assert_eq!([at::OFFSET, at::RECORDS].map(name), ["kafka_offset", "records"]);
    }
}
