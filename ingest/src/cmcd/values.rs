//! One report's text → its keys with typed values. Structured fields are read by `sfv`, JSON by serde; here both
//! become one. What a key means is in [`super::report`].

use super::Ignored;
use crate::batch;
use livemeter_schemas::refusal::{Code, Refusal};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use std::collections::BTreeMap;

/// A value, as far as any key of CMCD may have it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Decimals are rounded: no key that is used here needs more.
    Number(i64),
    Text(String),
    Flag(bool),
    List(Vec<Value>),
    /// Of a type that no key has.
    Other,
}

/// A report's keys; of one that is given twice the last counts, as the standard has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(BTreeMap<String, Value>);

/// Reads a structured dictionary.
pub fn dictionary(text: &str) -> Result<Values, Refusal> {
    let wrong = |e: sfv::Error| Refusal::new(Code::Malformed, "report", format!("the report is not a structured dictionary: {e}"));
    let read = Parser::new(text).parse::<Dictionary>().map_err(wrong)?;
    let entries = read.into_iter().map(|(key, entry)| (key.as_str().to_owned(), entry.into()));
    Ok(Values(entries.collect()))
}

/// Reads a JSON object.
pub fn object(text: &str) -> Result<Values, Refusal> {
    // What the reader says may repeat the text.
    let wrong = |e: serde_json::Error| {
        Refusal::new(Code::Malformed, "report", format!("the report is not a JSON object: {}", batch::clip(&e.to_string())))
    };
    let read: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).map_err(wrong)?;
    Ok(Values(read.into_iter().map(|(key, value)| (key, value.into())).collect()))
}

impl Values {
    /// Takes a key out.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// Takes out a key that is a number, or a list of which the first counts: not negative, or it is no number.
    pub fn number(&mut self, key: &str, ignored: &mut Ignored) -> Option<u64> {
        let value = match self.take(key)? {
            Value::List(items) => items.into_iter().next().unwrap_or(Value::Other),
            value => value,
        };
        let number = match &value {
            Value::Number(n) => u64::try_from(*n).ok(),
            // Custom keys may hold texts alone.
            Value::Text(text) if key.contains('-') => text.parse().ok(),
            _ => None,
        };
        good(number, ignored)
    }

    /// Takes out a key that is a text or token of 1 to `bytes_max` bytes, or a list of which the first counts.
    pub fn text(&mut self, key: &str, bytes_max: usize, ignored: &mut Ignored) -> Option<String> {
        let value = match self.take(key)? {
            Value::List(items) => items.into_iter().next().unwrap_or(Value::Other),
            value => value,
        };
        let text = match value {
            Value::Text(text) => Some(text).filter(|t| (1..=bytes_max).contains(&t.len()) && !t.chars().any(char::is_control)),
            _ => None,
        };
        good(text, ignored)
    }

    /// Takes out a key that is true or false.
    pub fn flag(&mut self, key: &str, ignored: &mut Ignored) -> bool {
        let Some(value) = self.take(key) else { return false };
        good(if let Value::Flag(flag) = value { Some(flag) } else { None }, ignored).unwrap_or_default()
    }

    /// The keys that begin so.
    pub fn beginning(&self, prefix: &str) -> Vec<String> {
        self.0.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// The keys that are left.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn good<T>(value: Option<T>, ignored: &mut Ignored) -> Option<T> {
    ignored.bad_values += u64::from(value.is_none());
    value
}

impl From<ListEntry> for Value {
    fn from(entry: ListEntry) -> Self {
        match entry {
            ListEntry::Item(item) => item.bare_item.into(),
            ListEntry::InnerList(list) => Value::List(list.items.into_iter().map(|item| item.bare_item.into()).collect()),
        }
    }
}

impl From<BareItem> for Value {
    fn from(item: BareItem) -> Self {
        match item {
            BareItem::Integer(n) => Value::Number(n.into()),
            BareItem::Decimal(n) => Value::Number((i64::from(n.as_integer_scaled_1000()) + 500).div_euclid(1000)),
            BareItem::String(text) => Value::Text(text.as_str().to_owned()),
            BareItem::Token(text) => Value::Text(text.as_str().to_owned()),
            BareItem::DisplayString(text) => Value::Text(text),
            BareItem::Boolean(flag) => Value::Flag(flag),
            BareItem::ByteSequence(_) | BareItem::Date(_) => Value::Other,
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Bool(flag) => Value::Flag(flag),
            Json::String(text) => Value::Text(text),
            Json::Number(n) => n.as_i64().map_or_else(|| rounded(n.as_f64()), Value::Number),
            Json::Array(items) => Value::List(items.into_iter().map(Value::from).collect()),
            Json::Null | Json::Object(_) => Value::Other,
        }
    }
}

fn rounded(n: Option<f64>) -> Value {
    n.map(f64::round).filter(|n| n.abs() < 9e15).map_or(Value::Other, |n| Value::Number(n as i64))
}
