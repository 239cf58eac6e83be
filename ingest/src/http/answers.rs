//! What is said in HTTP: each fault's status and headers, in one exhaustive match.

use crate::error::Fault;
use crate::intake::Intake;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use livemeter_schemas::answer::{Answer, Problem};
use livemeter_schemas::refusal::Code;
use serde::Serialize;

pub type Reply = Response<Full<Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OPENMETRICS: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What is said of an accepted event, and the comma behind it.
const ACCEPTED_BYTES: usize = "{\"status\":\"accepted\"},".len();

/// 200 when something was accepted or nothing was asked, 422 when all was refused.
pub fn answer(answer: &Answer) -> Reply {
    let all_refused = answer.accepted == 0 && answer.refused > 0;
    let status = if all_refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    sized(status, 128 + answer.events.len() * ACCEPTED_BYTES, answer)
}

/// The same to a player that reads no body, as CTA-5004-B has it: 204, unless all was refused.
pub fn taken(of: &Answer) -> Reply {
    if of.accepted == 0 && of.refused > 0 { answer(of) } else { empty(StatusCode::NO_CONTENT) }
}

pub fn status(word: &'static str) -> Reply {
    #[derive(Serialize)]
    struct Status {
        status: &'static str,
    }
    json(StatusCode::OK, &Status { status: word })
}

pub fn metrics(text: String) -> Reply {
    with(StatusCode::OK, OPENMETRICS, Bytes::from(text))
}

pub fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::new()));
    *reply.status_mut() = status;
    reply
}

/// A whole request that was not taken; counted by its cause.
pub fn fault(intake: &Intake, fault: &Fault) -> Reply {
    intake.metrics.fault(fault.word());
    let mut reply = json(code(fault), &problem(fault));
    if fault.retry() {
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(fault.wait_s(intake.config.retry_after_s)));
    }
    if reply.status() == StatusCode::UNAUTHORIZED {
        reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Fault::Method(accepted) = fault {
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static(accepted));
    }
    reply
}

fn code(fault: &Fault) -> StatusCode {
    match fault {
        Fault::Batch(refusal) if refusal.code == Code::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::Batch(_) | Fault::BodyBroken(_) => StatusCode::BAD_REQUEST,
        Fault::BodyTooLarge { .. } | Fault::BodyBeyond { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::InflatedBeyond { .. } | Fault::InflatedTooFar { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::ContentType(_) | Fault::CmcdType(_) | Fault::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Fault::Gone => StatusCode::GONE,
        Fault::Origin(_) => StatusCode::FORBIDDEN,
        Fault::KeyMissing | Fault::Token(_) => StatusCode::UNAUTHORIZED,
        Fault::KeyRefused => StatusCode::FORBIDDEN,
        Fault::BodySlow { .. } => StatusCode::REQUEST_TIMEOUT,
        Fault::Rate { .. } => StatusCode::TOO_MANY_REQUESTS,
        Fault::Busy { .. } | Fault::QueueFull | Fault::KafkaAway(_) => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Undelivered { .. } | Fault::Draining | Fault::NoPseudonym => StatusCode::SERVICE_UNAVAILABLE,
        Fault::NotFound => StatusCode::NOT_FOUND,
        Fault::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
    }
}

fn problem(fault: &Fault) -> Problem {
    let number = |n: usize| i64::try_from(n).ok();
    let (field, value, limit) = match fault {
        Fault::Batch(refusal) => (refusal.field.clone(), refusal.value, refusal.limit),
        Fault::BodyTooLarge { size, limit } => (Some("body".into()), i64::try_from(*size).ok(), number(*limit)),
        Fault::BodyBeyond { limit } | Fault::InflatedBeyond { limit } | Fault::InflatedTooFar { limit } => {
            (Some("body".into()), None, number(*limit))
        }
        Fault::ContentType(_) | Fault::CmcdType(_) => (Some("content-type".into()), None, None),
        Fault::Encoding(_) => (Some("content-encoding".into()), None, None),
        Fault::Origin(_) => (Some("origin".into()), None, None),
        Fault::KeyMissing | Fault::KeyRefused => (Some("key".into()), None, None),
        Fault::Token(fault) => {
            let (size, limit) = fault.measure();
            (Some("token".into()), size, limit)
        }
        Fault::BodySlow { limit_ms } => (Some("body".into()), None, i64::try_from(*limit_ms).ok()),
        Fault::Busy { limit, .. } => (None, None, number(*limit)),
        Fault::Rate { what, per_s, .. } => (Some((*what).into()), None, i64::try_from(*per_s).ok()),
        _ => (None, None, None),
    };
    Problem { error: fault.word().into(), reason: fault.to_string(), field, value, limit, retry: fault.retry() }
}

fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    sized(status, 256, body)
}

/// `expected_bytes` is only a guess: it saves the body from growing, and moving, again and again.
fn sized(status: StatusCode, expected_bytes: usize, body: &impl Serialize) -> Reply {
    let mut text = Vec::with_capacity(expected_bytes);
    // These shapes always serialise; an empty body would be the worst that could be said.
    if serde_json::to_writer(&mut text, body).is_err() {
        text.clear();
    }
    with(status, JSON, Bytes::from(text))
}

fn with(status: StatusCode, kind: HeaderValue, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    reply
}
