//! Rows of texts → lines of an invoice, by a template or as FOCUS has them. Whatever cannot be read is refused by row
//! and column; there are no bad lines here, because an invoice without one of its lines is another invoice.

use super::number::{Style, decimal};
use super::table::Row;
use super::template::{Template, is_currency};
use super::{InvoiceError, InvoiceLine, period};
use rust_decimal::Decimal;

/// The lines, and the currency of all of them.
pub(super) type Lines = (Vec<InvoiceLine>, String);

/// Rows below a header, each cell found by its heading.
struct Sheet<'r> {
    headings: Vec<String>,
    rows: &'r [Row],
}

struct Cells<'s> {
    sheet: &'s Sheet<'s>,
    row: &'s Row,
}

fn heading(text: &str) -> String {
    text.trim().to_lowercase()
}

impl<'r> Sheet<'r> {
    /// The first row that has all the headings.
    fn below_header(rows: &'r [Row], wanted: &[&str], within_rows: u64) -> Result<Sheet<'r>, InvoiceError> {
        let missing = |row: &Row| -> Vec<String> {
            let headings: Vec<String> = row.cells.iter().map(|cell| heading(cell)).collect();
            wanted.iter().filter(|name| !headings.contains(&heading(name))).map(|name| (*name).to_owned()).collect()
        };
        let mut nearest: Option<Vec<String>> = None;
        for (at, row) in rows.iter().enumerate().take_while(|(_, row)| row.number <= within_rows) {
            let missing = missing(row);
            if missing.is_empty() {
                let headings = row.cells.iter().map(|cell| heading(cell)).collect();
                return Ok(Sheet { headings, rows: &rows[at + 1..] });
            }
            if nearest.as_ref().is_none_or(|nearest| missing.len() < nearest.len()) {
                nearest = Some(missing);
            }
        }
        let missing = nearest.unwrap_or_else(|| wanted.iter().map(|name| (*name).to_owned()).collect());
        Err(InvoiceError::Header { rows: within_rows, missing: missing.join(", ") })
    }

    fn has(&self, name: &str) -> bool {
        self.headings.contains(&heading(name))
    }
}

impl Cells<'_> {
    /// A cell's text; none where the cell is empty or there is no such column.
    fn text(&self, name: &str) -> Option<&str> {
        let column = self.sheet.headings.iter().position(|known| *known == heading(name))?;
        self.row.cells.get(column).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn of(&self, name: &Option<String>) -> Option<String> {
        name.as_ref().and_then(|name| self.text(name)).map(str::to_owned)
    }

    fn must(&self, name: &str) -> Result<&str, InvoiceError> {
        self.text(name).ok_or_else(|| self.wrong(name, "is empty".to_owned()))
    }

    fn number(&self, name: &str, style: Style) -> Result<Option<Decimal>, InvoiceError> {
        self.text(name).map(|text| decimal(text, style).map_err(|reason| self.wrong(name, reason))).transpose()
    }

    fn wrong(&self, column: &str, reason: String) -> InvoiceError {
        InvoiceError::Cell { row: self.row.number, column: column.to_owned(), reason }
    }
}

/// One currency for all lines, and the one that is expected.
struct Currency<'e> {
    expected: Option<&'e str>,
    found: Option<String>,
}

impl Currency<'_> {
    fn take(&mut self, cells: &Cells, column: &str, currency: &str) -> Result<(), InvoiceError> {
        if !is_currency(currency) {
            return Err(cells.wrong(column, format!("`{currency}` is no currency of ISO 4217")));
        }
        let expected = self.expected.or(self.found.as_deref()).unwrap_or(currency);
        if expected != currency {
            let (found, expected) = (currency.to_owned(), expected.to_owned());
            return Err(InvoiceError::Currency { row: cells.row.number, column: column.to_owned(), found, expected });
        }
        self.found = Some(currency.to_owned());
        Ok(())
    }
}

