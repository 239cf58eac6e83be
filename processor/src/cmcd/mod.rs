//! CMCD reports → the same counters and events that our own SDKs send. Pure: a function of what is known of the
//! session, one report, and the counters reached. Which rows come of it is [`crate::book`]'s.
//!
//! * [`known`]  what is remembered between two reports, and its text in the ledger
//! * [`order`]  whether a report is the next, a repeat, or late
//!
//! # What a report adds
//!
//! A report says what the player does from its time on, so the time since the report before belongs to the state that
//! one left: playing is play time of the CDN in use, rebuffering after playing is stall time of the CDN in use when it
//! began, anything else is neither. A stall is the step from playing to rebuffering; rebuffering during startup, a seek
//! or a pause is none. Bytes are what the custom key says, and nothing where it says nothing.
//!
//! # Why nothing is counted twice, through any crash
//!
//! Every report that is not late leaves at least one row in `events`, with what is known after it; so the newest row is
//! the state. Counters are what was reached plus what this report adds, with a `seq` that rises by the rows written. A
//! table that is ahead of the other after a crash skips what it has, and both end at the same place.

mod known;
mod order;

pub use known::{Known, Stall};

use crate::split::Amounts;
use livemeter_schemas::event::{Cmcd, Counters, EndReason, Error, Event, Heartbeat, Media, PlaybackStart, SessionEnd, SessionStart};
use livemeter_schemas::event::{Stall as StallEvent, StallKind, State};
use std::borrow::Cow;

/// How much of a session is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest time between two reports that is counted. Players report every 30 s unless told otherwise; who was
    /// silent for longer was asleep or cut off, and what happened then is not known.
    pub gap_ms_max: i64,
    /// CDNs of one session: as many as a heartbeat may name. A report that names one more is refused.
    pub cdns_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { gap_ms_max: 15 * 60_000, cdns_max: 16 }
    }
}

/// The CDN of a session that never named one.
pub const UNKNOWN_CDN: &str = "unknown";
/// The event of a response: its time is that of the request, so it moves neither time nor state.
const RESPONSE: &str = "rr";
const ERROR: &str = "e";

/// What one report comes to.
#[derive(Debug)]
pub struct Step<'r> {
    pub known: Known,
    /// The counters after it, the CDN in use first, in a heartbeat; of none, while no CDN is known and nothing is to book.
    pub beat: Event<'r>,
    /// What it explains; at least the report itself.
    pub events: Vec<Event<'r>>,
    /// Bytes that fell below what they were, and were passed over.
    pub fell: bool,
    /// Time that was not counted, since too much of it passed.
    pub gap: bool,
}

/// Every CDN that a report names.
pub fn named<'r>(report: &'r Cmcd<'_>) -> impl Iterator<Item = &'r str> {
    report.cdn.as_deref().into_iter().chain(report.bytes.iter().filter_map(|said| said.cdn.as_deref()))
}

