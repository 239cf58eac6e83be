//! Posts prepared bodies from one thread, for as little CPU as that can be done: each connection is kept and has
//! one request on its way; the head and the prepared rest are written with one call, and an answer is only
//! looked at, not understood. Closed loop: as fast as answers come. Open loop: at a rate, and a request that waits
//! for a free connection is waiting already.

mod answer;
mod wire;

use crate::bodies::{Bodies, TIME_DIGITS};
use crate::process;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::io::{IoSlice, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::LocalSet;
use wire::{Stream, Wire};

/// Room for the answer to a large batch.
const ANSWER_BYTES: usize = 64 * 1024;
/// A refused request is not tried again; the connection rests for so long, as a client would for longer.
const REST: Duration = Duration::from_millis(20);

/// What to do.
#[derive(Debug, Clone)]
pub struct Order {
    pub to: SocketAddr,
    pub connections: usize,
    pub duration: Duration,
    /// Requests a second; none: as fast as answers come.
    pub rate: Option<f64>,
    /// A connection for each request.
    pub fresh: bool,
    /// An answer must say how many events it takes; not all whom this is sent to know.
    pub told: bool,
    /// Speak TLS, and trust what this file holds.
    pub trusted_file: Option<PathBuf>,
}

/// What came of it; printed by the load's own process, read by the bench.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// Answered 2xx for all of their events.
    pub requests: u64,
    pub events: u64,
    /// Bytes of the records' values that stand on the topic for them.
    pub record_bytes: u64,
    /// Answered otherwise.
    pub refused: u64,
    pub wall_s: f64,
    /// Of the load itself, while it sent.
    pub cpu_s: f64,
    /// From when a request was due until its answer.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// What the connections of one run share.
struct Run {
    order: Order,
    wire: Wire,
    bodies: Bodies,
    began: Instant,
    next: Cell<usize>,
    tally: RefCell<Loaded>,
    latencies_us: RefCell<Vec<u32>>,
    /// The first answer that was no 2xx, to be shown.
    complaint: RefCell<Option<String>>,
}

/// Sends until the time is over, and waits for every answer.
pub fn run(order: Order, bodies: Bodies) -> Result<Loaded> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let wire = Wire::new(order.to, order.trusted_file.as_deref())?;
    let before_s = process::accounts(std::process::id())?.cpu_s;
    let began = Instant::now();
    let (tally, latencies_us, complaint) = Default::default();
    let run = Rc::new(Run { order, wire, bodies, began, next: Cell::new(0), tally, latencies_us, complaint });
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let connections: Vec<_> = (0..run.order.connections).map(|_| tokio::task::spawn_local(connection(run.clone()))).collect();
        for connection in connections {
            connection.await.context("a connection's task")??;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let mut loaded = run.tally.borrow().clone();
    loaded.wall_s = began.elapsed().as_secs_f64();
    loaded.cpu_s = process::accounts(std::process::id())?.cpu_s - before_s;
    let mut latencies_us = run.latencies_us.borrow_mut();
    latencies_us.sort_unstable();
    (loaded.p50_ms, loaded.p99_ms, loaded.max_ms) = (at(&latencies_us, 0.5), at(&latencies_us, 0.99), at(&latencies_us, 1.0));
    if let Some(complaint) = run.complaint.borrow().as_ref() {
        eprintln!("{} requests were refused; the first: {complaint}", loaded.refused);
    }
    Ok(loaded)
}

/// The value that a share of the sorted values does not exceed, in milliseconds.
fn at(sorted_us: &[u32], share: f64) -> f64 {
    let rank = ((sorted_us.len() as f64 * share).ceil() as usize).max(1);
    sorted_us.get(rank - 1).map_or(0.0, |us| f64::from(*us) / 1_000.0)
}

async fn connection(run: Rc<Run>) -> Result<()> {
    let mut stream = None;
    let mut room = Vec::with_capacity(ANSWER_BYTES);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let n = run.next.replace(run.next.get() + 1);
        let due = run.order.rate.map_or_else(Instant::now, |rate| run.began + Duration::from_secs_f64(n as f64 / rate));
        if due.duration_since(run.began) >= run.order.duration {
            return Ok(());
        }
        if run.order.rate.is_some() {
            tokio::time::sleep_until(due.into()).await;
        }
        let (tail, record_bytes) = run.bodies.get(n);
        let needed = Bodies::start().len() + TIME_DIGITS + tail.len();
        // The head is made anew only where the last body had another length.
        if length != needed {
            (head, length) = (head_of(&run.order, needed)?, needed);
        }
        write_now(&mut head)?;
        let mut open = match stream.take() {
            Some(open) => open,
            None => run.wire.connect().await?,
        };
        let accepted = ask(&mut open, &head, tail, &mut room, &run).await?;
        run.count(accepted, due, record_bytes);
        if !accepted {
            tokio::time::sleep(REST).await;
        }
        stream = (!run.order.fresh).then_some(open);
    }
}

