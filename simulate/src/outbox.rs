//! What is not acknowledged yet. Each session has a mailbox, as each player has a queue: one request in flight,
//! a newer heartbeat replaces an unsent one, what failed is sent again until it is answered.
//! Pure: time is passed in, requests are made elsewhere ([`crate::post`]).

mod letter;
mod mailbox;

use crate::config::{Config, Retry};
use crate::network::Fate;
use crate::totals::{Totals, Used};
use crate::truth::{SessionTruth, Truth, Uncertain};
pub use letter::Letter;
use mailbox::Mailbox;
pub use mailbox::Slot;
use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::sync::Arc;

/// One request: a body, and whose events are in it, in order.
#[derive(Debug)]
pub struct Parcel {
    pub body: Vec<u8>,
    slots: Vec<Slot>,
    events: usize,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A 2xx (or 422) with an answer for each event: accepted or refused.
    Answered(Vec<bool>),
    /// Another 4xx: the whole batch is refused and never sent again as it is.
    Refused,
    /// No answer, or one that says "later" (429, 5xx): what was in it may have been accepted or not.
    Unknown { retry_after_ms: Option<u64> },
}

#[derive(Debug)]
enum Due {
    /// A held event or a second copy goes out.
    Letter(Slot, Letter),
    /// A mailbox may try again.
    Retry(Slot),
}

#[derive(Debug)]
pub struct Outbox {
    app: String,
    retry: Retry,
    pending_max: usize,
    boxes: Vec<Mailbox>,
    free: Vec<Slot>,
    ready: VecDeque<Slot>,
    later: BTreeMap<(i64, u64), Due>,
    /// Tells apart what is due at the same time.
    order: u64,
    pending: usize,
    sums: Vec<Totals>,
    beyond: Vec<Totals>,
    names: Vec<String>,
    truth: Truth,
    uncertain_sessions: u64,
    /// Finished sessions for the audit file, when one is wanted.
    settled: Option<Vec<SessionTruth>>,
}

impl Outbox {
    pub fn new(config: &Config) -> Self {
        Outbox {
            app: serde_json::Value::from(config.app.as_str()).to_string(),
            retry: config.retry.clone(),
            pending_max: config.pending_per_viewer_max.saturating_mul(config.viewers as usize),
            boxes: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            later: BTreeMap::new(),
            order: 0,
            pending: 0,
            sums: vec![Totals::default(); config.cdns.len()],
            beyond: vec![Totals::default(); config.cdns.len()],
            names: config.cdns.iter().map(|cdn| cdn.name.clone()).collect(),
            truth: Truth::default(),
            uncertain_sessions: 0,
            settled: config.truth_sessions_path.as_ref().map(|_| Vec::new()),
        }
    }

    /// Events that wait, fly or are held.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Requests that could be made now.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Whether too much is waiting for the audience to go on as usual.
    pub fn crowded(&self) -> bool {
        self.pending >= self.pending_max
    }

    /// Counts so far.
    pub fn counts(&self) -> &Truth {
        &self.truth
    }

    /// Opens a mailbox for a new session.
    pub fn open(&mut self, session_id: Arc<str>, clock_off_ms: i64) -> Slot {
        let fresh = Mailbox::new(session_id, clock_off_ms);
        match self.free.pop() {
            Some(slot) => {
                self.boxes[slot as usize] = fresh;
                slot
            }
            None => {
                self.boxes.push(fresh);
                (self.boxes.len() - 1) as Slot
            }
        }
    }

    /// Takes a letter to its fate.
    pub fn put(&mut self, slot: Slot, letter: Letter, fate: Fate) {
        match fate {
            Fate::Lost => {
                self.truth.lost += 1;
                return;
            }
            Fate::Sent => {}
            Fate::Twice(at_ms) => {
                self.truth.twice += 1;
                self.hold(slot, letter.clone(), at_ms);
            }
            Fate::Held(at_ms) => {
                self.truth.held += 1;
                return self.hold(slot, letter, at_ms);
            }
        }
        self.pending += 1;
        self.wait(slot, letter);
    }

