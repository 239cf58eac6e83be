//! State, steps and promises of the model. Each step is one that the outside can see or cut off: a crash while
//! a file is written is a crash before the commit, and needs no step of its own.

use stateright::{Model, Property};

const TABLES: usize = 2;
const WORKERS: usize = 2;

/// The protocol as it is built, and with one rule left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    AsBuilt,
    /// A commit lands on whatever is newest, as Delta's own retries would have it.
    NoOffsetCheck,
    /// A lost reply is taken for a failure.
    RetryWithoutReading,
    /// A worker starts at the larger of the two tables' offsets.
    StartAtTheLarger,
    /// A table that is ahead takes the whole batch all the same.
    NoSkipping,
}

/// How far the search goes.
#[derive(Debug, Clone)]
pub struct Protocol {
    pub records: u8,
    /// Crashes, errors, lost replies and commits of maintenance, in all. A budget makes every path end.
    pub faults: u8,
    pub rule: Rule,
}

/// What is durable of one table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Table {
    /// The next offset to read, as stored.
    offset: u8,
    /// How often each record is in.
    rows: Vec<u8>,
    /// Whose batch each version holds: its length is the version. A token is its writer's number here, and is
    /// struck out when the writer no longer asks for it; in the tables it is random, and stays.
    log: Vec<Option<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    Down,
    /// The first table is open.
    Opening,
    Reading,
    /// A batch is on its way into this table.
    Committing(usize),
    /// Refused as stale: drops all it has.
    Fenced,
}

/// What a worker holds in memory; a crash takes all of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Worker {
    phase: Phase,
    /// Per table: where its next batch begins, the version that is known, and whether there may be a newer one.
    base: [u8; TABLES],
    version: [usize; TABLES],
    stale: [bool; TABLES],
    /// The next record to read, and the batch under way or the last one: where reading began it, and its end.
    next: u8,
    begin: u8,
    end: u8,
    /// A commit was tried, and its outcome is not known.
    in_doubt: bool,
}

const DOWN: Worker = Worker {
    phase: Phase::Down,
    base: [0; TABLES],
    version: [0; TABLES],
    stale: [false; TABLES],
    next: 0,
    begin: 0,
    end: 0,
    in_doubt: false,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    tables: [Table; TABLES],
    workers: [Worker; WORKERS],
    faults_left: u8,
}

/// By worker, but for maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Open(usize),
    Read(usize),
    Flush(usize),
    /// This table has the batch already.
    Skip(usize),
    /// Reads the log afresh, and compares.
    Look(usize),
    Commit(usize),
    CommitAndLoseTheReply(usize),
    FailToCommit(usize),
    /// Also an orderly end: what is not committed is dropped either way.
    Crash(usize),
    DropAll(usize),
    /// Compaction or the like: a version that changes no row and no offset.
    Maintain(usize),
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let table = Table { offset: 0, rows: vec![0; usize::from(self.records)], log: Vec::new() };
        vec![State { tables: [table.clone(), table], workers: [DOWN, DOWN], faults_left: self.faults }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (w, worker) in state.workers.iter().enumerate() {
            match worker.phase {
                Phase::Down | Phase::Opening => steps.push(Step::Open(w)),
                Phase::Fenced => steps.push(Step::DropAll(w)),
                Phase::Reading => {
                    if worker.next < self.records {
                        steps.push(Step::Read(w));
                    }
                    if worker.next > worker.end {
                        steps.push(Step::Flush(w));
                    }
                }
                Phase::Committing(t) if worker.end <= worker.base[t] => steps.push(Step::Skip(w)),
                Phase::Committing(t) if worker.stale[t] => steps.push(Step::Look(w)),
                Phase::Committing(_) => {
                    steps.push(Step::Commit(w));
                    if state.faults_left > 0 {
                        steps.extend([Step::CommitAndLoseTheReply(w), Step::FailToCommit(w)]);
                    }
                }
            }
            if state.faults_left > 0 && worker.phase != Phase::Down {
                steps.push(Step::Crash(w));
            }
        }
        if state.faults_left > 0 {
            steps.extend((0..TABLES).map(Step::Maintain));
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        if matches!(step, Step::CommitAndLoseTheReply(_) | Step::FailToCommit(_) | Step::Crash(_) | Step::Maintain(_)) {
            state.faults_left -= 1;
        }
        match step {
            Step::Open(w) => self.open(&mut state, w),
            Step::Read(w) => state.workers[w].next += 1,
            Step::Flush(w) => {
                let worker = &mut state.workers[w];
                (worker.begin, worker.end, worker.phase) = (worker.end, worker.next, Phase::Committing(0));
            }
            Step::Skip(w) => next_table(&mut state.workers[w]),
            Step::Look(w) => look(&mut state, w),
            Step::Commit(w) => self.commit(&mut state, w, true)?,
            Step::CommitAndLoseTheReply(w) => self.commit(&mut state, w, false)?,
            Step::FailToCommit(w) => self.lost(&mut state, w),
            Step::Crash(w) | Step::DropAll(w) => down(&mut state, w),
            Step::Maintain(t) => state.tables[t].log.push(None),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no record is in a table twice", |_, s: &State| s.tables.iter().all(|t| t.rows.iter().all(|n| *n <= 1))),
            Property::always("the stored offset is the number of records in", |_, s: &State| {
                s.tables.iter().all(|t| t.rows.iter().enumerate().all(|(i, n)| (*n > 0) == (i < usize::from(t.offset))))
            }),
            // Faults have a budget and fencing needs another's progress, so every path ends: a path that never
            // books everything would end where there is no step left.
            Property::always("in the end everything is booked", |m: &Protocol, s: &State| {
                let mut steps = Vec::new();
                m.actions(s, &mut steps);
                steps.retain(|step| m.next_state(s, step.clone()).is_some_and(|next| next != *s) && !is_fault(step));
                !steps.is_empty() || s.tables.iter().all(|t| t.offset == m.records)
            }),
            // What must have been tried for the above to mean anything.
            Property::sometimes("a stale writer is refused", |_, s: &State| s.workers.iter().any(|w| w.phase == Phase::Fenced)),
            Property::sometimes("a commit is in, and its writer does not know", |_, s: &State| {
                (0..WORKERS).any(|w| s.workers[w].in_doubt && s.tables.iter().any(|t| t.log.contains(&Some(w))))
            }),
            Property::sometimes("one table is ahead, and nobody lives", |_, s: &State| {
                s.tables[0].offset > s.tables[1].offset && s.workers.iter().all(|w| w.phase == Phase::Down)
            }),
            Property::sometimes("both workers are about to commit", |_, s: &State| {
                s.workers.iter().all(|w| matches!(w.phase, Phase::Committing(_)))
            }),
        ]
    }
}

