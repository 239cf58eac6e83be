//! What a consumer group's rebalance asks for: partitions that come and go. The client only notes them; the
//! reading thread then tells the worker, waits until it has recovered or let go, and answers the group.
//! So a partition is read only from where the ledger says, and is given away only once nothing of it is held.

use super::kafka::{Client, kafka, positions, watermarks};
use super::{Given, News, Taken};
use crate::error::Error;
use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Pause before a broker that does not answer is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// One step of a rebalance that has not been followed yet.
#[derive(Debug, Clone)]
struct Change {
    partitions: Vec<i32>,
    given: bool,
    lost: bool,
    /// Added to or taken from what is assigned, or instead of all of it.
    incremental: bool,
}

impl Change {
    /// Answers the group.
    fn answer(&self, consumer: &BaseConsumer<Group>, list: &TopicPartitionList) -> KafkaResult<()> {
        match (self.given, self.incremental) {
            (true, true) => consumer.incremental_assign(list),
            (true, false) => consumer.assign(list),
            (false, true) => consumer.incremental_unassign(list),
            (false, false) => consumer.unassign(),
        }
    }
}

/// The client's side: notes what the group asks for.
#[derive(Debug, Default)]
pub struct Group {
    changes: Mutex<VecDeque<Change>>,
    /// Nobody follows any more: the client answers by itself, so that it can say goodbye.
    closing: AtomicBool,
}

impl Group {
    fn changes(&self) -> MutexGuard<'_, VecDeque<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes partitions that are to be read from now on.
    pub fn note_given(&self, partitions: &[i32], incremental: bool) {
        self.changes().push_back(Change { partitions: partitions.to_vec(), given: true, lost: false, incremental });
    }

    /// Partitions of changes that have not been followed yet.
    pub fn changed(&self) -> BTreeSet<i32> {
        self.changes().iter().flat_map(|change| change.partitions.iter().copied()).collect()
    }
}

impl ClientContext for Group {}

impl ConsumerContext for Group {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let given = what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let incremental = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let lost = !given && consumer.assignment_lost();
        let change = Change { partitions: partitions_of(list), given, lost, incremental };
        if !self.closing.load(Ordering::Relaxed) {
            self.changes().push_back(change);
        } else if let Err(error) = change.answer(consumer, list) {
            tracing::debug!(%error, "leaving the group");
        }
    }
}

pub fn partitions_of(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}

/// The reading thread's side: follows what was noted.
pub struct Changes<'a> {
    pub consumer: &'a Client,
    pub topic: &'a str,
    pub hand: &'a dyn Fn(Result<News, Error>) -> bool,
}

impl Changes<'_> {
    /// False once nobody listens any more.
    pub fn follow(&self) -> bool {
        loop {
            let Some(change) = self.consumer.context().changes().front().cloned() else { return true };
            let followed = if change.given { self.give(&change) } else { self.take(&change) };
            // Left at the front until done, so that nothing gathered meanwhile of its partitions is kept.
            self.consumer.context().changes().pop_front();
            match followed {
                Ok(true) => {}
                Ok(false) => return false,
                Err(error) => {
                    if !(self.hand)(Err(error)) {
                        return false;
                    }
                }
            }
        }
    }

    fn give(&self, change: &Change) -> Result<bool, Error> {
        let watermarks = loop {
            match watermarks(self.consumer, self.topic, &change.partitions) {
                Ok(watermarks) => break watermarks,
                Err(error) => {
                    if !(self.hand)(Err(error)) {
                        return Ok(false);
                    }
                    std::thread::sleep(RETRY_AFTER);
                }
            }
        };
        let (begin, begun) = oneshot::channel();
        if !(self.hand)(Ok(News::Given(Given { watermarks, begin }))) {
            return Ok(false);
        }
        // The worker has gone: so shall we, at the next hand-over.
        let Ok(offsets) = begun.blocking_recv() else { return Ok(true) };
        change.answer(self.consumer, &positions(self.topic, &offsets)?).map_err(kafka("assigning partitions"))?;
        Ok(true)
    }

    /// Answers what is left without anybody's word: the thread ends.
    pub fn close(&self) {
        self.consumer.context().closing.store(true, Ordering::Relaxed);
        for change in std::mem::take(&mut *self.consumer.context().changes()) {
            let list = change.partitions.iter().map(|p| (*p, 0)).collect();
            let answered = positions(self.topic, &list).and_then(|list| change.answer(self.consumer, &list).map_err(kafka("leaving")));
            if let Err(error) = answered {
                tracing::debug!(%error, "leaving the group");
            }
        }
    }

    fn take(&self, change: &Change) -> Result<bool, Error> {
        let (done, heard) = oneshot::channel();
        if !(self.hand)(Ok(News::Taken(Taken { partitions: change.partitions.clone(), lost: change.lost, done }))) {
            return Ok(false);
        }
        let _ = heard.blocking_recv();
        fail::fail_point!("revoke");
        let list = change.partitions.iter().map(|p| (*p, 0)).collect();
        change.answer(self.consumer, &positions(self.topic, &list)?).map_err(kafka("giving partitions away"))?;
        Ok(true)
    }
}
