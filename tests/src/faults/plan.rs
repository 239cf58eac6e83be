//! Which fault comes next: kills at every place in turn, and other troubles in between. Pure.

/// The places in the processor where it can be made to end, in the order in which a life passes them, and how
/// often at most it is let pass before: a life of seconds commits often, but cleans up once.
pub const PLACES: [(&str, u32); 11] = [
    ("append-before-file", 5),
    ("append-after-file", 5),
    ("append-during-commit", 5),
    ("append-after-commit", 5),
    ("between-tables", 5),
    ("before-advise", 5),
    ("snapshot-before", 2),
    ("snapshot-after", 2),
    ("roll-before-commit", 1),
    ("roll-after-commit", 1),
    ("vacuum", 1),
];

/// What happens to a worker that is not a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    ReplyLost,
    StorageFails,
    StorageSlow,
    DiskFull,
    BrokerKilled,
    BrokerStopped,
    Cut,
    /// Cut for minutes.
    Away,
    /// Packets are lost, all of them, for a while.
    Vanish,
    Silent,
    Slow,
    Reset,
    Zombie,
    SharingZombie,
    Revoke,
}

/// The ones that say most come first: a short run gets no further.
const TROUBLES: [Trouble; 15] = [
    Trouble::Zombie,
    Trouble::ReplyLost,
    Trouble::DiskFull,
    Trouble::BrokerKilled,
    Trouble::Cut,
    Trouble::SharingZombie,
    Trouble::Revoke,
    Trouble::StorageFails,
    Trouble::Silent,
    Trouble::Reset,
    Trouble::StorageSlow,
    Trouble::BrokerStopped,
    Trouble::Slow,
    Trouble::Vanish,
    Trouble::Away,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// At this place, when it was passed so often at most.
    KillAt(&'static str, u32),
    KillAnywhere,
    Trouble(Trouble),
}

/// The whole order of a run. `skipped` are places that were found not to be there.
#[derive(Debug, Default)]
pub struct Plan {
    turn: usize,
    kills: usize,
    troubles: usize,
}

impl Plan {
    /// Every fourth is a trouble that `possible` allows; a kill anywhere follows the last of the places.
    pub fn next(&mut self, skipped: &[&str], possible: impl Fn(Trouble) -> bool) -> Fault {
        self.turn += 1;
        if self.turn.is_multiple_of(4) {
            for _ in 0..TROUBLES.len() {
                let trouble = TROUBLES[self.troubles % TROUBLES.len()];
                self.troubles += 1;
                if possible(trouble) {
                    return Fault::Trouble(trouble);
                }
            }
        }
        loop {
            let place = PLACES.get(self.kills % (PLACES.len() + 1)).copied();
            self.kills += 1;
            match place {
                Some((place, _)) if skipped.contains(&place) => {}
                Some((place, passes)) => return Fault::KillAt(place, passes),
                None => return Fault::KillAnywhere,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_place_and_every_trouble_has_its_turn() {
        let mut plan = Plan::default();
        let order: Vec<Fault> = (0..60).map(|_| plan.next(&["vacuum"], |t| t != Trouble::DiskFull)).collect();
        let killed: BTreeSet<_> = order.iter().filter_map(|f| if let Fault::KillAt(place, _) = f { Some(*place) } else { None }).collect();
        assert_eq!(killed.len(), PLACES.len() - 1);
        let troubles = order.iter().filter(|f| matches!(f, Fault::Trouble(_))).count();
        assert_eq!(troubles, 15);
        assert!(TROUBLES.iter().all(|t| order.contains(&Fault::Trouble(*t)) == (*t != Trouble::DiskFull)));
        assert!(order.contains(&Fault::KillAnywhere));
    }
}
