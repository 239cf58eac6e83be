//! A session's moments as events of the contract. The text on the wire is made by the contract's own
//! types, so it cannot drift from them.

use crate::session::{Moment, Session};
use crate::world::World;
use livemeter_schemas::event::{
    CdnSwitch, Counters, Error, Event, Heartbeat, LastSegment, Media, PlaybackStart, SessionEnd, SessionStart, Stall, StallKind,
    SwitchReason,
};
use std::borrow::Cow;

const SDK: &str = concat!("simulate/", env!("CARGO_PKG_VERSION"));
/// The frozen-picture threshold that players are said to have.
const THRESHOLD_MS: u64 = 500;

/// Writes one moment down, under the session's present `seq`. All times are on the session's own clock.
pub fn event<'a>(session: &'a Session, moment: Moment, at_ms: i64, user_id: &'a str, world: &'a World) -> Event<'a> {
    macro_rules! say {
        ($kind:ident { $($rest:tt)* }) => {
            Event::$kind($kind {
                session_id: Cow::Borrowed(&session.id),
                seq: session.seq,
                at_ms: at_ms + session.clock_off_ms,
                user_id: Cow::Borrowed(user_id),
                programme_id: Cow::Borrowed(&world.programmes[usize::from(session.programme)]),
                region: Some(Cow::Borrowed(&world.regions[usize::from(session.region)])),
                $($rest)*
            })
        };
    }
    let name = |cdn: u8| Cow::Borrowed(world.cdn(cdn).name.as_str());
    let session_started_at_ms = session.started_at_ms + session.clock_off_ms;
    match moment {
        Moment::Started => say!(SessionStart { cdn: Some(name(session.cdn)), sdk: Some(SDK.into()), player: Some("simulated/1".into()) }),
        Moment::FirstPicture => {
            say!(PlaybackStart { cdn: name(session.cdn), startup_ms: (at_ms - session.started_at_ms).max(0).unsigned_abs() })
        }
        Moment::Heartbeat => say!(Heartbeat {
            session_started_at_ms,
            state: session.state,
            cdn: Some(name(session.cdn)),
            counters: counters(session, world),
        }),
        Moment::Stalled { cdn, began_at_ms } => say!(Stall {
            cdn: name(cdn),
            began_at_ms: began_at_ms + session.clock_off_ms,
            stall_ms: (at_ms - began_at_ms).max(0).unsigned_abs(),
            kind: StallKind::Rebuffer,
            media: Media::Muxed,
            threshold_ms: THRESHOLD_MS,
            cause: Some("bufferStalledError".into()),
            last_segment: Some(LastSegment { status: 200, throughput_bps: 1_200_000, bytes: 310_000, host: Some(name(cdn)) }),
        }),
        Moment::Switched { from, to } => {
            say!(CdnSwitch { from_cdn: name(from), to_cdn: name(to), reason: SwitchReason::Stall })
        }
        Moment::Failed { fatal: for_good } => {
            say!(Error {
                cdn: Some(name(session.cdn)),
                code: "fragLoadError".into(),
                message: Some("no answer in time".into()),
                fatal: for_good
            })
        }
        Moment::Ended(why) => say!(SessionEnd { session_started_at_ms, reason: why, counters: counters(session, world) }),
    }
}

fn counters<'a>(session: &Session, world: &'a World) -> Vec<Counters<'a>> {
    session
        .used
        .iter()
        .map(|used| Counters {
            cdn: Cow::Borrowed(world.cdn(used.cdn).name.as_str()),
            first_used_at_ms: used.first_used_at_ms + session.clock_off_ms,
            bytes: used.totals.bytes,
            aborted_bytes: used.totals.aborted_bytes,
            play_ms: used.totals.play_ms,
            stall_ms: used.totals.stall_ms,
            stalls: used.totals.stalls,
        })
        .collect()
}
