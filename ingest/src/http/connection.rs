//! One connection, from its handshake to its end: it holds its place all that time, and is closed when it
//! takes too long. Which places there are is not here: see [`super::listen`]; nor how long: see [`super::pace`].

use super::answer;
use super::listen::Place;
use super::pace::{Pace, Paced};
use crate::intake::Intake;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// A request's head and what hyper reads ahead of a body.
const BUFFER_BYTES: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;
/// A head with every header a browser sends and the longest token is 12 KiB; the trailers of a chunked body count too.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// How a connection learns that the service is stopping.
pub struct Stop {
    pub watcher: Watcher,
    pub stopping: watch::Receiver<bool>,
}

pub async fn run(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, intake: Arc<Intake>, stop: Stop, place: Place) {
    intake.metrics.connections.inc();
    match tls {
        None => speak(stream, peer, &intake, stop.watcher, &place).await,
        Some(tls) => {
            if let Some((stream, watcher)) = handshake(tls, stream, &intake, stop).await {
                speak(stream, peer, &intake, watcher, &place).await;
            }
        }
    }
    intake.metrics.connections.dec();
}

/// Nobody waits for a handshake: it has its time, and a stopping service takes no new connection.
async fn handshake(
    tls: TlsAcceptor,
    stream: TcpStream,
    intake: &Intake,
    mut stop: Stop,
) -> Option<(tokio_rustls::server::TlsStream<TcpStream>, Watcher)> {
    let limit = Duration::from_millis(intake.config.head_timeout_ms);
    tokio::select! {
        shaken = tokio::time::timeout(limit, tls.accept(stream)) => match shaken {
            Ok(Ok(stream)) => Some((stream, stop.watcher)),
            Ok(Err(error)) => {
                intake.metrics.closed("handshake_failed");
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                intake.metrics.closed("handshake");
                None
            }
        },
        _ = stop.stopping.wait_for(|stopping| *stopping) => None,
    }
}

async fn speak<S>(stream: S, peer: SocketAddr, intake: &Arc<Intake>, watcher: Watcher, place: &Place)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pace = Arc::new(Pace::new());
    let (handler, at_work) = (intake.clone(), pace.clone());
    let service = service_fn(move |request| {
        let (intake, pace) = (handler.clone(), at_work.clone());
        async move {
            pace.request();
            let reply = answer(&intake, peer, request).await;
            pace.replied();
            Ok::<_, Infallible>(reply)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Its own timer does not tell silence between requests from a head that does not end: see `pace`.
        .header_read_timeout(None)
        .max_headers(HEADERS_MAX)
        // The buffer alone would let through what comes in one piece.
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES)
        // An answer is small: one piece of memory to the kernel is cheaper than head and body apart.
        .writev(false)
        .serve_connection(TokioIo::new(Paced::new(stream, pace.clone())), service);
    tokio::select! {
        // In this order: a coin would be tossed at every step of every connection.
        biased;
        ended = watcher.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        cause = pace.too_slow(&intake.config, || place.scarce()) => intake.metrics.closed(cause),
    }
}
