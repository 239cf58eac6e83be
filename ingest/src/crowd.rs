//! How many connections each address holds. Pure but for its lock. An entry exists only while a connection of
//! its address is open, so the limit on all connections bounds the table too.

use crate::address;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub struct Crowd {
    limit: usize,
    open: Mutex<HashMap<u128, usize>>,
}

impl Crowd {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Crowd { limit, open: Mutex::default() })
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A place among the connections of this address; none when it has all that it may have.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Member> {
        let key = address::counted(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Member { crowd: self.clone(), key })
    }
}

/// One connection of an address; gives its place back when it drops.
#[derive(Debug)]
pub struct Member {
    crowd: Arc<Crowd>,
    key: u128,
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut open = self.crowd.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = open.entry(self.key) {
            *entry.get_mut() = entry.get().saturating_sub(1);
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_places_and_an_empty_one_is_forgotten() {
        let crowd = Crowd::new(2);
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        let held = [crowd.enter(one).unwrap(), crowd.enter(one).unwrap()];
        assert!(crowd.enter(one).is_none());
        let beside = crowd.enter(other).unwrap();
        let neighbour = crowd.enter("2001:db8::2".parse().unwrap()).unwrap();
        assert!(crowd.enter(other).is_none(), "a /64 is one customer");
        drop(held);
        assert!(crowd.enter(one).is_some());
        drop((beside, neighbour));
        assert!(crowd.open.lock().unwrap().is_empty());
    }
}
