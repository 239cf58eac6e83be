//! Tansu's storage behind a guard. What it does well is passed on, one writer at a time. What would end
//! it with a panic is answered here (a producer asking for its next epoch, a batch for a partition or of a
//! producer that is not there, DeleteRecords), and so is what it answers wrongly (the offsets of an emptied partition).
//! An acknowledgement leaves only after the record is on the disk.

use crate::home::Home;
use crate::log::Log;
use crate::options::Sync;
use crate::producers::Producers;
use crate::routes::NODE_ID;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tansu_sans_io::create_topics_request::CreatableTopic;
use tansu_sans_io::delete_groups_response::DeletableGroupResult;
use tansu_sans_io::delete_records_request::DeleteRecordsTopic;
use tansu_sans_io::delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
use tansu_sans_io::describe_cluster_response::DescribeClusterBroker;
use tansu_sans_io::describe_configs_response::DescribeConfigsResult;
use tansu_sans_io::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use tansu_sans_io::incremental_alter_configs_request::AlterConfigsResource;
use tansu_sans_io::incremental_alter_configs_response::AlterConfigsResourceResponse;
use tansu_sans_io::list_groups_response::ListedGroup;
use tansu_sans_io::record::deflated;
use tansu_sans_io::txn_offset_commit_response::TxnOffsetCommitResponseTopic;
use tansu_sans_io::{ConfigResource, ErrorCode, IsolationLevel, ListOffset, ScramMechanism};
use tansu_storage::{
    BrokerRegistrationRequest, Error, GroupDetail, ListOffsetResponse, MetadataResponse, NamedGroupDetail, OffsetCommitRequest,
    OffsetStage, ProducerIdResponse, Result, ScramCredential, Storage, StorageContainer, TopicId, Topition, TxnAddPartitionsRequest,
    TxnAddPartitionsResponse, TxnOffsetCommitRequest, UpdateError, Version,
};
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

/// The storage that the routes see. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guarded {
    inner: StorageContainer,
    pub log: Log,
    producers: Arc<Producers>,
    /// One writer at a time: SQLite has one anyway, and tansu's connections give up at once when they meet another.
    writes: Arc<Mutex<()>>,
    journal: Option<Arc<Journal>>,
}

/// Opens the file, makes what is missing, and stands ready to take records for `address`.
pub async fn open(home: &Home, address: SocketAddr, sync: Sync) -> anyhow::Result<Guarded> {
    // Relative to the working directory, which is the data folder: tansu reads it so.
    let file = home.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let inner = StorageContainer::builder()
        .cluster_id(home.cluster_id.clone())
        .node_id(NODE_ID)
        .advertised_listener(Url::parse(&format!("tcp://{address}"))?)
        .storage(Url::parse(&format!("sqlite:///{file}"))?)
        .silent(true)
        .build()
        .await?;
    // Its first connection sets the journal's mode; only then is there a journal to open.
    inner.ping().await?;
    let log = Log::open(&home.file, &home.cluster_id).await?;
    let producers = Arc::new(Producers::open(home).await?);
    let journal = match sync {
        Sync::Always => Some(Arc::new(Journal::open(&home.file)?)),
        Sync::Later => None,
    };
    Ok(Guarded { inner, log, producers, writes: Arc::default(), journal })
}

/// SQLite's write-ahead log. Tansu sets `synchronous = normal`, which writes it at each commit but
/// syncs it only now and then; we sync it ourselves before answering, once for all who wait.
#[derive(Debug)]
struct Journal {
    file: Arc<std::fs::File>,
    /// Commits made, and commits known to be on the disk.
    made: AtomicU64,
    safe: Mutex<u64>,
}

impl Journal {
    fn open(file: &std::path::Path) -> std::io::Result<Journal> {
        let mut path = file.as_os_str().to_owned();
        path.push("-wal");
        // It stays the same file as long as a connection is open, and ours are until the end.
        Ok(Journal { file: Arc::new(std::fs::File::open(path)?), made: AtomicU64::new(0), safe: Mutex::new(0) })
    }

    /// Returns once everything committed before the call is on the disk.
    async fn settle(&self) -> std::io::Result<()> {
        let mine = self.made.fetch_add(1, Ordering::SeqCst) + 1;
        let mut safe = self.safe.lock().await;
        if *safe >= mine {
            return Ok(());
        }
        let made = self.made.load(Ordering::SeqCst);
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || file.sync_data()).await.map_err(std::io::Error::other)??;
        *safe = made;
        Ok(())
    }
}

