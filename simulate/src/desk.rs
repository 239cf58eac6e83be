//! What the schedule and the connections share: the clock, the outbox, and how a connection carries
//! its part of the requests. One thread's own: nothing here is locked.

use crate::outbox::{Outbox, Outcome};
use crate::post::{Connection, NotSent, Target};
use bytes::Bytes;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// Longest wait between two attempts to connect.
const CONNECT_MS_MAX: u64 = 2_000;

/// Our clock: wall time at the start, monotonic from there.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
    began_at_ms: i64,
}

impl Clock {
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { began: Instant::now(), began_at_ms: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX) }
    }

    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub fn now_ms(&self) -> i64 {
        self.began_at_ms.saturating_add_unsigned(self.elapsed_ms())
    }
}

/// What the connections share with the schedule.
pub struct Desk {
    pub target: Target,
    pub clock: Clock,
    pub outbox: RefCell<Outbox>,
    /// Wakes the connection that was idle last.
    pub work: Notify,
    pub rng: RefCell<ChaCha8Rng>,
    pub failed: Cell<u64>,
    /// Sessions per request.
    pub boxes_max: Cell<usize>,
    pub events_max: usize,
}

impl Desk {
    /// Carries one connection's share of the requests, for ever.
    pub async fn carry(self: Rc<Self>) {
        let mut open: Option<Connection> = None;
        let mut wait_ms = 0;
        loop {
            while self.outbox.borrow().ready() == 0 {
                self.work.notified().await;
            }
            // Connect before taking, so that what waits can still be merged while ingest is away.
            let mut connection = match open.take().filter(Connection::is_open) {
                Some(connection) => connection,
                None => match Connection::open(&self.target).await {
                    Ok(connection) => connection,
                    Err(cause) => {
                        tracing::debug!(%cause, "cannot connect to ingest");
                        self.failed.set(self.failed.get() + 1);
                        wait_ms = (wait_ms * 2).clamp(50, CONNECT_MS_MAX);
                        let jitter = self.rng.borrow_mut().random_range(0..=wait_ms / 2);
                        tokio::time::sleep(Duration::from_millis(wait_ms + jitter)).await;
                        continue;
                    }
                },
            };
            wait_ms = 0;
            self.post(&mut connection).await;
            open = Some(connection);
        }
    }

    /// Makes the next request, if there still is one, and books its outcome.
    async fn post(&self, connection: &mut Connection) {
        let taken = self.outbox.borrow_mut().take(self.clock.now_ms(), self.boxes_max.get(), self.events_max);
        let Some(mut parcel) = taken else { return };
        let body = Bytes::from(std::mem::take(&mut parcel.body));
        let outcome = match connection.post(&self.target, body.clone()).await {
            Ok(outcome) => outcome,
            Err(NotSent) => self.post_anew(connection, body).await,
        };
        if matches!(outcome, Outcome::Unknown { .. }) {
            self.failed.set(self.failed.get() + 1);
        }
        let jitter = self.rng.borrow_mut().random();
        self.outbox.borrow_mut().settle(parcel, &outcome, self.clock.now_ms(), jitter);
    }

    /// An idle connection that ingest had closed is replaced once, at once.
    async fn post_anew(&self, connection: &mut Connection, body: Bytes) -> Outcome {
        let unknown = Outcome::Unknown { retry_after_ms: None };
        let Ok(fresh) = Connection::open(&self.target).await else { return unknown };
        *connection = fresh;
        connection.post(&self.target, body).await.unwrap_or(unknown)
    }
}
