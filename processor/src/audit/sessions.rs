//! Rows → what each (session, CDN) sums to and has reached, and which records were booked. Pure.

use super::report::{Check, Findings, Report};
use super::{Question, Share};
use crate::error::Error;
use crate::scan::Columns;
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) const COLUMNS: [&str; 20] = [
    "app",
    "session_id",
    "cdn",
    "window_start",
    "bytes",
    "aborted_bytes",
    "play_ms",
    "stall_ms",
    "stalls",
    "reached_bytes",
    "reached_aborted_bytes",
    "reached_play_ms",
    "reached_stall_ms",
    "reached_stalls",
    "kafka_generation",
    "kafka_partition",
    "kafka_offset_first",
    "kafka_offset",
    "records",
    "decided_at",
];
/// The five counters, in the order of all arrays here.
pub(super) const COUNTERS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];
/// What one (session, CDN) costs beside its names, and what one record booked costs, in bytes.
const TOTALS_BYTES: usize = 240;
const CLAIM_BYTES: usize = 40;

/// One (session, CDN).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Totals {
    pub sum: [i128; 5],
    pub reached: [i64; 5],
    pub rows: u64,
    /// Rows at or beyond the partition's stored offset.
    beyond: u32,
    /// Rows that claim a record which another row has claimed.
    twice: u32,
    /// Whether any row lies in the windows asked for.
    asked: bool,
    /// Where its records stand: generation, partition, first offset. Earlier generations win.
    pub first: (i64, i64, i64),
}

impl Default for Totals {
    fn default() -> Self {
        let first = (i64::MAX, i64::MAX, i64::MAX);
        Totals { sum: [0; 5], reached: [0; 5], rows: 0, beyond: 0, twice: 0, asked: false, first }
    }
}

/// One row, as far as the audit looks at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub app: &'a str,
    pub session_id: &'a str,
    pub cdn: &'a str,
    pub window_start_ms: i64,
    pub added: [i64; 5],
    pub reached: [i64; 5],
    pub generation: i64,
    pub partition: i64,
    pub offset_first: i64,
    pub offset: i64,
    /// One record's own row: neither rolled up nor made by a decision.
    pub raw: bool,
}

/// One pass.
pub(super) struct Fold<'q> {
    question: &'q Question,
    share: Share,
    stored: &'q BTreeMap<(i64, i64), i64>,
    pub sessions: HashMap<Box<str>, Totals>,
    /// Hashes of (generation, partition, offset, CDN, window) of raw rows.
    claims: HashSet<u128>,
    names_bytes: usize,
    /// Sessions are remembered a second time while the topic is read.
    with_topic: bool,
    /// Shares that were given up to stay within memory.
    pub left: Vec<Share>,
}

impl<'q> Fold<'q> {
    pub fn new(question: &'q Question, share: Share, stored: &'q BTreeMap<(i64, i64), i64>, with_topic: bool) -> Self {
        let (sessions, claims) = (HashMap::new(), HashSet::new());
        Fold { question, share, stored, sessions, claims, names_bytes: 0, with_topic, left: Vec::new() }
    }

    /// Whether this pass looks at a session.
    pub fn looks_at(&self, app: &str, session_id: &str) -> bool {
        self.question.app.as_deref().is_none_or(|wanted| wanted == app) && self.share.holds(session_id)
    }

    pub fn take(&mut self, c: &Columns<'_>) -> Result<(), Error> {
        let (app, session, cdn, window) = (c.text("app")?, c.text("session_id")?, c.text("cdn")?, c.ms("window_start")?);
        let added = [c.int("bytes")?, c.int("aborted_bytes")?, c.int("play_ms")?, c.int("stall_ms")?, c.int("stalls")?];
        let reached = [
            c.int("reached_bytes")?,
            c.int("reached_aborted_bytes")?,
            c.int("reached_play_ms")?,
            c.int("reached_stall_ms")?,
            c.int("reached_stalls")?,
        ];
        let (generation, partition) = (c.int("kafka_generation")?, c.int("kafka_partition")?);
        let (first, last) = (c.int("kafka_offset_first")?, c.int("kafka_offset")?);
        let (records, decided) = (c.int("records")?, c.ms_or_null("decided_at")?);
        for row in 0..c.rows() {
            self.row(Row {
                app: app.value(row),
                session_id: session.value(row),
                cdn: cdn.value(row),
                window_start_ms: window(row),
                added: added.map(|column| column.value(row)),
                reached: reached.map(|column| column.value(row)),
                generation: generation.value(row),
                partition: partition.value(row),
                offset_first: first.value(row),
                offset: last.value(row),
                raw: records.value(row) == 1 && decided(row).is_none(),
            });
        }
        while self.bytes() > self.question.memory_bytes_max && !self.sessions.is_empty() && self.halve() {}
        Ok(())
    }

