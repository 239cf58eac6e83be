//! One refresh of one derived table: what changed since the versions it reflects, which dates that reaches,
//! those dates made anew, and one commit.

use super::changes::{self, Changes, Cluster};
use super::engine::{Engine, Session};
use super::parts::Share;
use super::sessions;
use super::sql;
use super::store::{Committed, Replace, Store, Writer};
use super::strays::Strays;
use crate::error::Error;
use crate::scan;
use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::DateTime;
use deltalake::DeltaTable;
use deltalake::kernel::Add;
use futures::StreamExt;
use livemeter_schemas::derived::{DERIVED_VERSION, REFLECTS_EVENTS, REFLECTS_INCREMENTS, SESSIONS, STALLS};
use std::collections::{BTreeMap, BTreeSet};

/// What a derived table was made from. Rows are a function of this alone: never of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reflects {
    /// Versions of the primary tables.
    pub increments: i64,
    pub events: i64,
    /// When ingest received the newest row of those versions: the clock by which sessions fall silent.
    pub clock_ms: i64,
    /// After which silence they do.
    pub silence_ms: i64,
    /// Version of the columns and of their meaning.
    pub layout: i64,
}

impl Reflects {
    /// The application transactions that keep it.
    pub const IDS: [&'static str; 5] =
        [REFLECTS_INCREMENTS, REFLECTS_EVENTS, "livemeter/derived/clock_ms", "livemeter/derived/silence_ms", "livemeter/derived/version"];

    pub fn values(&self) -> [i64; 5] {
        [self.increments, self.events, self.clock_ms, self.silence_ms, self.layout]
    }

    pub fn from_values([increments, events, clock_ms, silence_ms, layout]: [i64; 5]) -> Reflects {
        Reflects { increments, events, clock_ms, silence_ms, layout }
    }
}

/// The primary tables, each at one version.
pub struct Sources {
    pub increments: DeltaTable,
    pub events: DeltaTable,
}

impl Sources {
    pub async fn update(&mut self) -> Result<(), Error> {
        self.increments.update_state().await.map_err(Error::storage("reading the log"))?;
        self.events.update_state().await.map_err(Error::storage("reading the log"))
    }

    /// What a table made from them reflects.
    pub async fn reflects(&self, silence_ms: i64) -> Result<Reflects, Error> {
        let version = |table: &DeltaTable| table.version().and_then(|v| i64::try_from(v).ok()).unwrap_or_default();
        let clock_ms = newest(&self.increments).await?.max(newest(&self.events).await?);
        let (increments, events) = (version(&self.increments), version(&self.events));
        Ok(Reflects { increments, events, clock_ms, silence_ms, layout: DERIVED_VERSION.into() })
    }
}

/// When ingest received the newest row of a table: from the log, or from the files it says nothing of.
async fn newest(table: &DeltaTable) -> Result<i64, Error> {
    let mut newest_ms = 0;
    for file in scan::files(table)? {
        match file.received_at_ms_max {
            // The log keeps whole milliseconds and says "before": received_at is a whole one itself.
            Some(before_ms) => newest_ms = newest_ms.max(before_ms - 1),
            None => {
                let read = scan::read(table, &file, &["received_at"], None, |columns| {
                    let at = columns.ms("received_at")?;
                    newest_ms = (0..columns.rows()).map(at).fold(newest_ms, i64::max);
                    Ok(())
                });
                read.await?;
            }
        }
    }
    Ok(newest_ms)
}

/// How far a refresh is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub table: &'static str,
    /// Parts made, and of how many.
    pub done: usize,
    pub parts: usize,
    /// The date of the newest rows.
    pub date: String,
    pub rows: u64,
}

/// What a refresh has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub outcome: Committed,
    pub dates: Replace,
    pub rows: u64,
}

/// One part of the work: a statement and the dates it makes.
struct Part {
    sql: String,
    dates: BTreeSet<String>,
}

/// Everything that one refresh needs.
pub struct Refresh<'a> {
    pub engine: &'a Engine,
    pub sources: &'a Sources,
    pub store: &'a mut Store,
    pub now: Reflects,
    /// What the table reflects; none when it has to be made from nothing.
    pub before: Option<Reflects>,
    /// Days for which the processor remembers a session: after a longer silence it is a stray.
    pub memory_days: u32,
    pub tell: &'a (dyn Fn(&Progress) + Sync),
}

