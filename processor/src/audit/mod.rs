//! Does the ledger keep its law? For every (session, CDN) the rows of all statuses sum to the counters
//! reached; no record is booked twice; every offset of every partition is accounted for; and what the topic
//! still holds says the same. Reads only. Printing is not here, nor the broker: records are given.
//!
//! Memory is bounded, whatever the ledger's size: when a pass would remember more than it may, it goes on with
//! half of its sessions (by a hash of their ids), and the other half gets a pass of its own.

mod partitions;
mod report;
mod sessions;
mod topic;

pub use partitions::{Broker, PartitionReport};
pub use report::{Check, Difference, Findings, Report, TopicReport};
pub use topic::Judge;

use crate::entry::Place;
use crate::error::Error;
use crate::places::{self, StoredPartition};
use crate::scan;
use crate::table::{Kind, load};
use deltalake::DeltaTable;
use livemeter_schemas::limits::Limits;
use sessions::{COLUMNS, Fold};
use std::collections::BTreeMap;
use std::future::Future;
use url::Url;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Only this app.
    pub app: Option<String>,
    /// Only sessions that have a row in a window of `[from_ms, to_ms)`; all of their rows are summed.
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    /// Remember no more than about this much at a time.
    pub memory_bytes_max: usize,
    /// Tell no more differences than these one by one; all of them are counted.
    pub differences_max: usize,
}

/// Both tables as they were when the audit began, and what their logs store.
pub struct Ledger {
    pub increments: DeltaTable,
    pub events: DeltaTable,
    pub increment_places: Vec<StoredPartition>,
    pub event_places: Vec<StoredPartition>,
}

impl Ledger {
    pub async fn open(root: &Url) -> Result<Ledger, Error> {
        let (increments, events) = (load(root, Kind::Increments).await?, load(root, Kind::Events).await?);
        let (increment_places, event_places) = (places::stored(&increments).await?, places::stored(&events).await?);
        Ok(Ledger { increments, events, increment_places, event_places })
    }

    /// The partitions of the latest generation: those that a broker can be asked about.
    pub fn latest(&self) -> impl Iterator<Item = &StoredPartition> {
        let latest = self.increment_places.iter().map(|p| p.generation).max();
        self.increment_places.iter().filter(move |p| Some(p.generation) == latest)
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of table files or, while the topic is read again, records of it: done, and in all.
    pub done: u64,
    pub of: u64,
    pub reading_topic: bool,
    /// Rows or records so far.
    pub count: u64,
    pub pass: usize,
}

/// The topic's records, given again.
pub trait Records {
    /// Hands over every record of the partition in `[from, to)`, in order.
    fn each(
        &mut self,
        partition: i64,
        from: i64,
        to: i64,
        take: &mut (dyn FnMut(Place, &[u8]) -> Result<(), Error> + Send),
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The topic, to be held against the ledger: its records, and the rules that they were booked by.
pub struct Topic<R> {
    pub records: R,
    pub rules: crate::book::Rules,
    pub limits: Limits,
}

/// Sessions whose id's hash leaves `residue` when divided by `modulus`: the share of one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    modulus: u64,
    residue: u64,
}

impl Share {
    const ALL: Share = Share { modulus: 1, residue: 0 };

    pub fn holds(self, session_id: &str) -> bool {
        twox_hash::XxHash64::oneshot(0, session_id.as_bytes()) % self.modulus == self.residue
    }

    /// Two halves: every session of this share is in exactly one.
    fn halves(self) -> (Share, Share) {
        let modulus = self.modulus.saturating_mul(2);
        (Share { modulus, ..self }, Share { modulus, residue: self.residue + self.modulus })
    }
}

/// Audits the ledger; with a broker, the offsets against it; with a topic, every session against that.
pub async fn run<R: Records>(
    ledger: &Ledger,
    question: &Question,
    broker: Option<&Broker>,
    mut topic: Option<Topic<R>>,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Error> {
    let mut findings = Findings::new(question.differences_max);
    let partitions = partitions::judge(ledger, broker, &mut findings);
    let mut report = Report::new(ledger, partitions);
    let stored: BTreeMap<(i64, i64), i64> = ledger.increment_places.iter().map(|p| ((p.generation, p.partition), p.offset)).collect();
    let mut shares = vec![Share::ALL];
    while let Some(share) = shares.pop() {
        report.passes += 1;
        let mut fold = Fold::new(question, share, &stored, topic.is_some());
        let halved = scan_ledger(ledger, &mut fold, report.passes, watch).await?;
        shares.extend(halved);
        if let (Some(topic), Some(broker)) = (topic.as_mut(), broker) {
            let told = report.topic.get_or_insert_with(TopicReport::default);
            topic::compare(ledger, broker, topic, &fold, told, &mut findings, watch, report.passes).await?;
        }
        fold.end(&mut report, &mut findings);
    }
    report.close(findings);
    Ok(report)
}

/// One pass over every file; returns the shares that it could not hold.
async fn scan_ledger(
    ledger: &Ledger,
    fold: &mut Fold<'_>,
    pass: usize,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<Share>, Error> {
    let files = scan::files(&ledger.increments)?;
    let of = files.iter().map(|f| f.bytes).sum();
    let (mut done, mut count) = (0, 0);
    for file in &files {
        count += scan::read(&ledger.increments, file, &COLUMNS, None, |columns| fold.take(columns)).await?;
        done += file.bytes;
        watch(Progress { done, of, reading_topic: false, count, pass });
    }
    Ok(std::mem::take(&mut fold.left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_session_is_in_one_share_however_often_shares_are_halved() {
        let (mut shares, mut settled) = (vec![Share::ALL], Vec::new());
        while let Some(share) = shares.pop() {
            if share.modulus < 16 || (share.residue == 3 && share.modulus < 64) {
                let (a, b) = share.halves();
                shares.extend([a, b]);
            } else {
                settled.push(share);
            }
        }
        for n in 0..2_000 {
            let id = format!("session-{n}");
            assert_eq!(settled.iter().filter(|share| share.holds(&id)).count(), 1, "{id}");
        }
    }
}
