//! Everything that is neither SQL nor a report: the console, definitions, status, health, metrics.

use super::problem::{plain, refuse};
use super::{App, now_ms};
use crate::console::{CONTENT_SECURITY_POLICY, File};
use crate::error::Error;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use livemeter_schemas::answer::Problem;
use livemeter_schemas::openapi;
use livemeter_schemas::reports::Definitions;
use std::sync::Arc;

const NOSNIFF: (header::HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
const NO_STORE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

/// One file of the console. `no-cache` lets a browser keep it and makes it ask each time.
pub fn console(file: File, headers: &HeaderMap) -> Response {
    let etag = file.etag();
    let about = [
        (header::CONTENT_TYPE, file.content_type),
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        NOSNIFF,
    ];
    let kept = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kept.split(',').any(|one| one.trim().trim_start_matches("W/") == etag) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, file.bytes).into_response()
}

pub async fn definitions() -> Response {
    ([NOSNIFF], Json(Definitions::published())).into_response()
}

pub async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), NOSNIFF], openapi::DOCUMENT).into_response()
}

pub async fn status(State(app): State<Arc<App>>) -> Response {
    let status = async {
        let snapshot = app.ledger.snapshot().await?;
        app.statuses.of(&app.engine, &snapshot, now_ms()).await
    };
    match status.await {
        Ok(status) => ([NOSNIFF, NO_STORE], Json(status)).into_response(),
        Err(error) => refuse(&app.metrics, &error),
    }
}

pub async fn refusals(State(app): State<Arc<App>>) -> Response {
    ([NOSNIFF, NO_STORE], Json(app.services.refusals(now_ms()).await)).into_response()
}

/// Alive: the process answers.
pub async fn healthz() -> Response {
    ([NOSNIFF, NO_STORE], "ok\n").into_response()
}

/// Ready: both primary tables are there and can be opened. Before that every answer is an empty one.
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let reason = match app.ledger.snapshot().await {
        Ok(snapshot) => {
            let missing: Vec<_> = snapshot.primary().into_iter().filter(|t| t.table.is_none()).map(|t| t.name).collect();
            if missing.is_empty() {
                return ([NOSNIFF, NO_STORE], "ready\n").into_response();
            }
            format!("the ledger has no table {} yet; nothing has been written", missing.join(" and no table "))
        }
        Err(error @ Error::Ledger { .. }) => return refuse(&app.metrics, &error),
        Err(error) => error.to_string(),
    };
    let problem = Problem { error: "not_ready".into(), reason, field: None, value: None, limit: None, retry: true };
    super::problem::Refused { status: StatusCode::SERVICE_UNAVAILABLE, problem }.into_response()
}

pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = (header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([kind, NOSNIFF, NO_STORE], app.metrics.text(app.engine.memory_bytes())).into_response()
}

pub async fn nowhere(uri: Uri) -> Response {
    plain(StatusCode::NOT_FOUND, "not_found", format!("there is nothing at {}; the contract is at /openapi.json", uri.path()), None)
        .into_response()
}

pub async fn other_method(method: Method, uri: Uri) -> Response {
    let reason = format!("{method} is not a method of {}; the contract is at /openapi.json", uri.path());
    plain(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", reason, None).into_response()
}
