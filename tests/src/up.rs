//! `livemeter up` as one tree on ports and a folder of its own, seen from outside: its output, its
//! processes by id, its end.

use crate::http::Http;
use crate::process::{self, Process};
use crate::{binary, ports, wait};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;
use tempfile::TempDir;

/// The settings that tell the four addresses, in the order of the ports.
const LISTEN: [&str; 4] = ["LIVEMETER_INGEST_LISTEN", "LIVEMETER_PROCESSOR_LISTEN", "LIVEMETER_QUERY_LISTEN", "LIVEMETER_KAFKA_BROKERS"];
/// Short waits: a test sees the same behaviour as a day would show, sooner.
const SHORT: [(&str, &str); 2] = [("LIVEMETER_PROCESSOR_COMMIT_INTERVAL", "500ms"), ("LIVEMETER_QUERY_REFRESH_INTERVAL", "200ms")];
/// Each service drains in its turn, and none may take longer than a fraction of this.
const END_PATIENCE: Duration = Duration::from_secs(90);

/// One tree, running or not.
pub struct Up {
    ports: [u16; 4],
    folder: TempDir,
    starts: usize,
    process: Option<Process>,
}

impl Up {
    /// Chooses ports and a folder; starts nothing.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Up {
        let folder = tempfile::Builder::new().prefix("livemeter-up-").tempdir().expect("a temporary folder");
        Up { ports: std::array::from_fn(|_| ports::free()), folder, starts: 0, process: None }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The command with these flags, for those who want to run it themselves.
    pub fn command(&self, program: &Path, flags: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.arg("up").arg("--data").arg(self.folder().join("data")).args(flags).envs(SHORT);
        command.envs(LISTEN.iter().zip(self.ports).map(|(name, port)| (name, format!("127.0.0.1:{port}"))));
        command
    }

    /// Starts it and waits until it says that it is up.
    pub async fn start(&mut self, flags: &[&str]) {
        self.start_with(flags, &[]).await;
    }

    /// The same with more variables.
    pub async fn start_with(&mut self, flags: &[&str], variables: &[(&str, &str)]) {
        assert!(self.process.is_none(), "it runs already");
        self.starts += 1;
        let mut command = self.command(&binary::path("livemeter"), flags);
        command.envs(variables.iter().copied());
        let mut process = Process::start("up", command, &self.log());
        wait::until("the tree to be up", || {
            let (ended, said) = (process.check(), self.said());
            async move {
                ended.unwrap_or_else(|why| panic!("{why}"));
                if said.contains("Livemeter is up") { Ok(()) } else { Err(said) }
            }
        })
        .await;
        self.process = Some(process);
    }

    /// What it has said since its last start.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Waits until it has said these words.
    pub async fn says(&self, words: &str) {
        let look = || async { if self.said().contains(words) { Ok(()) } else { Err(self.said()) } };
        wait::until(&format!("{words:?}"), look).await;
    }

    pub fn ingest(&self) -> Http {
        Http::new(format!("http://{}", self.addr(0)))
    }

    pub fn processor(&self) -> Http {
        Http::new(format!("http://{}", self.addr(1)))
    }

    pub fn query(&self) -> Http {
        Http::new(format!("http://{}", self.addr(2)))
    }

    /// `127.0.0.1:port` of ingest, processor, query or the embedded broker.
    pub fn addr(&self, place: usize) -> String {
        format!("127.0.0.1:{}", self.ports[place])
    }

    /// An audience of the test's own, outside of the tree; its truth is written to the path at the end.
    pub fn simulate(&self, flags: &[&str], truth: &Path) -> Process {
        let mut command = Command::new(binary::path("livemeter"));
        command.args(["simulate", "--ingest"]).arg(format!("http://{}", self.addr(0))).arg("--truth").arg(truth).args(flags);
        Process::start("simulate", command, &self.folder().join("simulate.log"))
    }

    /// Every process below it: its id and its name, such as `ingest`.
    pub fn children(&self) -> Vec<(u32, String)> {
        let Some(up) = &self.process else { return Vec::new() };
        let mut found = process::children_of(up.id());
        found.sort_by(|a, b| a.1.cmp(&b.1));
        found
    }

    /// The names alone, sorted.
    pub fn names(&self) -> Vec<String> {
        self.children().into_iter().map(|(_, name)| name).collect()
    }

    /// The id of the child with this name.
    pub fn child(&self, name: &str) -> Option<u32> {
        self.children().into_iter().find(|(_, n)| n == name).map(|(id, _)| id)
    }

    /// kill -9 of the supervisor and of every child at once, as far as that goes; returns when all are gone.
    pub async fn kill9_all(&mut self) {
        let children = self.children();
        // The supervisor first: it must not start again what falls.
        self.kill9();
        children.iter().for_each(|(id, _)| process::kill9(*id));
        gone(&children).await;
    }

    /// kill -9 of the supervisor alone.
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
        }
    }

    /// Ctrl-C; returns how it ended, and that no child is left.
    pub async fn interrupt(&mut self) -> ExitStatus {
        let children = self.children();
        let mut process = self.process.take().expect("it runs");
        let status = process.interrupt(END_PATIENCE);
        assert!(children.iter().all(|(id, _)| !process::runs(*id)), "children outlived it: {children:?}");
        status
    }

    fn log(&self) -> PathBuf {
        self.folder().join(format!("up-{}.log", self.starts))
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let children = self.children();
        self.process = None;
        children.iter().for_each(|(id, _)| process::kill9(*id));
    }
}

/// Waits until none of these runs any more.
pub async fn gone(processes: &[(u32, String)]) {
    wait::until("the processes to be gone", || async {
        let left: Vec<_> = processes.iter().filter(|(id, _)| process::runs(*id)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}
