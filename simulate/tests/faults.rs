//! The whole simulator against a server that refuses, delays, answers with errors and hangs up by chance:
//! in the end its truth equals what the server has accepted.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use livemeter_schemas::answer::{Answer, EventAnswer, RawBatch};
use livemeter_schemas::decode;
use livemeter_schemas::limits::Limits;
use livemeter_schemas::refusal::{Code, Refusal};
use livemeter_simulate::totals::Totals;
use livemeter_simulate::{Cdn, Config, Network, Progress, Retry, Truth, run};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// Shares of requests that something happens to.
#[derive(Clone, Copy, Default)]
struct Faults {
    /// 429 or 503 with `Retry-After`, nothing accepted.
    busy: f64,
    /// Accepted, then 500.
    error_after: f64,
    /// Closed without an answer, nothing accepted.
    hang_up: f64,
    /// Accepted, then closed without an answer.
    hang_up_after: f64,
    /// Accepted, slowly.
    slow: f64,
    /// One event of the batch is refused by name.
    refuse: f64,
}

const NASTY: Faults = Faults { busy: 0.05, error_after: 0.05, hang_up: 0.05, hang_up_after: 0.05, slow: 0.05, refuse: 0.0 };

struct Server {
    rng: ChaCha8Rng,
    faults: Faults,
    /// Per session the highest `seq` and its counters.
    sessions: HashMap<String, (u64, BTreeMap<String, Totals>)>,
    accepted: u64,
    refused: u64,
    hung_up: u64,
    batch_max: usize,
}

impl Server {
    fn take(&mut self, body: &[u8], refuse: bool) -> Vec<EventAnswer> {
        let batch: RawBatch = serde_json::from_slice(body).expect("a batch");
        assert_eq!((batch.v, batch.app.as_ref()), (1, "demo"));
        let sent_at_ms = batch.sent_at_ms.expect("stamped");
        self.batch_max = self.batch_max.max(batch.events.len());
        let mut answers = Vec::new();
        for (i, raw) in batch.events.iter().enumerate() {
            let event = decode::event(raw.get(), &Limits::default()).expect("a good event");
            let age_ms = sent_at_ms - event.head().at_ms;
            assert!((-1..60_000).contains(&age_ms), "stamped on the session's clock, at this attempt: {age_ms}");
            if refuse && i == 0 {
                self.refused += 1;
                answers.push(EventAnswer::Refused(Refusal::whole(Code::Clock, "by chance")));
                continue;
            }
            self.accepted += 1;
            answers.push(EventAnswer::Accepted { note: None });
            let (seq, counters) = self.sessions.entry(event.head().session_id.into()).or_default();
            if !event.counters().is_empty() && event.head().seq > *seq {
                *seq = event.head().seq;
                *counters = event.counters().iter().map(|c| (c.cdn.to_string(), Totals::from(c))).collect();
            }
        }
        answers
    }

    fn sums(&self) -> BTreeMap<String, Totals> {
        let mut sums: BTreeMap<String, Totals> = BTreeMap::new();
        for (cdn, totals) in self.sessions.values().flat_map(|(_, counters)| counters) {
            sums.entry(cdn.clone()).or_default().add(totals);
        }
        sums
    }
}

type Shared = Arc<Mutex<Server>>;

async fn answer(server: Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
    assert_eq!(request.uri().path(), "/v1/events");
    assert_eq!(request.headers()["authorization"], "Bearer lmw_tests", "every request has the app's key");
    let body = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
    let (answers, slow) = {
        let mut server = server.lock().unwrap();
        let (faults, p) = (server.faults, server.rng.random::<f64>());
        let steps = [faults.busy, faults.error_after, faults.hang_up, faults.hang_up_after, faults.slow, faults.refuse];
        let mut sum = 0.0;
        let fault = steps.iter().position(|share| {
            sum += share;
            p < sum
        });
        match fault {
            // Both say "later": overloaded, and over a rate.
            Some(0) if p < faults.busy / 2.0 => return Ok(plain(StatusCode::TOO_MANY_REQUESTS, Some("1"))),
            Some(0) => return Ok(plain(StatusCode::SERVICE_UNAVAILABLE, Some("1"))),
            Some(1) => {
                server.take(&body, false);
                return Ok(plain(StatusCode::INTERNAL_SERVER_ERROR, None));
            }
            Some(2) => {
                server.hung_up += 1;
                return Err(std::io::Error::other("hang up"));
            }
            Some(3) => {
                server.take(&body, false);
                server.hung_up += 1;
                return Err(std::io::Error::other("hang up"));
            }
            Some(4) => (server.take(&body, false), true),
            Some(_) => (server.take(&body, true), false),
            None => (server.take(&body, false), false),
        }
    };
    if slow {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let refused = answers.iter().filter(|a| matches!(a, EventAnswer::Refused(_))).count() as u64;
    let answer = Answer { accepted: answers.len() as u64 - refused, refused, heartbeat_ms: 10_000, sampling: 1.0, events: answers };
    Ok(Response::new(Full::new(serde_json::to_vec(&answer).unwrap().into())))
}

fn plain(status: StatusCode, retry_after: Option<&str>) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(status);
    if let Some(after) = retry_after {
        builder = builder.header("retry-after", after);
    }
    builder.body(Full::new(Bytes::from_static(b"{}"))).unwrap()
}

