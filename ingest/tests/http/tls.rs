//! TLS: what is spoken, what is not, a certificate that changes under open connections, handshakes that do
//! not end, and the drain.

use crate::memory::{MemorySink, Mood};
use crate::service::{NOW, batch, heartbeat};
use livemeter_ingest::Config;
use livemeter_ingest::config::TlsFiles;
use livemeter_ingest::http::tls::Tls;
use livemeter_ingest::intake::Intake;
use livemeter_ingest::metrics::{Levels, Metrics};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

struct Secure {
    address: SocketAddr,
    intake: Arc<Intake>,
    files: TlsFiles,
    sink: Arc<MemorySink>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    _folder: TempDir,
}

/// A certificate that signs itself and is no authority, as rustls wants it.
const OPENSSL: &str = "[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN=localhost\n[v3]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n";

/// Writes a new certificate for this machine, by `openssl`.
fn certify(files: &TlsFiles) {
    let settings = files.cert_file.with_extension("cnf");
    std::fs::write(&settings, OPENSSL).unwrap();
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-config"]);
    command.arg(settings).arg("-keyout").arg(&files.key_file).arg("-out").arg(&files.cert_file);
    let out = command.output().expect("openssl, of the Debian package of that name, is installed");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

impl Secure {
    async fn start(mood: Mood, config: Config) -> Secure {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { cert_file: folder.path().join("cert.pem"), key_file: folder.path().join("key.pem") };
        certify(&files);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sink = MemorySink::new(mood);
        let tls = Tls::load(Some(&files)).await.unwrap();
        let intake = Arc::new(Intake::new(config, sink.clone(), Metrics::new(), || NOW));
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(livemeter_ingest::http::serve_with(listener, intake.clone(), tls, async { drop(stopped.await) }));
        Secure { address, intake, files, sink, stop: Some(stop), running, _folder: folder }
    }

    /// Trusts exactly the certificate that is in the file now.
    async fn connect(&self, version: &'static SupportedProtocolVersion) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.files.cert_file).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
    }

    fn metric(&self, name: &str) -> f64 {
        let text = self.intake.metrics.text(Levels { requests: 0, bytes: 0, kafka_ready: true, apps: 0 });
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok()).unwrap_or(0.0)
    }
}

async fn ask(stream: &mut TlsStream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = [0; 4096];
    let read = stream.read(&mut said).await.unwrap();
    String::from_utf8_lossy(&said[..read]).into_owned()
}

fn post() -> String {
    let body = batch(&[heartbeat(1, 10)]);
    format!("POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn both_versions_are_spoken_http_1_is_chosen_and_plain_text_is_not_answered() {
    let service = Secure::start(Mood::Acks, Config::default()).await;
    for version in [&version::TLS13, &version::TLS12] {
        let mut stream = service.connect(version).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        // Twice on one connection.
        for _ in 0..2 {
            let said = ask(&mut stream, &post()).await;
            assert!(said.starts_with("HTTP/1.1 200 ") && said.contains("\"accepted\":1"), "{said}");
        }
    }
    let mut plain = TcpStream::connect(service.address).await.unwrap();
    plain.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
    assert_eq!(service.metric("livemeter_ingest_connections_closed_total{cause=\"handshake_failed\"}"), 1.0);
}

#[tokio::test]
async fn a_changed_certificate_is_taken_and_open_connections_go_on() {
    let service = Secure::start(Mood::Acks, Config::default()).await;
    let mut open = service.connect(&version::TLS13).await.unwrap();
    assert!(ask(&mut open, HEALTH).await.starts_with("HTTP/1.1 200 "));

    std::fs::write(&service.files.cert_file, "no certificate").unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while service.metric("livemeter_ingest_tls_reloads_failed_total") == 0.0 {
        assert!(Instant::now() < until, "the broken file was not noticed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    certify(&service.files);
    while service.metric("livemeter_ingest_tls_reloads_total") == 0.0 {
        assert!(Instant::now() < until, "the new certificate was not taken");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Trusts the new one alone.
    let mut new = service.connect(&version::TLS13).await.unwrap();
    assert!(ask(&mut new, HEALTH).await.starts_with("HTTP/1.1 200 "));
    assert!(ask(&mut open, HEALTH).await.starts_with("HTTP/1.1 200 "), "the connection from before is still open");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_holds_a_place_for_its_time_only() {
    let config = Config { head_timeout_ms: 500, connections_max: 2, ..Config::default() };
    let service = Secure::start(Mood::Acks, config).await;
    let mut held = [TcpStream::connect(service.address).await.unwrap(), TcpStream::connect(service.address).await.unwrap()];
    held[0].write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(service.connect(&version::TLS13).await.is_err(), "both places are taken");
    assert_eq!(service.metric("livemeter_ingest_connections_refused_total"), 1.0);
    for stream in &mut held {
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
    }
    let mut stream = service.connect(&version::TLS13).await.unwrap();
    assert!(ask(&mut stream, HEALTH).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(service.metric("livemeter_ingest_connections_closed_total{cause=\"handshake\"}"), 2.0);
}

#[tokio::test]
async fn the_drain_answers_what_is_in_progress_and_does_not_wait_for_the_silent() {
    let mut service = Secure::start(Mood::AcksAfter(Duration::from_millis(400)), Config::default()).await;
    let mut idle = service.connect(&version::TLS13).await.unwrap();
    assert!(ask(&mut idle, HEALTH).await.starts_with("HTTP/1.1 200 "));
    let _in_handshake = TcpStream::connect(service.address).await.unwrap();
    let mut posting = service.connect(&version::TLS13).await.unwrap();
    posting.write_all(post().as_bytes()).await.unwrap();
    while service.sink.events.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let began = Instant::now();
    service.stop.take();
    let mut said = Vec::new();
    let _ = posting.read_to_end(&mut said).await;
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 200 ") && said.contains("\"accepted\":1"), "{said}");
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "an idle connection is closed without a word");
    service.running.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles { cert_file: folder.path().join("cert.pem"), key_file: folder.path().join("key.pem") };
    let said = async |files: &TlsFiles| Tls::load(Some(files)).await.err().map(|e| (e.to_string(), e.retry())).unwrap();
    let named = |said: (String, bool), path: &Path| {
        assert!(said.0.contains(&path.display().to_string()) && !said.1, "{said:?}");
    };
    named(said(&files).await, &files.cert_file);
    certify(&files);
    std::fs::write(&files.key_file, "rubbish").unwrap();
    named(said(&files).await, &files.key_file);
    certify(&files);
    let other = TlsFiles { cert_file: folder.path().join("other-cert.pem"), key_file: folder.path().join("other-key.pem") };
    certify(&other);
    let other = TlsFiles { cert_file: files.cert_file.clone(), ..other };
    named(said(&other).await, &files.cert_file);
}
