//! The slow path of decoding: from serde's error to a refusal with the field's path, in our words.

use crate::refusal::{Code, Refusal};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Says why `json` is not a `T`: reads it again, with the path tracked, to name the field.
pub fn why<'a, T: Deserialize<'a>>(json: &'a str, first: serde_json::Error) -> Refusal {
    // Not by the error's category: a null where a word was expected is "syntax" to serde_json.
    if let Err(e) = serde_json::from_str::<IgnoredAny>(json) {
        return Refusal::whole(Code::Malformed, format!("not valid JSON: {e}"));
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut reader) else {
        return Refusal::whole(Code::Malformed, clip(&first.to_string()));
    };
    let path = error.path().to_string();
    let message = error.inner().to_string();
    let said = message.rsplit_once(" at line ").map_or(message.as_str(), |(said, _)| said);
    if let Some(name) = quoted(said, "missing field `") {
        let field = join(&path, name);
        return Refusal::new(Code::MissingField, field.clone(), format!("{field} is missing"));
    }
    if let Some(name) = quoted(said, "duplicate field `") {
        let field = join(&path, name);
        return Refusal::new(Code::Malformed, field.clone(), format!("{field} is given twice"));
    }
    if let Some(refusal) = number(&path, said) {
        return refusal;
    }
    let said = if said == "expected value" { "expected a word" } else { said };
    let reason = format!("{path}: {}", clip(said));
    Refusal::new(Code::WrongType, path, reason)
}

/// Something else than an object where an event was expected.
pub fn not_an_object(json: &str) -> Refusal {
    match serde_json::from_str::<IgnoredAny>(json) {
        Ok(_) => Refusal::whole(Code::WrongType, "an event must be an object"),
        Err(e) => Refusal::whole(Code::Malformed, format!("not valid JSON: {e}")),
    }
}

/// An integer that its type cannot hold: ``invalid value: integer `-5`, expected u64``.
fn number(path: &str, said: &str) -> Option<Refusal> {
    let (value, wanted) = said.strip_prefix("invalid value: integer `")?.split_once("`, expected ")?;
    let negative = value.starts_with('-');
    let limit = match wanted {
        _ if negative => 0,
        "u16" => i64::from(u16::MAX),
        _ => i64::MAX,
    };
    let reason = format!("{path} is {value}; the limit is {limit}");
    Some(Refusal { code: Code::OutOfRange, field: Some(path.to_owned()), reason, value: value.parse().ok(), limit: Some(limit) })
}

fn quoted<'m>(said: &'m str, before: &str) -> Option<&'m str> {
    said.strip_prefix(before)?.strip_suffix('`')
}

fn join(path: &str, name: &str) -> String {
    if path == "." { name.to_owned() } else { format!("{path}.{name}") }
}

/// Nothing a client sends comes back longer than this.
pub fn clip(text: &str) -> String {
    const CHARS_MAX: usize = 120;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
