//! One question to one service: `GET /metrics`, no longer and no larger than it may be, over plain HTTP or TLS as its
//! address says. The address is the operator's, never a client's.

use super::trust;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::{Authority, Scheme};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A service answers within milliseconds; a page waits for the slowest of them.
const DEADLINE: Duration = Duration::from_secs(2);
/// Ingest's metrics are 10 KB, the processor's with a thousand partitions 100.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// Why a service's counts are missing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("it is no address such as http://127.0.0.1:8700")]
    Address,
    #[error("no answer within {} ms", DEADLINE.as_millis())]
    Slow,
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    #[error("it is https, and {0}")]
    Trust(#[from] trust::Failure),
    #[error("no TLS with it: {0}")]
    Handshake(std::io::Error),
    #[error("the answer broke off: {0}")]
    Broken(hyper::Error),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its metrics are more than {TEXT_BYTES_MAX} bytes, which is the limit")]
    TooLarge,
    #[error("its metrics are no text")]
    NoText,
}

/// The text of a service's metrics. `trusted` is the file of authorities for `https`.
pub async fn metrics(address: &str, trusted: Option<&Path>) -> Result<String, Failure> {
    tokio::time::timeout(DEADLINE, ask(address, trusted)).await.map_err(|_| Failure::Slow)?
}

async fn ask(address: &str, trusted: Option<&Path>) -> Result<String, Failure> {
    let base: Uri = address.parse().map_err(|_| Failure::Address)?;
    let authority = base.authority().ok_or(Failure::Address)?;
    let host = authority.host().trim_matches(['[', ']']);
    let connect = async |port| TcpStream::connect((host, authority.port_u16().unwrap_or(port))).await.map_err(Failure::Connect);
    if base.scheme() != Some(&Scheme::HTTPS) {
        return question(authority, connect(80).await?).await;
    }
    let client = trust::client(trusted).await?;
    let name = host.to_owned().try_into().map_err(|_| Failure::Address)?;
    question(authority, client.connect(name, connect(443).await?).await.map_err(Failure::Handshake)?).await
}

async fn question(authority: &Authority, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<String, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Failure::Broken)?;
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = Uri::from_static("/metrics");
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str()).map_err(|_| Failure::Address)?);
    let answer = async {
        let response = sender.send_request(request).await.map_err(Failure::Broken)?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status()));
        }
        let whole = Limited::new(response.into_body(), TEXT_BYTES_MAX).collect().await.map_err(broken)?;
        String::from_utf8(whole.to_bytes().to_vec()).map_err(|_| Failure::NoText)
    };
    // The connection works as long as the answer is waited for, and no longer.
    let (mut answer, mut connection) = (std::pin::pin!(answer), std::pin::pin!(connection));
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            text = &mut answer => return text,
            _ = &mut connection, if open => open = false,
        }
    }
}

fn broken(error: Box<dyn std::error::Error + Send + Sync>) -> Failure {
    match error.downcast::<hyper::Error>() {
        Ok(error) => Failure::Broken(*error),
        Err(other) if other.is::<LengthLimitError>() => Failure::TooLarge,
        Err(_) => Failure::NoText,
    }
}
