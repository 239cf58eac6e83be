//! Why a contract was refused: the field, the line of the text, and the limit where there is one.

use serde::Serialize;

/// The first thing wrong with a contract's text. Retrying does not help: the text must change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("contract, line {line}: {field}: {reason}")]
pub struct Refusal {
    /// Of the text, from 1.
    pub line: usize,
    /// As the text writes it: `tiers[1].from`.
    pub field: String,
    pub reason: Reason,
}

/// Causes, each with what it takes to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Reason {
    /// No TOML, an unknown or missing field, or a value of another type.
    #[error("{told}")]
    Shape { told: String },
    #[error("{size} is beyond the limit of {limit} {of}")]
    Limit { size: String, limit: String, of: &'static str },
    #[error("{value:?} is unknown; known are {known}")]
    Unknown { value: String, known: &'static str },
    #[error("{value} overlaps the tier before, which ends at {before}")]
    Overlap { value: String, before: String },
    #[error("{value} leaves a gap: the tier before ends at {before}")]
    Gap { value: String, before: String },
    #[error("{value} lies before {from}")]
    UpsideDown { value: String, from: String },
    #[error("{value} is negative")]
    Negative { value: String },
    /// Two fields that do not go together.
    #[error("{told}")]
    Clash { told: String },
}
