//! Posts and gets, whole bodies, over a small pool of connections. Not a general client.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

/// A service that has not answered by then will not.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in an answer {}: {}", self.status, self.text()))
    }
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Http {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    /// `base` is such as `http://127.0.0.1:8700`.
    pub fn new(base: impl Into<String>) -> Http {
        Http { base: base.into(), client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// `127.0.0.1:8700`
    pub fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub async fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<Answer, String> {
        self.send(Method::POST, path, headers, body.into()).await
    }

    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> Result<Answer, String> {
        self.post(path, &[("content-type", "application/json")], body.to_string()).await
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|e| e.to_string())?;
        let asked = async {
            let answer = self.client.request(request).await.map_err(|e| format!("{e:?}"))?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|e| format!("{e:?}"))?.to_bytes();
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
        };
        tokio::time::timeout(ANSWER_PATIENCE, asked).await.map_err(|_| format!("no answer to {path} within {ANSWER_PATIENCE:?}"))?
    }
}

/// Percent-encodes one value of a query string.
pub fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