    /// The session is over: once all is acknowledged, its mailbox is closed and its sums are booked.
    pub fn leave(&mut self, slot: Slot) {
        self.boxes[slot as usize].left = true;
        self.try_ready(slot);
        self.try_close(slot);
    }

    /// Moves what is due by `now_ms` to where it can be sent.
    pub fn release(&mut self, now_ms: i64) {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now_ms {
                return;
            }
            match entry.remove() {
                Due::Letter(slot, letter) => {
                    self.boxes[slot as usize].held -= 1;
                    self.wait(slot, letter);
                }
                Due::Retry(slot) => {
                    self.boxes[slot as usize].resting = false;
                    self.try_ready(slot);
                }
            }
        }
    }

    /// The next request: the waiting events of at most `boxes_max` sessions and about `events_max` events,
    /// stamped with this attempt's time. Sessions whose clocks differ never share one.
    pub fn take(&mut self, now_ms: i64, boxes_max: usize, events_max: usize) -> Option<Parcel> {
        let first = *self.ready.front()?;
        let clock_off_ms = self.boxes[first as usize].clock_off_ms;
        let mut body = Vec::with_capacity(768);
        let _ = write!(body, "{{\"v\":1,\"app\":{},\"sent_at_ms\":{},\"events\":[", self.app, now_ms + clock_off_ms);
        let (mut slots, mut events, mut again) = (Vec::with_capacity(1), 0, false);
        while let Some(&slot) = self.ready.front() {
            let mailbox = &mut self.boxes[slot as usize];
            let count = mailbox.waiting.len();
            let fits = slots.is_empty() || (events + count <= events_max && mailbox.clock_off_ms == clock_off_ms);
            if slots.len() >= boxes_max || !fits {
                break;
            }
            self.ready.pop_front();
            mailbox.fly();
            for letter in &mailbox.flying {
                if events > 0 {
                    body.push(b',');
                }
                body.extend_from_slice(&letter.json);
                again |= letter.attempted;
                events += 1;
            }
            slots.push(slot);
        }
        body.extend_from_slice(b"]}");
        self.truth.requests += 1;
        self.truth.retries += u64::from(again);
        Some(Parcel { body, slots, events })
    }

    /// Books what became of a request. `jitter` (0 to 1) spreads the next attempts.
    pub fn settle(&mut self, parcel: Parcel, outcome: &Outcome, now_ms: i64, jitter: f64) {
        let unknown = Outcome::Unknown { retry_after_ms: None };
        let outcome = match outcome {
            // An answer that does not tell each event's fate tells none.
            Outcome::Answered(accepted) if accepted.len() != parcel.events => &unknown,
            other => other,
        };
        let mut at = 0;
        for slot in parcel.slots {
            match outcome {
                Outcome::Answered(accepted) => {
                    for letter in self.boxes[slot as usize].land() {
                        self.pending -= 1;
                        if accepted[at] {
                            self.truth.events_acknowledged += 1;
                            self.boxes[slot as usize].acknowledge(letter);
                        } else {
                            self.truth.refused += 1;
                        }
                        at += 1;
                    }
                }
                Outcome::Refused => {
                    let refused = self.boxes[slot as usize].land().len();
                    self.pending -= refused;
                    self.truth.refused += refused as u64;
                }
                Outcome::Unknown { retry_after_ms } => {
                    let (merged, attempts) = self.boxes[slot as usize].come_back();
                    self.pending -= merged;
                    self.truth.merged += merged as u64;
                    let wait_ms = retry_after_ms.unwrap_or_else(|| backoff_ms(&self.retry, attempts));
                    let wait_ms = wait_ms + (wait_ms.min(1_000) as f64 * jitter) as u64;
                    self.boxes[slot as usize].resting = true;
                    self.schedule(now_ms.saturating_add_unsigned(wait_ms), Due::Retry(slot));
                }
            }
            self.try_ready(slot);
            self.try_close(slot);
        }
    }

    /// Whether everything has been answered.
    pub fn is_empty(&self) -> bool {
        self.pending == 0
    }

    /// Sessions that were booked since the last call.
    pub fn take_settled(&mut self) -> Vec<SessionTruth> {
        self.settled.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Books what is left, as far as it is known, and tells the truth.
    pub fn close(mut self, run_id: &str) -> (Truth, Vec<SessionTruth>) {
        for (_, due) in std::mem::take(&mut self.later) {
            if let Due::Letter(slot, letter) = due {
                self.boxes[slot as usize].waiting.push(letter);
            }
        }
        for slot in 0..self.boxes.len() {
            if !self.boxes[slot].closed {
                self.boxes[slot].come_back();
                self.book(slot as Slot);
            }
        }
        let named = |sums: &[Totals]| self.names.iter().cloned().zip(sums.iter().copied()).collect::<BTreeMap<_, _>>();
        let mut truth = Truth { cdns: named(&self.sums), run_id: run_id.into(), ..self.truth };
        if truth.events_unacknowledged > 0 {
            truth.uncertain = Some(Uncertain { sessions: self.uncertain_sessions, cdns_max: named(&self.beyond) });
        }
        (truth, self.settled.unwrap_or_default())
    }

    fn hold(&mut self, slot: Slot, letter: Letter, at_ms: i64) {
        self.pending += 1;
        self.boxes[slot as usize].held += 1;
        self.schedule(at_ms, Due::Letter(slot, letter));
    }

    fn schedule(&mut self, at_ms: i64, due: Due) {
        self.order += 1;
        self.later.insert((at_ms, self.order), due);
    }

    /// Takes a letter that is pending already.
    fn wait(&mut self, slot: Slot, letter: Letter) {
        if letter.droppable && self.pending > self.pending_max {
            self.pending -= 1;
            self.truth.dropped += 1;
            return self.try_close(slot);
        }
        let merged = self.boxes[slot as usize].wait(letter);
        self.pending -= merged;
        self.truth.merged += merged as u64;
        self.try_ready(slot);
    }

    fn try_ready(&mut self, slot: Slot) {
        let mailbox = &mut self.boxes[slot as usize];
        if mailbox.wants_to_post() {
            mailbox.queued = true;
            self.ready.push_back(slot);
        }
    }

    fn try_close(&mut self, slot: Slot) {
        if self.boxes[slot as usize].is_done() {
            self.book(slot);
            self.free.push(slot);
        }
    }

    /// Adds a session's acknowledged counters to the sums, and what is uncertain to the bounds.
    fn book(&mut self, slot: Slot) {
        let mailbox = &mut self.boxes[slot as usize];
        mailbox.closed = true;
        self.truth.sessions += u64::from(mailbox.heard);
        let (unknown, unsent) = mailbox.unanswered();
        self.truth.events_unacknowledged += unknown as u64;
        self.truth.events_unsent += unsent as u64;
        let doubted: &[Used] = mailbox.doubt().map_or(&[], |(_, counters)| counters);
        self.uncertain_sessions += u64::from(unknown > 0);
        for used in mailbox.acknowledged.iter().chain(doubted.iter().filter(|d| !mailbox.acknowledged.iter().any(|a| a.cdn == d.cdn))) {
            let sure = mailbox.acknowledged.iter().find(|a| a.cdn == used.cdn).map(|a| a.totals).unwrap_or_default();
            let beyond = doubted.iter().find(|d| d.cdn == used.cdn).map(|d| d.totals.beyond(&sure)).unwrap_or_default();
            self.sums[usize::from(used.cdn)].add(&sure);
            self.beyond[usize::from(used.cdn)].add(&beyond);
            if let Some(settled) = &mut self.settled {
                let session_id = mailbox.session_id.clone();
                settled.push(SessionTruth { session_id, cdn: used.cdn, seq: mailbox.acknowledged_seq, totals: sure, beyond_max: beyond });
            }
        }
    }
}

fn backoff_ms(retry: &Retry, attempts: u8) -> u64 {
    retry.first_ms.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(retry.max_ms)
}
