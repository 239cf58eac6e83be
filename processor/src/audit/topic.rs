//! The topic, read again by the rules themselves, against what the ledger has reached. Where the broker still
//! holds a session from its first record, both must say the same, to the byte. Where its beginning is gone,
//! the ledger knows more: it may have refused a counter that fell, but it can never have reached less.

use super::report::{Check, Findings, TopicReport};
use super::sessions::{COUNTERS, Fold, key, place};
use super::{Broker, Ledger, Progress, Records, Topic};
use crate::book::{Book, Rules, Wanted};
use crate::entry::{Entry, Place};
use crate::error::Error;
use crate::memory::Memory;
use crate::rows::{IncrementRow, RowRef, Rows};
use livemeter_schemas::limits::Limits;
use std::collections::{BTreeMap, HashSet};

/// Rows are not what is asked here: only what was reached.
struct NoRows;

impl Rows for NoRows {
    fn increment(&mut self, _: IncrementRow<'_>) -> RowRef {
        RowRef::default()
    }

    fn event(&mut self, _: &Entry<'_>, _: bool) {}
}

/// Takes records in their order and knows what each session must have reached.
pub struct Judge {
    book: Book,
    limits: Limits,
    pub records: u64,
    pub unreadable: u64,
    pub refused: u64,
}

impl Judge {
    pub fn new(rules: Rules, limits: Limits) -> Self {
        Judge { book: Book::new(rules, Memory::default()), limits, records: 0, unreadable: 0, refused: 0 }
    }

    /// One record; `wanted` says whether its session is looked at.
    pub fn take(&mut self, place: Place, payload: &[u8], wanted: impl FnOnce(&str, &str) -> bool) {
        self.records += 1;
        let both = Wanted { increments: true, events: true };
        match Entry::read(payload, place, &self.limits) {
            Ok(entry) if !wanted(&entry.app, entry.head().session_id) => {}
            Ok(entry) => self.refused += u64::from(self.book.book(&entry, both, &mut NoRows).is_err()),
            Err(_) => self.unreadable += 1,
        }
    }

    /// (app, session, CDN) and the counters reached.
    pub fn reached(&self) -> impl Iterator<Item = (&str, &str, &str, [i64; 5])> {
        self.book
            .memory
            .sessions()
            .filter(|s| s.booked)
            .flat_map(|s| s.reached.iter().map(|r| (s.app.as_ref(), s.id.as_ref(), r.cdn.as_ref(), r.amounts.array().map(|v| v as i64))))
    }
}

#[allow(clippy::too_many_arguments)]
pub(super) async fn compare<R: Records>(
    ledger: &Ledger,
    broker: &Broker,
    topic: &mut Topic<R>,
    fold: &Fold<'_>,
    told: &mut TopicReport,
    findings: &mut Findings,
    watch: &mut (dyn FnMut(Progress) + Send),
    pass: usize,
) -> Result<(), Error> {
    let mut judge = Judge::new(topic.rules.clone(), topic.limits.clone());
    // Per partition, the first offset that was read again, and whether that was the generation's first.
    let mut read: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    let mut whole = true;
    let ends: Vec<_> = ledger
        .latest()
        .filter(|p| p.cluster_id == broker.cluster_id && p.topic == broker.topic)
        .filter_map(|p| Some((p, broker.watermarks.get(&p.partition)?)))
        .collect();
    let of = ends.iter().map(|(p, (low, _))| (p.offset - low).max(0) as u64).sum();
    for (stored, (low, high)) in ends {
        read.insert((stored.generation, stored.partition), *low);
        whole &= *low == 0 || stored.accounts.is_some_and(|a| *low <= a.begin);
        let mut take = |place: Place, payload: &[u8]| {
            judge.take(place, payload, |app, session| fold.looks_at(app, session));
            if judge.records.is_multiple_of(10_000) {
                watch(Progress { done: judge.records, of, reading_topic: true, count: judge.records, pass });
            }
            Ok(())
        };
        topic.records.each(stored.partition, *low, stored.offset.min(*high), &mut take).await?;
    }
    (told.records, told.unreadable) = (judge.records, judge.unreadable);
    told.refused += judge.refused;
    against(&judge, fold, whole, &read, told, findings);
    Ok(())
}

fn against(judge: &Judge, fold: &Fold<'_>, whole: bool, read: &BTreeMap<(i64, i64), i64>, told: &mut TopicReport, findings: &mut Findings) {
    let mut heard = HashSet::new();
    for (app, session, cdn, reached) in judge.reached() {
        let key = key(app, session, cdn);
        let Some(totals) = fold.sessions.get(key.as_str()) else {
            findings.add(Check::Topic, || format!("{}: on the topic, but not in the ledger", place(&key)));
            continue;
        };
        let (generation, partition, first) = totals.first;
        let whole = whole || read.get(&(generation, partition)).is_some_and(|low| first >= *low);
        (told.compared, told.partly) = (told.compared + u64::from(whole), told.partly + u64::from(!whole));
        for ((name, topic), ledger) in COUNTERS.iter().zip(reached).zip(totals.reached) {
            if (whole && ledger != topic) || ledger < topic {
                findings.add(Check::Topic, || format!("{}: {name} reached {ledger} in the ledger, {topic} on the topic", place(&key)));
            }
        }
        heard.insert(key);
    }
    for (key, totals) in fold.sessions.iter().filter(|(key, _)| !heard.contains(key.as_ref())) {
        let (generation, partition, first) = totals.first;
        if read.get(&(generation, partition)).is_some_and(|low| first >= *low) {
            findings.add(Check::Topic, || format!("{}: in the ledger, but not on the topic where its rows say", place(key)));
        }
    }
}
