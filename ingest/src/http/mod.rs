//! The server: connections, their limits, the drain, and which path leads where. It speaks HTTP/1.1
//! through hyper itself: one handler needs no framework, and a framework's layers are paid per request.

mod answers;
mod cors;
mod credentials;
mod events;

use crate::error::Fault;
use crate::intake::Intake;
use answers::Reply;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const EVENTS_PATH: &str = "/v1/events";
/// A request's head and what hyper reads ahead of a body.
const BUFFER_BYTES: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;
/// After an accept failed (out of descriptors), others need time to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections over the limit are told so politely, as long as there are not too many of them.
const FAREWELLS_MAX: usize = 256;
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves until `shutdown`, then lets requests in progress finish within the drain time.
pub async fn serve(listener: TcpListener, intake: Arc<Intake>, shutdown: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(intake.config.connections_max));
    let farewells = Arc::new(Semaphore::new(FAREWELLS_MAX));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    tracing::info!(listen = ?listener.local_addr().ok(), "ingest is listening");
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Ok(place) = places.clone().try_acquire_owned() {
            tokio::spawn(connection(stream, peer, intake.clone(), graceful.watcher(), place));
        } else {
            intake.metrics.connections_refused.inc();
            if let Ok(farewell) = farewells.clone().try_acquire_owned() {
                tokio::spawn(refuse(stream, intake.config.connections_max, intake.config.retry_after_s, farewell));
            }
        }
    }
    drop(listener);
    intake.drain();
    let open = graceful.count();
    if tokio::time::timeout(intake.config.drain(), graceful.shutdown()).await.is_err() {
        tracing::warn!(drain_ms = intake.config.drain_ms, "requests were still in progress when the drain time ended");
    }
    tracing::info!(connections = open, "ingest has drained");
}

async fn connection(stream: TcpStream, peer: SocketAddr, intake: Arc<Intake>, watcher: Watcher, _place: OwnedSemaphorePermit) {
    // Answers are one small packet; nothing follows that they could wait for.
    let _ = stream.set_nodelay(true);
    intake.metrics.connections.inc();
    let handler = intake.clone();
    let service = service_fn(move |request| {
        let intake = handler.clone();
        async move { Ok::<_, Infallible>(route(&intake, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(intake.config.idle_timeout_ms))
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        // Without its address: those are never written down, not even in a log.
        tracing::debug!(%error, "a connection ended early");
    }
    intake.metrics.connections.dec();
}

async fn route(intake: &Arc<Intake>, peer: SocketAddr, request: Request<Incoming>) -> Reply {
    let reply = match (request.uri().path(), request.method()) {
        (EVENTS_PATH, &Method::POST) => events::post(intake, peer.ip(), request).await,
        (EVENTS_PATH, &Method::OPTIONS) => cors::preflight(intake, request.uri(), request.headers()),
        (EVENTS_PATH, _) => answers::fault(intake, &Fault::Method("POST, OPTIONS")),
        ("/healthz" | "/readyz" | "/metrics", &Method::GET | &Method::HEAD) => admin(intake, request.uri().path()),
        ("/healthz" | "/readyz" | "/metrics", _) => answers::fault(intake, &Fault::Method("GET, HEAD")),
        _ => answers::fault(intake, &Fault::NotFound),
    };
    intake.metrics.answered(reply.status().as_u16());
    reply
}

fn admin(intake: &Intake, path: &str) -> Reply {
    match path {
        "/metrics" => answers::metrics(intake.metrics_text()),
        "/readyz" => match intake.ready() {
            Ok(()) => answers::status("ready"),
            Err(fault) => answers::fault(intake, &fault),
        },
        _ => answers::status("alive"),
    }
}

/// Answers a connection that is one too many. It waits for the client to have read the answer:
/// closing over unread bytes would take it away again.
async fn refuse(mut stream: TcpStream, limit: usize, retry_after_s: u64, _farewell: OwnedSemaphorePermit) {
    let body = format!(r#"{{"error":"busy","reason":"connections have reached the limit of {limit}","limit":{limit},"retry":true}}"#);
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: {retry_after_s}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let farewell = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await?;
        let mut unread = [0; 4096];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    // A client that is gone or will not listen is no loss.
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}