    pub fn row(&mut self, row: Row<'_>) {
        if !self.looks_at(row.app, row.session_id) {
            return;
        }
        let known = self.stored.get(&(row.generation, row.partition));
        let beyond = known.is_none_or(|stored| row.offset >= *stored);
        let twice = row.raw && !self.claims.insert(claim(&row));
        let from = self.question.from_ms.is_none_or(|from| row.window_start_ms >= from);
        let asked = from && self.question.to_ms.is_none_or(|to| row.window_start_ms < to);
        let key = key(row.app, row.session_id, row.cdn);
        if !self.sessions.contains_key(key.as_str()) {
            self.names_bytes += key.len();
        }
        let totals = self.sessions.entry(key.into_boxed_str()).or_default();
        for i in 0..COUNTERS.len() {
            if let (Some(sum), Some(most), Some(a), Some(r)) =
                (totals.sum.get_mut(i), totals.reached.get_mut(i), row.added.get(i), row.reached.get(i))
            {
                *sum += i128::from(*a);
                *most = (*most).max(*r);
            }
        }
        totals.rows += 1;
        totals.beyond += u32::from(beyond);
        totals.twice += u32::from(twice);
        totals.asked |= asked;
        totals.first = totals.first.min((row.generation, row.partition, row.offset_first));
    }

    fn bytes(&self) -> usize {
        let each = TOTALS_BYTES * (1 + usize::from(self.with_topic));
        self.names_bytes + self.sessions.len() * each + self.claims.len() * CLAIM_BYTES
    }

    /// Goes on with half of the sessions. Claims of the other half stay: they are hashes, and bother nobody,
    /// but are counted no more once none of their kind can come. False when there is nothing left to halve.
    fn halve(&mut self) -> bool {
        let (kept, left) = self.share.halves();
        if kept.modulus == self.share.modulus {
            return false;
        }
        self.share = kept;
        self.left.push(left);
        self.sessions.retain(|key, _| session_of(key).is_some_and(|id| kept.holds(id)));
        self.names_bytes = self.sessions.keys().map(|key| key.len()).sum();
        self.claims.retain(|claim| (*claim as u64) % kept.modulus == kept.residue);
        true
    }

    /// What the pass found.
    pub fn end(self, report: &mut Report, findings: &mut Findings) {
        for (key, t) in self.sessions.iter().filter(|(_, t)| t.asked) {
            report.counters += 1;
            report.rows += t.rows;
            let place = place(key);
            for ((name, sum), reached) in COUNTERS.iter().zip(t.sum).zip(t.reached) {
                if sum != i128::from(reached) {
                    findings.add(Check::Conservation, || {
                        format!("{place}: {name} sum to {sum}, reached {reached} ({:+})", sum - i128::from(reached))
                    });
                }
            }
            if t.twice > 0 {
                findings.add(Check::Twice, || format!("{place}: {} rows claim a record that another row has claimed", t.twice));
            }
            if t.beyond > 0 {
                findings
                    .add(Check::Beyond, || format!("{place}: {} rows stand at or beyond the stored offset of their partition", t.beyond));
            }
        }
    }
}

/// Ids hold no control characters: what was refused at the door cannot be a separator here.
pub(super) fn key(app: &str, session_id: &str, cdn: &str) -> String {
    format!("{app}\0{session_id}\0{cdn}")
}

fn session_of(key: &str) -> Option<&str> {
    key.split('\0').nth(1)
}

/// A key in words.
pub(super) fn place(key: &str) -> String {
    let mut parts = key.split('\0');
    let mut next = || parts.next().unwrap_or_default();
    format!("app {}, session {}, CDN {}", next(), next(), next())
}

