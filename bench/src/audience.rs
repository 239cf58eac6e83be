//! Made-up viewers as records of the events' topic, in the order of time: heartbeats with counters that grow,
//! sessions that end and begin, a stall now and then. Booking them is the caller's.

use anyhow::Result;
use livemeter_processor::book::Wanted;
use livemeter_processor::entry::{Entry, Place};
use livemeter_schemas::event::{Counters, Event, Heartbeat, Media, Stall, StallKind, State};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record;
use livemeter_schemas::refusal::Refusal;

/// Who watches, and how often it is told.
#[derive(Debug, Clone, Copy)]
pub struct Audience {
    pub viewers: u64,
    pub heartbeat_s: u64,
    /// After this many heartbeats a viewer begins a new session.
    pub session_beats: u64,
    /// One heartbeat in so many comes with a stall.
    pub stall_every: u64,
}

/// The topic, as far as it has been read.
pub struct Stream {
    audience: Audience,
    from_ms: i64,
    heartbeats: u64,
    offsets: Vec<i64>,
}

impl Stream {
    pub fn new(audience: Audience, from_ms: i64, partitions: usize) -> Stream {
        Stream { audience, from_ms, heartbeats: 0, offsets: vec![0; partitions] }
    }

    /// Hands over every record before this time.
    pub fn until(
        &mut self,
        now_ms: i64,
        limits: &Limits,
        mut book: impl FnMut(&Entry<'_>, Wanted) -> std::result::Result<(), Refusal>,
    ) -> Result<()> {
        loop {
            let Audience { viewers, heartbeat_s, stall_every, .. } = self.audience;
            let (beat, viewer) = (self.heartbeats / viewers, self.heartbeats % viewers);
            let at_ms = self.from_ms + (beat * heartbeat_s * 1_000 + viewer * heartbeat_s * 1_000 / viewers) as i64;
            if at_ms >= now_ms {
                return Ok(());
            }
            self.heartbeats += 1;
            self.put(&self.heartbeat(viewer, beat, at_ms), viewer, limits, &mut book)?;
            if self.heartbeats.is_multiple_of(stall_every) {
                self.put(&self.stall(viewer, beat, at_ms), viewer, limits, &mut book)?;
            }
        }
    }

    fn put(
        &mut self,
        event: &Event<'_>,
        viewer: u64,
        limits: &Limits,
        book: &mut impl FnMut(&Entry<'_>, Wanted) -> std::result::Result<(), Refusal>,
    ) -> Result<()> {
        let (mut bytes, sent_ms) = (Vec::new(), event.head().at_ms + 5);
        record::write(&mut bytes, "demo", sent_ms + 40 + (viewer % 7) as i64, Some(sent_ms), &serde_json::to_string(event)?)?;
        let partition = (viewer % self.offsets.len() as u64) as usize;
        let place = Place { partition: partition as i32, offset: self.offsets[partition] };
        self.offsets[partition] += 1;
        let entry = Entry::read(&bytes, place, limits).map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        book(&entry, Wanted { increments: true, events: true }).map_err(|refusal| anyhow::anyhow!("{refusal:?}"))
    }

    /// The session of a viewer, and how many beats it is old. Viewers do not all change at once.
    fn session(&self, viewer: u64, beat: u64) -> (String, u64) {
        let aged = beat + viewer * 7 % self.audience.session_beats;
        let session = aged / self.audience.session_beats;
        let first = (session * self.audience.session_beats).saturating_sub(viewer * 7 % self.audience.session_beats);
        (format!("{:08x}-0000-4000-8000-{session:012x}", viewer.wrapping_mul(2_654_435_761)), beat - first)
    }

    fn heartbeat(&self, viewer: u64, beat: u64, at_ms: i64) -> Event<'static> {
        let (session_id, age) = self.session(viewer, beat);
        let interval_ms = self.audience.heartbeat_s as i64 * 1_000;
        let started = at_ms - age as i64 * interval_ms - 2_000;
        let cdn = format!("cdn-{}", viewer % 3);
        // About 2 Mbit/s, and never twice the same.
        let rate = 200_000 + (viewer * 7_919) % 100_000;
        let played_ms = (at_ms - started) as u64;
        let counters = Counters {
            cdn: cdn.clone().into(),
            first_used_at_ms: started,
            bytes: played_ms * rate / 1_000 + beat * 104_729 % 9_973 + age * 9_973,
            aborted_bytes: 0,
            play_ms: played_ms - age * 7,
            stall_ms: age * 7,
            stalls: age / 40,
        };
        Event::Heartbeat(Heartbeat {
            session_id: session_id.into(),
            seq: age * 2,
            at_ms,
            user_id: format!("user-{viewer:08}").into(),
            programme_id: format!("match-{}", viewer % 5).into(),
            region: Some("eu".into()),
            session_started_at_ms: started,
            state: State::Playing,
            cdn: Some(cdn.into()),
            counters: vec![counters],
        })
    }

    fn stall(&self, viewer: u64, beat: u64, at_ms: i64) -> Event<'static> {
        let (session_id, age) = self.session(viewer, beat);
        Event::Stall(Stall {
            session_id: session_id.into(),
            seq: age * 2 + 1,
            at_ms,
            user_id: format!("user-{viewer:08}").into(),
            programme_id: format!("match-{}", viewer % 5).into(),
            region: Some("eu".into()),
            cdn: format!("cdn-{}", viewer % 3).into(),
            began_at_ms: at_ms - 900,
            stall_ms: 800 + viewer % 200,
            kind: StallKind::Rebuffer,
            media: Media::Muxed,
            threshold_ms: 500,
            cause: None,
            last_segment: None,
        })
    }

    /// Next offset of each partition.
    pub fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    pub fn heartbeats(&self) -> u64 {
        self.heartbeats
    }
}
