//! A hostile network against the real binary: each group attacks an ingest of its own, and afterwards that one must be
//! alive, within its memory, without a panic, and must have told nobody of anybody else. What was tried, how often and
//! what came of it is printed; `docs/security.md` has the table.

#[path = "hostile/bodies.rs"]
mod bodies;
#[path = "hostile/credentials.rs"]
mod credentials;
#[path = "hostile/places.rs"]
mod places;
#[path = "hostile/replay.rs"]
mod replay;
#[path = "hostile/shapes.rs"]
mod shapes;
#[path = "hostile/smuggling.rs"]
mod smuggling;

use std::collections::BTreeMap;
use std::fmt::Debug;

/// How often each was answered, for people: `3 × 400, 5 × 413`.
pub fn tally<T: Ord + Debug>(answers: impl IntoIterator<Item = T>) -> String {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    answers.into_iter().for_each(|answer| *counts.entry(answer).or_default() += 1);
    counts.iter().map(|(answer, count)| format!("{count} × {answer:?}")).collect::<Vec<_>>().join(", ")
}
