//! A report's own SQL → its batches and their columns, and the report around its rows. The SQL only
//! selects and filters; [`crate::groups`] groups. What the numbers mean is the reports' affair.

use crate::engine::{Answer, Engine, Work};
use crate::error::{Error, from_engine};
use crate::ledger::Versions;
use crate::report::Ask;
use crate::zone;
use arrow::array::{AsArray, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::sql::parser::DFParser;
use livemeter_schemas::metrics::{Metric, metric};
use livemeter_schemas::reports::Report;

/// Starts a report's own SQL.
pub async fn read(engine: &Engine, ask: &Ask, sql: &str) -> Result<Answer, Error> {
    let internal = |reason: String| Error::Internal(format!("a report's own SQL: {reason}"));
    let statement = DFParser::parse_sql(sql).map_err(|e| internal(e.strip_backtrace()))?.pop_front();
    let statement = statement.ok_or_else(|| internal("is empty".into()))?;
    engine.run(Work { statement, values: ask.values(), rows_max: None }).await
}

/// The report around its rows: everything needed to ask for exactly the same again.
pub fn report<Row>(ask: &Ask, versions: &Versions, table: &str, definitions: &[&str], (rows, truncated): (Vec<Row>, bool)) -> Report<Row> {
    let definitions: Vec<Metric> = definitions.iter().filter_map(|name| metric(name)).copied().collect();
    Report {
        app: ask.app.clone(),
        from: zone::label(ask.tz, ask.from_ms),
        to: zone::label(ask.tz, ask.to_ms),
        tz: ask.tz.name().to_owned(),
        table_version: versions.get(table).copied(),
        truncated,
        definitions,
        rows,
    }
}

/// A sum as an answer holds it: one that does not fit 64 bits is refused, never wrapped.
pub fn fit(sum: i128, column: &'static str) -> Result<i64, Error> {
    i64::try_from(sum).map_err(|_| Error::Overflow { column })
}

/// Every group has its sums: they grow with the groups.
pub fn no_sums() -> Error {
    Error::Internal("a group has no sums".into())
}

/// A column of texts, whichever of Arrow's layouts the files behind it have.
pub fn texts(batch: &RecordBatch, name: &str) -> Result<StringViewArray, Error> {
    Ok(typed(batch, name, &DataType::Utf8View)?.as_string_view().clone())
}

/// A column of whole numbers.
pub fn ints(batch: &RecordBatch, name: &str) -> Result<Int64Array, Error> {
    Ok(typed(batch, name, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// A column of instants, in microseconds since 1970.
pub fn micros(batch: &RecordBatch, name: &str) -> Result<TimestampMicrosecondArray, Error> {
    let kind = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Ok(typed(batch, name, &kind)?.as_primitive::<TimestampMicrosecondType>().clone())
}

fn typed(batch: &RecordBatch, name: &str, to: &DataType) -> Result<arrow::array::ArrayRef, Error> {
    let column = batch.column_by_name(name).ok_or_else(|| Error::Internal(format!("a report's own SQL does not answer {name}")))?;
    cast(column, to).map_err(|e| from_engine(e.into(), 0))
}
