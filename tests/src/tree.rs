//! Ingest, processor and query around one broker, each its own process, as in production. The broker
//! is not part of the tree: a test may take it away.

use crate::http::Http;
use crate::process::Process;
use crate::{binary, ports, wait};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The services, in the order in which data meets them.
pub const SERVICES: [&str; 3] = ["ingest", "process", "query"];

/// Three services and the folder of their ledger and logs.
pub struct Tree {
    brokers: String,
    ports: [u16; 3],
    folder: PathBuf,
    processes: [Option<Process>; 3],
    also: Vec<(&'static str, Vec<String>)>,
    _temporary: Option<TempDir>,
}

impl Tree {
    /// Creates the topics and starts all three on free ports; waits until all are ready.
    pub async fn start(brokers: &str) -> Tree {
        Tree::start_with(brokers, &[]).await
    }

    /// The same with more flags for a service: `[("ingest", &["--retry-after", "1s"])]`.
    pub async fn start_with(brokers: &str, also: &[(&'static str, &[&str])]) -> Tree {
        let temporary = tempfile::Builder::new().prefix("livemeter-tree-").tempdir().expect("a temporary folder");
        let folder = temporary.path().to_owned();
        let also = also.iter().map(|(name, flags)| (*name, flags.iter().map(|f| (*f).to_owned()).collect())).collect();
        let ports = [ports::free(), ports::free(), ports::free()];
        let mut tree =
            Tree { brokers: brokers.to_owned(), ports, folder, processes: [None, None, None], also, _temporary: Some(temporary) };
        tree.create_topics();
        tree.restart().await;
        tree
    }

    pub fn ingest(&self) -> Http {
        Http::new(self.url(0))
    }

    pub fn query(&self) -> Http {
        Http::new(self.url(2))
    }

    /// `http://127.0.0.1:port` of a service, by its place in [`SERVICES`].
    pub fn url(&self, service: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[service])
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A service's process, by its place in [`SERVICES`], while it runs.
    pub fn process(&self, service: usize) -> Option<&Process> {
        self.processes[service].as_ref()
    }

    /// Starts what does not run, on the same ports and ledger, and waits until all are ready.
    pub async fn restart(&mut self) {
        self.restart_without_waiting();
        self.ready().await;
    }

    pub fn restart_without_waiting(&mut self) {
        for (service, name) in SERVICES.into_iter().enumerate() {
            if self.processes[service].is_none() {
                let process = Process::start(name, self.command(service, self.ports[service]), &self.folder.join(format!("{name}.log")));
                self.processes[service] = Some(process);
            }
        }
    }

    /// Waits until every service says that it is ready.
    pub async fn ready(&mut self) {
        for (service, name) in SERVICES.into_iter().enumerate() {
            let http = Http::new(self.url(service));
            wait::ready(name, self.processes[service].as_mut().expect("it was started"), &http).await;
        }
    }

    /// kill -9 of all three at once, as far as that goes.
    pub fn kill9(&mut self) {
        for process in self.processes.iter_mut().flatten() {
            process.kill9();
        }
        self.processes = [None, None, None];
    }

    /// SIGTERM to one of them, by its place in [`SERVICES`]; panics when it does not end well.
    pub fn end(&mut self, service: usize) {
        if let Some(mut process) = self.processes[service].take() {
            let status = process.terminate(Duration::from_secs(60));
            assert!(status.success(), "{} ended with {status}\n{}", SERVICES[service], process.log_tail());
        }
    }

    /// The same, however it ends.
    pub fn end_whatever(&mut self, service: usize) {
        if let Some(mut process) = self.processes[service].take() {
            process.terminate(Duration::from_secs(60));
        }
    }

    /// More flags for a service, from its next start on.
    pub fn also(&mut self, service: &'static str, flags: &[&str]) {
        self.also.push((service, flags.iter().map(|f| (*f).to_owned()).collect()));
    }

    /// SIGTERM to each in turn; panics when one does not end in time or ends with an error.
    pub fn stop(&mut self) {
        (0..SERVICES.len()).for_each(|service| self.end(service));
    }

    /// A simulated audience; its truth is written to the path at the end.
    pub fn simulate(&self, flags: &[&str], truth: &Path) -> Process {
        let mut command = livemeter("simulate");
        command.arg("--ingest").arg(self.url(0)).arg("--truth").arg(truth).args(flags);
        Process::start("simulate", command, &self.folder.join("simulate.log"))
    }

    /// One more processor over the same topic and ledger, on a port of its own.
    pub fn another_processor(&self, name: &str) -> Process {
        Process::start(name, self.command(1, ports::free()), &self.folder.join(format!("{name}.log")))
    }

    fn create_topics(&self) {
        let mut command = Command::new(binary::path("livemeter"));
        let out =
            command.args(["topics", "create", "--brokers", &self.brokers, "--partitions", "4"]).output().expect("livemeter can be started");
        assert!(out.status.success(), "topics create: {}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    }

    fn command(&self, service: usize, port: u16) -> Command {
        let name = SERVICES[service];
        let mut command = livemeter(name);
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        if name != "query" {
            command.arg("--brokers").arg(&self.brokers);
        }
        if name != "ingest" {
            command.arg("--ledger").arg(self.folder.join("ledger"));
        }
        for (_, flags) in self.also.iter().filter(|(of, _)| *of == name) {
            command.args(flags);
        }
        command
    }
}

fn livemeter(subcommand: &str) -> Command {
    let mut command = Command::new(binary::path("livemeter"));
    command.arg(subcommand).args(["--log", "info"]);
    command
}
