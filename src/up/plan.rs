//! Settings → which processes, with which arguments, in which order. Refuses early, in words that
//! tell what to do: a taken port, a folder already in use, a missing binary, a full disk.

use super::disk;
use crate::cli::Failure;
use crate::settings::{Settings, show_size};
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// The embedded broker syncs its one file before each acknowledgement. With the default linger, requests
/// queue up behind that and librdkafka's thread spins (0.5 core at 1,000 events/s; 0.1 with this one).
const EMBEDDED_LINGER: &str = "50ms";
const DEFAULT_LINGER: &str = "5ms";

/// One process to run.
#[derive(Debug, Clone)]
pub struct Process {
    pub name: &'static str,
    pub program: PathBuf,
    pub args: Vec<String>,
    /// Where it tells that it is ready; none for those that need not be waited for.
    pub ready_url: Option<String>,
    pub metrics_url: Option<String>,
}

/// The whole tree.
pub struct Plan {
    pub data: PathBuf,
    pub brokers: String,
    pub embedded_broker: Option<Process>,
    pub ingest: Process,
    pub processor: Process,
    pub query: Process,
    pub audience: Option<Process>,
    pub viewers: u64,
    pub limits: disk::Limits,
    pub log_bytes_max: u64,
    /// Held for as long as the tree runs: two trees on one folder would fight over it.
    _lock: Flock<File>,
}

impl Plan {
    pub fn make(settings: &Settings, config: Option<PathBuf>, external_kafka: bool) -> Result<Plan, Failure> {
        let data = PathBuf::from(settings.text("up.data"));
        std::fs::create_dir_all(data.join("logs")).map_err(|e| Failure::attention(format!("up.data is {}: {e}", data.display())))?;
        let lock = lock(&data)?;
        let limits = disk::Limits { used_max: settings.integer("up.disk_max"), free_min: settings.integer("up.disk_free_min") };
        let free = disk::free_bytes(&data).map_err(Failure::new)?;
        if free < limits.free_min {
            let (free, min) = (show_size(free), show_size(limits.free_min));
            return Err(Failure::attention(format!(
                "only {free} are free in {}; at least {min} are needed (--disk-free-min)",
                data.display()
            )));
        }
        let addresses = ["ingest", "processor", "query"].map(|section| settings.address(&format!("{section}.listen")));
        for (section, address) in ["ingest", "processor", "query"].iter().zip(&addresses) {
            must_be_free(&format!("{section}.listen"), address)?;
        }
        let [ingest, processor, query] = addresses;
        let brokers = settings.text("kafka.brokers");
        let this = std::env::current_exe().map_err(Failure::new)?;
        let embedded_broker = if external_kafka { None } else { Some(broker(&this, &brokers, &data)?) };
        let ledger = data.join("ledger").display().to_string();
        let make = |name, args: Vec<String>, address: Option<SocketAddr>| {
            let mut all = args;
            if let Some(config) = &config {
                all.extend(["--config".into(), config.display().to_string()]);
            }
            all.push("--die-with-parent".into());
            Process {
                name,
                program: this.clone(),
                args: all,
                ready_url: address.map(|a| format!("http://{a}/readyz")),
                metrics_url: address.map(|a| format!("http://{a}/metrics")),
            }
        };
        let args = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let mut ingest_args = args(&["ingest", "--brokers", &brokers, "--listen", &ingest.to_string()]);
        if embedded_broker.is_some() && settings.raw("ingest.linger") == DEFAULT_LINGER {
            ingest_args.extend(args(&["--linger", EMBEDDED_LINGER]));
        }
        let viewers = settings.integer("up.viewers");
        let audience = (viewers > 0).then(|| {
            let url = format!("http://{ingest}");
            make("audience", args(&["simulate", "--ingest", &url, "--viewers", &viewers.to_string(), "--drain", "5s"]), None)
        });
        Ok(Plan {
            embedded_broker,
            ingest: make("ingest", ingest_args, Some(ingest)),
            processor: make(
                "processor",
                args(&["process", "--brokers", &brokers, "--ledger", &ledger, "--listen", &processor.to_string()]),
                Some(processor),
            ),
            query: make("query", args(&["query", "--ledger", &ledger, "--listen", &query.to_string()]), Some(query)),
            audience,
            viewers,
            brokers,
            limits,
            log_bytes_max: settings.integer("up.log_bytes_max"),
            data,
            _lock: lock,
        })
    }
}

/// The embedded broker: a binary of its own beside this one, since its SQLite cannot share ours.
fn broker(this: &Path, brokers: &str, data: &Path) -> Result<Process, Failure> {
    let address: SocketAddr = brokers.parse().map_err(|_| {
        Failure::attention(format!(
            "kafka.brokers is {brokers:?}; the embedded broker needs one literal address such as 127.0.0.1:8709 (or use --kafka)"
        ))
    })?;
    must_be_free("kafka.brokers", &address)?;
    let program = this.with_file_name("livemeter-broker");
    if !program.is_file() {
        return Err(Failure::attention(format!(
            "{} is missing; build it with `cargo build --workspace --bins` or use --kafka",
            program.display()
        )));
    }
    let args = ["--listen", &address.to_string(), "--data", &data.join("broker").display().to_string(), "--die-with-parent"];
    Ok(Process { name: "broker", program, args: args.map(str::to_owned).to_vec(), ready_url: None, metrics_url: None })
}

fn must_be_free(setting: &str, address: &SocketAddr) -> Result<(), Failure> {
    TcpListener::bind(address).map(drop).map_err(|e| {
        let variable = format!("LIVEMETER_{}", setting.replace('.', "_").to_uppercase());
        Failure::attention(format!("{setting} is {address}: {e}; set {variable} to another address, or stop what uses this one"))
    })
}

fn lock(data: &Path) -> Result<Flock<File>, Failure> {
    let path = data.join("lock");
    let file = File::create(&path).map_err(|e| Failure::attention(format!("{}: {e}", path.display())))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| {
        Failure::attention(format!("{} is in use by another `livemeter up`; choose another folder with --data", data.display()))
    })
}