impl Guarded {
    /// Folds the journal into the file: the next start reads one file only.
    pub async fn close(&self) -> anyhow::Result<()> {
        let _writing = self.writes.lock().await;
        Ok(self.log.checkpoint().await?)
    }

    /// Refuses what tansu cannot take.
    async fn check_produce(&self, transaction_id: Option<&str>, topition: &Topition, batch: &deflated::Batch) -> Result<()> {
        if transaction_id.is_some() || batch.is_transactional() || batch.is_control() {
            return Err(Error::Api(ErrorCode::InvalidTxnState));
        }
        self.producers.admit(topition, batch).await
    }

    /// A batch that is there already is acknowledged as it was the first time. Tansu takes one from before
    /// the wrap of the sequence numbers for one from the future.
    async fn append(&self, topition: &Topition, batch: deflated::Batch) -> Result<i64> {
        use ErrorCode::{DuplicateSequenceNumber, OutOfOrderSequenceNumber};
        match self.inner.produce(None, topition, batch.clone()).await {
            Err(Error::Api(code @ (DuplicateSequenceNumber | OutOfOrderSequenceNumber))) => {
                self.producers.offset_of_repeated(topition, &batch).await?.ok_or(Error::Api(code))
            }
            outcome => outcome,
        }
    }

    async fn list_one(&self, topition: &Topition, asked: &ListOffset) -> Result<ListOffsetResponse> {
        let (topic, partition) = (topition.topic(), topition.partition());
        let Some(bounds) = self.log.bounds(topic, partition).await? else {
            return Ok(ListOffsetResponse { error_code: ErrorCode::UnknownTopicOrPartition, timestamp: None, offset: Some(-1) });
        };
        let (offset, timestamp) = match asked {
            ListOffset::Earliest => (bounds.low, None),
            ListOffset::Latest => (bounds.high, None),
            ListOffset::Timestamp(at) => {
                let at_ms = at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
                let found = self.log.at_or_after(topic, partition, at_ms).await?;
                found.map_or((-1, None), |(offset, ms)| (offset, Some(UNIX_EPOCH + Duration::from_millis(ms.max(0) as u64))))
            }
        };
        Ok(ListOffsetResponse { error_code: ErrorCode::None, timestamp, offset: Some(offset) })
    }
}

/// Writes the whole of the trait: what is answered here, and what is only passed on.
macro_rules! storage {
    (
        here { $($own:tt)* }
        read { $(fn $read:ident($($r:ident: $rt:ty),*) -> $ro:ty;)* }
        written { $(fn $write:ident($($w:ident: $wt:ty),*) -> $wo:ty;)* }
    ) => {
        #[async_trait]
        impl Storage for Guarded {
            $($own)*
            $(async fn $read(&self, $($r: $rt),*) -> $ro {
                self.inner.$read($($r),*).await
            })*
            $(async fn $write(&self, $($w: $wt),*) -> $wo {
                let _writing = self.writes.lock().await;
                self.inner.$write($($w),*).await
            })*
        }
    };
}

