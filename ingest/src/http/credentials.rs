//! Where a request carries its key and its token. A page's beacon can set no header, and a header of one's own
//! costs a preflight: so the key may stand in the URL, where it is no secret lost, and the token in the body.

use crate::error::Fault;
use crate::identity::{Known, caller};
use crate::intake::Intake;
use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName};
use std::borrow::Cow;

const KEY_PARAMETER: &str = "key";
pub const TOKEN_PARAMETER: &str = "token";
const TOKEN: HeaderName = HeaderName::from_static("livemeter-token");

/// The app whose key this request has; `None` in open mode.
pub fn known(intake: &Intake, uri: &Uri, headers: &HeaderMap) -> Result<Option<Known>, Fault> {
    caller::known(&intake.identity, key(uri, headers).as_deref(), intake.now_ms())
}

/// The session token, where a header carries it.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    headers.get(TOKEN).map(|value| value.to_str().unwrap_or("(not text)"))
}

fn key<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<Cow<'r, str>> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    header.map(Cow::Borrowed).or_else(|| parameter(uri, KEY_PARAMETER))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// A parameter of the URL.
pub fn parameter<'u>(uri: &'u Uri, wanted: &str) -> Option<Cow<'u, str>> {
    let mut pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value)
}
