//! Start in order, restart what falls, stop in order.

use super::child::Child;
use super::disk;
use super::plan::{Plan, Process};
use super::progress::Progress;
use super::watch::{self, Scrape};
use crate::cli::{Failure, exit};
use crate::client::http;
use crate::kafka;
use crate::settings::{Settings, show_size};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How long one service may take until it is ready: recovery of a large ledger included.
const READY_WAIT: Duration = Duration::from_secs(120);
/// How long one service may take to end: ingest drains for ten seconds at most.
const STOP_WAIT: Duration = Duration::from_secs(20);
/// A service that falls this often within a minute is not helped by starting it again.
const FALLS_PER_MINUTE_MAX: usize = 5;

pub async fn run(plan: Plan, settings: &Settings) -> Result<(), Failure> {
    let mut tree = Tree { plan, children: Vec::new(), falls: HashMap::new() };
    let result = tokio::select! {
        result = tree.live(settings) => result,
        () = asked_to_stop() => Ok(()),
    };
    if result.is_ok() {
        println!("\nStopping; the next start goes on from here.");
    }
    tree.stop_all().await;
    result
}

async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
}

struct Tree {
    plan: Plan,
    /// In the order of their start; stopped the other way round.
    children: Vec<(Process, Child)>,
    falls: HashMap<&'static str, Vec<Instant>>,
}

impl Tree {
    async fn live(&mut self, settings: &Settings) -> Result<(), Failure> {
        let began = Instant::now();
        if let Some(broker) = self.plan.embedded_broker.clone() {
            self.start(broker)?;
        }
        self.wait_for_broker().await?;
        // Ours or a cluster's: topics that exist are left alone.
        kafka::topics::create(settings).await?;
        for process in [self.plan.ingest.clone(), self.plan.processor.clone(), self.plan.query.clone()] {
            self.start(process)?;
        }
        for url in [&self.plan.ingest, &self.plan.processor].map(|p| p.ready_url.clone()) {
            self.wait_ready(url).await?;
        }
        if let Some(audience) = self.plan.audience.clone() {
            self.start(audience)?;
        }
        self.wait_ready(self.plan.query.ready_url.clone()).await?;
        super::progress::welcome(&self.plan, settings, began.elapsed());
        self.watch(settings).await
    }

    fn start(&mut self, process: Process) -> Result<(), Failure> {
        let child = Child::start(&process, &self.plan.data.join("logs"), self.plan.log_bytes_max)
            .map_err(|e| Failure::new(format!("{} ({}): {e}", process.name, process.program.display())))?;
        self.children.push((process, child));
        Ok(())
    }

