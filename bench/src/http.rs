//! The least that anything can do with a request's body in axum: read it whole and throw it away. What ingest costs
//! is held against it. Nothing else is here, and nothing of ingest.

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;

/// As ingest's own default.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Serves until the process ends.
pub async fn serve(listener: TcpListener) -> Result<()> {
    let router = Router::new()
        .route("/v1/events", post(discard))
        .route("/readyz", get(|| async { "ready" }))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    Ok(axum::serve(listener, router).await?)
}

async fn discard(body: Bytes) -> Response {
    let length = std::hint::black_box(body).len();
    ([(CONTENT_TYPE, "application/json")], format!("{{\"read\":{length}}}")).into_response()
}
