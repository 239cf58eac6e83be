//! What each event type says that others do not, as the columns of `events` take it.

use crate::entry::Entry;
use livemeter_schemas::event::{EndReason, Event, Media, StallKind, SwitchReason};

/// The columns that only some event types have.
#[derive(Default)]
pub(super) struct Details<'e> {
    pub(super) cdn: Option<&'e str>,
    pub(super) began_at_ms: Option<i64>,
    pub(super) stall_ms: Option<i64>,
    pub(super) stall_kind: Option<&'e str>,
    pub(super) media: Option<&'e str>,
    pub(super) threshold_ms: Option<i64>,
    pub(super) cause: Option<&'e str>,
    pub(super) last_status: Option<i64>,
    pub(super) last_throughput_bps: Option<i64>,
    pub(super) startup_ms: Option<i64>,
    pub(super) from_cdn: Option<&'e str>,
    pub(super) to_cdn: Option<&'e str>,
    pub(super) reason: Option<&'e str>,
    pub(super) message: Option<&'e str>,
    pub(super) fatal: Option<bool>,
}

impl<'e> Details<'e> {
    pub(super) fn of(entry: &'e Entry<'_>) -> Self {
        let none = Details::default();
        match &entry.event {
            Event::Heartbeat(_) => none,
            Event::Cmcd(e) => Details { cdn: e.cdn.as_deref(), reason: e.error.as_deref(), ..none },
            Event::Stall(e) => Details {
                cdn: Some(&e.cdn),
                // A began_at of another age would have no date; it cannot be later than its own event.
                began_at_ms: Some(entry.corrected(e.began_at_ms).clamp(0, entry.at_ms().max(0))),
                stall_ms: Some(e.stall_ms as i64),
                stall_kind: Some(match e.kind {
                    StallKind::Rebuffer => "rebuffer",
                    StallKind::Frozen => "frozen",
                }),
                media: Some(match e.media {
                    Media::Video => "video",
                    Media::Audio => "audio",
                    Media::Muxed => "muxed",
                }),
                threshold_ms: Some(e.threshold_ms as i64),
                cause: e.cause.as_deref(),
                last_status: e.last_segment.as_ref().map(|s| s.status.into()),
                last_throughput_bps: e.last_segment.as_ref().map(|s| s.throughput_bps as i64),
                ..none
            },
            Event::SessionStart(e) => Details { cdn: e.cdn.as_deref(), ..none },
            Event::PlaybackStart(e) => Details { cdn: Some(&e.cdn), startup_ms: Some(e.startup_ms as i64), ..none },
            Event::SessionEnd(e) => {
                let reason = match e.reason {
                    EndReason::Ended => "ended",
                    EndReason::Quit => "quit",
                    EndReason::Fatal => "fatal",
                };
                Details { reason: Some(reason), ..none }
            }
            Event::CdnSwitch(e) => {
                let reason = match e.reason {
                    SwitchReason::Stall => "stall",
                    SwitchReason::Steering => "steering",
                    SwitchReason::User => "user",
                    SwitchReason::Error => "error",
                };
                Details { from_cdn: Some(&e.from_cdn), to_cdn: Some(&e.to_cdn), reason: Some(reason), ..none }
            }
            Event::Error(e) => {
                let (cdn, message) = (e.cdn.as_deref(), e.message.as_deref());
                Details { cdn, reason: Some(&e.code), message, fatal: Some(e.fatal), ..none }
            }
        }
    }
}
