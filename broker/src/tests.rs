//! The guard and the log together, on a file of their own, without a network: what a well-behaved
//! client would take years, or a misbehaving one, to reach.

use crate::guard::{Guarded, open};
use crate::home::Home;
use crate::options::Sync;
use tansu_sans_io::ErrorCode;
use tansu_sans_io::create_topics_request::CreatableTopic;
use tansu_sans_io::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use tansu_sans_io::record::{Record, deflated, inflated};
use tansu_storage::{BrokerRegistrationRequest, Error, Storage as _, Topition};
use tempfile::TempDir;
use tokio::sync::Mutex;

/// Opening a home makes it the working directory, which all tests of one process share.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn broker(folder: &TempDir) -> (Home, Guarded) {
    let _alone = ONE_AT_A_TIME.lock().await;
    let home = Home::open(folder.path(), Some("tests")).await.unwrap();
    let storage = open(&home, "127.0.0.1:1".parse().unwrap(), Sync::Always).await.unwrap();
    let registration = BrokerRegistrationRequest {
        broker_id: crate::routes::NODE_ID,
        cluster_id: "tests".into(),
        incarnation_id: uuid::Uuid::new_v4(),
        rack: None,
    };
    storage.register_broker(registration).await.unwrap();
    let topic =
        CreatableTopic::default().name("t".into()).num_partitions(1).replication_factor(1).assignments(Some(vec![])).configs(Some(vec![]));
    storage.create_topic(topic, false).await.unwrap();
    (home, storage)
}

/// `count` records of a producer, from a sequence number on.
fn batch(producer: i64, epoch: i16, sequence: i32, count: i32) -> deflated::Batch {
    let mut batch =
        inflated::Batch::builder().producer_id(producer).producer_epoch(epoch).base_sequence(sequence).last_offset_delta(count - 1);
    for n in 0..count {
        batch = batch.record(Record::builder().offset_delta(n).value(Some(format!("{sequence}+{n}").into_bytes().into())));
    }
    batch.build().and_then(TryInto::try_into).unwrap()
}

async fn producer(storage: &Guarded) -> i64 {
    storage.init_producer(None, 0, Some(-1), Some(-1)).await.unwrap().id
}

fn code<T: std::fmt::Debug>(result: tansu_storage::Result<T>) -> ErrorCode {
    match result {
        Err(Error::Api(code)) => code,
        other => panic!("{other:?} is no refusal"),
    }
}

