//! The reader's side: a fetch waits until there is something to give, then gives it at once.
//! Tansu's own fetch sleeps through half of every wait, reads the whole backlog for each answer, and
//! answers an offset that does not exist with nothing; this one refuses it, partition by partition.

use crate::log::{Bounds, Log};
use rama::{Context, Service};
use std::time::Duration;
use tansu_sans_io::fetch_request::{FetchPartition, FetchTopic};
use tansu_sans_io::fetch_response::{FetchableTopicResponse, PartitionData};
use tansu_sans_io::record::deflated::Frame;
use tansu_sans_io::{ApiKey, ErrorCode, FetchRequest, FetchResponse};
use tansu_storage::{Error, Result};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Most bytes of records in one answer, whatever the reader allows: it bounds our memory per reader.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest wait, whatever the reader asks for.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Answers fetch requests.
#[derive(Debug, Clone)]
pub struct Fetches {
    pub stop: CancellationToken,
}

impl ApiKey for Fetches {
    const KEY: i16 = FetchRequest::KEY;
}

impl Service<Log, FetchRequest> for Fetches {
    type Response = FetchResponse;
    type Error = Error;

    async fn serve(&self, ctx: Context<Log>, request: FetchRequest) -> Result<FetchResponse> {
        let log = ctx.state();
        let wait = Duration::from_millis(request.max_wait_ms.max(0) as u64).min(WAIT_MAX);
        let deadline = Instant::now() + wait;
        let enough = request.min_bytes.max(0) as usize;
        let topics = request.topics.unwrap_or_default();
        let most = request.max_bytes.map_or(ANSWER_BYTES_MAX, |max| max.max(0) as usize).min(ANSWER_BYTES_MAX);
        loop {
            // Armed before reading: a record that arrives while we read must not be waited past.
            let grown = log.grown();
            let answer = read(log, &topics, most).await?;
            let idle = !answer.refused && answer.bytes < enough;
            if !idle || topics.is_empty() || Instant::now() >= deadline {
                return Ok(response(answer.topics));
            }
            tokio::select! {
                () = grown => {}
                () = tokio::time::sleep_until(deadline) => {}
                () = self.stop.cancelled() => return Ok(response(answer.topics)),
            }
        }
    }
}

struct Answer {
    topics: Vec<FetchableTopicResponse>,
    bytes: usize,
    /// At least one partition was refused: the reader should hear of it now.
    refused: bool,
}

async fn read(log: &Log, topics: &[FetchTopic], most: usize) -> Result<Answer> {
    let mut answer = Answer { topics: Vec::with_capacity(topics.len()), bytes: 0, refused: false };
    for topic in topics {
        let name = log.topic_name(topic.topic.as_deref(), topic.topic_id).await?;
        let mut partitions = Vec::new();
        for asked in topic.partitions.iter().flatten() {
            let data = match &name {
                Some(name) => partition(log, name, asked, most.saturating_sub(answer.bytes), &mut answer.bytes).await?,
                None => refuse(asked, unknown(topic), None),
            };
            answer.refused |= data.error_code != i16::from(ErrorCode::None);
            partitions.push(data);
        }
        let echoed = FetchableTopicResponse::default().topic(topic.topic.clone()).topic_id(topic.topic_id.or(Some([0; 16])));
        answer.topics.push(echoed.partitions(Some(partitions)));
    }
    Ok(answer)
}

/// Readers that ask by id look the topic up again at the one, and by name at the other.
fn unknown(topic: &FetchTopic) -> ErrorCode {
    if topic.topic.is_some() { ErrorCode::UnknownTopicOrPartition } else { ErrorCode::UnknownTopicId }
}

async fn partition(log: &Log, topic: &str, asked: &FetchPartition, room: usize, bytes: &mut usize) -> Result<PartitionData> {
    let most = room.min(asked.partition_max_bytes.max(0) as usize);
    // A record larger than the reader's bound is given all the same, alone, or it would wait forever.
    let first_regardless = *bytes == 0;
    let Some((bounds, read)) = log.read(topic, asked.partition, asked.fetch_offset, most, first_regardless).await? else {
        return Ok(refuse(asked, ErrorCode::UnknownTopicOrPartition, None));
    };
    if asked.fetch_offset < bounds.low || asked.fetch_offset > bounds.high {
        return Ok(refuse(asked, ErrorCode::OffsetOutOfRange, Some(bounds)));
    }
    *bytes += read.bytes;
    let records = (!read.batches.is_empty()).then_some(Frame { batches: read.batches });
    Ok(data(asked, ErrorCode::None, Some(bounds)).records(records))
}

fn refuse(asked: &FetchPartition, error: ErrorCode, bounds: Option<Bounds>) -> PartitionData {
    data(asked, error, bounds).records(None)
}

fn data(asked: &FetchPartition, error: ErrorCode, bounds: Option<Bounds>) -> PartitionData {
    let bounds = bounds.unwrap_or(Bounds { low: -1, high: -1 });
    PartitionData::default()
        .partition_index(asked.partition)
        .error_code(error.into())
        .high_watermark(bounds.high)
        .last_stable_offset(Some(bounds.high))
        .log_start_offset(Some(bounds.low))
        .aborted_transactions(Some(Vec::new()))
        .preferred_read_replica(Some(-1))
}

fn response(topics: Vec<FetchableTopicResponse>) -> FetchResponse {
    FetchResponse::default()
        .throttle_time_ms(Some(0))
        .error_code(Some(ErrorCode::None.into()))
        .session_id(Some(0))
        .node_endpoints(Some(Vec::new()))
        .responses(Some(topics))
}
