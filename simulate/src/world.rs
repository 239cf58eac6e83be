//! The names: CDNs, programmes, regions, users and session ids, and how often each is met.
//! What viewers do with them is not here: see [`crate::session`].

use crate::config::{Cdn, Config, RUN_ID_BYTES_MAX};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Fixed for a run.
#[derive(Debug)]
pub struct World {
    pub cdns: Vec<Cdn>,
    pub programmes: Vec<String>,
    pub regions: Vec<String>,
    /// Running sums of the programmes' shares.
    popularity: Vec<f64>,
    ids: ChaCha8Rng,
}

impl World {
    pub fn new(config: &Config, run_id: &str) -> Self {
        let mut sum = 0.0;
        let popularity = (1..=config.programmes)
            .map(|rank| {
                sum += 1.0 / f64::from(rank);
                sum
            })
            .collect();
        World {
            cdns: config.cdns.clone(),
            programmes: (1..=config.programmes).map(|n| format!("programme-{n:02}")).collect(),
            regions: config.regions.clone(),
            popularity,
            ids: ChaCha8Rng::from_seed(key(config.seed, run_id)),
        }
    }

    /// A CDN by ratio; another one than `not`, when there is another.
    pub fn pick_cdn(&self, not: Option<u8>, rng: &mut impl Rng) -> u8 {
        let open = || self.cdns.iter().enumerate().filter(|(i, _)| Some(*i as u8) != not);
        let sum: u32 = open().map(|(_, cdn)| cdn.ratio).sum();
        if sum == 0 {
            return not.unwrap_or(0);
        }
        let mut left = rng.random_range(0..sum);
        for (i, cdn) in open() {
            if left < cdn.ratio {
                return i as u8;
            }
            left -= cdn.ratio;
        }
        0
    }

    /// A programme by Zipf's law.
    pub fn pick_programme(&self, rng: &mut impl Rng) -> u16 {
        let at = rng.random::<f64>() * self.popularity.last().copied().unwrap_or(1.0);
        self.popularity.partition_point(|sum| *sum <= at).min(self.programmes.len() - 1) as u16
    }

    pub fn pick_region(&self, rng: &mut impl Rng) -> u8 {
        rng.random_range(0..self.regions.len()) as u8
    }

    pub fn cdn(&self, index: u8) -> &Cdn {
        &self.cdns[usize::from(index)]
    }

    /// The id of a viewer's n-th session: 128 bits of a keyed stream, so neither two sessions of a run
    /// nor two runs meet but by a chance of 2^-64.
    pub fn session_id(&self, viewer: u32, visit: u32) -> Arc<str> {
        let mut stream = self.ids.clone();
        stream.set_stream(u64::from(viewer));
        stream.set_word_pos(u128::from(visit) * 4);
        let mut id = [0; 16];
        stream.fill_bytes(&mut id);
        format!("{:032x}", u128::from_be_bytes(id)).into()
    }

    /// A viewer is the same user at each visit.
    pub fn user_id(viewer: u32) -> String {
        format!("user-{viewer:06}")
    }
}

/// Seed and run id side by side, so that no two pairs share a key.
fn key(seed: u64, run_id: &str) -> [u8; 32] {
    let mut key = [0; 32];
    let (head, tail) = key.split_at_mut(8);
    head.copy_from_slice(&seed.to_be_bytes());
    for (to, from) in tail.iter_mut().zip(run_id.bytes().take(RUN_ID_BYTES_MAX)) {
        *to = from;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn session_ids_never_meet_within_or_between_runs() {
        let config = Config::default();
        let mut seen = HashSet::new();
        for run in ["", "a", "b"] {
            let world = World::new(&config, run);
            for viewer in 0..100 {
                for visit in 0..20 {
                    assert!(seen.insert(world.session_id(viewer, visit)), "{run} {viewer} {visit}");
                }
            }
            assert_eq!(world.session_id(7, 3), world.session_id(7, 3));
        }
    }

    #[test]
    fn shares_follow_the_ratios_and_a_switch_leaves_the_cdn() {
        let world = World::new(&Config::default(), "r");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut met = [0; 3];
        for _ in 0..10_000 {
            met[usize::from(world.pick_cdn(None, &mut rng))] += 1;
            assert_ne!(world.pick_cdn(Some(1), &mut rng), 1);
        }
        assert!((4_800..5_200).contains(&met[0]) && (1_800..2_200).contains(&met[2]), "{met:?}");
        let first = (0..10_000).filter(|_| world.pick_programme(&mut rng) == 0).count();
        assert!((2_500..3_100).contains(&first), "1 ÷ the 20th harmonic number is 28 %: {first}");
    }
}
