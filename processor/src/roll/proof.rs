//! That a merge changed no sum: the same totals are read from the files before and after it, by another reader
//! than the one that merged. Nothing is committed when they differ.

use crate::error::Error;
use crate::roll::plan::{Grain, Job};
use crate::scan::{self, Columns, DataFile};
use crate::table::Kind;
use deltalake::DeltaTable;
use std::collections::BTreeMap;

/// Per status (or type of event), generation and partition.
type Place = (String, i64, i64);

/// What must not change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Rows as they are, which a roll-up makes fewer.
    pub rows: u64,
    places: BTreeMap<Place, Sums>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sums {
    /// Increments: the five amounts and `records`. Events: their `seq`, `kafka_offset` and number.
    amounts: [i128; 6],
    offset_min: i64,
    offset_max: i64,
}

impl Default for Sums {
    fn default() -> Self {
        Sums { amounts: [0; 6], offset_min: i64::MAX, offset_max: i64::MIN }
    }
}

const INCREMENTS: [&str; 6] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls", "records"];
const EVENTS: [&str; 2] = ["seq", "kafka_offset"];

/// Reads the totals of these files.
pub async fn of(table: &DeltaTable, kind: Kind, files: impl Iterator<Item = DataFile>) -> Result<Totals, Error> {
    let (name, amounts, first): (_, &[&str], _) = match kind {
        Kind::Increments => ("status", &INCREMENTS, "kafka_offset_first"),
        Kind::Events => ("type", &EVENTS, "kafka_offset"),
    };
    let mut columns = vec![name, "kafka_generation", "kafka_partition", "kafka_offset", first];
    columns.extend(amounts);
    let mut totals = Totals::default();
    for file in files {
        totals.rows += scan::read(table, &file, &columns, None, |c| add(&mut totals.places, c, name, amounts, first)).await?;
    }
    Ok(totals)
}

fn add(places: &mut BTreeMap<Place, Sums>, c: &Columns<'_>, name: &str, amounts: &[&str], first: &str) -> Result<(), Error> {
    let (name, generation, partition) = (c.text(name)?, c.int("kafka_generation")?, c.int("kafka_partition")?);
    let (first, last) = (c.int(first)?, c.int("kafka_offset")?);
    let amounts = amounts.iter().map(|name| c.int(name)).collect::<Result<Vec<_>, _>>()?;
    // Rows of one place stand together more often than not: its sums are looked up when it changes.
    let mut here = (String::new(), i64::MIN, i64::MIN);
    let mut sums = Sums::default();
    for row in 0..c.rows() {
        let place = (name.value(row), generation.value(row), partition.value(row));
        if (here.0.as_str(), here.1, here.2) != place {
            settle(places, std::mem::replace(&mut here, (place.0.to_owned(), place.1, place.2)), std::mem::take(&mut sums));
        }
        for (sum, amount) in sums.amounts.iter_mut().zip(&amounts) {
            *sum += i128::from(amount.value(row));
        }
        if amounts.len() < sums.amounts.len() {
            *sums.amounts.last_mut().unwrap_or(&mut 0) += 1;
        }
        sums.offset_min = sums.offset_min.min(first.value(row));
        sums.offset_max = sums.offset_max.max(last.value(row));
    }
    settle(places, here, sums);
    Ok(())
}

fn settle(places: &mut BTreeMap<Place, Sums>, place: Place, sums: Sums) {
    if sums == Sums::default() {
        return;
    }
    let all = places.entry(place).or_default();
    for (all, some) in all.amounts.iter_mut().zip(sums.amounts) {
        *all += some;
    }
    all.offset_min = all.offset_min.min(sums.offset_min);
    all.offset_max = all.offset_max.max(sums.offset_max);
}

impl Totals {
    /// Refuses input whose rows are not as many as the log says.
    pub fn told(&self, kind: Kind, job: &Job) -> Result<(), Error> {
        let told: Option<u64> = job.files.iter().map(|file| file.rows).sum();
        match told {
            Some(told) if told != self.rows => {
                Err(unequal(kind, job, format!("the log tells of {told} rows, the files hold {}", self.rows)))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a merge after which anything is not as it was.
pub fn equal(kind: Kind, job: &Job, before: &Totals, after: &Totals) -> Result<(), Error> {
    let rows_fit = if job.grain == Grain::AsIs { after.rows == before.rows } else { after.rows <= before.rows };
    if !rows_fit {
        return Err(unequal(kind, job, format!("{} rows became {}", before.rows, after.rows)));
    }
    let places = before.places.keys().chain(after.places.keys());
    for place in places {
        let (was, is) = (before.places.get(place), after.places.get(place));
        if was != is {
            return Err(unequal(kind, job, format!("{place:?} was {was:?} and became {is:?}")));
        }
    }
    Ok(())
}

fn unequal(kind: Kind, job: &Job, what: String) -> Error {
    Error::Unequal { table: kind.name(), date: job.date.clone(), what }
}
