//! The stage for a worker without a broker: a topic in memory, a sink in memory, a ledger in a folder.

use crate::client::{Row, T0};
use livemeter_processor::config::Config;
use livemeter_processor::error::Error;
use livemeter_processor::scan;
use livemeter_processor::sink::Sink;
use livemeter_processor::source::{Given, Layout, Message, News, Offsets, Source, Taken};
use livemeter_processor::status::Status;
use livemeter_processor::worker::Worker;
use livemeter_schemas::record::DeadLetter;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

/// A step of a rebalance, as a test wants it.
enum Step {
    Give(Vec<i32>),
    Take(Vec<i32>, bool),
}

/// A topic in memory. Copies share their records: what a broker keeps while workers come and go.
#[derive(Clone, Default)]
pub struct Topic {
    pub cluster_id: String,
    pub partitions: Arc<Mutex<Vec<Vec<Message>>>>,
    pub low: i64,
    /// A member of a group is given nothing until the test says so.
    member: bool,
    steps: Arc<Mutex<VecDeque<Step>>>,
    /// What the worker has let go of so far.
    pub let_go: Arc<Mutex<Vec<i32>>>,
    read: Reading,
}

/// Where this copy reads. Not shared.
#[derive(Default)]
struct Reading {
    offsets: Offsets,
    begin: Option<oneshot::Receiver<Offsets>>,
    done: Option<(Vec<i32>, oneshot::Receiver<()>)>,
}

impl Clone for Reading {
    fn clone(&self) -> Self {
        Reading::default()
    }
}

impl Topic {
    pub fn new(partitions: Vec<Vec<Message>>) -> Self {
        Topic { cluster_id: "cluster-1".into(), partitions: Arc::new(Mutex::new(partitions)), ..Topic::default() }
    }

    /// Everything from one partition, as records.
    pub fn of(payloads: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Topic::new(vec![(0..).zip(payloads).map(|(i, p)| crate::client::message(0, i, p)).collect()])
    }

    /// The same topic as another member of a group reads it.
    pub fn member(&self) -> Self {
        Topic { member: true, steps: Arc::default(), let_go: Arc::default(), ..self.clone() }
    }

    pub fn give(&self, partitions: &[i32]) {
        self.steps.lock().unwrap().push_back(Step::Give(partitions.to_vec()));
    }

    pub fn take_away(&self, partitions: &[i32], lost: bool) {
        self.steps.lock().unwrap().push_back(Step::Take(partitions.to_vec(), lost));
    }

    pub fn add(&self, partition: usize, payload: Vec<u8>) {
        let mut all = self.partitions.lock().unwrap();
        let offset = all[partition].len() as i64;
        all[partition].push(crate::client::message(partition as i32, offset, payload));
    }

    /// What a rebalance waits for has been said by now.
    fn settle(&mut self) {
        if let Some(begin) = self.read.begin.take() {
            self.read.offsets.extend(said(begin));
        }
        if let Some((partitions, mut done)) = self.read.done.take() {
            done.try_recv().expect("the worker says when it has let go, before it asks for more");
            self.let_go.lock().unwrap().extend(&partitions);
            self.read.offsets.retain(|p, _| !partitions.contains(p));
        }
    }
}

/// What a worker has said before it asks for more; nothing when it has gone.
fn said(mut hear: oneshot::Receiver<Offsets>) -> Offsets {
    hear.try_recv().unwrap_or_default()
}

impl Source for Topic {
    async fn layout(&mut self) -> Result<Layout, Error> {
        let watermarks = self.ends().into_values().map(|end| (self.low, end)).collect();
        Ok(Layout { cluster_id: self.cluster_id.clone(), watermarks })
    }

    fn join(&mut self) -> Result<(), Error> {
        if !self.member {
            let all: Vec<i32> = self.ends().into_keys().collect();
            self.steps = Arc::default();
            self.give(&all);
        }
        Ok(())
    }

    /// Up to 7 records of each partition; waits for ever at the end.
    async fn next(&mut self) -> Result<News, Error> {
        self.settle();
        let step = self.steps.lock().unwrap().pop_front();
        match step {
            Some(Step::Give(partitions)) => {
                let (say, hear) = oneshot::channel();
                self.read.begin = Some(hear);
                let watermarks = self.ends().into_iter().filter(|(p, _)| partitions.contains(p)).map(|(p, end)| (p, (self.low, end)));
                return Ok(News::Given(Given { watermarks: watermarks.collect(), begin: say }));
            }
            Some(Step::Take(partitions, lost)) => {
                let (say, hear) = oneshot::channel();
                self.read.done = Some((partitions.clone(), hear));
                return Ok(News::Taken(Taken { partitions, lost, done: say }));
            }
            None => {}
        }
        let mut chunk = Vec::new();
        for (p, read) in &mut self.read.offsets {
            let records = self.partitions.lock().unwrap();
            let some = records[*p as usize].iter().skip(*read as usize).take(7);
            let before = chunk.len();
            chunk.extend(some.cloned());
            *read += (chunk.len() - before) as i64;
        }
        if chunk.is_empty() {
            std::future::pending::<()>().await;
        }
        Ok(News::Records(chunk))
    }

    fn seek(&mut self, offsets: &Offsets) {
        self.read.offsets.extend(offsets);
    }

    fn ends(&self) -> Offsets {
        (0..).zip(self.partitions.lock().unwrap().iter()).map(|(p, records)| (p, records.len() as i64)).collect()
    }

    fn advise(&mut self, _: &Offsets) {}
}

