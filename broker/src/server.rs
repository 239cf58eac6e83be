//! Connections: a frame is read, answered, written; then the next. Bounds on both, and a clean end.
//! Which part answers is the matter of [`crate::routes`].

use crate::guard::Guarded;
use crate::routes;
use anyhow::Context as _;
use bytes::Bytes;
use rama::{Context, Service as _};
use std::time::Duration;
use tansu_storage::Storage as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// A frame larger than this is refused by ending the connection. librdkafka's largest produce request
/// is 1 MB by default; Kafka's own bound is 100 MB.
const FRAME_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Connections at a time. Each service holds a handful; more than this is a leak somewhere.
const CONNECTIONS_MAX: usize = 256;
/// How long answers under way may take once the end was asked for.
const END_PATIENCE: Duration = Duration::from_secs(3);

/// Serves until `stop`; then lets answers under way finish and folds SQLite's journal into its file.
pub async fn run(listener: TcpListener, cluster_id: &str, storage: Guarded, stop: CancellationToken) -> anyhow::Result<()> {
    storage
        .register_broker(tansu_storage::BrokerRegistrationRequest {
            broker_id: routes::NODE_ID,
            cluster_id: cluster_id.to_owned(),
            incarnation_id: uuid::Uuid::new_v4(),
            rack: None,
        })
        .await
        .context("cannot register in the storage")?;
    let routes = routes::build(&storage, &stop)?;
    let places = std::sync::Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place?,
        };
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    debug!(%peer, "connected");
                    let (routes, stop) = (routes.clone(), stop.clone());
                    connections.spawn(async move {
                        if let Err(error) = connection(stream, routes, stop).await {
                            debug!(%peer, %error, "connection ended");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of file handles, most likely: it passes, and spinning on it would not help.
                    warn!(%error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(END_PATIENCE, async { while connections.join_next().await.is_some() {} }).await.is_err() {
        warn!(connections = connections.len(), "ended with answers under way");
    }
    storage.close().await
}

async fn connection(mut stream: TcpStream, routes: routes::Routes, stop: CancellationToken) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let mut length = [0_u8; 4];
        tokio::select! {
            // Only between frames: a request under way is never dropped, its answer is always written.
            () = stop.cancelled() => return Ok(()),
            read = stream.read_exact(&mut length) => read?,
        };
        let size = usize::try_from(i32::from_be_bytes(length)).context("a frame of negative length")?;
        anyhow::ensure!(size <= FRAME_BYTES_MAX, "a frame of {size} bytes; the limit is {FRAME_BYTES_MAX}");
        // Grown as the bytes arrive: a length alone must not cost memory.
        let mut frame = length.to_vec();
        let read = (&mut stream).take(size as u64).read_to_end(&mut frame).await?;
        anyhow::ensure!(read == size, "the connection ended within a frame");
        let answer = routes.serve(Context::default(), Bytes::from(frame)).await?;
        stream.write_all(&answer).await?;
    }
}
