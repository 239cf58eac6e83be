//! Real brokers in a folder of their own: Apache Kafka (KRaft, one node) and the embedded broker.
//! Both are started, stopped, killed and restarted by the same few words.

use crate::process::Process;
use crate::{binary, kafka, ports, wait};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Apache Kafka on two loaded cores may take a minute to come up, and longer when its jars must be fetched.
const START_PATIENCE: Duration = Duration::from_secs(300);
/// A clean end: the embedded broker takes well under a second.
const END_PATIENCE: Duration = Duration::from_secs(60);

/// Which broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Apache,
    Embedded,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::Apache, Kind::Embedded];

    /// The name used in tests' names.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Apache => "apache",
            Kind::Embedded => "embedded",
        }
    }
}

/// Another listener, whose clients are told to come to another port: that of a relay before it.
#[derive(Debug, Clone, Copy)]
pub struct Second {
    pub listens: u16,
    pub told: u16,
}

/// One broker: its folder, its port, and its process while it runs.
pub struct Broker {
    pub kind: Kind,
    port: u16,
    controller_port: u16,
    second: Option<Second>,
    folder: PathBuf,
    process: Option<Process>,
    _temporary: Option<TempDir>,
}

impl Broker {
    /// Starts a fresh broker in a temporary folder and waits until it answers.
    pub async fn start(kind: Kind) -> Broker {
        let temporary = tempfile::Builder::new().prefix("livemeter-broker-").tempdir().expect("a temporary folder");
        let mut broker = Broker::start_in(kind, temporary.path()).await;
        broker._temporary = Some(temporary);
        broker
    }

    /// The same in a folder that is kept: for benches, and for looking at it afterwards.
    pub async fn start_in(kind: Kind, folder: &Path) -> Broker {
        Broker::start_behind(kind, folder, None).await
    }

    /// The same with a second listener; Apache Kafka alone can have one.
    pub async fn start_behind(kind: Kind, folder: &Path, second: Option<Second>) -> Broker {
        let (port, controller_port) = (ports::free(), ports::free());
        let mut broker = Broker { kind, port, controller_port, second, folder: folder.to_owned(), process: None, _temporary: None };
        broker.restart().await;
        broker
    }

    /// `127.0.0.1:port`, for `bootstrap.servers`.
    pub fn addr(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The folder of its data and its log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its process, while it runs.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Starts it again on the same data and the same port, and waits until it answers.
    pub async fn restart(&mut self) {
        self.restart_without_waiting();
        let addr = self.addr();
        let mut process = self.process.take().expect("just started");
        wait::within(START_PATIENCE, "the broker", || {
            let ended = process.check();
            let addr = addr.clone();
            async move {
                ended.unwrap_or_else(|why| panic!("{why}"));
                kafka::cluster_id(&addr).await.map(drop)
            }
        })
        .await;
        self.process = Some(process);
    }

    /// Only starts it: for tests that want to see the others wait.
    pub fn restart_without_waiting(&mut self) {
        assert!(self.process.is_none(), "the broker runs already");
        let log = self.folder.join("broker.log");
        self.process = Some(Process::start(self.kind.name(), self.command(), &log));
    }

    /// A clean end.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate(END_PATIENCE);
        }
    }

    /// kill -9.
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
        }
    }

    fn command(&self) -> Command {
        let data = self.folder.join("data");
        match self.kind {
            Kind::Embedded => {
                let mut command = Command::new(binary::path("livemeter-broker"));
                command.arg("--listen").arg(self.addr()).arg("--data").arg(data);
                command
            }
            Kind::Apache => {
                let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/run.sh"));
                command.arg(data).arg(self.port.to_string()).arg(self.controller_port.to_string());
                command.args(self.second.iter().flat_map(|second| [second.listens.to_string(), second.told.to_string()]));
                command
            }
        }
    }
}
