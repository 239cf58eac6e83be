//! The five cumulative counters, alone and per CDN of a session.

use livemeter_schemas::event::Counters;
use serde::{Deserialize, Serialize};

/// What one CDN did for a session, or for all of them: the counters of the contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub bytes: u64,
    pub aborted_bytes: u64,
    pub play_ms: u64,
    pub stall_ms: u64,
    pub stalls: u64,
}

impl Totals {
    pub fn add(&mut self, other: &Totals) {
        self.bytes += other.bytes;
        self.aborted_bytes += other.aborted_bytes;
        self.play_ms += other.play_ms;
        self.stall_ms += other.stall_ms;
        self.stalls += other.stalls;
    }

    /// What is here beyond `other`; nothing where it is less.
    pub fn beyond(&self, other: &Totals) -> Totals {
        Totals {
            bytes: self.bytes.saturating_sub(other.bytes),
            aborted_bytes: self.aborted_bytes.saturating_sub(other.aborted_bytes),
            play_ms: self.play_ms.saturating_sub(other.play_ms),
            stall_ms: self.stall_ms.saturating_sub(other.stall_ms),
            stalls: self.stalls.saturating_sub(other.stalls),
        }
    }
}

impl From<&Counters<'_>> for Totals {
    fn from(c: &Counters<'_>) -> Self {
        Totals { bytes: c.bytes, aborted_bytes: c.aborted_bytes, play_ms: c.play_ms, stall_ms: c.stall_ms, stalls: c.stalls }
    }
}

/// One CDN that a session has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Its place in [`crate::world::World::cdns`].
    pub cdn: u8,
    /// On our clock.
    pub first_used_at_ms: i64,
    pub totals: Totals,
}
