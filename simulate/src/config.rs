//! What may be set, why each limit is what it is, and the check that runs before anything starts.

use crate::network::Network;
use livemeter_schemas::limits::Limits;
use std::path::PathBuf;

/// A CDN that viewers are sent to.
#[derive(Debug, Clone, PartialEq)]
pub struct Cdn {
    pub name: String,
    /// Its share of joining viewers, relative to the others'.
    pub ratio: u32,
    /// Mean playing time between two interruptions: what sets a good CDN apart from a bad one.
    pub stall_every_ms_mean: u64,
}

impl Cdn {
    pub fn new(name: &str, ratio: u32, stall_every_ms_mean: u64) -> Self {
        Cdn { name: name.into(), ratio, stall_every_ms_mean }
    }
}

/// How long to wait before the same events are sent again, when the answer names no `Retry-After`.
/// Doubled at each attempt, with jitter, so that an audience does not come back as one wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    pub first_ms: u64,
    pub max_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { first_ms: 250, max_ms: 10_000 }
    }
}

/// Everything that may be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Base address of ingest, such as `http://127.0.0.1:8700`; `/v1/events` is added. Plain HTTP only.
    pub ingest_url: String,
    /// The app (tenant) that the audience belongs to.
    pub app: String,
    /// The app's write key, for an ingest that asks for one.
    pub write_key: Option<String>,
    /// Size of the audience. About 1 KiB of memory each.
    pub viewers: u32,
    /// The same seed gives the same audience.
    pub seed: u64,
    /// Part of every session id, so that two runs of one seed never share a session. At most 24 bytes:
    /// it is part of the key from which ids are drawn. None: random.
    pub run_id: Option<String>,
    /// Mean time between a session's heartbeats; each is jittered by ±10 %.
    pub heartbeat_ms: u64,
    /// Viewers who are there from the start join evenly within this time. None: one heartbeat's time,
    /// which makes the load flat from the first second.
    pub ramp_ms: Option<u64>,
    /// Mean length of a session: with 15 minutes, a tenth of the audience is exchanged in 90 s.
    pub session_ms_mean: u64,
    /// Share of sessions that vanish without an end event (killed tabs, empty batteries).
    pub vanish: f64,
    /// How long the audience stays. None: until the shutdown future is ready.
    pub duration_ms: Option<u64>,
    pub cdns: Vec<Cdn>,
    /// Number of programmes; their popularity follows Zipf's law.
    pub programmes: u32,
    pub regions: Vec<String>,
    pub network: Network,
    /// Most keep-alive connections; opened as needed, the most recently used first. Each carries one
    /// request at a time, so this bounds requests in flight: 256 carry 10,000/s at 25 ms each.
    pub connections: usize,
    /// Most viewers whose waiting events share one request. 1: as players post.
    pub batch_max: usize,
    /// The same while draining, when only the counters matter and 100,000 last words have to go.
    pub drain_batch_max: usize,
    /// Most events in one request, whatever the number of viewers: below ingest's own limit.
    pub batch_events_max: usize,
    /// Above viewers × this many waiting events (ingest is slow or away), nobody joins or leaves and events
    /// without counters are dropped and counted. Counters are never dropped: a newer heartbeat replaces
    /// an unsent one.
    pub pending_per_viewer_max: usize,
    /// An answer that takes longer counts as none: longer than ingest may wait for Kafka.
    pub request_timeout_ms: u64,
    pub retry: Retry,
    /// At the end, how long to go on sending until everything is acknowledged.
    pub drain_ms: u64,
    /// Where the truth is written, as JSON.
    pub truth_path: Option<PathBuf>,
    /// Where the truth of every (session, CDN) is written, as CSV.
    pub truth_sessions_path: Option<PathBuf>,
    /// How often `progress` is called.
    pub progress_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            ingest_url: "http://127.0.0.1:8700".into(),
            app: "demo".into(),
            write_key: None,
            viewers: 10_000,
            seed: 1,
            run_id: None,
            heartbeat_ms: 10_000,
            ramp_ms: None,
            session_ms_mean: 15 * 60 * 1000,
            vanish: 0.1,
            duration_ms: None,
            cdns: vec![Cdn::new("cdn-a", 50, 600_000), Cdn::new("cdn-b", 30, 240_000), Cdn::new("cdn-c", 20, 1_200_000)],
            programmes: 20,
            regions: ["CN-BJ", "CN-SH", "CN-GD", "CN-ZJ", "CN-SC", "CN-HB"].map(String::from).to_vec(),
            network: Network::default(),
            connections: 256,
            batch_max: 1,
            drain_batch_max: 100,
            batch_events_max: 200,
            pending_per_viewer_max: 2,
            request_timeout_ms: 35_000,
            retry: Retry::default(),
            drain_ms: 30_000,
            truth_path: None,
            truth_sessions_path: None,
            progress_ms: 1_000,
        }
    }
}

