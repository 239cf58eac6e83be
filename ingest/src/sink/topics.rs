//! Making topics that are missing: for the command that sets a cluster up. Ingest itself never does.

use super::topic_is_there;
use crate::error::Error;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One try at one topic; a broker that is only just starting may never answer the first.
const CREATE_TIMEOUT: Duration = Duration::from_secs(5);
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(300);
/// The broker's own default; brokers that have none are asked for one copy.
const REPLICATION_DEFAULT: i32 = -1;

type Admin = AdminClient<DefaultClientContext>;

/// Makes each `(name, partitions)` unless it exists, and waits until all can be seen. Topics that
/// exist are left as they are, whatever their number of partitions.
///
/// # Errors
/// `Error::Topics` with the last reason, when `timeout` ran out; the cluster may still come.
pub async fn ensure_topics(brokers: &str, topics: &[(&str, i32)], timeout: Duration) -> Result<(), Error> {
    let began = Instant::now();
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", brokers).set("client.id", "livemeter-topics").set("allow.auto.create.topics", "false");
    // A broker that is just being started is found as soon as it listens.
    settings.set("reconnect.backoff.max.ms", "500");
    let admin: Arc<Admin> = Arc::new(settings.create().map_err(|e| Error::Kafka(e.to_string()))?);
    loop {
        let left = timeout.saturating_sub(began.elapsed());
        let attempt = async {
            create(&admin, topics).await?;
            see(&admin, topics).await
        };
        let reason = match tokio::time::timeout(left, attempt).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(_) => "no answer in time".to_owned(),
        };
        if began.elapsed() + TRY_AGAIN_AFTER >= timeout {
            return Err(Error::Topics { brokers: brokers.to_owned(), waited_ms: began.elapsed().as_millis(), reason });
        }
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
    }
}

async fn create(admin: &Admin, topics: &[(&str, i32)]) -> Result<(), String> {
    for (name, partitions) in topics {
        match create_one(admin, name, *partitions, REPLICATION_DEFAULT).await? {
            None | Some(RDKafkaErrorCode::TopicAlreadyExists) => {}
            Some(_) => match create_one(admin, name, *partitions, 1).await? {
                None | Some(RDKafkaErrorCode::TopicAlreadyExists) => {}
                Some(code) => return Err(format!("topic {name}: {code}")),
            },
        }
    }
    Ok(())
}

/// The broker's own word against it, if it has one.
async fn create_one(admin: &Admin, name: &str, partitions: i32, replication: i32) -> Result<Option<RDKafkaErrorCode>, String> {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication));
    let results =
        admin.create_topics([&topic], &AdminOptions::new().request_timeout(Some(CREATE_TIMEOUT))).await.map_err(|e| e.to_string())?;
    Ok(results.into_iter().find_map(Result::err).map(|(_, code)| code))
}

async fn see(admin: &Arc<Admin>, topics: &[(&str, i32)]) -> Result<(), String> {
    let (admin, names) = (admin.clone(), topics.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
    tokio::task::spawn_blocking(move || names.iter().try_for_each(|name| topic_is_there(admin.inner(), name)))
        .await
        .map_err(|e| e.to_string())?
}
