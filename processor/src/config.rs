//! Every setting and limit of the processor, with its reason. Reading flags and files is not here.

use crate::cmcd;
use crate::error::Error;
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::{DEADLETTER_TOPIC, EVENTS_TOPIC};
use std::net::SocketAddr;
use url::Url;

/// Which partitions a worker reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignment {
    /// All of them: one worker alone, at work at once.
    All,
    /// Those that the consumer group gives it: any number of workers.
    Group,
}

/// How the group agrees on who reads what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupProtocol {
    /// Cooperative rebalances, which every Kafka-compatible broker knows.
    Classic,
    /// KIP-848: the broker assigns. Apache Kafka 4.
    Consumer,
}

/// Settings of [`crate::run`]. Times in milliseconds, sizes in bytes.
#[derive(Debug, Clone)]
pub struct Config {
    /// Kafka bootstrap addresses, `host:port`, comma-separated.
    pub brokers: String,
    /// Topic of accepted events.
    pub events_topic: String,
    /// Topic of what could not be booked.
    pub deadletter_topic: String,
    /// Consumer group under which offsets are shown to Kafka tools. Advisory: the ledger's own decide.
    pub group: String,
    pub assignment: Assignment,
    pub group_protocol: GroupProtocol,
    /// A worker not heard of for so long loses its partitions (classic protocol; else the broker's setting rules).
    pub session_timeout_ms: u64,
    /// Generation of the topic. Raise it by one, knowingly, when the topic was re-created, moved to
    /// another cluster or given more partitions: reading then begins at the topic's first record.
    pub generation: u32,
    /// Where the two tables live: a folder or a URL.
    pub ledger: String,
    /// Address of `/healthz`, `/readyz` and `/metrics`.
    pub listen: SocketAddr,
    /// Freshness against the number of files: every commit adds at least one small file per table.
    pub commit_interval_ms: u64,
    /// Commit earlier than that at this many rows: bounds memory while catching up.
    pub rows_max: usize,
    /// Commit earlier at this many bytes of rows, for the same reason when rows are wide.
    pub bytes_max: usize,
    /// A session silent for longer leaves memory; its counters are looked up should it come back.
    pub session_silence_ms: i64,
    /// Sessions silent for longer than this many days leave no trace in memory, and recovery reads
    /// no older rows; a session that says it began earlier is looked up. Must exceed the age an
    /// offline queue may have ([`Limits::age_ms_max`], 7 days) by more than a day.
    pub memory_days: u32,
    /// How often each partition's memory is kept as a snapshot: bounds what recovery reads.
    pub snapshot_interval_ms: u64,
    /// Events other than heartbeats of one session; further ones go to the dead letter. Bounds the
    /// memory that recognises repeats: 4,096 are 32 KiB, and a stall a minute for almost three days.
    pub session_events_max: usize,
    /// One interval is spread over at most this many 5-minute windows: 2,016 are seven days.
    pub split_windows_max: usize,
    /// Amounts that imply more than this are booked as quarantined, and count only once somebody has released
    /// them: no viewer receives 2 Gbit/s of video, but a forged counter may say so.
    pub bitrate_bps_max: u64,
    /// The shortest time over which a rate is judged: a player fills its buffer in a burst.
    pub burst_ms: i64,
    /// A row is marked late when its record came so long after its window had closed.
    pub late_after_ms: i64,
    /// How far a record's time of receipt may be ahead of this machine's clock before memory goes by the latter: one
    /// ingest whose clock is wrong must not make every session look silent. Decides what is held, never what is booked.
    pub ahead_ms_max: i64,
    /// Of sessions that report in CMCD. Its CDNs are those of [`Limits`] too: a session is a session.
    pub cmcd: cmcd::Limits,
    /// Sizes and ages an event may have. No smaller than ingest's.
    pub limits: Limits,
    /// Files of one size class and date at which they are merged: each file costs readers an open and memory,
    /// each merge rewrites its rows. Also the commits between two looks at the files.
    pub files_max: usize,
    /// Files of a date before yesterday, which only late rows still reach.
    pub files_closed_max: usize,
    /// Files of this size are left alone, which bounds how often a row is rewritten.
    pub file_bytes_target: u64,
    /// Closed windows are rolled up at most this often: a roll-up of one window costs little more than of none.
    pub roll_interval_ms: u64,
    /// A window is rolled up this long after its end: heartbeats in flight and a slow commit are still to come.
    /// Later rows are no loss, only another small roll-up.
    pub roll_grace_ms: u64,
    /// Rows read by one merge: bounds its time, and the disk it spills to. A window of 60,000 viewers.
    pub roll_rows_max: u64,
    /// Memory for sorting what is rolled up; beyond it, runs are spilled to disk. Beside it a merge holds one
    /// row group of each column, some 20 MiB.
    pub roll_memory_bytes_max: usize,
    /// Disk for those runs, in the system's folder for temporary files: a row takes about 400 bytes.
    pub roll_spill_bytes_max: u64,
    /// Commits between two checkpoints (and looks at the files): bounds what opening a table reads.
    pub checkpoint_commits: u64,
    /// Unreferenced data files and old log entries stay this long, for readers on an older version.
    pub retention_ms: u64,
    /// How often the derived tables are brought up to date; 0: never, somebody runs `livemeter derive`.
    pub derive_interval_ms: u64,
    /// Largest share of time spent on that: after a refresh that took long, the next one waits longer, so that
    /// deriving never competes with the worker for a core.
    pub derive_share: f64,
    /// Memory of the statements that make derived tables; what can spill, spills before this is refused.
    pub derive_memory_bytes_max: usize,
    /// Disk that they may spill to: a rebuild of a long ledger sorts all its sessions.
    pub derive_spill_bytes_max: u64,
    /// How long the last commit may take once the processor is told to stop.
    pub shutdown_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            brokers: "127.0.0.1:8709".into(),
            events_topic: EVENTS_TOPIC.into(),
            deadletter_topic: DEADLETTER_TOPIC.into(),
            group: "livemeter-processor".into(),
            assignment: Assignment::All,
            group_protocol: GroupProtocol::Classic,
            session_timeout_ms: 45_000,
            generation: 1,
            ledger: "./data/ledger".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8702)),
            commit_interval_ms: 3_000,
            rows_max: 300_000,
            bytes_max: 48 * 1024 * 1024,
            session_silence_ms: 3_600_000,
            memory_days: 9,
            snapshot_interval_ms: 300_000,
            session_events_max: 4_096,
            split_windows_max: 2_016,
            bitrate_bps_max: 2_000_000_000,
            burst_ms: 10_000,
            late_after_ms: 900_000,
            ahead_ms_max: 300_000,
            cmcd: cmcd::Limits::default(),
            limits: Limits::default(),
            files_max: 8,
            files_closed_max: 8,
            file_bytes_target: 128 * 1024 * 1024,
            roll_interval_ms: 300_000,
            roll_grace_ms: 120_000,
            roll_rows_max: 2_000_000,
            roll_memory_bytes_max: 128 * 1024 * 1024,
            roll_spill_bytes_max: 2 * 1024 * 1024 * 1024,
            checkpoint_commits: 100,
            retention_ms: 3_600_000,
            derive_interval_ms: 60_000,
            derive_share: 0.1,
            derive_memory_bytes_max: 128 * 1024 * 1024,
            derive_spill_bytes_max: 4 << 30,
            shutdown_ms: 15_000,
        }
    }
}

