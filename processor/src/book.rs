//! The rules: which rows an event becomes. Pure: no I/O, no clock but that of the records.
//!
//! * A higher `seq` books the difference to what was reached; a fall at a higher `seq` refuses the event
//!   and changes nothing; a lower or equal `seq` is late and changes nothing.
//! * Counters that are booked leave at least one row. Since counters only rise, the largest `reached_*`,
//!   `reached_seq` and `at` of a session's rows *are* its state: recovery needs no order, and rows placed
//!   after a restart are the rows that would have been placed without it.
//! * Nothing is booked for a session whose rows may be in the ledger but are not in memory: [`Book::missing`]
//!   says so first.

use crate::cmcd;
use crate::entry::Entry;
use crate::memory::Memory;
use crate::rows::{IncrementRow, RowRef, Rows};
use crate::session::Session;
use crate::split::{Amounts, Part, split};
use livemeter_schemas::event::{Cmcd, Counters, Event};
use livemeter_schemas::refusal::{Code, Refusal};
use livemeter_schemas::time::{WINDOW_MS, window_start_ms};

pub use crate::memory::{DAY_MS, Missing};

/// The limits that the rules need; see [`crate::Config`] for their reasons.
#[derive(Debug, Clone)]
pub struct Rules {
    pub split_windows_max: usize,
    pub session_events_max: usize,
    /// How far back the first interval of a session may reach.
    pub age_ms_max: i64,
    /// More than this is no player's bandwidth: such amounts are booked as quarantined.
    pub bitrate_bps_max: u64,
    /// The shortest time over which a rate is judged: a player fills its buffer in a burst.
    pub burst_ms: i64,
    /// A row is late when its record came so long after its window had closed.
    pub late_after_ms: i64,
    pub cmcd: cmcd::Limits,
}

/// Which tables still lack this record: each stores its own offsets.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub increments: bool,
    pub events: bool,
}

/// What became of a record that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Counters at or below the `seq` reached: nothing to add.
    pub late: bool,
    /// An event that is in the ledger already.
    pub duplicate: bool,
    /// Counters that name no CDN: nothing to book them under.
    pub empty: bool,
    /// Rows that were marked late, and rows that were booked as quarantined.
    pub late_rows: u32,
    pub quarantined_rows: u32,
    /// Whether `increments` got a row.
    pub booked: bool,
    /// A CMCD report after a time too long to be counted, which was passed over; and one whose bytes fell, which were.
    pub gap: bool,
    pub fell: bool,
}

/// All sessions in memory and the rules over them.
#[derive(Debug)]
pub struct Book {
    rules: Rules,
    pub memory: Memory,
    /// By how much counters moved since this was last taken: what the rows must add up to.
    moved: [i128; 5],
    /// Kept between events: splitting allocates nothing in the common case.
    parts: Vec<Part>,
    /// The same: the last row of each counter of the event that is being booked; none where it got none.
    placed: Vec<Option<RowRef>>,
}

impl Book {
    pub fn new(rules: Rules, memory: Memory) -> Self {
        Book { rules, memory, moved: [0; 5], parts: Vec::new(), placed: Vec::new() }
    }

    /// By how much counters moved since the last time this was asked.
    pub fn take_moved(&mut self) -> [i128; 5] {
        std::mem::take(&mut self.moved)
    }

    /// What has to be looked up in the ledger before this record may be booked; none in the common case.
    pub fn missing(&self, entry: &Entry<'_>) -> Option<Missing> {
        let head = entry.head();
        let known_from = self.memory.known_from_ms();
        let counters = entry.counters().unwrap_or_default();
        let first_used = |c: &Counters<'_>| entry.corrected(c.first_used_at_ms);
        let started = entry.session_started_at_ms();
        let report = entry.report();
        let missing = match self.memory.get(&entry.app, head.session_id) {
            None => {
                let earliest = counters.iter().map(first_used).chain(started).fold(entry.at_ms(), i64::min);
                self.memory.was_evicted(&entry.app, head.session_id) || earliest < known_from
            }
            Some(session) if session.complete => false,
            Some(session) if report.is_some() => report.into_iter().flat_map(cmcd::named).any(|cdn| session.reached(cdn).is_none()),
            Some(session) => counters.iter().any(|c| {
                let earliest = if session.booked { first_used(c) } else { started.map_or(first_used(c), |s| s.min(first_used(c))) };
                session.reached(&c.cdn).is_none() && earliest < known_from
            }),
        };
        // A report does not say when its session began: where a CDN may have been used long ago, everything is read.
        let anywhere = report.filter(|_| self.memory.get(&entry.app, head.session_id).is_some()).map(|_| 0);
        let from_ms = started.map(|s| counters.iter().map(first_used).fold(s, i64::min)).or(anywhere);
        missing.then(|| Missing { app: entry.app.to_string(), session_id: head.session_id.to_owned(), from_ms })
    }

