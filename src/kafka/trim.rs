//! Trimming the embedded broker: records that the ledger holds are deleted from the broker, so that
//! its disk stays bounded. Never beyond what the ledger has committed.

use crate::cli::Failure;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::time::Duration;

/// Deletes each partition's records below the given offset.
pub async fn delete_below(brokers: &str, topic: &str, offsets: &[(i32, i64)]) -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = super::client(brokers).create().map_err(Failure::new)?;
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).map_err(Failure::new)?;
    }
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(30)));
    let done = admin.delete_records(&list, &options).await.map_err(Failure::new)?;
    for element in done.elements() {
        element.error().map_err(|e| Failure::new(format!("{topic}/{}: {e}", element.partition())))?;
    }
    Ok(())
}