async fn serve(listener: TcpListener, server: Shared) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let server = server.clone();
        let service = service_fn(move |request| answer(server.clone(), request));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn config(address: std::net::SocketAddr) -> Config {
    Config {
        ingest_url: format!("http://{address}"),
        write_key: Some("lmw_tests".into()),
        viewers: 300,
        heartbeat_ms: 500,
        session_ms_mean: 3_000,
        duration_ms: Some(6_000),
        cdns: vec![Cdn::new("cdn-a", 50, 1_000), Cdn::new("cdn-b", 30, 500), Cdn::new("cdn-c", 20, 3_000)],
        network: Network { lost: 0.02, twice: 0.02, held: 0.02, held_ms_max: 2_000, wrong_clock: 0.02 },
        connections: 32,
        retry: Retry { first_ms: 20, max_ms: 200 },
        ..Config::default()
    }
}

async fn stage(faults: Faults) -> (Shared, TcpListener) {
    let server =
        Server { rng: ChaCha8Rng::seed_from_u64(11), faults, sessions: HashMap::new(), accepted: 0, refused: 0, hung_up: 0, batch_max: 0 };
    (Arc::new(Mutex::new(server)), TcpListener::bind("127.0.0.1:0").await.unwrap())
}

fn assert_exact(truth: &Truth, server: &Server) {
    assert_eq!((truth.events_unacknowledged, truth.events_unsent), (0, 0));
    assert_eq!(truth.cdns, server.sums());
    assert_eq!(truth.sessions, server.sessions.len() as u64);
    let bytes: u64 = truth.cdns.values().map(|t| t.bytes).sum();
    assert!(truth.cdns.len() == 3 && bytes > 100_000_000, "a real audience: {bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_truth_survives_a_nasty_server() {
    let folder = std::env::temp_dir().join(format!("livemeter-simulate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (server, listener) = stage(NASTY).await;
    let config = Config {
        truth_path: Some(folder.join("truth.json")),
        truth_sessions_path: Some(folder.join("sessions.csv")),
        ..config(listener.local_addr().unwrap())
    };
    tokio::spawn(serve(listener, server.clone()));
    let seen: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let noted = seen.clone();
    let truth = run(config, move |p| noted.lock().unwrap().push(p), std::future::pending()).await.unwrap();

    let server = server.lock().unwrap();
    assert_exact(&truth, &server);
    assert!(truth.retries > 100 && server.hung_up > 100, "it was nasty: {} retries, {} hung up", truth.retries, server.hung_up);
    assert!(server.accepted > truth.events_acknowledged, "some were accepted twice");
    assert!(truth.lost > 0 && truth.twice > 0 && truth.held > 0);
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 6 && seen.iter().any(|p| p.viewers > 200) && seen.last().is_some_and(|p| p.draining && p.pending == 0));

    let written: Truth = serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap();
    assert_eq!(written, truth);
    let csv = std::fs::read_to_string(folder.join("sessions.csv")).unwrap();
    let bytes: u64 = csv.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(bytes, truth.cdns.values().map(|t| t.bytes).sum::<u64>());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_truth_survives_an_outage_and_counts_refusals() {
    let (server, listener) = stage(Faults { refuse: 0.01, ..Faults::default() }).await;
    let address = listener.local_addr().unwrap();
    let first = tokio::spawn(serve(listener, server.clone()));
    let again = server.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(2_000)).await;
        first.abort();
        tokio::time::sleep(Duration::from_millis(2_000)).await;
        let listener = TcpListener::bind(address).await.unwrap();
        serve(listener, again).await;
    });
    let truth = run(config(address), |_| (), std::future::pending()).await.unwrap();
    let server = server.lock().unwrap();
    assert_exact(&truth, &server);
    assert_eq!(truth.refused, server.refused);
    assert!(server.refused > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_every_session_and_a_dead_server_leaves_bounds() {
    let (server, listener) = stage(Faults::default()).await;
    let config = Config { duration_ms: None, ..config(listener.local_addr().unwrap()) };
    let serving = tokio::spawn(serve(listener, server.clone()));
    let truth = run(config.clone(), |_| (), tokio::time::sleep(Duration::from_secs(3))).await.unwrap();
    assert_exact(&truth, &server.lock().unwrap());
    assert_eq!(truth.retries, 0);
    assert!(server.lock().unwrap().batch_max > 20, "the last words share requests");
    serving.abort();

    let away = Config { ingest_url: "http://127.0.0.1:1".into(), drain_ms: 300, ..config };
    let truth = run(away, |_| (), tokio::time::sleep(Duration::from_secs(1))).await.unwrap();
    assert_eq!((truth.events_acknowledged, truth.events_unacknowledged, truth.sessions), (0, 0, 0));
    assert!(truth.events_unsent > 300 && truth.uncertain.is_none());
}
