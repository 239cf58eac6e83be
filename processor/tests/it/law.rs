//! The law of conservation, over the whole way from the topic to the ledger: any order, repetition and loss of records,
//! any commits, sessions that leave memory at any time, roll-ups in between, and the process dying anywhere.

use crate::client::*;
use crate::stage::*;
use livemeter_processor::Config;
use livemeter_processor::maintain::Policy;
use livemeter_processor::roll;
use livemeter_processor::source::Source;
use livemeter_processor::table::Kind;
use livemeter_schemas::event::Event;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const DAY: i64 = 86_400_000;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A record of a life comes to the topic: which life, which event, how late.
    Arrives(usize, usize, i64),
    /// The worker books what there is.
    Reads,
    Commits,
    /// Everything that is silent leaves memory.
    Evicts,
    /// The process dies after so many polls of a flush, and is started again.
    Dies(usize),
    /// Closed windows are rolled up by somebody else.
    RollsUp,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0usize..3, 0usize..14, 0i64..30_000).prop_map(|(life, event, delay)| Step::Arrives(life, event, delay)),
        4 => Just(Step::Reads),
        2 => Just(Step::Commits),
        2 => Just(Step::Evicts),
        2 => (0usize..40).prop_map(Step::Dies),
        1 => Just(Step::RollsUp),
    ]
}

/// Sessions leave memory a second after they were last heard of.
fn forgetful(folder: &Path) -> Config {
    Config { session_silence_ms: 1_000, ahead_ms_max: 400 * DAY, commit_interval_ms: 3_600_000, snapshot_interval_ms: 0, ..config(folder) }
}

/// To the end of one turn: dropped within it, records that the topic had handed over would be read by nobody.
async fn reads(worker: &mut Player, topic: &Topic) {
    if worker.partitions()[&0].next < Source::ends(topic)[&0] {
        worker.turn().await.unwrap();
    }
}

async fn lives_through(lives: &[Life], steps: &[Step]) -> (Sums, Sums, Vec<(String, u64)>, Vec<(String, u64)>) {
    let folder = tempfile::tempdir().unwrap();
    let (settings, topic, letters) = (forgetful(folder.path()), Topic::of([]), Letters::default());
    let mut worker = open(&settings, &topic, &letters).await.unwrap();
    let mut delivered: Vec<&Event<'static>> = Vec::new();
    for step in steps {
        match *step {
            Step::Arrives(life, event, delay) => {
                let life = &lives[life];
                let event = &life.events[event % life.events.len()];
                topic.add(0, record(event, life.skew, delay));
                delivered.push(event);
            }
            Step::Reads => reads(&mut worker, &topic).await,
            Step::Commits => worker.flush().await.unwrap(),
            Step::Evicts => {
                worker.flush().await.unwrap();
                worker.evict();
            }
            Step::Dies(polls) => {
                let _ = crash_after(polls, worker.flush()).await;
                drop(worker);
                // What the dead process left to the file system is done before the next one starts.
                tokio::time::sleep(Duration::from_millis(20)).await;
                worker = open(&settings, &topic, &letters).await.unwrap();
            }
            Step::RollsUp => {
                let mut table = load(folder.path(), "increments").await;
                let policy = Policy { files_max: 2, ..Policy::of(&settings) };
                roll::tidy(&mut table, Kind::Increments, &policy, T0 + 2 * DAY, true).await.unwrap();
            }
        }
    }
    let last = Config { commit_interval_ms: 100, ..settings };
    drop(worker);
    tokio::time::sleep(Duration::from_millis(20)).await;
    work_through(&last, &topic).await;
    let (rows, mut events) = ledger(folder.path()).await;
    events.sort();
    let told = delivered.iter().filter(|e| !matches!(e, Event::Heartbeat(_))).map(|e| (e.head().session_id.to_owned(), e.head().seq));
    let told: BTreeSet<_> = told.collect();
    (sums(&rows), truth(delivered), events, told.into_iter().collect())
}

proptest! {
    // Each case writes tables: few of them, but through every layer.
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn what_the_ledger_holds_is_what_the_last_counters_said(
        lives in (life(0), life(1), life(2)).prop_map(|(a, b, c)| vec![a, b, c]),
        steps in prop::collection::vec(step(), 1..70),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (booked, truth, events, told) = runtime.block_on(lives_through(&lives, &steps));
        prop_assert_eq!(booked, truth);
        prop_assert_eq!(events, told);
    }
}
