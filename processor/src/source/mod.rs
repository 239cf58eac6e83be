//! Records out of Kafka, and the partitions they come from. Which offsets are read is decided by the worker,
//! from the ledger; none is ever reset here. [`kafka`] is the only consumer.

mod group;
pub mod kafka;

pub use kafka::KafkaSource;

use crate::entry::Place;
use crate::error::Error;
use std::collections::BTreeMap;
use std::future::Future;
use tokio::sync::oneshot;

/// An offset for each of some partitions.
pub type Offsets = BTreeMap<i32, i64>;

/// One record as it stands on the topic.
#[derive(Debug, Clone)]
pub struct Message {
    pub place: Place,
    pub payload: Vec<u8>,
}

/// What the broker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub cluster_id: String,
    /// Lowest and next offset of each partition, from partition 0 on.
    pub watermarks: Vec<(i64, i64)>,
}

/// What comes next out of a source.
#[derive(Debug)]
pub enum News {
    /// Records, in order within each partition. None at all says that all is well again after an error.
    Records(Vec<Message>),
    Given(Given),
    Taken(Taken),
}

/// Partitions to be read from now on, beside those given before.
#[derive(Debug)]
pub struct Given {
    /// Lowest and next offset of each.
    pub watermarks: BTreeMap<i32, (i64, i64)>,
    /// Reading begins once this says where. Dropped, nothing is read.
    pub begin: oneshot::Sender<Offsets>,
}

/// Partitions that another worker will read. It starts only once `done` is said, or dropped.
#[derive(Debug)]
pub struct Taken {
    pub partitions: Vec<i32>,
    /// They went long ago, while this worker was not heard of: somebody else may be reading them already.
    pub lost: bool,
    pub done: oneshot::Sender<()>,
}

/// Where records come from. Another one in tests, so that every crash can be acted out without a broker.
pub trait Source: Send {
    fn layout(&mut self) -> impl Future<Output = Result<Layout, Error>> + Send;
    /// Asks for partitions; they come as [`News::Given`].
    fn join(&mut self) -> Result<(), Error>;
    /// What comes next; waits until there is something. May be dropped while it waits: nothing is lost.
    fn next(&mut self) -> impl Future<Output = Result<News, Error>> + Send;
    /// Goes on at these offsets: what was read ahead of them is not handed over any more.
    fn seek(&mut self, offsets: &Offsets);
    /// The next offset of each partition on the broker, as last heard.
    fn ends(&self) -> Offsets;
    /// Shows committed offsets to Kafka's own tools. Nothing depends on it.
    fn advise(&mut self, offsets: &Offsets);
}
