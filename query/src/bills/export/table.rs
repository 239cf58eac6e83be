//! A table on its way into a file: named columns, rows of cells. Three kinds of file take it, row by row, so
//! that a million rows need no more memory than one.

use crate::error::Error;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    /// A decimal in text: exact in CSV and Parquet, a number in a spreadsheet.
    Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

pub const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}
pub const fn int(name: &'static str) -> Column {
    Column { name, kind: Kind::Int }
}
pub const fn decimal(name: &'static str) -> Column {
    Column { name, kind: Kind::Decimal }
}

/// One value; none is an empty cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Int(i64),
    Decimal(String),
    None,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}
impl From<i64> for Cell {
    fn from(number: i64) -> Cell {
        Cell::Int(number)
    }
}
impl From<u64> for Cell {
    fn from(number: u64) -> Cell {
        i64::try_from(number).map_or_else(|_| Cell::Decimal(number.to_string()), Cell::Int)
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::None, Into::into)
    }
}

/// A decimal in text.
pub fn exact(text: impl Into<String>) -> Cell {
    Cell::Decimal(text.into())
}

/// The same, where there is one.
pub fn exact_or_none(text: &Option<String>) -> Cell {
    text.as_ref().map_or(Cell::None, exact)
}

impl Cell {
    /// As CSV shows it.
    pub fn shown(&self) -> String {
        match self {
            Cell::Text(text) | Cell::Decimal(text) => text.clone(),
            Cell::Int(number) => number.to_string(),
            Cell::None => String::new(),
        }
    }
}

/// A table whose rows are all there: a check's own tables are small.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub columns: &'static [Column],
    pub rows: Vec<Vec<Cell>>,
}

pub fn table(name: &str, columns: &'static [Column], rows: Vec<Vec<Cell>>) -> Table {
    Table { name: name.to_owned(), columns, rows }
}

/// Takes tables, one after the other: `begin`, its rows, the next.
pub trait Writer {
    fn begin(&mut self, name: &str, columns: &'static [Column]) -> Result<(), Error>;
    fn row(&mut self, cells: &[Cell]) -> Result<(), Error>;

    fn table(&mut self, table: &Table) -> Result<(), Error> {
        self.begin(&table.name, table.columns)?;
        table.rows.iter().try_for_each(|row| self.row(row))
    }
}

/// Writing failed: the disk, most likely.
pub fn failed(what: &str) -> impl Fn(&dyn std::fmt::Display) -> Error {
    let what = what.to_owned();
    move |e| Error::Folder(format!("writing {what}: {e}"))
}
