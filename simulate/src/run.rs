//! The edge: the clock, the connections, the drain at the end. Everything runs on one thread of its own, so that
//! the model, the outbox and 256 connections share memory without locks, and the audience takes one core at most.

use crate::audience::{Audience, Said};
use crate::config::{Config, Error};
use crate::desk::{Clock, Desk};
use crate::files::{Audit, write_truth};
use crate::outbox::{Letter, Outbox, Slot};
use crate::post::Target;
use crate::truth::Truth;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinSet, LocalSet};

/// How often the schedule is looked at: fine enough to spread the load, coarse enough to cost nothing.
const TICK: Duration = Duration::from_millis(5);
/// Most wakes between two looks at the connections, when the machine has been asleep.
const WAKES_MAX: usize = 10_000;

/// How a run is getting on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub elapsed_ms: u64,
    /// Viewers who are watching now.
    pub viewers: u64,
    pub events_acknowledged: u64,
    /// Events that wait, are in flight or held back.
    pub pending: u64,
    pub requests: u64,
    /// Requests without a usable answer, and connections that could not be opened.
    pub requests_failed: u64,
    pub refused: u64,
    pub merged: u64,
    pub dropped: u64,
    /// Nobody watches any more; the last counters are being sent.
    pub draining: bool,
}

/// Runs an audience until `config.duration_ms` is over or `shutdown` is ready, drains, and tells the truth.
/// Dropping the future ends it the same way, unseen.
pub async fn run(
    config: Config,
    progress: impl Fn(Progress) + Send + Sync + 'static,
    shutdown: impl Future<Output = ()>,
) -> Result<Truth, Error> {
    config.check()?;
    let target =
        Target::new(&config.ingest_url, Duration::from_millis(config.request_timeout_ms))?.with_write_key(config.write_key.as_deref())?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, mut told) = oneshot::channel();
    let body = move || {
        let answer = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start);
        let _ =
            tell.send(answer.and_then(|runtime| {
                LocalSet::new().block_on(&runtime, async { Show::open(config, target)?.play(progress, stopped).await })
            }));
    };
    std::thread::Builder::new().name("audience".into()).spawn(body).map_err(Error::Start)?;
    tokio::select! {
        answer = &mut told => return answer.unwrap_or(Err(Error::Ended)),
        () = shutdown => drop(stop),
    }
    told.await.unwrap_or(Err(Error::Ended))
}

/// One run: the audience, its desk and its files.
struct Show {
    config: Config,
    run_id: String,
    desk: Rc<Desk>,
    audience: Audience,
    /// Each viewer's present mailbox.
    seats: Vec<Option<Slot>>,
    scratch: Vec<u8>,
    audit: Option<Audit>,
}

impl Show {
    fn open(config: Config, target: Target) -> Result<Self, Error> {
        let run_id = config.run_id.clone().unwrap_or_else(|| format!("{:016x}", ChaCha8Rng::from_os_rng().random::<u64>()));
        let clock = Clock::start();
        let audit = config.truth_sessions_path.as_deref().map(Audit::create).transpose()?;
        Ok(Show {
            desk: Rc::new(Desk {
                target,
                clock,
                outbox: RefCell::new(Outbox::new(&config)),
                work: Notify::new(),
                rng: RefCell::new(ChaCha8Rng::seed_from_u64(config.seed)),
                failed: Cell::new(0),
                boxes_max: Cell::new(config.batch_max),
                events_max: config.batch_events_max,
            }),
            audience: Audience::new(&config, &run_id, clock.now_ms()),
            seats: vec![None; config.viewers as usize],
            scratch: Vec::with_capacity(1024),
            audit,
            run_id,
            config,
        })
    }

    async fn play(mut self, progress: impl Fn(Progress), stopped: oneshot::Receiver<()>) -> Result<Truth, Error> {
        let mut carriers = JoinSet::new();
        for _ in 0..self.config.connections {
            carriers.spawn_local(self.desk.clone().carry());
        }
        let over = over(self.config.duration_ms.map(Duration::from_millis), stopped);
        tokio::pin!(over);
        let mut ticks = ticks();
        let mut report_at_ms = 0;
        loop {
            tokio::select! {
                () = &mut over => break,
                _ = ticks.tick() => {}
            }
            self.step();
            self.report(&progress, &mut report_at_ms, false)?;
        }
        self.drain(&progress).await?;
        carriers.shutdown().await;
        self.tell(&progress)
    }