pub(super) fn by_template(rows: &[Row], template: &Template, expected: Option<&str>) -> Result<Lines, InvoiceError> {
    let columns = &template.columns;
    let wanted: Vec<&str> = columns.all().map(String::as_str).collect();
    let sheet = Sheet::below_header(rows, &wanted, template.header_rows)?;
    let (mut lines, mut currency) = (Vec::new(), Currency { expected, found: None });
    for row in sheet.rows {
        let cells = Cells { sheet: &sheet, row };
        // Remarks and signatures below the lines have none of these cells.
        let item = cells.text(&columns.item);
        if item.is_none() && cells.text(&columns.amount).is_none()
            || item.is_some_and(|item| template.skip_items.iter().any(|skip| skip == item))
        {
            continue;
        }
        let in_column = columns.currency.as_deref();
        let named = match in_column {
            Some(column) => cells.must(column)?,
            None => template.currency.as_deref().unwrap_or_default(),
        };
        let code = template.currency_names.get(named).map_or(named, String::as_str);
        currency.take(&cells, in_column.unwrap_or("currency"), code)?;
        let format = template.date_format.as_deref();
        let (from_ms, to_ms) = match (&columns.period, &columns.from, &columns.to) {
            (None, Some(from), Some(to)) => {
                period::from_to(cells.must(from)?, cells.must(to)?, format, template.tz).map_err(|reason| cells.wrong(from, reason))?
            }
            (name, ..) => {
                let name = name.as_deref().unwrap_or_default();
                period::period(cells.must(name)?, format, template.tz).map_err(|reason| cells.wrong(name, reason))?
            }
        };
        // A sheet's numbers have a point whatever its reader's country; a text in it is written as on paper.
        let number = |name: &str| match cells.text(name) {
            Some(text) if row.is_number(&sheet.headings, name) => {
                decimal(text, Style::Plain).map(Some).map_err(|reason| cells.wrong(name, reason))
            }
            _ => cells.number(name, template.style),
        };
        let optional = |name: &Option<String>| name.as_deref().map_or(Ok(None), number);
        lines.push(InvoiceLine {
            row: row.number,
            item: cells.must(&columns.item)?.to_owned(),
            domain: cells.of(&columns.domain).map(|domain| domain.to_ascii_lowercase()),
            region: cells.of(&columns.region),
            from_ms,
            to_ms,
            quantity: optional(&columns.quantity)?,
            unit: cells.of(&columns.unit).or_else(|| template.unit.clone()),
            price: optional(&columns.price)?,
            amount: number(&columns.amount)?.ok_or_else(|| cells.wrong(&columns.amount, "is empty".to_owned()))?,
            text: row.text(),
        });
    }
    finish(lines, currency, rows)
}

/// FOCUS 1.x cost and usage, columns by the names of the specification (<https://focus.finops.org>).
pub(super) fn focus(rows: &[Row], expected: Option<&str>) -> Result<Lines, InvoiceError> {
    const NEEDED: [&str; 4] = ["BilledCost", "BillingCurrency", "ChargePeriodStart", "ChargePeriodEnd"];
    let sheet = Sheet::below_header(rows, &NEEDED, 1)?;
    // Of columns that say the same, the first that is there; some came with later versions.
    let first_of = |names: &[&'static str]| names.iter().copied().find(|name| sheet.has(name));
    let item = first_of(&["ChargeDescription", "SkuId", "ServiceName"]);
    let domain = first_of(&["ResourceId", "ResourceName"]);
    let region = first_of(&["RegionId", "RegionName", "Region"]);
    let (quantity, unit) = (first_of(&["ConsumedQuantity", "UsageQuantity"]), first_of(&["ConsumedUnit", "UsageUnit"]));
    let price = first_of(&["ContractedUnitPrice", "ListUnitPrice"]);
    let (mut lines, mut currency) = (Vec::new(), Currency { expected, found: None });
    for row in sheet.rows {
        let cells = Cells { sheet: &sheet, row };
        currency.take(&cells, "BillingCurrency", cells.must("BillingCurrency")?)?;
        let time = |name: &str| period::moment(cells.must(name)?).map_err(|reason| cells.wrong(name, reason));
        let (from_ms, to_ms) = (time("ChargePeriodStart")?, time("ChargePeriodEnd")?);
        if from_ms >= to_ms {
            return Err(cells.wrong("ChargePeriodEnd", "is not after ChargePeriodStart".to_owned()));
        }
        let text = |name: Option<&str>| name.and_then(|name| cells.text(name)).filter(|text| *text != "null").map(str::to_owned);
        let number = |name: Option<&str>| match text(name) {
            Some(_) => name.map_or(Ok(None), |name| cells.number(name, Style::Plain)),
            None => Ok(None),
        };
        let amount = number(Some("BilledCost"))?.ok_or_else(|| cells.wrong("BilledCost", "is empty".to_owned()))?;
        lines.push(InvoiceLine {
            row: row.number,
            item: text(item).or_else(|| text(Some("ChargeCategory"))).unwrap_or_default(),
            domain: text(domain).map(|domain| domain.to_ascii_lowercase()),
            region: text(region),
            from_ms,
            to_ms,
            quantity: number(quantity)?,
            unit: text(unit),
            price: number(price)?,
            amount,
            text: row.text(),
        });
    }
    finish(lines, currency, rows)
}

fn finish(lines: Vec<InvoiceLine>, currency: Currency, rows: &[Row]) -> Result<Lines, InvoiceError> {
    match currency.found {
        Some(currency) if !lines.is_empty() => Ok((lines, currency)),
        _ => Err(InvoiceError::Empty { rows: rows.len() as u64 }),
    }
}

impl Row {
    fn text(&self) -> String {
        self.cells.join("\t")
    }

    /// True where the cell came as a number, not as a text.
    fn is_number(&self, headings: &[String], name: &str) -> bool {
        let column = headings.iter().position(|known| *known == heading(name));
        column.is_some_and(|column| self.numbers.get(column).copied().unwrap_or_default())
    }
}
