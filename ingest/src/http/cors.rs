//! Which web pages may post, as browsers ask it. Ingest alone answers other origins; it never reads
//! cookies, so no credentials are allowed.

use super::answers::{self, Reply};
use super::credentials;
use crate::error::Fault;
use crate::identity::Known;
use crate::intake::Intake;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, HeaderValue, ORIGIN, VARY,
};
use hyper::{HeaderMap, StatusCode, Uri};

/// A day; browsers cap it at their own, Chromium at two hours.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("86400");
const METHODS: HeaderValue = HeaderValue::from_static("POST");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, content-encoding, livemeter-token");
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The origin to name in the answer; none when the request does not come from a web page. An app's own list
/// stands in place of the service's; a page without a good key is judged by the latter, so that it can read why.
pub fn origin(intake: &Intake, known: Option<&Known>, headers: &HeaderMap) -> Result<Option<HeaderValue>, Fault> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(None) };
    let own = known.and_then(|known| known.app.allowed_origins.as_ref());
    match own.or(intake.config.allowed_origins.as_ref()) {
        None => Ok(Some(ANY)),
        Some(allowed) if allowed.iter().any(|a| a.as_bytes() == origin.as_bytes()) => Ok(Some(origin.clone())),
        Some(_) => Err(Fault::Origin(String::from_utf8_lossy(origin.as_bytes()).chars().take(120).collect())),
    }
}

/// Lets the page at `origin` read the answer.
pub fn allow(mut reply: Reply, origin: Option<HeaderValue>) -> Reply {
    if let Some(origin) = origin {
        let headers = reply.headers_mut();
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if origin != ANY {
            headers.insert(VARY, HeaderValue::from_static("origin"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    reply
}

/// A preflight carries no header of the request to come, but its URL: a key that stands there is known already.
pub fn preflight(intake: &Intake, uri: &Uri, headers: &HeaderMap) -> Reply {
    let known = credentials::known(intake, uri, headers).ok().flatten();
    let origin = match origin(intake, known.as_ref(), headers) {
        Ok(origin) => origin,
        Err(fault) => return answers::fault(intake, &fault),
    };
    let mut reply = answers::empty(StatusCode::NO_CONTENT);
    reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    reply.headers_mut().insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    allow(reply, origin)
}
