//! The columns of the two primary tables. Both are Delta tables partitioned by `date`, and both keep
//! each row's place on Kafka, so that any figure can be opened down to the records behind it.
//! Times are microseconds UTC (Parquet's and Delta's common unit); zones belong to the reader.

use arrow_schema::{DataType, Field, Schema, TimeUnit};
use serde_json::{Value, json};

/// Folder of the table of increments, below the ledger's root.
pub const INCREMENTS: &str = "increments";
/// Folder of the table of events: stalls, starts, ends, switches, errors.
pub const EVENTS: &str = "events";

/// Partition column of both tables: the UTC date, `YYYY-MM-DD`, of `window_start` or `at`.
pub const DATE: &str = "date";

/// `status` of a row whose amounts count. Sums take these rows alone.
pub const BOOKED: &str = "booked";
/// `status` of amounts that imply more than a player can receive: kept out of sums until somebody decides.
/// A decision appends two rows: one that takes the amounts away from here, and one that puts them where
/// they belong. So `booked + quarantined + rejected` is the last counter, always.
pub const QUARANTINED: &str = "quarantined";
/// `status` of quarantined amounts that somebody has refused for good.
pub const REJECTED: &str = "rejected";

/// Column of `events` that came later than the table: tables made before it get it when they are opened.
pub const CMCD_STATE: &str = "cmcd_state";

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}
fn text_or_null(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}
fn int(name: &str) -> Field {
    Field::new(name, DataType::Int64, false)
}
fn int_or_null(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}
fn flag(name: &str) -> Field {
    Field::new(name, DataType::Boolean, false)
}
fn at(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false)
}
fn at_or_null(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true)
}

/// One row: what one heartbeat (or session end) added to one (session, CDN) within one window.
/// Readers SUM the increments. `reached_*` are the cumulative counters after this row, so that the
/// sum of a (session, CDN) over every status equals its largest `reached_*`: conservation, to the byte.
///
/// Rows of one commit that agree in everything but amounts are one from the start: a backlog is read minutes at a time.
/// Once a window has closed, the rows of one (session, CDN, status) within it are rolled up into one: amounts
/// are summed, `reached_*`, `at`, `received_at` and `kafka_offset` are the largest, `kafka_offset_first` the
/// smallest, and `records` tells how many there were.
pub fn increments() -> Schema {
    Schema::new(vec![
        at("window_start"),
        text("app"),
        text("programme_id"),
        text("cdn"),
        text_or_null("region"),
        // Number of the autonomous system it came from, where ingest has a file that tells; never the player's word.
        int_or_null("asn"),
        text("user_id"),
        text("session_id"),
        int("bytes"),
        int("aborted_bytes"),
        int("play_ms"),
        int("stall_ms"),
        int("stalls"),
        // `booked`, `quarantined` or `rejected`. Sums take `booked` alone.
        text("status"),
        // Whether the record came long after its window had closed.
        flag("late"),
        int("reached_seq"),
        int("reached_bytes"),
        int("reached_aborted_bytes"),
        int("reached_play_ms"),
        int("reached_stall_ms"),
        int("reached_stalls"),
        // Corrected time of the counters behind this row, the correction, and when ingest had them.
        at("at"),
        int("correction_ms"),
        at("received_at"),
        // Where the records behind this row stand, and how many they are.
        int("kafka_generation"),
        int("kafka_partition"),
        int("kafka_offset_first"),
        int("kafka_offset"),
        int("records"),
        // Rows by decision alone: when, by whom, why. Their place on Kafka is that of the rows decided on.
        at_or_null("decided_at"),
        text_or_null("decided_by"),
        text_or_null("decided_why"),
        text(DATE),
    ])
}

/// One row per stall, session start, playback start, session end, CDN switch or error, and one per CMCD report that
/// explains none of these (`cmcd`). Columns that a type does not have are null; `raw` is the client's own text.
pub fn events() -> Schema {
    Schema::new(vec![
        at("at"),
        text("type"),
        text("app"),
        text("programme_id"),
        text_or_null("cdn"),
        text_or_null("region"),
        int_or_null("asn"),
        text("user_id"),
        text("session_id"),
        int("seq"),
        // stall
        at_or_null("began_at"),
        int_or_null("stall_ms"),
        text_or_null("stall_kind"),
        text_or_null("media"),
        int_or_null("threshold_ms"),
        text_or_null("cause"),
        int_or_null("last_status"),
        int_or_null("last_throughput_bps"),
        // playback start
        int_or_null("startup_ms"),
        // CDN switch
        text_or_null("from_cdn"),
        text_or_null("to_cdn"),
        // why a session ended or moved; the code of an error
        text_or_null("reason"),
        text_or_null("message"),
        Field::new("fatal", DataType::Boolean, true),
        text("raw"),
        flag("late"),
        int("correction_ms"),
        at("received_at"),
        int("kafka_generation"),
        int("kafka_partition"),
        int("kafka_offset"),
        text(DATE),
        // Rows that came of CMCD reports: what the session is known to be at after this one. The newest `seq` counts.
        text_or_null(CMCD_STATE),
    ])
}

/// The columns in words, for readers without Arrow: what is committed as `ledger.json`.
pub fn describe() -> Value {
    let columns = |schema: Schema| -> Value {
        let column = |f: &arrow_schema::FieldRef| json!({"name": f.name(), "type": f.data_type().to_string(), "nullable": f.is_nullable()});
        schema.fields().iter().map(column).collect()
    };
    json!({
        "version": crate::LEDGER_VERSION,
        "partition_by": [DATE],
        "tables": { INCREMENTS: columns(increments()), EVENTS: columns(events()) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_of_an_increment_stands_beside_what_it_reached() {
        let schema = increments();
        for counter in ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"] {
            for name in [counter.to_owned(), format!("reached_{counter}")] {
                let field = schema.field_with_name(&name).unwrap();
                assert_eq!((field.data_type(), field.is_nullable()), (&DataType::Int64, false), "{name}");
            }
        }
    }

    #[test]
    fn both_tables_keep_the_place_on_kafka_and_hold_no_floating_point() {
        for schema in [increments(), events()] {
            for name in ["kafka_generation", "kafka_partition", "kafka_offset", "received_at", "late", DATE] {
                assert!(!schema.field_with_name(name).unwrap().is_nullable(), "{name}");
            }
            assert!(schema.fields().iter().all(|f| !f.data_type().is_floating()));
        }
    }
}