/// Takes the next report in; none when it is late or a repeat. `reached` gives the counters of a CDN so far.
pub fn step<'r>(before: &Known, report: &Cmcd<'r>, gap_ms_max: i64, reached: impl Fn(&str) -> Amounts) -> Option<Step<'r>> {
    let turn = order::turn(before, report.seq, report.at_ms, is_response(report))?;
    let mut after = Known { cdn: report.cdn.as_deref().or(before.cdn.as_deref()).map(str::to_owned), ..before.clone() };
    turn.apply(&mut after, report.seq, report.at_ms, is_response(report));
    let mut sums = Sums { reached: &reached, of: Vec::new(), fell: false };
    let in_use = after.cdn.clone().unwrap_or_else(|| UNKNOWN_CDN.to_owned());
    sums.on(&in_use);
    let elapsed = elapsed_ms(before, report);
    let counted = elapsed.filter(|ms| *ms <= gap_ms_max).unwrap_or_default().max(0) as u64;
    match (before.state, &mut after.stall) {
        (Some(State::Playing), _) => sums.on(before.cdn.as_deref().unwrap_or(&in_use)).play_ms += counted,
        (Some(State::Rebuffering), Some(stall)) => {
            stall.ms += counted;
            sums.on(&stall.cdn).stall_ms += counted;
        }
        _ => {}
    }
    for said in &report.bytes {
        sums.bytes(said.cdn.as_deref().unwrap_or(&in_use), said.bytes);
    }
    // Version 1 says no states: that the buffer ran dry is all that is known of a stall.
    if report.starved && report.state.is_none() && before.state.is_none() {
        sums.on(&in_use).stalls += 1;
    }
    let mut events = Vec::new();
    let now = report.state.filter(|_| !is_response(report)).or(before.state);
    if before.state == Some(State::Playing) && now == Some(State::Rebuffering) {
        sums.on(&in_use).stalls += 1;
        after.stall = Some(Stall { cdn: in_use.clone(), began_at_ms: report.at_ms, ms: 0 });
    }
    after.state = now;
    explain(before, &mut after, report, &in_use, gap_ms_max, &mut events);
    if events.is_empty() {
        events.push(Event::Cmcd(report.clone()));
    }
    for event in &mut events {
        after.order += 1;
        event.set_seq(after.order);
    }
    let fell = sums.fell;
    let beat = beat(report, &after, sums.counters(before.ts_ms.unwrap_or(report.at_ms).min(report.at_ms)));
    Some(Step { known: after, beat, events, fell, gap: elapsed.is_some_and(|ms| ms > gap_ms_max) })
}

fn is_response(report: &Cmcd<'_>) -> bool {
    report.event.as_deref() == Some(RESPONSE)
}

/// Time since the report before, on the player's own clock; none when this one tells no time.
fn elapsed_ms(before: &Known, report: &Cmcd<'_>) -> Option<i64> {
    before.ts_ms.filter(|_| !is_response(report)).map(|ts| report.at_ms.saturating_sub(ts))
}

/// What the step from one state to the next explains.
fn explain<'r>(before: &Known, after: &mut Known, report: &Cmcd<'r>, in_use: &str, gap_ms_max: i64, events: &mut Vec<Event<'r>>) {
    let (was, now) = (before.state, after.state);
    let version_1 = report.event.is_none() && now.is_none();
    if !after.begun && (version_1 || now.is_some_and(|now| now != State::Preloading)) {
        after.begun = true;
        events.push(Event::SessionStart(session_start(report)));
    }
    if now == Some(State::Starting) && !after.played {
        after.starting_at_ms.get_or_insert(report.at_ms);
    }
    if now != Some(State::Rebuffering)
        && let Some(stall) = after.stall.take()
    {
        events.push(Event::Stall(stalled(report, stall)));
    }
    let mut waited_ms = None;
    // The report that says how long it took may overtake the one that says that it plays.
    if !after.played {
        after.startup_ms = report.startup_ms.or(after.startup_ms);
    }
    if now == Some(State::Playing) && !after.played {
        (after.played, after.unmeasured) = (true, true);
        let waited = after.starting_at_ms.take().map(|from| report.at_ms.saturating_sub(from));
        // What was said while the viewer still waited comes last: dash.js says 4 ms then.
        waited_ms = waited.filter(|ms| (0..=gap_ms_max).contains(ms)).map(i64::unsigned_abs).or(after.startup_ms.take());
    }
    // Some players know how long it took only once they play, and say so with whatever they report next.
    if after.unmeasured
        && let Some(startup_ms) = report.startup_ms.or(waited_ms)
    {
        after.unmeasured = false;
        events.push(Event::PlaybackStart(playback_start(report, in_use, startup_ms)));
    }
    if report.event.as_deref() == Some(ERROR)
        && let Some(code) = &report.error
    {
        events.push(Event::Error(error(report, code.clone(), now == Some(State::Fatal))));
    }
    if let Some(reason) = ended(now).filter(|_| ended(was).is_none()) {
        events.push(Event::SessionEnd(session_end(report, reason)));
    }
}

fn ended(state: Option<State>) -> Option<EndReason> {
    match state? {
        State::Ended => Some(EndReason::Ended),
        State::Fatal => Some(EndReason::Fatal),
        State::Quit => Some(EndReason::Quit),
        _ => None,
    }
}

