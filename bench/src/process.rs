//! CPU and memory of a process as the kernel accounts them. What the figures mean for a bench is not here.

use anyhow::{Context, Result};

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
    let rss_bytes = rss_bytes(&read("status")?).with_context(|| format!("/proc/{pid}/status has no VmRSS"))?;
    Ok(Usage { cpu_s, rss_bytes })
}

/// Fields 14 and 15; the second field is a name in parentheses, which may hold spaces and parentheses.
fn cpu_s(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let ticks = |field: Option<&str>| field?.parse::<u64>().ok();
    Some((ticks(fields.next())? + ticks(fields.next())?) as f64 / TICKS_PER_S)
}

fn rss_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 9 0 0 0 250 150 7 8 20 0 5 0 100 1 2";
        assert_eq!(cpu_s(stat), Some(4.0));
        assert_eq!(rss_bytes("VmPeak:\t 9 kB\nVmRSS:\t  2048 kB\n"), Some(2 * 1024 * 1024));
        assert_eq!(cpu_s("nonsense"), None);
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
}
