//! What a session's reports come to: states, times, CDNs, bytes; repeats, gaps and reporters that begin anew.

use super::*;
use livemeter_schemas::decode;
use proptest::prelude::*;
use std::collections::BTreeMap;

const T0: i64 = 1_790_000_000_000;
const GAP_MS_MAX: i64 = 15 * 60_000;

/// A report of session `s`, by the members of its JSON that matter.
fn report(sn: u64, at_ms: i64, more: &str) -> Cmcd<'static> {
    let text = format!(
        r#"{{"type":"cmcd","session_id":"s","seq":{sn},"at_ms":{},"user_id":"u","programme_id":"p"{}{more}}}"#,
        T0 + at_ms,
        if more.is_empty() { "" } else { "," }
    );
    let text: &'static str = Box::leak(text.into_boxed_str());
    match decode::parse(text) {
        Ok(Event::Cmcd(report)) => report,
        other => panic!("{other:?}: {text}"),
    }
}

fn sta(sn: u64, at_ms: i64, state: &str) -> Cmcd<'static> {
    report(sn, at_ms, &format!(r#""event":"ps","state":"{state}","cdn":"a""#))
}

/// A session as the book would hold it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Session {
    known: Known,
    reached: BTreeMap<String, Amounts>,
    told: Vec<String>,
    late: usize,
}

impl Session {
    fn take(&mut self, report: &Cmcd<'_>) {
        let so_far = self.reached.clone();
        let reached = |cdn: &str| so_far.get(cdn).copied().unwrap_or_default();
        let Some(step) = step(&self.known, report, GAP_MS_MAX, reached) else {
            self.late += 1;
            return;
        };
        for c in step.beat.counters() {
            let now = Amounts { bytes: c.bytes, aborted_bytes: 0, play_ms: c.play_ms, stall_ms: c.stall_ms, stalls: c.stalls };
            assert!(now.since(reached(&c.cdn)).is_some(), "counters never fall");
            self.reached.insert(c.cdn.to_string(), now);
        }
        self.told.extend(step.events.iter().map(told));
        assert_eq!(step.known.order, self.known.order + step.events.len() as u64);
        assert_eq!(step.beat.head().seq, step.known.order);
        // What the ledger keeps is all that is needed.
        self.known = Known::read(&step.known.text(), step.known.order).unwrap();
        assert_eq!(self.known, step.known);
    }

    fn on(&self, cdn: &str) -> [u64; 4] {
        let a = self.reached.get(cdn).copied().unwrap_or_default();
        [a.play_ms, a.stall_ms, a.stalls, a.bytes]
    }
}

fn told(event: &Event<'_>) -> String {
    match event {
        Event::Stall(e) => format!("stall {} on {}", e.stall_ms, e.cdn),
        Event::PlaybackStart(e) => format!("start {}", e.startup_ms),
        Event::SessionEnd(e) => format!("end {:?}", e.reason),
        Event::Error(e) => format!("error {}{}", e.code, if e.fatal { " fatal" } else { "" }),
        other => other.type_name().to_owned(),
    }
}