fn is_fault(step: &Step) -> bool {
    matches!(step, Step::CommitAndLoseTheReply(_) | Step::FailToCommit(_) | Step::Crash(_) | Step::Maintain(_))
}

impl Protocol {
    /// One table at a time: the other worker may commit in between.
    fn open(&self, state: &mut State, w: usize) {
        let t = usize::from(state.workers[w].phase == Phase::Opening);
        let (worker, table) = (&mut state.workers[w], &state.tables[t]);
        (worker.base[t], worker.version[t]) = (table.offset, table.log.len());
        worker.phase = if t == 0 { Phase::Opening } else { Phase::Reading };
        let [a, b] = worker.base;
        worker.next = if self.rule == Rule::StartAtTheLarger { a.max(b) } else { a.min(b) };
        worker.end = worker.next;
    }

    /// Rows and offset at once, at the version after the one that is known, or not at all.
    fn commit(&self, state: &mut State, w: usize, reply: bool) -> Option<()> {
        let Phase::Committing(t) = state.workers[w].phase else { return None };
        let (worker, table) = (&state.workers[w], &mut state.tables[t]);
        let taken = table.log.len() != worker.version[t];
        if taken && self.rule != Rule::NoOffsetCheck {
            if !reply {
                // The same as a commit that fails: no step of its own.
                return None;
            }
            self.lost(state, w);
            return Some(());
        }
        let from = if self.rule == Rule::NoSkipping { worker.begin } else { worker.begin.max(worker.base[t]) };
        for n in &mut table.rows[usize::from(from)..usize::from(worker.end)] {
            *n += 1;
        }
        table.offset = worker.end;
        table.log.push(Some(w));
        if reply {
            state.workers[w].version[t] = state.tables[t].log.len();
            done(state, w, t);
        } else {
            self.lost(state, w);
        }
        Some(())
    }

    /// Whether it is in is not known.
    fn lost(&self, state: &mut State, w: usize) {
        let Phase::Committing(t) = state.workers[w].phase else { return };
        state.workers[w].in_doubt = true;
        if self.rule == Rule::RetryWithoutReading {
            state.workers[w].version[t] = state.tables[t].log.len();
        } else {
            state.workers[w].stale[t] = true;
        }
    }
}

fn look(state: &mut State, w: usize) {
    let Phase::Committing(t) = state.workers[w].phase else { return };
    let (worker, table) = (&mut state.workers[w], &state.tables[t]);
    (worker.version[t], worker.stale[t]) = (table.log.len(), false);
    if table.offset == worker.base[t] {
        return;
    }
    if table.offset == worker.end && worker.in_doubt && table.log.contains(&Some(w)) {
        done(state, w, t);
    } else {
        worker.phase = Phase::Fenced;
    }
}

/// The batch is in this table.
fn done(state: &mut State, w: usize, t: usize) {
    state.workers[w].base[t] = state.workers[w].end;
    forget(state, w);
    next_table(&mut state.workers[w]);
}

fn next_table(worker: &mut Worker) {
    worker.phase = match worker.phase {
        Phase::Committing(t) if t + 1 < TABLES => Phase::Committing(t + 1),
        _ => Phase::Reading,
    };
}

fn down(state: &mut State, w: usize) {
    forget(state, w);
    state.workers[w] = DOWN;
}

/// Asks for its token no more.
fn forget(state: &mut State, w: usize) {
    state.workers[w].in_doubt = false;
    for entry in state.tables.iter_mut().flat_map(|t| &mut t.log).filter(|entry| **entry == Some(w)) {
        *entry = None;
    }
}