impl Refresh<'_> {
    pub async fn run(mut self) -> Result<Made, Error> {
        let known = [("increments", &self.sources.increments), ("events", &self.sources.events), ("known", &self.store.delta)];
        let session = self.engine.session(self.store.name, &known).await?;
        let changed = match self.before {
            Some(before) => self.changes(&before).await?,
            None => None,
        };
        let (adds, rows, dates) = match (changed, self.store.name) {
            (None, SESSIONS) => self.all_sessions(&session).await?,
            (None, _) => {
                let dates = self.all_dates()?;
                let (adds, rows) = self.make(&session, self.dated(&dates), None).await?;
                (adds, rows, Replace::All)
            }
            (Some(changed), SESSIONS) => self.some_sessions(&session, &changed).await?,
            (Some((increments, events)), table) => {
                let dates = if table == STALLS { changes::with_neighbours(&events.dates()) } else { increments.dates() };
                let (adds, rows) = self.make(&session, self.dated(&dates), None).await?;
                (adds, rows, Replace::Dates(dates))
            }
        };
        let outcome = self.store.replace(&dates, adds, &self.now).await?;
        Ok(Made { outcome, dates, rows })
    }

    /// What changed in either table since; none when that cannot be known, or when everything depends on it.
    async fn changes(&self, before: &Reflects) -> Result<Option<(Changes, Changes)>, Error> {
        // A table that went back was replaced; sessions also depend on the silence and the clock.
        let replaced = before.increments > self.now.increments || before.events > self.now.events;
        let otherwise = before.silence_ms != self.now.silence_ms || before.clock_ms > self.now.clock_ms;
        if replaced || (self.store.name == SESSIONS && otherwise) {
            return Ok(None);
        }
        let increments = between(&self.sources.increments, before.increments, self.now.increments).await?;
        let events = between(&self.sources.events, before.events, self.now.events).await?;
        Ok(increments.zip(events))
    }

    /// Every date on which either primary table has rows.
    fn all_dates(&self) -> Result<BTreeSet<String>, Error> {
        let (increments, events) = (scan::files(&self.sources.increments)?, scan::files(&self.sources.events)?);
        Ok(increments.into_iter().chain(events).map(|file| file.date).collect())
    }

    /// One part for each date, of a table whose dates stand alone.
    fn dated(&self, dates: &BTreeSet<String>) -> Vec<Part> {
        let part = |date: &String| Some(Part { sql: sql::of_date(self.store.name, date)?, dates: BTreeSet::from([date.clone()]) });
        dates.iter().filter_map(part).collect()
    }

    async fn all_sessions(&mut self, session: &Session) -> Result<(Vec<Add>, u64, Replace), Error> {
        let dates = self.all_dates()?;
        let (Some(from), Some(to)) = (dates.first().cloned(), dates.last().cloned()) else { return Ok((Vec::new(), 0, Replace::All)) };
        // Nothing lies before the first date, so nothing that is known is left out.
        let parts = self.clustered(session, &Cluster { dates, from, to })?;
        let (adds, rows) = self.make(session, parts, None).await?;
        Ok((adds, rows, Replace::All))
    }

    /// The sessions of a cluster, in as many parts as its files ask for.
    fn clustered(&self, session: &Session, cluster: &Cluster) -> Result<Vec<Part>, Error> {
        let files = scan::files(&self.sources.increments)?.into_iter().chain(scan::files(&self.sources.events)?);
        let bytes = files.filter(|file| cluster.from <= file.date && file.date <= cluster.to).map(|file| file.bytes).sum();
        let part = |share| {
            let sql = sessions::of_cluster(cluster, share, self.now.clock_ms, self.now.silence_ms);
            Part { sql, dates: cluster.dates.clone() }
        };
        Ok(Share::all(bytes, session.spill_bytes_max()).map(part).collect())
    }

    async fn some_sessions(&mut self, session: &Session, changed: &(Changes, Changes)) -> Result<(Vec<Add>, u64, Replace), Error> {
        let mut reach = self.reach(session, changed).await?;
        loop {
            let mut parts = Vec::new();
            for cluster in changes::clusters(&reach) {
                parts.extend(self.clustered(session, &cluster)?);
            }
            let mut strays = Strays::default();
            let (adds, rows) = self.make(session, parts, Some(&mut strays)).await?;
            if strays.overflowed() {
                return self.all_sessions(session).await;
            }
            // Sessions whose rows do not add up have rows on dates that were not read: a silence longer than
            // the processor remembers lies between. What was just written is dropped, and upkeep removes it.
            let before = reach.clone();
            if strays.register(&session.context).map_err(|e| session.why(e))? {
                let mut there = BTreeMap::new();
                self.extend(session, &sessions::known_of(), &mut there).await?;
                let to = reach.values().max().cloned().unwrap_or_default();
                there.into_keys().for_each(|date| raise(&mut reach, date, to.clone()));
            }
            if reach == before {
                return Ok((adds, rows, Replace::Dates(reach.into_keys().collect())));
            }
            self.widen(session, &mut reach).await?;
        }
    }

    /// The dates of sessions that a change reaches, each with the last date on which its sessions have rows.
    async fn reach(&self, session: &Session, (increments, events): &(Changes, Changes)) -> Result<BTreeMap<String, String>, Error> {
        let mut reach = BTreeMap::new();
        let (of_increments, of_events) = (increments.dates(), events.dates());
        if let Some(first) = of_increments.iter().chain(&of_events).min() {
            let floor = changes::day(first, -i64::from(self.memory_days));
            self.extend(session, &sessions::reached(&of_increments, &of_events, &floor), &mut reach).await?;
        }
        let silence_ms = self.now.silence_ms;
        let before_ms = self.before.map_or(0, |before| before.clock_ms);
        self.extend(session, &sessions::fallen_silent(before_ms, self.now.clock_ms, silence_ms), &mut reach).await?;
        let removed: BTreeSet<String> = increments.removed.union(&events.removed).cloned().collect();
        if let Some(bereft) = sessions::bereft(&removed) {
            let mut there = BTreeMap::new();
            self.extend(session, &bereft, &mut there).await?;
            if let (Some(from), Some(to)) = (there.keys().next().cloned(), there.values().max().cloned()) {
                // A session that lost its first rows now begins on a later date: any up to its end.
                let dates = self.all_dates()?.into_iter().filter(|date| *date >= from && *date <= to);
                there.extend(dates.map(|date| (date, to.clone())).collect::<Vec<_>>());
            }
            // Dates that are empty now have to be emptied.
            there.extend(removed.into_iter().map(|date| (date.clone(), date)));
            for (date, to) in there {
                raise(&mut reach, date, to);
            }
        }
        self.widen(session, &mut reach).await?;
        Ok(reach)
    }

    /// Takes into account how far the other sessions of the same dates reach.
    async fn widen(&self, session: &Session, reach: &mut BTreeMap<String, String>) -> Result<(), Error> {
        let dates = reach.keys().cloned().collect();
        self.extend(session, &sessions::reach(&dates), reach).await
    }

    /// Adds the answer of a statement: each date in `first` or `known` reaches to the latest of what is beside it.
    async fn extend(&self, session: &Session, sql: &str, reach: &mut BTreeMap<String, String>) -> Result<(), Error> {
        let mut stream = session.stream(sql).await?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(|e| session.why(e))?;
            let texts = |name: &str, kind: &DataType| batch.column_by_name(name).map(|c| cast(c, kind)).transpose();
            let wrong = |e: arrow::error::ArrowError| Error::Ledger(format!("dates of sessions: {e}"));
            let day = |name: &str| texts(name, &DataType::Utf8).map_err(wrong);
            let ms = match batch.column_by_name("known_to") {
                Some(at) => Some(cast(at, &DataType::Int64).map_err(wrong)?),
                None => None,
            };
            let (first, known, changed_to) = (day("first")?, day("known")?, day("changed_to")?);
            for row in 0..batch.num_rows() {
                let text = |column: &Option<arrow::array::ArrayRef>| {
                    let column = column.as_ref()?.as_string_opt::<i32>()?;
                    arrow::array::Array::is_valid(column, row).then(|| column.value(row).to_owned())
                };
                let known_to = ms.as_ref().and_then(|c| {
                    let column = c.as_primitive_opt::<arrow::datatypes::Int64Type>()?;
                    let us = arrow::array::Array::is_valid(column, row).then(|| column.value(row))?;
                    Some(DateTime::from_timestamp_micros(us)?.format("%Y-%m-%d").to_string())
                });
                let (first, known) = (text(&first), text(&known));
                let to = text(&changed_to).max(known_to);
                for date in [first, known].into_iter().flatten() {
                    let to = to.clone().unwrap_or_else(|| date.clone());
                    raise(reach, date, to);
                }
            }
        }
        Ok(())
    }

    /// Makes the parts, one after the other.
    async fn make(&self, session: &Session, parts: Vec<Part>, mut strays: Option<&mut Strays>) -> Result<(Vec<Add>, u64), Error> {
        let mut writer = self.store.writer()?;
        let of = parts.len();
        for (done, part) in parts.into_iter().enumerate() {
            let first = part.dates.first().cloned().unwrap_or_default();
            self.tell(done, of, &first, writer.rows);
            let mut stream = session.stream(&part.sql).await?;
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(|e| session.why(e))?;
                if let Some(strays) = strays.as_deref_mut() {
                    strays.look(&batch)?;
                }
                writer.write(&batch).await?;
                self.tell(done, of, writer.date().unwrap_or(&first), writer.rows);
            }
        }
        self.tell(of, of, "", writer.rows);
        let rows = writer.rows;
        Ok((Writer::finish(writer).await?, rows))
    }

    fn tell(&self, done: usize, parts: usize, date: &str, rows: u64) {
        (self.tell)(&Progress { table: self.store.name, done, parts, date: date.to_owned(), rows });
    }
}

fn raise(reach: &mut BTreeMap<String, String>, date: String, to: String) {
    let known = reach.entry(date).or_default();
    if *known < to {
        *known = to;
    }
}

/// What changed in a table after `from` up to `to`; none when the log no longer says.
async fn between(table: &DeltaTable, from: i64, to: i64) -> Result<Option<Changes>, Error> {
    let mut changes = Changes::default();
    for version in from + 1..=to {
        let entry = table.log_store().read_commit_entry(version.unsigned_abs()).await.map_err(Error::storage("reading the log"))?;
        let Some(entry) = entry else { return Ok(None) };
        if !changes.note(&entry)? {
            return Ok(None);
        }
    }
    Ok(Some(changes))
}
