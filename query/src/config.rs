//! Every setting of the query service, each limit with its reason. Reading flags, environment and
//! files is the binary's affair.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Connections open at once; one more waits unaccepted. A page holds a few.
pub const CONNECTIONS_MAX: usize = 256;
/// From a connection's opening or its last answer to the next request's whole head: neither a stranger
/// who sends a letter a minute nor a forgotten page holds a connection longer. The console asks oftener.
pub const IDLE_TIMEOUT_MS: u64 = 60_000;

/// Settings of the query service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. The loopback address by default: there is no authentication yet.
    pub listen: SocketAddr,
    /// The ledger's root: a folder, or an object store's URL. Holds `increments/` and `events/`.
    pub ledger: String,
    /// Further values of the `Host` header that are ours (a reverse proxy's name); with or without port.
    pub allowed_hosts: Vec<String>,
    /// Memory that all running queries may hold together; what can spill, spills before this is refused.
    pub memory_bytes_max: usize,
    /// Disk that spilled sorts and aggregations may take together, so a query never fills the disk.
    pub spill_bytes_max: u64,
    /// From a request's arrival to its answer's last byte: a person does not wait longer, and a
    /// forgotten query must not hold a place for ever.
    pub deadline_ms: u64,
    /// Most rows of a JSON answer: it is built in memory, and a browser has to show it.
    pub rows_max: usize,
    /// Most rows of a CSV answer: it streams, so only the deadline and the reader's disk are spent.
    pub csv_rows_max: usize,
    /// Most bytes of a JSON answer, because few rows may still be wide.
    pub answer_bytes_max: usize,
    /// Queries that run at once: more would only share the same processors and memory.
    pub concurrent_max: usize,
    /// Queries that wait for a place; beyond this the answer is 429 at once.
    pub queue_max: usize,
    /// Length of a statement: generated SQL fits, a pasted data set does not.
    pub sql_bytes_max: usize,
    /// How long a table's snapshot is shared before the log is looked at again.
    pub refresh_ms: u64,
    /// Partitions (threads' worth of work) of one query.
    pub partitions: usize,
    /// Services whose refusals are told: ingest and processors, as base addresses. Asked only when somebody asks.
    pub refusals_from: Vec<String>,
    /// Authorities, in PEM, that vouch for those of them that are asked over TLS; no others are trusted.
    pub refusals_ca_file: Option<PathBuf>,
    /// Longest range of a report: thirteen months, a year beside the same month of the last.
    pub range_days_max: u32,
    /// The bill check.
    pub bills: Bills,
}

/// Where the bill check keeps its papers, and how much it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bills {
    /// Folder of `contracts/`, `logs/` and `invoices/`; need not exist.
    pub root: PathBuf,
    /// Whether an uploaded log is kept: it has no other place, and a bill's proof needs its lines.
    pub keep_original: bool,
    /// Largest log taken over HTTP. It is streamed to the disk, so only the disk is spent.
    pub upload_bytes_max: u64,
    /// Longest pause within an upload: a sender that stops may not hold a place.
    pub upload_silence_ms: u64,
    /// Largest contract: one with a thousand tiers is a tenth of the default.
    pub contract_bytes_max: u64,
    /// Most versions of contracts, since each answer about contracts reads them all.
    pub contracts_max: usize,
    /// Largest template or mapping file: a page of text is a tenth of the default.
    pub layout_bytes_max: u64,
    /// Most templates, and most mapping files: a few a vendor. Each listing reads them all.
    pub layouts_max: usize,
    /// Most contracts of one what-if or workbook: each is read like a check of its own, and all are held together.
    pub together_max: usize,
    /// Share of a contract's own free slots, in percent: with no more left, someone is told. A tenth is three days of a month.
    pub burst_alert_percent: u32,
    /// How often free slots are looked at for the metrics: each look reads a month per contract. Zero: never.
    pub burst_watch_ms: u64,
    /// Most contracts that are looked at so, since each is a label of the metrics and a read of the ledger.
    pub burst_contracts_max: usize,
    /// Most sessions that one check compares, since they are held in memory, 200 bytes each.
    pub sessions_max: usize,
    /// Most rows of an export: it is written to the disk first, about 50 bytes a row.
    pub export_rows_max: u64,
    /// Longest time of a check, an export or a bundle: reading a month takes longer than a report.
    pub deadline_ms: u64,
    /// Checks, exports and imports at once; more only wait for one another.
    pub jobs_max: usize,
}

impl Default for Bills {
    fn default() -> Self {
        Bills {
            root: "./data/bills".into(),
            keep_original: true,
            upload_bytes_max: 16 << 30,
            upload_silence_ms: 30_000,
            contract_bytes_max: 256 << 10,
            contracts_max: 10_000,
            layout_bytes_max: 64 << 10,
            layouts_max: 1_000,
            together_max: 16,
            burst_alert_percent: 10,
            burst_watch_ms: 900_000,
            burst_contracts_max: 100,
            sessions_max: 2_000_000,
            export_rows_max: 5_000_000,
            deadline_ms: 300_000,
            jobs_max: 2,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8701)),
            ledger: "./data/ledger".into(),
            allowed_hosts: Vec::new(),
            memory_bytes_max: 256 << 20,
            spill_bytes_max: 1 << 30,
            deadline_ms: 30_000,
            rows_max: 10_000,
            csv_rows_max: 1_000_000,
            answer_bytes_max: 32 << 20,
            concurrent_max: 4,
            queue_max: 16,
            sql_bytes_max: 64 << 10,
            refresh_ms: 1_000,
            partitions: 2,
            refusals_from: Vec::new(),
            refusals_ca_file: None,
            range_days_max: 400,
            bills: Bills::default(),
        }
    }
}
