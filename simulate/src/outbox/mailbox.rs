//! One session's queue: what waits, what flies, what was acknowledged last and what is in doubt.

use crate::outbox::Letter;
use crate::totals::Used;
use std::sync::Arc;

/// A mailbox's place; reused once its session is booked.
pub type Slot = u32;

#[derive(Debug)]
pub struct Mailbox {
    pub session_id: Arc<str>,
    pub clock_off_ms: i64,
    pub waiting: Vec<Letter>,
    pub flying: Vec<Letter>,
    /// Letters that are kept back by the network.
    pub held: u32,
    /// Stands in the queue of those that can be sent.
    pub queued: bool,
    /// Waits before it tries again.
    pub resting: bool,
    /// The session is over.
    pub left: bool,
    pub closed: bool,
    /// At least one event was acknowledged.
    pub heard: bool,
    attempts: u8,
    pub acknowledged_seq: u64,
    pub acknowledged: Box<[Used]>,
    /// The highest counters that were sent without an answer, and their `seq`.
    doubted: Option<(u64, Box<[Used]>)>,
}

impl Mailbox {
    pub fn new(session_id: Arc<str>, clock_off_ms: i64) -> Self {
        Mailbox {
            session_id,
            clock_off_ms,
            waiting: Vec::new(),
            flying: Vec::new(),
            held: 0,
            queued: false,
            resting: false,
            left: false,
            closed: false,
            heard: false,
            attempts: 0,
            acknowledged_seq: 0,
            acknowledged: Box::default(),
            doubted: None,
        }
    }

    /// Adds a letter. Of several heartbeats only the newest stays; answers how many went.
    pub fn wait(&mut self, letter: Letter) -> usize {
        let before = self.waiting.len();
        if letter.counters.is_some() {
            self.waiting.retain(|old| !(old.replaceable && old.seq < letter.seq));
        }
        let covered = letter.replaceable && self.waiting.iter().any(|other| other.counters.is_some() && other.seq > letter.seq);
        let merged = before - self.waiting.len() + usize::from(covered);
        if !covered {
            self.waiting.push(letter);
        }
        merged
    }

    /// Whether it has something urgent, or nothing more will come to ride with.
    pub fn wants_to_post(&self) -> bool {
        let idle = !self.queued && !self.resting && self.flying.is_empty() && !self.closed;
        idle && !self.waiting.is_empty() && (self.left || self.waiting.iter().any(|letter| letter.urgent || letter.attempted))
    }

    pub fn is_done(&self) -> bool {
        self.left && !self.closed && self.waiting.is_empty() && self.flying.is_empty() && self.held == 0 && !self.resting
    }

    /// All that waits is in flight now.
    pub fn fly(&mut self) {
        self.queued = false;
        self.flying = std::mem::take(&mut self.waiting);
    }

    /// What was in flight has its answer.
    pub fn land(&mut self) -> Vec<Letter> {
        self.attempts = 0;
        std::mem::take(&mut self.flying)
    }

    pub fn acknowledge(&mut self, letter: Letter) {
        self.heard = true;
        if let Some(counters) = letter.counters.filter(|_| letter.seq > self.acknowledged_seq) {
            (self.acknowledged_seq, self.acknowledged) = (letter.seq, counters);
        }
    }

    /// No answer: what was in flight waits again, in front. Answers how many were merged away, and how often it failed in a row.
    pub fn come_back(&mut self) -> (usize, u8) {
        self.attempts = self.attempts.saturating_add(1);
        let newer = std::mem::take(&mut self.waiting);
        for mut letter in std::mem::take(&mut self.flying) {
            letter.attempted = true;
            let beyond = self.doubted.as_ref().is_none_or(|(seq, _)| letter.seq > *seq);
            if let Some(counters) = letter.counters.as_ref().filter(|_| beyond) {
                self.doubted = Some((letter.seq, counters.clone()));
            }
            self.waiting.push(letter);
        }
        (newer.into_iter().map(|letter| self.wait(letter)).sum(), self.attempts)
    }

    /// Counters that were sent, not answered, and are beyond those acknowledged.
    pub fn doubt(&self) -> Option<(u64, &[Used])> {
        self.doubted.as_ref().filter(|(seq, _)| *seq > self.acknowledged_seq).map(|(seq, counters)| (*seq, &**counters))
    }

    /// Events of unknown outcome (sent, not answered), and events never sent.
    pub fn unanswered(&self) -> (usize, usize) {
        let unsent = self.waiting.iter().filter(|letter| !letter.attempted).count();
        let attempted = self.waiting.len() - unsent + self.flying.len();
        let doubt = self.doubt().map(|(seq, _)| seq);
        let merged_away = doubt.is_some_and(|seq| !self.waiting.iter().chain(&self.flying).any(|letter| letter.seq == seq));
        (attempted + usize::from(merged_away), unsent)
    }
}
