//! A file as rows of texts: CSV, or a sheet of XLSX. Numbers of a sheet become the shortest text that means them;
//! nothing is computed with them.

use super::{InvoiceError, InvoiceLimits};
use calamine::{DataRef, ExcelDateTime, Reader, Xlsx};
use std::io::{Cursor, Read};

/// A row that is not empty, by its number in the file, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) cells: Vec<String>,
    /// Whether each cell came as a number, not as a text.
    pub(super) numbers: Vec<bool>,
}

pub(super) fn is_xlsx(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

pub(super) fn rows(bytes: &[u8], delimiter: u8, sheet: Option<&str>, limits: &InvoiceLimits) -> Result<Vec<Row>, InvoiceError> {
    if is_xlsx(bytes) { xlsx(bytes, sheet, limits) } else { csv(bytes, delimiter, limits) }
}

struct Table<'l> {
    rows: Vec<Row>,
    limits: &'l InvoiceLimits,
}

impl Table<'_> {
    /// Cells come row by row, from left to right.
    fn put(&mut self, row: u64, column: usize, text: String, is_number: bool) -> Result<(), InvoiceError> {
        if column >= self.limits.columns_max {
            return Err(limit("column", column as u64 + 1, "columns_max", self.limits.columns_max as u64));
        }
        if text.len() > self.limits.cell_bytes_max {
            return Err(limit("bytes of a cell", text.len() as u64, "cell_bytes_max", self.limits.cell_bytes_max as u64));
        }
        if self.rows.last().is_none_or(|last| last.number != row) {
            if self.rows.len() as u64 == self.limits.rows_max {
                return Err(limit("rows", self.limits.rows_max + 1, "rows_max", self.limits.rows_max));
            }
            self.rows.push(Row { number: row, cells: Vec::new(), numbers: Vec::new() });
        }
        if let Some(last) = self.rows.last_mut() {
            last.cells.resize(last.cells.len().max(column), String::new());
            last.cells.push(text);
            last.numbers.resize(column, false);
            last.numbers.push(is_number);
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<Row> {
        self.rows.retain(|row| row.cells.iter().any(|cell| !cell.is_empty()));
        self.rows
    }
}

fn csv(bytes: &[u8], delimiter: u8, limits: &InvoiceLimits) -> Result<Vec<Row>, InvoiceError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let (mut table, mut record) = (Table { rows: Vec::new(), limits }, csv::StringRecord::new());
    // Rows are counted as a spreadsheet counts them: empty ones too, which the reader skips, and a cell of two lines is one.
    let mut row = 0;
    loop {
        row += 1 + blank_lines(bytes, reader.position().byte() as usize);
        let more = reader.read_record(&mut record).map_err(|error| match error.kind() {
            csv::ErrorKind::Utf8 { err, .. } => {
                InvoiceError::Cell { row, column: (err.field() + 1).to_string(), reason: "no UTF-8: save the file as UTF-8".to_owned() }
            }
            _ => InvoiceError::File { kind: "CSV", reason: error.to_string() },
        })?;
        if !more {
            break;
        }
        for (column, cell) in record.iter().enumerate() {
            table.put(row, column, cell.trim().to_owned(), false)?;
        }
    }
    Ok(table.finish())
}

/// Lines without anything in them, from where a record ended: maybe between `\r` and `\n`.
fn blank_lines(bytes: &[u8], at: usize) -> u64 {
    let is_torn = at.checked_sub(1).is_some_and(|before| bytes[before] == b'\r') && bytes.get(at) == Some(&b'\n');
    let rest = bytes.get(at + usize::from(is_torn)..).unwrap_or_default();
    rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count() as u64
}

fn xlsx(bytes: &[u8], sheet: Option<&str>, limits: &InvoiceLimits) -> Result<Vec<Row>, InvoiceError> {
    let wrong = |reason: String| InvoiceError::File { kind: "XLSX", reason };
    unpack(bytes, limits)?;
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|error| wrong(error.to_string()))?;
    let names = book.sheet_names();
    let name = match sheet {
        Some(sheet) => {
            names.iter().find(|name| *name == sheet).ok_or_else(|| wrong(format!("no sheet `{sheet}`: there are {}", names.join(", "))))?
        }
        None => names.first().ok_or_else(|| wrong("no sheet in it".to_owned()))?,
    };
    // Cell by cell: a sheet with one cell in its last corner is no reason to hold all between.
    let mut cells = book.worksheet_cells_reader(name).map_err(|error| wrong(error.to_string()))?;
    let mut table = Table { rows: Vec::new(), limits };
    while let Some(cell) = cells.next_cell().map_err(|error| wrong(error.to_string()))? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value()).map_err(|reason| InvoiceError::Cell {
            row: u64::from(row) + 1,
            column: (column + 1).to_string(),
            reason,
        })?;
        if !text.is_empty() {
            let is_number = matches!(cell.get_value(), DataRef::Int(_) | DataRef::Float(_));
            table.put(u64::from(row) + 1, column as usize, text, is_number)?;
        }
    }
    Ok(table.finish())
}

fn text(value: &DataRef) -> Result<String, String> {
    Ok(match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Int(number) => number.to_string(),
        // The shortest text that means this number: what was typed into the cell.
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(time) => date(*time),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => return Err(format!("the cell holds an error: {error}")),
    })
}

fn date(time: ExcelDateTime) -> String {
    match time.to_ymd_hms_milli() {
        (year, month, day, 0, 0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        (year, month, day, hour, minute, second, _) => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
    }
}

/// Unpacks every part once and throws it away: what a ZIP says of its parts' sizes need not be true.
fn unpack(bytes: &[u8], limits: &InvoiceLimits) -> Result<(), InvoiceError> {
    let wrong = |reason: String| InvoiceError::File { kind: "XLSX", reason };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong(error.to_string()))?;
    let (mut unpacked, mut buffer) = (0, vec![0; 64 << 10]);
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| wrong(error.to_string()))?;
        loop {
            let count = part.read(&mut buffer).map_err(|error| wrong(error.to_string()))?;
            if count == 0 {
                break;
            }
            unpacked += count as u64;
            if unpacked > limits.unpacked_bytes_max {
                return Err(limit("unpacked bytes", unpacked, "unpacked_bytes_max", limits.unpacked_bytes_max));
            }
            let ratio = unpacked / (bytes.len() as u64).max(1);
            if unpacked > limits.ratio_free_bytes && ratio > limits.ratio_max {
                return Err(limit("unpacked parts, times the file", ratio, "ratio_max", limits.ratio_max));
            }
        }
    }
    Ok(())
}

pub(super) fn limit(field: &'static str, value: u64, limit: &'static str, max: u64) -> InvoiceError {
    InvoiceError::Limit { field, value, limit, max }
}
