//! The admin address: alive, ready, metrics. The only module that knows axum.

use crate::error::Error;
use crate::status::{Phase, Status};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Takes the address, so that a wrong one is told before anything else begins.
pub async fn bind(listen: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(listen).await.map_err(|source| Error::Listen { listen, source })
}

/// Serves until `shutdown`.
pub async fn serve(listener: TcpListener, status: Arc<Status>, shutdown: impl Future<Output = ()> + Send + 'static) {
    let served = axum::serve(listener, router(status)).with_graceful_shutdown(shutdown).await;
    if let Err(error) = served {
        tracing::error!(%error, "the admin address is no longer served");
    }
}

fn router(status: Arc<Status>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(status)
}

async fn ready(State(status): State<Arc<Status>>) -> Response {
    let (code, body) = match status.phase() {
        Phase::Running => (StatusCode::OK, json!({ "ready": true })),
        phase => (StatusCode::SERVICE_UNAVAILABLE, json!({ "ready": false, "reason": reason(&phase) })),
    };
    (code, Json(body)).into_response()
}

fn reason(phase: &Phase) -> String {
    match phase {
        Phase::Starting => "waiting for the broker and the ledger".into(),
        Phase::Recovering => "reading the ledger".into(),
        Phase::Running => "running".into(),
        Phase::Retrying(why) => format!("trying again: {why}"),
        Phase::Stopping => "stopping".into(),
    }
}

async fn metrics(State(status): State<Arc<Status>>) -> Response {
    let mut text = String::new();
    if prometheus_client::encoding::text::encode(&mut text, &status.registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
