//! The peer of the processor: Apache Flink over the same topic. What it does, and how it is set, is in
//! `bench/peers/flink`; here it is only started and waited for.

use crate::process::{Cost, cost_of};
use anyhow::{Result, ensure};
use livemeter_tests::process::Process;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How the same job is written for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By hand, to be as quick as Flink gets: the peer that counts.
    Java,
    /// In SQL, as most would write it.
    Sql,
}

impl Way {
    /// The name on the last line.
    pub fn name(self) -> &'static str {
        match self {
            Way::Java => "Apache Flink 2.3.0",
            Way::Sql => "Apache Flink 2.3.0 SQL",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Way::Java => "java",
            Way::Sql => "sql",
        }
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/flink").join(name)
}

/// Gets and compiles it, so that none of that is measured.
pub fn prepare() -> Result<()> {
    let out = Command::new(script("fetch")).output()?;
    ensure!(out.status.success(), "fetching the peer: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

/// Lets it drain the topic into `folder/sums`; returns what its whole life has cost, JVM and warm-up included.
pub fn drain(way: Way, brokers: &str, topic: &str, folder: &Path, checkpoint_ms: u64, patience: Duration) -> Result<Cost> {
    let mut command = Command::new(script("run.sh"));
    command.args([way.word(), brokers, topic]).arg(sums(folder)).arg(folder.join("checkpoints")).arg(checkpoint_ms.to_string());
    cost_of(&mut Process::start("flink", command, &folder.join("flink.log")), patience)
}

/// Where its Parquet files are.
pub fn sums(folder: &Path) -> PathBuf {
    folder.join("sums")
}
