//! How often: a token bucket per key in a table of fixed size. Pure: the clock is passed in. What the
//! keys are, and what is said to whom is over, is not here: see [`crate::doors`].
//!
//! A bucket is one number, the time at which it will be full again; a full bucket is the same as none.
//! So the table forgets full buckets at no loss, and one event of a client occupies a place for one
//! interval of its rate: to occupy all places, an attacker needs as many addresses, each at work all the time.
//! When a set of places is taken nevertheless, a newcomer takes over the place *and the debt* of the
//! bucket that is nearest to full. The table therefore never lets anybody have more than the limit; when
//! it is crowded it errs towards refusing newcomers, and only once every bucket of their set is empty.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// Places that a key may stand in. Which set it is depends on a secret: nobody can aim at another's.
const WAYS: usize = 8;
const SECOND_NS: u64 = 1_000_000_000;

/// Tokens a second, and how many may be saved up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// 0: no limit.
    pub per_s: u64,
    pub burst: u64,
}

impl Limit {
    fn interval_ns(self) -> u64 {
        SECOND_NS / self.per_s.max(1)
    }

    fn debt_ns_max(self) -> u64 {
        self.burst.max(1).saturating_mul(self.interval_ns())
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    key: u64,
    full_at_ns: u64,
}

/// The table.
#[derive(Debug)]
pub struct Rates {
    limit: Limit,
    secret: RandomState,
    buckets: Vec<[Bucket; WAYS]>,
}

impl Rates {
    /// `entries_max` is rounded up to whole sets. Without a limit there is no table.
    pub fn new(limit: Limit, entries_max: usize) -> Self {
        let sets = if limit.per_s == 0 { 0 } else { entries_max.div_ceil(WAYS).max(1) };
        Rates { limit, secret: RandomState::new(), buckets: vec![[Bucket::default(); WAYS]; sets] }
    }

    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Takes `cost` tokens when at least one is there: what is missing is a debt, to be paid off before the
    /// next. Else says how long until one is there.
    pub fn take(&mut self, key: &[u8], cost: u64, now_ns: u64) -> Result<(), Duration> {
        let limit = self.limit;
        let Some((bucket, name)) = self.find(key) else { return Ok(()) };
        let full_at_ns = bucket.full_at_ns.max(now_ns);
        let over_ns = (full_at_ns - now_ns).saturating_add(limit.interval_ns()).saturating_sub(limit.debt_ns_max());
        if over_ns > 0 {
            return Err(Duration::from_nanos(over_ns));
        }
        *bucket = Bucket { key: name, full_at_ns: full_at_ns.saturating_add(cost.saturating_mul(limit.interval_ns())) };
        Ok(())
    }

    /// Takes `cost` tokens, there or not: for what is known only afterwards.
    pub fn charge(&mut self, key: &[u8], cost: u64, now_ns: u64) {
        let interval_ns = self.limit.interval_ns();
        if let Some((bucket, name)) = self.find(key) {
            let full_at_ns = bucket.full_at_ns.max(now_ns).saturating_add(cost.saturating_mul(interval_ns));
            *bucket = Bucket { key: name, full_at_ns };
        }
    }

