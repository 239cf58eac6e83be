//! A ledger of made-up rows, as an audience would leave it: viewers who come and go, a row per heartbeat
//! and CDN, sessions that move from one CDN to another. Who asks it, and what that costs, is not here.

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::Field;
use chrono::DateTime;
use deltalake::DeltaTable;
use livemeter_schemas::ledger;
use livemeter_schemas::time::window_start_ms;
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// Who watches, and how often it is told.
#[derive(Debug, Clone, Copy)]
pub struct Audience {
    pub viewers: u64,
    pub heartbeat_s: u64,
    /// After this many heartbeats a viewer begins a new session; every third moves to the next CDN half-way.
    pub session_beats: u64,
}

/// One row: which viewer, at which of the heartbeats since the ledger began, and when that is.
#[derive(Debug, Clone, Copy)]
struct Beat {
    viewer: u64,
    beat: u64,
    at_ms: i64,
}

/// A table of increments that grows by one commit at a time.
pub struct Increments {
    table: DeltaTable,
    audience: Audience,
    from_ms: i64,
    rows: u64,
}

impl Increments {
    /// Begins an empty table in the ledger of this folder.
    pub async fn create(root: &Path, audience: Audience, from_ms: i64) -> Result<Increments> {
        let folder = root.join(ledger::INCREMENTS);
        std::fs::create_dir_all(&folder)?;
        let url = Url::from_directory_path(&folder).ok().context("the ledger's folder is not absolute")?;
        Ok(Increments { table: DeltaTable::try_from_url(url).await?, audience, from_ms, rows: 0 })
    }

    /// Writes the next `rows` rows as one commit. The first ever is of the whole audience.
    pub async fn commit(&mut self, rows: u64) -> Result<()> {
        let beats: Vec<Beat> = (self.rows..self.rows + rows).map(|row| self.beat(row)).collect();
        self.rows += rows;
        let schema = Arc::new(ledger::increments());
        let columns = schema.fields().iter().map(|field| self.column(field, &beats)).collect();
        let batch = RecordBatch::try_new(schema, columns)?;
        self.table = self.table.clone().write([batch]).with_partition_columns([ledger::DATE]).await?;
        Ok(())
    }

    fn beat(&self, row: u64) -> Beat {
        let Audience { viewers, heartbeat_s, .. } = self.audience;
        let (beat, viewer) = (row / viewers, row % viewers);
        let spread_ms = viewer * heartbeat_s * 1_000 / viewers;
        Beat { viewer, beat, at_ms: self.from_ms + (beat * heartbeat_s * 1_000 + spread_ms) as i64 }
    }

    fn column(&self, field: &Field, beats: &[Beat]) -> ArrayRef {
        let length = self.audience.session_beats;
        // Viewers do not all change at once.
        let session = move |b: &Beat| (b.beat + b.viewer * 7 % length) / length;
        let moved = move |b: &Beat| u64::from(b.viewer.is_multiple_of(3) && (b.beat + b.viewer * 7 % length) % length >= length / 2);
        let bytes = |b: &Beat| (1_000_000 + (b.viewer * 7_919 + b.beat * 104_729) % 3_000_000) as i64;
        match field.name().as_str() {
            "window_start" => micros(beats, |b| window_start_ms(b.at_ms)),
            "at" | "received_at" => micros(beats, |b| b.at_ms),
            "date" => texts(beats, |b| DateTime::from_timestamp_millis(b.at_ms).unwrap_or_default().format("%Y-%m-%d").to_string()),
            "app" => texts(beats, |_| "demo".into()),
            "programme_id" => texts(beats, |b| format!("match-{}", b.viewer % 5)),
            "cdn" => texts(beats, |b| format!("cdn-{}", (b.viewer + moved(b)) % 3)),
            "user_id" => texts(beats, |b| format!("user-{:08}", b.viewer)),
            "session_id" => texts(beats, |b| format!("{:08x}-0000-4000-8000-{:012x}", b.viewer, session(b))),
            "status" => texts(beats, |_| ledger::BOOKED.into()),
            "bytes" => ints(beats, bytes),
            "records" => ints(beats, |_| 1),
            "late" => Arc::new(BooleanArray::from(vec![false; beats.len()])),
            "play_ms" => ints(beats, |_| self.audience.heartbeat_s as i64 * 1_000),
            "stalls" => ints(beats, |b| i64::from(bytes(b) % 97 == 0)),
            "stall_ms" => ints(beats, |b| i64::from(bytes(b) % 97 == 0) * 800),
            _ if field.is_nullable() => new_null_array(field.data_type(), beats.len()),
            _ => ints(beats, |_| 0),
        }
    }
}

fn texts(beats: &[Beat], of: impl Fn(&Beat) -> String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(beats.iter().map(of)))
}

fn ints(beats: &[Beat], of: impl Fn(&Beat) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(beats.iter().map(of)))
}

fn micros(beats: &[Beat], of: impl Fn(&Beat) -> i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(beats.iter().map(|b| of(b) * 1_000)).with_timezone("UTC"))
}
