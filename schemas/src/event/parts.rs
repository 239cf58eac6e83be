//! The pieces that events are made of: counters, the last segment, and the closed lists of words.
//! The events themselves are one level up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Player states of CTA-5004-B (`sta`); a player is in exactly one at each moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum State {
    #[serde(rename = "s")]
    Starting,
    #[serde(rename = "p")]
    Playing,
    #[serde(rename = "k")]
    Seeking,
    #[serde(rename = "r")]
    Rebuffering,
    #[serde(rename = "a")]
    Paused,
    #[serde(rename = "e")]
    Ended,
    #[serde(rename = "f")]
    Fatal,
    #[serde(rename = "q")]
    Quit,
    #[serde(rename = "d")]
    Preloading,
}

/// Cumulative counters of one CDN within one session, from the session's start. They never fall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counters<'a> {
    /// Name of the CDN in the registry, such as `cdn-a`.
    #[serde(borrow)]
    pub cdn: Cow<'a, str>,
    /// When the session first used this CDN: milliseconds since 1970 on the session's own clock.
    pub first_used_at_ms: i64,
    /// Network body bytes of completed responses; playlists included, browser-cache hits excluded.
    pub bytes: u64,
    /// Body bytes of aborted responses, as far as they got. Never part of `bytes`.
    #[serde(default)]
    pub aborted_bytes: u64,
    /// Milliseconds played of media that came from this CDN.
    pub play_ms: u64,
    /// Milliseconds stalled, charged to this CDN; grows in every heartbeat while a stall lasts.
    pub stall_ms: u64,
    /// Stalls begun on this CDN; rises when a stall begins.
    pub stalls: u64,
}

/// Bytes of one CDN within one session, cumulative, as a CMCD report's custom key says them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CdnBytes<'a> {
    /// None is the CDN in use.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub cdn: Option<Cow<'a, str>>,
    pub bytes: u64,
}

/// What froze: no data to play (`rebuffer`), or a picture that stood still (`frozen`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StallKind {
    Rebuffer,
    Frozen,
}

/// Which medium stalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    Video,
    Audio,
    Muxed,
}

/// The last media request before a stall: evidence for whose fault it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastSegment<'a> {
    /// HTTP status; 0 when no answer came.
    pub status: u16,
    /// Body bits per second of that response.
    #[serde(default)]
    pub throughput_bps: u64,
    /// Body bytes received.
    #[serde(default)]
    pub bytes: u64,
    /// Host that was asked.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Cow<'a, str>>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The programme came to its end.
    Ended,
    /// The viewer left.
    Quit,
    /// The player gave up.
    Fatal,
}

/// Why a session moved to another CDN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SwitchReason {
    Stall,
    Steering,
    User,
    Error,
}