    /// The key's bucket, or the one that it would take over: that nearest to full.
    fn find(&mut self, key: &[u8]) -> Option<(&mut Bucket, u64)> {
        let name = self.secret.hash_one(key);
        let set = name.checked_rem(self.buckets.len() as u64)?;
        let places = self.buckets.get_mut(set as usize)?;
        let own = places.iter().position(|bucket| bucket.key == name);
        let place = own.or_else(|| (0..WAYS).min_by_key(|place| places.get(*place).map(|bucket| bucket.full_at_ns)))?;
        places.get_mut(place).map(|bucket| (bucket, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const LIMIT: Limit = Limit { per_s: 10, burst: 5 };

    #[test]
    fn a_burst_passes_then_the_rate_and_the_wait_is_told() {
        let mut rates = Rates::new(LIMIT, 64);
        assert!((0..5).all(|_| rates.take(b"a", 1, 0).is_ok()));
        assert_eq!(rates.take(b"a", 1, 0), Err(Duration::from_millis(100)));
        assert_eq!(rates.take(b"b", 1, 0), Ok(()), "another key is not concerned");
        assert_eq!(rates.take(b"a", 1, 99_999_999), Err(Duration::from_nanos(1)));
        assert_eq!(rates.take(b"a", 1, 100_000_000), Ok(()));
        assert!(rates.take(b"a", 1, 100_000_000).is_err());
    }

    #[test]
    fn a_large_cost_passes_whole_and_is_paid_off_before_the_next() {
        let mut rates = Rates::new(LIMIT, 64);
        assert_eq!(rates.take(b"a", 25, 0), Ok(()));
        assert_eq!(rates.take(b"a", 1, 0), Err(Duration::from_millis(2_100)));
        rates.charge(b"a", 10, 0);
        assert_eq!(rates.take(b"a", 1, 0), Err(Duration::from_millis(3_100)));
        assert_eq!(rates.take(b"a", 1, 3_100_000_000), Ok(()));
    }

    #[test]
    fn no_limit_needs_no_table() {
        let mut rates = Rates::new(Limit { per_s: 0, burst: 0 }, 1 << 20);
        assert!(rates.buckets.is_empty() && (0..1000).all(|_| rates.take(b"a", 1 << 40, 0).is_ok()));
    }

    #[test]
    fn a_flood_of_new_keys_frees_nobody_from_a_limit_and_locks_nobody_out() {
        let mut rates = Rates::new(LIMIT, 1024);
        while rates.take(b"spent", 1, 0).is_ok() {}
        let refused = (0u32..100_000).filter(|n| rates.take(&n.to_le_bytes(), 1, 0).is_err()).count();
        assert_eq!(rates.buckets.len() * WAYS, 1024, "the table does not grow");
        // A hundred times as many keys as places, all in one instant, use up what 1,024 buckets hold.
        assert!((100_000 - 1024 * 5..100_000).contains(&refused), "{refused}");
        assert!(rates.take(b"spent", 1, 0).is_err());
        // A second later all of that is forgotten.
        assert!((0u32..1024).all(|n| rates.take(&n.to_be_bytes(), 1, 1_000_000_000).is_ok()));
    }

    proptest! {
        /// Against buckets that are never forgotten: what the table lets pass, they let pass.
        #[test]
        fn no_key_gets_more_than_its_limit_whatever_others_do(
            asks in proptest::collection::vec((0u8..40, 1u64..8, 0u64..200_000_000, any::<bool>()), 0..400),
        ) {
            let (mut rates, mut now_ns) = (Rates::new(LIMIT, WAYS), 0);
            let mut exact: HashMap<u8, u64> = HashMap::new();
            for (key, cost, later_ns, charged) in asks {
                now_ns += later_ns;
                let full_at = exact.entry(key).or_default();
                *full_at = (*full_at).max(now_ns);
                if charged {
                    rates.charge(&[key], cost, now_ns);
                } else if rates.take(&[key], cost, now_ns).is_ok() {
                    prop_assert!(*full_at - now_ns + LIMIT.interval_ns() <= LIMIT.debt_ns_max());
                } else {
                    continue;
                }
                *full_at += cost * LIMIT.interval_ns();
            }
        }

        /// As long as all keys find a place, each is treated as if it were alone, and the wait is exact.
        #[test]
        fn with_room_for_all_nobody_is_refused_for_another(
            asks in proptest::collection::vec((0u8..WAYS as u8, 1u64..4, 0u64..200_000_000), 0..200),
        ) {
            let (mut rates, mut now_ns) = (Rates::new(LIMIT, WAYS), 0);
            let mut alone: HashMap<u8, Rates> = HashMap::new();
            for (key, cost, later_ns) in asks {
                now_ns += later_ns;
                let own = alone.entry(key).or_insert_with(|| Rates::new(LIMIT, WAYS));
                let said = rates.take(&[key], cost, now_ns);
                prop_assert_eq!(said, own.take(&[key], cost, now_ns));
                if let Err(wait) = said {
                    let then_ns = now_ns + wait.as_nanos() as u64;
                    prop_assert!(rates.take(&[key], 0, then_ns - 1).is_err() && rates.take(&[key], 0, then_ns).is_ok());
                }
            }
        }
    }
}
