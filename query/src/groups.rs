//! A report's rows → its groups and sessions, both numbered, as batches stream by; and the order in which
//! groups are answered. What is summed per group is the reports' affair. Pure.
//!
//! Sessions are counted exactly, by their full ids: each is numbered once, and (group, session) is then
//! a pair of numbers. All of it stays in memory, which is why [`Groups::room_bytes`] is asked first.

use crate::error::Error;
use crate::number::{Texts, list_bytes, table_bytes};
use crate::report::{Ask, column};
use crate::rows;
use crate::zone;
use arrow::array::RecordBatch;
use chrono_tz::Tz;
use hashbrown::HashMap;
use livemeter_schemas::reports::{By, Keys};
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

/// Where a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub group: u32,
    pub session: u32,
}

/// A group's keys: the start of its time bucket, and the numbers of its texts; 0 for what is not asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Key {
    time_ms: i64,
    texts: [u32; 3],
}

/// The groups that were seen so far, numbered from 0.
pub struct Groups {
    by_time: bool,
    /// The keys other than time, in order.
    by: Vec<By>,
    tz: Tz,
    starts_ms: Arc<[i64]>,
    texts: Texts,
    apps: Texts,
    sessions: Texts,
    numbers: HashMap<Key, u32>,
    keys: Vec<Key>,
}

