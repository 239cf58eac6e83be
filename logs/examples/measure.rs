//! How fast a log is imported, and in how much memory: writes a CloudFront log from a seed, imports it, and prints one
//! line of JSON. `cargo run --release -p livemeter-logs --example measure -- FOLDER BYTES`. Peers are run by hand.

use livemeter_logs::sample::{self, Sample};
use livemeter_logs::{Format, ImportRequest, Limits, LogStore};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("FOLDER is missing")?);
    let text_bytes = arguments.next().ok_or("BYTES is missing")?.parse()?;
    let path = folder.join(format!("cloudfront-{text_bytes}.log"));
    if !path.exists() {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        let written = sample::cloudfront(&Sample { text_bytes, ..Sample::default() }, &mut out)?;
        out.flush()?;
        eprintln!("{written:?}");
    }
    let store = LogStore::new(folder.join("bills"), Limits::default());
    let request = ImportRequest::new("cloudfront", &path, Format::named("cloudfront")?, 0);
    let (start, cpu_before_s) = (Instant::now(), cpu_s()?);
    let manifest = store.import(&request, &mut |_| ControlFlow::Continue(()))?.manifest;
    let (wall_s, cpu_s) = (start.elapsed().as_secs_f64(), cpu_s()? - cpu_before_s);
    let gb = manifest.text_bytes as f64 / 1e9;
    println!(
        "{{\"lines\":{},\"duplicates\":{},\"rows\":{},\"wall_s\":{wall_s:.2},\"cpu_s\":{cpu_s:.2},\"gb_per_cpu_s\":{:.3},\"rss_mb\":{}}}",
        manifest.lines,
        manifest.duplicate_lines,
        manifest.rows,
        gb / cpu_s,
        status("VmHWM")? / 1024,
    );
    Ok(())
}

/// A figure of `/proc/self/status`, in KiB.
fn status(name: &str) -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with(name)).ok_or("no such figure")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}

/// User and system time of this process so far, at 100 ticks a second.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let after_name: Vec<&str> = text.rsplit(')').next().ok_or("no figures")?.split_whitespace().collect();
    Ok((after_name[11].parse::<f64>()? + after_name[12].parse::<f64>()?) / 100.0)
}
