//! XLSX: a sheet a table, header frozen and filterable, numbers as numbers. Rows go to a temporary file as they
//! come. A spreadsheet knows 15 digits; the exact texts are in CSV and Parquet.

use super::table::{Cell, Column, Kind, Writer, failed};
use crate::error::Error;
use rust_xlsxwriter::{Color, DocProperties, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};
use std::collections::BTreeSet;
use std::path::Path;

/// A sheet ends at 1,048,576 rows; the rest of a table goes on in the next.
const SHEET_ROWS_MAX: u32 = 1_000_000;
const TEXT_WIDTH: f64 = 18.0;
const NUMBER_WIDTH: f64 = 20.0;
/// Names of sheets are short, and some signs are forbidden in them.
const NAME_LETTERS_MAX: usize = 31;

pub struct Xlsx {
    book: Workbook,
    sheet: usize,
    name: String,
    /// Names given so far, in small letters: no two sheets may differ by case alone.
    names: BTreeSet<String>,
    columns: &'static [Column],
    row: u32,
    part: u32,
    formats: Formats,
}

struct Formats {
    header: Format,
    text: Format,
    int: Format,
    decimal: Format,
}

impl Xlsx {
    /// Temporary files lie in `folder`.
    pub fn new(folder: &Path, title: &str) -> Result<Xlsx, Error> {
        let mut book = Workbook::new();
        book.set_tempdir(folder).map_err(broken)?;
        book.set_properties(&DocProperties::new().set_title(title).set_author("Livemeter"));
        let header = Format::new()
            .set_bold()
            .set_font_color(Color::White)
            .set_background_color(Color::RGB(0x1F_3A_5F))
            .set_align(FormatAlign::VerticalCenter)
            .set_border_bottom(FormatBorder::Thin);
        let formats = Formats {
            header,
            text: Format::new(),
            int: Format::new().set_num_format("#,##0"),
            decimal: Format::new().set_num_format("#,##0.00######"),
        };
        Ok(Xlsx { book, sheet: 0, name: String::new(), names: BTreeSet::new(), columns: &[], row: 0, part: 1, formats })
    }

    pub fn finish(mut self, out: impl std::io::Write + std::io::Seek + Send) -> Result<(), Error> {
        self.book.save_to_writer(out).map_err(broken)
    }

    fn open(&mut self) -> Result<(), Error> {
        let wanted = if self.part == 1 { self.name.clone() } else { format!("{} {}", self.name, self.part) };
        let name = sheet_name(&wanted, &mut self.names);
        let (columns, header) = (self.columns, &self.formats.header);
        self.sheet = self.book.worksheets().len();
        let sheet = self.book.add_worksheet_with_constant_memory().map_err(broken)?;
        let mut lay = || -> Result<(), XlsxError> {
            sheet.set_name(&name)?;
            sheet.set_freeze_panes(1, 0)?;
            for (at, column) in (0_u16..).zip(columns) {
                let least = if column.kind == Kind::Text { TEXT_WIDTH } else { NUMBER_WIDTH };
                sheet.set_column_width(at, least.max(column.name.len() as f64 + 4.0))?;
                sheet.write_string_with_format(0, at, column.name, header)?;
            }
            Ok(())
        };
        lay().map_err(broken)?;
        self.row = 1;
        Ok(())
    }
}

impl Writer for Xlsx {
    fn begin(&mut self, name: &str, columns: &'static [Column]) -> Result<(), Error> {
        (self.name, self.columns, self.part) = (name.to_owned(), columns, 1);
        self.open()
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), Error> {
        if self.row > SHEET_ROWS_MAX {
            self.part += 1;
            self.open()?;
        }
        let sheet = self.book.worksheet_from_index(self.sheet).map_err(broken)?;
        for (at, cell) in (0_u16..).zip(cells) {
            write(sheet, self.row, at, cell, &self.formats).map_err(broken)?;
        }
        self.row += 1;
        Ok(())
    }
}

fn write(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, formats: &Formats) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => sheet.write_string_with_format(row, column, text, &formats.text)?,
        Cell::Int(number) => sheet.write_number_with_format(row, column, *number as f64, &formats.int)?,
        Cell::Decimal(text) => match text.parse::<f64>() {
            Ok(number) => sheet.write_number_with_format(row, column, number, &formats.decimal)?,
            Err(_) => sheet.write_string_with_format(row, column, text, &formats.text)?,
        },
        Cell::None => sheet,
    };
    Ok(())
}

/// A name that a sheet may have and none has yet: of two that are cut to the same letters, the second gets a number.
fn sheet_name(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: Vec<char> = wanted.chars().map(|c| if "[]:*?/\\'".contains(c) { '-' } else { c }).collect();
    let cut = |letters: usize| plain.iter().take(letters).collect::<String>();
    let mut name = cut(NAME_LETTERS_MAX);
    let mut number = 1_u32;
    while !taken.insert(name.to_lowercase()) {
        number += 1;
        let ending = format!(" ({number})");
        name = cut(NAME_LETTERS_MAX - ending.len()) + &ending;
    }
    name
}

fn broken(error: XlsxError) -> Error {
    failed("XLSX")(&error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sheets_have_the_same_name() {
        let mut taken = BTreeSet::new();
        let long = "a-vendor-with-a-name-of-many-letters";
        let names: Vec<String> = ["Days", "days", "a/b", long, long].map(|name| sheet_name(name, &mut taken)).into();
        assert_eq!(names, ["Days", "days (2)", "a-b", "a-vendor-with-a-name-of-many-le", "a-vendor-with-a-name-of-man (2)"]);
        assert!(names.iter().all(|name| name.len() <= NAME_LETTERS_MAX));
    }
}
