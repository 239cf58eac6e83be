//! The sessions in memory, compactly, and the trace of those that left it. What is booked is decided in
//! [`crate::book`]; what the ledger says of a session comes in from [`crate::recover`].
//!
//! Three kinds of session, seen from here:
//! 1. in memory;
//! 2. evicted: silent for long, only a 64-bit hash remains, by day. Its rows are looked up when it returns
//!    (a hash shared by two sessions costs a look-up that finds nothing);
//! 3. unknown: either new, or so old that even its hash is gone. The two are told apart by when the session
//!    says it began: before [`Memory::known_from_ms`] it is looked up, else it is new.

use crate::cmcd::Known;
use crate::session::Session;
use crate::split::Amounts;
use ahash::RandomState;
use hashbrown::hash_table::Entry;
use hashbrown::{HashSet, HashTable};
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::sync::Arc;
use twox_hash::XxHash64;

pub const DAY_MS: i64 = 86_400_000;

/// A session whose rows in the ledger are needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Missing {
    pub app: String,
    pub session_id: String,
    /// No row of it is older than this (less a day for clocks); none when that is not known.
    pub from_ms: Option<i64>,
}

/// Names that many sessions share: CDNs and apps.
#[derive(Debug, Default)]
pub struct Names(HashSet<Arc<str>, RandomState>);

impl Names {
    pub fn share(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let shared: Arc<str> = name.into();
        self.0.insert(shared.clone());
        shared
    }

    /// Lets go of names that no session uses: clients choose them, so they must not pile up.
    fn purge(&mut self) {
        self.0.retain(|name| Arc::strong_count(name) > 1);
    }
}

/// All sessions that are remembered.
#[derive(Debug)]
pub struct Memory {
    hasher: RandomState,
    sessions: HashTable<Box<Session>>,
    names: Names,
    /// Hashes of evicted sessions by the day they were last heard of.
    evicted: BTreeMap<i64, HashTable<u64>>,
    /// Seed of those hashes: they outlive this process, and nobody outside may choose ids that collide.
    seed: u64,
    /// The latest time of receipt seen: the stream's own clock.
    clock_ms: i64,
    /// How far that may go; see [`Memory::go_no_further_than`].
    clock_ms_max: i64,
    /// What all sessions took when they were last looked through.
    bytes: usize,
    /// Rows before this day were not read, and hashes of sessions silent since before it are gone.
    floor_ms: i64,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            hasher: RandomState::new(),
            sessions: HashTable::new(),
            names: Names::default(),
            evicted: BTreeMap::new(),
            seed: RandomState::new().hash_one(0u8),
            clock_ms: i64::MIN,
            bytes: 0,
            floor_ms: i64::MIN,
            clock_ms_max: i64::MAX,
        }
    }
}

impl Memory {
    /// An empty memory whose traces are hashed with this seed.
    pub fn with_seed(seed: u64) -> Self {
        Memory { seed, ..Memory::default() }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    pub fn evicted_len(&self) -> usize {
        self.evicted.values().map(HashTable::len).sum()
    }

    /// Memory that the sessions took at the last [`Memory::evict`], which looks at all of them anyway.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn clock_ms(&self) -> i64 {
        self.clock_ms
    }

    pub fn advance(&mut self, received_at_ms: i64) {
        self.clock_ms = self.clock_ms.max(received_at_ms.min(self.clock_ms_max));
    }

    /// A record from the future, of one host whose clock is wrong, must not make every session look silent: the clock
    /// here stays at or below this. It decides what is held in memory, never what is booked.
    pub fn go_no_further_than(&mut self, ms: i64) {
        self.clock_ms_max = ms;
    }

    /// Says that nothing before the day of `ms` is known.
    pub fn forget_before(&mut self, ms: i64) {
        let floor = ms.div_euclid(DAY_MS).saturating_mul(DAY_MS);
        if floor > self.floor_ms {
            self.floor_ms = floor;
            self.evicted = self.evicted.split_off(&floor.div_euclid(DAY_MS));
        }
    }

    /// A session that began at this time or later has left a trace here if it ever left a row. A day
    /// above the floor: devices' clocks and corrections waver, though never by so much.
    pub fn known_from_ms(&self) -> i64 {
        if self.floor_ms == i64::MIN { i64::MIN } else { self.floor_ms.saturating_add(DAY_MS) }
    }

