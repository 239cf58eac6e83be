//! A mapping applied to lines. No allocation a line: fields are places in it, and what must be decoded has its room.

use super::mapping::{Fields, Lines, Mapping};
use super::session::Sessions;
use super::split::{self, Span};
use super::time::Clock;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a line says. Texts are as they stand in the line; empty where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit<'a> {
    pub(crate) time_ms: i64,
    pub(crate) bytes: u64,
    pub(crate) host: &'a [u8],
    pub(crate) region: &'a [u8],
    pub(crate) request_id: &'a [u8],
    pub(crate) session: &'a [u8],
}

/// Why a line is none of the format: the field (counted from 1; 0 is the line itself), its name, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadField {
    pub(crate) field: usize,
    pub(crate) name: String,
    pub(crate) reason: String,
    /// In the line that names the columns: then nothing after it can be trusted.
    pub(crate) in_header: bool,
}

impl fmt::Display for BadField {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self.field {
            0 => write!(to, "`{}`: {}", self.name, self.reason),
            field => write!(to, "field {field} `{}`: {}", self.name, self.reason),
        }
    }
}

/// More bytes than any response has: a number in the wrong column.
const RESPONSE_BYTES_MAX: u64 = 1 << 42;

/// Places of the fields among the columns, or among the wanted keys.
#[derive(Debug, Clone, Default)]
struct Places {
    time: Vec<usize>,
    bytes: usize,
    host: Option<usize>,
    region: Option<usize>,
    request_id: Option<usize>,
    session_id: Option<usize>,
    url: Option<usize>,
    status: Option<usize>,
}

impl Places {
    fn wanted(&self) -> usize {
        let optional = [self.host, self.region, self.request_id, self.session_id, self.url, self.status];
        let last = self.time.iter().copied().chain([self.bytes]).chain(optional.into_iter().flatten()).max();
        last.unwrap_or_default() + 1
    }
}

/// Reads lines one after another.
pub(crate) struct Parser {
    mapping: Arc<Mapping>,
    names: Vec<String>,
    columns: (usize, usize),
    places: Places,
    /// Columns up to the last one that is needed.
    wanted: usize,
    spans: Vec<Span>,
    clock: Clock,
    sessions: Sessions,
    time_text: Vec<u8>,
}

impl Parser {
    pub(crate) fn new(mapping: &Arc<Mapping>) -> Parser {
        let names: Vec<String> = match mapping.lines {
            Lines::Json => mapping.fields.all().map(str::to_owned).collect(),
            _ => mapping.columns.clone(),
        };
        // A mapping's own fields are among its own names: it was checked.
        let places = places(&mapping.fields, &names).unwrap_or_default();
        Parser {
            wanted: places.wanted(),
            places,
            names,
            columns: (mapping.columns_min, mapping.columns_max),
            spans: Vec::with_capacity(mapping.columns_max + 1),
            clock: Clock::new(&mapping.pattern),
            sessions: Sessions::new(),
            time_text: Vec::with_capacity(64),
            mapping: Arc::clone(mapping),
        }
    }

    /// Hands over what the line says; returns false for a line that says nothing (a header, a comment, an empty one).
    pub(crate) fn read<T>(&mut self, line: &[u8], hit: impl FnOnce(Hit) -> T) -> Result<Option<T>, BadField> {
        if line.is_empty() {
            return Ok(None);
        }
        if let Some(header) = &self.mapping.header
            && let Some(names) = line.strip_prefix(header.as_bytes())
        {
            return self.header(names).map(|()| None);
        }
        if self.mapping.comment == Some(line[0]) {
            return Ok(None);
        }
        let found = match self.mapping.lines {
            Lines::Delimited(delimiter) => split::delimited(line, delimiter, self.wanted, &mut self.spans),
            Lines::Spaced => match split::spaced(line, self.columns.1, &mut self.spans) {
                Ok(()) => self.spans.len(),
                Err(at) => {
                    let (column, reason) = (self.spans.len(), format!("what opens at byte {at} is not closed"));
                    let name = self.names.get(column).cloned().unwrap_or_default();
                    return Err(BadField { field: column + 1, name, reason, in_header: false });
                }
            },
            Lines::Json => {
                let values = json(line, &self.names).map_err(|reason| bad_line(&reason))?;
                return self.take(|at| values[at].as_deref(), hit).map(Some);
            }
        };
        if found < self.columns.0 || found > self.columns.1 {
            let or_more = if found > self.columns.1 && self.mapping.lines == Lines::Spaced { " or more" } else { "" };
            return Err(bad_line(&format!("{found}{or_more} fields, expected {}", self.columns.0)));
        }
        let spans = std::mem::take(&mut self.spans);
        let read = self.take(|at| spans.get(at).map(|span| &line[span.start as usize..span.end as usize]), hit);
        self.spans = spans;
        read.map(Some)
    }

    /// `#Fields: date time …`: the columns of all lines that follow.
    fn header(&mut self, names: &[u8]) -> Result<(), BadField> {
        let names: Vec<String> = String::from_utf8_lossy(names).split_whitespace().map(str::to_owned).collect();
        match places(&self.mapping.fields, &names) {
            Ok(places) => {
                self.wanted = places.wanted();
                (self.places, self.columns) = (places, (names.len(), names.len()));
            }
            Err(missing) => {
                return Err(BadField {
                    field: 0,
                    reason: "not among the columns of the header".to_owned(),
                    name: missing,
                    in_header: true,
                });
            }
        }
        self.names = names;
        Ok(())
    }

