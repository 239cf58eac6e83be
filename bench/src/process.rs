//! CPU and memory of a process as the kernel accounts them. What the figures mean for a bench is not here.

use anyhow::{Context, Result, ensure};
use livemeter_tests::process::Process;
use std::time::{Duration, Instant};

/// `utime` and `stime` are told in 1/100 s on every Linux that this runs on (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;

/// One look at a process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// User and system time of all its threads since it began.
    pub cpu_s: f64,
    /// Resident memory, `VmRSS`.
    pub rss_bytes: u64,
}

/// Looks at a running process.
pub fn usage(pid: u32) -> Result<Usage> {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).with_context(|| format!("process {pid} is gone"));
    let cpu_s = cpu_s(&read("stat")?).with_context(|| format!("/proc/{pid}/stat"))?;
    let rss_bytes = bytes_of("VmRSS:", &read("status")?).with_context(|| format!("/proc/{pid}/status has no VmRSS"))?;
    Ok(Usage { cpu_s, rss_bytes })
}

/// The accounts of one process for its whole life, so far or for good.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Accounts {
    /// User and system time of all its threads and of the children it has waited for.
    pub cpu_s: f64,
    /// It has ended and waits to be asked how: its time is final.
    pub ended: bool,
    /// Resident memory at its highest, `VmHWM`; none once it has ended.
    pub rss_bytes_max: Option<u64>,
}

/// Looks at a process that its parent has not been told the end of yet.
pub fn accounts(pid: u32) -> Result<Accounts> {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).with_context(|| format!("process {pid} is gone"));
    let stat = read("stat")?;
    let (state, cpu_s) = state_and_cpu_s(&stat).with_context(|| format!("/proc/{pid}/stat"))?;
    Ok(Accounts { cpu_s, ended: state == "Z", rss_bytes_max: bytes_of("VmHWM:", &read("status")?) })
}

/// What a process that ends by itself has cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    pub cpu_s: f64,
    pub wall_s: f64,
    pub rss_bytes_max: u64,
}

/// Waits for the end of a process and returns its accounts: those of a dead process are complete as long
/// as nobody has asked about it.
pub fn cost_of(process: &mut Process, patience: Duration) -> Result<Cost> {
    let (began, mut rss_bytes_max) = (Instant::now(), 0);
    loop {
        let now = accounts(process.id())?;
        rss_bytes_max = rss_bytes_max.max(now.rss_bytes_max.unwrap_or(0));
        if now.ended {
            let wall_s = began.elapsed().as_secs_f64();
            let status = process.wait(patience);
            ensure!(status.success(), "it ended with {status}\n{}", process.log_tail());
            return Ok(Cost { cpu_s: now.cpu_s, wall_s, rss_bytes_max });
        }
        ensure!(began.elapsed() < patience, "no end within {patience:?}\n{}", process.log_tail());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Fields 3 and 14 to 17: the children's time is there too.
fn state_and_cpu_s(stat: &str) -> Option<(&str, f64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<u64>>()?;
    Some((fields.first()?, ticks as f64 / TICKS_PER_S))
}

/// Fields 14 and 15; the second field is a name in parentheses, which may hold spaces and parentheses.
fn cpu_s(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let ticks = |field: Option<&str>| field?.parse::<u64>().ok();
    Some((ticks(fields.next())? + ticks(fields.next())?) as f64 / TICKS_PER_S)
}

fn bytes_of(name: &str, status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 9 0 0 0 250 150 7 8 20 0 5 0 100 1 2";
        assert_eq!(cpu_s(stat), Some(4.0));
        assert_eq!(bytes_of("VmRSS:", "VmPeak:\t 9 kB\nVmRSS:\t  2048 kB\n"), Some(2 * 1024 * 1024));
        assert_eq!(state_and_cpu_s(stat), Some(("S", 4.15)));
        assert_eq!((cpu_s("nonsense"), state_and_cpu_s("nonsense")), (None, None));
    }

    #[test]
    fn a_busy_process_is_seen_to_be_busy() {
        let pid = std::process::id();
        let before = usage(pid).unwrap();
        let began = std::time::Instant::now();
        let mut sum = 0_u64;
        while began.elapsed().as_millis() < 300 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let after = usage(pid).unwrap();
        assert!(after.cpu_s > before.cpu_s && after.rss_bytes > 100_000);
    }

    #[test]
    fn the_accounts_of_a_process_outlive_it_until_it_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
        let mut busy = Process::start("busy", command, &folder.path().join("log"));
        let cost = cost_of(&mut busy, Duration::from_secs(60)).unwrap();
        assert!(cost.cpu_s > 0.0 && cost.rss_bytes_max > 100_000, "{cost:?}");
        let mut failing = std::process::Command::new("sh");
        failing.args(["-c", "exit 7"]);
        let mut failing = Process::start("failing", failing, &folder.path().join("log"));
        assert!(cost_of(&mut failing, Duration::from_secs(60)).unwrap_err().to_string().contains('7'));
    }
}
