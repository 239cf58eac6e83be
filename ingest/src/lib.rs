//! Ingest: HTTP → Kafka. Takes batches of events from players and answers each of them only after
//! Kafka has acknowledged it. This file is the map; the parts, in the order in which data meets them:
//!
//! * [`config`]      every setting and limit, with its reason
//! * [`error`]       why the service cannot run, and why a request is not taken
//! * [`address`]     whose request it is: networks, trusted proxies, IPv6 by /64; pure
//! * [`rate`]        how often: token buckets in a table of fixed size; pure
//! * [`doors`]       the two rate tables of a running service, by address and by app
//! * [`crowd`]       how many connections each address holds
//! * [`gate`]        how much may be in progress at once
//! * [`body`]        a request's bytes: read, counted, inflated, never beyond the limits
//! * [`identity`]    whose key a request has, what its token allows
//! * [`file`]        a file, no larger than it may be, and whether it has changed
//! * [`geo`]         where an address is and whose network, from local files
//! * [`batch`]       text → events, each accepted or refused by name; pure
//! * [`cmcd`]        the same of CMCD reports, from players without an SDK of ours; pure
//! * [`counters`]    cumulative counters that fall within one batch; pure
//! * [`deadletter`]  what is kept of a refused text, and how often; pure
//! * [`delivery`]    one request's wait for all of its acknowledgements; the sink's contract
//! * [`sink`]        the Kafka producer; nothing else knows rdkafka
//! * [`metrics`]     what is counted
//! * [`trace`]       which requests are traced, and what is told of them
//! * [`intake`]      the parts above, put together for one running service
//! * [`http`]        the server; nothing else knows hyper

pub mod address;
pub mod batch;
pub mod body;
pub mod cmcd;
pub mod config;
pub mod counters;
pub mod crowd;
pub mod deadletter;
pub mod delivery;
pub mod doors;
pub mod error;
pub mod file;
pub mod gate;
pub mod geo;
pub mod http;
pub mod identity;
pub mod intake;
pub mod metrics;
pub mod rate;
pub mod sink;
pub mod trace;

pub use config::Config;
pub use error::Error;

use intake::Intake;
use metrics::Metrics;
use sink::KafkaSink;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves until `shutdown` completes, then drains: no new connections, requests in progress get up
/// to `drain_ms` to be acknowledged, and the producer is flushed.
///
/// # Errors
/// A wrong setting, an address that cannot be listened on, a producer that cannot be made.
/// Kafka being away is not an error: the service answers 503 until it is back.
pub async fn run(config: Config, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    config.check()?;
    let geo = geo::Geo::open(&config.geo)?;
    let identity = identity::file::identity(&config.identity, config.limits.cdns_max)?;
    let listener = TcpListener::bind(config.listen).await.map_err(|source| Error::Listen { listen: config.listen, source })?;
    let tls = http::tls::Tls::load(config.tls.as_ref()).await?;
    let sink = Arc::new(KafkaSink::start(&config)?);
    let drain = config.drain();
    let intake = Arc::new(Intake::new(config, sink.clone(), Metrics::new(), intake::system_clock).known_to(identity).with_geo(geo));
    let following = [tokio::spawn(identity::file::follow(intake.clone())), tokio::spawn(geo::follow::follow(intake.clone()))];
    http::serve_with(listener, intake, tls, shutdown).await;
    following.iter().for_each(|task| task.abort());
    // Requests that outlived the drain are gone; what they queued is still worth a last attempt.
    tokio::task::spawn_blocking(move || sink.close(drain)).await.map_err(|e| Error::Kafka(e.to_string()))?
}