    fn take<'a, T>(&mut self, field: impl Fn(usize) -> Option<&'a [u8]>, hit: impl FnOnce(Hit) -> T) -> Result<T, BadField> {
        let absent = self.mapping.absent.as_slice();
        let present = |at: Option<usize>| at.and_then(&field).filter(|text| *text != absent).unwrap_or_default();
        let names = &self.names;
        let bad = |at: usize, text: &[u8], reason: &str| bad_field(at, names, text, reason);

        let (at, time_text) = match self.places.time.as_slice() {
            [one] => (*one, present(Some(*one))),
            several => {
                self.time_text.clear();
                for at in several {
                    let before = if self.time_text.is_empty() { &b""[..] } else { b" " };
                    self.time_text.extend_from_slice(before);
                    self.time_text.extend_from_slice(present(Some(*at)));
                }
                (several.first().copied().unwrap_or_default(), self.time_text.as_slice())
            }
        };
        let time_ms = self.clock.read(time_text).map_err(|reason| bad(at, time_text, reason))?;

        let at = self.places.bytes;
        let text = present(Some(at));
        let bytes = match number(text) {
            Some(bytes) if bytes <= RESPONSE_BYTES_MAX => bytes,
            None if text.is_empty() && self.mapping.absent_bytes_are_zero && field(at).is_some() => 0,
            Some(_) => return Err(bad(at, text, "more bytes than a response can have")),
            None => return Err(bad(at, text, "no number of bytes")),
        };
        if let Some(at) = self.places.status {
            let text = present(Some(at));
            if !(text.is_empty() || text.len() == 3 && text.iter().all(u8::is_ascii_digit)) {
                return Err(bad(at, text, "no status of HTTP"));
            }
        }
        let url = present(self.places.url);
        let host = if self.mapping.host_in_url { host_of(url) } else { present(self.places.host) };
        let mut region = present(self.places.region);
        if self.mapping.region_until_digit {
            region = region.split(u8::is_ascii_digit).next().unwrap_or(region);
        }
        let request_id = present(self.places.request_id);
        let field_session = present(self.places.session_id);
        let session = if field_session.is_empty() { self.sessions.in_url(url) } else { self.sessions.in_field(field_session) };
        Ok(hit(Hit { time_ms, bytes, host: without_port(host), region, request_id, session: session.unwrap_or_default() }))
    }
}

fn places(fields: &Fields, names: &[String]) -> Result<Places, String> {
    let one = |name: &String| names.iter().position(|known| known == name).ok_or_else(|| name.clone());
    let optional = |name: &Option<String>| name.as_ref().map(one).transpose();
    Ok(Places {
        time: fields.time.iter().map(one).collect::<Result<_, _>>()?,
        bytes: one(&fields.bytes)?,
        host: optional(&fields.host)?,
        region: optional(&fields.region)?,
        request_id: optional(&fields.request_id)?,
        session_id: optional(&fields.session_id)?,
        url: optional(&fields.url)?,
        status: optional(&fields.status)?,
    })
}

fn bad_line(reason: &str) -> BadField {
    BadField { field: 0, name: "line".to_owned(), reason: reason.to_owned(), in_header: false }
}

#[cold]
fn bad_field(at: usize, names: &[String], text: &[u8], reason: &str) -> BadField {
    let shown = String::from_utf8_lossy(&text[..text.len().min(40)]);
    BadField { field: at + 1, name: names.get(at).cloned().unwrap_or_default(), reason: format!("`{shown}` is {reason}"), in_header: false }
}

fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    text.iter().try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0')))
}

/// `GET http://a.example:80/b` → `a.example:80`.
fn host_of(url: &[u8]) -> &[u8] {
    let Some(at) = memchr::memmem::find(url, b"://") else { return b"" };
    let rest = &url[at + 3..];
    rest.split(|byte| matches!(byte, b'/' | b'?' | b' ')).next().unwrap_or(rest)
}

fn without_port(host: &[u8]) -> &[u8] {
    match memchr::memrchr(b':', host) {
        Some(at) if host[at + 1..].iter().all(u8::is_ascii_digit) => &host[..at],
        _ => host,
    }
}

/// Values of the wanted keys, as text: of strings what they hold, of numbers how they are written, of null nothing.
fn json<'a>(line: &'a [u8], wanted: &[String]) -> Result<Vec<Option<Cow<'a, [u8]>>>, String> {
    let mut reader = serde_json::Deserializer::from_slice(line);
    let values = reader.deserialize_map(Wanted(wanted)).map_err(|error| format!("no object of JSON: {error}"))?;
    reader.end().map_err(|error| format!("more than one object of JSON: {error}"))?;
    Ok(values)
}

struct Wanted<'w>(&'w [String]);

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Vec<Option<Cow<'de, [u8]>>>;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = vec![None; self.0.len()];
        while let Some(key) = map.next_key::<Cow<str>>()? {
            // A field may stand for two things, a URL and a host: each has its place.
            if !self.0.iter().any(|name| *name == key) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let text = text_of(map.next_value::<&RawValue>()?.get());
            for (value, _) in values.iter_mut().zip(self.0).filter(|(_, name)| **name == key) {
                *value = text.clone();
            }
        }
        Ok(values)
    }
}

fn text_of(raw: &str) -> Option<Cow<'_, [u8]>> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain.as_bytes())),
        Some(_) => serde_json::from_str::<String>(raw).ok().map(|text| Cow::Owned(text.into_bytes())),
        None if raw == "null" => None,
        None => Some(Cow::Borrowed(raw.as_bytes())),
    }
}
