//! Attacks on places: connections that hold one and send nothing, or next to nothing, or never read; and more of them
//! than there are places. Honest viewers must be served meanwhile, or be told so at once.

use crate::tally;
use futures::future::join_all;
use livemeter_tests::apps::Apps;
use livemeter_tests::edge::{Edge, statuses};
use livemeter_tests::wait;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// One byte this often: no single read ever waits long.
const DRIP: Duration = Duration::from_millis(100);
/// Nobody holds a place longer than his second and a half, but the machine may be busy.
const HELD_MAX: Duration = Duration::from_secs(12);
/// What an honest viewer may wait for an answer meanwhile.
const HONEST_MAX: Duration = Duration::from_secs(3);
/// Connections of a flood. The kernel drops what comes faster than it is accepted, and the client's comes again after
/// 1, 3 and 7 seconds: until all have come, nobody may have had his time.
const FLOOD: usize = 1_000;
const PLACE_TIME: Duration = Duration::from_secs(20);

/// Sends `first` at once, then a byte of `rest` at a time, for ever. Answers when it was closed, and what it heard.
async fn drip(edge: &Edge, first: &[u8], rest: u8) -> (Duration, Vec<u8>) {
    let mut stream = edge.connect(None).await.expect("a connection");
    let (began, mut heard, mut piece) = (Instant::now(), Vec::new(), [0; 4096]);
    let _ = stream.write_all(first).await;
    loop {
        match tokio::time::timeout(DRIP, stream.read(&mut piece)).await {
            Ok(Ok(read)) if read > 0 => heard.extend_from_slice(&piece[..read]),
            Ok(_) => break,
            Err(_) if rest == 0 => {}
            Err(_) if stream.write_all(&[rest]).await.is_err() => break,
            Err(_) => {}
        }
        assert!(began.elapsed() < HELD_MAX, "a connection that drips is held for more than {HELD_MAX:?}");
    }
    edge.hear(&heard);
    (began.elapsed(), heard)
}

