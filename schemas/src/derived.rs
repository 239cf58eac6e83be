//! The columns of the derived tables, each with what it means: made from the two primary tables, never from
//! Kafka, and made again from them at any time. Each commit names the versions of the primary tables that it
//! reflects, as application transactions. How rows are made is not here (`processor`).

use crate::ledger::{BOOKED, DATE};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use serde_json::{Value, json};

/// Version of the derived tables' columns and of their meaning. A table of another version is made anew.
pub const DERIVED_VERSION: u32 = 2;

/// Folder of the traffic per 5 minutes, below the ledger's root; so are the others.
pub const TRAFFIC_5M: &str = "traffic_5m";
pub const USAGE_DAILY: &str = "usage_daily";
pub const SESSIONS: &str = "sessions";
pub const STALLS: &str = "stalls";
/// All of them, in the order in which they are made.
pub const TABLES: [&str; 4] = [TRAFFIC_5M, USAGE_DAILY, SESSIONS, STALLS];

/// Application transactions of each commit: the versions of `increments` and `events` that it reflects.
pub const REFLECTS_INCREMENTS: &str = "livemeter/source/increments";
pub const REFLECTS_EVENTS: &str = "livemeter/source/events";

/// `end_reason` of a session that ended without saying so.
pub const SILENCE: &str = "silence";

/// One column: its name, type, whether it may be null, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
    pub means: &'static str,
}

/// The types that derived columns have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    At,
}

const fn text(name: &'static str, means: &'static str) -> Column {
    Column { name, kind: Kind::Text, nullable: false, means }
}
const fn int(name: &'static str, means: &'static str) -> Column {
    Column { name, kind: Kind::Int, nullable: false, means }
}
const fn at(name: &'static str, means: &'static str) -> Column {
    Column { name, kind: Kind::At, nullable: false, means }
}
const fn or_null(column: Column) -> Column {
    Column { nullable: true, ..column }
}

const APP: Column = text("app", "App that the session belongs to");
const PROGRAMME: Column = text("programme_id", "Programme watched");
const CDN: Column = text("cdn", "CDN that delivered it");
const REGION: Column = or_null(text("region", "Region as the player names it; null when it names none"));
const USER: Column = text("user_id", "User as the player names it");
const SESSION: Column = text("session_id", "One player object's life; unique within its app");
const BYTES: Column = int("bytes", "Booked body bytes of completed responses");
const ABORTED: Column = int("aborted_bytes", "Booked body bytes of aborted responses; never part of bytes");
const PLAY: Column = int("play_ms", "Booked milliseconds played");
const STALL: Column = int("stall_ms", "Booked milliseconds stalled");
const COUNT: Column = int("stalls", "Booked stalls, from the counters");

const TRAFFIC: &[Column] = &[
    at("window_start", "Start of the 5-minute window, UTC"),
    APP,
    PROGRAMME,
    CDN,
    REGION,
    BYTES,
    ABORTED,
    PLAY,
    STALL,
    COUNT,
    int("sessions", "Different sessions with booked rows in this very row; not to be summed over rows: one session may be in many"),
    text(DATE, "UTC date of window_start; the partition"),
];

const USAGE: &[Column] = &[
    text(DATE, "UTC date of the windows; the partition"),
    APP,
    USER,
    CDN,
    BYTES,
    ABORTED,
    PLAY,
    STALL,
    COUNT,
    int("sessions", "Different sessions with booked rows in this very row; not to be summed over rows: one session may be in many"),
];

const SESSION_COLUMNS: &[Column] = &[
    APP,
    SESSION,
    text("user_id", "User, as the session's newest row has it"),
    text("programme_id", "Programme, as the session's newest row has it"),
    or_null(text("region", "Region, as the newest row that names one has it")),
    or_null(int("asn", "Autonomous system it came from, as the newest row that has one says; null where ingest looks none up")),
    at("started_at", "When the player says the session started; first_row_at when its session_start never came"),
    at("first_row_at", "Start of the session's first window, or its first event, whichever is earlier"),
    at("last_row_at", "Latest time of any of the session's rows, on our clock"),
    at("last_received_at", "When ingest last heard of it"),
    or_null(at("ended_at", "When it ended; after a silence, last_row_at; null while it is alive")),
    or_null(text(
        "end_reason",
        "ended, quit or fatal, as the player says; silence when it said nothing and was silent for longer than processor.session_silence \
         when ingest received the newest row of the versions reflected; null while it is alive",
    )),
    or_null(text("last_cdn", "CDN of its highest seq; of two in one record, the one first used later; null without any")),
    int("cdns", "CDNs that it has counters of"),
    BYTES,
    ABORTED,
    PLAY,
    STALL,
    COUNT,
    int("quarantined_bytes", "Bytes that imply more than a player can receive, undecided: not part of bytes"),
    int("rejected_bytes", "Bytes that somebody has refused for good: not part of bytes"),
    int("reached_bytes", "Its last counters, summed over its CDNs: bytes + quarantined_bytes + rejected_bytes, to the byte"),
    int("stall_events", "Stalls it explained by an event; may be fewer than stalls, since an event can get lost"),
    or_null(int("startup_ms", "Starting to playing, of its first playback_start; null when none came")),
    text(DATE, "UTC date of first_row_at; the partition"),
];

