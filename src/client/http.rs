//! A small HTTP client for this machine's services: one request, one bounded answer.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

/// Answers are read up to this size: the largest are the rows of one query.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Status and body.
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub async fn get(url: &str, wait: Duration) -> Result<Answer, String> {
    send(Request::builder().method(Method::GET).uri(url).body(Full::default()).map_err(|e| e.to_string())?, url, wait).await
}

pub async fn post_json(url: &str, body: String, wait: Duration) -> Result<Answer, String> {
    let request = Request::builder().method(Method::POST).uri(url).header("content-type", "application/json");
    send(request.body(Full::from(body)).map_err(|e| e.to_string())?, url, wait).await
}

/// Writes a 200's body as it comes, of any size; any other answer is given back whole.
pub async fn download(url: &str, out: &mut dyn std::io::Write, wait: Duration) -> Result<Answer, String> {
    let request = Request::builder().method(Method::GET).uri(url).body(Full::default()).map_err(|e| e.to_string())?;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let exchange = async {
        let response = client.request(request).await.map_err(|e| format!("{url}: no answer ({})", root(&e)))?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        if status != 200 {
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|e| format!("{url}: {e}"))?;
            return Ok(Answer { status, body: body.to_bytes() });
        }
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| format!("{url}: the answer broke off ({})", root(&e)))?;
            if let Some(part) = frame.data_ref() {
                out.write_all(part).map_err(|e| format!("writing the answer: {e}"))?;
            }
        }
        Ok(Answer { status, body: Bytes::new() })
    };
    tokio::time::timeout(wait, exchange).await.unwrap_or_else(|_| Err(format!("{url}: not done within {} s", wait.as_secs())))
}

async fn send(request: Request<Full<Bytes>>, url: &str, wait: Duration) -> Result<Answer, String> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let exchange = async {
        let response = client.request(request).await.map_err(|e| format!("{url}: no answer ({})", root(&e)))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(|e| format!("{url}: {e}"))?;
        Ok(Answer { status, body: body.to_bytes() })
    };
    tokio::time::timeout(wait, exchange).await.unwrap_or_else(|_| Err(format!("{url}: no answer within {} s", wait.as_secs())))
}

/// The innermost cause: "connection refused" says more than "client error".
fn root(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root)
}
