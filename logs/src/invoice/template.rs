//! A vendor's template: which column of its invoices is what.

use super::number::Style;
use crate::position;
use chrono_tz::Tz;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A template, read and checked.
#[derive(Debug, Clone)]
pub struct Template {
    pub name: String,
    pub(super) sheet: Option<String>,
    pub(super) delimiter: u8,
    pub(super) style: Style,
    pub(super) tz: Tz,
    pub(super) date_format: Option<String>,
    pub(super) header_rows: u64,
    pub(super) currency: Option<String>,
    pub(super) currency_names: BTreeMap<String, String>,
    pub(super) unit: Option<String>,
    pub(super) skip_items: Vec<String>,
    pub(super) columns: Columns,
}

/// Headings of the columns, compared without regard to case and to space around them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    /// A day, a month or a range in one cell; or `from` and `to`.
    pub(super) period: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) item: String,
    pub(super) domain: Option<String>,
    pub(super) region: Option<String>,
    pub(super) quantity: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) price: Option<String>,
    pub(super) amount: String,
    pub(super) currency: Option<String>,
}

impl Columns {
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        let optional =
            [&self.period, &self.from, &self.to, &self.domain, &self.region, &self.quantity, &self.unit, &self.price, &self.currency];
        [&self.item, &self.amount].into_iter().chain(optional.into_iter().flatten())
    }
}

/// A template that could not be read: the field, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template `{field}`: {reason}")]
pub struct TemplateError {
    /// Counted from 1; none where the text has no such field.
    pub line: Option<u64>,
    pub field: String,
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    /// Of an XLSX; default: the first.
    sheet: Option<String>,
    /// Of a CSV.
    delimiter: Option<char>,
    #[serde(default)]
    decimal_comma: bool,
    tz: String,
    /// As strftime has it, where days are not written 2026-10-01.
    date_format: Option<String>,
    /// The header is looked for in so many rows.
    header_rows: Option<u64>,
    /// Where no column has it.
    currency: Option<String>,
    /// Names of currencies → ISO 4217: `"人民币" = "CNY"`.
    #[serde(default)]
    currency_names: BTreeMap<String, String>,
    /// Where no column has it.
    unit: Option<String>,
    /// Items that are no lines, such as a total.
    #[serde(default)]
    skip_items: Vec<String>,
    columns: Columns,
}

impl Template {
    /// Reads a template from TOML. The error names line and field.
    pub fn parse(toml: &str) -> Result<Template, TemplateError> {
        let file = toml::from_str(toml).map_err(|error| {
            let (line, field) = position::of_error(toml, &error);
            TemplateError { line, field, reason: error.message().to_owned() }
        })?;
        Template::checked(file).map_err(|error| TemplateError { line: position::of_field(toml, &error.field), ..error })
    }

    fn checked(file: File) -> Result<Template, TemplateError> {
        let name_ok = (1..=64).contains(&file.name.len()) && file.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !name_ok {
            return Err(wrong("name", "letters, digits, hyphens, at most 64"));
        }
        let columns = &file.columns;
        if columns.period.is_some() == (columns.from.is_some() || columns.to.is_some()) || columns.from.is_some() != columns.to.is_some() {
            return Err(wrong("columns", "either `period`, or `from` and `to`"));
        }
        if columns.currency.is_some() == file.currency.is_some() {
            return Err(wrong("currency", "either `currency`, or `columns.currency`"));
        }
        if columns.unit.is_some() && file.unit.is_some() {
            return Err(wrong("unit", "either `unit`, or `columns.unit`"));
        }
        if let Some(currency) = file.currency.iter().chain(file.currency_names.values()).find(|currency| !is_currency(currency)) {
            return Err(wrong("currency", &format!("`{currency}` is no ISO 4217 code")));
        }
        let delimiter = file.delimiter.unwrap_or(',');
        let formatted = file
            .date_format
            .as_deref()
            .map(|format| chrono::format::StrftimeItems::new(format).any(|item| item == chrono::format::Item::Error));
        if formatted == Some(true) {
            return Err(wrong("date_format", "no format of strftime"));
        }
        Ok(Template {
            name: file.name,
            sheet: file.sheet,
            delimiter: u8::try_from(delimiter).ok().filter(u8::is_ascii).ok_or_else(|| wrong("delimiter", "no ASCII sign"))?,
            style: if file.decimal_comma { Style::Comma } else { Style::Point },
            tz: file.tz.parse().map_err(|_| wrong("tz", &format!("`{}` is no time zone", file.tz)))?,
            date_format: file.date_format,
            header_rows: file.header_rows.unwrap_or(30),
            currency: file.currency,
            currency_names: file.currency_names,
            unit: file.unit,
            skip_items: file.skip_items,
            columns: file.columns,
        })
    }
}

pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn wrong(field: &str, reason: &str) -> TemplateError {
    TemplateError { line: None, field: field.to_owned(), reason: reason.to_owned() }
}
