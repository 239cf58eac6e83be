//! The producer's log against the ledger, as the query service reads it: every session, every CDN, every
//! counter, every event; and every unreadable record against the dead letters.

use super::viewers::{APP, FIELDS, Log};
use crate::http::Http;
use crate::kafka;
use anyhow::{Context as _, Result, ensure};
use livemeter_schemas::record::{DEADLETTER_TOPIC, DeadLetter};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the ledger says, in the log's own shape.
#[derive(Debug, Default)]
pub struct Found {
    pub reached: BTreeMap<(String, String), [i64; 5]>,
    /// Events per session, and how many of them are told apart by their `seq`.
    pub events: BTreeMap<String, (i64, i64)>,
}

/// How the two differ; all zero is what is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub lost_bytes: i64,
    pub extra_bytes: i64,
    /// (session, CDN)s of which any counter differs.
    pub counters: usize,
    pub lost_events: i64,
    pub extra_events: i64,
    /// The first few, in words.
    pub examples: Vec<String>,
}

impl Difference {
    pub fn none(&self) -> bool {
        *self == Difference::default()
    }
}

pub fn difference(log: &Log, found: &Found) -> Difference {
    let mut difference = Difference::default();
    let places: BTreeSet<_> = log.reached.keys().chain(found.reached.keys()).collect();
    for place in places {
        let wanted = log.reached.get(place).copied().unwrap_or_default();
        let booked = found.reached.get(place).copied().unwrap_or_default();
        difference.lost_bytes += (wanted[0] - booked[0]).max(0);
        difference.extra_bytes += (booked[0] - wanted[0]).max(0);
        if wanted != booked {
            difference.counters += 1;
            difference.examples.push(format!("{place:?}: {FIELDS:?} are {booked:?} in the ledger and {wanted:?} in the log"));
        }
    }
    let sessions: BTreeSet<_> = log.events.keys().chain(found.events.keys()).collect();
    for session in sessions {
        let wanted = log.events.get(session).copied().unwrap_or_default();
        let (rows, distinct) = found.events.get(session).copied().unwrap_or_default();
        difference.lost_events += (wanted - distinct).max(0);
        difference.extra_events += rows - distinct + (distinct - wanted).max(0);
        if (rows, distinct) != (wanted, wanted) {
            difference.examples.push(format!("{session}: {rows} events, {distinct} of them distinct; the log has {wanted}"));
        }
    }
    difference.examples.truncate(5);
    difference
}

pub async fn found(query: &Http) -> Result<Found> {
    let sums = FIELDS.map(|field| format!("CAST(SUM({field}) AS BIGINT)")).join(", ");
    let increments = format!("SELECT session_id, cdn, {sums} FROM increments WHERE app = '{APP}' GROUP BY session_id, cdn");
    let events = format!("SELECT session_id, COUNT(*), COUNT(DISTINCT seq) FROM events WHERE app = '{APP}' GROUP BY session_id");
    let mut found = Found::default();
    for row in rows(query, &increments).await? {
        let mut counters = [0; 5];
        for (counter, value) in counters.iter_mut().zip(&row[2..]) {
            *counter = number(value)?;
        }
        found.reached.insert((text(&row[0])?, text(&row[1])?), counters);
    }
    for row in rows(query, &events).await? {
        found.events.insert(text(&row[0])?, (number(&row[1])?, number(&row[2])?));
    }
    Ok(found)
}

async fn rows(query: &Http, sql: &str) -> Result<Vec<Vec<Value>>> {
    let answer = query.post_json("/v1/sql", &json!({ "sql": sql })).await.map_err(anyhow::Error::msg)?;
    ensure!(answer.status == 200, "{sql}: {} {}", answer.status, answer.text());
    let answer = answer.json();
    ensure!(answer["truncated"] != true, "{sql}: too many rows for one answer");
    serde_json::from_value(answer["rows"].clone()).with_context(|| format!("{sql}: no rows in the answer"))
}

fn number(value: &Value) -> Result<i64> {
    // Numbers that JavaScript cannot hold come as text.
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).with_context(|| format!("{value} is no number"))
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().with_context(|| format!("{value} is no text"))?.to_owned())
}

/// How many distinct records have a dead letter. A crash may leave a letter twice: its origin tells.
pub fn dead_letters(brokers: &str, partitions: i32) -> Result<i64> {
    let mut origins = BTreeSet::new();
    for letter in kafka::read_all(brokers, DEADLETTER_TOPIC, partitions) {
        let letter: DeadLetter = serde_json::from_slice(&letter.value).context("a dead letter")?;
        let origin = letter.origin.context("a dead letter without an origin")?;
        origins.insert((origin.topic, origin.partition, origin.offset));
    }
    Ok(origins.len() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sees_every_kind_of_difference() {
        let place = |session: &str| (session.to_owned(), "cdn-a".to_owned());
        let log = Log {
            reached: [(place("a"), [10, 0, 0, 0, 0]), (place("b"), [5, 1, 0, 0, 0]), (place("empty"), [0; 5])].into(),
            events: [("a".to_owned(), 2)].into(),
            ..Log::default()
        };
        let right = Found {
            reached: [(place("a"), [10, 0, 0, 0, 0]), (place("b"), [5, 1, 0, 0, 0])].into(),
            events: [("a".to_owned(), (2, 2))].into(),
        };
        assert!(difference(&log, &right).none());
        let wrong = Found {
            reached: [(place("a"), [13, 0, 0, 0, 0]), (place("c"), [0, 0, 1, 0, 0])].into(),
            events: [("a".to_owned(), (2, 1)), ("b".to_owned(), (1, 1))].into(),
        };
        let seen = difference(&log, &wrong);
        assert_eq!((seen.lost_bytes, seen.extra_bytes, seen.counters), (5, 3, 3));
        assert_eq!((seen.lost_events, seen.extra_events), (1, 2));
        assert_eq!(seen.examples.len(), 5);
    }
}
