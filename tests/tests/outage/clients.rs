//! Clients that remember what they were told: some post one event after the other and retry each until it is taken,
//! some only ask, all the time, whatever the answer is.

use livemeter_tests::audience::{Session, batch};
use livemeter_tests::edge::Edge;
use livemeter_tests::http::Http;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const PATIENT: usize = 20;
/// One probe this often, whether or not those before it have been answered.
const PROBE_EVERY: Duration = Duration::from_millis(20);
/// Between two events of one client.
const PAUSE: Duration = Duration::from_millis(100);

/// One answer.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub asked: Instant,
    pub at: Instant,
    pub status: u16,
    pub retry_after: bool,
}

/// What one patient client did.
#[derive(Debug)]
pub struct Client {
    pub session_id: String,
    /// `seq` of each event that was answered as accepted.
    pub accepted: Vec<u64>,
    pub made: u64,
    pub tries: usize,
}

pub struct Clients {
    stop: watch::Sender<bool>,
    told: Arc<Mutex<Vec<Told>>>,
    patient: Vec<JoinHandle<Client>>,
    probing: JoinHandle<()>,
}

impl Clients {
    pub fn start(edge: &Edge) -> Clients {
        let (stop, stopped) = watch::channel(false);
        let told = Arc::default();
        let post = Post { http: edge.http(), path: edge.path(), told: Arc::clone(&told) };
        let patient = (0..PATIENT).map(|n| tokio::spawn(patient(post.clone(), n, stopped.clone()))).collect();
        Clients { stop, told, patient, probing: tokio::spawn(probe(post)) }
    }

    /// Answers to requests that were asked within this time.
    pub fn told_between(&self, from: Instant, to: Instant) -> Vec<Told> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().filter(|t| (from..to).contains(&t.asked)).copied().collect()
    }

    /// Lets each patient client get its last event through.
    pub async fn stop(self) -> Vec<Client> {
        self.probing.abort();
        self.stop.send_replace(true);
        let mut clients = Vec::new();
        for client in self.patient {
            clients.push(client.await.expect("a client does not panic"));
        }
        clients
    }
}

#[derive(Clone)]
struct Post {
    http: Http,
    path: String,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Post {
    /// The answer's status, and the seconds after which to come again; none without an answer.
    async fn send(&self, body: &serde_json::Value) -> Option<(u16, u64)> {
        let asked = Instant::now();
        let answer = self.http.post_json(&self.path, body).await.ok()?;
        let retry_after = answer.headers.get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
        let told = Told { asked, at: Instant::now(), status: answer.status, retry_after: retry_after.is_some() };
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        Some((answer.status, retry_after.unwrap_or(1)))
    }
}

async fn patient(post: Post, n: usize, stopped: watch::Receiver<bool>) -> Client {
    let mut session = Session::new(format!("patient-{n}"), "user", "cdn-a");
    let mut client = Client { session_id: session.id.clone(), accepted: Vec::new(), made: 0, tries: 0 };
    while !*stopped.borrow() {
        let event = session.plays(1_000, 100).heartbeat();
        client.made += 1;
        loop {
            client.tries += 1;
            match post.send(&batch(vec![event.clone()])).await {
                Some((200, _)) => break,
                Some((_, seconds)) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
        client.accepted.push(event["seq"].as_u64().expect("a number"));
        tokio::time::sleep(PAUSE).await;
    }
    client
}

async fn probe(post: Post) {
    let mut session = Session::new("probe", "user", "cdn-b");
    loop {
        let (post, event) = (post.clone(), session.plays(1, 1).heartbeat());
        tokio::spawn(async move { post.send(&batch(vec![event])).await });
        tokio::time::sleep(PROBE_EVERY).await;
    }
}