/// Posts as an honest viewer until the attack is over; answers its longest wait.
async fn served_meanwhile<T>(edge: &Edge, attack: impl Future<Output = T>) -> (T, Duration) {
    let (mut attack, mut longest) = (std::pin::pin!(attack), Duration::ZERO);
    loop {
        tokio::select! {
            done = &mut attack => return (done, longest),
            took = edge.honest_post(None) => longest = longest.max(took),
        }
        tokio::select! {
            done = &mut attack => return (done, longest),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_that_trickle_in_hold_a_place_for_their_time_only() {
    let edge = Edge::start(Apps::with(&[]), &["--head-timeout", "1s", "--body-timeout", "1s"]).await;
    let path = edge.path();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nx: ");
    let body = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{{");
    let chunked = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1;");
    let mut later = edge.honest_request();
    later.extend_from_slice(b"GET /healthz HTTP/1.1\r\nx: ");
    let attacks: [(&str, &[u8], u8, &str); 5] = [
        ("nothing at all", b"", 0, "livemeter_ingest_connections_closed_total{cause=\"head\"}"),
        ("a head by the letter", head.as_bytes(), b'a', "livemeter_ingest_connections_closed_total{cause=\"head\"}"),
        ("a second head by the letter", &later, b'a', "livemeter_ingest_connections_closed_total{cause=\"head\"}"),
        ("a body by the letter", body.as_bytes(), b' ', "livemeter_ingest_requests_total{status=\"408\"}"),
        ("a chunk's size by the letter", chunked.as_bytes(), b'a', "livemeter_ingest_requests_total{status=\"408\"}"),
    ];
    for (what, first, rest, counter) in attacks {
        const EACH: usize = 200;
        let before = edge.metric(counter).await;
        let (held, longest) = served_meanwhile(&edge, join_all((0..EACH).map(|_| drip(&edge, first, rest)))).await;
        let counted = edge.metric(counter).await - before;
        assert!(counted >= EACH as u64, "{what}: {counted} of {EACH} were counted as {counter}");
        assert!(longest < HONEST_MAX, "{what}: an honest viewer waited {longest:?}");
        let (last, said) =
            (held.iter().map(|(held, _)| *held).max().unwrap_or_default(), tally(held.iter().map(|(_, heard)| statuses(heard))));
        edge.is_well(&format!("{EACH} × {what}: closed after {last:?} at most ({said}); an honest viewer waited {longest:?} at most"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_never_reads_is_let_go() {
    let edge = Edge::start(Apps::with(&[]), &["--idle-timeout", "1s", "--head-timeout", "1s"]).await;
    const EACH: usize = 100;
    let asked = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(4_000);
    let deaf = async |_| {
        let mut stream = edge.connect(None).await.expect("a connection");
        // Until the answers that nobody reads stand in the way of the questions.
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(&asked)).await;
        stream
    };
    let held: Vec<TcpStream> = join_all((0..EACH).map(deaf)).await;
    wait::within(Duration::from_secs(10), "the places to be free again", || async {
        // One is the one that asks.
        let open = edge.metric("livemeter_ingest_connections").await;
        if open <= 2 { Ok(()) } else { Err(format!("{open} connections are open")) }
    })
    .await;
    let closed = edge.metric("livemeter_ingest_connections_closed_total{cause=\"idle\"}").await
        + edge.metric("livemeter_ingest_connections_closed_total{cause=\"head\"}").await;
    assert!(closed >= EACH as u64, "{closed}");
    drop(held);
    edge.is_well(&format!("{EACH} × 4,000 questions whose answers nobody reads: {closed} closed")).await;
}

/// Comes, says next to nothing, and stays until it is sent away or the flood is over. Answers what it was told. The one
/// byte is sent again until it is taken: so no connection waits half-made for the kernel to remember it.
async fn one_of_a_flood(edge: &Edge, from: IpAddr, sent_away: &AtomicU64, mut over: watch::Receiver<bool>) -> Vec<u16> {
    let mut stream = edge.connect(Some(from)).await.expect("a connection");
    let mut heard = Vec::new();
    let _ = stream.write_all(b"P").await;
    tokio::select! {
        _ = stream.read_to_end(&mut heard) => { sent_away.fetch_add(1, Ordering::Relaxed); }
        _ = over.wait_for(|over| *over) => {}
    }
    edge.hear(&heard);
    statuses(&heard)
}

/// As many as [`FLOOD`], from these addresses in turn. They hold on until `meanwhile`, told how many were sent away, is
/// over: who comes when does not depend on how fast this machine is.
async fn flood<T>(edge: &Edge, from: &[IpAddr], meanwhile: impl AsyncFnOnce(&AtomicU64) -> T) -> (T, Vec<Vec<u16>>) {
    let (sent_away, over) = (AtomicU64::new(0), watch::Sender::new(false));
    let all = join_all(from.iter().cycle().take(FLOOD).map(|from| one_of_a_flood(edge, *from, &sent_away, over.subscribe())));
    let (done, said) = tokio::join!(
        async {
            let done = meanwhile(&sent_away).await;
            over.send_replace(true);
            done
        },
        all
    );
    (done, said)
}

async fn until_sent_away(sent_away: &AtomicU64, least: u64) {
    wait::within(PLACE_TIME - Duration::from_secs(1), "the places to be taken and the rest sent away", || async {
        let sent_away = sent_away.load(Ordering::Relaxed);
        if sent_away >= least { Ok(()) } else { Err(format!("{sent_away} of {FLOOD} were sent away; {least} must be")) }
    })
    .await;
}

/// Until there is a place again; answers how long that took.
async fn until_served(edge: &Edge) -> Duration {
    let began = Instant::now();
    wait::until("a place for an honest viewer", || async {
        let said = edge.exchange(&edge.honest_request()).await.statuses;
        if said == [200] { Ok(()) } else { Err(format!("{said:?}")) }
    })
    .await;
    began.elapsed()
}

/// From one address, then from twenty: places are shared fairly, what is too much is told so, and a place is lent for a
/// time only.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_takes_one_address_its_share_and_all_their_time() {
    let time = format!("{}s", PLACE_TIME.as_secs());
    let limits = ["--connections-max", "300", "--address-connections-max", "100", "--head-timeout", &time];
    let edge = Edge::start(Apps::with(&[]), &limits).await;
    let (longest, said) = flood(&edge, &[IpAddr::V4(Ipv4Addr::LOCALHOST)], async |sent_away: &AtomicU64| {
        until_sent_away(sent_away, 900).await;
        let mut longest = Duration::ZERO;
        for _ in 0..10 {
            longest = longest.max(edge.honest_post(Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)))).await);
        }
        longest
    })
    .await;
    assert!(longest < HONEST_MAX, "{longest:?}");
    until_served(&edge).await;
    let over = edge.metric("livemeter_ingest_connections_refused_address_total").await;
    assert!(over >= 900, "{over}");
    let told = tally(said);
    edge.is_well(&format!("{FLOOD} connections from one address: {over} sent away ({told}); another address waited {longest:?} at most"))
        .await;

    let twenty: Vec<IpAddr> = (1..=20).map(|n| IpAddr::V4(Ipv4Addr::new(127, 0, 1, n))).collect();
    let (back, said) = flood(&edge, &twenty, async |sent_away: &AtomicU64| {
        until_sent_away(sent_away, 700).await;
        until_served(&edge).await
    })
    .await;
    let refused = edge.metric("livemeter_ingest_connections_refused_total").await;
    assert!(refused >= 700, "{refused}");
    let told = tally(said);
    edge.is_well(&format!("{FLOOD} connections from 20 addresses: {refused} sent away ({told}); a place for others again after {back:?}"))
        .await;
}
