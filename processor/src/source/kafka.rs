//! The topic on a Kafka-compatible broker, read on a thread of its own: all partitions assigned by hand, or
//! those that a consumer group gives. What a rebalance asks for is in [`super::group`].

use super::group::{Changes, Group};
use super::{Layout, Message, News, Offsets, Source};
use crate::config::{Assignment, Config, GroupProtocol};
use crate::entry::Place;
use crate::error::Error;
use livemeter_schemas::ledger;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long the broker may take to answer a question.
const ANSWER: Duration = Duration::from_secs(10);
/// Records handed over at once: enough to make the hand-over cheap, little enough to hold in memory.
const CHUNK: usize = 1_000;
/// Chunks waiting; when they are full the broker waits.
const CHUNKS_AHEAD: usize = 4;
/// How often the broker is asked for its end offsets.
const ENDS_EVERY: Duration = Duration::from_secs(2);

pub(super) type Client = BaseConsumer<Group>;

/// What the reading thread hands over. `seeks` tells how many it had followed by then.
pub(super) struct Handed {
    pub seeks: u64,
    pub news: Result<News, Error>,
}

/// The next offset of each partition on the broker, as last heard; and where to go on, if asked to.
#[derive(Default)]
struct Board {
    ends: Mutex<Offsets>,
    seek: Mutex<Option<(u64, Offsets)>>,
    stop: AtomicBool,
}

/// The topic on a Kafka-compatible broker.
pub struct KafkaSource {
    consumer: Arc<Client>,
    topic: String,
    assignment: Assignment,
    board: Arc<Board>,
    handed: Option<mpsc::Receiver<Handed>>,
    seeks: u64,
    /// How many partitions the topic had when the worker asked.
    partitions: Option<i32>,
    /// Per partition, the seek that it last followed: what was handed over before is read again.
    seeked: BTreeMap<i32, u64>,
}

impl KafkaSource {
    pub fn new(config: &Config) -> Result<Self, Error> {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &config.brokers)
            .set("client.id", "livemeter-processor")
            .set("group.id", &config.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset the broker does not have is an error for a person, never a reason to jump.
            .set("auto.offset.reset", "error")
            // A quarter of a second at most for fewer, fuller answers: the commit takes seconds anyway.
            .set("fetch.min.bytes", "65536")
            .set("fetch.wait.max.ms", "250")
            .set("fetch.message.max.bytes", "1048576")
            .set("queued.max.messages.kbytes", "8192")
            // Once those are full, librdkafka looks again after a whole second by itself: 20,000 records a second
            // at most, whatever the machine could do, and a backlog would never be caught up with.
            .set("fetch.queue.backoff.ms", "20");
        match config.group_protocol {
            // Kafka 4's own protocol: the broker assigns, and tells how long silence may last.
            GroupProtocol::Consumer => client.set("group.protocol", "consumer"),
            GroupProtocol::Classic => client
                .set("partition.assignment.strategy", "cooperative-sticky")
                .set("session.timeout.ms", config.session_timeout_ms.to_string()),
        };
        let consumer = client.create_with_context(Group::default()).map_err(kafka("making the consumer"))?;
        Ok(KafkaSource {
            consumer: Arc::new(consumer),
            topic: config.events_topic.clone(),
            assignment: config.assignment,
            board: Arc::default(),
            handed: None,
            seeks: 0,
            partitions: None,
            seeked: BTreeMap::new(),
        })
    }

    /// Runs a question to the broker where it may block.
    async fn ask<T: Send + 'static>(&self, question: impl FnOnce(&Client, &str) -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
        let (consumer, topic) = (self.consumer.clone(), self.topic.clone());
        let answer = tokio::task::spawn_blocking(move || question(&consumer, &topic));
        answer.await.map_err(|e| Error::Kafka(format!("asking the broker: {e}")))?
    }

    /// Leaves out what was read before the partition's last seek.
    fn current(&self, seeks: u64, messages: Vec<Message>) -> Vec<Message> {
        if self.seeked.values().all(|seeked| *seeked <= seeks) {
            return messages;
        }
        let stale = |m: &Message| self.seeked.get(&m.place.partition).is_some_and(|seeked| *seeked > seeks);
        messages.into_iter().filter(|m| !stale(m)).collect()
    }
}

