//! One process of the tree: started in a group of its own (so that Ctrl-C reaches the supervisor
//! alone), its log kept in a bounded file, stopped politely first.

use super::plan::Process;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child as Running, Command};
use tokio::task::JoinHandle;

/// A dead process has said all it had to say; this is for what its log still owes.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(1);

pub struct Child {
    running: Running,
    log: PathBuf,
    log_keeper: Option<JoinHandle<()>>,
}

impl Child {
    pub fn start(process: &Process, logs: &Path, log_bytes_max: u64) -> std::io::Result<Child> {
        let log = logs.join(format!("{}.log", process.name));
        let mut running = Command::new(&process.program)
            .args(&process.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let log_keeper = running.stderr.take().map(|stderr| tokio::spawn(keep_log(stderr, log.clone(), log_bytes_max)));
        Ok(Child { running, log, log_keeper })
    }

    /// `Some` once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.running.try_wait().ok().flatten()
    }

    /// SIGTERM, then SIGKILL when it does not end in time. Says whether it ended by itself.
    pub async fn stop(&mut self, wait: Duration) -> bool {
        let Some(pid) = self.running.id().and_then(|id| i32::try_from(id).ok()) else { return true };
        // It may have ended this moment; then there is nobody to tell.
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        let in_time = tokio::time::timeout(wait, self.running.wait()).await.is_ok();
        if !in_time {
            let _ = self.running.kill().await;
        }
        in_time
    }

    /// How it ended, where its log is, and the last lines of that.
    pub async fn obituary(&mut self, name: &str, status: ExitStatus) -> String {
        if let Some(keeper) = self.log_keeper.take() {
            let _ = tokio::time::timeout(LAST_WORDS_WAIT, keeper).await;
        }
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        let words: String = lines.into_iter().rev().map(|l| format!("    {l}\n")).collect();
        format!("{name} ended ({status}); its log {}:\n{words}", self.log.display())
    }
}

/// Copies a log to its file; at its limit the file becomes `….log.1` and a new one begins. It reads on
/// even when nothing can be written: a full disk must not stop the service that speaks.
async fn keep_log(mut from: impl AsyncRead + Unpin, path: PathBuf, bytes_max: u64) {
    let mut buffer = vec![0; 16 * 1024];
    let mut file = open(&path).await.ok();
    let mut size = tokio::fs::metadata(&path).await.map_or(0, |m| m.len());
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        if size + n as u64 > bytes_max {
            let _ = tokio::fs::rename(&path, path.with_extension("log.1")).await;
            (file, size) = (open(&path).await.ok(), 0);
        }
        if let Some(file) = &mut file {
            let _ = file.write_all(&buffer[..n]).await;
            let _ = file.flush().await;
        }
        size += n as u64;
    }
}

async fn open(path: &Path) -> std::io::Result<tokio::fs::File> {
    tokio::fs::OpenOptions::new().create(true).append(true).open(path).await
}
