//! The commit protocol of `processor/src/table`, as a model that is searched to its end: two workers, two
//! tables, one partition, and a fault wherever one can fall. What the tables really do is tested in `it`.
//!
//! What a pause is: a worker that takes no step while the other takes many. The search tries every order of
//! steps, so each worker is a zombie at every point of its work, and goes on later. What a rebalance is: the
//! other worker opens the tables; nobody tells the first one.

mod protocol;

use protocol::{Protocol, Rule};
use stateright::{Checker, Model};
use std::time::Instant;

fn searched(protocol: Protocol) -> impl Checker<Protocol> {
    let (began, what) = (Instant::now(), format!("{protocol:?}"));
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    let (unique, all, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    println!(
        r#"{{"model":"commit","what":{what:?},"states":{unique},"transitions":{all},"depth":{depth},"ms":{}}}"#,
        began.elapsed().as_millis()
    );
    checker
}

#[test]
fn nothing_is_booked_twice_or_left_out_whatever_happens_when() {
    let checker = searched(Protocol { records: 3, faults: 3, rule: Rule::AsBuilt });
    checker.assert_properties();
    assert!(checker.is_done());
    assert!(checker.unique_state_count() > 100_000, "a search this small has missed something");
}

#[test]
fn longer_batches_with_fewer_faults() {
    searched(Protocol { records: 4, faults: 1, rule: Rule::AsBuilt }).assert_properties();
}

/// A model that cannot fail proves nothing: each of these leaves out one rule, and is found out.
#[test]
fn each_rule_is_needed() {
    let broken = [
        (Rule::NoOffsetCheck, "no record is in a table twice"),
        (Rule::RetryWithoutReading, "no record is in a table twice"),
        (Rule::StartAtTheLarger, "the stored offset is the number of records in"),
        (Rule::NoSkipping, "no record is in a table twice"),
    ];
    for (rule, property) in broken {
        let checker = searched(Protocol { records: 2, faults: 1, rule });
        let path = checker.discovery(property).unwrap_or_else(|| panic!("{rule:?} was not found out"));
        println!("{rule:?}: {:?}", path.into_actions());
    }
}
