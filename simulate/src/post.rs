//! One keep-alive connection to ingest. A single task drives both the request and the connection, which
//! spares a hop between tasks for every request.

use crate::config::Error;
use crate::outbox::Outcome;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode, Uri, body::Incoming};
use hyper_util::rt::TokioIo;
use livemeter_schemas::answer::{Answer, EventAnswer};
use serde::Deserialize;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;

/// An answer names each event: 1 MiB is far above 10,000 of them.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Where to post.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host and port to connect to.
    address: String,
    /// Prepared once: a request only takes another reference.
    host: HeaderValue,
    path: Uri,
    /// The app's write key; ingest asks for it where it has a file of apps.
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

impl Target {
    pub fn new(ingest_url: &str, timeout: Duration) -> Result<Self, Error> {
        let wrong = || Error::Config { field: "ingest_url", value: ingest_url.into(), accepted: "give http://host:port" };
        let base: Uri = ingest_url.parse().map_err(|_| wrong())?;
        let authority = base.authority().ok_or_else(wrong)?;
        if base.scheme_str() != Some("http") {
            return Err(wrong());
        }
        let path = format!("{}/v1/events", base.path().trim_end_matches('/')).parse().map_err(|_| wrong())?;
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| wrong())?;
        Ok(Target { address, host, path, authorization: None, timeout })
    }

    /// The same, posting with this write key.
    pub fn with_write_key(self, key: Option<&str>) -> Result<Self, Error> {
        let bearer = |key: &str| HeaderValue::from_str(&format!("Bearer {key}"));
        // The value is not repeated: it may be a secret that was given in the wrong place.
        let wrong = |_| Error::Config { field: "write_key", value: "(not shown)".into(), accepted: "give one line of plain text" };
        Ok(Target { authorization: key.map(bearer).transpose().map_err(wrong)?, ..self })
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        request.headers_mut().insert(HOST, self.host.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        request
    }
}

/// The connection was closed before the request was sent: it may be sent on another.
#[derive(Debug)]
pub struct NotSent;

/// An open connection; drop it once [`Connection::post`] has failed.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Pin<Box<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>>,
    closed: bool,
}

impl Connection {
    pub async fn open(target: &Target) -> std::io::Result<Self> {
        let stream = tokio::time::timeout(target.timeout, TcpStream::connect(&target.address)).await??;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        Ok(Connection { sender, driver: Box::pin(driver), closed: false })
    }

    /// Whether another request may be tried on it.
    pub fn is_open(&self) -> bool {
        !self.closed && !self.sender.is_closed()
    }

    /// Posts one batch; answers what became of it.
    pub async fn post(&mut self, target: &Target, body: Bytes) -> Result<Outcome, NotSent> {
        let unknown = Ok(Outcome::Unknown { retry_after_ms: None });
        let request = target.request(body);
        let (sender, driver, closed) = (&mut self.sender, &mut self.driver, &mut self.closed);
        let exchange = async {
            sender.ready().await?;
            let response = sender.send_request(request).await?;
            Ok::<_, hyper::Error>(read(response).await)
        };
        tokio::pin!(exchange);
        let timeout = tokio::time::sleep(target.timeout);
        tokio::pin!(timeout);
        loop {
            tokio::select! {
                biased;
                answer = &mut exchange => return match answer {
                    Ok(outcome) => Ok(outcome),
                    Err(error) => {
                        *closed = true;
                        if error.is_canceled() { Err(NotSent) } else { unknown }
                    }
                },
                // The last answer may already lie in the channel: the exchange has the last word.
                _ = driver.as_mut(), if !*closed => *closed = true,
                () = &mut timeout => {
                    *closed = true;
                    return unknown;
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Sums {
    accepted: usize,
    refused: usize,
}

async fn read(response: Response<Incoming>) -> Outcome {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let later = Outcome::Unknown { retry_after_ms: after.map(|seconds| seconds.saturating_mul(1000)) };
    let Ok(body) = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await else { return later };
    let body = body.to_bytes();
    if status.is_success() || status == StatusCode::UNPROCESSABLE_ENTITY {
        return answered(&body).unwrap_or(later);
    }
    let again = status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if again {
        return later;
    }
    tracing::warn!(%status, reason = %String::from_utf8_lossy(&body[..body.len().min(512)]), "ingest refused a whole batch");
    Outcome::Refused
}

/// Reads the sums; only an answer with refusals is read event by event.
fn answered(body: &[u8]) -> Option<Outcome> {
    let sums: Sums = serde_json::from_slice(body).ok()?;
    if sums.refused == 0 {
        return Some(Outcome::Answered(vec![true; sums.accepted.min(ANSWER_BYTES_MAX)]));
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    for event in &answer.events {
        if let EventAnswer::Refused(refusal) = event {
            tracing::warn!(%refusal, "ingest refused an event");
        }
    }
    Some(Outcome::Answered(answer.events.iter().map(|event| matches!(event, EventAnswer::Accepted { .. })).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_refused_by_name() {
        let target = |url| Target::new(url, Duration::from_secs(1));
        assert_eq!(target("http://127.0.0.1:8700").unwrap().path, "/v1/events");
        assert_eq!(target("http://h/meter/").unwrap().path, "/meter/v1/events");
        assert_eq!(target("http://h/").unwrap().address, "h:80");
        for wrong in ["https://h:1", "127.0.0.1:8700", "", "ftp://x"] {
            assert!(target(wrong).unwrap_err().to_string().starts_with("ingest_url: "), "{wrong}");
        }
    }

    #[test]
    fn a_write_key_goes_with_every_request_and_no_key_adds_no_header() {
        let target = || Target::new("http://h:1", Duration::from_secs(1)).unwrap();
        let with = target().with_write_key(Some("lmw_1a2b3c4d_x")).unwrap().request(Bytes::new());
        assert_eq!(with.headers()[AUTHORIZATION], "Bearer lmw_1a2b3c4d_x");
        let without = target().with_write_key(None).unwrap().request(Bytes::new());
        assert!(!without.headers().contains_key(AUTHORIZATION));
        let wrong = target().with_write_key(Some("two\nlines")).unwrap_err().to_string();
        assert!(wrong.starts_with("write_key: ") && !wrong.contains("lines\n"), "{wrong}");
    }

    #[test]
    fn an_answer_is_read_event_by_event_when_some_were_refused() {
        let all = br#"{"accepted":2,"refused":0,"heartbeat_ms":10000,"events":[{"status":"accepted"},{"status":"accepted"}]}"#;
        assert_eq!(answered(all), Some(Outcome::Answered(vec![true, true])));
        let some = br#"{"accepted":1,"refused":1,"heartbeat_ms":10000,"events":[{"status":"refused","code":"clock","reason":"x"},{"status":"accepted"}]}"#;
        assert_eq!(answered(some), Some(Outcome::Answered(vec![false, true])));
        assert_eq!(answered(b"<html>"), None);
    }
}
