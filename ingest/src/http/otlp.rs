//! Sends traces to a collector: OTLP over HTTP, in JSON. A collector that is away or slow costs spans, which
//! are counted, and nothing else.

use crate::metrics::Metrics;
use crate::trace::{Span, export};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// Spans of one post: about 200 KiB.
const POST_MAX: usize = 512;
/// Spans are gathered so long, so that a quiet service does not post each of them.
const GATHER: Duration = Duration::from_secs(1);
/// One try: by the next, the queue holds newer ones.
const PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Ends when the service does.
pub async fn run(endpoint: String, mut spans: Receiver<Span>, metrics: Arc<Metrics>) {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let address = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let mut well = true;
    loop {
        let mut some = Vec::with_capacity(POST_MAX);
        if spans.recv_many(&mut some, POST_MAX).await == 0 {
            return;
        }
        let sent = tokio::time::timeout(PATIENCE, post(&client, &address, &some)).await;
        match sent.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}"))) {
            Ok(()) => {
                metrics.spans_sent.inc_by(some.len() as u64);
                well = true;
            }
            Err(error) => {
                metrics.spans_dropped.inc_by(some.len() as u64);
                if std::mem::take(&mut well) {
                    tracing::warn!(%error, %address, "traces cannot be sent; they are dropped until they can");
                }
            }
        }
        if spans.len() < POST_MAX {
            tokio::time::sleep(GATHER).await;
        }
    }
}

async fn post(client: &Client<HttpConnector, Full<Bytes>>, address: &str, spans: &[Span]) -> Result<(), String> {
    let body = serde_json::to_vec(&export(spans, env!("CARGO_PKG_VERSION"))).map_err(|e| e.to_string())?;
    let request = Request::post(address).header(CONTENT_TYPE, "application/json").body(Full::new(body.into()));
    let answer = client.request(request.map_err(|e| e.to_string())?).await.map_err(|e| e.to_string())?;
    let status = answer.status();
    // Read to its end, so that the connection can be used again.
    Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(|e| e.to_string())?;
    if status.is_success() { Ok(()) } else { Err(format!("the collector answered {status}")) }
}
