//! The producer: writes what viewers report straight to the events' topic, as ingest would, and keeps the
//! log. It has a listener of the broker to itself, so that what cuts off the processor does not stop it.

use super::viewers::{APP, Log, Report, Viewers};
use crate::audience::now_ms;
use crate::kafka;
use anyhow::{Context as _, Result, ensure};
use futures::FutureExt as _;
use livemeter_schemas::record;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Between two bursts.
const TICK: Duration = Duration::from_millis(20);

/// A producer at work.
pub struct Workload {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    task: JoinHandle<Result<Log>>,
}

impl Workload {
    pub fn start(brokers: &str, rate: u32, seed: u64) -> Workload {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut writer = Writer { producer: kafka::producer(brokers, &[]), waiting: VecDeque::new(), written: written.clone() };
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let (mut viewers, mut tick) = (Viewers::new(seed), tokio::time::interval(TICK));
            while !stopped.load(Ordering::Relaxed) {
                tick.tick().await;
                for _ in 0..(rate / 50).max(1) {
                    for report in viewers.next(now_ms()) {
                        writer.write(&report).await?;
                    }
                }
                writer.acknowledged()?;
            }
            for report in viewers.last() {
                writer.write(&report).await?;
            }
            writer.all_acknowledged().await?;
            Ok(viewers.log)
        });
        Workload { stop, written, task }
    }

    /// Records acknowledged so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Ends it, once all that it has written is acknowledged; what is in the log is then on the topic.
    pub async fn finish(self) -> Result<Log> {
        self.stop.store(true, Ordering::Relaxed);
        let log = self.task.await.context("the producer")??;
        ensure!(log.records == self.written.load(Ordering::Relaxed), "not all records were acknowledged");
        Ok(log)
    }
}

struct Writer {
    producer: FutureProducer,
    /// In the order of sending; the oldest is acknowledged first, or nearly.
    waiting: VecDeque<DeliveryFuture>,
    written: Arc<AtomicU64>,
}

impl Writer {
    async fn write(&mut self, report: &Report) -> Result<()> {
        let (now_ms, mut payload) = (now_ms(), Vec::new());
        if report.poison {
            payload.extend_from_slice(report.text.as_bytes());
        } else {
            record::write(&mut payload, APP, now_ms, Some(now_ms - report.behind_ms), &report.text)?;
        }
        let key = record::key(APP, &report.session);
        loop {
            match self.producer.send_result(FutureRecord::to(record::EVENTS_TOPIC).key(&key).payload(&payload)) {
                Ok(delivery) => {
                    self.waiting.push_back(delivery);
                    return Ok(());
                }
                // The broker is away: so is the room.
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => tokio::time::sleep(TICK).await,
                Err((error, _)) => return Err(error).context("writing to the topic"),
            }
        }
    }

    fn acknowledged(&mut self) -> Result<()> {
        while let Some(answer) = self.waiting.front_mut().and_then(|delivery| delivery.now_or_never()) {
            self.waiting.pop_front();
            answer.context("the producer ended")?.map_err(|(error, _)| error).context("a record was not acknowledged")?;
            self.written.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn all_acknowledged(&mut self) -> Result<()> {
        while let Some(delivery) = self.waiting.pop_front() {
            delivery.await.context("the producer ended")?.map_err(|(error, _)| error).context("a record was not acknowledged")?;
            self.written.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
