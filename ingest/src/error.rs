//! Errors by cause: [`Error`] ends the service or keeps it from starting, [`Fault`] ends one request.
//! How a fault looks in HTTP is not here: see `http::answers`.

use crate::identity::token::TokenFault;
use livemeter_schemas::refusal::Refusal;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why ingest cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{setting} is {value}; {accepted}")]
    Setting { setting: &'static str, value: u64, accepted: String },
    #[error("cannot listen on {listen}: {source}")]
    Listen { listen: SocketAddr, source: std::io::Error },
    #[error("Kafka: {0}")]
    Kafka(String),
    #[error("TLS: {file}: {reason}")]
    Tls { file: String, reason: String },
    #[error("{setting}, {}: {reason}", path.display())]
    File { setting: &'static str, path: PathBuf, reason: String },
}

impl Error {
    /// Whether starting again with the same settings may succeed.
    pub fn retry(&self) -> bool {
        match self {
            Error::Setting { .. } | Error::Tls { .. } | Error::File { .. } => false,
            Error::Listen { .. } | Error::Kafka(_) => true,
        }
    }
}

/// Why a whole request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The batch around the events is wrong.
    #[error("{0}")]
    Batch(Refusal),
    #[error("the body is {size} bytes; the limit is {limit}")]
    BodyTooLarge { size: u64, limit: usize },
    /// Counting stopped at the limit, so the whole size is not known.
    #[error("the body is more than {limit} bytes, which is the limit")]
    BodyBeyond { limit: usize },
    #[error("the body inflates to more than {limit} bytes, which is the limit")]
    InflatedBeyond { limit: usize },
    #[error("the body inflates to more than {limit} times its size, which is the limit")]
    InflatedTooFar { limit: usize },
    #[error("content type {0:?} is not accepted; accepted are application/json, text/plain (the same JSON) and application/x-ndjson")]
    ContentType(String),
    #[error("content type {0:?} is not accepted; accepted are {accepted}", accepted = crate::http::CMCD_TYPES)]
    CmcdType(String),
    /// The app takes no CMCD: by the standard, 410 silences a player for the rest of its session.
    #[error("this app takes no CMCD reports; send none for the rest of the session")]
    Gone,
    #[error("content encoding {0:?} is not accepted; accepted are gzip, zstd and identity")]
    Encoding(String),
    #[error("origin {0:?} is not among the allowed ones")]
    Origin(String),
    #[error("key is missing; send the app's write key as the parameter key, or as authorization: Bearer")]
    KeyMissing,
    /// One sentence for an unknown app, an unknown key, one that was taken back, and one of another app.
    #[error("key is not one of this app's that are good now")]
    KeyRefused,
    #[error("{0}")]
    Token(TokenFault),
    #[error("there is no key to make this app's pseudonyms with")]
    NoPseudonym,
    #[error("the body did not arrive within {limit_ms} ms")]
    BodySlow { limit_ms: u64 },
    #[error("the body broke off: {0}")]
    BodyBroken(String),
    #[error("{what} have reached the limit of {limit}")]
    Busy { what: &'static str, limit: usize },
    /// Over the rate of its address or app.
    #[error("this {what} has sent more than {per_s} events a second; come again in {wait_s} s")]
    Rate { what: &'static str, per_s: u64, wait_s: u64 },
    #[error("the queue of records waiting for Kafka is full")]
    QueueFull,
    #[error("Kafka cannot be used: {0}")]
    KafkaAway(String),
    #[error("{acked} of {sent} events were acknowledged by Kafka; send all of them again")]
    Undelivered { acked: usize, sent: usize },
    #[error("ingest is shutting down")]
    Draining,
    #[error("there is nothing at this path; events go to POST /v1/events, CMCD reports to POST /v1/cmcd")]
    NotFound,
    #[error("this method is not accepted here; accepted are {0}")]
    Method(&'static str),
}

impl Fault {
    /// Whether the same request may succeed later.
    pub fn retry(&self) -> bool {
        use Fault::*;
        match self {
            Batch(_) | BodyTooLarge { .. } | BodyBeyond { .. } | InflatedBeyond { .. } | InflatedTooFar { .. } => false,
            ContentType(_) | CmcdType(_) | Gone | Encoding(_) | Origin(_) | NotFound | Method(_) => false,
            KeyMissing | KeyRefused | Token(_) => false,
            BodySlow { .. }
            | BodyBroken(_)
            | Busy { .. }
            | Rate { .. }
            | QueueFull
            | KafkaAway(_)
            | Undelivered { .. }
            | Draining
            | NoPseudonym => true,
        }
    }

    /// What a client that may come again is told to wait, in seconds; `usual_s` where nothing better is known.
    pub fn wait_s(&self, usual_s: u64) -> u64 {
        match self {
            // Never less than usual: all clients of a busy address would come again at once.
            Fault::Rate { wait_s, .. } => usual_s.max(*wait_s),
            _ => usual_s,
        }
    }

    /// A word for programs and metrics; a fixed set.
    pub fn word(&self) -> &'static str {
        use Fault::*;
        match self {
            Batch(refusal) => refusal.code.as_str(),
            BodyTooLarge { .. } | BodyBeyond { .. } => "body_too_large",
            InflatedBeyond { .. } | InflatedTooFar { .. } => "inflated_too_large",
            ContentType(_) | CmcdType(_) => "content_type",
            Gone => "gone",
            Encoding(_) => "content_encoding",
            Origin(_) => "origin",
            KeyMissing => "key_missing",
            KeyRefused => "key_refused",
            Token(TokenFault::Missing) => "token_missing",
            Token(_) => "token_refused",
            NoPseudonym => "no_pseudonym",
            BodySlow { .. } => "body_timeout",
            BodyBroken(_) => "body_broken",
            Busy { .. } => "busy",
            Rate { what: "app", .. } => "app_rate",
            Rate { .. } => "address_rate",
            QueueFull => "queue_full",
            KafkaAway(_) => "kafka_away",
            Undelivered { .. } => "undelivered",
            Draining => "draining",
            NotFound => "not_found",
            Method(_) => "method",
        }
    }
}
