//! Settings → which processes, with which arguments, in which order. Refuses early, in words that
//! tell what to do: a taken port, a folder already in use, a missing binary, a full disk.

use super::disk;
use crate::cli::Failure;
use crate::settings::{Settings, show_size};
use clap::ArgMatches;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The embedded broker syncs its one file before each acknowledgement. With the default linger, requests
/// queue up behind that and librdkafka's thread spins (0.5 core at 1,000 events/s; 0.1 with this one).
const EMBEDDED_LINGER: &str = "50ms";
const DEFAULT_LINGER: &str = "5ms";
/// The children of a supervisor that was killed finish what they have: the processor's commit takes longest.
const ORPHANS_WAIT: Duration = Duration::from_secs(30);

/// The one child that the rest can do without.
pub const AUDIENCE: &str = "audience";

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
    _locks: Locks,
}

impl Plan {
    pub fn make(settings: &Settings, given: &ArgMatches) -> Result<Plan, Failure> {
        let data = PathBuf::from(settings.text("up.data"));
        std::fs::create_dir_all(data.join("logs")).map_err(|e| Failure::attention(format!("up.data is {}: {e}", data.display())))?;
        let locks = Locks::take(&data)?;
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
        // Held until all are checked: two services on one port are a taken port, too.
        let mut held = Vec::new();
        for (section, address) in ["ingest", "processor", "query"].iter().zip(&addresses) {
            held.push(must_be_free(&format!("{section}.listen"), address)?);
        }
        let [ingest, processor, query] = addresses;
        let brokers = settings.text("kafka.brokers");
        let this = std::env::current_exe().map_err(Failure::new)?;
        let external_kafka = given.get_one::<String>("kafka").is_some();
        let embedded_broker = if external_kafka { None } else { Some(broker(&this, &brokers, &data)?) };
        let ledger = data.join("ledger").display().to_string();
        let handed_on = handed_on(given);
        let make = |name, args: Vec<String>, address: Option<SocketAddr>| Process {
            name,
            program: this.clone(),
            args: [args, handed_on.clone()].concat(),
            ready_url: address.map(|a| format!("http://{}/readyz", reached(a))),
            metrics_url: address.map(|a| format!("http://{}/metrics", reached(a))),
        };
        let args = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let mut ingest_args = args(&["ingest", "--brokers", &brokers, "--listen", &ingest.to_string()]);
        if embedded_broker.is_some() && settings.raw("ingest.linger") == DEFAULT_LINGER {
            ingest_args.extend(args(&["--linger", EMBEDDED_LINGER]));
        }
        // The console shows what this tree refuses.
        let counting = format!("http://{}, http://{}", reached(ingest), reached(processor));
        let viewers = settings.integer("up.viewers");
        let audience = (viewers > 0).then(|| {
            let url = format!("http://{}", reached(ingest));
            make(AUDIENCE, args(&["simulate", "--ingest", &url, "--viewers", &viewers.to_string(), "--drain", "5s"]), None)
        });
        Ok(Plan {
            embedded_broker,
            ingest: make("ingest", ingest_args, Some(ingest)),
            processor: make(
                "processor",
                args(&["process", "--brokers", &brokers, "--ledger", &ledger, "--listen", &processor.to_string()]),
                Some(processor),
            ),
            query: make(
                "query",
                args(&["query", "--ledger", &ledger, "--listen", &query.to_string(), "--refusals-from", &counting]),
                Some(query),
            ),
            audience,
            viewers,
            brokers,
            limits,
            log_bytes_max: settings.integer("up.log_bytes_max"),
            data,
            _locks: locks,
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

fn must_be_free(setting: &str, address: &SocketAddr) -> Result<TcpListener, Failure> {
    let variable = format!("LIVEMETER_{}", setting.replace('.', "_").to_uppercase());
    if address.port() == 0 {
        return Err(Failure::attention(format!("{setting} is {address}; it must name its port, so that others find it ({variable})")));
    }
    TcpListener::bind(address).map_err(|e| {
        Failure::attention(format!("{setting} is {address}: {e}; set {variable} to another address, or stop what uses this one"))
    })
}

/// Where to ask a service that listens here: one that listens everywhere is reached on this machine.
pub fn reached(mut listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

/// What every child is told alike.
fn handed_on(given: &ArgMatches) -> Vec<String> {
    let mut args = vec!["--die-with-parent".to_owned(), std::process::id().to_string()];
    if let Some(config) = given.get_one::<PathBuf>("config") {
        args.extend(["--config".to_owned(), config.display().to_string()]);
    }
    if let Some(level) = given.get_one::<String>("log") {
        args.extend(["--log".to_owned(), level.clone()]);
    }
    if given.get_flag("log-json") {
        args.push("--log-json".to_owned());
    }
    args
}

/// Two trees on one folder would fight over it. One lock is the supervisor's alone. The other is held by
/// every child too, so that it is free only when the last one of an earlier tree has ended.
struct Locks {
    _supervisor: Flock<File>,
    _tree: Flock<File>,
}

impl Locks {
    fn take(data: &Path) -> Result<Locks, Failure> {
        let supervisor = lock(&data.join("lock"), Duration::ZERO)?;
        let tree = lock(&data.join("tree.lock"), ORPHANS_WAIT)?;
        // Open files are closed in a child, except this one.
        fcntl(&*tree, FcntlArg::F_SETFD(FdFlag::empty())).map_err(Failure::new)?;
        Ok(Locks { _supervisor: supervisor, _tree: tree })
    }
}

fn lock(path: &Path, patience: Duration) -> Result<Flock<File>, Failure> {
    let mut file = File::create(path).map_err(|e| Failure::attention(format!("{}: {e}", path.display())))?;
    let deadline = Instant::now() + patience;
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((file, Errno::EWOULDBLOCK)) if Instant::now() < deadline => file,
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(Failure::attention(format!(
                    "{} is held by another `livemeter up`; choose another folder with --data, or stop that one",
                    path.display()
                )));
            }
            Err((_, error)) => return Err(Failure::attention(format!("{}: {error}", path.display()))),
        };
        std::thread::sleep(Duration::from_millis(100));
    }
}
