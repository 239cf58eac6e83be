//! Log entries of a primary table → the dates whose rows changed, and which dates have to be read together
//! for that. Pure: reading the log is in [`super::refresh`].

use crate::error::Error;
use chrono::{Days, NaiveDate};
use livemeter_schemas::ledger;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Dates whose rows changed between two versions of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Dates that got rows.
    pub added: BTreeSet<String>,
    /// Dates that lost rows: erasure, retention.
    pub removed: BTreeSet<String>,
}

impl Changes {
    pub fn dates(&self) -> BTreeSet<String> {
        self.added.union(&self.removed).cloned().collect()
    }

    /// Takes in one entry of the log. False: it does not say enough, so any date may have changed.
    /// A file that only holds other files' rows in another order (`dataChange: false`) changes nothing.
    pub fn note(&mut self, entry: &[u8]) -> Result<bool, Error> {
        for line in entry.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let action: Value = serde_json::from_slice(line).map_err(|e| Error::Ledger(format!("an entry of the log: {e}")))?;
            for (kind, dates) in [("add", &mut self.added), ("remove", &mut self.removed)] {
                let Some(file) = action.get(kind) else { continue };
                if file.get("dataChange").and_then(Value::as_bool) == Some(false) {
                    continue;
                }
                let Some(date) = file.get("partitionValues").and_then(|v| v.get(ledger::DATE)?.as_str()) else { return Ok(false) };
                dates.insert(date.to_owned());
            }
        }
        Ok(true)
    }
}

/// The dates and their neighbours: a repeated event may carry another clock's correction, and stand on
/// the other side of midnight.
pub fn with_neighbours(dates: &BTreeSet<String>) -> BTreeSet<String> {
    dates.iter().flat_map(|date| [day(date, -1), date.clone(), day(date, 1)]).collect()
}

/// The date `days` later; the same where there is none.
pub fn day(date: &str, days: i64) -> String {
    let moved = date.parse::<NaiveDate>().ok().and_then(|date| {
        let by = Days::new(days.unsigned_abs());
        if days < 0 { date.checked_sub_days(by) } else { date.checked_add_days(by) }
    });
    moved.map_or_else(|| date.to_owned(), |moved| moved.format("%Y-%m-%d").to_string())
}

/// Dates of a table of sessions that are made together, from the rows of `from` to `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub dates: BTreeSet<String>,
    pub from: String,
    pub to: String,
}

/// Per date to be made, the last date on which any of its sessions has rows → clusters that share no row.
pub fn clusters(reach: &BTreeMap<String, String>) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for (date, to) in reach {
        let to = to.max(date);
        match clusters.last_mut() {
            Some(last) if *date <= last.to => {
                last.dates.insert(date.clone());
                last.to = last.to.clone().max(to.clone());
            }
            _ => clusters.push(Cluster { dates: BTreeSet::from([date.clone()]), from: date.clone(), to: to.clone() }),
        }
    }
    clusters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(dates: &[&str]) -> BTreeSet<String> {
        dates.iter().map(|d| (*d).to_owned()).collect()
    }

    #[test]
    fn only_entries_that_change_rows_count() {
        let mut changes = Changes::default();
        let entry = br#"{"commitInfo":{"operation":"WRITE"}}
{"txn":{"appId":"a","version":1}}
{"add":{"path":"a","partitionValues":{"date":"2026-11-23"},"dataChange":true}}
{"add":{"path":"b","partitionValues":{"date":"2026-11-24"},"dataChange":false}}
{"remove":{"path":"c","partitionValues":{"date":"2026-11-24"},"dataChange":false}}
{"remove":{"path":"d","partitionValues":{"date":"2026-11-20"},"dataChange":true}}
"#;
        assert!(changes.note(entry).unwrap());
        assert_eq!((&changes.added, &changes.removed), (&set(&["2026-11-23"]), &set(&["2026-11-20"])));
        assert!(!changes.note(br#"{"remove":{"path":"d","dataChange":true}}"#).unwrap(), "no date: anything may have changed");
        assert!(changes.note(b"{\"add\":").is_err());
    }

    #[test]
    fn neighbours_cross_months_and_years() {
        assert_eq!(with_neighbours(&set(&["2026-12-31"])), set(&["2026-12-30", "2026-12-31", "2027-01-01"]));
        assert_eq!(day("no date", 1), "no date");
    }

    #[test]
    fn dates_whose_sessions_meet_are_made_together() {
        let reach = |all: &[(&str, &str)]| clusters(&all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect());
        let found = reach(&[
            ("2026-11-01", "2026-11-03"),
            ("2026-11-03", "2026-11-03"),
            ("2026-11-04", "2026-11-01"),
            ("2026-11-06", "2026-11-07"),
        ]);
        let told: Vec<_> = found.iter().map(|c| (c.dates.len(), c.from.as_str(), c.to.as_str())).collect();
        assert_eq!(told, [(2, "2026-11-01", "2026-11-03"), (1, "2026-11-04", "2026-11-04"), (1, "2026-11-06", "2026-11-07")]);
    }
}