impl Source for KafkaSource {
    async fn layout(&mut self) -> Result<Layout, Error> {
        let layout = self.ask(|consumer, topic| {
            let cluster_id = consumer.client().fetch_cluster_id(ANSWER);
            let cluster_id = cluster_id.ok_or_else(|| Error::Kafka("the broker does not tell its cluster id".into()))?;
            let partitions: Vec<i32> = (0..partitions(consumer, topic)?).collect();
            Ok(Layout { cluster_id, watermarks: watermarks(consumer, topic, &partitions)?.into_values().collect() })
        });
        let layout: Layout = layout.await?;
        self.partitions = i32::try_from(layout.watermarks.len()).ok();
        Ok(layout)
    }

    fn join(&mut self) -> Result<(), Error> {
        let (give, take) = mpsc::channel(CHUNKS_AHEAD);
        self.handed = Some(take);
        let (consumer, topic, board, assignment) = (self.consumer.clone(), self.topic.clone(), self.board.clone(), self.assignment);
        let partitions = self.partitions;
        let thread = std::thread::Builder::new().name("kafka-source".into());
        let pump = move || Pump { consumer: &consumer, topic: &topic, board: &board, give, seeks: 0, partitions }.run(assignment);
        thread.spawn(pump).map(drop).map_err(|e| Error::Kafka(format!("starting to read: {e}")))
    }

    async fn next(&mut self) -> Result<News, Error> {
        let Some(handed) = self.handed.as_mut() else { return Err(Error::Kafka("reading has not been started".into())) };
        let Some(Handed { seeks, news }) = handed.recv().await else { return Err(Error::Kafka("the reading thread has ended".into())) };
        match news? {
            News::Records(messages) => Ok(News::Records(self.current(seeks, messages))),
            other => Ok(other),
        }
    }

    fn seek(&mut self, offsets: &Offsets) {
        self.seeks += 1;
        self.seeked.extend(offsets.keys().map(|partition| (*partition, self.seeks)));
        *self.board.seek.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.seeks, offsets.clone()));
    }

    fn ends(&self) -> Offsets {
        self.board.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn advise(&mut self, offsets: &Offsets) {
        fail::fail_point!("before-advise");
        let advised =
            positions(&self.topic, offsets).and_then(|p| self.consumer.commit(&p, CommitMode::Async).map_err(kafka("advising offsets")));
        if let Err(error) = advised {
            tracing::debug!(%error, "group offsets were not taken; they are advisory");
        }
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.board.stop.store(true, Ordering::Relaxed);
        // Wakes the thread should it wait for room.
        self.handed = None;
    }
}

/// The reading thread: polls, so that nothing the worker does keeps the client from its duties.
struct Pump<'a> {
    consumer: &'a Client,
    topic: &'a str,
    board: &'a Board,
    give: mpsc::Sender<Handed>,
    seeks: u64,
    /// How many the topic had when that was first asked.
    partitions: Option<i32>,
}

