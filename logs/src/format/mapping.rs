//! A mapping file: how a log's lines are cut, which field is what, and how its times are written. Read and checked
//! here; [`super::parser`] applies it. The formats known by name are such files too.

use super::FormatError;
use super::time::{Ambiguous, Pattern};
use crate::position;
use serde::Deserialize;

/// A mapping, read and checked.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub name: String,
    pub(super) lines: Lines,
    pub(super) comment: Option<u8>,
    pub(super) header: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) columns_min: usize,
    pub(super) columns_max: usize,
    pub(super) absent: Vec<u8>,
    pub(super) fields: Fields,
    pub(super) pattern: Pattern,
    pub(super) host_in_url: bool,
    pub(super) region_until_digit: bool,
    pub(super) absent_bytes_are_zero: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    Delimited(u8),
    Spaced,
    Json,
}

/// Names of the fields by what they hold: of columns, or of keys.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) time: Vec<String>,
    pub(super) bytes: String,
    pub(super) host: Option<String>,
    pub(super) region: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) url: Option<String>,
    pub(super) status: Option<String>,
}

impl Fields {
    /// Every field named, in one order: the parser's.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let optional = [&self.host, &self.region, &self.request_id, &self.session_id, &self.url, &self.status];
        self.time.iter().chain([&self.bytes]).chain(optional.into_iter().flatten()).map(String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    lines: String,
    delimiter: Option<char>,
    comment: Option<char>,
    header: Option<String>,
    #[serde(default)]
    columns: Vec<String>,
    columns_min: Option<usize>,
    columns_max: Option<usize>,
    #[serde(default = "dash")]
    absent: String,
    #[serde(default)]
    host_in_url: bool,
    #[serde(default)]
    region_until_digit: bool,
    #[serde(default)]
    absent_bytes_are_zero: bool,
    fields: FileFields,
    time: FileTime,
}

fn dash() -> String {
    "-".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFields {
    time: Place,
    bytes: Place,
    host: Option<Place>,
    region: Option<Place>,
    request_id: Option<Place>,
    session_id: Option<Place>,
    url: Option<Place>,
    status: Option<Place>,
}

/// A column's or key's name; a column's number, counted from 1; several, joined by a space.
#[derive(Deserialize)]
#[serde(untagged)]
enum Place {
    Number(usize),
    Name(String),
    Several(Vec<Place>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTime {
    format: String,
    zone: Option<String>,
    #[serde(default)]
    ambiguous: Ambiguous,
}

const COLUMNS_MAX: usize = 512;

impl Mapping {
    /// Reads a mapping from TOML. The error names line and field.
    pub fn parse(toml: &str) -> Result<Mapping, FormatError> {
        let file = toml::from_str(toml).map_err(|error| {
            let (line, field) = position::of_error(toml, &error);
            FormatError::Mapping { line, field, reason: error.message().to_owned() }
        })?;
        Mapping::checked(file).map_err(|error| match error {
            FormatError::Mapping { field, reason, .. } => FormatError::Mapping { line: position::of_field(toml, &field), field, reason },
            other => other,
        })
    }

    fn checked(file: File) -> Result<Mapping, FormatError> {
        let name_ok = (1..=64).contains(&file.name.len()) && file.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !name_ok {
            return Err(wrong("name", "letters, digits, hyphens, at most 64"));
        }
        let ascii = |field: &str, sign: char| u8::try_from(sign).ok().filter(u8::is_ascii).ok_or_else(|| wrong(field, "no ASCII sign"));
        let lines = match (file.lines.as_str(), file.delimiter) {
            ("delimited", Some(delimiter)) => Lines::Delimited(ascii("delimiter", delimiter)?),
            ("delimited", None) => return Err(wrong("delimiter", "missing")),
            ("spaced", None) => Lines::Spaced,
            ("json", None) => Lines::Json,
            ("spaced" | "json", Some(_)) => return Err(wrong("delimiter", "only for `lines = \"delimited\"`")),
            (other, _) => return Err(wrong("lines", &format!("`{other}` is none of delimited, spaced, json"))),
        };
        let columns = columns(&file, lines)?;
        let (columns_min, columns_max) = (file.columns_min.unwrap_or(columns.len()), file.columns_max.unwrap_or(columns.len()));
        if columns_min > columns_max || columns_max > COLUMNS_MAX {
            return Err(wrong("columns_max", &format!("from {columns_min} to {columns_max}, at most {COLUMNS_MAX}")));
        }
        let fields = fields(&file.fields, &columns, lines)?;
        let pattern = Pattern::new(&file.time.format, file.time.zone.as_deref(), file.time.ambiguous);
        if file.host_in_url && (fields.url.is_none() || fields.host.is_some()) {
            return Err(wrong("host_in_url", "needs `fields.url`, and no `fields.host`"));
        }
        Ok(Mapping {
            name: file.name,
            lines,
            comment: file.comment.map(|sign| ascii("comment", sign)).transpose()?,
            header: file.header,
            columns,
            columns_min,
            columns_max,
            absent: file.absent.into_bytes(),
            fields,
            pattern: pattern.map_err(|reason| wrong("time", &reason))?,
            host_in_url: file.host_in_url,
            region_until_digit: file.region_until_digit,
            absent_bytes_are_zero: file.absent_bytes_are_zero,
        })
    }

    /// True when the lines say which domain they are of.
    pub(crate) fn names_hosts(&self) -> bool {
        self.host_in_url || self.fields.host.is_some()
    }

    /// True when the lines carry a request's id.
    pub(crate) fn has_request_ids(&self) -> bool {
        self.fields.request_id.is_some()
    }
}

/// A file that names columns by number alone has as many as the highest, or as `columns_max` says.
fn columns(file: &File, lines: Lines) -> Result<Vec<String>, FormatError> {
    if lines == Lines::Json {
        let odd = !file.columns.is_empty() || file.header.is_some() || file.columns_min.is_some() || file.columns_max.is_some();
        return if odd { Err(wrong("columns", "JSON lines have keys, not columns")) } else { Ok(Vec::new()) };
    }
    if file.columns.is_empty() {
        let count = file.columns_max.ok_or_else(|| wrong("columns", "missing: name the columns, or give `columns_max`"))?;
        return Ok((1..=count.min(COLUMNS_MAX)).map(|number| number.to_string()).collect());
    }
    Ok(file.columns.clone())
}

fn fields(file: &FileFields, columns: &[String], lines: Lines) -> Result<Fields, FormatError> {
    let one = |field: &str, place: &Place| match place {
        Place::Name(name) if lines == Lines::Json || columns.contains(name) => Ok(name.clone()),
        Place::Name(name) => Err(wrong(field, &format!("`{name}` is none of the columns"))),
        Place::Number(number) if lines != Lines::Json => number
            .checked_sub(1)
            .and_then(|at| columns.get(at))
            .cloned()
            .ok_or_else(|| wrong(field, &format!("column {number}: there are columns 1 to {}", columns.len()))),
        Place::Number(_) => Err(wrong(field, "JSON lines have keys, not columns")),
        Place::Several(_) => Err(wrong(field, "one column or key")),
    };
    let optional = |field: &str, place: &Option<Place>| place.as_ref().map(|place| one(field, place)).transpose();
    let time = match &file.time {
        Place::Several(places) if !places.is_empty() => places.iter().map(|place| one("fields.time", place)).collect::<Result<_, _>>()?,
        place => vec![one("fields.time", place)?],
    };
    Ok(Fields {
        time,
        bytes: one("fields.bytes", &file.bytes)?,
        host: optional("fields.host", &file.host)?,
        region: optional("fields.region", &file.region)?,
        request_id: optional("fields.request_id", &file.request_id)?,
        session_id: optional("fields.session_id", &file.session_id)?,
        url: optional("fields.url", &file.url)?,
        status: optional("fields.status", &file.status)?,
    })
}

fn wrong(field: &str, reason: &str) -> FormatError {
    FormatError::Mapping { line: None, field: field.to_owned(), reason: reason.to_owned() }
}

impl From<FormatError> for crate::ImportError {
    fn from(error: FormatError) -> crate::ImportError {
        crate::ImportError::Request { field: "format", reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    const GOOD: &str = r#"
        name = "edge"
        lines = "delimited"
        delimiter = "|"
        columns_max = 5
        [fields]
        time = 1
        bytes = 3
        host = 2
        [time]
        format = "unix"
    "#;

    #[test]
    fn the_formats_known_by_name_are_mappings_that_read() {
        for name in Format::NAMES {
            assert_eq!(Format::named(name).unwrap().name(), name);
        }
        assert!(matches!(Format::named("squid"), Err(FormatError::Unknown(_))));
    }

    #[test]
    fn a_wrong_mapping_is_refused_by_field() {
        assert!(Mapping::parse(GOOD).is_ok());
        let wrongs = [
            ("time = 1", "time = 6", "fields.time"),
            ("host = 2", "host = \"b\"", "fields.host"),
            ("columns_max = 5", "", "columns"),
            ("columns_max = 5", "columns_max = 5\nhost_in_url = true", "host_in_url"),
            ("delimiter = \"|\"", "", "delimiter"),
            ("delimiter = \"|\"", "delimiter = \"ä\"", "delimiter"),
            ("\"delimited\"", "\"xml\"", "lines"),
            ("\"unix\"", "\"%H\"", "time"),
            ("name = \"edge\"", "name = \"../edge\"", "name"),
            ("[time]", "[time]\nfoo = 1", "foo"),
        ];
        for (good, bad, field) in wrongs {
            match Mapping::parse(&GOOD.replace(good, bad)) {
                Err(FormatError::Mapping { field: found, .. }) => assert_eq!(found, field, "{bad}"),
                other => panic!("{bad}: {other:?}"),
            }
        }
    }
}
