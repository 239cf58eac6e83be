//! The table of all settings: name, flag, kind and one line of help. Defaults are in `default.toml`.

use super::kind::Kind;
use std::time::Duration;

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// `section.name`, as in the file.
    pub key: &'static str,
    /// The flag of the section's own subcommand, without dashes.
    pub flag: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

impl Setting {
    pub fn section(&self) -> &'static str {
        self.key.split('.').next().unwrap_or(self.key)
    }
}

const fn s(key: &'static str, flag: &'static str, kind: Kind, help: &'static str) -> Setting {
    Setting { key, flag, kind, help }
}

const MS: Duration = Duration::from_millis(1);
const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
const HOUR: Duration = secs(3600);
const DAY: Duration = secs(86_400);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// All of them, section by section, in the order in which data meets them.
pub const SETTINGS: &[Setting] = &[
    s("kafka.brokers", "brokers", Kind::Brokers, "Kafka bootstrap servers"),
    s("kafka.events_topic", "events-topic", Kind::Name, "Topic of accepted events"),
    s("kafka.deadletter_topic", "deadletter-topic", Kind::Name, "Topic of refused events"),
    s("kafka.partitions", "partitions", Kind::Count(1, 10_000), "Partitions of the events' topic when it is created"),
    s("kafka.replication", "replication", Kind::Count(1, 10), "Replicas of each topic when it is created"),
    s("ledger.root", "ledger", Kind::Name, "Folder of the ledger"),
    s("ingest.listen", "listen", Kind::Address, "Where to listen"),
    s("ingest.body_bytes_max", "body-bytes-max", Kind::Size(KIB, 64 * MIB), "Largest body as sent"),
    s("ingest.inflated_bytes_max", "inflated-bytes-max", Kind::Size(KIB, 256 * MIB), "Largest body after decompression"),
    s("ingest.inflate_ratio_max", "inflate-ratio-max", Kind::Count(1, 10_000), "Most that a body may grow by decompression"),
    s("ingest.batch_events_max", "batch-events-max", Kind::Count(1, 10_000), "Most events in one request"),
    s("ingest.body_timeout", "body-timeout", Kind::Duration(secs(1), HOUR), "Longest time to send a body"),
    s("ingest.idle_timeout", "idle-timeout", Kind::Duration(secs(1), HOUR), "How long an idle connection is kept"),
    s("ingest.head_timeout", "head-timeout", Kind::Duration(secs(1), HOUR), "Longest time for a TLS handshake or a request's head"),
    s("ingest.connections_max", "connections-max", Kind::Count(1, 1_000_000), "Most connections at once"),
    s(
        "ingest.address_connections_max",
        "address-connections-max",
        Kind::Count(1, 1_000_000),
        "Most connections of one address (IPv6: /64)",
    ),
    s(
        "ingest.address_events_per_s",
        "address-events-per-s",
        Kind::Count(0, 1_000_000_000),
        "Most events a second of one address; 0 for any",
    ),
    s("ingest.address_events_burst", "address-events-burst", Kind::Count(1, 1_000_000_000), "Events that one address may save up"),
    s("ingest.app_events_per_s", "app-events-per-s", Kind::Count(0, 1_000_000_000), "Most events a second of one app; 0 for any"),
    s("ingest.app_events_burst", "app-events-burst", Kind::Count(1, 1_000_000_000), "Events that one app may save up"),
    s("ingest.rate_entries_max", "rate-entries-max", Kind::Count(8, 100_000_000), "Addresses, and apps, over which rates are kept"),
    s("ingest.trusted_proxies", "trusted-proxies", Kind::Networks, "Proxies whose x-forwarded-for is believed"),
    s("ingest.unlimited_addresses", "unlimited-addresses", Kind::Networks, "Clients whose rate is not limited"),
    s("ingest.tls_cert_file", "tls-cert-file", Kind::Path, "Certificate chain in PEM; empty for plain HTTP"),
    s("ingest.tls_key_file", "tls-key-file", Kind::Path, "Its private key in PEM"),
    s("ingest.bytes_in_flight_max", "bytes-in-flight-max", Kind::Size(MIB, 64 * GIB), "Most bytes of bodies being worked on at once"),
    s("ingest.requests_in_flight_max", "requests-in-flight-max", Kind::Count(1, 1_000_000), "Most requests being worked on at once"),
    s("ingest.heartbeat_interval", "heartbeat-interval", Kind::Duration(secs(1), secs(300)), "Heartbeat interval told to clients"),
    s("ingest.linger", "linger", Kind::Duration(Duration::ZERO, secs(1)), "How long the producer gathers records"),
    s("ingest.delivery_timeout", "delivery-timeout", Kind::Duration(secs(1), HOUR), "Longest that a request waits for Kafka"),
    s("ingest.message_timeout", "message-timeout", Kind::Duration(secs(1), HOUR), "How long the producer tries to deliver a record"),
    s("ingest.kafka_silence", "kafka-silence", Kind::Duration(secs(1), HOUR), "Silence after which Kafka is taken as away"),
    s("ingest.queue_records_max", "queue-records-max", Kind::Count(1, 10_000_000), "Most records queued for Kafka"),
    s("ingest.queue_bytes_max", "queue-bytes-max", Kind::Size(MIB, 8 * GIB), "Most bytes queued for Kafka"),
    s("ingest.retry_after", "retry-after", Kind::Duration(secs(1), HOUR), "What a client is told to wait when refused for load"),
    s("ingest.drain", "drain", Kind::Duration(Duration::ZERO, HOUR), "Time to finish requests when stopping"),
    s("ingest.deadletters_per_minute", "deadletters-per-minute", Kind::Count(0, 1_000_000), "Refusals kept per minute, app and address"),
    s("ingest.deadletters_per_minute_total", "deadletters-per-minute-total", Kind::Count(0, 1_000_000), "Refusals kept per minute in all"),
    s("ingest.allowed_origins", "allowed-origins", Kind::List, "Origins that may post from a browser; * for any"),
    s("ingest.cmcd_hosts", "cmcd-hosts", Kind::Hosts, "CDNs of CMCD reports by host: host=cdn, *.domain=cdn"),
    s("ingest.id_bytes_max", "id-bytes-max", Kind::Count(8, 4096), "Longest id in bytes"),
    s("ingest.text_bytes_max", "text-bytes-max", Kind::Count(16, 65_536), "Longest free text in bytes"),
    s("ingest.event_bytes_max", "event-bytes-max", Kind::Size(KIB, MIB), "Longest event"),
    s("ingest.cdns_max", "cdns-max", Kind::Count(1, 1000), "Most CDNs in one session"),
    s("ingest.clock_ahead_max", "clock-ahead-max", Kind::Duration(secs(1), DAY), "How far an event may be ahead of its batch"),
    s("ingest.event_age_max", "event-age-max", Kind::Duration(secs(60), secs(86_400 * 90)), "How old a queued event may be"),
    s("telemetry.otlp_endpoint", "otlp-endpoint", Kind::OptionalUrl, "OpenTelemetry collector (OTLP over HTTP) for ingest's traces"),
    s("telemetry.otlp_share", "otlp-share", Kind::Share, "Share of requests that are traced"),
    s("telemetry.otlp_queue_max", "otlp-queue-max", Kind::Count(1, 1_000_000), "Most spans waiting to be sent"),
    s("ingest.apps_file", "apps-file", Kind::Path, "File of apps and their keys; empty: anyone may post"),
    s("ingest.apps_file_bytes_max", "apps-file-bytes-max", Kind::Size(KIB, 64 * MIB), "Largest file of apps"),
    s("ingest.apps_max", "apps-max", Kind::Count(1, 100_000), "Most apps"),
    s("ingest.app_keys_max", "app-keys-max", Kind::Count(1, 1_000), "Most keys of one kind in one app"),
    s(
        "ingest.apps_poll",
        "apps-poll",
        Kind::Duration(Duration::from_millis(100), HOUR),
        "How often the files of apps, regions and networks are looked at for changes",
    ),
    s("ingest.token_bytes_max", "token-bytes-max", Kind::Size(256, 64 * KIB), "Longest session token"),
    s(
        "ingest.token_lifetime_max",
        "token-lifetime-max",
        Kind::Duration(secs(60), secs(86_400 * 31)),
        "How far ahead a token's exp may lie",
    ),
    s("ingest.token_leeway", "token-leeway", Kind::Duration(Duration::ZERO, secs(300)), "How far a token signer's clock may be off"),
    s("ingest.token_cache_max", "token-cache-max", Kind::Count(0, 10_000_000), "Most verified tokens remembered"),
    s("ingest.pseudonym_keys_file", "pseudonym-keys-file", Kind::Path, "Keys of pseudonyms, for apps whose user ids are stored so"),
    s(
        "ingest.pseudonym_reach",
        "pseudonym-reach",
        Kind::Duration(DAY, secs(86_400 * 400)),
        "How long a session keeps its pseudonym across rotations",
    ),
    s("ingest.geo_file", "geo-file", Kind::Path, "File in MaxMind's format that gives regions to clients that say none"),
    s("ingest.asn_file", "asn-file", Kind::Path, "File in MaxMind's format that tells which network (ASN) a client is in"),
    s("ingest.geo_file_bytes_max", "geo-file-bytes-max", Kind::Size(KIB, 4 * GIB), "Largest file of regions or networks"),
    s("processor.listen", "listen", Kind::Address, "Where health and metrics are served"),
    s("processor.group", "group", Kind::Name, "Consumer group for the advisory offsets"),
    s("processor.assignment", "assignment", Kind::Word(&["all", "group"]), "Which partitions to read: all, or those the group gives"),
    s("processor.group_protocol", "group-protocol", Kind::Word(&["classic", "consumer"]), "The group's protocol; consumer is KIP-848"),
    s(
        "processor.session_timeout",
        "session-timeout",
        Kind::Duration(secs(1), HOUR),
        "Silence after which a worker loses its partitions (classic protocol)",
    ),
    s(
        "processor.generation",
        "generation",
        Kind::Count(1, 1_000_000),
        "Generation of the topic; raised by one when it is replaced on purpose",
    ),
    s(
        "processor.commit_interval",
        "commit-interval",
        Kind::Duration(Duration::from_millis(100), HOUR),
        "Time between commits to the ledger",
    ),
    s("processor.rows_max", "rows-max", Kind::Count(1, 10_000_000), "Most rows in one commit"),
    s("processor.bytes_max", "bytes-max", Kind::Size(64 * KIB, 16 * GIB), "Most bytes in one commit"),
    s(
        "processor.session_silence",
        "session-silence",
        Kind::Duration(secs(60), secs(86_400 * 30)),
        "Silence after which a session leaves memory",
    ),
    s("processor.memory_days", "memory-days", Kind::Count(1, 3650), "Days of the ledger read back at start"),
    s("processor.snapshot_interval", "snapshot-interval", Kind::Duration(secs(1), DAY), "How often each partition's memory is kept"),
    s("processor.session_events_max", "session-events-max", Kind::Count(1, 1_000_000), "Event numbers remembered per session"),
    s("processor.split_windows_max", "split-windows-max", Kind::Count(1, 100_000), "Most windows that one heartbeat may span"),
    s(
        "processor.bitrate_bps_max",
        "bitrate-bps-max",
        Kind::Count(1_000, 1_000_000_000_000_000),
        "Bandwidth beyond which counters are booked as quarantined",
    ),
    s("processor.burst", "burst", Kind::Duration(secs(1), HOUR), "Shortest time over which that bandwidth is judged"),
    s("processor.late_after", "late-after", Kind::Duration(Duration::ZERO, DAY), "How long after its window closed a row is marked late"),
    s("processor.ahead_max", "ahead-max", Kind::Duration(secs(1), DAY), "How far a record may be ahead of this machine's clock"),
    s("processor.cmcd_gap_max", "cmcd-gap-max", Kind::Duration(secs(1), DAY), "Longest time between two CMCD reports that is counted"),
    s("processor.files_max", "files-max", Kind::Count(2, 100_000), "Files of one size and date at which they are merged"),
    s("processor.files_closed_max", "files-closed-max", Kind::Count(2, 100_000), "Files of a day that is over"),
    s("processor.file_bytes_target", "file-bytes-target", Kind::Size(MIB, 16 * GIB), "Size at which a file is left alone"),
    s("processor.roll_interval", "roll-interval", Kind::Duration(secs(1), DAY), "Time between roll-ups of closed windows"),
    s("processor.roll_grace", "roll-grace", Kind::Duration(Duration::ZERO, DAY), "How long after its end a window is rolled up"),
    s("processor.roll_rows_max", "roll-rows-max", Kind::Count(1_000, 1_000_000_000), "Most rows read by one merge of files"),
    s("processor.roll_memory_bytes_max", "roll-memory-bytes-max", Kind::Size(16 * MIB, TIB), "Memory for sorting what is rolled up"),
    s("processor.roll_spill_bytes_max", "roll-spill-bytes-max", Kind::Size(MIB, TIB), "Disk that sorting may spill to"),
    s("processor.checkpoint_commits", "checkpoint-commits", Kind::Count(1, 100_000), "Commits between checkpoints of the table's log"),
    s("processor.retention", "retention", Kind::Duration(secs(60), secs(86_400 * 365)), "How long unreferenced files are kept"),
    s(
        "processor.derive_interval",
        "derive-interval",
        Kind::Duration(Duration::ZERO, DAY),
        "How often derived tables are refreshed; 0s: by `livemeter derive` alone",
    ),
    s("processor.derive_share", "derive-share", Kind::Share, "Largest share of time spent on that"),
    s("processor.derive_memory_bytes_max", "derive-memory-bytes-max", Kind::Size(16 * MIB, TIB), "Memory for making derived tables"),
    s("processor.derive_spill_bytes_max", "derive-spill-bytes-max", Kind::Size(MIB, TIB), "Disk that this may spill to"),
    s("processor.shutdown", "shutdown", Kind::Duration(secs(1), HOUR), "Time to commit what is buffered when stopping"),
    s("audit.memory_bytes_max", "memory-bytes-max", Kind::Size(MIB, TIB), "Memory of an audit; with less it reads the ledger more often"),
    s("audit.differences_max", "differences-max", Kind::Count(0, 1_000_000), "Most differences told one by one; all are counted"),
    s("period.grace", "grace", Kind::Duration(Duration::ZERO, secs(86_400 * 365)), "How long after its end a period may be closed"),
    s("query.listen", "listen", Kind::Address, "Where to listen"),
    s("query.allowed_hosts", "allowed-hosts", Kind::List, "More values of Host to accept"),
    s("query.memory_bytes_max", "memory-bytes-max", Kind::Size(16 * MIB, TIB), "Memory of all queries together"),
    s("query.spill_bytes_max", "spill-bytes-max", Kind::Size(MIB, TIB), "Disk that queries may spill to"),
    s("query.deadline", "deadline", Kind::Duration(Duration::from_millis(10), HOUR), "Longest time of one query"),
    s("query.rows_max", "rows-max", Kind::Count(1, 10_000_000), "Most rows of a JSON answer"),
    s("query.csv_rows_max", "csv-rows-max", Kind::Count(1, 1_000_000_000), "Most rows of a CSV answer"),
    s("query.answer_bytes_max", "answer-bytes-max", Kind::Size(MIB, 4 * GIB), "Most bytes of a JSON answer"),
    s("query.concurrent_max", "concurrent-max", Kind::Count(1, 1000), "Most queries at once"),
    s("query.queue_max", "queue-max", Kind::Count(0, 100_000), "Most queries waiting"),
    s("query.range_days_max", "range-days-max", Kind::Count(1, 36_500), "Longest range of one report in days"),
    s("query.sql_bytes_max", "sql-bytes-max", Kind::Size(KIB, 16 * MIB), "Longest SQL text"),
    s("query.refresh_interval", "refresh-interval", Kind::Duration(MS, HOUR), "Age at which a table's snapshot is renewed"),
    s("query.refusals_from", "refusals-from", Kind::Urls, "Ingest and processors whose refusals are told, by cause"),
    s("query.refusals_ca_file", "refusals-ca-file", Kind::Path, "Authorities in PEM that vouch for those that are https"),
    s("query.partitions", "partitions", Kind::Count(1, 1024), "Parallelism of one query"),
    s("bills.root", "bills", Kind::Name, "Folder of contracts, vendors' logs and invoices"),
    s(
        "bills.keep_original",
        "keep-original",
        Kind::Word(&["yes", "no"]),
        "Whether an uploaded log is kept beside its facts, for its lines",
    ),
    s("bills.upload_bytes_max", "upload-bytes-max", Kind::Size(KIB, TIB), "Largest log taken over HTTP"),
    s("bills.upload_silence", "upload-silence", Kind::Duration(secs(1), HOUR), "Longest pause within an upload"),
    s("bills.contract_bytes_max", "contract-bytes-max", Kind::Size(KIB, 16 * MIB), "Largest contract"),
    s("bills.contracts_max", "contracts-max", Kind::Count(1, 1_000_000), "Most versions of contracts"),
    s("bills.layout_bytes_max", "layout-bytes-max", Kind::Size(KIB, 16 * MIB), "Largest template or mapping file"),
    s("bills.layouts_max", "layouts-max", Kind::Count(1, 100_000), "Most templates, and most mapping files"),
    s("bills.together_max", "together-max", Kind::Count(1, 1_000), "Most contracts of one what-if or workbook"),
    s(
        "bills.burst_alert_percent",
        "burst-alert-percent",
        Kind::Count(0, 100),
        "Share of a contract's free slots left, at which it is told",
    ),
    s(
        "bills.burst_watch",
        "burst-watch",
        Kind::Duration(Duration::ZERO, DAY),
        "How often free slots are looked at for the metrics; 0s for never",
    ),
    s("bills.burst_contracts_max", "burst-contracts-max", Kind::Count(0, 10_000), "Most contracts looked at so"),
    s("bills.sessions_max", "sessions-max", Kind::Count(1, 1_000_000_000), "Most sessions compared one by one in a check"),
    s("bills.export_rows_max", "export-rows-max", Kind::Count(1, 1_000_000_000), "Most rows of an export"),
    s("bills.deadline", "bills-deadline", Kind::Duration(secs(1), DAY), "Longest time of a check, an export or a bundle"),
    s("bills.jobs_max", "jobs-max", Kind::Count(1, 1000), "Checks, exports and imports at once"),
    s("simulate.ingest", "ingest", Kind::Url, "Where to post"),
    s("simulate.app", "app", Kind::Name, "App to post as"),
    s("simulate.write_key", "write-key", Kind::Text, "The app's write key, where ingest asks for one"),
    s("simulate.viewers", "viewers", Kind::Count(1, 10_000_000), "Viewers at once"),
    s("simulate.seed", "seed", Kind::Count(0, u64::MAX), "Seed of all chance"),
    s("simulate.run_id", "run-id", Kind::Text, "Part of every session id; empty for a new one"),
    s("simulate.duration", "duration", Kind::Duration(Duration::ZERO, secs(86_400 * 30)), "How long; 0s until stopped"),
    s(
        "simulate.heartbeat_interval",
        "heartbeat-interval",
        Kind::Duration(Duration::from_millis(100), secs(300)),
        "Time between heartbeats",
    ),
    s("simulate.connections", "connections", Kind::Count(1, 10_000), "Connections kept open"),
    s("simulate.batch_max", "batch-max", Kind::Count(1, 1000), "Most events in one request"),
    s("simulate.lost", "lost", Kind::Share, "Share of events never sent"),
    s("simulate.twice", "twice", Kind::Share, "Share of events sent twice"),
    s("simulate.held", "held", Kind::Share, "Share of events sent late"),
    s("simulate.drain", "drain", Kind::Duration(Duration::ZERO, HOUR), "Time to get the last counters acknowledged"),
    s("simulate.truth", "truth", Kind::Path, "File for the ground truth"),
    s("simulate.truth_sessions", "truth-sessions", Kind::Path, "File for the ground truth per session (CSV)"),
    s("up.data", "data", Kind::Name, "Folder for everything that is kept"),
    s("up.viewers", "viewers", Kind::Count(0, 1_000_000), "Simulated viewers; 0 for none"),
    s("up.disk_max", "disk-max", Kind::Size(16 * MIB, TIB), "Most disk for broker and demo data"),
    s("up.disk_free_min", "disk-free-min", Kind::Size(0, 1024 * TIB), "Free disk below which everything stops"),
    s("up.log_bytes_max", "log-bytes-max", Kind::Size(64 * KIB, GIB), "Size at which a service's log is rotated"),
];

pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.key == key)
}

pub fn sections() -> String {
    let mut names: Vec<_> = SETTINGS.iter().map(Setting::section).collect();
    names.dedup();
    names.join(", ")
}

/// "did you mean …", or the names of the section.
pub fn suggest(key: &str) -> String {
    let near = SETTINGS.iter().map(|s| (distance(s.key, key), s.key)).min();
    match near {
        Some((d, name)) if d <= 4 => format!("did you mean {name}?"),
        _ => format!("sections are {}", sections()),
    }
}

/// Edit distance of two short names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
