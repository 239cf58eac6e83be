//! Kafka away, hung and killed, under an audience that goes on: what is refused is refused at once and says when to come
//! again, nothing is acknowledged that is not durable, memory stays flat, service returns by itself, and clients that
//! retry lose nothing. What is on Kafka in the end is held against what each client was told.
//!
//! A few seconds of each here; `OUTAGE_SECONDS=300 cargo test --workspace --test outage -- --nocapture` makes it five
//! minutes of each, with the settings that are the default.

#[path = "outage/clients.rs"]
mod clients;

use clients::{Clients, Told};
use livemeter_tests::apps::Apps;
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::edge::Edge;
use livemeter_tests::process::Process;
use livemeter_tests::wait;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_secs(5);
/// In the short form everything that is waited for is shorter too.
const SHORT_WAITS: [&str; 8] = ["--kafka-silence", "1s", "--delivery-timeout", "2s", "--message-timeout", "4s", "--retry-after", "1s"];
/// How long a request that is on its way when the broker goes may wait: as set, here and by default.
const DELIVERY: Duration = Duration::from_secs(2);
const DELIVERY_DEFAULT: Duration = Duration::from_secs(8);
/// What its answer may take beyond that.
const TOLD_MAX: Duration = Duration::from_secs(1);
/// A refusal costs nothing; what it may take on a machine that has other work.
const REFUSED_P99_MAX: Duration = Duration::from_millis(500);
/// From the first refusal to the end of the outage.
const GROWTH_KB_MAX: u64 = 30_000;
const AUDIENCE: [&str; 14] = [
    "--viewers",
    "300",
    "--heartbeat-interval",
    "1s",
    "--lost",
    "0",
    "--twice",
    "0",
    "--held",
    "0",
    "--drain",
    "60s",
    "--connections",
    "64",
];

