//! Closed periods. Closing keeps what a period held, up to which offsets, and a hash of both, in a file that
//! is never written twice; what the ledger gets later for the same windows is told apart as adjustments.
//! Which rows lie within the line is the contract's word ([`ClosedPeriod::within_line`]).
//!
//! # Why a closed period reads the same for ever
//!
//! Rows are only ever added. A record booked later stands at an offset beyond the line. A decision made later
//! has the offset of the rows decided on, so it is told by its stamp: stamps rise with the table's versions,
//! and the table is read two seconds after the line was drawn, so every decision stamped before has landed
//! (an attempt to decide is stamped at most one second before it is committed). A roll-up merges no rows from
//! both sides of a line that it knows of; one that could not know makes the closing start over ([`settled`]).

mod bounds;
mod files;
mod totals;

pub use bounds::{Bounds, bounds};
pub use files::{list, read};

use crate::error::Error;
use crate::places::{self, StoredPartition};
use crate::roll::periods::settled;
use crate::table::{Kind, load};
use livemeter_schemas::period::{ClosedPeriod, LineOffset, PeriodTotal};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;
use totals::{Sums, add, scan_period};
use url::Url;

/// Version of the file.
const VERSION: u32 = 1;
/// Between drawing the line and reading the table: longer than a decision's stamp may be old.
const SETTLE: Duration = Duration::from_secs(2);

/// Attempts at drawing the line between two roll-ups, which are minutes apart.
const ATTEMPTS: u32 = 5;

/// Why nothing is to be had of a period.
#[derive(Debug, thiserror::Error)]
pub enum PeriodError {
    #[error("{name} is {value:?}; accepted: {accepted}")]
    Name { name: &'static str, value: String, accepted: &'static str },
    #[error("{period} in {tz} ends at {ends}: it is not over yet")]
    NotEnded { period: String, tz: String, ends: String },
    #[error(
        "{period} in {tz} ended at {ends}, less than {grace_s} s ago: players that were offline may still report. --now closes it knowingly"
    )]
    TooYoung { period: String, tz: String, ends: String, grace_s: i64 },
    #[error("{period} in {tz} is closed already, in {file}: it is never closed twice")]
    ClosedAlready { period: String, tz: String, file: String },
    #[error("{period} in {tz} is not closed: there is no {file}")]
    NotClosed { period: String, tz: String, file: String },
    #[error("{file} is not a closed period as this version writes it: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{period} in {tz}: roll-ups came between at each of {attempts} attempts; nothing was closed. Try again")]
    Busy { period: String, tz: String, attempts: u32 },
    #[error("app {app}, CDN {cdn}: {counter} exceed 64 bits; nothing was written")]
    Overflow { app: String, cdn: String, counter: &'static str },
    #[error(transparent)]
    Ledger(#[from] Error),
}

impl PeriodError {
    /// Whether the same may succeed later, with nobody having done anything.
    pub fn retry(&self) -> bool {
        match self {
            PeriodError::Ledger(error) => error.retry(),
            PeriodError::NotEnded { .. } | PeriodError::TooYoung { .. } | PeriodError::Busy { .. } => true,
            _ => false,
        }
    }
}

/// Who closes, when, and what must have passed.
#[derive(Debug, Clone, Copy)]
pub struct Closing<'a> {
    pub by: &'a str,
    pub grace_ms: i64,
    /// Knowingly before the grace is over.
    pub now: bool,
    pub clock: fn() -> i64,
}

/// A closed period beside what has come since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub closed: ClosedPeriod,
    /// Version of `increments` that the rest was read from.
    pub table_version: i64,
    /// Booked amounts of rows beyond the line.
    pub adjustments: Vec<PeriodTotal>,
    /// Totals at closing and adjustments together.
    pub both: Vec<PeriodTotal>,
}

/// A closed period beside the same, computed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub ok: bool,
    pub period: String,
    pub tz: String,
    pub table_version: i64,
    pub kept_sha256: String,
    /// Of the totals kept in the file: differs when somebody has changed the file.
    pub file_sha256: String,
    /// Of the totals computed again.
    pub found_sha256: String,
    /// (app, CDN) pairs that differ: as kept, as found.
    pub differences: Vec<(Option<PeriodTotal>, Option<PeriodTotal>)>,
}

