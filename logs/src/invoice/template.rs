//! A vendor's template: which column is what.

#[derive(Debug, Clone)]
pub struct Template {
    pub name: String,
}

/// A template that could not be read: the field, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template `{field}`: {reason}")]
pub struct TemplateError {
    pub field: String,
    pub reason: String,
}

impl Template {
    /// Reads a template from TOML.
    pub fn parse(_toml: &str) -> Result<Template, TemplateError> {
        todo!()
    }
}
