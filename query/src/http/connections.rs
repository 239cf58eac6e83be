//! The server: connections, their limits and the drain. It speaks HTTP/1.1. Which path leads where is
//! the router's affair.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A request's head, and what is read ahead of a body.
const BUFFER_BYTES: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;
/// After an accept failed (out of descriptors), others need time to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections together may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connections_max: usize,
    /// To a request's whole head, from the connection's opening or the last answer.
    pub idle: Duration,
    /// For what is under way at the end.
    pub drain: Duration,
}

/// Serves until `shutdown`, then answers what is under way; a reader that has stopped reading holds
/// nothing up beyond the drain.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Some((stream, place)) => drop(tokio::spawn(connection(stream, router.clone(), limits.idle, graceful.watcher(), place))),
            None => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped with answers still under way");
    }
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let accepted = listener.accept().await.inspect_err(|error| tracing::warn!(%error, "a connection could not be accepted"));
    Some((accepted.ok()?.0, place))
}

async fn connection(stream: TcpStream, router: Router, idle: Duration, watcher: Watcher, _place: OwnedSemaphorePermit) {
    // A small answer must not wait for company.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    async fn answer(stream: &mut TcpStream) -> String {
        let mut bytes = vec![0; 1_024];
        let read = stream.read(&mut bytes).await.unwrap_or(0);
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    #[tokio::test]
    async fn slow_heads_idle_and_surplus_connections_are_bounded_and_shutdown_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits { connections_max: 2, idle: Duration::from_millis(400), drain: Duration::from_millis(200) };
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let router = Router::new().route("/", get(|| async { "here" }));
        let serving = tokio::spawn(serve(listener, router, limits, async { stopped.await.unwrap_or_default() }));

        // One never finishes its head, the other is answered and then says nothing more.
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(&REQUEST[..10]).await.unwrap();
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(REQUEST).await.unwrap();
        assert!(answer(&mut idle).await.ends_with("here"));
        // A third is answered only when one of them has been let go.
        let began = std::time::Instant::now();
        let mut third = TcpStream::connect(address).await.unwrap();
        third.write_all(REQUEST).await.unwrap();
        assert!(answer(&mut third).await.ends_with("here"));
        assert!(began.elapsed() > Duration::from_millis(200), "{:?}", began.elapsed());
        let closed = async { (answer(&mut slow).await, answer(&mut idle).await) };
        let (slow, idle) = tokio::time::timeout(Duration::from_secs(5), closed).await.unwrap();
        assert!(!slow.contains("200 OK"), "{slow}");
        assert_eq!(idle, "");

        stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
    }
}