impl Pump<'_> {
    fn run(mut self, assignment: Assignment) {
        match self.begin(assignment) {
            Ok(()) => self.read(),
            Err(error) => drop(self.hand(Err(error))),
        }
        self.changes(&|_| false, |changes| changes.close());
    }

    fn read(&mut self) {
        let mut refused: Option<Instant> = None;
        let mut asked = Instant::now();
        while !self.board.stop.load(Ordering::Relaxed) {
            self.follow_seek();
            let chunk = self.gather();
            // The same outage is told once a second, not at every poll.
            let news = match &chunk {
                Ok(messages) => !messages.is_empty(),
                Err(_) => refused.is_none_or(|at| at.elapsed() > Duration::from_secs(1)),
            };
            if news && chunk.is_err() {
                refused = Some(Instant::now());
            }
            if news && !self.hand(chunk.map(News::Records)) || !self.follow_changes() {
                return;
            }
            if asked.elapsed() > ENDS_EVERY {
                asked = Instant::now();
                if let Some(found) = self.more_partitions() {
                    self.hand(Err(found));
                    return;
                }
                // The broker answers again: an empty chunk says so, though there may be nothing to read.
                if self.ask_ends() && refused.take().is_some() && !self.hand(Ok(News::Records(Vec::new()))) {
                    return;
                }
            }
        }
    }

    fn begin(&mut self, assignment: Assignment) -> Result<(), Error> {
        match assignment {
            Assignment::Group => self.consumer.subscribe(&[self.topic]).map_err(kafka("joining the group")),
            Assignment::All => {
                let all: Vec<i32> = (0..partitions(self.consumer, self.topic)?).collect();
                self.consumer.context().note_given(&all, false);
                self.follow_changes();
                Ok(())
            }
        }
    }

    fn hand(&self, news: Result<News, Error>) -> bool {
        self.give.blocking_send(Handed { seeks: self.seeks, news }).is_ok()
    }

    /// Tells the worker of partitions that came and went, waits for its word, and does what that means.
    /// False once nobody listens any more.
    fn follow_changes(&self) -> bool {
        self.changes(&|news| self.hand(news), |changes| changes.follow())
    }

    fn changes<T>(&self, hand: &dyn Fn(Result<News, Error>) -> bool, act: impl FnOnce(&Changes<'_>) -> T) -> T {
        act(&Changes { consumer: self.consumer, topic: self.topic, hand })
    }

    fn follow_seek(&mut self) {
        let Some((seeks, offsets)) = self.board.seek.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        // All partitions were given away meanwhile: an empty list would be refused, again and again.
        if offsets.is_empty() {
            self.seeks = seeks;
            return;
        }
        let seeked = positions(self.topic, &offsets)
            .and_then(|list| self.consumer.seek_partitions(list, ANSWER).map_err(kafka("going back to stored offsets")))
            // Each partition has an answer of its own: one that did not go back would read on behind what was dropped.
            .and_then(|list| list.elements().iter().try_for_each(|one| one.error()).map_err(kafka("going back to a stored offset")));
        match seeked {
            Ok(()) => self.seeks = seeks,
            Err(error) => {
                // Tried again at the next turn, unless a newer one has come.
                self.board.seek.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((seeks, offsets));
                tracing::warn!(%error, "trying again");
            }
        }
    }

    /// Says so when the topic has another number of partitions than it had: sessions may move between them at once, and
    /// every further record could be of one whose counters another partition knows.
    fn more_partitions(&mut self) -> Option<Error> {
        let found = partitions(self.consumer, self.topic).ok()?;
        let recorded = *self.partitions.get_or_insert(found);
        (found != recorded).then(|| Error::PartitionsChanged {
            table: ledger::INCREMENTS,
            recorded: recorded.into(),
            found: found.unsigned_abs() as usize,
        })
    }

    /// Whether the broker told the end of every partition that is read here.
    fn ask_ends(&self) -> bool {
        let assigned = self.consumer.assignment().map(|list| super::group::partitions_of(&list)).unwrap_or_default();
        let told = assigned.iter().map(|p| Some((*p, self.consumer.fetch_watermarks(self.topic, *p, Duration::from_secs(1)).ok()?.1)));
        let ends: Option<Offsets> = told.collect();
        let heard = ends.is_some();
        if let Some(ends) = ends {
            *self.board.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
        }
        heard
    }

    /// What is there, up to a chunk; waits a little for the first record. Ends early when partitions come or
    /// go: what was gathered of those is left out, since it is read again from where the ledger says.
    fn gather(&self) -> Result<Vec<Message>, Error> {
        let mut messages = Vec::new();
        let mut wait = Duration::from_millis(100);
        while messages.len() < CHUNK {
            match self.consumer.poll(wait) {
                None => break,
                Some(Ok(m)) => {
                    let place = Place { partition: m.partition(), offset: m.offset() };
                    messages.push(Message { place, payload: m.payload().unwrap_or_default().to_vec() });
                }
                // Records behind the error are not on their way any more: it is what the worker must hear.
                Some(Err(error)) => match consuming(error) {
                    passing if passing.retry() && !messages.is_empty() => break,
                    error => return Err(error),
                },
            }
            wait = Duration::ZERO;
        }
        let changed = self.consumer.context().changed();
        messages.retain(|m| !changed.contains(&m.place.partition));
        Ok(messages)
    }
}

fn partitions(consumer: &Client, topic: &str) -> Result<i32, Error> {
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER).map_err(kafka("reading the topic"))?;
    let found = metadata.topics().iter().find(|t| t.name() == topic && t.error().is_none()).map_or(0, |t| t.partitions().len());
    if found == 0 {
        return Err(Error::Kafka(format!("topic {topic:?} is not there yet")));
    }
    Ok(found as i32)
}

/// Lowest and next offset of each.
pub(super) fn watermarks(consumer: &Client, topic: &str, partitions: &[i32]) -> Result<BTreeMap<i32, (i64, i64)>, Error> {
    let told = partitions.iter().map(|p| Ok((*p, consumer.fetch_watermarks(topic, *p, ANSWER).map_err(kafka("reading watermarks"))?)));
    told.collect()
}

pub(super) fn positions(topic: &str, offsets: &Offsets) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).map_err(kafka("naming offsets"))?;
    }
    Ok(list)
}

fn consuming(error: KafkaError) -> Error {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => Error::OffsetGone(error.to_string()),
        _ => Error::Kafka(error.to_string()),
    }
}

pub(super) fn kafka(what: &'static str) -> impl Fn(KafkaError) -> Error {
    move |error| Error::Kafka(format!("{what}: {error}"))
}