fn played(reports: &[Cmcd<'_>]) -> Session {
    let mut session = Session::default();
    reports.iter().for_each(|report| session.take(report));
    session
}

#[test]
fn a_view_from_its_start_to_its_end() {
    let session = played(&[
        sta(0, 0, "d"),
        sta(1, 100, "s"),
        sta(2, 900, "p"),
        report(3, 10_900, r#""event":"t","state":"p","cdn":"a""#),
        sta(4, 12_000, "r"),
        report(5, 13_000, r#""event":"t","state":"r","cdn":"a""#),
        sta(6, 15_250, "p"),
        sta(7, 16_000, "a"),
        sta(8, 20_000, "p"),
        sta(9, 21_000, "q"),
    ]);
    assert_eq!(session.on("a"), [11_100 + 750 + 1_000, 3_250, 1, 0]);
    let expected = ["cmcd", "session_start", "start 800", "cmcd", "cmcd", "cmcd", "stall 3250 on a", "cmcd", "cmcd", "end Quit"];
    assert_eq!(session.told, expected);
}

#[test]
fn a_start_that_is_measured_is_told_once_however_late() {
    let said = |sn, at, event: &str| report(sn, at, &format!(r#""event":"{event}","startup_ms":740,"cdn":"a""#));
    let session = played(&[sta(0, 0, "r"), sta(1, 740, "p"), said(2, 800, "t"), said(3, 1_800, "t"), sta(4, 2_740, "a")]);
    assert_eq!(session.told, ["session_start", "cmcd", "start 740", "cmcd", "cmcd"]);
    assert_eq!(session.on("a"), [2_000, 0, 0, 0], "waiting for the first picture is no stall");
}

#[test]
fn a_start_that_is_measured_before_it_is_told_counts_too() {
    let response = |sn, at| report(sn, at, r#""event":"rr","state":"p","startup_ms":740,"cdn":"a""#);
    // As Shaka says it; the second overtakes the first.
    let session = played(&[sta(0, 0, "r"), response(2, 735), sta(1, 740, "p"), sta(3, 1_740, "a")]);
    assert_eq!(session.told, ["session_start", "cmcd", "start 740", "cmcd"]);
    // As dash.js says it: its word while the viewer waits is no measure, the wait is.
    let early = report(1, 100, r#""event":"ps","state":"s","startup_ms":4,"cdn":"a""#);
    let session = played(&[sta(0, 0, "d"), early, sta(2, 900, "p")]);
    assert_eq!(session.told, ["cmcd", "session_start", "start 800"]);
}

#[test]
fn rebuffering_is_a_stall_after_playing_alone() {
    // During startup, a seek and a pause it is none, and takes no time.
    let session = played(&[
        sta(0, 0, "s"),
        sta(1, 100, "r"),
        sta(2, 600, "p"),
        sta(3, 1_600, "k"),
        sta(4, 1_700, "r"),
        sta(5, 2_700, "p"),
        sta(6, 3_700, "a"),
        sta(7, 3_800, "r"),
        sta(8, 9_000, "p"),
    ]);
    assert_eq!(session.on("a"), [2_000, 0, 0, 0]);
    assert!(session.told.contains(&"start 600".to_owned()), "{:?}", session.told);
}

#[test]
fn a_stall_stays_with_the_cdn_in_use_when_it_began() {
    let on = |sn, at, state: &str, cdn: &str| report(sn, at, &format!(r#""event":"ps","state":"{state}","cdn":"{cdn}""#));
    let session =
        played(&[on(0, 0, "p", "a"), on(1, 1_000, "r", "a"), on(2, 3_000, "r", "b"), on(3, 4_500, "p", "b"), on(4, 5_000, "e", "b")]);
    assert_eq!((session.on("a"), session.on("b")), ([1_000, 3_500, 1, 0], [500, 0, 0, 0]));
    assert!(session.told.contains(&"stall 3500 on a".to_owned()), "{:?}", session.told);
}

#[test]
fn bytes_are_what_the_custom_key_says_and_never_fall() {
    let session = played(&[
        report(0, 0, r#""state":"p","event":"ps","cdn":"a","bytes":[{"bytes":100}]"#),
        report(1, 1_000, r#""event":"t","bytes":[{"bytes":250},{"cdn":"b","bytes":7}]"#),
        report(2, 2_000, r#""event":"t","bytes":[{"bytes":200},{"cdn":"b","bytes":9}]"#),
    ]);
    assert_eq!((session.on("a")[3], session.on("b")[3]), (250, 9));
    assert_eq!(played(&[sta(0, 0, "p"), sta(1, 1_000, "a")]).on("a")[3], 0, "without the key there are none");
}

#[test]
fn a_response_moves_neither_time_nor_state_but_tells_the_cdn() {
    let rr = |sn, at| report(sn, at, r#""event":"rr","state":"r","cdn":"b","bytes":[{"bytes":50}]"#);
    let session = played(&[
        report(0, 0, r#""event":"ps","state":"p""#),
        rr(1, -800),
        report(2, 1_000, r#""event":"t","state":"p""#),
        rr(3, 900),
        report(4, 2_000, r#""event":"t","state":"p""#),
    ]);
    assert_eq!((session.on("b"), session.on(UNKNOWN_CDN)), ([2_000, 0, 0, 50], [0; 4]));
}

#[test]
fn before_a_cdn_is_named_nothing_is_booked_unless_there_is_something() {
    let bare = |sn, at, state: &str| report(sn, at, &format!(r#""event":"ps","state":"{state}""#));
    let session =
        played(&[bare(0, 0, "s"), bare(1, 400, "r"), report(2, 300, r#""event":"rr","cdn":"a""#), bare(3, 900, "p"), bare(4, 1_900, "q")]);
    assert_eq!(session.reached.keys().collect::<Vec<_>>(), ["a"], "no row of zeros for nobody");
    assert_eq!(session.on("a"), [1_000, 0, 0, 0]);
    // Who never names one has played all the same.
    assert_eq!(played(&[bare(0, 0, "p"), bare(1, 700, "q")]).on(UNKNOWN_CDN), [700, 0, 0, 0]);
}

#[test]
fn version_1_counts_a_dry_buffer_and_guesses_no_time() {
    let v1 = |sn, at, bs: bool| report(sn, at, &format!(r#""cdn":"a","starved":{bs}"#));
    let session = played(&[v1(1, 0, false), v1(2, 5_000, true), v1(3, 10_000, false)]);
    assert_eq!(session.on("a"), [0, 0, 1, 0]);
    assert_eq!(session.told, ["session_start", "cmcd", "cmcd"]);
}

#[test]
fn what_was_long_ago_is_not_counted() {
    let session = played(&[sta(0, 0, "p"), sta(1, GAP_MS_MAX, "p"), sta(2, 2 * GAP_MS_MAX + 1, "p"), sta(3, 2 * GAP_MS_MAX + 501, "a")]);
    assert_eq!(session.on("a")[0], GAP_MS_MAX as u64 + 500);
    // A clock that was put back: that interval has no length, the next ones have theirs.
    let session = played(&[sta(0, 0, "p"), sta(1, 10_000, "p"), sta(2, 5_000, "p"), sta(3, 6_000, "p")]);
    assert_eq!(session.on("a")[0], 11_000);
}

#[test]
fn errors_and_ends_are_told_once() {
    let session = played(&[
        sta(0, 0, "p"),
        report(1, 1_000, r#""event":"ps","state":"f","cdn":"a""#),
        report(2, 1_010, r#""event":"e","state":"f","error":"fragLoadError","cdn":"a""#),
        report(3, 1_020, r#""event":"t","state":"f""#),
    ]);
    assert_eq!(session.told, ["session_start", "end Fatal", "error fragLoadError fatal", "cmcd"]);
}

#[test]
fn a_reporter_that_begins_anew_is_heard_and_what_it_repeats_is_not() {
    let first = [sta(0, 0, "s"), sta(1, 500, "p"), sta(2, 5_500, "p")];
    let anew = [sta(0, 6_500, "p"), sta(1, 8_500, "a")];
    let mut session = played(&first);
    anew.iter().for_each(|report| session.take(report));
    let before = session.clone();
    for late in first.iter().chain(&anew) {
        session.take(late);
    }
    assert_eq!(session, Session { late: before.late + 5, ..before.clone() });
    assert_eq!(session.on("a")[0], 8_000);
    // A late one of the first numbering, of a higher number than the new one has reached.
    session.take(&sta(2, 5_600, "r"));
    assert_eq!(session.late, 6);
}

/// A life: states with times in between, on one of two CDNs, with bytes that grow.
fn life() -> impl Strategy<Value = Vec<Cmcd<'static>>> {
    prop::collection::vec((0i64..60_000, "[sdpkraefq]", 0usize..2, 0u64..1_000_000, 0u8..6), 1..25).prop_map(|steps| {
        let (mut at, mut bytes) = (0, [0u64; 2]);
        let reports = steps.into_iter().enumerate().map(|(sn, (dt, state, cdn, more, kind))| {
            at += dt;
            bytes[cdn] += more;
            let event = ["ps", "ps", "ps", "t", "bc", "rr"][kind as usize];
            let more = format!(r#""event":"{event}","state":"{state}","cdn":"{}","bytes":[{{"bytes":{}}}]"#, ["a", "b"][cdn], bytes[cdn]);
            report(sn as u64, at, &more)
        });
        reports.collect()
    })
}

proptest! {
    /// State times add up: what is played and stalled is never more than the time that has passed, and what is
    /// given again, or out of order, changes nothing.
    #[test]
    fn repeats_change_nothing_and_time_adds_up(life in life(), again in prop::collection::vec((0usize..25, 0usize..25), 0..20)) {
        let once = played(&life);
        let mut session = Session::default();
        let mut repeats = 0;
        for (n, report) in life.iter().enumerate() {
            session.take(report);
            for (_, of) in again.iter().filter(|(after, of)| *after == n && *of <= n) {
                session.take(&life[*of]);
                repeats += 1;
            }
        }
        prop_assert_eq!(session.late, repeats);
        session.late = 0;
        prop_assert_eq!(&session, &once);
        let time: u64 = once.reached.values().map(|a| a.play_ms + a.stall_ms).sum();
        let passed = life.iter().filter(|r| r.event.as_deref() != Some(RESPONSE)).map(|r| r.at_ms).max().unwrap_or(T0) - T0;
        prop_assert!(time <= passed as u64, "{} of {}", time, passed);
        let stalls: u64 = once.reached.values().map(|a| a.stalls).sum();
        let stall_ms: u64 = once.reached.values().map(|a| a.stall_ms).sum();
        let told = once.told.iter().filter(|t| t.starts_with("stall ")).count() as u64;
        prop_assert!(stalls == told || stalls == told + 1, "every stall but one that goes on is explained");
        prop_assert!(stalls > 0 || stall_ms == 0);
    }

    #[test]
    fn no_reports_make_it_panic(reports in prop::collection::vec((0u64..1 << 50, any::<i64>(), "[sdpkraefq]", 0u64..1 << 50), 0..20)) {
        let mut session = Session::default();
        for (sn, at, state, bytes) in reports {
            let at = at / 2 - T0;
            session.take(&report(sn, at, &format!(r#""event":"ps","state":"{state}","cdn":"a","bytes":[{{"bytes":{bytes}}}]"#)));
        }
    }
}
