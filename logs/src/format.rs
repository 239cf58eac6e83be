//! One line of a vendor's log → time, bytes, host, region, request id, session. One module a format.

pub mod mapping;

pub use mapping::Mapping;

/// The formats known. `mapping` describes any other.
#[derive(Debug, Clone)]
pub enum Format {
    CloudFront,
    Akamai,
    Tencent,
    Aliyun,
    Fastly,
    Nginx,
    Mapping(Box<Mapping>),
}

/// A name of a format or a mapping file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("`format`: `{0}` is none of {names}", names = Format::NAMES.join(", "))]
    Unknown(String),
    #[error("mapping `{field}`: {reason}")]
    Mapping { field: String, reason: String },
}

impl Format {
    pub const NAMES: [&str; 6] = ["cloudfront", "akamai", "tencent", "aliyun", "fastly", "nginx"];

    /// By name; a mapping is made by [`Mapping::parse`].
    pub fn named(name: &str) -> Result<Format, FormatError> {
        Ok(match name {
            "cloudfront" => Format::CloudFront,
            "akamai" => Format::Akamai,
            "tencent" => Format::Tencent,
            "aliyun" => Format::Aliyun,
            "fastly" => Format::Fastly,
            "nginx" => Format::Nginx,
            _ => return Err(FormatError::Unknown(name.to_owned())),
        })
    }

    pub fn name(&self) -> String {
        match self {
            Format::CloudFront => "cloudfront".to_owned(),
            Format::Akamai => "akamai".to_owned(),
            Format::Tencent => "tencent".to_owned(),
            Format::Aliyun => "aliyun".to_owned(),
            Format::Fastly => "fastly".to_owned(),
            Format::Nginx => "nginx".to_owned(),
            Format::Mapping(mapping) => format!("mapping:{}", mapping.name),
        }
    }
}
