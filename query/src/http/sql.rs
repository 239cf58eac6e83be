//! `POST /v1/sql`: one SELECT, answered as JSON at once or as CSV in a stream.

use super::problem::{plain, refuse};
use super::{App, format_of};
use crate::admit::admit;
use crate::encode;
use crate::engine::{Answer, Work};
use crate::error::Error;
use crate::report::Format;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use livemeter_schemas::sql::SqlRequest;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub async fn answer(State(app): State<Arc<App>>, RawQuery(parameters): RawQuery, request: Request) -> Response {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    // JSON may write one byte of SQL as six (`\u0041`).
    let body_bytes_max = app.config.sql_bytes_max.saturating_mul(6).saturating_add(1_024);
    let read = tokio::time::timeout(Duration::from_millis(app.config.deadline_ms), to_bytes(body, body_bytes_max));
    let Ok(Ok(body)) = read.await else {
        let reason = format!("the body is longer than {body_bytes_max} bytes, or broke off, or came too slowly");
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "too_large", reason, Some("body")).into_response();
    };
    let asked = match question(&app, &head.headers, parameters.as_deref().unwrap_or_default(), &body) {
        Ok(asked) => asked,
        Err(error) => return refuse(&app.metrics, &error),
    };
    let answered = match asked.format {
        Format::Json => json(&app, &asked, began).await,
        Format::Csv => csv(&app, &asked).await,
    };
    answered.unwrap_or_else(|error| refuse(&app.metrics, &error))
}

struct Question {
    sql: String,
    format: Format,
    limit: usize,
    /// Whether the asker chose the limit: then a cut at it is what was asked for.
    limit_chosen: bool,
}

fn question(app: &App, headers: &HeaderMap, parameters: &str, body: &[u8]) -> Result<Question, Error> {
    let mut format = None;
    let mut limit = None;
    for (name, value) in url::form_urlencoded::parse(parameters.as_bytes()) {
        match name.as_ref() {
            "format" => format = Some(value.into_owned()),
            "limit" => {
                limit =
                    Some(value.parse().map_err(|_| Error::parameter("limit", format!("limit {value:?} is not a whole number of rows")))?)
            }
            other => return Err(Error::parameter(other, format!("parameter {other:?} is unknown; known are format, limit"))),
        }
    }
    let request = body_of(headers, body)?;
    let format = format_of(format.or(request.format).as_deref(), headers)?;
    let most = match format {
        Format::Json => app.config.rows_max,
        Format::Csv => app.config.csv_rows_max,
    };
    let limit: Option<u32> = limit.or(request.limit);
    let rows = limit.map_or(most, |limit| limit as usize);
    if rows == 0 || rows > most {
        return Err(Error::parameter("limit", format!("limit is {rows}; 1 to {most} rows are accepted")));
    }
    Ok(Question { sql: request.sql, format, limit: rows, limit_chosen: limit.is_some() })
}

fn body_of(headers: &HeaderMap, body: &[u8]) -> Result<SqlRequest, Error> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("text/plain");
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => {
            serde_json::from_slice(body).map_err(|e| Error::parameter("body", format!("the body is not {{\"sql\": \"…\"}}: {e}")))
        }
        "text/plain" | "application/sql" => {
            let sql = std::str::from_utf8(body).map_err(|e| Error::parameter("body", format!("the body is not UTF-8: {e}")))?;
            Ok(SqlRequest { sql: sql.to_owned(), format: None, limit: None })
        }
        other => Err(Error::parameter("content-type", format!("content-type {other:?} is unknown; application/json and text/plain are"))),
    }
}

async fn run(app: &App, asked: &Question) -> Result<Answer, Error> {
    let admitted = admit(&asked.sql, app.config.sql_bytes_max)?;
    app.engine.run(Work::sql(admitted, asked.limit)).await
}

async fn json(app: &App, asked: &Question, began: Instant) -> Result<Response, Error> {
    let mut answer = run(app, asked).await?;
    let text = |value: serde_json::Result<String>| value.map_err(|e| Error::Internal(e.to_string()));
    let columns = text(serde_json::to_string(&encode::columns(&answer.schema)))?;
    let mut out = format!("{{\"columns\":{columns},\"rows\":[");
    let (mut rows, mut truncated) = (0, false);
    while let Some(batch) = answer.next().await? {
        let room = asked.limit - rows;
        truncated |= batch.num_rows() > room;
        encode::json_rows(&mut out, &batch, room, rows == 0)?;
        rows += batch.num_rows().min(room);
        if out.len() > app.config.answer_bytes_max {
            return Err(Error::AnswerTooLarge { limit_bytes: app.config.answer_bytes_max as u64 });
        }
        if truncated {
            break;
        }
    }
    let versions = text(serde_json::to_string(&answer.versions))?;
    let elapsed_ms = began.elapsed().as_millis();
    out.push_str(&format!("],\"row_count\":{rows},\"truncated\":{truncated},\"table_versions\":{versions},\"elapsed_ms\":{elapsed_ms}}}"));
    app.metrics.rows(rows as u64, truncated);
    Ok(respond("application/json", Body::from(out)))
}

/// Once the first rows are out, an error can only be told by breaking off: the reader sees an incomplete
/// transfer, never a short file that looks whole. So it is, too, when the service's own row limit is met.
async fn csv(app: &Arc<App>, asked: &Question) -> Result<Response, Error> {
    let mut answer = run(app, asked).await?;
    // Errors that come before the first rows still get their status.
    let first = answer.next().await?;
    let header = encode::csv_header(&answer.schema)?;
    let stream =
        CsvStream { app: Arc::clone(app), answer, first, rows: 0, limit: asked.limit, limit_chosen: asked.limit_chosen, ended: false };
    let lines = futures::stream::try_unfold(stream, |mut stream| async move {
        let lines = stream.next().await.inspect_err(|error| {
            stream.app.metrics.refused(error.code());
            tracing::warn!(%error, "a CSV answer was broken off");
        })?;
        Ok::<_, Error>(lines.map(|lines| (lines, stream)))
    });
    let all = futures::StreamExt::chain(futures::stream::iter([Ok(Bytes::from(header))]), lines);
    Ok(respond("text/csv; charset=utf-8", Body::from_stream(all)))
}

struct CsvStream {
    app: Arc<App>,
    answer: Answer,
    first: Option<arrow::array::RecordBatch>,
    rows: usize,
    limit: usize,
    limit_chosen: bool,
    ended: bool,
}

impl CsvStream {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.ended {
            return Ok(None);
        }
        let batch = match self.first.take() {
            Some(batch) => Some(batch),
            None => self.answer.next().await?,
        };
        let Some(batch) = batch else {
            self.app.metrics.rows(self.rows as u64, false);
            self.ended = true;
            return Ok(None);
        };
        let room = self.limit - self.rows;
        if batch.num_rows() > room {
            if !self.limit_chosen {
                return Err(Error::TooManyRows { limit: self.limit as u64 });
            }
            self.ended = true;
            self.app.metrics.rows(self.limit as u64, true);
        }
        self.rows += batch.num_rows().min(room);
        encode::csv_rows(&batch, room).map(|lines| Some(Bytes::from(lines)))
    }
}

fn respond(content_type: &'static str, body: Body) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, body).into_response()
}
