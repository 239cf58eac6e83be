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

pub struct Child {
    pub name: &'static str,
    running: Running,
    pub log: PathBuf,
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
        if let Some(stderr) = running.stderr.take() {
            tokio::spawn(keep_log(stderr, log.clone(), log_bytes_max));
        }
        Ok(Child { name: process.name, running, log })
    }

    /// `Some` once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.running.try_wait().ok().flatten()
    }

    /// SIGTERM, then SIGKILL when it does not end in time.
    pub async fn stop(&mut self, wait: Duration) {
        let Some(pid) = self.running.id().and_then(|id| i32::try_from(id).ok()) else { return };
        // It may have ended this moment; then there is nobody to tell.
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        if tokio::time::timeout(wait, self.running.wait()).await.is_err() {
            tracing::warn!(service = self.name, "did not stop in {} s; killing it", wait.as_secs());
            let _ = self.running.kill().await;
        }
    }

    /// The last lines of its log, for a message about its end.
    pub fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().map(|l| format!("    {l}\n")).collect()
    }
}

/// Copies a log to its file; at its limit the file becomes `….log.1` and a new one begins.
async fn keep_log(mut from: impl AsyncRead + Unpin, path: PathBuf, bytes_max: u64) {
    let mut buffer = vec![0; 16 * 1024];
    let Ok(mut file) = open(&path).await else { return };
    let mut size = file.metadata().await.map_or(0, |m| m.len());
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        if size + n as u64 > bytes_max {
            let _ = tokio::fs::rename(&path, path.with_extension("log.1")).await;
            let Ok(new) = open(&path).await else { return };
            (file, size) = (new, 0);
        }
        let _ = file.write_all(&buffer[..n]).await;
        let _ = file.flush().await;
        size += n as u64;
    }
}

async fn open(path: &Path) -> std::io::Result<tokio::fs::File> {
    tokio::fs::OpenOptions::new().create(true).append(true).open(path).await
}