    async fn wait_for_broker(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + READY_WAIT;
        loop {
            let brokers = self.plan.brokers.clone();
            if tokio::task::spawn_blocking(move || kafka::topics::reachable(&brokers)).await.unwrap_or(false) {
                return Ok(());
            }
            self.nobody_fell()?;
            if Instant::now() > deadline {
                return Err(Failure::new(format!("no Kafka at {} within {} s", self.plan.brokers, READY_WAIT.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn wait_ready(&mut self, url: Option<String>) -> Result<(), Failure> {
        let Some(url) = url else { return Ok(()) };
        let deadline = Instant::now() + READY_WAIT;
        loop {
            let said = match http::get(&url, Duration::from_secs(2)).await {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(answer) => answer.text(),
                Err(error) => error,
            };
            self.nobody_fell()?;
            if Instant::now() > deadline {
                return Err(Failure::new(format!("{url} is not ready after {} s: {said}", READY_WAIT.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// While starting, a service that ends is a failure: better said at once than tried again.
    fn nobody_fell(&mut self) -> Result<(), Failure> {
        for (process, child) in &mut self.children {
            if let Some(status) = child.ended() {
                return Err(Failure::new(format!(
                    "{} ended while starting ({status}); its log {}:\n{}",
                    process.name,
                    child.log.display(),
                    child.last_words()
                )));
            }
        }
        Ok(())
    }

    /// Once a second: restart what fell, read the metrics, mind the disk, tell the person.
    async fn watch(&mut self, settings: &Settings) -> Result<(), Failure> {
        let mut progress = Progress::default();
        let mut ticks = 0u64;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.restart_fallen().await?;
            let ingest = scrape(&self.plan.ingest).await;
            let processor = scrape(&self.plan.processor).await;
            progress.observe(ingest.as_ref(), processor.as_ref());
            if ticks.is_multiple_of(5) {
                let used = disk::used_bytes(&self.plan.data);
                progress.disk_used = used;
                self.mind_the_disk(used, processor.as_ref(), settings).await?;
            }
            progress.draw(self.plan.limits.used_max, self.children.iter().any(|(p, _)| p.name == "audience"));
            ticks += 1;
        }
    }

    async fn restart_fallen(&mut self) -> Result<(), Failure> {
        for i in 0..self.children.len() {
            let (process, child) = &mut self.children[i];
            let Some(status) = child.ended() else { continue };
            let name = process.name;
            let words = child.last_words();
            if status.code() == Some(i32::from(exit::ATTENTION)) {
                return Err(Failure::attention(format!("{name} needs you; its log {}:\n{words}", child.log.display())));
            }
            let falls = self.falls.entry(name).or_default();
            falls.retain(|at| at.elapsed() < Duration::from_secs(60));
            falls.push(Instant::now());
            if falls.len() > FALLS_PER_MINUTE_MAX {
                return Err(Failure::new(format!(
                    "{name} ended {} times within a minute ({status}); its log {}:\n{words}",
                    falls.len(),
                    child.log.display()
                )));
            }
            println!("\n{name} ended ({status}); starting it again. Its last words:\n{words}");
            // A little longer each time, so that what it waits for can come back.
            tokio::time::sleep(Duration::from_millis(250 << falls.len())).await;
            let process = process.clone();
            let new = Child::start(&process, &self.plan.data.join("logs"), self.plan.log_bytes_max).map_err(Failure::new)?;
            self.children[i] = (process, new);
        }
        Ok(())
    }

    async fn mind_the_disk(&mut self, used: u64, processor: Option<&Scrape>, settings: &Settings) -> Result<(), Failure> {
        let free = disk::free_bytes(&self.plan.data).map_err(Failure::new)?;
        let embedded = self.plan.embedded_broker.is_some();
        if embedded && disk::should_trim(disk::used_bytes(&self.plan.data.join("broker")), self.plan.limits) {
            if let Some(processor) = processor {
                self.trim(processor, settings).await;
            }
        }
        match disk::judge(used, free, self.plan.limits) {
            disk::Verdict::Fine => Ok(()),
            disk::Verdict::StopAudience => {
                if let Some(at) = self.children.iter().position(|(p, _)| p.name == "audience") {
                    let (_, mut audience) = self.children.remove(at);
                    audience.stop(STOP_WAIT).await;
                    println!(
                        "\nThe demo uses {}, its share is {}: the simulated audience was stopped. Everything else goes on.\n\
                         Raise it with DISK_MAX=4GiB make up, or start over by removing {}.",
                        show_size(used),
                        show_size(self.plan.limits.used_max),
                        self.plan.data.display()
                    );
                }
                Ok(())
            }
            disk::Verdict::StopAll => Err(Failure::attention(format!(
                "only {} are free on the disk of {}; everything was stopped in order, nothing is lost. Free some space (at least {}) and start again",
                show_size(free),
                self.plan.data.display(),
                show_size(self.plan.limits.free_min)
            ))),
        }
    }

    /// Deletes from the embedded broker what the ledger has committed.
    async fn trim(&self, processor: &Scrape, settings: &Settings) {
        let offsets: Vec<(i32, i64)> = processor
            .samples("livemeter_processor_committed_offset")
            .filter_map(|(labels, value)| Some((watch::label(labels, "partition")?.parse().ok()?, value as i64)))
            .filter(|(_, offset)| *offset > 0)
            .collect();
        if offsets.is_empty() {
            return;
        }
        if let Err(error) = kafka::trim::delete_below(&self.plan.brokers, &settings.text("kafka.events_topic"), &offsets).await {
            tracing::warn!("could not trim the broker: {}", error.message);
        }
    }

    async fn stop_all(&mut self) {
        while let Some((_, mut child)) = self.children.pop() {
            child.stop(STOP_WAIT).await;
        }
    }
}

async fn scrape(process: &Process) -> Option<Scrape> {
    match &process.metrics_url {
        Some(url) => Scrape::of(url).await,
        None => None,
    }
}
