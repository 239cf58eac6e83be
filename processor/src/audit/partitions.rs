//! Stored offsets and accounts of every partition, held against each other and against the broker. Pure.

use super::Ledger;
use super::report::{Check, Findings};
use crate::places::StoredPartition;
use crate::tally::Tally;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the broker holds of the topic; asked after the ledger was opened, so that it can only be ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    pub cluster_id: String,
    pub topic: String,
    /// Lowest and next offset of each partition.
    pub watermarks: BTreeMap<i64, (i64, i64)>,
}

/// One partition of one generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionReport {
    pub cluster_id: String,
    pub topic: String,
    pub generation: i64,
    pub partition: i64,
    pub increments_offset: i64,
    pub events_offset: Option<i64>,
    /// Null when the ledger was begun before accounts were kept.
    pub accounts: Option<Tally>,
    pub accounts_balance: Option<bool>,
    /// What the broker holds; null for earlier generations, and when the broker was not asked.
    pub broker_low: Option<i64>,
    pub broker_high: Option<i64>,
    /// Records on the broker that the ledger does not hold yet.
    pub lag_records: Option<i64>,
}

pub(super) fn judge(ledger: &Ledger, broker: Option<&Broker>, findings: &mut Findings) -> Vec<PartitionReport> {
    let latest = ledger.increment_places.iter().map(|p| p.generation).max().unwrap_or_default();
    let events: BTreeMap<(i64, i64), i64> = ledger.event_places.iter().map(|p| ((p.generation, p.partition), p.offset)).collect();
    let one = |stored: &StoredPartition| {
        let events_offset = events.get(&(stored.generation, stored.partition)).copied();
        one(stored, events_offset, broker.filter(|_| stored.generation == latest), findings)
    };
    ledger.increment_places.iter().map(one).collect()
}

fn one(stored: &StoredPartition, events_offset: Option<i64>, broker: Option<&Broker>, findings: &mut Findings) -> PartitionReport {
    let place = format!("generation {}, partition {}", stored.generation, stored.partition);
    let accounts_balance = stored.accounts.map(|a| a.balances(stored.offset));
    if let (Some(a), Some(false)) = (stored.accounts, accounts_balance) {
        findings.add(Check::Accounts, || {
            format!(
                "{place}: offset {} - begin {} against consumed {} + absent {}; consumed against booked {} + late {} + empty {} + events only {} + refused {}",
                stored.offset, a.begin, a.consumed, a.absent, a.booked, a.late, a.empty, a.events_only, a.refused
            )
        });
    }
    if events_offset.is_none() {
        findings.add(Check::Offsets, || format!("{place}: the table of events stores no offset"));
    }
    // The worker starts at the smaller of the two.
    let next = events_offset.map_or(stored.offset, |events| events.min(stored.offset));
    let watermarks = broker.and_then(|broker| {
        if broker.cluster_id != stored.cluster_id || broker.topic != stored.topic {
            findings.add(Check::Offsets, || {
                let (cluster, topic) = (&stored.cluster_id, &stored.topic);
                format!(
                    "{place}: written from topic {topic} of cluster {cluster}; the broker is cluster {}, topic {}",
                    broker.cluster_id, broker.topic
                )
            });
            return None;
        }
        let found = broker.watermarks.get(&stored.partition).copied();
        if found.is_none() {
            findings.add(Check::Offsets, || format!("{place}: the broker has no such partition"));
        }
        found
    });
    if let Some((low, high)) = watermarks.filter(|(low, high)| next < *low || stored.offset > *high || events_offset > Some(*high)) {
        findings.add(Check::Offsets, || {
            let events = events_offset.unwrap_or_default();
            format!("{place}: the ledger goes on at {} (increments) and {events} (events); the broker holds {low} to {high}", stored.offset)
        });
    }
    PartitionReport {
        cluster_id: stored.cluster_id.clone(),
        topic: stored.topic.clone(),
        generation: stored.generation,
        partition: stored.partition,
        increments_offset: stored.offset,
        events_offset,
        accounts: stored.accounts,
        accounts_balance,
        broker_low: watermarks.map(|(low, _)| low),
        broker_high: watermarks.map(|(_, high)| high),
        lag_records: watermarks.map(|(_, high)| high - next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(offset: i64, events: Option<i64>, accounts: Option<Tally>, broker: Option<(&str, i64, i64)>) -> (PartitionReport, Vec<Check>) {
        let stored = StoredPartition { cluster_id: "c".into(), topic: "t".into(), generation: 1, partition: 0, offset, accounts };
        let broker = broker.map(|(cluster, low, high)| Broker {
            cluster_id: cluster.into(),
            topic: "t".into(),
            watermarks: BTreeMap::from([(0, (low, high))]),
        });
        let mut findings = Findings::new(9);
        let report = one(&stored, events, broker.as_ref(), &mut findings);
        (report, findings.shown().iter().map(|d| d.check).collect())
    }

    #[test]
    fn each_fault_of_a_partition_is_named() {
        let accounts = Tally { begin: 2, consumed: 7, booked: 4, late: 1, refused: 2, absent: 1, ..Tally::default() };
        let (report, checks) = told(10, Some(8), Some(accounts), Some(("c", 2, 15)));
        assert_eq!((report.lag_records, report.accounts_balance, checks.len()), (Some(7), Some(true), 0));
        assert_eq!(told(11, Some(8), Some(accounts), None).1, [Check::Accounts]);
        assert_eq!(told(10, Some(8), None, None).0.accounts_balance, None, "not recorded is no difference");
        assert_eq!(told(10, Some(8), None, Some(("c", 9, 15))).1, [Check::Offsets], "deleted before it was booked");
        assert_eq!(told(10, Some(8), None, Some(("c", 2, 9))).1, [Check::Offsets], "the broker went back");
        assert_eq!(told(10, Some(8), None, Some(("other", 2, 15))).1, [Check::Offsets]);
        assert_eq!(told(10, None, None, None).1, [Check::Offsets]);
    }
}