storage! {
    here {
        async fn produce(&self, transaction_id: Option<&str>, topition: &Topition, batch: deflated::Batch) -> Result<i64> {
            let offset = {
                let _writing = self.writes.lock().await;
                self.check_produce(transaction_id, topition, &batch).await?;
                self.append(topition, batch).await?
            };
            if let Some(journal) = &self.journal {
                // Not acknowledged when this fails: the producer sends again, and the sequence number tells.
                journal.settle().await?;
            }
            self.log.grew();
            Ok(offset)
        }

        async fn init_producer(&self, transaction_id: Option<&str>, timeout_ms: i32, _id: Option<i64>, _epoch: Option<i16>) -> Result<ProducerIdResponse> {
            if transaction_id.is_some() {
                return Ok(ProducerIdResponse { error: ErrorCode::TransactionalIdAuthorizationFailed, id: -1, epoch: -1 });
            }
            // A producer that asks for the next epoch of its id gets a new id: that serves as well.
            let _writing = self.writes.lock().await;
            self.inner.init_producer(None, timeout_ms, Some(-1), Some(-1)).await
        }

        async fn delete_records(&self, topics: &[DeleteRecordsTopic]) -> Result<Vec<DeleteRecordsTopicResult>> {
            let mut results = Vec::with_capacity(topics.len());
            for topic in topics {
                let mut partitions = Vec::new();
                for asked in topic.partitions.iter().flatten() {
                    let result = DeleteRecordsPartitionResult::default().partition_index(asked.partition_index);
                    partitions.push(match self.log.delete_below(&topic.name, asked.partition_index, asked.offset, &self.writes).await {
                        Ok(bounds) => result.low_watermark(bounds.low).error_code(ErrorCode::None.into()),
                        Err(Error::Api(code)) => result.low_watermark(-1).error_code(code.into()),
                        Err(error) => return Err(error),
                    });
                }
                results.push(DeleteRecordsTopicResult::default().name(topic.name.clone()).partitions(Some(partitions)));
            }
            let _writing = self.writes.lock().await;
            self.log.checkpoint().await?;
            Ok(results)
        }

        async fn list_offsets(&self, _isolation: IsolationLevel, asked: &[(Topition, ListOffset)]) -> Result<Vec<(Topition, ListOffsetResponse)>> {
            let mut answers = Vec::with_capacity(asked.len());
            for (topition, offset) in asked {
                answers.push((topition.clone(), self.list_one(topition, offset).await?));
            }
            Ok(answers)
        }

        /// Not routed: [`crate::fetch`] answers readers, because it can refuse a single partition.
        async fn fetch(&self, _: &Topition, _: i64, _: u32, _: u32, _: IsolationLevel) -> Result<Vec<deflated::Batch>> {
            Err(Error::Api(ErrorCode::UnsupportedVersion))
        }

        /// Not called: tansu's maintenance deletes by age, whatever has been read.
        async fn maintain(&self, _now: SystemTime) -> Result<()> {
            Ok(())
        }
    }
    read {
        fn brokers() -> Result<Vec<DescribeClusterBroker>>;
        fn offset_stage(topition: &Topition) -> Result<OffsetStage>;
        fn offset_fetch(group: Option<&str>, topics: &[Topition], stable: Option<bool>) -> Result<BTreeMap<Topition, i64>>;
        fn committed_offset_topitions(group: &str) -> Result<BTreeMap<Topition, i64>>;
        fn metadata(topics: Option<&[TopicId]>) -> Result<MetadataResponse>;
        fn user_scram_credential(user: &str, mechanism: ScramMechanism) -> Result<Option<ScramCredential>>;
        fn describe_config(name: &str, resource: ConfigResource, keys: Option<&[String]>) -> Result<DescribeConfigsResult>;
        fn list_groups(states: Option<&[String]>) -> Result<Vec<ListedGroup>>;
        fn describe_groups(groups: Option<&[String]>, operations: bool) -> Result<Vec<NamedGroupDetail>>;
        fn describe_topic_partitions(topics: Option<&[TopicId]>, limit: i32, cursor: Option<Topition>) -> Result<Vec<DescribeTopicPartitionsResponseTopic>>;
        fn cluster_id() -> Result<String>;
        fn node() -> Result<i32>;
        fn advertised_listener() -> Result<Url>;
        fn ping() -> Result<()>;
    }
    written {
        fn register_broker(registration: BrokerRegistrationRequest) -> Result<()>;
        fn create_topic(topic: CreatableTopic, validate_only: bool) -> Result<Uuid>;
        fn delete_topic(topic: &TopicId) -> Result<ErrorCode>;
        fn incremental_alter_resource(resource: AlterConfigsResource) -> Result<AlterConfigsResourceResponse>;
        fn offset_commit(group: &str, keep: Option<Duration>, offsets: &[(Topition, OffsetCommitRequest)]) -> Result<Vec<(Topition, ErrorCode)>>;
        fn delete_groups(groups: Option<&[String]>) -> Result<Vec<DeletableGroupResult>>;
        fn update_group(group: &str, detail: GroupDetail, version: Option<Version>) -> Result<Version, UpdateError<GroupDetail>>;
        fn upsert_user_scram_credential(user: &str, mechanism: ScramMechanism, credential: ScramCredential) -> Result<()>;
        fn delete_user_scram_credential(user: &str, mechanism: ScramMechanism) -> Result<()>;
        fn txn_add_offsets(transaction: &str, producer: i64, epoch: i16, group: &str) -> Result<ErrorCode>;
        fn txn_add_partitions(partitions: TxnAddPartitionsRequest) -> Result<TxnAddPartitionsResponse>;
        fn txn_offset_commit(offsets: TxnOffsetCommitRequest) -> Result<Vec<TxnOffsetCommitResponseTopic>>;
        fn txn_end(transaction: &str, producer: i64, epoch: i16, committed: bool) -> Result<ErrorCode>;
    }
}
