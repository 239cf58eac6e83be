//! Ingest alone before a broker, for those who attack it or take its broker away: raw bytes in, all that it says kept,
//! and what must hold afterwards whatever was done. The attacks themselves are not here.

use crate::apps::{Apps, livemeter};
use crate::audience::{APP, Session, batch};
use crate::brokers::{Broker, Kind};
use crate::http::Http;
use crate::process::Process;
use crate::tls::Certificate;
use crate::wire::{Wire, talk};
use crate::{binary, kafka, ports, wait};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};

pub use crate::wire::{Said, statuses};

/// What ingest may hold at its worst, in kB: bodies in flight (64 MiB) and the producer's queue (64 MiB) are its
/// limits, and the rest is small.
pub const RSS_KB_MAX: u64 = 220_000;
/// After an answer: a second one would follow at once.
const SILENCE: Duration = Duration::from_millis(300);
const PARTITIONS: i32 = 4;

/// One ingest, its broker, its app, and an honest viewer whose data nobody else may see.
pub struct Edge {
    pub apps: Apps,
    pub key: String,
    pub victim: Mutex<Session>,
    token: Option<String>,
    port: u16,
    certificate: Option<Certificate>,
    process: Mutex<Process>,
    heard: Mutex<Vec<u8>>,
    pub broker: Broker,
    folder: TempDir,
}

impl Edge {
    /// Before the embedded broker, which is quickly there. `apps` is as [`Apps::with`] and [`Apps::with_tokens`] make
    /// it; these further flags are ingest's.
    pub async fn start(apps: (Apps, String), flags: &[&str]) -> Edge {
        Edge::before(Broker::start(Kind::Embedded).await, apps, flags).await
    }

    /// The same, which speaks TLS alone.
    pub async fn start_secure(apps: (Apps, String), flags: &[&str]) -> Edge {
        Edge::make(Broker::start(Kind::Embedded).await, apps, flags, Some(Certificate::make())).await
    }

    /// The same as [`Edge::start`] before this broker.
    pub async fn before(broker: Broker, apps: (Apps, String), flags: &[&str]) -> Edge {
        Edge::make(broker, apps, flags, None).await
    }

    async fn make(broker: Broker, (apps, key): (Apps, String), flags: &[&str], certificate: Option<Certificate>) -> Edge {
        let folder = tempfile::Builder::new().prefix("livemeter-edge-").tempdir().expect("a temporary folder");
        let made = livemeter(&["topics", "create", "--brokers", &broker.addr(), "--partitions", &PARTITIONS.to_string()]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = ports::free();
        let mut command = Command::new(binary::path("livemeter"));
        command.args(["ingest", "--brokers", &broker.addr(), "--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--apps-file", &apps.file()]).args(flags);
        command.args(certificate.iter().flat_map(Certificate::flags));
        let process = Process::start("ingest", command, &folder.path().join("ingest.log"));
        let mark = uuid::Uuid::new_v4().simple().to_string();
        let victim = Session::new(format!("session-of-{mark}"), format!("victim-{mark}"), "cdn-a");
        let token = apps.text().contains("token_required = true").then(|| apps.token("ed", &victim.user, &[]));
        let (process, heard, victim) = (Mutex::new(process), Mutex::default(), Mutex::new(victim));
        let edge = Edge { apps, key, victim, token, port, certificate, process, heard, broker, folder };
        edge.is_ready().await;
        edge.honest_post(None).await;
        edge
    }

    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The certificate that it shows; none where it speaks plain HTTP.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// For an edge that speaks plain HTTP.
    pub fn http(&self) -> Http {
        Http::new(format!("http://{}", self.addr()))
    }

    /// Where a good post goes.
    pub fn path(&self) -> String {
        format!("/v1/events?key={}", self.key)
    }

    /// A counter or gauge as it stands; 0 for one that has not been moved yet.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.expect("metrics").text;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        line.map_or(0, |value| value.parse::<f64>().expect("a number") as u64)
    }

    /// One more heartbeat of the honest viewer, as bytes on the wire.
    pub fn honest_request(&self) -> Vec<u8> {
        let mut body = batch(vec![self.victim.lock().unwrap_or_else(PoisonError::into_inner).plays(1_000, 10).heartbeat()]);
        if let Some(token) = &self.token {
            body["token"] = json!(token);
        }
        self.request("POST", &self.path(), "content-type: application/json\r\n", body.to_string().as_bytes())
    }

    /// A request that is well framed, with these further lines in its head.
    pub fn request(&self, method: &str, path: &str, lines: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n{lines}content-length: {}\r\n\r\n", self.addr(), body.len());
        [head.as_bytes(), body].concat()
    }