/// Dead letters in memory; refuses the first `failures` times.
#[derive(Clone, Default)]
pub struct Letters {
    pub letters: Arc<Mutex<Vec<DeadLetter>>>,
    pub failures: Arc<Mutex<u32>>,
}

impl Sink for Letters {
    async fn put(&mut self, letters: &[DeadLetter]) -> Result<(), Error> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(Error::Kafka("the broker is away".into()));
        }
        self.letters.lock().unwrap().extend_from_slice(letters);
        Ok(())
    }
}

pub type Player = Worker<Topic, Letters>;

pub fn config(folder: &Path) -> Config {
    Config {
        ledger: folder.to_str().unwrap().into(),
        commit_interval_ms: 100,
        // Maintenance only where a test asks for it.
        checkpoint_commits: 1_000_000,
        ..Config::default()
    }
}

pub fn clock() -> i64 {
    T0 + 60_000
}

/// A worker that has been given what it is to read.
pub async fn open(config: &Config, topic: &Topic, letters: &Letters) -> Result<Player, Error> {
    let mut worker = join(config, topic, letters).await?;
    worker.turn().await?;
    Ok(worker)
}

/// A worker that waits to be given something.
pub async fn join(config: &Config, topic: &Topic, letters: &Letters) -> Result<Player, Error> {
    let source = if topic.member { Topic { read: Reading::default(), ..topic.clone() } } else { topic.clone() };
    Worker::open(config.clone(), Status::new(), source, letters.clone(), clock).await
}

/// Offsets from partition 0 on.
pub fn at<const N: usize>(offsets: [i64; N]) -> Offsets {
    (0..).zip(offsets).collect()
}

/// Works until everything on the topic is committed.
pub async fn drain(worker: &mut Player, topic: &Topic) {
    while worker.committed() != Source::ends(topic) {
        tokio::time::timeout(Duration::from_secs(30), worker.turn()).await.expect("the worker is stuck").unwrap();
    }
}

/// Reads the whole topic through one worker. Its maintenance has ended by then: going on beside the test, it would merge
/// files between two looks at them, or overtake the test's own merge.
pub async fn work_through(config: &Config, topic: &Topic) -> Player {
    let mut worker = open(config, topic, &Letters::default()).await.unwrap();
    drain(&mut worker, topic).await;
    worker.settle_within(Duration::from_secs(60)).await;
    worker
}

/// Polls a future `polls` times, with time between for what runs beside it; then drops it where it stands,
/// as a crash would. None when it was dropped.
pub async fn crash_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let std::task::Poll::Ready(value) = futures::poll!(future.as_mut()) {
            return Some(value);
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    None
}

fn met(rows: Vec<Row>) -> Vec<Row> {
    let mut all: BTreeMap<(String, String, i64), Row> = BTreeMap::new();
    for row in rows {
        let key = (row.session.clone(), row.cdn.clone(), row.window_start_ms);
        let Some(met) = all.get_mut(&key) else {
            all.insert(key, row);
            continue;
        };
        met.added.iter_mut().zip(row.added).for_each(|(sum, more)| *sum += more);
        met.reached.iter_mut().zip(row.reached).for_each(|(most, reached)| *most = (*most).max(reached));
        (met.seq, met.at_ms) = (met.seq.max(row.seq), met.at_ms.max(row.at_ms));
    }
    all.into_values().collect()
}

/// Both tables as anybody would read them: freshly opened, at their latest version. Rows of one session, CDN and window
/// are told as one: how many they are depends on the commits they came in.
pub async fn ledger(folder: &Path) -> (Vec<Row>, Vec<(String, u64)>) {
    let (mut rows, mut events) = (Vec::new(), Vec::new());
    let table = load(folder, "increments").await;
    let columns: Vec<String> =
        livemeter_schemas::ledger::increments().fields().iter().map(|f| f.name().clone()).filter(|n| n != "date").collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    for file in scan::files(&table).unwrap() {
        let read = scan::read(&table, &file, &columns, None, |c| {
            let numbers = |prefix: &str, row: usize| {
                ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"]
                    .map(|n| c.int(&format!("{prefix}{n}")).unwrap().value(row) as u64)
            };
            for row in 0..c.rows() {
                let window_start_ms = c.ms("window_start")?(row);
                assert_eq!(livemeter_processor::buffer::date(window_start_ms), file.date);
                rows.push(Row {
                    session: c.text("session_id")?.value(row).to_owned(),
                    cdn: c.text("cdn")?.value(row).to_owned(),
                    window_start_ms,
                    added: numbers("", row),
                    reached: numbers("reached_", row),
                    seq: c.int("reached_seq")?.value(row) as u64,
                    at_ms: c.ms("at")?(row),
                });
            }
            Ok(())
        });
        read.await.unwrap();
    }
    let table = load(folder, "events").await;
    for file in scan::files(&table).unwrap() {
        let read = scan::read(&table, &file, &["session_id", "seq"], None, |c| {
            events
                .extend((0..c.rows()).map(|r| (c.text("session_id").unwrap().value(r).to_owned(), c.int("seq").unwrap().value(r) as u64)));
            Ok(())
        });
        read.await.unwrap();
    }
    events.sort();
    (met(rows), events)
}

pub async fn load(folder: &Path, name: &str) -> deltalake::DeltaTable {
    let url = url::Url::from_directory_path(folder.join(name)).unwrap();
    deltalake::DeltaTableBuilder::from_url(url).unwrap().load().await.unwrap()
}