    pub fn floor_ms(&self) -> i64 {
        self.floor_ms
    }

    fn hash(&self, app: &str, id: &str) -> u64 {
        self.hasher.hash_one((app, id))
    }

    pub fn get(&self, app: &str, id: &str) -> Option<&Session> {
        self.sessions.find(self.hash(app, id), |s| is(s, app, id)).map(AsRef::as_ref)
    }

    pub fn was_evicted(&self, app: &str, id: &str) -> bool {
        if self.evicted.is_empty() {
            return false;
        }
        let hash = trace(self.seed, app, id);
        self.evicted.values().any(|day| day.find(hash, |h| *h == hash).is_some())
    }

    /// The session, heard of just now; made when it is new. `counters` tells whether it comes with its
    /// own begin, in which case [`crate::book::Book::missing`] has proved that memory holds all of it.
    pub fn enter(&mut self, app: &str, id: &str, counters: bool) -> &mut Session {
        self.enter_with_names(app, id, counters).0
    }

    pub fn enter_with_names(&mut self, app: &str, id: &str, counters: bool) -> (&mut Session, &mut Names) {
        let hash = self.hash(app, id);
        let (clock_ms, whole) = (self.clock_ms, counters || self.floor_ms == i64::MIN);
        let (hasher, names) = (&self.hasher, &mut self.names);
        #[allow(clippy::borrowed_box, reason = "the table hands out what it holds")]
        let rehash = |s: &Box<Session>| hasher.hash_one((s.app.as_ref(), s.id.as_ref()));
        let session = self
            .sessions
            .entry(hash, |s| is(s, app, id), rehash)
            .or_insert_with(|| Box::new(Session::new(names.share(app), id, clock_ms, whole)))
            .into_mut();
        session.seen_at_ms = session.seen_at_ms.max(clock_ms);
        (session, names)
    }

    /// Makes room for a session whose rows are about to be read; `complete` when all of them will be.
    pub fn admit(&mut self, app: &str, id: &str, complete: bool) {
        let hash = trace(self.seed, app, id);
        for day in self.evicted.values_mut() {
            if let Ok(found) = day.find_entry(hash, |h| *h == hash) {
                found.remove();
            }
        }
        let session = self.enter(app, id, false);
        session.complete = complete || session.complete;
    }

    /// Makes room for a session that was last heard of then.
    pub fn enter_at(&mut self, app: &str, id: &str, seen_at_ms: i64) {
        let hash = self.hash(app, id);
        if let Some(session) = self.sessions.find_mut(hash, |s| is(s, app, id)) {
            session.seen_at_ms = session.seen_at_ms.max(seen_at_ms);
        } else {
            self.enter(app, id, false).seen_at_ms = seen_at_ms;
        }
    }

    /// Takes in what another memory knows of sessions that are here too.
    pub fn merge(&mut self, other: &Memory) {
        for session in other.sessions() {
            for reached in &session.reached {
                let (seq, at_ms) = (session.reached_seq, session.last_at_ms);
                self.absorb_increment(&session.app, &session.id, &reached.cdn, seq, at_ms, reached.amounts);
            }
            for seq in &session.event_seqs {
                self.absorb_event(&session.app, &session.id, *seq);
            }
            if let Some(known) = &session.cmcd {
                self.absorb_cmcd(&session.app, &session.id, known.as_ref().clone());
            }
        }
    }

    /// Takes in one row of `increments`, in any order, any number of times. False when its session is
    /// not in memory.
    pub fn absorb_increment(&mut self, app: &str, id: &str, cdn: &str, seq: u64, at_ms: i64, reached: Amounts) -> bool {
        let hash = self.hash(app, id);
        let Some(session) = self.sessions.find_mut(hash, |s| is(s, app, id)) else { return false };
        let most = session.reached(cdn).map_or(reached, |known| known.max(reached));
        let names = &mut self.names;
        session.reach(cdn, most, None, || names.share(cdn));
        session.reached_seq = session.reached_seq.max(seq);
        session.last_at_ms = session.last_at_ms.max(at_ms);
        session.booked = true;
        true
    }

    /// Takes in one row of `events`; false when its session is not in memory.
    pub fn absorb_event(&mut self, app: &str, id: &str, seq: u64) -> bool {
        let hash = self.hash(app, id);
        let found = self.sessions.find_mut(hash, |s| is(s, app, id));
        found.map(|session| session.add_event(seq)).is_some()
    }