/// The counters of the CDNs that a report touches, as they become.
struct Sums<'f, F> {
    reached: &'f F,
    of: Vec<(String, Amounts)>,
    fell: bool,
}

impl<F: Fn(&str) -> Amounts> Sums<'_, F> {
    fn on(&mut self, cdn: &str) -> &mut Amounts {
        let place = self.of.iter().position(|(name, _)| name == cdn).unwrap_or_else(|| {
            self.of.push((cdn.to_owned(), (self.reached)(cdn)));
            self.of.len() - 1
        });
        &mut self.of[place].1
    }

    fn bytes(&mut self, cdn: &str, bytes: u64) {
        let reached = self.on(cdn);
        let fell = bytes < reached.bytes;
        reached.bytes = reached.bytes.max(bytes);
        self.fell |= fell;
    }

    /// None for a session that has named no CDN yet and has nothing to book: a player says its first states before it
    /// has asked anybody for anything, and a row of zeros for nobody would only stand in reports.
    fn counters<'r>(self, first_used_at_ms: i64) -> Vec<Counters<'r>> {
        let says_something = |(cdn, amounts): &(String, Amounts)| cdn != UNKNOWN_CDN || !amounts.is_zero();
        let counters = self.of.into_iter().filter(says_something).map(|(cdn, a)| {
            let Amounts { bytes, aborted_bytes, play_ms, stall_ms, stalls } = a;
            Counters { cdn: Cow::Owned(cdn), first_used_at_ms, bytes, aborted_bytes, play_ms, stall_ms, stalls }
        });
        counters.collect()
    }
}

/// Declares an event that is headed as the report is; its `seq` is set later.
macro_rules! headed {
    ($report:expr, $name:ident { $($field:ident : $value:expr),* $(,)? }) => {
        $name {
            session_id: $report.session_id.clone(),
            seq: 0,
            at_ms: $report.at_ms,
            user_id: $report.user_id.clone(),
            programme_id: $report.programme_id.clone(),
            region: $report.region.clone(),
            $($field: $value,)*
        }
    };
}

fn beat<'r>(report: &Cmcd<'r>, after: &Known, counters: Vec<Counters<'r>>) -> Event<'r> {
    let state = after.state.unwrap_or(State::Starting);
    let started = report.at_ms;
    let mut beat =
        Event::Heartbeat(headed!(report, Heartbeat { session_started_at_ms: started, state: state, cdn: None, counters: counters }));
    beat.set_seq(after.order);
    beat
}

fn session_start<'r>(report: &Cmcd<'r>) -> SessionStart<'r> {
    headed!(report, SessionStart { cdn: report.cdn.clone(), sdk: Some(Cow::Borrowed("cmcd")), player: None })
}

fn playback_start<'r>(report: &Cmcd<'r>, cdn: &str, startup_ms: u64) -> PlaybackStart<'r> {
    headed!(report, PlaybackStart { cdn: Cow::Owned(cdn.to_owned()), startup_ms: startup_ms })
}

fn stalled<'r>(report: &Cmcd<'r>, stall: Stall) -> StallEvent<'r> {
    headed!(
        report,
        StallEvent {
            cdn: Cow::Owned(stall.cdn),
            began_at_ms: stall.began_at_ms,
            stall_ms: stall.ms,
            kind: StallKind::Rebuffer,
            media: Media::Muxed,
            threshold_ms: 0,
            cause: None,
            last_segment: None,
        }
    )
}

fn error<'r>(report: &Cmcd<'r>, code: Cow<'r, str>, fatal: bool) -> Error<'r> {
    headed!(report, Error { cdn: report.cdn.clone(), code: code, message: None, fatal: fatal })
}

fn session_end<'r>(report: &Cmcd<'r>, reason: EndReason) -> SessionEnd<'r> {
    headed!(report, SessionEnd { session_started_at_ms: report.at_ms, reason: reason, counters: Vec::new() })
}

#[cfg(test)]
mod tests;
