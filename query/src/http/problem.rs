//! An error by cause → the status and the words that leave the house.

use crate::error::Error;
use crate::metrics::Metrics;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use livemeter_schemas::answer::Problem;

/// A refusal with its status.
pub struct Refused {
    pub status: StatusCode,
    pub problem: Problem,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let retry = self.problem.retry;
        let mut response = (self.status, Json(self.problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Counts the refusal and answers with it.
pub fn refuse(metrics: &Metrics, error: &Error) -> Response {
    metrics.refused(error.code());
    match error {
        Error::Ledger { table, source } => tracing::error!(table, error = %source, "the ledger cannot be read"),
        Error::Folder(reason) | Error::DiskFull { reason, .. } => tracing::error!(reason, "the bill check's folder cannot be used"),
        _ => {}
    }
    Refused { status: status(error), problem: problem(error) }.into_response()
}

/// A refusal that only HTTP knows.
pub fn plain(status: StatusCode, error: &str, reason: String, field: Option<&str>) -> Refused {
    Refused {
        status,
        problem: Problem { error: error.into(), reason, field: field.map(Into::into), value: None, limit: None, retry: false },
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotASelect { .. }
        | Error::StatementCount { .. }
        | Error::UnknownTable { .. }
        | Error::UnknownTableFunction { .. }
        | Error::Sql(_)
        | Error::Parameter { .. }
        | Error::Overflow { .. } => StatusCode::BAD_REQUEST,
        Error::TooLarge { .. } | Error::AnswerTooLarge { .. } | Error::TooManyRows { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Unknown { .. } => StatusCode::NOT_FOUND,
        Error::Conflict { .. } => StatusCode::CONFLICT,
        Error::Paper { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Upload { .. } => StatusCode::REQUEST_TIMEOUT,
        Error::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::DiskFull { .. } => StatusCode::INSUFFICIENT_STORAGE,
        Error::Folder(_) | Error::Memory { .. } | Error::Deadline { .. } | Error::Ledger { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) | Error::LedgerPlace { .. } | Error::Listen { .. } | Error::Serve(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn problem(error: &Error) -> Problem {
    let number = |n: u64| i64::try_from(n).ok();
    let (field, value, limit) = match error {
        Error::Parameter { field, .. } => (Some(field.clone()), None, None),
        Error::TooLarge { field, value, limit, .. } => (Some((*field).to_owned()), number(*value), number(*limit)),
        Error::Unknown { field, .. } | Error::Conflict { field, .. } => (Some((*field).to_owned()), None, None),
        Error::Paper { at, size, .. } => {
            (Some(at.clone()), size.and_then(|(value, _)| number(value)), size.and_then(|(_, limit)| number(limit)))
        }
        Error::Upload { limit_ms } => (Some("body".to_owned()), None, number(*limit_ms)),
        Error::DiskFull { bytes, .. } => (Some("bills.root".to_owned()), bytes.and_then(number), None),
        Error::UnknownTable { .. }
        | Error::UnknownTableFunction { .. }
        | Error::NotASelect { .. }
        | Error::StatementCount { .. }
        | Error::Sql(_) => (Some("sql".to_owned()), None, None),
        Error::Overflow { column } => (Some((*column).to_owned()), None, None),
        Error::Memory { limit_bytes } | Error::AnswerTooLarge { limit_bytes } => (None, None, number(*limit_bytes)),
        Error::TooManyRows { limit } => (None, None, number(*limit)),
        Error::Deadline { limit_ms } => (None, None, number(*limit_ms)),
        Error::Busy { .. }
        | Error::Folder(_)
        | Error::Ledger { .. }
        | Error::Internal(_)
        | Error::LedgerPlace { .. }
        | Error::Listen { .. }
        | Error::Serve(_) => (None, None, None),
    };
    Problem { error: error.code().into(), reason: error.to_string(), field, value, limit, retry: error.retry() }
}
