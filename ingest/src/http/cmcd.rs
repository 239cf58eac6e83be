//! What a `POST /v1/cmcd` says of its body outside of it: the content type and the query string.

use crate::cmcd::{Form, Kind};
use crate::error::Fault;
use hyper::Uri;

/// The standard's two, JSON, and what pages can send to another origin without asking first.
pub const ACCEPTED: &str = "application/cmcd, text/cmcd, application/json, application/cmcd+json, text/plain (as text/cmcd)";

/// # Errors
/// Another content type than those of [`ACCEPTED`]. None at all is the standard's own.
pub fn form<'u>(uri: &'u Uri, content_type: &str) -> Result<Form<'u>, Fault> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is = |names: &[&str]| names.iter().any(|name| kind.eq_ignore_ascii_case(name));
    let kind = if is(&["application/json", "application/cmcd+json"]) {
        Kind::Json
    } else if is(&["", "application/cmcd", "text/cmcd", "text/plain", "application/x-www-form-urlencoded"]) {
        Kind::Lines
    } else {
        return Err(Fault::CmcdType(content_type.chars().take(80).collect()));
    };
    let mut form = Form { kind, app: None, target: None, query: None };
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "app" => form.app = Some(value),
            "target" => form.target = Some(value),
            "CMCD" => form.query = Some(value),
            _ => {}
        }
    }
    Ok(form)
}
