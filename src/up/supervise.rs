//! Start in order, restart what falls, stop in order.

use super::child::Child;
use super::disk;
use super::plan::{AUDIENCE, Plan, Process};
use super::progress::{Progress, Screen, welcome};
use super::watch::{self, Scrape};
use crate::cli::{Failure, exit};
use crate::client::http;
use crate::kafka;
use crate::settings::{Settings, show_size};
use std::collections::HashMap;
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How long one service may take until it is ready: recovery of a large ledger included.
const READY_WAIT: Duration = Duration::from_secs(120);
/// How long one service may take to end: ingest drains for ten seconds at most.
const STOP_WAIT: Duration = Duration::from_secs(20);
/// A service that falls this often within a minute is not helped by starting it again.
const FALLS_PER_MINUTE_MAX: usize = 5;

/// After a first Ctrl-C, another one within this time is taken for the same: wrappers pass it on, too.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

pub async fn run(plan: Plan, settings: &Settings) -> Result<(), Failure> {
    let mut tree = Tree { plan, children: Vec::new(), falls: HashMap::new(), screen: Screen::new() };
    let result = tokio::select! {
        result = tree.live(settings) => result,
        () = asked_to_stop() => Ok(()),
    };
    tree.screen.say(match &result {
        Ok(()) => "Stopping; the next start goes on from here. (Ctrl-C again ends everything at once.)",
        Err(_) => "Stopping everything in order.",
    });
    tokio::select! {
        () = tree.stop_all() => {}
        // The children are killed as they are dropped. What they have not stored, they will read again.
        () = asked_again() => {}
    }
    tree.screen.clear();
    result
}

async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
}

async fn asked_again() {
    tokio::time::sleep(AGAIN_AFTER).await;
    asked_to_stop().await;
}

struct Tree {
    plan: Plan,
    /// In the order of their start; stopped the other way round.
    children: Vec<(Process, Child)>,
    falls: HashMap<&'static str, Vec<Instant>>,
    screen: Screen,
}

impl Tree {
    async fn live(&mut self, settings: &Settings) -> Result<(), Failure> {
        let began = Instant::now();
        self.screen.doing("starting the broker, ingest, processor and query …");
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
        self.screen.say(&welcome(&self.plan, settings, began.elapsed()));
        self.watch(settings).await
    }

    fn start(&mut self, process: Process) -> Result<(), Failure> {
        let child = self.spawn(&process)?;
        self.children.push((process, child));
        Ok(())
    }

    fn spawn(&self, process: &Process) -> Result<Child, Failure> {
        Child::start(process, &self.plan.data.join("logs"), self.plan.log_bytes_max)
            .map_err(|e| Failure::new(format!("{} ({}): {e}", process.name, process.program.display())))
    }

    async fn wait_for_broker(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + READY_WAIT;
        loop {
            let brokers = self.plan.brokers.clone();
            if tokio::task::spawn_blocking(move || kafka::topics::reachable(&brokers)).await.unwrap_or(false) {
                return Ok(());
            }
            self.nobody_fell().await?;
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
            self.nobody_fell().await?;
            if Instant::now() > deadline {
                return Err(Failure::new(format!("{url} is not ready after {} s: {said}", READY_WAIT.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// While starting, a service that ends is a failure: better said at once than tried again.
    async fn nobody_fell(&mut self) -> Result<(), Failure> {
        for (process, child) in &mut self.children {
            if let Some(status) = child.ended() {
                let fell = format!("while starting, {}", child.obituary(process.name, status).await);
                return Err(if needs_a_person(status) { Failure::attention(fell) } else { Failure::new(fell) });
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
            self.screen.progress(progress.line(self.plan.limits.used_max, self.audience().is_some()));
            ticks += 1;
        }
    }

    async fn restart_fallen(&mut self) -> Result<(), Failure> {
        for i in 0..self.children.len() {
            let (process, child) = &mut self.children[i];
            let Some(status) = child.ended() else { continue };
            let name = process.name;
            if name == AUDIENCE && status.success() {
                self.screen.say("The simulated audience has gone home. Everything else goes on.");
                self.children.remove(i);
                return Ok(());
            }
            let fell = child.obituary(name, status).await;
            if needs_a_person(status) {
                return Err(Failure::attention(format!("{fell}Starting it again is no use.")));
            }
            let falls = self.falls.entry(name).or_default();
            falls.retain(|at| at.elapsed() < Duration::from_secs(60));
            falls.push(Instant::now());
            if falls.len() > FALLS_PER_MINUTE_MAX {
                return Err(Failure::new(format!("{fell}It was the {}th time within a minute.", falls.len())));
            }
            self.screen.say(&format!("{fell}Starting {name} again."));
            // A little longer each time, so that what it waits for can come back.
            tokio::time::sleep(Duration::from_millis(250 << falls.len())).await;
            self.children[i].1 = self.spawn(&self.children[i].0)?;
        }
        Ok(())
    }

    fn audience(&self) -> Option<usize> {
        self.children.iter().position(|(process, _)| process.name == AUDIENCE)
    }

    async fn mind_the_disk(&mut self, used: u64, processor: Option<&Scrape>, settings: &Settings) -> Result<(), Failure> {
        let free = disk::free_bytes(&self.plan.data).map_err(Failure::new)?;
        let embedded = self.plan.embedded_broker.is_some();
        let trim = embedded && disk::should_trim(disk::used_bytes(&self.plan.data.join("broker")), self.plan.limits);
        if let Some(processor) = processor.filter(|_| trim) {
            self.trim(processor, settings).await;
        }
        match disk::judge(used, free, self.plan.limits) {
            disk::Verdict::Fine => Ok(()),
            disk::Verdict::StopAudience => {
                if let Some(at) = self.audience() {
                    let (_, mut audience) = self.children.remove(at);
                    audience.stop(STOP_WAIT).await;
                    self.screen.say(&format!(
                        "The demo uses {}, its share is {}: the simulated audience was stopped. Everything else goes on.\n\
                         Raise it with --disk-max (DISK_MAX=4GiB make up), or start over by removing {}.",
                        show_size(used),
                        show_size(self.plan.limits.used_max),
                        self.plan.data.display()
                    ));
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
            self.screen.say(&format!("The broker could not be trimmed yet: {}", error.message));
        }
    }

    async fn stop_all(&mut self) {
        while let Some((process, mut child)) = self.children.pop() {
            self.screen.doing(format!("stopping {} …", process.name));
            if !child.stop(STOP_WAIT).await {
                self.screen.say(&format!("{} did not stop within {} s and was killed.", process.name, STOP_WAIT.as_secs()));
            }
        }
    }
}

fn needs_a_person(status: ExitStatus) -> bool {
    status.code() == Some(i32::from(exit::ATTENTION))
}

async fn scrape(process: &Process) -> Option<Scrape> {
    match &process.metrics_url {
        Some(url) => Scrape::of(url).await,
        None => None,
    }
}
