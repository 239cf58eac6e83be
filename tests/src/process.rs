//! One child process in a group of its own, with its output in a file. It ends when its owner is
//! dropped, and also when the whole test is killed.

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Ends the child's group when the test's process is gone: nothing may outlive a test, even one that
/// was killed. A process of its own, because the kernel's parent-death signal follows threads.
const WATCH: &str = "while kill -0 $0 2>/dev/null; do sleep 1; done; kill -s KILL -- -$1 2>/dev/null";

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

    /// Stops it where it stands, as a machine that hangs would; it does not notice.
    pub fn pause(&self) {
        let _ = killpg(self.group(), Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        let _ = killpg(self.group(), Signal::SIGCONT);
    }

    /// SIGTERM; then waits. Panics when it takes longer than `patience`.
    pub fn terminate(&mut self, patience: Duration) -> ExitStatus {
        let _ = kill(self.group(), Signal::SIGTERM);
        self.wait(patience)
    }

    /// Ctrl-C; then waits. Panics when it takes longer than `patience`.
    pub fn interrupt(&mut self, patience: Duration) -> ExitStatus {
        let _ = killpg(self.group(), Signal::SIGINT);
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
        self.status_kb("VmRSS:")
    }

    /// The most that was ever resident, in kB.
    pub fn rss_peak_kb(&self) -> u64 {
        self.status_kb("VmHWM:")
    }

    fn status_kb(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0 kB");
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

/// The direct children of a process, from the kernel: id, and the subcommand or the program's name.
pub fn children_of(parent: u32) -> Vec<(u32, String)> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| state(*id).is_some_and(|(state, of)| of == parent && state != 'Z')).map(|id| (id, name_of(id))).collect()
}

/// Whether a process is there and more than a dead one that nobody has asked about.
pub fn runs(id: u32) -> bool {
    state(id).is_some_and(|(state, _)| state != 'Z')
}

/// kill -9 of one process, if it is still there.
pub fn kill9(id: u32) {
    let _ = kill(Pid::from_raw(i32::try_from(id).expect("process ids are positive")), Signal::SIGKILL);
}

/// Its state's letter and its parent.
fn state(id: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in brackets and may hold anything; what follows is regular.
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    Some((rest.next()?.chars().next()?, rest.next()?.parse().ok()?))
}

/// `ingest` of `…/livemeter ingest …`; the program's name where flags follow at once.
fn name_of(id: u32) -> String {
    let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|b| *b == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let program = words.first().map_or("", |path| path.rsplit('/').next().unwrap_or_default());
    words.get(1).filter(|word| !word.starts_with('-')).cloned().unwrap_or_else(|| program.to_owned())
}