impl Run {
    fn count(&self, accepted: bool, due: Instant, record_bytes: u64) {
        let mut tally = self.tally.borrow_mut();
        if accepted {
            tally.requests += 1;
            tally.events += self.bodies.batch() as u64;
            tally.record_bytes += record_bytes;
            self.latencies_us.borrow_mut().push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
        } else {
            tally.refused += 1;
        }
    }
}

/// The head of a request and the body's beginning; the time of sending comes last.
fn head_of(order: &Order, length: usize) -> Result<Vec<u8>> {
    let keep = if order.fresh { "connection: close\r\n" } else { "" };
    let mut head = Vec::new();
    write!(
        head,
        "POST /v1/events HTTP/1.1\r\nhost: {}\r\n{keep}content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
        order.to
    )?;
    head.extend_from_slice(Bodies::start().as_bytes());
    head.extend_from_slice(&[b'0'; TIME_DIGITS]);
    Ok(head)
}

fn write_now(head: &mut Vec<u8>) -> Result<()> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    head.truncate(head.len() - TIME_DIGITS);
    write!(head, "{now_ms:013}").context("a time")
}

/// Sends one request and waits for its answer; whether all of its events were taken.
async fn ask(stream: &mut Stream, head: &[u8], tail: &[u8], room: &mut Vec<u8>, run: &Run) -> Result<bool> {
    let mut parts = [IoSlice::new(head), IoSlice::new(tail)];
    let mut left = &mut parts[..];
    while !left.is_empty() {
        let written = stream.write_vectored(left).await.context("sending")?;
        IoSlice::advance_slices(&mut left, written);
    }
    stream.flush().await.context("sending")?;
    room.clear();
    loop {
        if stream.read_buf(room).await.context("receiving")? == 0 {
            bail!("the connection was closed after {} bytes of an answer", room.len());
        }
        if let Some(answer) = answer::read(room)? {
            let accepted = answer.accepts(run.order.told.then_some(run.bodies.batch()));
            if !accepted {
                run.complaint.borrow_mut().get_or_insert_with(|| String::from_utf8_lossy(&room[..room.len().min(300)]).into_owned());
            }
            return Ok(accepted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bodies::audience;

    #[test]
    fn a_share_of_the_answers_came_within() {
        let us: Vec<u32> = (1..=100).map(|n| n * 1_000).collect();
        assert_eq!((at(&us, 0.5), at(&us, 0.99), at(&us, 1.0), at(&[], 0.5)), (50.0, 99.0, 100.0, 0.0));
    }

    #[test]
    fn what_is_sent_arrives_and_is_counted_at_a_rate_or_without() {
        for (rate, fresh) in [(None, false), (None, true), (Some(200.0), false)] {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
            let to = listener.local_addr().unwrap();
            runtime.spawn(crate::http::serve(listener));
            let order = Order { to, connections: 3, duration: Duration::from_millis(300), rate, fresh, told: false, trusted_file: None };
            let loaded = run(order, Bodies::prepare(audience(40).unwrap(), 4).unwrap()).unwrap();
            assert!(loaded.requests > 10 && loaded.refused == 0, "{loaded:?}");
            assert_eq!(loaded.events, 4 * loaded.requests);
            assert!(loaded.record_bytes > 1_000 && loaded.p99_ms >= loaded.p50_ms);
            if rate.is_some() {
                assert!((50..=60).contains(&loaded.requests), "{loaded:?}");
            }
        }
    }
}
