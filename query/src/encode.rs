//! Rows → JSON and CSV, to the digit. Pure.
//!
//! 64-bit integers and decimals are JSON numbers with every digit kept: a reader that holds numbers as
//! doubles (JavaScript's `JSON.parse`) must take care beyond 2^53. Timestamps are RFC 3339 in UTC; one
//! without a zone is taken as UTC, as the engine itself does. NaN and infinities, which JSON lacks, are null.
//! Lists, structs and intervals are text. In CSV, null is the empty field.

use crate::error::{Error, from_engine};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, SecondsFormat, Utc};
use livemeter_schemas::sql::Column;
use std::fmt::Write;

/// The columns as an answer names them: by Arrow's names, without those details of layout that change
/// from plan to plan (views, dictionaries, units of time).
pub fn columns(schema: &Schema) -> Vec<Column> {
    schema.fields().iter().map(|f| Column { name: f.name().clone(), data_type: type_name(f.data_type()) }).collect()
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "Utf8".into(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::Timestamp(..) => "Timestamp".into(),
        other => other.to_string(),
    }
}

/// Appends the batch's first `rows` rows as JSON arrays, each after a comma unless it is the very first.
pub fn json_rows(out: &mut String, batch: &RecordBatch, rows: usize, mut first: bool) -> Result<(), Error> {
    let cells = cells(batch)?;
    for row in 0..rows.min(batch.num_rows()) {
        out.push_str(if first { "[" } else { ",[" });
        first = false;
        for (i, cell) in cells.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            cell.write(out, row, true)?;
        }
        out.push(']');
    }
    Ok(())
}

/// The names of the columns as the first line of a CSV.
pub fn csv_header(schema: &Schema) -> Result<Vec<u8>, Error> {
    csv_lines(std::iter::once(schema.fields().iter().map(|f| f.name().clone()).collect()))
}

/// The batch's first `rows` rows as lines of CSV.
pub fn csv_rows(batch: &RecordBatch, rows: usize) -> Result<Vec<u8>, Error> {
    let cells = cells(batch)?;
    let mut lines = Vec::with_capacity(rows.min(batch.num_rows()));
    for row in 0..rows.min(batch.num_rows()) {
        let mut line = Vec::with_capacity(cells.len());
        for cell in &cells {
            let mut text = String::new();
            cell.write(&mut text, row, false)?;
            line.push(text);
        }
        lines.push(line);
    }
    csv_lines(lines.into_iter())
}

/// Lines of CSV (RFC 4180 quoting, `\n` between lines).
pub fn csv_lines(lines: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, Error> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for line in lines {
        writer.write_record(&line).map_err(|e| Error::Internal(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| Error::Internal(e.to_string()))
}

fn cells(batch: &RecordBatch) -> Result<Vec<Cells<'_>>, Error> {
    batch.columns().iter().map(Cells::new).collect()
}

/// How the values of one column are written.
enum Shape<'a> {
    /// Digits and `true`/`false`: the same text in JSON and CSV.
    Bare(ArrayFormatter<'a>),
    /// Text, quoted in JSON.
    Quoted(ArrayFormatter<'a>),
    Text(ArrayRef),
    Float(ArrayRef),
    Timestamp(ArrayRef),
    TimestampNanos(ArrayRef),
}

struct Cells<'a> {
    array: &'a ArrayRef,
    shape: Shape<'a>,
}

impl<'a> Cells<'a> {
    fn new(array: &'a ArrayRef) -> Result<Cells<'a>, Error> {
        let shape = match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Shape::Text(as_type(array, &DataType::Utf8)?),
            DataType::Dictionary(_, value) if value.is_string() => Shape::Text(as_type(array, &DataType::Utf8)?),
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Shape::Float(as_type(array, &DataType::Float64)?),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Shape::TimestampNanos(as_type(array, &timestamp(TimeUnit::Nanosecond))?),
            DataType::Timestamp(..) => Shape::Timestamp(as_type(array, &timestamp(TimeUnit::Microsecond))?),
            DataType::Boolean | DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
                Shape::Bare(formatter(array)?)
            }
            other if other.is_integer() => Shape::Bare(formatter(array)?),
            _ => Shape::Quoted(formatter(array)?),
        };
        Ok(Cells { array, shape })
    }

    fn write(&self, out: &mut String, row: usize, json: bool) -> Result<(), Error> {
        if self.array.data_type() == &DataType::Null || self.array.is_null(row) {
            out.push_str(if json { "null" } else { "" });
            return Ok(());
        }
        match &self.shape {
            Shape::Bare(values) => write!(out, "{}", values.value(row)).map_err(|_| unreadable()),
            Shape::Quoted(values) => text(out, &values.value(row).try_to_string().map_err(|_| unreadable())?, json),
            Shape::Text(values) => match values.as_string_opt::<i32>() {
                Some(values) if values.is_valid(row) => text(out, values.value(row), json),
                // A dictionary's value may be null where its key is not.
                _ => text(out, if json { "null" } else { "" }, false),
            },
            Shape::Float(values) => {
                let value = values.as_primitive::<Float64Type>().value(row);
                if json && !value.is_finite() {
                    out.push_str("null");
                    return Ok(());
                }
                write!(out, "{value}").map_err(|_| unreadable())
            }
            Shape::Timestamp(values) => {
                let value = values.as_primitive::<TimestampMicrosecondType>().value(row);
                text(out, &rfc3339(DateTime::from_timestamp_micros(value).ok_or_else(unreadable)?), json)
            }
            Shape::TimestampNanos(values) => {
                let value = values.as_primitive::<TimestampNanosecondType>().value(row);
                text(out, &rfc3339(DateTime::from_timestamp_nanos(value)), json)
            }
        }
    }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn text(out: &mut String, value: &str, json: bool) -> Result<(), Error> {
    if json {
        out.push_str(&serde_json::to_string(value).map_err(|_| unreadable())?);
    } else {
        out.push_str(value);
    }
    Ok(())
}

fn timestamp(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, None)
}

fn as_type(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, Error> {
    // A zone is a way to show an instant; without it the stored value is UTC.
    let array = match array.data_type() {
        DataType::Timestamp(unit, Some(zone)) if zone.as_ref() != "UTC" => {
            &cast(array, &DataType::Timestamp(*unit, Some("UTC".into()))).map_err(|e| from_engine(e.into(), 0))?
        }
        _ => array,
    };
    cast(array, to).map_err(|e| from_engine(e.into(), 0))
}

fn formatter(array: &ArrayRef) -> Result<ArrayFormatter<'_>, Error> {
    const OPTIONS: FormatOptions = FormatOptions::new().with_null("null");
    ArrayFormatter::try_new(array.as_ref(), &OPTIONS).map_err(|e| from_engine(e.into(), 0))
}

fn unreadable() -> Error {
    Error::Sql("a value of the answer cannot be written as text".into())
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
