//! Every setting of ingest, with its default and the reason for it. Reading flags, environment and
//! files is not here: the binary fills this in.

use crate::address::Network;
use crate::cmcd::hosts::Hosts;
use crate::error::Error;
use crate::rate::Limit;
use crate::trace;
use crate::{geo, identity};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::{DEADLETTER_TOPIC, EVENTS_TOPIC};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// No setting may allow more events in one batch: their places are held while the batch is judged.
pub const BATCH_EVENTS_CEILING: usize = 10_000;
/// Kafka's own default for the largest message; a record or dead letter must stay below it.
const MESSAGE_BYTES_MAX: usize = 1_000_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Kafka's bootstrap servers, comma-separated.
    pub brokers: String,
    /// Further librdkafka settings (security, sockets). They cannot weaken durability: acks,
    /// idempotence and the partitioner are set after them.
    pub kafka_settings: Vec<(String, String)>,
    pub events_topic: String,
    pub deadletter_topic: String,

    /// Limits on one event.
    pub limits: Limits,
    /// One body as sent. 1,000 heartbeats of three CDNs are about 700 KiB.
    pub body_bytes_max: usize,
    /// One body after decompression: four times a plain one, since only repetition compresses so well.
    pub inflated_bytes_max: usize,
    /// Inflated ÷ sent. Heartbeats reach 20; a bomb reaches 1,000.
    pub inflate_ratio_max: usize,
    /// Events in one batch: an hour of one offline player, answered event by event.
    pub batch_events_max: usize,
    /// A body that takes longer than this is a client that holds a place and sends nothing.
    pub body_timeout_ms: u64,
    /// A connection may be silent this long between requests: seven heartbeats.
    pub idle_timeout_ms: u64,
    /// A TLS handshake, the first request's head from the connection's begin, and any later head from its
    /// first byte: a head is one packet, so who takes longer only holds a place.
    pub head_timeout_ms: u64,

    /// Open connections; each costs a descriptor and up to 64 KiB of buffer.
    pub connections_max: usize,
    /// Open connections of one address (an IPv6 /64): a NAT with 5,000 viewers and their reloads. Trusted
    /// proxies are not counted: theirs are those of many.
    pub address_connections_max: usize,
    /// Events of one address; a request costs at least one. Ten times what 5,000 viewers behind one NAT post,
    /// and saved up for when they all come at once.
    pub address_rate: Limit,
    /// Events of one app on this instance; none unless its operator says so, who alone knows its size.
    pub app_rate: Limit,
    /// Clients over which rates are kept, of 16 bytes each. Only those whose bucket is not full need a place.
    pub rate_entries_max: usize,
    /// Proxies whose `x-forwarded-for` is believed; nobody else's is.
    pub trusted_proxies: Vec<Network>,
    /// Clients whose rate is not limited: load tests and the simulated audience come from this machine.
    pub unlimited_addresses: Vec<Network>,
    /// Certificate chain and key, in PEM; without them plain HTTP is spoken.
    pub tls: Option<TlsFiles>,
    /// Where traces go; none are made without it.
    pub traces: Option<trace::Settings>,
    /// Requests in progress: each waits for Kafka, so this is rate × latency (10,000/s × 0.8 s).
    pub requests_in_flight_max: usize,
    /// Bytes of bodies being read or judged, over all requests.
    pub bytes_in_flight_max: usize,

    /// How long the producer waits to fill a message set. Small: a client is waiting for the answer.
    pub linger_ms: u64,
    /// A request waits this long for Kafka and is then answered 503. Less than the 10 s after which the SDK hangs up: a
    /// client that is told comes again when it is told to. What is on its way may still arrive, beside what is sent
    /// again: the ledger knows both as one.
    pub delivery_timeout_ms: u64,
    /// The producer tries this long to deliver a record. Rides out a leader election.
    pub message_timeout_ms: u64,
    /// Acknowledgements outstanding and none arriving for this long: Kafka is taken as away.
    pub kafka_silence_ms: u64,
    /// Records queued for Kafka; with the bytes below it keeps memory flat while Kafka is slow.
    pub queue_records_max: usize,
    /// Bytes of records queued for Kafka.
    pub queue_bytes_max: usize,

    /// Dead letters a minute from one app at one address: enough to find a bug, not to fill a disk.
    pub deadletters_per_minute: u32,
    /// Dead letters a minute altogether.
    pub deadletters_per_minute_total: u32,

    /// How often clients should send heartbeats; every answer carries it.
    pub heartbeat_ms: u64,
    /// What a refused client is told to wait when the service is overloaded or Kafka is away.
    pub retry_after_s: u64,
    /// Requests in progress at shutdown get this long to finish, and the producer as long to flush.
    pub drain_ms: u64,
    /// Web origins that may post (`https://player.example`); `None` is any.
    pub allowed_origins: Option<Vec<String>>,
    /// From the host that a CMCD report names to its CDN.
    pub cmcd_hosts: Hosts,
    /// Who may post, and as whom.
    pub identity: identity::Config,
    pub geo: geo::Config,
}