    /// Books one record: rows go to `rows`, what was reached is remembered. A refusal changes nothing.
    pub fn book(&mut self, entry: &Entry<'_>, wanted: Wanted, rows: &mut impl Rows) -> Result<Taken, Refusal> {
        self.memory.advance(entry.received_at_ms);
        if let Some(report) = entry.report() {
            return self.report(entry, report, wanted, rows);
        }
        let mut taken = Taken::default();
        let is_event = wanted.events && !matches!(entry.event, Event::Heartbeat(_));
        if is_event {
            taken.duplicate = self.event_seen(entry)?;
        }
        if let Some(counters) = entry.counters().filter(|_| wanted.increments) {
            self.counters(entry, counters, rows, &mut taken)?;
        }
        if is_event && !taken.duplicate {
            rows.event(entry, self.late(entry, window_start_ms(entry.at_ms())));
            self.memory.enter(&entry.app, entry.head().session_id, false).add_event(entry.head().seq);
        }
        Ok(taken)
    }

    /// Books a CMCD report as the counters and events that it comes to.
    fn report(&mut self, entry: &Entry<'_>, report: &Cmcd<'_>, wanted: Wanted, rows: &mut impl Rows) -> Result<Taken, Refusal> {
        let (app, id) = (entry.app.as_ref(), entry.head().session_id);
        let session = self.memory.get(app, id);
        let mut before = session.and_then(|s| s.cmcd.as_deref()).cloned().unwrap_or_default();
        if wanted.increments {
            // The same but where a session has other counters too: theirs are passed by.
            before.order = before.order.max(session.map_or(0, |s| s.reached_seq));
        }
        let reached = |cdn: &str| session.and_then(|s| s.reached(cdn)).unwrap_or_default();
        let Some(step) = cmcd::step(&before, report, self.rules.cmcd.gap_ms_max, reached) else {
            self.memory.enter(app, id, true);
            return Ok(Taken { late: true, ..Taken::default() });
        };
        let known = session.map_or(0, |s| s.reached.len());
        let new = step.beat.counters().iter().filter(|c| session.and_then(|s| s.on(&c.cdn)).is_none()).count();
        let cdns_max = self.rules.cmcd.cdns_max;
        if new > 0 && known + new > cdns_max {
            return Err(Refusal::over(Code::TooMany, "cdn", (known + new) as i64, cdns_max as i64, "CDNs of one session"));
        }
        let mut taken = Taken { gap: step.gap, fell: step.fell, ..Taken::default() };
        if wanted.increments {
            let beat = entry.made(step.beat, None);
            self.counters(&beat, beat.counters().unwrap_or_default(), rows, &mut taken)?;
        }
        if wanted.events {
            let (state, late) = (step.known.text(), self.late(entry, window_start_ms(entry.at_ms())));
            for event in step.events {
                rows.event(&entry.made(event, Some(state.clone())), late);
            }
        }
        self.memory.enter(app, id, true).cmcd = Some(Box::new(step.known));
        Ok(taken)
    }

    /// Whether this event is in the ledger; refused when its session has too many to remember.
    fn event_seen(&self, entry: &Entry<'_>) -> Result<bool, Refusal> {
        let head = entry.head();
        let Some(session) = self.memory.get(&entry.app, head.session_id) else { return Ok(false) };
        // One more for the last word: its counters must not be lost to a limit on events.
        let last_word = usize::from(matches!(entry.event, Event::SessionEnd(_)));
        let (count, max) = (session.event_seqs.len(), self.rules.session_events_max + last_word);
        if session.has_event(head.seq) {
            Ok(true)
        } else if count >= max {
            Err(Refusal::over(Code::TooMany, "session_id", count as i64 + 1, max as i64, "events of one session"))
        } else {
            Ok(false)
        }
    }

