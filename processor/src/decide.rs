//! What was quarantined, and what somebody decided about it. A decision appends two rows for each group of
//! quarantined rows, in one commit: one takes the amounts out of quarantine, one puts them where they belong.
//! What was reached, and the place on Kafka, stay those of the rows decided on: recovery and closed periods
//! see nothing new at an old place. Asking who decides, and why, is the command line's.
//!
//! # Why nothing is decided twice
//!
//! What is decided on is the undecided remainder at one version of the table, and the decision commits as
//! exactly the version after it; if anybody committed in between, the remainder is computed again. A decision
//! whose reply was lost is found in the log by its token.

mod rows;

use crate::error::Error;
use crate::roll::periods::settled_at_ms;
use crate::scan::{self, Columns};
use crate::table::{Kind, commit_rows, load, widen};
use deltalake::DeltaTable;
use livemeter_schemas::ledger;
use livemeter_schemas::time::WINDOW_MS;
use rows::decision;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use url::Url;

/// Attempts against a busy table: the processor commits every few seconds, a decision takes less than one.
const ATTEMPTS: u32 = 20;
/// A decision is stamped just before it is committed; an attempt that took longer to get there stamps anew.
/// Closing a period waits longer than that: see [`crate::period`].
const STAMP_AGE_MAX: Duration = Duration::from_secs(1);

const COLUMNS: [&str; 29] = [
    "window_start",
    "app",
    "programme_id",
    "cdn",
    "region",
    "asn",
    "user_id",
    "session_id",
    "bytes",
    "aborted_bytes",
    "play_ms",
    "stall_ms",
    "stalls",
    "status",
    "late",
    "reached_seq",
    "reached_bytes",
    "reached_aborted_bytes",
    "reached_play_ms",
    "reached_stall_ms",
    "reached_stalls",
    "at",
    "correction_ms",
    "received_at",
    "kafka_generation",
    "kafka_partition",
    "kafka_offset_first",
    "kafka_offset",
    "decided_at",
];

/// Which quarantined amounts.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub app: Option<String>,
    pub session_id: Option<String>,
    pub cdn: Option<String>,
    pub window_start_ms: Option<i64>,
}

impl Selection {
    fn holds(&self, group: &Group) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        is(&self.app, &group.app)
            && is(&self.session_id, &group.session_id)
            && is(&self.cdn, &group.cdn)
            && self.window_start_ms.is_none_or(|at| at == group.window_start_ms)
    }
}

/// What the rows of one group have in common: a decision's rows have it too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Group {
    pub app: String,
    pub session_id: String,
    pub cdn: String,
    pub window_start_ms: i64,
    pub user_id: String,
    pub programme_id: String,
    pub region: Option<String>,
    pub asn: Option<i64>,
    pub kafka_generation: i64,
    pub kafka_partition: i64,
}

/// What is quarantined in one group, and where its rows stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    #[serde(flatten)]
    pub group: Group,
    /// Undecided: bytes, aborted bytes, play ms, stall ms, stalls.
    #[serde(skip)]
    pub amounts: [i64; 5],
    pub bytes: i64,
    pub play_ms: i64,
    /// Over the whole window: the rate that was judged was at least that.
    pub bitrate_min_bps: i64,
    pub at_ms: i64,
    pub received_at_ms: i64,
    #[serde(skip)]
    pub(crate) reached_seq: i64,
    #[serde(skip)]
    pub(crate) reached: [i64; 5],
    #[serde(skip)]
    pub(crate) correction_ms: i64,
    #[serde(skip)]
    pub(crate) late: bool,
    pub kafka_offset_first: i64,
    pub kafka_offset: i64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Released,
    Rejected,
}

impl Verdict {
    pub fn status(self) -> &'static str {
        match self {
            Verdict::Released => ledger::BOOKED,
            Verdict::Rejected => ledger::REJECTED,
        }
    }
}

/// Who decided, and why.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    pub by: &'a str,
    pub why: &'a str,
}

/// The undecided remainder, in order.
pub async fn undecided(root: &Url, selection: &Selection) -> Result<Vec<Quarantined>, Error> {
    remainder(&load(root, Kind::Increments).await?, selection).await.map(|(found, _)| found)
}

/// Decides on everything selected, in one commit. Returns what was decided: nothing the second time.
pub async fn decide(
    root: &Url,
    selection: &Selection,
    verdict: Verdict,
    signature: Signature<'_>,
    now_ms: fn() -> i64,
) -> Result<Vec<Quarantined>, Error> {
    let mut table = load(root, Kind::Increments).await?;
    widen(&mut table, Kind::Increments).await?;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(50 * u64::from(attempt))).await;
            table.update_state().await.map_err(Error::storage("reading the log"))?;
        }
        let (found, decided_last) = remainder(&table, selection).await?;
        if found.is_empty() {
            return Ok(found);
        }
        // Stamps rise with versions, whatever the clocks say: a closed period's line is drawn by them, so they also lie
        // behind every closing that this version knows.
        let after = decided_last.max(settled_at_ms(&table).await?).saturating_add(1);
        let (stamped, decided_at_ms) = (Instant::now(), now_ms().max(after));
        let batch = decision(&found, verdict, signature, decided_at_ms).map_err(|e| Error::Ledger(format!("rows of a decision: {e}")))?;
        let token = uuid::Uuid::new_v4().to_string();
        if commit_rows(&table, Kind::Increments, batch, &token, stamped + STAMP_AGE_MAX).await? {
            return Ok(found);
        }
    }
    Err(Error::Ledger(format!("others committed before each of {ATTEMPTS} attempts; nothing was decided: try again")))
}

