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
    if let Error::Ledger { table, source } = error {
        tracing::error!(table, error = %source, "the ledger cannot be read");
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
        Error::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Memory { .. } | Error::Deadline { .. } | Error::Ledger { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) | Error::LedgerPlace { .. } | Error::Listen { .. } | Error::Serve(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn problem(error: &Error) -> Problem {
    let number = |n: u64| i64::try_from(n).ok();
    let (field, value, limit) = match error {
        Error::Parameter { field, .. } => (Some(field.clone()), None, None),
        Error::TooLarge { field, value, limit, .. } => (Some((*field).to_owned()), number(*value), number(*limit)),
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
        | Error::Ledger { .. }
        | Error::Internal(_)
        | Error::LedgerPlace { .. }
        | Error::Listen { .. }
        | Error::Serve(_) => (None, None, None),
    };
    Problem { error: error.code().into(), reason: error.to_string(), field, value, limit, retry: error.retry() }
}
