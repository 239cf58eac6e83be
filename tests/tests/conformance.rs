//! One suite over both brokers: what Livemeter needs of a broker, asked of Apache Kafka and of the
//! embedded one by the same code. What one of them cannot do is stated by a case of its own, which
//! fails on the day it can. The cases are in `conformance/`.

#[path = "conformance/crashes.rs"]
mod crashes;
#[path = "conformance/deletion.rs"]
mod deletion;
#[path = "conformance/groups.rs"]
mod groups;
#[path = "conformance/records.rs"]
mod records;

use libtest_mimic::{Arguments, Trial};
use livemeter_tests::brokers::{Broker, Kind};
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A case that shares a broker with others, each on topics of its own.
type Shared = (&'static str, fn(Kind, String) -> Running);
/// A case that stops, kills or measures a broker, and so has one of its own.
type Owned = (&'static str, fn(Kind) -> Running);

/// Turns an async function into what the lists below hold.
macro_rules! case {
    ($module:ident::$name:ident, shared) => {
        (concat!(stringify!($module), "::", stringify!($name)), |kind, addr| Box::pin($module::$name(kind, addr)) as Running)
    };
    ($module:ident::$name:ident, owned) => {
        (concat!(stringify!($module), "::", stringify!($name)), |kind| Box::pin($module::$name(kind)) as Running)
    };
}

const SHARED: &[Shared] = &[
    case!(records::a_topic_is_created_once_and_never_by_accident, shared),
    case!(records::a_key_keeps_its_partition_and_its_order, shared),
    case!(records::watermarks_are_first_and_next, shared),
    case!(records::reading_starts_at_any_offset, shared),
    case!(records::large_records_come_back_whole, shared),
    case!(records::every_compression_comes_back_exactly, shared),
    case!(records::headers_times_and_absent_keys_come_back, shared),
    case!(records::an_offset_outside_is_an_error, shared),
    case!(records::a_time_finds_its_offset, shared),
    case!(groups::a_second_reader_goes_on_from_a_stored_offset, shared),
    case!(groups::committed_offsets_are_kept, shared),
    case!(groups::a_classic_group_resumes, shared),
    case!(groups::the_new_group_protocol, shared),
    case!(deletion::deleting_moves_the_first_offset, shared),
    case!(deletion::an_emptied_partition_keeps_its_place, shared),
    case!(deletion::what_cannot_be_deleted_is_refused, shared),
];

const OWNED: &[Owned] = &[
    case!(crashes::a_clean_restart_keeps_everything, owned),
    case!(crashes::kill9_loses_nothing_acknowledged, owned),
    case!(crashes::a_producer_outlives_an_outage, owned),
    case!(deletion::deleted_stays_deleted_after_kill9, owned),
    case!(deletion::space_is_used_again, owned),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let brokers: Vec<(Kind, Arc<Mutex<Option<Broker>>>)> = Kind::ALL.into_iter().map(|kind| (kind, Arc::default())).collect();
    let mut trials = Vec::new();
    for (kind, broker) in &brokers {
        let kind = *kind;
        for (name, case) in SHARED {
            let (runtime, broker) = (runtime.clone(), broker.clone());
            trials.push(Trial::test(format!("{}::{name}", kind.name()), move || {
                runtime.block_on(async {
                    let addr = started(kind, &broker).await;
                    case(kind, addr).await;
                });
                Ok(())
            }));
        }
        for (name, case) in OWNED {
            let runtime = runtime.clone();
            trials.push(Trial::test(format!("{}::{name}", kind.name()), move || {
                runtime.block_on(case(kind));
                Ok(())
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Before the process ends: nothing drops a broker after that.
    drop(brokers);
    conclusion.exit_code()
}

/// The shared broker's address; the first case that asks starts it.
async fn started(kind: Kind, broker: &Mutex<Option<Broker>>) -> String {
    let mut broker = broker.lock().await;
    if broker.is_none() {
        *broker = Some(Broker::start(kind).await);
    }
    broker.as_ref().expect("just started").addr()
}