/// Why a run could not begin, or could not say what happened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{field}: {value:?} is not accepted; {accepted}")]
    Config { field: &'static str, value: String, accepted: &'static str },
    #[error("cannot start: {0}")]
    Start(std::io::Error),
    #[error("cannot write {path}: {cause}")]
    Write { path: PathBuf, cause: std::io::Error },
    #[error("the audience's thread ended without an answer; its panic is above")]
    Ended,
}

impl Error {
    /// Whether the same run may succeed later.
    pub fn retry(&self) -> bool {
        matches!(self, Error::Start(_) | Error::Write { .. })
    }
}

/// Most CDNs that an audience may use: what one session may report.
const CDNS_MAX: usize = 16;
/// Bytes of a run id.
pub const RUN_ID_BYTES_MAX: usize = 24;

fn no(field: &'static str, value: impl Into<String>, accepted: &'static str) -> Result<(), Error> {
    Err(Error::Config { field, value: value.into(), accepted })
}

fn is_id(text: &str) -> bool {
    livemeter_schemas::decode::id("", text, &Limits::default()).is_ok()
}

impl Config {
    /// Refuses what cannot work, naming the setting, its value and what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        self.check_names()?;
        self.check_cdns()?;
        self.check_numbers()
    }

    fn check_names(&self) -> Result<(), Error> {
        if !is_id(&self.app) {
            return no("app", &self.app, "give 1 to 128 bytes without control characters");
        }
        if let Some(id) = self.run_id.as_ref().filter(|id| id.len() > RUN_ID_BYTES_MAX) {
            return no("run_id", id, "give at most 24 bytes");
        }
        if self.regions.is_empty() || self.regions.len() > 256 || !self.regions.iter().all(|r| is_id(r)) {
            return no("regions", self.regions.join(","), "give 1 to 256 names of 1 to 128 bytes");
        }
        Ok(())
    }

    fn check_cdns(&self) -> Result<(), Error> {
        if self.cdns.is_empty() || self.cdns.len() > CDNS_MAX {
            return no("cdns", self.cdns.len().to_string(), "give 1 to 16 CDNs");
        }
        for (i, cdn) in self.cdns.iter().enumerate() {
            if !is_id(&cdn.name) || !(1..=1_000_000).contains(&cdn.ratio) || cdn.stall_every_ms_mean == 0 {
                let accepted = "each needs a name of 1 to 128 bytes, a ratio of 1 to 1000000 and a stall interval above 0";
                return no("cdns", format!("{cdn:?}"), accepted);
            }
            if self.cdns.iter().take(i).any(|earlier| earlier.name == cdn.name) {
                return no("cdns", &cdn.name, "names differ from each other");
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), Error> {
        if self.viewers == 0 {
            return no("viewers", "0", "give at least 1");
        }
        if !(100..=3_600_000).contains(&self.heartbeat_ms) {
            return no("heartbeat_ms", self.heartbeat_ms.to_string(), "give 100 to 3600000");
        }
        if !(1..=30 * 86_400_000).contains(&self.session_ms_mean) {
            return no("session_ms_mean", self.session_ms_mean.to_string(), "give 1 to 2592000000 (30 days)");
        }
        let n = &self.network;
        let shares = [
            ("vanish", self.vanish),
            ("network.lost", n.lost),
            ("network.twice", n.twice),
            ("network.held", n.held),
            ("network.wrong_clock", n.wrong_clock),
        ];
        if let Some((field, share)) = shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return no(field, share.to_string(), "give 0 to 1");
        }
        let sizes = [
            ("programmes", self.programmes as usize),
            ("connections", self.connections),
            ("batch_max", self.batch_max),
            ("drain_batch_max", self.drain_batch_max),
            ("batch_events_max", self.batch_events_max),
            ("pending_per_viewer_max", self.pending_per_viewer_max),
        ];
        match sizes.into_iter().find(|(_, size)| !(1..=10_000).contains(size)) {
            Some((field, size)) => no(field, size.to_string(), "give 1 to 10000"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_accepted_and_a_wrong_setting_is_named() {
        assert!(Config::default().check().is_ok());
        let wrong = Config { viewers: 0, ..Config::default() };
        assert_eq!(wrong.check().unwrap_err().to_string(), "viewers: \"0\" is not accepted; give at least 1");
        let twice = Config { cdns: vec![Cdn::new("x", 1, 1), Cdn::new("x", 1, 1)], ..Config::default() };
        assert!(twice.check().unwrap_err().to_string().starts_with("cdns: \"x\""));
        let long = Config { run_id: Some("r".repeat(25)), ..Config::default() };
        assert!(long.check().is_err());
    }
}
