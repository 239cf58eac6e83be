//! All viewers on one schedule: who wakes when, who joins, leaves, vanishes and comes back.
//! The schedule is open-loop: it never waits for ingest. Everything happens at its scheduled time, so the
//! same seed gives the same audience however late or seldom the clock is passed in.

use crate::config::Config;
use crate::network::{Fate, Network};
use crate::session::{Habits, Moment, Session, exponential_ms};
use crate::words;
use crate::world::World;
use livemeter_schemas::event::Event;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Mean time until a viewer who left comes back.
const AWAY_MS_MEAN: u64 = 5_000;

/// What the audience tells, in order.
#[derive(Debug)]
pub enum Said<'a> {
    /// A session began.
    Joined { viewer: u32, session: &'a Session },
    /// The viewer's session has something to post.
    Posts { viewer: u32, session: &'a Session, event: &'a Event<'a>, fate: Fate },
    /// The viewer's session is over, with or without a last word.
    Left { viewer: u32 },
}

#[derive(Debug, Default)]
struct Viewer {
    visits: u32,
    session: Option<Session>,
}

#[derive(Debug)]
pub struct Audience {
    world: World,
    network: Network,
    habits: Habits,
    vanish: f64,
    viewers: Vec<Viewer>,
    /// One entry per viewer: when to wake whom.
    schedule: BinaryHeap<Reverse<(i64, u32)>>,
    rng: ChaCha8Rng,
    moments: Vec<Moment>,
}

impl Audience {
    /// An audience that joins evenly from `now_ms` on.
    pub fn new(config: &Config, run_id: &str, now_ms: i64) -> Self {
        let ramp_ms = config.ramp_ms.unwrap_or(config.heartbeat_ms);
        let join = |viewer: u32| now_ms.saturating_add_unsigned(ramp_ms * u64::from(viewer) / u64::from(config.viewers.max(1)));
        Audience {
            world: World::new(config, run_id),
            network: config.network.clone(),
            habits: Habits { heartbeat_ms: config.heartbeat_ms, session_ms_mean: config.session_ms_mean },
            vanish: config.vanish,
            viewers: (0..config.viewers).map(|_| Viewer::default()).collect(),
            schedule: (0..config.viewers).map(|viewer| Reverse((join(viewer), viewer))).collect(),
            rng: ChaCha8Rng::seed_from_u64(config.seed),
            moments: Vec::new(),
        }
    }

    /// Viewers who are watching.
    pub fn watching(&self) -> usize {
        self.viewers.iter().filter(|v| v.session.is_some()).count()
    }

    /// Wakes everyone due by `now_ms`, at most `wakes_max` of them; true when nobody due is left.
    /// While `crowded` (too much waits for ingest) nobody joins or leaves: both wait one heartbeat.
    pub fn advance(&mut self, now_ms: i64, wakes_max: usize, crowded: bool, say: &mut impl FnMut(Said<'_>)) -> bool {
        for _ in 0..wakes_max {
            match self.schedule.peek() {
                Some(Reverse((at_ms, _))) if *at_ms <= now_ms => {}
                _ => return true,
            }
            let Some(Reverse((at_ms, viewer))) = self.schedule.pop() else { return true };
            let next_ms = self.wake(viewer, at_ms, crowded, say);
            self.schedule.push(Reverse((next_ms, viewer)));
        }
        false
    }

    /// Everyone goes home: every session that is still there says its last word, over a network that works.
    pub fn finish(&mut self, now_ms: i64, say: &mut impl FnMut(Said<'_>)) {
        self.schedule.clear();
        for (viewer, seat) in (0..).zip(&mut self.viewers) {
            let Some(mut session) = seat.session.take() else { continue };
            self.moments.clear();
            session.end(now_ms, &mut self.rng, &mut self.moments);
            let speaker = Speaker { viewer, at_ms: now_ms, world: &self.world };
            speaker.tell(&mut session, &mut self.moments, || Fate::Sent, say);
            say(Said::Left { viewer });
        }
    }

    /// Does what is due for one viewer; answers when to wake it next.
    fn wake(&mut self, viewer: u32, at_ms: i64, crowded: bool, say: &mut impl FnMut(Said<'_>)) -> i64 {
        let Some(seat) = self.viewers.get_mut(viewer as usize) else { return i64::MAX };
        let later_ms = at_ms.saturating_add_unsigned(self.habits.heartbeat_ms);
        let speaker = Speaker { viewer, at_ms, world: &self.world };
        self.moments.clear();
        let Some(session) = &mut seat.session else {
            if crowded {
                return later_ms;
            }
            let id = self.world.session_id(viewer, seat.visits);
            seat.visits += 1;
            let session = seat.session.insert(Session::start(id, at_ms, &self.world, &self.network, self.habits, &mut self.rng));
            say(Said::Joined { viewer, session });
            // An attempt that nobody heard of would be no attempt: the first word is never lost.
            self.moments.push(Moment::Started);
            speaker.tell(session, &mut self.moments, || Fate::Sent, say);
            return session.wakes_at_ms();
        };
        let leaves = at_ms >= session.leaves_at_ms();
        if leaves && crowded {
            session.stay(self.habits.heartbeat_ms);
            return session.wakes_at_ms();
        }
        let vanishes = leaves && self.rng.random::<f64>() < self.vanish;
        if leaves && !vanishes {
            session.end(at_ms, &mut self.rng, &mut self.moments);
        } else if !leaves {
            session.wake(at_ms, &self.world, self.habits, &mut self.rng, &mut self.moments);
        }
        speaker.tell(session, &mut self.moments, || self.network.fate(at_ms, &mut self.rng), say);
        if !leaves {
            return session.wakes_at_ms();
        }
        seat.session = None;
        say(Said::Left { viewer });
        at_ms + 1 + exponential_ms(AWAY_MS_MEAN, &mut self.rng)
    }

    /// The names behind the indices that sessions carry.
    pub fn world(&self) -> &World {
        &self.world
    }
}

/// Who speaks, and when.
struct Speaker<'a> {
    viewer: u32,
    at_ms: i64,
    world: &'a World,
}

impl Speaker<'_> {
    /// Gives each moment the session's next `seq` and says it.
    fn tell(&self, session: &mut Session, moments: &mut Vec<Moment>, mut fate: impl FnMut() -> Fate, say: &mut impl FnMut(Said<'_>)) {
        if moments.is_empty() {
            return;
        }
        let user_id = World::user_id(self.viewer);
        for moment in moments.drain(..) {
            session.seq += 1;
            let session = &*session;
            let event = words::event(session, moment, self.at_ms, &user_id, self.world);
            say(Said::Posts { viewer: self.viewer, session, event: &event, fate: fate() });
        }
    }
}
