//! Properties of the pure model: what viewers say is always plausible, decodes by the contract, depends on the
//! seed alone, and what the outbox counts as acknowledged is what a server would have counted.

use livemeter_schemas::decode;
use livemeter_schemas::event::{Event, State};
use livemeter_schemas::limits::Limits;
use livemeter_simulate::audience::{Audience, Said};
use livemeter_simulate::network::Fate;
use livemeter_simulate::outbox::{Letter, Outbox, Outcome, Slot};
use livemeter_simulate::totals::Totals;
use livemeter_simulate::{Cdn, Config, Network};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};

const START_MS: i64 = 1_790_000_000_000;

/// A lively audience: short sessions, many stalls.
fn lively(seed: u64, viewers: u32) -> Config {
    Config {
        viewers,
        seed,
        session_ms_mean: 60_000,
        cdns: vec![Cdn::new("cdn-a", 50, 20_000), Cdn::new("cdn-b", 30, 8_000), Cdn::new("cdn-\"c\"", 20, 60_000)],
        network: Network { lost: 0.05, twice: 0.05, held: 0.05, held_ms_max: 30_000, wrong_clock: 0.1 },
        ..Config::default()
    }
}

/// Everything an audience says in `seconds`, looked at every `step_ms`.
fn hear_all(config: &Config, seconds: i64, step_ms: i64) -> Vec<(u32, String, Fate)> {
    let mut audience = Audience::new(config, "run", START_MS);
    let mut heard = Vec::new();
    let mut say = |said: Said<'_>| {
        if let Said::Posts { viewer, event, fate, .. } = said {
            heard.push((viewer, serde_json::to_string(event).unwrap(), fate));
        }
    };
    let mut now = START_MS;
    while now < START_MS + seconds * 1000 {
        now = (now + step_ms).min(START_MS + seconds * 1000);
        while !audience.advance(now, 50, false, &mut say) {}
    }
    audience.finish(now, &mut say);
    heard
}

#[derive(Default)]
struct Watched {
    seq: u64,
    at_ms: i64,
    started_at_ms: Option<i64>,
    counters: BTreeMap<String, (i64, Totals)>,
    played: bool,
    ended: bool,
}

/// Checks one event against all that its session has said before.
fn check(session: &mut Watched, event: &Event<'_>) {
    let head = event.head();
    assert_eq!(head.seq, session.seq + 1, "seq rises by one: {event:?}");
    assert!(head.at_ms >= session.at_ms, "a session's clock never runs backwards");
    assert!(!session.ended, "nothing is said after the end");
    (session.seq, session.at_ms) = (head.seq, head.at_ms);
    let began = *session.started_at_ms.get_or_insert(head.at_ms);
    assert_eq!(matches!(event, Event::SessionStart(_)), head.seq == 1);
    match event {
        Event::PlaybackStart(e) => {
            assert!(!session.played, "the first picture comes once");
            assert_eq!(e.startup_ms as i64, head.at_ms - began);
            session.played = true;
        }
        Event::Heartbeat(e) => {
            assert_eq!(e.session_started_at_ms, began);
            assert!(matches!(e.state, State::Starting | State::Playing | State::Rebuffering | State::Paused));
            assert_eq!(e.state != State::Starting, session.played);
            assert!(e.counters.iter().any(|c| Some(&c.cdn) == e.cdn.as_ref()), "the CDN in use has counters");
        }
        Event::Stall(e) => assert_eq!(e.began_at_ms + e.stall_ms as i64, head.at_ms),
        Event::CdnSwitch(e) => assert_ne!(e.from_cdn, e.to_cdn),
        Event::SessionEnd(_) => session.ended = true,
        Event::SessionStart(_) | Event::Error(_) => {}
        Event::Cmcd(_) => panic!("a simulated SDK sends no reports"),
    }
    let known = session.counters.len();
    for c in event.counters() {
        let (now, at) = (Totals::from(c), c.first_used_at_ms);
        let (first, before) = session.counters.insert(c.cdn.to_string(), (at, now)).unwrap_or((at, Totals::default()));
        assert_eq!(first, at, "first use never moves");
        assert_eq!(before.beyond(&now), Totals::default(), "counters never fall");
    }
    if !event.counters().is_empty() {
        assert!(event.counters().len() >= known, "no CDN is ever left out");
        let spent: u64 = event.counters().iter().map(|c| c.play_ms + c.stall_ms).sum();
        assert!(spent as i64 <= head.at_ms - began, "state times fit into wall time");
        let bytes: u64 = event.counters().iter().map(|c| c.bytes).sum();
        assert!(bytes as i64 <= (head.at_ms - began + 1000) * 1000, "below 8 Mbit/s");
    }
}