    /// Lets the audience do what is due and wakes as many connections as there are requests.
    fn step(&mut self) {
        let now_ms = self.desk.clock.now_ms();
        let mut outbox = self.desk.outbox.borrow_mut();
        let crowded = outbox.crowded();
        outbox.release(now_ms);
        let (seats, scratch) = (&mut self.seats, &mut self.scratch);
        self.audience.advance(now_ms, WAKES_MAX, crowded, &mut |said| hear(said, &mut outbox, seats, scratch));
        wake(&self.desk.work, outbox.ready().min(self.config.connections));
    }

    /// Everyone leaves; sends until all is acknowledged or the time is over.
    async fn drain(&mut self, progress: &impl Fn(Progress)) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_millis(self.config.drain_ms);
        self.desk.boxes_max.set(self.config.drain_batch_max.max(self.config.batch_max));
        {
            let mut outbox = self.desk.outbox.borrow_mut();
            let (seats, scratch) = (&mut self.seats, &mut self.scratch);
            self.audience.finish(self.desk.clock.now_ms(), &mut |said| hear(said, &mut outbox, seats, scratch));
            // What the network held back is let go.
            outbox.release(i64::MAX);
        }
        let (mut ticks, mut report_at_ms) = (ticks(), 0);
        while !self.desk.outbox.borrow().is_empty() && Instant::now() < deadline {
            {
                let mut outbox = self.desk.outbox.borrow_mut();
                outbox.release(self.desk.clock.now_ms());
                wake(&self.desk.work, outbox.ready().min(self.config.connections));
            }
            self.report(progress, &mut report_at_ms, true)?;
            ticks.tick().await;
        }
        Ok(())
    }

    fn tell(mut self, progress: &impl Fn(Progress)) -> Result<Truth, Error> {
        self.report(progress, &mut 0, true)?;
        let empty = Outbox::new(&self.config);
        let (truth, sessions) = self.desk.outbox.replace(empty).close(&self.run_id);
        if let Some(mut audit) = self.audit.take() {
            audit.write(&sessions, self.audience.world())?;
            audit.finish()?;
        }
        if let Some(path) = &self.config.truth_path {
            write_truth(path, &truth)?;
        }
        Ok(truth)
    }

    /// Every `progress_ms`: says how it goes, and writes finished sessions to the audit file.
    fn report(&mut self, progress: &impl Fn(Progress), at_ms: &mut u64, draining: bool) -> Result<(), Error> {
        let elapsed_ms = self.desk.clock.elapsed_ms();
        if elapsed_ms < *at_ms {
            return Ok(());
        }
        *at_ms = elapsed_ms + self.config.progress_ms;
        let mut outbox = self.desk.outbox.borrow_mut();
        let counts = outbox.counts();
        progress(Progress {
            elapsed_ms,
            viewers: self.audience.watching() as u64,
            events_acknowledged: counts.events_acknowledged,
            pending: outbox.pending() as u64,
            requests: counts.requests,
            requests_failed: self.desk.failed.get(),
            refused: counts.refused,
            merged: counts.merged,
            dropped: counts.dropped,
            draining,
        });
        let settled = outbox.take_settled();
        self.audit.as_mut().map_or(Ok(()), |audit| audit.write(&settled, self.audience.world()))
    }
}

/// Takes what the audience says to the right mailbox.
fn hear(said: Said<'_>, outbox: &mut Outbox, seats: &mut [Option<Slot>], scratch: &mut Vec<u8>) {
    match said {
        Said::Joined { viewer, session } => {
            if let Some(seat) = seats.get_mut(viewer as usize) {
                *seat = Some(outbox.open(session.id.clone(), session.clock_off_ms));
            }
        }
        Said::Posts { viewer, session, event, fate } => {
            let seat = seats.get(viewer as usize).copied().flatten();
            match (seat, Letter::write(event, &session.used, scratch)) {
                (Some(slot), Ok(letter)) => outbox.put(slot, letter, fate),
                (_, failed) => tracing::error!(viewer, ?failed, "an event could not be written down"),
            }
        }
        Said::Left { viewer } => {
            if let Some(slot) = seats.get_mut(viewer as usize).and_then(Option::take) {
                outbox.leave(slot);
            }
        }
    }
}

/// Ready when the audience has to go: its time is over, or it was told to (or nobody is left to tell it).
async fn over(duration: Option<Duration>, stopped: oneshot::Receiver<()>) {
    match duration {
        Some(duration) => drop(tokio::time::timeout(duration, stopped).await),
        None => drop(stopped.await),
    }
}

/// The connection that was idle last is the warmest; those above what the load needs stay unopened.
fn wake(work: &Notify, count: usize) {
    for _ in 0..count {
        work.notify_last();
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}
