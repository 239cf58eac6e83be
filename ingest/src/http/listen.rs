//! Accepting connections: a place for each, in all and per address, a word to those that get none, and the
//! drain. What happens on a connection is not here: see [`super::connection`].

use super::connection::{self, Stop};
use super::otlp;
use super::tls::Tls;
use crate::address;
use crate::crowd::{Crowd, Member};
use crate::intake::Intake;
use crate::trace::Tracer;
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// After an accept failed (out of descriptors), others need time to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections over the limit are told so politely, as long as there are not too many of them.
const FAREWELLS_MAX: usize = 256;
const FAREWELL: Duration = Duration::from_secs(1);

/// The places for connections.
struct Hall {
    places: Arc<Semaphore>,
    crowd: Arc<Crowd>,
    farewells: Arc<Semaphore>,
    tls: Option<Tls>,
    graceful: GracefulShutdown,
    stopping: watch::Sender<bool>,
}

/// What a connection holds while it is open.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _member: Option<Member>,
    all: Arc<Semaphore>,
    many: usize,
}

impl Place {
    /// Whether places are running out: then idle connections must make room sooner.
    pub fn scarce(&self) -> bool {
        self.all.available_permits() < self.many / 10
    }
}

/// Serves plain HTTP until `shutdown`, then lets requests in progress finish within the drain time.
pub async fn serve(listener: TcpListener, intake: Arc<Intake>, shutdown: impl Future<Output = ()>) {
    serve_with(listener, intake, None, shutdown).await;
}

/// The same over TLS, when there is a certificate.
pub async fn serve_with(listener: TcpListener, intake: Arc<Intake>, tls: Option<Tls>, shutdown: impl Future<Output = ()>) {
    let hall = Hall {
        places: Arc::new(Semaphore::new(intake.config.connections_max)),
        crowd: Crowd::new(intake.config.address_connections_max),
        farewells: Arc::new(Semaphore::new(FAREWELLS_MAX)),
        tls,
        graceful: GracefulShutdown::new(),
        stopping: watch::Sender::new(false),
    };
    if let (Some(traces), Some(spans)) = (&intake.config.traces, intake.tracer.as_ref().and_then(Tracer::spans)) {
        tokio::spawn(otlp::run(traces.endpoint.clone(), spans, intake.metrics.clone()));
    }
    let mut shutdown = std::pin::pin!(shutdown);
    let mut reload = std::pin::pin!(reload(hall.tls.as_ref(), &intake));
    tracing::info!(listen = ?listener.local_addr().ok(), tls = hall.tls.is_some(), "ingest is listening");
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            () = &mut reload => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => hall.receive(stream, peer, &intake),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    intake.drain();
    hall.stopping.send_replace(true);
    let open = hall.graceful.count();
    if tokio::time::timeout(intake.config.drain(), hall.graceful.shutdown()).await.is_err() {
        tracing::warn!(drain_ms = intake.config.drain_ms, "requests were still in progress when the drain time ended");
    }
    tracing::info!(connections = open, "ingest has drained");
}

/// Never ends.
async fn reload(tls: Option<&Tls>, intake: &Intake) {
    match tls {
        Some(tls) => tls.follow(&intake.metrics).await,
        None => std::future::pending().await,
    }
}

impl Hall {
    fn receive(&self, stream: TcpStream, peer: SocketAddr, intake: &Arc<Intake>) {
        // Answers are one small packet; nothing follows that they could wait for.
        let _ = stream.set_nodelay(true);
        let config = &intake.config;
        let Ok(permit) = self.places.clone().try_acquire_owned() else {
            intake.metrics.connections_refused.inc();
            return self.send_away(stream, "connections", config.connections_max, config.retry_after_s);
        };
        // The connections of a proxy are those of all its clients.
        let member = if address::any_holds(&config.trusted_proxies, peer.ip()) {
            None
        } else if let Some(member) = self.crowd.enter(peer.ip()) {
            Some(member)
        } else {
            intake.metrics.connections_over_address.inc();
            return self.send_away(stream, "connections of this address", self.crowd.limit(), config.retry_after_s);
        };
        let place = Place { _permit: permit, _member: member, all: self.places.clone(), many: config.connections_max };
        let stop = Stop { watcher: self.graceful.watcher(), stopping: self.stopping.subscribe() };
        let tls = self.tls.as_ref().map(Tls::acceptor);
        tokio::spawn(connection::run(stream, peer, tls, intake.clone(), stop, place));
    }

    /// Nothing can be said before a TLS handshake, which is more than such a connection is worth.
    fn send_away(&self, stream: TcpStream, what: &'static str, limit: usize, retry_after_s: u64) {
        if self.tls.is_some() {
            return;
        }
        if let Ok(farewell) = self.farewells.clone().try_acquire_owned() {
            tokio::spawn(refuse(stream, what, limit, retry_after_s, farewell));
        }
    }
}

/// Answers a connection that is one too many. It waits for the client to have read the answer:
/// closing over unread bytes would take it away again.
async fn refuse(mut stream: TcpStream, what: &'static str, limit: usize, retry_after_s: u64, _farewell: OwnedSemaphorePermit) {
    let body = format!(r#"{{"error":"busy","reason":"{what} have reached the limit of {limit}","limit":{limit},"retry":true}}"#);
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
