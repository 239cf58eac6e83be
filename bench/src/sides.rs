//! The sides of `bench-ingest`: servers that take a load over HTTP, and bare producers that need none, each a
//! process of its own whose CPU and memory the kernel tells. Which are compared, and how, is not here.

use crate::figures::Run;
use crate::load::Loaded;
use crate::process::{accounts, cost_of, usage};
use anyhow::{Context as _, Result, ensure};
use livemeter_tests::brokers::Broker;
use livemeter_tests::http::Http;
use livemeter_tests::process::Process;
use livemeter_tests::{binary, ports, wait};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long preparing bodies and the last answers may take beyond the run.
const SPARE: Duration = Duration::from_secs(300);

/// Where all of it happens.
pub struct Stand {
    pub broker: Broker,
    pub folder: PathBuf,
    /// Distinct events of each load.
    pub pool: u64,
    /// A log for each run.
    pub runs: Cell<u64>,
}

/// A load: so much, so long.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub batch: usize,
    pub connections: usize,
    pub seconds: f64,
    /// Events a second; none: as fast as answers come.
    pub events_per_s: Option<f64>,
    /// A connection for each request.
    pub fresh: bool,
    /// TLS, by the stand's certificate.
    pub tls: bool,
    /// The answers say how many events they take.
    pub told: bool,
}

/// Something that listens.
pub struct Server {
    port: u16,
    process: Process,
}

