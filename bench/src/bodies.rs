//! Requests made before any time is measured: batches of heartbeats of distinct sessions with distinct counters,
//! so that nothing compresses away. Only the time of sending is written when a body is sent; that is in [`crate::load`].

use crate::beats::{APP, Audience, Text};
use anyhow::{Result, ensure};
use livemeter_schemas::record;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

/// The newest heartbeat is so old: none is ahead of the time of sending.
const AGO_MS: u64 = 2_000;
/// A time of sending, as many digits as it has until the year 2286.
pub const TIME_DIGITS: usize = 13;
/// Each session's heartbeats in the pool.
const ROUNDS: u64 = 10;

/// One request: what follows the time of sending, and what it must become on the topic.
#[derive(Debug, Clone)]
struct Body {
    tail: Range<usize>,
    record_bytes: u64,
}

/// All of them, in one piece of memory.
#[derive(Debug)]
pub struct Bodies {
    text: Vec<u8>,
    bodies: Vec<Body>,
    batch: usize,
}

/// The audience of a pool of so many events, which has just watched.
pub fn audience(events: u64) -> Result<Audience> {
    let mut audience = Audience { sessions: events.div_ceil(ROUNDS).max(1), events, from_ms: 0 };
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    audience.from_ms = now_ms - (audience.span_ms() + AGO_MS) as i64;
    Ok(audience)
}

impl Bodies {
    /// Every body begins with this, then comes the time of sending.
    pub fn start() -> &'static str {
        "{\"v\":1,\"app\":\"bench\",\"sent_at_ms\":"
    }

    /// Prepares every event of the audience once, in bodies of `batch`; a rest that fills none is left out.
    pub fn prepare(audience: Audience, batch: usize) -> Result<Bodies> {
        let count = audience.events as usize / batch.max(1);
        ensure!(batch > 0 && count > 0, "{} events fill no body of {batch}", audience.events);
        let (mut text, mut bodies) = (Vec::new(), Vec::with_capacity(count));
        let (mut event, mut n, mut written) = (Text::default(), 0, Vec::new());
        for _ in 0..count {
            let (from, mut record_bytes) = (text.len(), 0);
            text.extend_from_slice(b",\"events\":[");
            for place in 0..batch {
                let at_ms = audience.event(n, &mut event)?;
                // Times have the same number of digits whenever they are; so have the records.
                record::write(&mut written, APP, at_ms, Some(at_ms), std::str::from_utf8(&event.event)?)?;
                record_bytes += written.len() as u64;
                text.extend_from_slice(if place == 0 { b"" } else { b"," });
                text.extend_from_slice(&event.event);
                n += 1;
            }
            text.extend_from_slice(b"]}");
            bodies.push(Body { tail: from..text.len(), record_bytes });
        }
        Ok(Bodies { text, bodies, batch })
    }

    pub fn count(&self) -> usize {
        self.bodies.len()
    }

    /// Events in each.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The `n`-th body after its time of sending, and the bytes of its records' values. They go round and round.
    pub fn get(&self, n: usize) -> (&[u8], u64) {
        let body = &self.bodies[n % self.bodies.len()];
        (&self.text[body.tail.clone()], body.record_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::answer::RawBatch;
    use livemeter_schemas::decode;
    use livemeter_schemas::limits::Limits;
    use std::collections::HashSet;

    #[test]
    fn every_body_is_a_batch_of_events_that_are_all_different() {
        for batch in [1, 7] {
            let bodies = Bodies::prepare(audience(100).unwrap(), batch).unwrap();
            assert_eq!((bodies.count(), bodies.batch()), (100 / batch, batch));
            let mut seen = HashSet::new();
            for n in 0..bodies.count() {
                let (tail, record_bytes) = bodies.get(n);
                let body = format!("{}1790000000000{}", Bodies::start(), std::str::from_utf8(tail).unwrap());
                let read: RawBatch = serde_json::from_str(&body).unwrap();
                assert_eq!((read.app.as_ref(), read.events.len()), (APP, batch));
                let mut bytes = 0;
                for event in read.events {
                    decode::event(event.get(), &Limits::default()).unwrap();
                    assert!(seen.insert(event.get().to_owned()));
                    let mut record = Vec::new();
                    record::write(&mut record, APP, 1_790_000_000_000, Some(1_790_000_000_000), event.get()).unwrap();
                    bytes += record.len() as u64;
                }
                assert_eq!(bytes, record_bytes);
            }
            assert_eq!(bodies.get(0), bodies.get(bodies.count()));
        }
        assert!(Bodies::prepare(audience(5).unwrap(), 10).is_err());
    }
}
