//! One `livemeter process`: started with armed failpoints, killed, paused, asked how far it is.

use crate::http::Http;
use crate::process::Process;
use crate::{binary, ports};
use anyhow::{Context as _, Result, bail};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// A process that lives answers by then; one that does not has been paused.
const ANSWER: Duration = Duration::from_secs(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);
/// For what must come: a start on a loaded machine, a broker's return, a group's patience.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Short intervals, so that a life of seconds passes every place; those that this binary knows are used.
const FLAGS: [(&str, &str); 8] = [
    ("--commit-interval", "100ms"),
    ("--checkpoint-commits", "5"),
    ("--files-max", "20"),
    ("--files-closed-max", "8"),
    ("--retention", "60s"),
    ("--snapshot-interval", "1s"),
    ("--roll-interval", "1s"),
    ("--roll-grace", "1s"),
];
/// What a group's members are told beside.
const GROUP: [(&str, &str); 2] = [("--assignment", "group"), ("--session-timeout", "6s")];

/// What all workers of a run have in common.
pub struct House {
    brokers: String,
    ledger: PathBuf,
    folder: PathBuf,
    ports: [u16; 2],
    flags: Vec<String>,
    /// The flags of a group's member; none where workers cannot share a topic.
    group: Option<Vec<String>>,
}

impl House {
    pub fn new(brokers: String, ledger: PathBuf, folder: &Path) -> Result<House> {
        let help = Command::new(binary::path("livemeter")).args(["process", "--help"]).output().context("livemeter cannot be started")?;
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        let known = |flags: &[(&str, &str)]| -> Vec<String> {
            let known = flags.iter().filter(|(flag, _)| help.contains(&format!("{flag} ")));
            known.flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()]).collect()
        };
        let group = help.contains("--assignment ").then(|| known(&GROUP));
        let ports = [ports::free(), ports::free()];
        Ok(House { brokers, ledger, folder: folder.to_owned(), ports, flags: known(&FLAGS), group })
    }

    pub fn shares(&self) -> bool {
        self.group.is_some()
    }

    /// Starts the first or the second worker, each reading all partitions.
    pub fn start(&self, place: usize, failpoints: &str) -> Worker {
        self.start_with(place, failpoints, &[])
    }

    /// The same as a member of a group.
    pub fn start_sharing(&self, place: usize, failpoints: &str) -> Worker {
        self.start_with(place, failpoints, self.group.as_deref().unwrap_or_default())
    }

    fn start_with(&self, place: usize, failpoints: &str, also: &[String]) -> Worker {
        let address = format!("127.0.0.1:{}", self.ports[place]);
        let mut command = Command::new(binary::path("livemeter"));
        command.args(["process", "--log", "info", "--listen", &address, "--brokers", &self.brokers]).arg("--ledger").arg(&self.ledger);
        command.args(&self.flags).args(also).env("FAILPOINTS", failpoints);
        let process = Process::start("process", command, &self.folder.join(format!("process-{place}.log")));
        Worker { process, http: Http::new(format!("http://{address}")) }
    }
}

/// How a life ended.
#[derive(Debug)]
pub enum End {
    Killed,
    Status(ExitStatus),
    /// It has not, in the time given.
    Lives,
}

pub struct Worker {
    pub process: Process,
    http: Http,
}

impl Worker {
    pub async fn ends_within(&mut self, patience: Duration) -> End {
        let deadline = Instant::now() + patience;
        loop {
            match self.process.ended() {
                Some(status) if status.signal() == Some(9) => return End::Killed,
                Some(status) => return End::Status(status),
                None if Instant::now() > deadline => return End::Lives,
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// The sum of all samples of one metric, whatever their labels; none while it does not answer.
    pub async fn metric(&self, name: &str) -> Option<i64> {
        let answer = tokio::time::timeout(ANSWER, self.http.get("/metrics")).await.ok()?.ok()?;
        let text = answer.text();
        let samples = text.lines().filter(|line| line.split(['{', ' ']).next().is_some_and(|found| found.ends_with(name)));
        let values = samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        Some(values.sum::<f64>() as i64)
    }

    /// Waits until a metric is at least so large; an end of the process is an error.
    pub async fn reaches(&mut self, name: &str, least: i64) -> Result<i64> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.process.check().map_err(anyhow::Error::msg)?;
            let value = self.metric(name).await;
            match value {
                Some(value) if value >= least => return Ok(value),
                _ if Instant::now() > deadline => {
                    bail!("{name} is {value:?}, and should have reached {least}\n{}", self.process.log_tail())
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Waits for so many more commits.
    pub async fn commits(&mut self, more: i64) -> Result<()> {
        let before = self.metric("_commits_total").await.unwrap_or(0);
        self.reaches("_commits_total", before + more).await.map(drop)
    }
}