/// Both are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8700)),
            brokers: "127.0.0.1:8709".into(),
            kafka_settings: Vec::new(),
            events_topic: EVENTS_TOPIC.into(),
            deadletter_topic: DEADLETTER_TOPIC.into(),
            limits: Limits::default(),
            body_bytes_max: 1 << 20,
            inflated_bytes_max: 4 << 20,
            inflate_ratio_max: 100,
            batch_events_max: 1_000,
            body_timeout_ms: 10_000,
            idle_timeout_ms: 75_000,
            head_timeout_ms: 10_000,
            connections_max: 20_000,
            address_connections_max: 10_000,
            address_rate: Limit { per_s: 5_000, burst: 50_000 },
            app_rate: Limit { per_s: 0, burst: 0 },
            rate_entries_max: 65_536,
            trusted_proxies: Vec::new(),
            unlimited_addresses: Vec::new(),
            tls: None,
            traces: None,
            requests_in_flight_max: 8_192,
            bytes_in_flight_max: 64 << 20,
            linger_ms: 5,
            delivery_timeout_ms: 8_000,
            message_timeout_ms: 60_000,
            kafka_silence_ms: 5_000,
            queue_records_max: 100_000,
            queue_bytes_max: 64 << 20,
            deadletters_per_minute: 100,
            deadletters_per_minute_total: 1_000,
            heartbeat_ms: 10_000,
            retry_after_s: 5,
            drain_ms: 10_000,
            allowed_origins: None,
            cmcd_hosts: Hosts::default(),
            identity: identity::Config::default(),
            geo: geo::Config::default(),
        }
    }
}

impl Config {
    /// Refuses settings that contradict each other, by name.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |setting: &'static str, value: usize, accepted: String| Err(Error::Setting { setting, value: value as u64, accepted });
        for (setting, value) in [
            ("body_bytes_max", self.body_bytes_max),
            ("inflated_bytes_max", self.inflated_bytes_max),
            ("inflate_ratio_max", self.inflate_ratio_max),
            ("batch_events_max", self.batch_events_max),
            ("body_timeout_ms", self.body_timeout_ms as usize),
            ("idle_timeout_ms", self.idle_timeout_ms as usize),
            ("head_timeout_ms", self.head_timeout_ms as usize),
            ("connections_max", self.connections_max),
            ("address_connections_max", self.address_connections_max),
            ("rate_entries_max", self.rate_entries_max),
            ("requests_in_flight_max", self.requests_in_flight_max),
            ("delivery_timeout_ms", self.delivery_timeout_ms as usize),
            ("message_timeout_ms", self.message_timeout_ms as usize),
            ("queue_records_max", self.queue_records_max),
            ("heartbeat_ms", self.heartbeat_ms as usize),
        ] {
            if value == 0 {
                return wrong(setting, 0, "at least 1 is needed".into());
            }
        }
        if self.batch_events_max > BATCH_EVENTS_CEILING {
            return wrong("batch_events_max", self.batch_events_max, format!("at most {BATCH_EVENTS_CEILING} is accepted"));
        }
        if self.limits.event_bytes_max > MESSAGE_BYTES_MAX / 2 {
            return wrong("event_bytes_max", self.limits.event_bytes_max, format!("at most {} is accepted", MESSAGE_BYTES_MAX / 2));
        }
        let largest = self.body_bytes_max.saturating_add(self.inflated_bytes_max);
        if self.bytes_in_flight_max < largest {
            return wrong("bytes_in_flight_max", self.bytes_in_flight_max, format!("at least body + inflated body, {largest}, is needed"));
        }
        if self.queue_bytes_max < self.inflated_bytes_max {
            let accepted = format!("at least inflated_bytes_max, {}, is needed", self.inflated_bytes_max);
            return wrong("queue_bytes_max", self.queue_bytes_max, accepted);
        }
        if self.queue_records_max < self.batch_events_max {
            let accepted = format!("at least batch_events_max, {}, is needed", self.batch_events_max);
            return wrong("queue_records_max", self.queue_records_max, accepted);
        }
        Ok(())
    }

    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_agree_and_contradictions_are_refused_by_name() {
        Config::default().check().unwrap();
        let too_few = Config { queue_records_max: 10, ..Config::default() };
        assert_eq!(too_few.check().unwrap_err().to_string(), "queue_records_max is 10; at least batch_events_max, 1000, is needed");
        let none = Config { connections_max: 0, ..Config::default() };
        assert_eq!(none.check().unwrap_err().to_string(), "connections_max is 0; at least 1 is needed");
        let many = Config { batch_events_max: 20_000, ..Config::default() };
        assert!(many.check().unwrap_err().to_string().contains("batch_events_max is 20000"));
    }
}