impl Groups {
    pub fn new(ask: &Ask) -> Groups {
        Groups {
            by_time: ask.by.contains(&By::Time),
            by: ask.by.iter().copied().filter(|by| *by != By::Time).collect(),
            tz: ask.tz,
            starts_ms: Arc::clone(&ask.starts_ms),
            texts: Texts::default(),
            apps: Texts::default(),
            sessions: Texts::default(),
            numbers: HashMap::new(),
            keys: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Bytes held at most while the batch's rows are placed.
    pub fn room_bytes(&self, batch: &RecordBatch) -> Result<usize, Error> {
        let more = batch.num_rows();
        let most = self.sessions.len().max(self.texts.len()) + more * self.by.len().max(1);
        if most >= u32::MAX as usize {
            return Err(Error::TooLarge { field: "sessions", value: most as u64, limit: u64::from(u32::MAX), unit: "distinct ids" });
        }
        let mut key_bytes = 0;
        for by in &self.by {
            key_bytes += rows::texts(batch, column(*by))?.total_bytes_len();
        }
        let [app_bytes, session_bytes] = [rows::texts(batch, "app")?, rows::texts(batch, "session_id")?].map(|t| t.total_bytes_len());
        Ok(self.texts.room_bytes(more * self.by.len(), key_bytes)
            + self.apps.room_bytes(more, app_bytes)
            + self.sessions.room_bytes(more, session_bytes)
            + table_bytes::<(Key, u32)>(self.numbers.len(), self.numbers.capacity(), more)
            + list_bytes(&self.keys, more))
    }

    /// The place of each row of the batch.
    pub fn places(&mut self, batch: &RecordBatch) -> Result<Vec<Place>, Error> {
        let keys = self.keys_of(batch)?;
        let (apps, sessions) = (rows::texts(batch, "app")?, rows::texts(batch, "session_id")?);
        let mut places = Vec::with_capacity(keys.len());
        let mut last = None;
        for ((key, app), session) in keys.into_iter().zip(apps.iter()).zip(sessions.iter()) {
            let group = match last {
                Some((known, group)) if known == key => group,
                _ => self.group(key),
            };
            last = Some((key, group));
            let app = self.apps.number(0, app.unwrap_or_default());
            places.push(Place { group, session: self.sessions.number(app, session.unwrap_or_default()) });
        }
        Ok(places)
    }

    fn keys_of(&mut self, batch: &RecordBatch) -> Result<Vec<Key>, Error> {
        let mut keys = vec![Key::default(); batch.num_rows()];
        if self.by_time {
            let mut last = None;
            for (key, &at) in keys.iter_mut().zip(rows::micros(batch, "at")?.values()) {
                key.time_ms = match last {
                    Some((known, bucket)) if known == at => bucket,
                    _ => zone::bucket_ms(&self.starts_ms, at.div_euclid(1_000))
                        .ok_or_else(|| Error::Internal("a report's own SQL answers a row outside of its range".into()))?,
                };
                last = Some((at, key.time_ms));
            }
        }
        for (slot, by) in self.by.iter().enumerate() {
            let texts = rows::texts(batch, column(*by))?;
            for (number, text) in keys.iter_mut().filter_map(|key| key.texts.get_mut(slot)).zip(texts.iter()) {
                *number = self.texts.number(0, text.unwrap_or_default());
            }
        }
        Ok(keys)
    }

    fn group(&mut self, key: Key) -> u32 {
        let next = self.keys.len() as u32;
        let group = *self.numbers.entry(key).or_insert(next);
        if group == next {
            self.keys.push(key);
        }
        group
    }

    /// The first `limit` groups, by time, then by `measure` (largest first), then by the other keys; and
    /// whether there are more.
    pub fn first(&self, limit: usize, measure: impl Fn(u32) -> i128) -> (Vec<u32>, bool) {
        let before = |a: &u32, b: &u32| {
            let (x, y) = (self.key(*a), self.key(*b));
            let measured = || Reverse(measure(*a)).cmp(&Reverse(measure(*b)));
            x.time_ms.cmp(&y.time_ms).then_with(measured).then_with(|| self.by_texts(&x, &y))
        };
        let mut groups: Vec<u32> = (0..self.keys.len() as u32).collect();
        let more = groups.len() > limit;
        if more {
            groups.select_nth_unstable_by(limit, before);
            groups.truncate(limit);
        }
        groups.sort_unstable_by(before);
        (groups, more)
    }

    fn key(&self, group: u32) -> Key {
        self.keys.get(group as usize).copied().unwrap_or_default()
    }

    fn by_texts(&self, x: &Key, y: &Key) -> Ordering {
        let differ = self.by.iter().zip(x.texts.iter().zip(&y.texts)).find(|(_, (a, b))| a != b);
        differ.map_or(Ordering::Equal, |(_, (a, b))| self.texts.text(*a).cmp(self.texts.text(*b)))
    }

    /// The group's keys as an answer shows them.
    pub fn keys(&self, group: u32) -> Keys {
        let key = self.key(group);
        let mut keys = Keys::default();
        if self.by_time {
            keys.time = Some(zone::label(self.tz, key.time_ms));
        }
        for (by, number) in self.by.iter().zip(key.texts) {
            let text = Some(self.texts.text(number).to_owned());
            match by {
                By::Time => {}
                By::Cdn => keys.cdn = text,
                By::Programme => keys.programme = text,
                By::User => keys.user = text,
            }
        }
        keys
    }
}

/// What each session did within each group, as bits.
#[derive(Default)]
pub struct Marks {
    of: HashMap<[u32; 2], u8>,
    /// Each session's latest group and its marks there: a session seldom leaves its group between two rows.
    last: Vec<(u32, u8)>,
}

impl Marks {
    /// Bytes held at most while `more` rows of up to `sessions` sessions are marked.
    pub fn room_bytes(&self, more: usize, sessions: usize) -> usize {
        let table = table_bytes::<([u32; 2], u8)>(self.of.len(), self.of.capacity(), more);
        table + list_bytes(&self.last, (sessions + more).saturating_sub(self.last.len()))
    }

    /// Adds to the marks of a place; answers those before and after.
    pub fn add(&mut self, place: Place, marks: u8) -> (u8, u8) {
        let session = place.session as usize;
        if session >= self.last.len() {
            self.last.resize(session + 1, (u32::MAX, 0));
        }
        let Some(last) = self.last.get_mut(session) else { return (marks, marks) };
        if last.0 == place.group && last.1 | marks == last.1 {
            return (last.1, last.1);
        }
        let of = self.of.entry([place.group, place.session]).or_insert(0);
        let before = *of;
        *of |= marks;
        *last = (place.group, *of);
        (before, *of)
    }
}
