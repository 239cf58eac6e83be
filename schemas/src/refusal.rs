//! Why something was not taken. The same shape serves the client's answer, the log and the dead letter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cause, for programs. New ones may be added; none changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Not JSON at all.
    Malformed,
    MissingField,
    WrongType,
    UnknownType,
    UnsupportedVersion,
    TooLong,
    TooMany,
    OutOfRange,
    /// A time that cannot be right.
    Clock,
    /// A NUL or another control character where text was expected.
    ControlCharacter,
    /// A cumulative counter that fell at a higher `seq`.
    CounterFell,
    /// The event is well-formed, but its session token or its app does not allow what it says.
    Forbidden,
}

impl Code {
    pub const ALL: [Code; 12] = [
        Code::Malformed,
        Code::MissingField,
        Code::WrongType,
        Code::UnknownType,
        Code::UnsupportedVersion,
        Code::TooLong,
        Code::TooMany,
        Code::OutOfRange,
        Code::Clock,
        Code::ControlCharacter,
        Code::CounterFell,
        Code::Forbidden,
    ];

    /// The label used in metrics and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Malformed => "malformed",
            Code::MissingField => "missing_field",
            Code::WrongType => "wrong_type",
            Code::UnknownType => "unknown_type",
            Code::UnsupportedVersion => "unsupported_version",
            Code::TooLong => "too_long",
            Code::TooMany => "too_many",
            Code::OutOfRange => "out_of_range",
            Code::Clock => "clock",
            Code::ControlCharacter => "control_character",
            Code::CounterFell => "counter_fell",
            Code::Forbidden => "forbidden",
        }
    }
}

/// A refusal: names the field, the value's size and the limit, whenever there are any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    pub code: Code,
    /// Path of the field, such as `counters[1].bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// One sentence for people.
    pub reason: String,
    /// The value (a number) or its size (a text or a list).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// The limit that it broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

impl Refusal {
    pub fn new(code: Code, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Refusal { code, field: Some(field.into()), reason: reason.into(), value: None, limit: None }
    }

    pub fn whole(code: Code, reason: impl Into<String>) -> Self {
        Refusal { code, field: None, reason: reason.into(), value: None, limit: None }
    }

    /// `field` is of `value` where `limit` is allowed; `unit` is what both count.
    pub fn over(code: Code, field: impl Into<String>, value: i64, limit: i64, unit: &str) -> Self {
        let field = field.into();
        let reason = format!("{field} is {value} {unit}; the limit is {limit}");
        Refusal { code, field: Some(field), reason, value: Some(value), limit: Some(limit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_the_word_on_the_wire() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_refusal_over_a_limit_says_field_size_and_limit() {
        let refusal = Refusal::over(Code::TooLong, "user_id", 1 << 20, 128, "bytes");
        assert_eq!(refusal.to_string(), "user_id is 1048576 bytes; the limit is 128");
        assert_eq!((refusal.value, refusal.limit), (Some(1 << 20), Some(128)));
    }
}