/// The undecided remainder as of the version that is loaded, and the latest stamp of any decision.
async fn remainder(table: &DeltaTable, selection: &Selection) -> Result<(Vec<Quarantined>, i64), Error> {
    let mut groups: BTreeMap<Group, Quarantined> = BTreeMap::new();
    let mut decided_last = i64::MIN;
    for file in scan::files(table)? {
        scan::read(table, &file, &COLUMNS, None, |columns| take(columns, selection, &mut groups, &mut decided_last)).await?;
    }
    let left = groups.into_values().filter(|q| q.amounts.iter().any(|amount| *amount != 0));
    Ok((left.map(Quarantined::told).collect(), decided_last))
}

fn take(c: &Columns<'_>, selection: &Selection, groups: &mut BTreeMap<Group, Quarantined>, decided_last: &mut i64) -> Result<(), Error> {
    let (status, decided) = (c.text("status")?, c.ms_or_null("decided_at")?);
    let (window, app, programme, cdn) = (c.ms("window_start")?, c.text("app")?, c.text("programme_id")?, c.text("cdn")?);
    let asn = c.int_or_null("asn")?;
    let (region, user, session) = (c.text_or_null("region")?, c.text("user_id")?, c.text("session_id")?);
    let ints = |names: [&str; 5]| -> Result<Vec<_>, Error> { names.into_iter().map(|name| c.int(name)).collect() };
    let added = ints(["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"])?;
    let reached = ints(["reached_bytes", "reached_aborted_bytes", "reached_play_ms", "reached_stall_ms", "reached_stalls"])?;
    let (late, seq, at, received) = (c.flag("late")?, c.int("reached_seq")?, c.ms("at")?, c.ms("received_at")?);
    let (correction, generation, partition) = (c.int("correction_ms")?, c.int("kafka_generation")?, c.int("kafka_partition")?);
    let (first, last) = (c.int("kafka_offset_first")?, c.int("kafka_offset")?);
    let five = |columns: &[&arrow::array::Int64Array], row: usize| {
        let mut values = [0; 5];
        values.iter_mut().zip(columns).for_each(|(value, column)| *value = column.value(row));
        values
    };
    for row in 0..c.rows() {
        *decided_last = decided(row).unwrap_or(i64::MIN).max(*decided_last);
        if status.value(row) != ledger::QUARANTINED {
            continue;
        }
        let group = Group {
            app: app.value(row).to_owned(),
            session_id: session.value(row).to_owned(),
            cdn: cdn.value(row).to_owned(),
            window_start_ms: window(row),
            user_id: user.value(row).to_owned(),
            programme_id: programme.value(row).to_owned(),
            region: region(row).map(str::to_owned),
            asn: asn(row),
            kafka_generation: generation.value(row),
            kafka_partition: partition.value(row),
        };
        if !selection.holds(&group) {
            continue;
        }
        let (now, after) = (five(&added, row), five(&reached, row));
        let one = Quarantined {
            group: group.clone(),
            amounts: now,
            bytes: 0,
            play_ms: 0,
            bitrate_min_bps: 0,
            at_ms: at(row),
            received_at_ms: received(row),
            reached_seq: seq.value(row),
            reached: after,
            correction_ms: correction.value(row),
            late: late.value(row),
            kafka_offset_first: first.value(row),
            kafka_offset: last.value(row),
        };
        match groups.get_mut(&group) {
            Some(known) => known.join(one)?,
            None => drop(groups.insert(group, one)),
        }
    }
    Ok(())
}

impl Quarantined {
    /// Takes another row of the group in: amounts add up, everything reached is the largest.
    fn join(&mut self, other: Quarantined) -> Result<(), Error> {
        for (sum, added) in self.amounts.iter_mut().zip(other.amounts) {
            let session = &other.group.session_id;
            *sum = sum.checked_add(added).ok_or_else(|| Error::Ledger(format!("session {session}: quarantined amounts exceed 64 bits")))?;
        }
        self.reached.iter_mut().zip(other.reached).for_each(|(most, reached)| *most = (*most).max(reached));
        if other.kafka_offset > self.kafka_offset {
            (self.kafka_offset, self.correction_ms) = (other.kafka_offset, other.correction_ms);
        }
        self.kafka_offset_first = self.kafka_offset_first.min(other.kafka_offset_first);
        self.reached_seq = self.reached_seq.max(other.reached_seq);
        self.at_ms = self.at_ms.max(other.at_ms);
        self.received_at_ms = self.received_at_ms.max(other.received_at_ms);
        self.late |= other.late;
        Ok(())
    }

    /// With the figures that a person looks at.
    fn told(mut self) -> Self {
        let [bytes, _, play_ms, ..] = self.amounts;
        (self.bytes, self.play_ms) = (bytes, play_ms);
        let bps = i128::from(bytes) * 8_000 / i128::from(WINDOW_MS);
        self.bitrate_min_bps = i64::try_from(bps).unwrap_or(i64::MAX);
        self
    }
}
