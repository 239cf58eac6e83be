//! Parquet: one table a file, readable by DuckDB without extensions. Decimals are text, since their scales
//! differ; what the table was made from is in the file's metadata.

use super::table::{Cell, Column, Kind, Writer, failed};
use crate::error::Error;
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::io::Write;
use std::sync::Arc;

/// Rows held before they are handed on.
const BATCH_ROWS: usize = 8_192;
const ROW_GROUP_ROWS: usize = 128 * 1_024;

pub struct Parquet<W: Write + Send> {
    out: Option<W>,
    about: Vec<(String, String)>,
    writer: Option<ArrowWriter<W>>,
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
}

enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
}

impl<W: Write + Send> Parquet<W> {
    /// `about` becomes the file's metadata.
    pub fn new(out: W, about: Vec<(String, String)>) -> Parquet<W> {
        Parquet { out: Some(out), about, writer: None, schema: Arc::new(Schema::empty()), builders: Vec::new(), rows: 0 }
    }

    fn hand_on(&mut self) -> Result<(), Error> {
        let Some(writer) = self.writer.as_mut().filter(|_| self.rows > 0) else { return Ok(()) };
        let finished = |builder: &mut Builder| -> ArrayRef {
            match builder {
                Builder::Text(texts) => Arc::new(texts.finish()),
                Builder::Int(ints) => Arc::new(ints.finish()),
            }
        };
        let columns = self.builders.iter_mut().map(finished).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|e| failed("Parquet")(&e))?;
        self.rows = 0;
        writer.write(&batch).map_err(|e| failed("Parquet")(&e))
    }

    pub fn finish(mut self) -> Result<(), Error> {
        self.hand_on()?;
        match self.writer {
            Some(writer) => writer.close().map(|_| ()).map_err(|e| failed("Parquet")(&e)),
            None => Ok(()),
        }
    }
}

impl<W: Write + Send> Writer for Parquet<W> {
    fn begin(&mut self, name: &str, columns: &'static [Column]) -> Result<(), Error> {
        let Some(out) = self.out.take() else { return Err(Error::Internal(format!("a second table, {name}, in one Parquet file"))) };
        let field = |c: &Column| Field::new(c.name, if c.kind == Kind::Int { DataType::Int64 } else { DataType::Utf8 }, true);
        self.schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let builder =
            |c: &Column| if c.kind == Kind::Int { Builder::Int(Int64Builder::new()) } else { Builder::Text(StringBuilder::new()) };
        self.builders = columns.iter().map(builder).collect();
        let about = self.about.drain(..).map(|(key, value)| KeyValue::new(key, value)).collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_key_value_metadata(Some(about))
            .build();
        self.writer = Some(ArrowWriter::try_new(out, Arc::clone(&self.schema), Some(properties)).map_err(|e| failed("Parquet")(&e))?);
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), Error> {
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            match (builder, cell) {
                (Builder::Int(ints), Cell::Int(number)) => ints.append_value(*number),
                (Builder::Int(ints), _) => ints.append_null(),
                (Builder::Text(texts), Cell::None) => texts.append_null(),
                (Builder::Text(texts), cell) => texts.append_value(cell.shown()),
            }
        }
        self.rows += 1;
        if self.rows >= BATCH_ROWS { self.hand_on() } else { Ok(()) }
    }
}