/// The low half is the session's own hash, so that a share can be told from the claim alone.
fn claim(row: &Row<'_>) -> u128 {
    let session = twox_hash::XxHash64::oneshot(0, row.session_id.as_bytes());
    let text = format!("{}/{}/{}/{}/{}", row.generation, row.partition, row.offset, row.window_start_ms, row.cdn);
    u128::from(twox_hash::XxHash64::oneshot(1, text.as_bytes())) << 64 | u128::from(session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn question(memory_bytes_max: usize) -> Question {
        Question { app: None, from_ms: None, to_ms: None, memory_bytes_max, differences_max: 100 }
    }

    fn row(session_id: &str, offset: i64, added: i64, reached: i64) -> Row<'_> {
        Row {
            app: "demo",
            session_id,
            cdn: "cdn-a",
            window_start_ms: 0,
            added: [added, 0, 0, 0, 0],
            reached: [reached, 0, 0, 0, 0],
            generation: 1,
            partition: 0,
            offset_first: offset,
            offset,
            raw: true,
        }
    }

    /// Every share in its turn, as `run` does it.
    fn audit(rows: &[Row<'_>], memory_bytes_max: usize) -> (Report, Findings) {
        let (question, stored) = (question(memory_bytes_max), BTreeMap::from([((1, 0), 1_000)]));
        let (mut report, mut findings) = (Report::default(), Findings::new(100));
        let mut shares = vec![Share::ALL];
        while let Some(share) = shares.pop() {
            report.passes += 1;
            let mut fold = Fold::new(&question, share, &stored, false);
            for row in rows {
                fold.row(*row);
                while fold.bytes() > memory_bytes_max && !fold.sessions.is_empty() && fold.halve() {}
            }
            shares.append(&mut fold.left);
            fold.end(&mut report, &mut findings);
        }
        (report, findings)
    }

    #[test]
    fn what_is_whole_passes_and_each_fault_is_named() {
        let whole = [row("a", 0, 5, 5), row("a", 1, 3, 8), row("b", 2, 7, 7)];
        let (report, findings) = audit(&whole, 1 << 20);
        assert_eq!((findings.total(), report.counters, report.rows, report.passes), (0, 2, 3, 1));
        let told = |rows: &[Row<'_>]| audit(rows, 1 << 20).1.shown().iter().map(|d| d.check).collect::<Vec<_>>();
        assert_eq!(told(&[row("a", 0, 5, 6)]), [Check::Conservation], "a row is lacking");
        assert_eq!(told(&[row("a", 0, 5, 5), row("a", 0, 5, 5)]), [Check::Conservation, Check::Twice]);
        assert_eq!(told(&[row("a", 1_000, 5, 5)]), [Check::Beyond]);
        assert_eq!(told(&[Row { partition: 3, ..row("a", 0, 5, 5) }]), [Check::Beyond], "a partition nobody knows");
        let decided = [row("a", 0, 5, 5), Row { raw: false, ..row("a", 0, -5, 5) }, Row { raw: false, ..row("a", 0, 5, 5) }];
        assert_eq!(told(&decided), [], "a decision moves amounts between statuses and claims no record");
    }

    proptest! {
        /// However little may be remembered, the same is found.
        #[test]
        fn less_memory_means_more_passes_and_the_same_verdict(sessions in 1usize..60, spoilt in 0usize..60, memory in 500usize..20_000) {
            let names: Vec<String> = (0..sessions).map(|n| format!("session-{n}")).collect();
            let mut rows = Vec::new();
            for (n, name) in names.iter().enumerate() {
                let off = i64::from(n == spoilt);
                rows.push(row(name, 2 * n as i64, 10, 10));
                rows.push(row(name, 2 * n as i64 + 1, 4, 14 + off));
            }
            let (report, findings) = audit(&rows, memory);
            prop_assert_eq!((report.counters, report.rows), (sessions as u64, 2 * sessions as u64));
            prop_assert_eq!(findings.total(), u64::from(spoilt < sessions));
            prop_assert!(sessions < 30 || memory > 8_000 || report.passes > 1);
        }
    }
}