/// Draws the line. Refused by name when the period is not over, too young, or closed already.
pub async fn close(root: &Url, period: &str, tz: &str, closing: Closing<'_>) -> Result<ClosedPeriod, PeriodError> {
    let Bounds { from_ms, to_ms } = bounds(period, tz)?;
    let closed_at_ms = (closing.clock)();
    let named = || (period.to_owned(), tz.to_owned(), bounds::label(to_ms));
    if closed_at_ms < to_ms {
        let (period, tz, ends) = named();
        return Err(PeriodError::NotEnded { period, tz, ends });
    }
    if !closing.now && closed_at_ms.saturating_sub(to_ms) < closing.grace_ms {
        let (period, tz, ends) = named();
        return Err(PeriodError::TooYoung { period, tz, ends, grace_s: closing.grace_ms / 1000 });
    }
    files::refuse_closed(root, period, tz).await?;
    tokio::time::sleep(SETTLE).await;
    for _ in 0..ATTEMPTS {
        // Events first: their offsets may only be behind what the increments are then read at.
        let events = places::stored(&load(root, Kind::Events).await?).await?;
        let mut table = load(root, Kind::Increments).await?;
        let version = table.version().unwrap_or_default();
        let mut closed = ClosedPeriod {
            v: VERSION,
            period: period.to_owned(),
            tz: tz.to_owned(),
            from_ms,
            to_ms,
            closed_at_ms,
            closed_by: closing.by.to_owned(),
            offsets: line(&places::stored(&table).await?, &events),
            table_version: i64::try_from(version).unwrap_or(i64::MAX),
            totals: Vec::new(),
            totals_sha256: String::new(),
        };
        closed.totals = totals::told(scan_period(&table, &closed).await?.within)?;
        closed.totals_sha256 = sha256(&closed)?;
        files::create(root, &closed).await?;
        if settled(&mut table, version, closed_at_ms).await? {
            return Ok(closed);
        }
        // A roll-up that did not know of the line came between: nobody has been told of this one yet.
        files::withdraw(root, &closed).await?;
    }
    Err(PeriodError::Busy { period: period.to_owned(), tz: tz.to_owned(), attempts: ATTEMPTS })
}

/// Totals at closing, what has come since, and both.
pub async fn show(root: &Url, period: &str, tz: &str) -> Result<Shown, PeriodError> {
    let closed = read(root, period, tz).await?;
    let table = load(root, Kind::Increments).await?;
    let adjustments = scan_period(&table, &closed).await?.beyond;
    let mut both: Sums = closed.totals.iter().map(|t| ((t.app.clone(), t.cdn.clone()), totals::amounts(t))).collect();
    for (name, amounts) in &adjustments {
        add(both.entry(name.clone()).or_default(), *amounts);
    }
    let table_version = i64::try_from(table.version().unwrap_or_default()).unwrap_or(i64::MAX);
    Ok(Shown { table_version, adjustments: totals::told(adjustments)?, both: totals::told(both)?, closed })
}

/// Computes the totals within the line again and compares them with those kept, and both with the hash.
pub async fn verify(root: &Url, period: &str, tz: &str) -> Result<Verified, PeriodError> {
    let kept = read(root, period, tz).await?;
    let table = load(root, Kind::Increments).await?;
    let mut found = kept.clone();
    found.totals = totals::told(scan_period(&table, &kept).await?.within)?;
    let (kept_sha256, file_sha256, found_sha256) = (kept.totals_sha256.clone(), sha256(&kept)?, sha256(&found)?);
    type Pair = (Option<PeriodTotal>, Option<PeriodTotal>);
    let name = |total: &PeriodTotal| (total.app.clone(), total.cdn.clone());
    let mut pairs: BTreeMap<(String, String), Pair> = BTreeMap::new();
    for total in kept.totals {
        let pair = pairs.entry(name(&total)).or_default();
        pair.0 = Some(total);
    }
    for total in found.totals {
        let pair = pairs.entry(name(&total)).or_default();
        pair.1 = Some(total);
    }
    let differences: Vec<_> = pairs.into_values().filter(|(kept, found)| kept != found).collect();
    let ok = differences.is_empty() && kept_sha256 == file_sha256 && kept_sha256 == found_sha256;
    let table_version = i64::try_from(table.version().unwrap_or_default()).unwrap_or(i64::MAX);
    Ok(Verified { ok, period: kept.period, tz: kept.tz, table_version, kept_sha256, file_sha256, found_sha256, differences })
}

/// Where the line crosses every partition of every generation: what both tables have.
fn line(increments: &[StoredPartition], events: &[StoredPartition]) -> Vec<LineOffset> {
    let events: BTreeMap<(i64, i64), i64> = events.iter().map(|p| ((p.generation, p.partition), p.offset)).collect();
    let crossing = |p: &StoredPartition| LineOffset {
        generation: p.generation,
        partition: p.partition,
        offset: events.get(&(p.generation, p.partition)).map_or(p.offset, |events| p.offset.min(*events)),
    };
    let mut line: Vec<LineOffset> = increments.iter().map(crossing).collect();
    line.sort();
    line
}

fn sha256(closed: &ClosedPeriod) -> Result<String, PeriodError> {
    let text =
        closed.canonical().map_err(|e| PeriodError::Unreadable { file: files::name(&closed.period, &closed.tz), reason: e.to_string() })?;
    Ok(format!("{:x}", Sha256::digest(text)))
}
