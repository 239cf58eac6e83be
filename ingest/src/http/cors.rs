//! Which web pages may post, as browsers ask it. Ingest alone answers other origins; it never reads
//! cookies, so no credentials are allowed.

use super::answers::{self, Reply};
use crate::error::Fault;
use crate::intake::Intake;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, HeaderValue, ORIGIN, VARY,
};
use hyper::{HeaderMap, StatusCode};

/// A day; browsers cap it at their own, Chromium at two hours.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("86400");
const METHODS: HeaderValue = HeaderValue::from_static("POST");
const HEADERS: HeaderValue = HeaderValue::from_static("content-type, content-encoding");
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The origin to name in the answer; none when the request does not come from a web page.
pub fn origin(intake: &Intake, headers: &HeaderMap) -> Result<Option<HeaderValue>, Fault> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(None) };
    match &intake.config.allowed_origins {
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

pub fn preflight(intake: &Intake, headers: &HeaderMap) -> Reply {
    let origin = match origin(intake, headers) {
        Ok(origin) => origin,
        Err(fault) => return answers::fault(intake, &fault),
    };
    let mut reply = answers::empty(StatusCode::NO_CONTENT);
    reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    reply.headers_mut().insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    allow(reply, origin)
}