impl Config {
    /// Refuses settings that cannot work, by name, value and what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        let days_min = self.limits.age_ms_max / crate::book::DAY_MS + 2;
        at_least("commit_interval_ms", self.commit_interval_ms as i64, 100)?;
        at_least("rows_max", self.rows_max as i64, 1)?;
        at_least("bytes_max", self.bytes_max as i64, 64 * 1024)?;
        at_least("session_silence_ms", self.session_silence_ms, 60_000)?;
        at_least("memory_days", i64::from(self.memory_days), days_min)?;
        at_least("snapshot_interval_ms", self.snapshot_interval_ms as i64, 1_000)?;
        at_least("session_timeout_ms", self.session_timeout_ms as i64, 1_000)?;
        at_least("session_events_max", self.session_events_max as i64, 1)?;
        at_least("split_windows_max", self.split_windows_max as i64, 1)?;
        at_least("bitrate_bps_max", i64::try_from(self.bitrate_bps_max).unwrap_or(i64::MAX), 1_000)?;
        at_least("burst_ms", self.burst_ms, 1_000)?;
        at_least("late_after_ms", self.late_after_ms, 0)?;
        at_least("ahead_ms_max", self.ahead_ms_max, 1_000)?;
        at_least("cmcd_gap_ms_max", self.cmcd.gap_ms_max, 1_000)?;
        at_least("cmcd_cdns_max", self.cmcd.cdns_max as i64, 1)?;
        at_least("files_max", self.files_max as i64, 2)?;
        at_least("files_closed_max", self.files_closed_max as i64, 2)?;
        at_least("file_bytes_target", self.file_bytes_target as i64, 1024 * 1024)?;
        at_least("roll_interval_ms", self.roll_interval_ms as i64, 1_000)?;
        at_least("roll_rows_max", self.roll_rows_max as i64, 1_000)?;
        at_least("roll_memory_bytes_max", self.roll_memory_bytes_max as i64, 16 * 1024 * 1024)?;
        at_least("roll_spill_bytes_max", self.roll_spill_bytes_max as i64, 1024 * 1024)?;
        at_least("checkpoint_commits", self.checkpoint_commits as i64, 1)?;
        at_least("retention_ms", self.retention_ms as i64, 60_000)?;
        at_least("derive_memory_bytes_max", self.derive_memory_bytes_max as i64, 16 * 1024 * 1024)?;
        if !(0.001..=1.0).contains(&self.derive_share) {
            return Err(Error::Setting { name: "derive_share", value: self.derive_share.to_string(), accepted: "0.001 to 1".into() });
        }
        self.ledger_url().map(|_| ())
    }

    /// How long replaced files of derived tables stay. A whole date is replaced at each refresh: an hour of that
    /// would be many times the ledger, and no answer takes ten minutes.
    pub fn derive_retention_ms(&self) -> u64 {
        const TEN_MINUTES_MS: u64 = 600_000;
        self.retention_ms.min(TEN_MINUTES_MS)
    }

    /// The ledger's root as a URL that ends in `/`; a folder is made absolute.
    pub fn ledger_url(&self) -> Result<Url, Error> {
        let wrong = |accepted: &str| Error::Setting { name: "ledger", value: self.ledger.clone(), accepted: accepted.to_owned() };
        if self.ledger.contains("://") {
            let mut url = Url::parse(&self.ledger).map_err(|e| wrong(&format!("a URL ({e})")))?;
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            return Ok(url);
        }
        let path = std::path::absolute(&self.ledger).map_err(|e| wrong(&format!("a folder ({e})")))?;
        Url::from_directory_path(path).map_err(|()| wrong("a folder or a URL"))
    }
}

fn at_least(name: &'static str, value: i64, min: i64) -> Result<(), Error> {
    if value < min { Err(Error::Setting { name, value: value.to_string(), accepted: format!("{min} or more") }) } else { Ok(()) }
}