impl Server {
    /// Asks it to end, and waits; a service ends well, a JVM by the signal.
    pub fn end(mut self) {
        self.process.terminate(SPARE);
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

impl Stand {
    pub async fn ingest(&self, topic: &str) -> Result<Server> {
        self.server("ingest", |port| self.ingest_command(port, topic)).await
    }

    /// Ingest that speaks TLS itself; none in a build that does not. Whether it is ready is for the load to find out.
    pub async fn ingest_tls(&self, topic: &str) -> Result<Option<Server>> {
        let help = Command::new(binary::path("livemeter")).args(["ingest", "--help"]).output()?;
        if !String::from_utf8_lossy(&help.stdout).contains("--tls-cert-file") {
            return Ok(None);
        }
        let key = self.folder.join("key.pem");
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
        openssl.args(["-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
        let made = openssl.arg("-keyout").arg(&key).arg("-out").arg(self.certificate()).output().context("openssl")?;
        ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
        let port = ports::free();
        let mut command = self.ingest_command(port, topic);
        command.arg("--tls-cert-file").arg(self.certificate()).arg("--tls-key-file").arg(key);
        let mut process = Process::start("ingest", command, &self.log("ingest-tls"));
        wait::until("ingest to listen", || {
            let ended = process.check();
            async move {
                ended.unwrap_or_else(|why| panic!("{why}"));
                tokio::net::TcpStream::connect(("127.0.0.1", port)).await.map(drop)
            }
        })
        .await;
        Ok(Some(Server { port, process }))
    }

    fn ingest_command(&self, port: u16, topic: &str) -> Command {
        let mut command = Command::new(binary::path("livemeter"));
        command.args(["ingest", "--log", "warn", "--brokers", &self.broker.addr(), "--events-topic", topic]);
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        command
    }

    fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    pub async fn discard(&self) -> Result<Server> {
        self.server("discard", |port| {
            let mut command = Command::new(binary::path("discard"));
            command.args(["--listen", &format!("127.0.0.1:{port}")]);
            command
        })
        .await
    }

    pub async fn peer(&self, topic: &str) -> Result<Server> {
        self.server("camel", |port| {
            let mut command = Command::new(script("camel/run.sh"));
            command.args([&port.to_string(), &self.broker.addr(), topic]);
            command
        })
        .await
    }

    async fn server(&self, name: &str, command: impl Fn(u16) -> Command) -> Result<Server> {
        let port = ports::free();
        let mut process = Process::start(name, command(port), &self.log(name));
        let http = Http::new(format!("http://127.0.0.1:{port}"));
        wait::ready(name, &mut process, &http).await;
        Ok(Server { port, process })
    }

    /// Loads a server; `look` sees its memory as it goes.
    pub async fn load(&self, server: &mut Server, load: Load, mut look: impl FnMut(f64, u64)) -> Result<Run> {
        let log = self.log("load");
        let mut process = Process::start("load", self.load_command(server.port, load), &log);
        let (pid, began) = (server.process.id(), Instant::now());
        let patience = Duration::from_secs_f64(load.seconds) + SPARE;
        let before = (usage(pid)?, self.broker_cpu_s()?);
        let mut rss_bytes_max = 0;
        loop {
            server.process.check().map_err(anyhow::Error::msg)?;
            let rss_bytes = usage(pid)?.rss_bytes;
            rss_bytes_max = rss_bytes_max.max(rss_bytes);
            look(began.elapsed().as_secs_f64(), rss_bytes);
            if let Some(status) = process.ended() {
                ensure!(status.success(), "the load ended with {status}\n{}\n{}", process.log_tail(), server.process.log_tail());
                break;
            }
            ensure!(began.elapsed() < patience, "the load did not end within {patience:?}\n{}", process.log_tail());
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let after = (usage(pid)?, self.broker_cpu_s()?);
        let loaded = printed(&log)?;
        Ok(Run { loaded, cpu_s: after.0.cpu_s - before.0.cpu_s, broker_cpu_s: after.1 - before.1, rss_bytes_max })
    }

    fn load_command(&self, port: u16, load: Load) -> Command {
        let mut command = Command::new(binary::path("load"));
        command.args(["--to", &format!("127.0.0.1:{port}"), "--batch", &load.batch.to_string()]);
        command.args(["--connections", &load.connections.to_string(), "--seconds", &load.seconds.to_string()]);
        command.args(["--pool", &self.pool.to_string()]);
        if let Some(events_per_s) = load.events_per_s {
            command.args(["--rate", &(events_per_s / load.batch as f64).to_string()]);
        }
        if load.tls {
            command.arg("--trust").arg(self.certificate());
        }
        command.args(load.fresh.then_some("--fresh").into_iter().chain((!load.told).then_some("--untold")));
        command
    }

    /// The loop over the same records.
    pub fn raw(&self, topic: &str, seconds: f64) -> Result<Run> {
        let log = self.log("bare_producer");
        let mut command = Command::new(binary::path("bare_producer"));
        command.args(["--brokers", &self.broker.addr(), "--topic", topic, "--seconds", &seconds.to_string()]);
        command.args(["--pool", &self.pool.to_string()]);
        let before_s = self.broker_cpu_s()?;
        let cost = cost_of(&mut Process::start("bare_producer", command, &log), Duration::from_secs_f64(seconds) + SPARE)?;
        let loaded = printed(&log)?;
        // Its life begins with making the records; what counts is what it says of its sending.
        Ok(Run { cpu_s: loaded.cpu_s, loaded, broker_cpu_s: self.broker_cpu_s()? - before_s, rss_bytes_max: cost.rss_bytes_max })
    }

    /// librdkafka's own tool: so many records of one size, all alike.
    pub fn performance(&self, topic: &str, records: u64, record_bytes: u64) -> Result<Run> {
        let built = Command::new(script("rdkafka/build")).output()?;
        ensure!(built.status.success(), "building rdkafka_performance: {}", String::from_utf8_lossy(&built.stderr));
        let mut command = Command::new(String::from_utf8(built.stdout)?.trim());
        command.args(["-P", "-q", "-t", topic, "-b", &self.broker.addr(), "-z", "lz4"]);
        command.args(["-s", &record_bytes.to_string(), "-c", &records.to_string()]);
        for setting in ["acks=all", "enable.idempotence=true", "linger.ms=5", "allow.auto.create.topics=false"] {
            command.args(["-X", setting]);
        }
        command.args(["-X", "queue.buffering.max.messages=100000", "-X", "queue.buffering.max.kbytes=65536"]);
        let before_s = self.broker_cpu_s()?;
        let cost = cost_of(&mut Process::start("rdkafka_performance", command, &self.log("rdkafka_performance")), SPARE)?;
        let total_bytes = records * record_bytes;
        let loaded = Loaded { requests: records, events: records, record_bytes: total_bytes, wall_s: cost.wall_s, ..Loaded::default() };
        Ok(Run { loaded, cpu_s: cost.cpu_s, broker_cpu_s: self.broker_cpu_s()? - before_s, rss_bytes_max: cost.rss_bytes_max })
    }

    fn broker_cpu_s(&self) -> Result<f64> {
        Ok(accounts(self.broker.process().context("the broker is gone")?.id())?.cpu_s)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.runs.set(self.runs.get() + 1);
        self.folder.join(format!("{:03}-{name}.log", self.runs.get()))
    }
}

/// The line of JSON that a process has printed before it ended.
fn printed(log: &Path) -> Result<Loaded> {
    let text = std::fs::read_to_string(log)?;
    let line = text.lines().rev().find(|line| line.starts_with('{')).with_context(|| format!("it said nothing: {text}"))?;
    Ok(serde_json::from_str(line)?)
}
