//! One child process in a group of its own, with its output in a file. It ends when its owner is
//! dropped, and also when the whole test is killed.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Ends the child's group when the test's process is gone: nothing may outlive a test, even one that
/// was killed. A process of its own, because the kernel's parent-death signal follows threads.
const WATCH: &str = "while kill -0 $0 2>/dev/null; do sleep 1; done; kill -9 -- -$1 2>/dev/null";

/// A running child.
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
    watch: Child,
}

impl Process {
    /// Starts `command`, with both its outputs appended to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Process {
        let out = File::options().create(true).append(true).open(log).expect("the log can be written");
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a second handle on the log"))
            .stderr(out)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {name} ({command:?}): {e}"));
        let watch = Command::new("sh")
            .args(["-c", WATCH, &std::process::id().to_string(), &child.id().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh can be started");
        Process { name: name.to_owned(), log: log.to_owned(), child, watch }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child can be asked")
    }

    /// An error with the end of its log, if it has ended: for use while waiting for it.
    pub fn check(&mut self) -> Result<(), String> {
        match self.ended() {
            Some(status) => Err(format!("{} has ended with {status}\n{}", self.name, self.log_tail())),
            None => Ok(()),
        }
    }

    /// kill -9 of the whole group; returns when it is gone.
    pub fn kill9(&mut self) {
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.child.wait();
    }

    /// SIGTERM; then waits. Panics when it takes longer than `patience`.
    pub fn terminate(&mut self, patience: Duration) -> ExitStatus {
        let _ = nix::sys::signal::kill(self.group(), Signal::SIGTERM);
        self.wait(patience)
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(Instant::now() < deadline, "{} did not end within {patience:?}\n{}", self.name, self.log_tail());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(40);
        format!("--- end of the log of {} ---\n{}\n---", self.name, lines[from..].join("\n"))
    }

    /// Resident memory now, in kB, from the kernel.
    pub fn rss_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0)
    }

    fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are positive"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
        self.kill9();
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}
