//! Rows → Arrow batches of the two tables, column by column, straight into the builders: no row is
//! ever an object of its own. The columns' law is `livemeter_schemas::ledger`.

use crate::entry::Entry;
use crate::rows::{IncrementRow, Rows};
use crate::split::Amounts;
use arrow::array::{ArrayRef, BooleanBuilder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use chrono::DateTime;
use livemeter_schemas::event::{EndReason, Event, Media, StallKind, SwitchReason};
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

/// The rows of both tables since the last flush.
pub struct Buffer {
    increments: Table,
    events: Table,
    /// Sums of the rows' amounts, in the order of the columns.
    sums: [i128; 5],
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
            sums: [0; 5],
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

    /// What the rows of `increments` add up to since the last time this was asked.
    pub fn take_sums(&mut self) -> [i128; 5] {
        std::mem::take(&mut self.sums)
    }

    /// Takes the rows of both tables out, increments first; none where there are none.
    pub fn take(&mut self) -> Result<(Option<RecordBatch>, Option<RecordBatch>), ArrowError> {
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

impl Rows for Buffer {
    fn increment(&mut self, row: IncrementRow<'_>) {
        self.on(row.window_start_ms);
        let (entry, head) = (row.entry, row.entry.head());
        let Amounts { bytes, aborted_bytes, play_ms, stall_ms, stalls } = row.added;
        for (sum, added) in self.sums.iter_mut().zip(row.added.array()) {
            *sum += i128::from(added);
        }
        self.increments.push([
            ms(row.window_start_ms),
            text(&entry.app),
            text(head.programme_id),
            text(row.cdn),
            Value::Text(head.region),
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
        ]);
    }
}

/// The columns that only some event types have.
#[derive(Default)]
struct Details<'e> {
    cdn: Option<&'e str>,
    began_at_ms: Option<i64>,
    stall_ms: Option<i64>,
    stall_kind: Option<&'e str>,
    media: Option<&'e str>,
    threshold_ms: Option<i64>,
    cause: Option<&'e str>,
    last_status: Option<i64>,
    last_throughput_bps: Option<i64>,
    startup_ms: Option<i64>,
    from_cdn: Option<&'e str>,
    to_cdn: Option<&'e str>,
    reason: Option<&'e str>,
    message: Option<&'e str>,
    fatal: Option<bool>,
}

impl<'e> Details<'e> {
    fn of(entry: &'e Entry<'_>) -> Self {
        let none = Details::default();
        match &entry.event {
            Event::Heartbeat(_) => none,
            Event::Stall(e) => Details {
                cdn: Some(&e.cdn),
                // A began_at of another age would have no date; it cannot be later than its own event.
                began_at_ms: Some(entry.corrected(e.began_at_ms).clamp(0, entry.at_ms().max(0))),
                stall_ms: Some(e.stall_ms as i64),
                stall_kind: Some(match e.kind {
                    StallKind::Rebuffer => "rebuffer",
                    StallKind::Frozen => "frozen",
                }),
                media: Some(match e.media {
                    Media::Video => "video",
                    Media::Audio => "audio",
                    Media::Muxed => "muxed",
                }),
                threshold_ms: Some(e.threshold_ms as i64),
                cause: e.cause.as_deref(),
                last_status: e.last_segment.as_ref().map(|s| s.status.into()),
                last_throughput_bps: e.last_segment.as_ref().map(|s| s.throughput_bps as i64),
                ..none
            },
            Event::SessionStart(e) => Details { cdn: e.cdn.as_deref(), ..none },
            Event::PlaybackStart(e) => Details { cdn: Some(&e.cdn), startup_ms: Some(e.startup_ms as i64), ..none },
            Event::SessionEnd(e) => {
                let reason = match e.reason {
                    EndReason::Ended => "ended",
                    EndReason::Quit => "quit",
                    EndReason::Fatal => "fatal",
                };
                Details { reason: Some(reason), ..none }
            }
            Event::CdnSwitch(e) => {
                let reason = match e.reason {
                    SwitchReason::Stall => "stall",
                    SwitchReason::Steering => "steering",
                    SwitchReason::User => "user",
                    SwitchReason::Error => "error",
                };
                Details { from_cdn: Some(&e.from_cdn), to_cdn: Some(&e.to_cdn), reason: Some(reason), ..none }
            }
            Event::Error(e) => {
                let (cdn, message) = (e.cdn.as_deref(), e.message.as_deref());
                Details { cdn, reason: Some(&e.code), message, fatal: Some(e.fatal), ..none }
            }
        }
    }
}
