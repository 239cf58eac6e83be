//! The whole processor, from its settings to its end: the admin address, the worker, and what happens when
//! either cannot go on. Threads, arguments and signals are the binary's.

use crate::config::Config;
use crate::error::Error;
use crate::http;
use crate::sink::KafkaSink;
use crate::source::KafkaSource;
use crate::status::{Phase, Status};
use crate::worker::Worker;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// How long the end waits for maintenance under way; it may be cut short at any point without harm.
const SETTLE: Duration = Duration::from_secs(2);

/// Runs until `shutdown`, then commits what is booked and ends. Waits, visibly, for a broker or a storage
/// that is away; ends with an error where waiting cannot help. Needs tokio's multi-threaded runtime.
pub async fn run(config: Config, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    config.check()?;
    let status = Status::new();
    let listener = http::bind(config.listen).await?;
    let stop = CancellationToken::new();
    let admin = tokio::spawn(http::serve(listener, status.clone(), stop.clone().cancelled_owned()));
    let worked = work(config, &status, shutdown).await;
    status.enter(Phase::Stopping);
    stop.cancel();
    // An open scrape must not keep the process alive.
    let _ = tokio::time::timeout(Duration::from_secs(2), admin).await;
    worked
}

async fn work(config: Config, status: &Arc<Status>, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    tokio::pin!(shutdown);
    let grace = Duration::from_millis(config.shutdown_ms);
    let mut worker = tokio::select! {
        () = &mut shutdown => return Ok(()),
        opened = open(&config, status) => opened?,
    };
    let _deriving = crate::derive::spawn(&config, status)?;
    tokio::select! {
        () = &mut shutdown => {}
        ended = worker.run() => return ended,
    }
    status.enter(Phase::Stopping);
    match tokio::time::timeout(grace, worker.flush()).await {
        Ok(flushed) => flushed?,
        Err(_) => tracing::warn!(ms = config.shutdown_ms, "the last commit took too long; its records are read again at the next start"),
    }
    worker.settle_within(SETTLE).await;
    Ok(())
}

/// Opens a worker, for as long as it takes the broker and the storage to be there.
async fn open(config: &Config, status: &Arc<Status>) -> Result<Worker<KafkaSource, KafkaSink>, Error> {
    loop {
        let tried = async {
            let (source, sink) = (KafkaSource::new(config)?, KafkaSink::new(config)?);
            Worker::open(config.clone(), status.clone(), source, sink, now_ms).await
        };
        match tried.await {
            Ok(worker) => return Ok(worker),
            Err(error) if error.retry() => {
                tracing::warn!(%error, "cannot begin yet");
                status.metrics.retries.inc();
                status.enter(Phase::Retrying(error.to_string()));
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