#[tokio::test]
async fn what_would_end_tansus_storage_is_refused_and_the_next_request_served() {
    let folder = tempfile::tempdir().unwrap();
    let (_home, storage) = broker(&folder).await;
    let there = Topition::new("t", 0);
    let id = producer(&storage).await;
    assert_eq!(code(storage.produce(None, &Topition::new("t", 9), batch(id, 0, 0, 1)).await), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(code(storage.produce(None, &Topition::new("none", 0), batch(id, 0, 0, 1)).await), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(code(storage.produce(None, &there, batch(id + 100, 0, 0, 1)).await), ErrorCode::UnknownProducerId);
    assert_eq!(code(storage.produce(Some("transaction"), &there, batch(id, 0, 0, 1)).await), ErrorCode::InvalidTxnState);
    // A producer that asks for the next epoch of its id.
    assert_ne!(storage.init_producer(None, 0, Some(id), Some(0)).await.unwrap().id, id);
    assert_eq!(storage.produce(None, &there, batch(id, 0, 0, 3)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_repeated_batch_is_acknowledged_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (home, storage) = broker(&folder).await;
    let there = Topition::new("t", 0);
    let (one, two) = (producer(&storage).await, producer(&storage).await);
    assert_eq!(storage.produce(None, &there, batch(one, 0, 0, 3)).await.unwrap(), 0);
    assert_eq!(storage.produce(None, &there, batch(two, 0, 0, 2)).await.unwrap(), 3);
    assert_eq!(storage.produce(None, &there, batch(one, 0, 3, 1)).await.unwrap(), 5);
    for (again, offset) in [(batch(one, 0, 0, 3), 0), (batch(two, 0, 0, 2), 3), (batch(one, 0, 3, 1), 5)] {
        assert_eq!(storage.produce(None, &there, again).await.unwrap(), offset);
    }
    assert_eq!(code(storage.produce(None, &there, batch(one, 0, 9, 1)).await), ErrorCode::OutOfOrderSequenceNumber);
    // Only the last few are remembered; an older one is still recognised, without its place.
    for n in 4..12 {
        storage.produce(None, &there, batch(one, 0, n, 1)).await.unwrap();
    }
    assert_eq!(code(storage.produce(None, &there, batch(one, 0, 0, 3)).await), ErrorCode::DuplicateSequenceNumber);
    assert_eq!(storage.log.bounds("t", 0).await.unwrap().unwrap().high, 14, "nothing was written twice");
    // Also after the process has gone and come back.
    drop((home, storage));
    let (_home, storage) = reopened(&folder).await;
    assert_eq!(storage.produce(None, &there, batch(one, 0, 11, 1)).await.unwrap(), 13);
}

async fn reopened(folder: &TempDir) -> (Home, Guarded) {
    let _alone = ONE_AT_A_TIME.lock().await;
    let home = Home::open(folder.path(), None).await.unwrap();
    let storage = open(&home, "127.0.0.1:1".parse().unwrap(), Sync::Always).await.unwrap();
    (home, storage)
}

#[tokio::test]
async fn a_producer_may_raise_its_epoch_and_never_lower_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_home, storage) = broker(&folder).await;
    let there = Topition::new("t", 0);
    let id = producer(&storage).await;
    storage.produce(None, &there, batch(id, 0, 0, 3)).await.unwrap();
    assert_eq!(code(storage.produce(None, &there, batch(id, 1, 7, 1)).await), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(storage.produce(None, &there, batch(id, 1, 0, 1)).await.unwrap(), 3);
    assert_eq!(code(storage.produce(None, &there, batch(id, 0, 3, 1)).await), ErrorCode::InvalidProducerEpoch);
}

#[tokio::test]
async fn sequence_numbers_wrap_after_two_thousand_million_records() {
    let folder = tempfile::tempdir().unwrap();
    let (home, storage) = broker(&folder).await;
    let there = Topition::new("t", 0);
    let id = producer(&storage).await;
    storage.produce(None, &there, batch(id, 0, 0, 1)).await.unwrap();
    let file = libsql::Builder::new_local(&home.file).build().await.unwrap().connect().unwrap();
    file.execute("update producer_detail set sequence = 2147483645", ()).await.unwrap();
    assert_eq!(storage.produce(None, &there, batch(id, 0, 2_147_483_645, 5)).await.unwrap(), 1);
    assert_eq!(storage.produce(None, &there, batch(id, 0, 2_147_483_645, 5)).await.unwrap(), 1, "recognised across the wrap");
    assert_eq!(storage.produce(None, &there, batch(id, 0, 2, 1)).await.unwrap(), 6);
}

#[tokio::test]
async fn deletion_goes_on_where_it_was_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (home, storage) = broker(&folder).await;
    let id = producer(&storage).await;
    storage.produce(None, &Topition::new("t", 0), batch(id, 0, 0, 100)).await.unwrap();
    // As a crash leaves it: the mark moved, the rows still there.
    let file = libsql::Builder::new_local(&home.file).build().await.unwrap().connect().unwrap();
    file.execute("update watermark set low = 60", ()).await.unwrap();
    let (bounds, read) = storage.log.read("t", 0, 59, 1 << 20, true).await.unwrap().unwrap();
    assert_eq!((bounds.low, read.batches.len()), (60, 0), "what is below the mark is out of reach");
    let asked = DeleteRecordsPartition::default().partition_index(0).offset(61);
    storage.delete_records(&[DeleteRecordsTopic::default().name("t".into()).partitions(Some(vec![asked]))]).await.unwrap();
    let left: i64 = file.query("select count(*) from record", ()).await.unwrap().next().await.unwrap().unwrap().get(0).unwrap();
    assert_eq!(left, 39);
}
