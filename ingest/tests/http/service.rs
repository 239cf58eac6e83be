//! One service on a free port with a memory sink, and a client for it.

use crate::memory::{MemorySink, Mood};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use livemeter_ingest::Config;
use livemeter_ingest::identity::Identity;
use livemeter_ingest::intake::Intake;
use livemeter_ingest::metrics::Metrics;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const NOW: i64 = 1_790_000_000_000;

pub struct Service {
    pub address: SocketAddr,
    pub sink: Arc<MemorySink>,
    client: Client<HttpConnector, Full<Bytes>>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

pub struct Said {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub text: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

impl Service {
    pub async fn start(mood: Mood) -> Self {
        Self::with(mood, Config::default()).await
    }

    pub async fn with(mood: Mood, config: Config) -> Self {
        Self::known_to(mood, config, Identity::default()).await
    }

    /// Open to the apps of this identity alone.
    pub async fn known_to(mood: Mood, config: Config, identity: Identity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sink = MemorySink::new(mood);
        let intake = Arc::new(Intake::new(config, sink.clone(), Metrics::new(), || NOW).known_to(identity));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let running = tokio::spawn(livemeter_ingest::http::serve(listener, intake, shutdown));
        let client = Client::builder(TokioExecutor::new()).build_http();
        Service { address, sink, client, stop: Some(stop), running }
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Said {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Said { status, headers, text }
    }

    pub async fn post(&self, body: impl Into<Bytes>) -> Said {
        self.send(Method::POST, "/v1/events", &[("content-type", "application/json")], body).await
    }

    pub async fn get(&self, path: &str) -> Said {
        self.send(Method::GET, path, &[], "").await
    }

    /// The value of one line of `/metrics`.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().unwrap()
    }

    pub fn begin_shutdown(&mut self) {
        self.stop.take();
    }

    pub async fn ended(self) {
        self.running.await.unwrap();
    }
}

/// A batch around the events, sent now.
pub fn batch(events: &[String]) -> String {
    format!(r#"{{"v":1,"app":"demo","sent_at_ms":{NOW},"events":[{}]}}"#, events.join(","))
}

pub fn heartbeat(seq: u64, bytes: i64) -> String {
    format!(
        r#"{{"type":"heartbeat","session_id":"s1","seq":{seq},"at_ms":{NOW},"user_id":"u1","programme_id":"p1","session_started_at_ms":{NOW},"state":"p","cdn":"cdn-a","counters":[{{"cdn":"cdn-a","first_used_at_ms":{NOW},"bytes":{bytes},"play_ms":10000,"stall_ms":0,"stalls":0}}]}}"#
    )
}
