//! A mapping file: describes a log of any other shape.

use super::{Format, FormatError};

/// A mapping, read and checked.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub name: String,
}

impl Mapping {
    /// Reads a mapping from TOML. The error names the field.
    pub fn parse(_toml: &str) -> Result<Mapping, FormatError> {
        todo!()
    }
}

impl From<Mapping> for Format {
    fn from(mapping: Mapping) -> Format {
        Format::Mapping(Box::new(mapping))
    }
}
