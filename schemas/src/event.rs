//! What a player sends. One struct per event type; every struct carries the same head, so that any
//! event can be understood when all others of its session were lost.
//! Checking sizes and ranges is not here: see [`crate::decode`].

mod parts;

pub use parts::{CdnBytes, Counters, EndReason, LastSegment, Media, StallKind, State, SwitchReason};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Every event type's name on the wire (`type`), as clients may post it to `/v1/events`.
pub const TYPES: [&str; 7] = ["heartbeat", "stall", "session_start", "playback_start", "session_end", "cdn_switch", "error"];

/// The one type that ingest itself writes, from what was posted to `/v1/cmcd`.
pub const CMCD: &str = "cmcd";

/// Declares one event struct with the head that all of them share.
macro_rules! event {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        $(#[$doc])*
        pub struct $name<'a> {
            /// One player object's life: a new random id at each reload, tab or device.
            #[serde(borrow)]
            pub session_id: Cow<'a, str>,
            /// Rises by one with every event of the session, whatever its type.
            pub seq: u64,
            /// When it happened: milliseconds since 1970 on the session's own clock, which is read
            /// once at the session's start and then driven by a monotonic timer.
            pub at_ms: i64,
            /// Whose traffic this is. Personal data.
            #[serde(borrow)]
            pub user_id: Cow<'a, str>,
            /// What is being watched.
            #[serde(borrow)]
            pub programme_id: Cow<'a, str>,
            /// Where the viewer is, as coarse as the app likes.
            #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
            pub region: Option<Cow<'a, str>>,
            $($(#[$fdoc])* pub $field: $ty,)*
        }
    };
}

event! {
    /// Every 10 s (jittered; the server may set another interval): the cumulative counters of
    /// *every* CDN the session has used, so that one heartbeat makes up for any lost before it.
    Heartbeat {
        /// When the session began, on its own clock.
        session_started_at_ms: i64,
        /// The state at `at_ms`.
        state: State,
        /// The CDN in use at `at_ms`.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        cdn: Option<Cow<'a, str>>,
        #[serde(borrow)]
        counters: Vec<Counters<'a>>,
    }
}

event! {
    /// Explains one stall once it is over. Totals come from the counters alone.
    Stall {
        /// The CDN in use when the stall began; it stays charged to that one.
        #[serde(borrow)]
        cdn: Cow<'a, str>,
        /// When it began, on the session's own clock.
        began_at_ms: i64,
        /// How long it lasted.
        stall_ms: u64,
        kind: StallKind,
        media: Media,
        /// The gap between frames that counts as frozen, as configured in this player.
        threshold_ms: u64,
        /// The player's own word for the cause.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cow<'a, str>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        last_segment: Option<LastSegment<'a>>,
    }
}

event! {
    /// A viewer asked for a programme. An attempt, whether or not a picture follows.
    SessionStart {
        /// The first CDN asked.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        cdn: Option<Cow<'a, str>>,
        /// SDK and version, such as `web/0.1.0`.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        sdk: Option<Cow<'a, str>>,
        /// Player and version, such as `hls.js/1.7.4`.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        player: Option<Cow<'a, str>>,
    }
}

event! {
    /// The first picture: starting → playing, once per view.
    PlaybackStart {
        #[serde(borrow)]
        cdn: Cow<'a, str>,
        /// From the viewer's wish to the first picture.
        startup_ms: u64,
    }
}

event! {
    /// The last word of a session, with its last counters.
    SessionEnd {
        session_started_at_ms: i64,
        reason: EndReason,
        #[serde(borrow)]
        counters: Vec<Counters<'a>>,
    }
}

event! {
    /// The session moved to another CDN.
    CdnSwitch {
        #[serde(borrow)]
        from_cdn: Cow<'a, str>,
        #[serde(borrow)]
        to_cdn: Cow<'a, str>,
        reason: SwitchReason,
    }
}

event! {
    /// Something failed in the player.
    #[schemars(rename = "ErrorEvent")]
    Error {
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        cdn: Option<Cow<'a, str>>,
        /// The player's own code, such as `fragLoadError`.
        #[serde(borrow)]
        code: Cow<'a, str>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        message: Option<Cow<'a, str>>,
        /// Whether playback ended by it.
        fatal: bool,
    }
}

event! {
    /// One CMCD report (CTA-5004-B) as `POST /v1/cmcd` understood it. Written by ingest alone; `/v1/events` refuses it.
    /// `session_id` is `sid`, `seq` is `sn`, `at_ms` is `ts`, `programme_id` is `cid`.
    Cmcd {
        /// `e`: what the report tells of, such as `ps` (another state), `t` (an interval) or `rr` (a response).
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        event: Option<Cow<'a, str>>,
        /// `sta`: the state from `at_ms` on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<State>,
        /// The CDN in use, by the table of hosts.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        cdn: Option<Cow<'a, str>>,
        /// Cumulative bytes by the custom keys; none when the player does not count them.
        #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
        bytes: Vec<CdnBytes<'a>>,
        /// `msd`: from the viewer's wish to the first picture; said once per session.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        startup_ms: Option<u64>,
        /// `bs` of version 1: the buffer ran dry since the request before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        starved: bool,
        /// The first of `ec`: the player's own code of an error.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        error: Option<Cow<'a, str>>,
        /// `br`: bitrate of the media.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bitrate_kbps: Option<u64>,
        /// `bl`: media ahead of the playhead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        buffer_ms: Option<u64>,
        /// `ltc`: how far behind live.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        latency_ms: Option<u64>,
        /// The report as it was sent; left out where its app's users have pseudonyms.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        report: Option<Cow<'a, str>>,
    }
}

/// Any event, by its `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    Heartbeat(Heartbeat<'a>),
    Stall(Stall<'a>),
    SessionStart(SessionStart<'a>),
    PlaybackStart(PlaybackStart<'a>),
    SessionEnd(SessionEnd<'a>),
    CdnSwitch(CdnSwitch<'a>),
    Error(Error<'a>),
    Cmcd(Cmcd<'a>),
}

/// What every event carries, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'e> {
    pub session_id: &'e str,
    pub seq: u64,
    pub at_ms: i64,
    pub user_id: &'e str,
    pub programme_id: &'e str,
    pub region: Option<&'e str>,
}

macro_rules! each {
    ($event:expr, $e:ident => $body:expr) => {
        match $event {
            Event::Heartbeat($e) => $body,
            Event::Stall($e) => $body,
            Event::SessionStart($e) => $body,
            Event::PlaybackStart($e) => $body,
            Event::SessionEnd($e) => $body,
            Event::CdnSwitch($e) => $body,
            Event::Error($e) => $body,
            Event::Cmcd($e) => $body,
        }
    };
}

impl<'a> Event<'a> {
    /// The event's name on the wire.
    pub fn type_name(&self) -> &'static str {
        match self {
            Event::Heartbeat(_) => TYPES[0],
            Event::Stall(_) => TYPES[1],
            Event::SessionStart(_) => TYPES[2],
            Event::PlaybackStart(_) => TYPES[3],
            Event::SessionEnd(_) => TYPES[4],
            Event::CdnSwitch(_) => TYPES[5],
            Event::Error(_) => TYPES[6],
            Event::Cmcd(_) => CMCD,
        }
    }

    #[inline]
    pub fn head(&self) -> Head<'_> {
        each!(self, e => Head {
            session_id: &e.session_id,
            seq: e.seq,
            at_ms: e.at_ms,
            user_id: &e.user_id,
            programme_id: &e.programme_id,
            region: e.region.as_deref(),
        })
    }

    /// The same event of another user: for pseudonyms.
    pub fn set_user_id(&mut self, user_id: Cow<'a, str>) {
        each!(self, e => e.user_id = user_id)
    }

    /// The same event under another number: for what is made of CMCD reports, which are numbered by their senders.
    pub fn set_seq(&mut self, seq: u64) {
        each!(self, e => e.seq = seq)
    }

    /// The counters it carries: those of a heartbeat or of a session's end; none otherwise.
    #[inline]
    pub fn counters(&self) -> &[Counters<'_>] {
        match self {
            Event::Heartbeat(e) => &e.counters,
            Event::SessionEnd(e) => &e.counters,
            _ => &[],
        }
    }
}
