//! How long a connection may take for what it is at. A head that trickles in and a connection that waits
//! for its next heartbeat look alike to hyper, and holding a place costs the same; so they are told apart here:
//!
//! * until the first request has its head: `head_timeout`, from the beginning on, bytes or none;
//! * between requests: `idle_timeout`, and when places are scarce a heartbeat and a half, so that players
//!   at work stay and others make room;
//! * from the first byte of a later head: `head_timeout` again;
//! * a request at work is not timed here: its body and its wait for Kafka have limits of their own.
//!
//! A connection looks at its clock in steps, so it is closed up to half a `head_timeout` late.

use crate::config::Config;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

const FIRST: u8 = 0;
const IDLE: u8 = 1;
const HEAD: u8 = 2;
const WORK: u8 = 3;

/// What a connection is at, and since when. Written by the connection's own task alone.
#[derive(Debug)]
pub struct Pace {
    began: Instant,
    phase: AtomicU8,
    since_ms: AtomicU64,
}

impl Pace {
    pub fn new() -> Self {
        Pace { began: Instant::now(), phase: AtomicU8::new(FIRST), since_ms: AtomicU64::new(0) }
    }

    /// A request's head is there.
    pub fn request(&self) {
        // Nobody asks since when: the clock is not read.
        self.phase.store(WORK, Ordering::Relaxed);
    }

    /// A request is over.
    pub fn replied(&self) {
        self.turn(IDLE);
    }

    /// Bytes have come. After a request they are the next head, or what is left of a refused body: that may
    /// take as long.
    fn bytes(&self) {
        if self.phase.load(Ordering::Relaxed) == IDLE {
            self.turn(HEAD);
        }
    }

    fn turn(&self, phase: u8) {
        self.since_ms.store(self.now_ms(), Ordering::Relaxed);
        self.phase.store(phase, Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Ends when the connection has taken too long, with the cause: `head` or `idle`.
    pub async fn too_slow(&self, config: &Config, scarce: impl Fn() -> bool) -> &'static str {
        let step = Duration::from_millis((config.head_timeout_ms / 2).max(1));
        loop {
            tokio::time::sleep(step).await;
            let idle_ms = match scarce() {
                true => config.idle_timeout_ms.min(config.heartbeat_ms.saturating_mul(3) / 2),
                false => config.idle_timeout_ms,
            };
            let (cause, limit_ms) = match self.phase.load(Ordering::Relaxed) {
                FIRST | HEAD => ("head", config.head_timeout_ms),
                IDLE => ("idle", idle_ms),
                _ => continue,
            };
            if self.now_ms().saturating_sub(self.since_ms.load(Ordering::Relaxed)) >= limit_ms {
                return cause;
            }
        }
    }
}

/// A stream that tells its pace when bytes come.
pub struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S> Paced<S> {
    pub fn new(stream: S, pace: Arc<Pace>) -> Self {
        Paced { stream, pace }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pace.bytes();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config { head_timeout_ms: 1_000, idle_timeout_ms: 60_000, heartbeat_ms: 10_000, ..Config::default() }
    }

    async fn closed_after_s(pace: &Pace, scarce: bool) -> (&'static str, u64) {
        let began = Instant::now();
        (pace.too_slow(&config(), || scarce).await, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_head_has_its_time_whatever_trickles_in() {
        let pace = Pace::new();
        pace.bytes();
        assert_eq!(closed_after_s(&pace, false).await, ("head", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_between_requests_is_allowed_until_places_are_scarce() {
        for (scarce, after_s) in [(false, 60), (true, 15)] {
            let pace = Pace::new();
            pace.request();
            pace.replied();
            assert_eq!(closed_after_s(&pace, scarce).await, ("idle", after_s));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_head_has_its_time_from_its_first_byte() {
        let pace = Pace::new();
        pace.request();
        pace.replied();
        tokio::time::sleep(Duration::from_secs(30)).await;
        pace.bytes();
        assert_eq!(closed_after_s(&pace, false).await, ("head", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_at_work_is_not_timed_here() {
        let pace = Pace::new();
        pace.request();
        let config = config();
        let waited = tokio::time::timeout(Duration::from_secs(3600), pace.too_slow(&config, || true)).await;
        assert!(waited.is_err());
    }
}
