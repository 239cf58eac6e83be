//! Posts heartbeats and says what became of them, as one line of JSON: the load of `bench-ingest`, a process of its
//! own. See `livemeter_bench::load`.

use anyhow::Result;
use clap::Parser;
use livemeter_bench::bodies::{Bodies, audience};
use livemeter_bench::load::{Order, run};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Posts prepared batches to /v1/events.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    to: SocketAddr,
    /// Events in one request.
    #[arg(long, default_value_t = 100)]
    batch: usize,
    /// Kept open, with one request on its way on each.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Requests a second; as fast as answers come when not given.
    #[arg(long)]
    rate: Option<f64>,
    /// Distinct events made beforehand; they go round and round.
    #[arg(long, default_value_t = 200_000)]
    pool: u64,
    /// A connection for each request.
    #[arg(long)]
    fresh: bool,
    /// Take every 2xx for an answer, also one that does not say how many events were accepted.
    #[arg(long)]
    untold: bool,
    /// Speak TLS, and trust the certificate in this PEM file.
    #[arg(long)]
    trust: Option<PathBuf>,
}

fn main() -> Result<()> {
    let a = Arguments::parse();
    let bodies = Bodies::prepare(audience(a.pool)?, a.batch)?;
    let duration = Duration::from_secs_f64(a.seconds);
    let order =
        Order { to: a.to, connections: a.connections, duration, rate: a.rate, fresh: a.fresh, told: !a.untold, trusted_file: a.trust };
    println!("{}", serde_json::to_string(&run(order, bodies)?)?);
    Ok(())
}
