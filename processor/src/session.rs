//! What is remembered of one session: how far its counters came, and which of its events were seen.
//! About 290 bytes with one CDN. The rules that change it are in [`crate::book`].

use crate::cmcd::Known;
use crate::rows::RowRef;
use crate::split::Amounts;
use std::sync::Arc;

/// How far the counters of one CDN came within a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub cdn: Arc<str>,
    pub amounts: Amounts,
    /// Its last row, as long as that is not committed.
    pub last: RowRef,
}

/// One player object's life, as far as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub app: Arc<str>,
    pub id: Box<str>,
    /// Highest `seq` whose counters are booked; meaningful once `booked`.
    pub reached_seq: u64,
    /// Corrected time of those counters.
    pub last_at_ms: i64,
    /// The stream's clock when the session was last heard of; decides when it leaves memory.
    pub seen_at_ms: i64,
    /// In the order of first use; a handful at most, so a list beats a map.
    pub reached: Vec<Reached>,
    /// `seq` of every event booked in `events`, ascending.
    pub event_seqs: Vec<u64>,
    /// Of a session that reports by CMCD: what the next report is understood by.
    pub cmcd: Option<Box<Known>>,
    /// Whether any counters are booked.
    pub booked: bool,
    /// Whether everything that the ledger holds of this session is in here.
    pub complete: bool,
}

impl Session {
    pub fn new(app: Arc<str>, id: &str, seen_at_ms: i64, complete: bool) -> Self {
        Session {
            app,
            id: id.into(),
            reached_seq: 0,
            last_at_ms: i64::MIN,
            seen_at_ms,
            reached: Vec::new(),
            event_seqs: Vec::new(),
            cmcd: None,
            booked: false,
            complete,
        }
    }

    /// What is known of one CDN; none when it was never booked.
    pub fn on(&self, cdn: &str) -> Option<&Reached> {
        self.reached.iter().find(|r| r.cdn.as_ref() == cdn)
    }

    /// The counters reached on one CDN; none when it was never booked.
    pub fn reached(&self, cdn: &str) -> Option<Amounts> {
        self.on(cdn).map(|r| r.amounts)
    }

    /// Sets what was reached on one CDN; `name` gives the shared name of a CDN not used before, `last` the row that
    /// says so, where one was written.
    pub fn reach(&mut self, cdn: &str, amounts: Amounts, last: Option<RowRef>, name: impl FnOnce() -> Arc<str>) {
        match self.reached.iter_mut().find(|r| r.cdn.as_ref() == cdn) {
            Some(reached) => (reached.amounts, reached.last) = (amounts, last.unwrap_or(reached.last)),
            None => {
                // Most sessions have one CDN for life: no room in advance.
                self.reached.reserve_exact(1);
                self.reached.push(Reached { cdn: name(), amounts, last: last.unwrap_or_default() });
            }
        }
    }

    /// Memory that it takes, what it points to included; names are shared and not counted. The allocator's own
    /// rounding comes on top.
    pub fn bytes(&self) -> usize {
        size_of::<Session>()
            + self.id.len()
            + self.reached.capacity() * size_of::<Reached>()
            + self.event_seqs.capacity() * size_of::<u64>()
            + self.cmcd.as_ref().map_or(0, |known| known.bytes())
    }

    /// Whether an event with this `seq` is already booked.
    pub fn has_event(&self, seq: u64) -> bool {
        self.event_seqs.binary_search(&seq).is_ok()
    }

    /// Remembers an event; repeats change nothing.
    pub fn add_event(&mut self, seq: u64) {
        if let Err(place) = self.event_seqs.binary_search(&seq) {
            if self.event_seqs.len() == self.event_seqs.capacity() {
                let more = (self.event_seqs.len() / 2).max(2);
                self.event_seqs.reserve_exact(more);
            }
            self.event_seqs.insert(place, seq);
        }
    }
}