    /// Takes in what one row of `events` says of a CMCD session, in any order: the newest counts. False when its
    /// session is not in memory.
    pub fn absorb_cmcd(&mut self, app: &str, id: &str, known: Known) -> bool {
        let hash = self.hash(app, id);
        let Some(session) = self.sessions.find_mut(hash, |s| is(s, app, id)) else { return false };
        if session.cmcd.as_ref().is_none_or(|before| before.order < known.order) {
            session.cmcd = Some(Box::new(known));
        }
        true
    }

    /// Notes that the ledger holds rows of a session that is not in memory.
    pub fn note_evicted(&mut self, app: &str, id: &str, seen_at_ms: i64) {
        insert(&mut self.evicted, trace(self.seed, app, id), seen_at_ms.div_euclid(DAY_MS));
    }

    /// Every trace: the day, and the hash.
    pub fn traces(&self) -> impl Iterator<Item = (i64, u64)> {
        self.evicted.iter().flat_map(|(day, hashes)| hashes.iter().map(|hash| (*day, *hash)))
    }

    /// Takes in a trace that another process left, of the same seed.
    pub fn absorb_trace(&mut self, day: i64, hash: u64) {
        insert(&mut self.evicted, hash, day);
    }

    /// Takes in a session that another process remembered.
    pub fn absorb_session(&mut self, mut session: Session) {
        session.app = self.names.share(&session.app);
        for reached in &mut session.reached {
            reached.cdn = self.names.share(&reached.cdn);
        }
        let hash = self.hash(&session.app, &session.id);
        let hasher = &self.hasher;
        #[allow(clippy::borrowed_box, reason = "the table hands out what it holds")]
        let rehash = |s: &Box<Session>| hasher.hash_one((s.app.as_ref(), s.id.as_ref()));
        match self.sessions.entry(hash, |s| is(s, &session.app, &session.id), rehash) {
            Entry::Occupied(mut known) => **known.get_mut() = session,
            Entry::Vacant(place) => drop(place.insert(Box::new(session))),
        }
    }

    /// Lets go of sessions not heard of since `silence_ms` before the stream's clock, and of traces older
    /// than `memory_ms`. Only to be called when every row is in the ledger.
    pub fn evict(&mut self, silence_ms: i64, memory_ms: i64) -> usize {
        let (clock_ms, before) = (self.clock_ms, self.sessions.len());
        let (seed, evicted) = (self.seed, &mut self.evicted);
        let silent_since = clock_ms.saturating_sub(silence_ms);
        let mut bytes = 0;
        self.sessions.retain(|s| {
            let stays = s.seen_at_ms >= silent_since;
            if stays {
                bytes += s.bytes();
            } else {
                insert(evicted, trace(seed, &s.app, &s.id), s.seen_at_ms.div_euclid(DAY_MS));
            }
            stays
        });
        if self.evicted.first_key_value().is_some_and(|(day, _)| *day < clock_ms.saturating_sub(memory_ms).div_euclid(DAY_MS)) {
            self.forget_before(clock_ms.saturating_sub(memory_ms));
        }
        // A table's slot is a pointer and one byte of its hash.
        self.bytes = bytes + self.sessions.capacity() * (size_of::<usize>() + 1);
        let gone = before - self.sessions.len();
        if gone > 0 {
            self.names.purge();
            if self.sessions.capacity() > 4 * self.sessions.len() + 1024 {
                let hasher = &self.hasher;
                self.sessions.shrink_to_fit(|s| hasher.hash_one((s.app.as_ref(), s.id.as_ref())));
            }
        }
        gone
    }

    /// Every session, for comparison in tests.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().map(AsRef::as_ref)
    }
}

fn is(session: &Session, app: &str, id: &str) -> bool {
    session.id.as_ref() == id && session.app.as_ref() == app
}

/// What is left of a session that left memory. Stable: it is kept across processes.
fn trace(seed: u64, app: &str, id: &str) -> u64 {
    let mut hasher = XxHash64::with_seed(seed);
    hasher.write(app.as_bytes());
    hasher.write_u8(0);
    hasher.write(id.as_bytes());
    hasher.finish()
}

fn insert(evicted: &mut BTreeMap<i64, HashTable<u64>>, hash: u64, day: i64) {
    evicted.entry(day).or_default().entry(hash, |h| *h == hash, |h| *h).or_insert(hash);
}