    /// Posts as the honest viewer, from this address; it must be taken. Answers how long it took.
    pub async fn honest_post(&self, from: Option<IpAddr>) -> Duration {
        let began = std::time::Instant::now();
        let stream = self.wire(from).await.expect("a connection");
        let said = talk(stream, &self.honest_request(), Duration::ZERO).await;
        assert_eq!(said.statuses, [200], "the honest viewer is served: {said:?}");
        began.elapsed()
    }

    pub async fn connect(&self, from: Option<IpAddr>) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if let Some(address) = from {
            socket.bind(SocketAddr::new(address, 0))?;
        }
        socket.connect(self.addr()).await
    }

    /// The same, with the handshake behind it where it speaks TLS.
    async fn wire(&self, from: Option<IpAddr>) -> std::io::Result<Box<dyn Wire>> {
        let stream = self.connect(from).await?;
        match &self.certificate {
            None => Ok(Box::new(stream)),
            Some(certificate) => Ok(Box::new(certificate.handshake(self.addr().ip(), stream).await?)),
        }
    }

    async fn get(&self, path: &str) -> std::io::Result<Said> {
        Ok(talk(self.wire(None).await?, &self.request("GET", path, "", b""), Duration::ZERO).await)
    }

    async fn is_ready(&self) {
        wait::until("ingest to be ready", || async {
            self.process.lock().unwrap_or_else(PoisonError::into_inner).check().unwrap_or_else(|why| panic!("{why}"));
            match self.get("/readyz").await.map_err(|e| e.to_string())? {
                said if said.statuses == [200] => Ok(()),
                said => Err(said.text),
            }
        })
        .await;
    }

    /// Sends these bytes on a connection of their own and keeps all that comes back, until it is closed or silent.
    pub async fn exchange(&self, bytes: &[u8]) -> Said {
        let said = talk(self.wire(None).await.expect("a connection"), bytes, SILENCE).await;
        self.hear(said.text.as_bytes());
        said
    }

    /// For attacks that read by themselves: what they heard is looked through in the end.
    pub fn hear(&self, bytes: &[u8]) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    /// A simulated audience of its app; its truth is written to these paths at its end.
    pub fn audience(&self, flags: &[&str], truth: &Path, sessions: &Path) -> Process {
        let mut command = Command::new(binary::path("livemeter"));
        command.args(["simulate", "--app", APP, "--write-key", &self.key, "--ingest", &format!("http://{}", self.addr())]);
        command.arg("--truth").arg(truth).arg("--truth-sessions").arg(sessions).args(flags);
        Process::start("simulate", command, &self.folder.path().join("simulate.log"))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Resident memory of ingest now, in kB.
    pub fn rss_kb(&self) -> u64 {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).rss_kb()
    }

    /// The events that Kafka holds.
    pub fn stored(&self) -> Vec<Value> {
        let records = kafka::read_all(&self.broker.addr(), "livemeter.events.v1", PARTITIONS);
        records.iter().map(|r| serde_json::from_slice::<Value>(&r.value).expect("JSON")["event"].clone()).collect()
    }

    /// Sessions of which Kafka holds an event.
    pub fn sessions(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.stored().iter().filter_map(|e| e["session_id"].as_str().map(str::to_owned)).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// What must hold after anything: it is alive and serves, its memory was bounded, nothing panicked, and the
    /// honest viewer was named to nobody. Prints the most it held.
    pub async fn is_well(&self, after: &str) {
        self.honest_post(None).await;
        let (ended, peak_kb) = {
            let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
            (process.check(), process.rss_peak_kb())
        };
        ended.unwrap_or_else(|why| panic!("after {after}: {why}"));
        assert!(peak_kb <= RSS_KB_MAX, "after {after}: {peak_kb} kB were resident; {RSS_KB_MAX} are allowed");
        let log = std::fs::read_to_string(self.folder.path().join("ingest.log")).expect("a log");
        assert!(!log.contains("panicked"), "after {after}: {log}");
        let (heard, victim) =
            (self.heard.lock().unwrap_or_else(PoisonError::into_inner), self.victim.lock().unwrap_or_else(PoisonError::into_inner));
        for name in [&victim.user, &victim.id] {
            assert!(!heard.windows(name.len()).any(|window| window == name.as_bytes()), "after {after}: {name} was told to another");
        }
        println!("hostile: {after}; alive, at most {} MB resident, {} bytes of answers looked through", peak_kb / 1000, heard.len());
    }
}