#[test]
fn what_viewers_say_is_plausible_and_decodes() {
    for seed in 0..5 {
        let mut sessions: HashMap<String, Watched> = HashMap::new();
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        let heard = hear_all(&lively(seed, 200), 300, 40);
        for (_, json, _) in &heard {
            let event = decode::event(json, &Limits::default()).unwrap_or_else(|refusal| panic!("{refusal}: {json}"));
            assert_eq!(&serde_json::to_string(&event).unwrap(), json, "nothing is lost on the way");
            *kinds.entry(event.type_name()).or_default() += 1;
            let id = event.head().session_id.to_owned();
            check(sessions.entry(id).or_default(), &event);
        }
        assert_eq!(kinds.len(), 7, "every type of event occurs: {kinds:?}");
        let vanished = sessions.values().filter(|s| !s.ended).count();
        let share = vanished as f64 / sessions.len() as f64;
        assert!(sessions.len() > 600 && (0.03..0.15).contains(&share), "{vanished} of {} vanished", sessions.len());
        assert!(sessions.values().any(|s| s.counters.len() == 3), "some have used every CDN");
    }
}

#[test]
fn the_same_seed_gives_the_same_audience_however_often_it_is_looked_at() {
    let once = hear_all(&lively(7, 50), 120, 5);
    assert_eq!(once, hear_all(&lively(7, 50), 120, 3_700));
    assert_ne!(once, hear_all(&lively(8, 50), 120, 5));
}

#[test]
fn the_load_is_flat_from_the_start() {
    let config = Config { viewers: 2_000, ..Config::default() };
    let mut per_second = [0_u32; 60];
    for (_, json, _) in hear_all(&config, 59, 5) {
        let event = decode::parse(&json).unwrap();
        let begins = matches!(event, Event::Heartbeat(_) | Event::SessionStart(_));
        let second = (event.head().at_ms - START_MS) / 1000;
        // Wrong clocks fall outside and are few.
        if let Some(count) = per_second.get_mut(second as usize).filter(|_| begins) {
            *count += 1;
        }
    }
    let busy = &per_second[..59];
    assert!(busy.iter().all(|n| (130..280).contains(n)), "about 200 requests each second: {busy:?}");
}

#[test]
fn a_crowded_house_neither_joins_nor_leaves() {
    let mut audience = Audience::new(&lively(3, 100), "run", START_MS);
    let (mut moves, mut beats) = (0, 0);
    let mut say = |said: Said<'_>| match said {
        Said::Posts { event: Event::Heartbeat(_), .. } => beats += 1,
        Said::Joined { .. } | Said::Left { .. } => moves += 1,
        Said::Posts { .. } => {}
    };
    assert!(audience.advance(START_MS + 60_000, usize::MAX, false, &mut say));
    let here = audience.watching();
    assert!(audience.advance(START_MS + 600_000, usize::MAX, true, &mut |said| {
        assert!(!matches!(said, Said::Joined { .. } | Said::Left { .. }));
        say(said);
    }));
    assert_eq!(audience.watching(), here);
    assert!(moves > 100 && beats > 4_000);
}

/// What a server keeps: per session and CDN the counters of the highest `seq`.
#[derive(Default)]
struct Server {
    sessions: HashMap<String, (u64, BTreeMap<String, Totals>)>,
}

impl Server {
    fn accept(&mut self, body: &[u8]) -> usize {
        let batch: livemeter_schemas::answer::RawBatch = serde_json::from_slice(body).unwrap();
        for raw in &batch.events {
            let event = decode::event(raw.get(), &Limits::default()).unwrap();
            let (seq, counters) = self.sessions.entry(event.head().session_id.into()).or_default();
            if !event.counters().is_empty() && event.head().seq > *seq {
                *seq = event.head().seq;
                *counters = event.counters().iter().map(|c| (c.cdn.to_string(), Totals::from(c))).collect();
            }
        }
        batch.events.len()
    }

    fn sums(&self) -> BTreeMap<String, Totals> {
        let mut sums: BTreeMap<String, Totals> = BTreeMap::new();
        for (cdn, totals) in self.sessions.values().flat_map(|(_, counters)| counters) {
            sums.entry(cdn.clone()).or_default().add(totals);
        }
        sums
    }
}

/// An audience, its outbox and a server that fails by chance, in simulated time.
struct Stage {
    audience: Audience,
    outbox: Outbox,
    seats: HashMap<u32, Slot>,
    server: Server,
    rng: ChaCha8Rng,
    now_ms: i64,
}

impl Stage {
    fn new(config: &Config) -> Self {
        Stage {
            audience: Audience::new(config, "run", START_MS),
            outbox: Outbox::new(config),
            seats: HashMap::new(),
            server: Server::default(),
            rng: ChaCha8Rng::seed_from_u64(config.seed),
            now_ms: START_MS,
        }
    }