    fn counters(&mut self, entry: &Entry<'_>, counters: &[Counters<'_>], rows: &mut impl Rows, taken: &mut Taken) -> Result<(), Refusal> {
        let head = entry.head();
        let Some(first) = entry.current_cdn().or_else(|| counters.first().map(|c| c.cdn.as_ref())) else {
            taken.empty = true;
            return Ok(());
        };
        let session = self.memory.get(&entry.app, head.session_id).filter(|s| s.booked);
        if session.is_some_and(|s| head.seq <= s.reached_seq) {
            taken.late = true;
            self.memory.enter(&entry.app, head.session_id, true);
            return Ok(());
        }
        let nothing_fell = |(i, c): (usize, &Counters<'_>)| fell(session, c).map_or(Ok(()), |field| Err(falling(session, i, c, field)));
        counters.iter().enumerate().try_for_each(nothing_fell)?;

        let at_ms = session.map_or(entry.at_ms(), |s| entry.at_ms().max(s.last_at_ms));
        let mut quiet = true;
        self.placed.clear();
        for c in counters {
            let known = session.and_then(|s| s.on(&c.cdn));
            let (before, mut last) = known.map_or_else(Default::default, |r| (r.amounts, r.last));
            let added = amounts(c).since(before).unwrap_or_default();
            self.placed.push(None);
            if added.is_zero() {
                continue;
            }
            quiet = false;
            let first_used = entry.corrected(c.first_used_at_ms);
            let begin = session.map_or(at_ms.saturating_sub(self.rules.age_ms_max), |s| s.last_at_ms);
            let start_ms = first_used.max(begin).min(at_ms);
            // What was broken off came over the network too, and is billed.
            let quarantined = !plausible(added.bytes.saturating_add(added.aborted_bytes), at_ms - start_ms, &self.rules);
            split(start_ms, at_ms, added, self.rules.split_windows_max, &mut self.parts);
            let mut reached = before;
            for part in &self.parts {
                reached = reached.plus(part.amounts);
                let (window_start_ms, late) = (part.window_start_ms, self.late(entry, part.window_start_ms));
                taken.late_rows += u32::from(late);
                taken.quarantined_rows += u32::from(quarantined);
                last = rows.increment(IncrementRow {
                    window_start_ms,
                    cdn: &c.cdn,
                    added: part.amounts,
                    reached,
                    at_ms,
                    quarantined,
                    late,
                    last,
                    entry,
                });
            }
            if let Some(placed) = self.placed.last_mut() {
                *placed = Some(last);
            }
        }
        let known = session.and_then(|s| s.on(first));
        let (unchanged, mut last) = known.map_or_else(Default::default, |r| (r.amounts, r.last));
        if quiet {
            split(at_ms, at_ms, Amounts::default(), 1, &mut self.parts);
            for part in &self.parts {
                let (window_start_ms, late) = (part.window_start_ms, self.late(entry, part.window_start_ms));
                taken.late_rows += u32::from(late);
                last = rows.increment(IncrementRow {
                    window_start_ms,
                    cdn: first,
                    added: part.amounts,
                    reached: unchanged,
                    at_ms,
                    quarantined: false,
                    late,
                    last,
                    entry,
                });
            }
        }
        taken.booked = true;
        self.reach(entry, counters, quiet.then_some((first, unchanged, last)), at_ms);
        Ok(())
    }

    fn late(&self, entry: &Entry<'_>, window_start_ms: i64) -> bool {
        entry.received_at_ms.saturating_sub(window_start_ms) > WINDOW_MS.saturating_add(self.rules.late_after_ms)
    }

    /// Remembers exactly what the rows just written say.
    fn reach(&mut self, entry: &Entry<'_>, counters: &[Counters<'_>], zero: Option<(&str, Amounts, RowRef)>, at_ms: i64) {
        let placed = self.placed.iter().copied();
        let written = counters.iter().zip(placed).map(|(c, row)| (c.cdn.as_ref(), amounts(c), row)).filter(|(_, a, _)| !a.is_zero());
        let zero = zero.map(|(cdn, amounts, row)| (cdn, amounts, Some(row)));
        let (session, names) = self.memory.enter_with_names(&entry.app, entry.head().session_id, true);
        for (cdn, reached, row) in written.chain(zero) {
            let before = session.reached(cdn).unwrap_or_default().array();
            for ((moved, now), before) in self.moved.iter_mut().zip(reached.array()).zip(before) {
                *moved += i128::from(now) - i128::from(before);
            }
            session.reach(cdn, reached, row, || names.share(cdn));
        }
        session.reached_seq = entry.head().seq;
        session.last_at_ms = at_ms;
        session.booked = true;
    }
}

/// Whether a player could have received this in that time.
fn plausible(bytes: u64, interval_ms: i64, rules: &Rules) -> bool {
    let bits = u128::from(bytes) * 8 * 1000;
    let ms = interval_ms.max(rules.burst_ms).max(1) as u128;
    bits <= u128::from(rules.bitrate_bps_max) * ms
}

fn amounts(c: &Counters<'_>) -> Amounts {
    Amounts { bytes: c.bytes, aborted_bytes: c.aborted_bytes, play_ms: c.play_ms, stall_ms: c.stall_ms, stalls: c.stalls }
}

/// The place of the first counter below what was reached.
fn fell(session: Option<&Session>, c: &Counters<'_>) -> Option<usize> {
    let before = session?.reached(&c.cdn)?;
    amounts(c).array().iter().zip(before.array()).position(|(now, before)| *now < before)
}

fn falling(session: Option<&Session>, i: usize, c: &Counters<'_>, field: usize) -> Refusal {
    const NAMES: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];
    let name = format!("counters[{i}].{}", NAMES.get(field).copied().unwrap_or_default());
    let pick = |a: Amounts| a.array().get(field).map_or(0, |v| *v as i64);
    let (now, before) = (pick(amounts(c)), session.and_then(|s| s.reached(&c.cdn)).map_or(0, pick));
    let reason = format!("{name} of CDN {:?} is {now}, below the {before} it had reached at a lower seq", c.cdn);
    Refusal { value: Some(now), limit: Some(before), ..Refusal::new(Code::CounterFell, name, reason) }
}
