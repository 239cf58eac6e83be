//! One request's wait for all of its acknowledgements, and the contract of whatever takes its records.
//! Kafka is not here: see [`crate::sink`]; the tests bring a sink of their own.

use prometheus_client::metrics::counter::Counter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::oneshot;

/// Which topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Events,
    DeadLetters,
}

/// Why a record was not queued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotQueued {
    #[error("the queue of records waiting for Kafka is full")]
    Full,
    #[error("{0}")]
    Away(String),
}

/// Takes records, and later reports on each.
pub trait Sink: Send + Sync + 'static {
    /// Queues one record, received at `at_ms`, and returns at once. When it is durable, `delivery` is told so
    /// ([`Delivery::ack`]); when it failed for good, `delivery` is dropped without.
    fn enqueue(&self, to: To, at_ms: i64, key: &str, value: &[u8], delivery: &Arc<Delivery>) -> Result<(), NotQueued>;

    /// Whether records can be expected to be delivered now; the reason when not. Asked for every request.
    fn ready(&self) -> Result<(), String>;
}

/// Shared by the records of one request: each holds it until its report has come. When the last one
/// lets go, the request learns how many were acknowledged. There is no count to get wrong: a record
/// that is lost without a report can only make the number smaller.
#[derive(Debug)]
pub struct Delivery {
    acked: AtomicUsize,
    done: Done,
}

#[derive(Debug)]
enum Done {
    Tell(Option<oneshot::Sender<usize>>),
    Count { kept: Counter, failed: Counter },
}

impl Delivery {
    /// For a request that waits: the receiver gets the number of acknowledged records.
    pub fn awaited() -> (Arc<Self>, oneshot::Receiver<usize>) {
        let (tell, told) = oneshot::channel();
        (Arc::new(Delivery { acked: AtomicUsize::new(0), done: Done::Tell(Some(tell)) }), told)
    }

    /// For one record nobody waits for: it is counted as kept or failed.
    pub fn counted(kept: Counter, failed: Counter) -> Arc<Self> {
        Arc::new(Delivery { acked: AtomicUsize::new(0), done: Done::Count { kept, failed } })
    }

    /// One record is durable.
    pub fn ack(&self) {
        self.acked.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let acked = *self.acked.get_mut();
        match &mut self.done {
            Done::Tell(tell) => {
                if let Some(tell) = tell.take() {
                    // Nobody listens any more when the client has gone away.
                    let _ = tell.send(acked);
                }
            }
            Done::Count { kept, failed } => {
                (if acked > 0 { kept } else { failed }).inc();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_report_ends_the_wait_and_a_lost_one_is_not_counted() {
        let (delivery, mut told) = Delivery::awaited();
        let records = [delivery.clone(), delivery.clone(), delivery.clone()];
        drop(delivery);
        let [one, two, lost] = records;
        one.ack();
        drop(one);
        drop(lost);
        assert!(told.try_recv().is_err());
        two.ack();
        drop(two);
        assert_eq!(told.try_recv(), Ok(2));
    }

    #[test]
    fn a_letter_is_counted_once() {
        let (kept, failed) = (Counter::default(), Counter::default());
        Delivery::counted(kept.clone(), failed.clone()).ack();
        drop(Delivery::counted(kept.clone(), failed.clone()));
        assert_eq!((kept.get(), failed.get()), (1, 1));
    }
}