    fn speak(&mut self, finish: bool) {
        let Stage { audience, outbox, seats, now_ms, .. } = self;
        let crowded = outbox.crowded();
        let mut scratch = Vec::new();
        let mut hear = |said: Said<'_>| match said {
            Said::Joined { viewer, session } => drop(seats.insert(viewer, outbox.open(session.id.clone(), session.clock_off_ms))),
            Said::Posts { viewer, session, event, fate } => {
                outbox.put(seats[&viewer], Letter::write(event, &session.used, &mut scratch).unwrap(), fate)
            }
            Said::Left { viewer } => outbox.leave(seats.remove(&viewer).unwrap()),
        };
        if finish {
            audience.finish(*now_ms, &mut hear)
        } else {
            assert!(audience.advance(*now_ms, usize::MAX, crowded, &mut hear))
        }
        outbox.release(*now_ms);
    }

    /// Makes at most `requests` requests, of which this share fails, half of those after being accepted.
    fn send(&mut self, requests: usize, boxes_max: usize, failing: f64) {
        let mut in_flight = Vec::new();
        for _ in 0..requests {
            let Some(parcel) = self.outbox.take(self.now_ms, boxes_max, 50) else { break };
            in_flight.push(parcel);
        }
        for parcel in in_flight {
            let outcome = match self.rng.random::<f64>() {
                p if p < failing / 2.0 => Outcome::Unknown { retry_after_ms: Some(1_000) },
                p if p < failing => {
                    self.server.accept(&parcel.body);
                    Outcome::Unknown { retry_after_ms: None }
                }
                _ => Outcome::Answered(vec![true; self.server.accept(&parcel.body)]),
            };
            self.outbox.settle(parcel, &outcome, self.now_ms, 0.5);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// With retries until acknowledged, the truth is exact, whatever failed on the way.
    #[test]
    fn the_truth_is_what_the_server_accepted(seed in 0..u64::MAX, failing in 0.0..0.7, boxes_max in 1..20_usize, outage in any::<bool>()) {
        let config = Config { truth_sessions_path: Some("-".into()), ..lively(seed, 60) };
        let mut stage = Stage::new(&config);
        let mut settled = Vec::new();
        for second in 0..200 {
            stage.now_ms += 1_000;
            stage.speak(false);
            stage.send(1_000, boxes_max, if outage && (60..120).contains(&second) { 1.0 } else { failing });
            settled.extend(stage.outbox.take_settled());
        }
        stage.speak(true);
        stage.outbox.release(i64::MAX);
        for _ in 0..400 {
            stage.now_ms += 5_000;
            stage.outbox.release(stage.now_ms);
            stage.send(1_000, boxes_max, failing);
        }
        prop_assert!(stage.outbox.is_empty());
        let (truth, rest) = stage.outbox.close("run");
        prop_assert_eq!(truth.events_unacknowledged, 0);
        prop_assert_eq!(truth.events_unsent, 0);
        prop_assert!(truth.uncertain.is_none());
        prop_assert_eq!(&truth.cdns, &stage.server.sums());
        prop_assert_eq!(truth.sessions, stage.server.sessions.len() as u64);
        settled.extend(rest);
        for row in &settled {
            let (seq, counters) = &stage.server.sessions[&*row.session_id];
            prop_assert_eq!((row.seq, row.totals), (*seq, counters[&config.cdns[usize::from(row.cdn)].name]));
        }
        prop_assert_eq!(settled.len(), stage.server.sessions.values().map(|(_, counters)| counters.len()).sum::<usize>());
    }

    /// Cut off without a drain, the server's sums lie between the truth and its stated bound.
    #[test]
    fn what_was_never_answered_is_bounded(seed in 0..u64::MAX, failing in 0.1..0.9) {
        let mut stage = Stage::new(&lively(seed, 60));
        for _ in 0..100 {
            stage.now_ms += 1_000;
            stage.speak(false);
            stage.send(1_000, 1, failing);
        }
        let (truth, _) = stage.outbox.close("run");
        let bound = truth.uncertain.unwrap_or_default();
        prop_assert_eq!(bound.sessions > 0, truth.events_unacknowledged > 0);
        for (cdn, had) in stage.server.sums() {
            let known = truth.cdns[&cdn];
            prop_assert_eq!(known.beyond(&had), Totals::default(), "never more than was accepted");
            let mut most = known;
            most.add(&bound.cdns_max.get(&cdn).copied().unwrap_or_default());
            prop_assert_eq!(had.beyond(&most), Totals::default(), "never beyond the bound");
        }
    }

    /// While ingest is away, what waits is bounded by the audience, and nothing that counts is dropped.
    #[test]
    fn an_outage_is_bounded(seed in 0..u64::MAX) {
        let mut stage = Stage::new(&lively(seed, 60));
        for _ in 0..900 {
            stage.now_ms += 1_000;
            stage.speak(false);
            stage.send(1_000, 1, 1.0);
            prop_assert!(stage.outbox.pending() <= 60 * 2 + 60 * 3, "{}", stage.outbox.pending());
        }
        prop_assert!(stage.outbox.counts().merged > 1_000);
    }
}
