//! `livemeter-broker`: one Kafka-compatible node on one SQLite file, for laptops, demos and tests.
//! A map, in the order in which a request meets the parts:
//!
//! * [`options`]   the flags, checked: a literal address, a data folder
//! * [`home`]      the data folder: its lock, its cluster id, the name of its one file
//! * [`server`]    connections → frames → answers; clean and quick ends
//! * [`routes`]    which requests are served, and by which part; what is not here is not advertised
//! * [`fetch`]     the reader's side: long polls, out-of-range offsets refused per partition
//! * [`guard`]     tansu's storage, kept from what would break it; an acknowledgement follows the disk
//! * [`producers`] what tansu lacks about idempotent producers: epochs, wrapping, repeated batches
//! * [`log`]       our own connection to the records: reading, bounds, deletion up to an offset
//!
//! Everything else (topics, groups, producers, the wire format) is tansu's.

mod fetch;
mod guard;
mod home;
mod log;
mod options;
mod producers;
mod routes;
mod server;

#[cfg(test)]
mod tests;

use anyhow::Context as _;
use clap::Parser as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

fn main() -> ExitCode {
    match start(options::Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("livemeter-broker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(options: options::Options) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(&options.log))
        .with_writer(std::io::stderr)
        // With its stderr closed (its supervisor was killed), complaining about that would be a panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    if options.die_with_parent {
        home::die_with_parent()?;
    }
    end_on_panic();
    // Two threads: one connection's disk write must not hold up another's read. More would only add memory.
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run(options))
}

async fn run(options: options::Options) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn({
        let stop = stop.clone();
        async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            stop.cancel();
        }
    });

    let home = home::Home::open(&options.data, options.cluster_id.as_deref()).await?;
    let listener = TcpListener::bind(options.listen).await.with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = listener.local_addr()?;
    let storage = guard::open(&home, address, options.sync).await?;
    info!(%address, cluster_id = home.cluster_id, data = %options.data.display(), "ready");
    server::run(listener, &home.cluster_id, storage, stop).await
}

/// Tansu's storage runs in one task of its own. Should it panic, the process would go on accepting
/// connections and answer none: better to end at once, and be started anew on a file made for that.
fn end_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        error!("a panic ends the broker; nothing acknowledged is lost");
        std::process::exit(101);
    }));
}