const STALL_COLUMNS: &[Column] = &[
    at("at", "When it was told, on our clock"),
    at("began_at", "When it began, on our clock"),
    APP,
    PROGRAMME,
    or_null(text("cdn", "CDN in use when it began")),
    REGION,
    or_null(int("asn", "Autonomous system it came from; null where ingest looks none up")),
    USER,
    SESSION,
    int("seq", "Number of the event within its session"),
    int("stall_ms", "How long it lasted"),
    or_null(text("kind", "rebuffer or frozen")),
    or_null(text("media", "Which medium stalled")),
    or_null(int("threshold_ms", "From which gap on a frozen picture counts")),
    or_null(text("cause", "What the player gives as the cause")),
    or_null(int("last_status", "HTTP status of the last segment before it")),
    or_null(int("last_throughput_bps", "Throughput of that segment")),
    text(DATE, "UTC date of at; the partition"),
];

/// The columns of a derived table; none of a table of another name.
pub fn columns(table: &str) -> &'static [Column] {
    match table {
        TRAFFIC_5M => TRAFFIC,
        USAGE_DAILY => USAGE,
        SESSIONS => SESSION_COLUMNS,
        STALLS => STALL_COLUMNS,
        _ => &[],
    }
}

/// The same as a schema.
pub fn schema(table: &str) -> Schema {
    Schema::new(columns(table).iter().map(|c| Field::new(c.name, c.kind.arrow(), c.nullable)).collect::<Vec<_>>())
}

impl Kind {
    pub fn arrow(self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Int => DataType::Int64,
            Kind::At => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

/// What one row of a table is.
pub fn grain(table: &str) -> &'static str {
    match table {
        TRAFFIC_5M => "One row per 5-minute window, app, programme, CDN and region",
        USAGE_DAILY => "One row per UTC date, app, user and CDN",
        SESSIONS => "One row per session, in the partition of its first row",
        STALLS => "One row per stall event; a repeated event once",
        _ => "",
    }
}

/// The tables in words, for analysts: what is committed as `derived.json`.
pub fn describe() -> Value {
    let column = |c: &Column| json!({"name": c.name, "type": c.kind.arrow().to_string(), "nullable": c.nullable, "means": c.means});
    let table = |name: &str| json!({"row": grain(name), "columns": columns(name).iter().map(column).collect::<Value>()});
    json!({
        "version": DERIVED_VERSION,
        "partition_by": [DATE],
        "reflects": [REFLECTS_INCREMENTS, REFLECTS_EVENTS],
        "sums_take": BOOKED,
        "tables": TABLES.iter().map(|name| ((*name).to_owned(), table(name))).collect::<serde_json::Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_partitioned_by_date_and_explains_each_column_once() {
        for table in TABLES {
            let schema = schema(table);
            assert!(!schema.field_with_name(DATE).unwrap().is_nullable(), "{table}");
            assert!(!grain(table).is_empty(), "{table}");
            for c in columns(table) {
                assert!(!c.means.is_empty(), "{table}.{}", c.name);
                assert_eq!(columns(table).iter().filter(|other| other.name == c.name).count(), 1, "{table}.{}", c.name);
            }
        }
    }

    #[test]
    fn the_five_sums_have_the_ledgers_names() {
        for table in [TRAFFIC_5M, USAGE_DAILY, SESSIONS] {
            for name in ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"] {
                let field = schema(table).field_with_name(name).unwrap().clone();
                assert_eq!(&field, crate::ledger::increments().field_with_name(name).unwrap(), "{table}.{name}");
            }
        }
    }
}
