//! One line of a vendor's log → time, bytes, host, region, request id, session. What the formats are is written in
//! mapping files (`formats/*.toml`), the known ones and a user's own alike; here they are read and applied.
//!
//! * [`mapping`] a mapping file, read and checked
//! * [`parser`]  a mapping applied to lines
//! * [`split`]   a line into fields
//! * [`time`]    a vendor's time into UTC
//! * [`session`] the session's id, out of a URL or a header

pub mod mapping;
pub(crate) mod parser;
mod session;
mod split;
mod time;

pub use mapping::Mapping;

use std::sync::Arc;

/// A format: one of the known by name, or a mapping of one's own.
#[derive(Debug, Clone)]
pub struct Format(Arc<Mapping>);

/// A name of a format that is none, or a mapping file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("`format`: `{0}` is none of {names}; any other needs a mapping file", names = Format::NAMES.join(", "))]
    Unknown(String),
    /// `line` counts from 1; none where the text has no such field.
    #[error("mapping `{field}`: {reason}")]
    Mapping { line: Option<u64>, field: String, reason: String },
}

const KNOWN: [(&str, &str); 7] = [
    ("cloudfront", include_str!("../formats/cloudfront.toml")),
    ("akamai", include_str!("../formats/akamai.toml")),
    ("tencent", include_str!("../formats/tencent.toml")),
    ("aliyun", include_str!("../formats/aliyun.toml")),
    ("fastly", include_str!("../formats/fastly.toml")),
    ("fastly-clf", include_str!("../formats/fastly-clf.toml")),
    ("nginx", include_str!("../formats/nginx.toml")),
];

impl Format {
    /// The formats known by name.
    pub const NAMES: [&str; 7] = ["cloudfront", "akamai", "tencent", "aliyun", "fastly", "fastly-clf", "nginx"];

    /// By name; a mapping of one's own is made by [`Mapping::parse`].
    pub fn named(name: &str) -> Result<Format, FormatError> {
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        let (_, toml) = known.ok_or_else(|| FormatError::Unknown(name.to_owned()))?;
        Ok(Mapping::parse(toml)?.into())
    }

    /// The mapping's text of a format known by name: a good beginning for one of one's own.
    pub fn text(name: &str) -> Option<&'static str> {
        KNOWN.iter().find(|(known, _)| *known == name).map(|(_, toml)| *toml)
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn mapping(&self) -> &Arc<Mapping> {
        &self.0
    }
}

impl From<Mapping> for Format {
    fn from(mapping: Mapping) -> Format {
        Format(Arc::new(mapping))
    }
}
