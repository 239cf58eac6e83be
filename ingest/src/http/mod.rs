//! The server. Here: which path leads where. It speaks HTTP/1.1 through hyper itself: one handler needs no
//! framework, and a framework's layers are paid per request.
//!
//! * [`listen`]      accepting: places, in all and per address, and the drain
//! * [`connection`]  one connection, from its handshake to its end
//! * [`pace`]        how long a connection may take for what it is at
//! * [`tls`]         certificates, read and read again
//! * [`events`]      `POST /v1/events` and `POST /v1/cmcd`
//! * [`cmcd`]        what of a CMCD request is not its body
//! * [`cors`]        which web pages may post
//! * [`answers`]     what is said in HTTP
//! * [`otlp`]        traces, sent to a collector

mod answers;
mod cmcd;
mod connection;
mod cors;
mod credentials;
mod events;
mod listen;
mod otlp;
mod pace;
pub mod tls;

pub use cmcd::ACCEPTED as CMCD_TYPES;
pub use listen::{serve, serve_with};

use crate::error::Fault;
use crate::intake::Intake;
use crate::trace::{Begun, Tracer};
use answers::Reply;
use events::Door;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Method, Request};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

const EVENTS_PATH: &str = "/v1/events";
const CMCD_PATH: &str = "/v1/cmcd";

/// Answers one request; a sampled one is traced.
async fn answer(intake: &Arc<Intake>, peer: SocketAddr, request: Request<Incoming>) -> Reply {
    let Some(begun) = intake.tracer.as_ref().and_then(|tracer| begin(tracer, &request)) else {
        return route(intake, peer, request).await;
    };
    let reply = route(intake, peer, request).await;
    if let Some(tracer) = &intake.tracer
        && !tracer.end(begun, reply.status().as_u16(), now_ns())
    {
        intake.metrics.spans_dropped.inc();
    }
    reply
}

/// Named by what exists here, never by what a client has sent.
fn begin(tracer: &Tracer, request: &Request<Incoming>) -> Option<Begun> {
    const ROUTES: [&str; 5] = [EVENTS_PATH, CMCD_PATH, "/healthz", "/readyz", "/metrics"];
    const METHODS: [&str; 4] = ["POST", "GET", "HEAD", "OPTIONS"];
    let known = |all: &[&'static str], name: &str| all.iter().find(|one| **one == name).copied().unwrap_or("other");
    let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    tracer.begin(known(&METHODS, request.method().as_str()), known(&ROUTES, request.uri().path()), parent, now_ns())
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
}

async fn route(intake: &Arc<Intake>, peer: SocketAddr, request: Request<Incoming>) -> Reply {
    // What follows a refused CONNECT may be meant for somebody else: it is never read as a request.
    let last = request.method() == Method::CONNECT;
    let mut reply = match (request.uri().path(), request.method()) {
        (EVENTS_PATH, &Method::POST) => events::post(intake, peer.ip(), request, Door::Events).await,
        (CMCD_PATH, &Method::POST) => events::post(intake, peer.ip(), request, Door::Cmcd).await,
        (EVENTS_PATH | CMCD_PATH, &Method::OPTIONS) => cors::preflight(intake, request.uri(), request.headers()),
        (EVENTS_PATH | CMCD_PATH, _) => answers::fault(intake, &Fault::Method("POST, OPTIONS")),
        ("/healthz" | "/readyz" | "/metrics", &Method::GET | &Method::HEAD) => admin(intake, request.uri().path()),
        ("/healthz" | "/readyz" | "/metrics", _) => answers::fault(intake, &Fault::Method("GET, HEAD")),
        _ => answers::fault(intake, &Fault::NotFound),
    };
    if last {
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
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