/// How the broker goes.
#[derive(Debug, Clone, Copy)]
enum How {
    Hung,
    Killed,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_costs_nothing_that_was_promised() {
    let long = std::env::var("OUTAGE_SECONDS").ok().map(|s| Duration::from_secs(s.parse().expect("OUTAGE_SECONDS is a number")));
    let lasts = long.unwrap_or(SHORT);
    let (flags, delivery): (&[&str], _) = if long.is_some() { (&[], DELIVERY_DEFAULT) } else { (&SHORT_WAITS, DELIVERY) };
    let mut edge = Edge::before(Broker::start(Kind::Apache).await, Apps::with(&[]), flags).await;
    let (truth, sessions) = (edge.folder().join("truth.json"), edge.folder().join("sessions.csv"));
    let mut audience = edge.audience(&AUDIENCE, &truth, &sessions);
    let clients = Clients::start(&edge);
    tokio::time::sleep(Duration::from_secs(2)).await;

    for how in [How::Hung, How::Killed] {
        outage(&mut edge, &clients, how, lasts, delivery, &mut audience).await;
    }

    let told = clients.stop().await;
    let ended = audience.terminate(Duration::from_secs(120));
    assert!(ended.success(), "{}", audience.log_tail());
    edge.is_well("two outages").await;
    let stored = edge.stored();
    promises_are_kept(&told, &stored);
    counters_are_whole(&truth, &sessions, &stored);
}

async fn outage(edge: &mut Edge, clients: &Clients, how: How, lasts: Duration, delivery: Duration, audience: &mut Process) {
    let before_kb = edge.rss_kb();
    match how {
        How::Hung => edge.broker.process().expect("it runs").pause(),
        How::Killed => edge.broker.kill9(),
    }
    let away = Instant::now();
    let http = edge.http();
    wait::within(Duration::from_secs(30), "readiness to turn", || async {
        let answer = http.get("/readyz").await?;
        if answer.status == 503 { Ok(()) } else { Err(format!("{}", answer.status)) }
    })
    .await;
    let (noticed, refusing_kb) = (Instant::now(), edge.rss_kb());
    let mut most_kb = refusing_kb;
    while away.elapsed() < lasts {
        tokio::time::sleep(Duration::from_millis(250)).await;
        most_kb = most_kb.max(edge.rss_kb());
        audience.check().unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(http.get("/healthz").await.expect("an answer").status, 200, "alive all the same");
    }
    let (back, last_kb) = (Instant::now(), edge.rss_kb());
    match how {
        How::Hung => edge.broker.process().expect("it is stopped").resume(),
        How::Killed => edge.broker.restart().await,
    }
    wait::until("ingest to be ready again", || async {
        let answer = http.get("/readyz").await?;
        if answer.status == 200 { Ok(()) } else { Err(answer.text()) }
    })
    .await;
    let served = edge.honest_post(None).await;

    let during = clients.told_between(away, back);
    caught_are_told(how, &during, noticed, back, delivery);
    let false_promises: Vec<&Told> = during.iter().filter(|told| told.status == 200 && told.at < back).collect();
    assert!(false_promises.is_empty(), "{how:?}: acknowledged while there was no broker: {false_promises:?}");
    let refused: Vec<&Told> = during.iter().filter(|told| told.asked >= noticed && told.at < back).collect();
    assert!(refused.len() > 50, "{how:?}: {} refusals prove nothing", refused.len());
    for told in &refused {
        assert!(told.status == 503 && told.retry_after, "{how:?}: {told:?}");
    }
    let mut took: Vec<Duration> = refused.iter().map(|told| told.at - told.asked).collect();
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    println!(
        "outage, {how:?}, {:?}: readiness turned after {:?}; {} refusals with 503 and Retry-After, p50 {:?}, p99 {p99:?}, slowest {:?}; \
         resident {before_kb} kB before, {refusing_kb} when refusing, {most_kb} at most, {last_kb} at the end; the first event after it took {served:?}",
        back - away,
        noticed - away,
        took.len(),
        took[took.len() / 2],
        took[took.len() - 1],
    );
    assert!(p99 < REFUSED_P99_MAX, "{how:?}: p99 {p99:?}");
    assert!(most_kb <= refusing_kb + GROWTH_KB_MAX, "{how:?}: {refusing_kb} kB when refusing began, {most_kb} kB at most");
}

/// Whoever asked after the broker went, and before that was noticed, waits for his time and is then told to come again.
fn caught_are_told(how: How, during: &[Told], noticed: Instant, back: Instant, delivery: Duration) {
    let longest = delivery + TOLD_MAX;
    let caught: Vec<&Told> = during.iter().filter(|told| told.asked < noticed && told.asked + longest < back).collect();
    // A broker that was killed is noticed at once: there may be nobody.
    assert!(matches!(how, How::Killed) || !caught.is_empty(), "{how:?}: nobody was caught: that proves nothing");
    for told in &caught {
        assert!(told.status == 503 && told.retry_after && told.at - told.asked < longest, "{how:?}: {told:?}");
    }
    let waited = caught.iter().map(|told| told.at - told.asked).max().unwrap_or_default();
    println!("outage, {how:?}: {} requests were caught by it: 503 and Retry-After after {waited:?} at most", caught.len());
}

/// Every event that was answered as accepted is on Kafka; and every client got all of its events there.
fn promises_are_kept(told: &[clients::Client], stored: &[Value]) {
    let held: BTreeSet<(&str, u64)> = stored.iter().filter_map(|e| Some((e["session_id"].as_str()?, e["seq"].as_u64()?))).collect();
    let (mut promised, mut tries) = (0, 0);
    for client in told {
        let lost: Vec<u64> = client.accepted.iter().copied().filter(|seq| !held.contains(&(&client.session_id, *seq))).collect();
        assert!(lost.is_empty(), "{}: acknowledged, but not on Kafka: {lost:?}", client.session_id);
        assert_eq!(client.accepted.len() as u64, client.made, "{}: a client that retries gets everything through", client.session_id);
        (promised, tries) = (promised + client.accepted.len(), tries + client.tries);
    }
    assert!(promised > told.len(), "{promised} promises prove nothing");
    println!("outage: {promised} events acknowledged to {} clients in {tries} tries, all of them on Kafka", told.len());
}

/// The last counters of every session of the audience are on Kafka, to the byte.
fn counters_are_whole(truth: &Path, sessions: &Path, stored: &[Value]) {
    let truth: Value = serde_json::from_slice(&std::fs::read(truth).expect("the truth was written")).expect("JSON");
    for field in ["events_unacknowledged", "events_unsent", "refused"] {
        assert_eq!(truth[field], 0, "{field}: {truth}");
    }
    let mut last: BTreeMap<(String, String), (u64, [u64; 5])> = BTreeMap::new();
    for event in stored {
        let (session, seq) = (event["session_id"].as_str().unwrap_or_default(), event["seq"].as_u64().unwrap_or(0));
        for counter in event["counters"].as_array().into_iter().flatten() {
            let amounts = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"].map(|name| counter[name].as_u64().unwrap_or(0));
            let reached = last.entry((session.into(), counter["cdn"].as_str().unwrap_or_default().into())).or_default();
            *reached = (*reached).max((seq, amounts));
        }
    }
    let text = std::fs::read_to_string(sessions).expect("the sessions were written");
    let mut compared = 0;
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let numbers: Vec<u64> = cells[2..8].iter().map(|cell| cell.parse().expect("a number")).collect();
        let expected = (numbers[0], [numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]]);
        let found = last.get(&(cells[0].to_owned(), cells[1].to_owned()));
        assert_eq!(found, Some(&expected), "{line}");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
    println!(
        "outage: {compared} (session, CDN) counters of the audience equal on Kafka; {} events acknowledged to it, {} requests, {} retried",
        truth["events_acknowledged"], truth["requests"], truth["retries"]
    );
}
