//! The handler that reads and discards, as a process of its own. See `livemeter_bench::http`.

use anyhow::Result;
use clap::Parser;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The allocator of the service's own binary, so that both have the same.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Reads every body and throws it away.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    listen: SocketAddr,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // As many threads as the service has: one for each core.
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async { livemeter_bench::http::serve(TcpListener::bind(arguments.listen).await?).await })
}
