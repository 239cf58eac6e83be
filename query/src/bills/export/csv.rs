//! CSV: one table a file, decimals to the digit.

use super::table::{Cell, Column, Writer, failed};
use crate::error::Error;
use std::io::Write;

pub struct Csv<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> Csv<W> {
    pub fn new(out: W) -> Csv<W> {
        Csv { out: csv::Writer::from_writer(out) }
    }

    pub fn finish(mut self) -> Result<(), Error> {
        self.out.flush().map_err(|e| failed("CSV")(&e))
    }
}

impl<W: Write> Writer for Csv<W> {
    fn begin(&mut self, _name: &str, columns: &'static [Column]) -> Result<(), Error> {
        self.out.write_record(columns.iter().map(|c| c.name)).map_err(|e| failed("CSV")(&e))
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), Error> {
        self.out.write_record(cells.iter().map(|cell| harmless(cell.shown()))).map_err(|e| failed("CSV")(&e))
    }
}

/// A spreadsheet runs what begins like a formula; a host's name or a user's id may. Numbers are left alone.
fn harmless(text: String) -> String {
    let formula = text.starts_with(['=', '@', '\t', '\r']) || (text.starts_with(['+', '-']) && text.parse::<f64>().is_err());
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::table::{decimal, exact, int, text};
    use super::*;

    #[test]
    fn numbers_are_exact_and_no_text_is_a_formula() {
        const COLUMNS: [Column; 3] = [text("domain"), int("bytes"), decimal("amount")];
        let mut out = Vec::new();
        let mut csv = Csv::new(&mut out);
        csv.begin("", &COLUMNS).unwrap();
        csv.row(&["=1+2".into(), i64::MIN.into(), exact("-0.10")]).unwrap();
        csv.row(&["a,b".into(), Cell::None, exact("12345678901234567890.123456789")]).unwrap();
        csv.finish().unwrap();
        let expected = "domain,bytes,amount\n'=1+2,-9223372036854775808,-0.10\n\"a,b\",,12345678901234567890.123456789\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
