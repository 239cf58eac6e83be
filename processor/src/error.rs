//! Why the processor cannot go on, by cause. What is wrong with a single record is not here: that is
//! a refusal, and ends in the dead letter.

use deltalake::DeltaTableError;

/// Every cause, with what to do about it where the processor stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that cannot work.
    #[error("{name} is {value:?}; accepted: {accepted}")]
    Setting { name: &'static str, value: String, accepted: String },

    /// The broker did not answer, or not well.
    #[error("kafka: {0}")]
    Kafka(String),

    /// The broker will not have dead letters, until somebody mends the topic or its rights.
    #[error("kafka: the broker refuses dead letters: {0}. They are kept and given again; nothing is committed before they are taken")]
    LettersRefused(String),

    /// Reading or writing the ledger's storage failed.
    #[error("ledger: {what}: {source}")]
    Storage { what: &'static str, source: Box<DeltaTableError> },

    /// A table of the ledger is not as this version writes it.
    #[error("ledger: {0}")]
    Ledger(String),

    /// A table's columns are neither this version's nor an earlier one's. Nothing was written.
    #[error("table {table}: column {column} {why}")]
    Columns { table: &'static str, column: String, why: String },

    /// Someone else has committed to this table from the same topic.
    #[error(
        "table {table}: partition {partition} was at offset {stored} when a batch from {start} to {end} was to be committed: \
         another processor writes to this ledger. Nothing of the batch was committed. Let one processor run, and start it again"
    )]
    Fenced { table: &'static str, partition: i32, stored: i64, start: i64, end: i64 },

    /// The stored offset is no longer, or not yet, on the broker.
    #[error(
        "table {table}: partition {partition} is to go on at offset {stored}, but the broker holds {low} to {high}. \
         Records were deleted before they were booked, or the topic was re-created. If that loss is known and accepted, \
         raise `generation` by one: reading then begins at the first record the broker holds"
    )]
    OutOfRange { table: &'static str, partition: i32, stored: i64, low: i64, high: i64 },

    /// Another record stands where the last one that was booked had stood.
    #[error(
        "partition {partition}: the record at offset {offset} is not the one that the ledger was written from: the topic was \
         re-created, or its records were replaced. Nothing of it was booked. If the loss of what was not booked before is known and \
         accepted, raise `generation` by one: reading then begins at the first record the broker holds"
    )]
    TopicReplaced { partition: i32, offset: i64 },

    /// The broker deleted records while they were being read.
    #[error(
        "the broker no longer holds the records that come next ({0}): they were deleted before they were booked. If that loss \
         is known and accepted, raise `generation` by one: reading then begins at the first record the broker holds"
    )]
    OffsetGone(String),

    /// The topic has another number of partitions than recorded.
    #[error(
        "table {table}: the topic has {found} partitions, the ledger was written from {recorded}. Sessions may have moved \
         between partitions, so their order is lost. Once everything before the change is booked, raise `generation` by one"
    )]
    PartitionsChanged { table: &'static str, recorded: i64, found: usize },

    /// The generation is known, but not from this cluster and topic.
    #[error(
        "table {table}: generation {generation} was not read from topic {topic:?} of cluster {cluster_id:?}. \
         If the topic was moved on purpose, raise `generation` by one; else set `brokers` and `events_topic` right"
    )]
    SourceChanged { table: &'static str, generation: u32, topic: String, cluster_id: String },

    /// The ledger is already at a later generation.
    #[error("table {table}: the ledger is at generation {recorded}, `generation` is set to {configured}. Set it to {recorded}")]
    GenerationBehind { table: &'static str, recorded: i64, configured: u32 },

    /// A derived table could not be made; the primary tables are as they were.
    #[error("derived table {table}: {reason}")]
    Derive { table: &'static str, reason: String, retry: bool },

    /// Merging files would have changed what the ledger says. Nothing was committed.
    #[error("table {table}, date {date}: merging its files would change the sums: {what}. Nothing was committed")]
    Unequal { table: &'static str, date: String, what: String },

    /// A merge took so long that what it wrote may be gone.
    #[error("table {table}: a merge took {took_ms} ms, of at most {limit_ms} ms (half of `retention`): it was given up")]
    Slow { table: &'static str, took_ms: u64, limit_ms: u64 },

    /// The admin address cannot be had.
    #[error("admin address {listen}: {source}")]
    Listen { listen: std::net::SocketAddr, source: std::io::Error },
}

impl Error {
    /// Whether the same thing may succeed later, with nobody having done anything here.
    pub fn retry(&self) -> bool {
        match self {
            Error::Kafka(_) | Error::LettersRefused(_) | Error::Slow { .. } => true,
            Error::Derive { retry, .. } => *retry,
            Error::Storage { source, .. } => !matches!(
                source.as_ref(),
                DeltaTableError::SchemaMismatch { .. }
                    | DeltaTableError::InvalidData { .. }
                    | DeltaTableError::NotATable(_)
                    | DeltaTableError::InvalidTableLocation(_)
                    | DeltaTableError::MissingFeature { .. }
            ),
            Error::Setting { .. }
            | Error::Ledger(_)
            | Error::Columns { .. }
            | Error::Fenced { .. }
            | Error::OutOfRange { .. }
            | Error::OffsetGone(_)
            | Error::TopicReplaced { .. }
            | Error::PartitionsChanged { .. }
            | Error::SourceChanged { .. }
            | Error::GenerationBehind { .. }
            | Error::Unequal { .. }
            | Error::Listen { .. } => false,
        }
    }

    /// For `map_err`: a storage failure while doing `what`.
    pub fn storage<E: Into<DeltaTableError>>(what: &'static str) -> impl FnOnce(E) -> Error {
        move |source| Error::Storage { what, source: Box::new(source.into()) }
    }
}
