//! The engine's rows → a report's keys and numbers, checked: a sum that does not fit 64 bits is refused,
//! never wrapped. What the numbers mean is the reports' affair.

use crate::engine::{Engine, Work};
use crate::error::{Error, from_engine};
use crate::ledger::Versions;
use crate::report::{Ask, name};
use crate::zone;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, TimeUnit, TimestampMicrosecondType};
use datafusion::sql::parser::DFParser;
use livemeter_schemas::metrics::{Metric, metric};
use livemeter_schemas::reports::{By, Keys, Report};

/// What a report read: at most `limit` rows, in the order of its SQL.
pub struct Read {
    pub rows: Vec<RecordBatch>,
    pub truncated: bool,
    pub versions: Versions,
}

/// Runs a report's own SQL, which answers one row more than wanted if there are more.
pub async fn read(engine: &Engine, ask: &Ask, sql: &str) -> Result<Read, Error> {
    let internal = |reason: String| Error::Internal(format!("a report's own SQL: {reason}"));
    let statement = DFParser::parse_sql(sql).map_err(|e| internal(e.strip_backtrace()))?.pop_front();
    let statement = statement.ok_or_else(|| internal("is empty".into()))?;
    let work = Work { statement, values: ask.values(), functions: vec![ask.bucket_function()], rows_max: None };
    let answer = engine.run(work).await?;
    let versions = answer.versions.clone();
    let mut rows = answer.collect().await?;
    let mut room = ask.limit;
    let mut truncated = false;
    for batch in &mut rows {
        truncated |= batch.num_rows() > room;
        *batch = batch.slice(0, batch.num_rows().min(room));
        room -= batch.num_rows();
    }
    Ok(Read { rows, truncated, versions })
}

/// The report around its rows: everything needed to ask for exactly the same again.
pub fn report<Row>(ask: &Ask, read: &Read, table: &str, definitions: &[&str], rows: Vec<Row>) -> Report<Row> {
    let definitions: Vec<Metric> = definitions.iter().filter_map(|name| metric(name)).copied().collect();
    Report {
        app: ask.app.clone(),
        from: zone::label(ask.tz, ask.from_ms),
        to: zone::label(ask.tz, ask.to_ms),
        tz: ask.tz.name().to_owned(),
        table_version: read.versions.get(table).copied(),
        truncated: read.truncated,
        definitions,
        rows,
    }
}

/// The keys of a batch's rows.
pub fn keys(ask: &Ask, batch: &RecordBatch) -> Result<Vec<Keys>, Error> {
    let mut keys = vec![Keys::default(); batch.num_rows()];
    for by in &ask.by {
        let values = match by {
            By::Time => times(ask, column(batch, name(*by))?)?,
            _ => texts(column(batch, name(*by))?)?,
        };
        for (key, value) in keys.iter_mut().zip(values) {
            match by {
                By::Time => key.time = Some(value),
                By::Cdn => key.cdn = Some(value),
                By::Programme => key.programme = Some(value),
                By::User => key.user = Some(value),
            }
        }
    }
    Ok(keys)
}

fn texts(array: &ArrayRef) -> Result<Vec<String>, Error> {
    let array = typed(array, &DataType::Utf8)?;
    Ok(array.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}

fn times(ask: &Ask, array: &ArrayRef) -> Result<Vec<String>, Error> {
    let array = typed(array, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
    let micros = array.as_primitive::<TimestampMicrosecondType>();
    Ok(micros.values().iter().map(|at| zone::label(ask.tz, at.div_euclid(1_000))).collect())
}

/// A column of exact sums; null is 0, since nothing was added.
pub fn sums(batch: &RecordBatch, name: &'static str) -> Result<Vec<i64>, Error> {
    wide(batch, name)?.into_iter().map(|sum| i64::try_from(sum.unwrap_or(0)).map_err(|_| Error::Overflow { column: name })).collect()
}

/// A column of whole numbers of up to 38 digits.
pub fn wide(batch: &RecordBatch, name: &'static str) -> Result<Vec<Option<i128>>, Error> {
    let array = typed(column(batch, name)?, &DataType::Decimal128(38, 0))?;
    let values = array.as_primitive::<Decimal128Type>();
    Ok((0..values.len()).map(|row| values.is_valid(row).then(|| values.value(row))).collect())
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    batch.column_by_name(name).ok_or_else(|| Error::Internal(format!("a report's own SQL does not answer {name}")))
}

fn typed(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, Error> {
    cast(array, to).map_err(|e| from_engine(e.into(), 0))
}
