//! Who is asked to wait, by address and by app: the two rate tables of one running service, and the word
//! that is said. The arithmetic is in [`crate::rate`], whose request it is in [`crate::address`].

use crate::address::{self, Network};
use crate::config::Config;
use crate::error::Fault;
use crate::rate::{Limit, Rates};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Both tables. Their clock is monotonic: a step of the wall clock must not open or close anything.
#[derive(Debug)]
pub struct Doors {
    unlimited: Vec<Network>,
    addresses: Door,
    apps: Door,
    since: Instant,
}

#[derive(Debug)]
struct Door {
    what: &'static str,
    per_s: u64,
    rates: Mutex<Rates>,
}

impl Doors {
    pub fn new(config: &Config) -> Self {
        let door = |what, limit: Limit| Door { what, per_s: limit.per_s, rates: Mutex::new(Rates::new(limit, config.rate_entries_max)) };
        Doors {
            unlimited: config.unlimited_addresses.clone(),
            addresses: door("address", config.address_rate),
            apps: door("app", config.app_rate),
            since: Instant::now(),
        }
    }

    /// One request, before anything of it is read: it costs one event.
    pub fn request(&self, client: IpAddr) -> Result<(), Fault> {
        if self.addresses.per_s == 0 || address::any_holds(&self.unlimited, client) {
            return Ok(());
        }
        self.addresses.take(&address::counted(client).to_le_bytes(), 1, self.now_ns())
    }

    /// The events of a batch that has been read. The app is asked first, so that a batch that is sent away
    /// costs its address no more than the request.
    pub fn events(&self, client: IpAddr, app: &str, count: u64) -> Result<(), Fault> {
        let now_ns = self.now_ns();
        if self.apps.per_s > 0 && count > 0 {
            self.apps.take(app.as_bytes(), count, now_ns)?;
        }
        if count > 1 && self.addresses.per_s > 0 && !address::any_holds(&self.unlimited, client) {
            self.addresses.charge(&address::counted(client).to_le_bytes(), count - 1, now_ns);
        }
        Ok(())
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Door {
    fn take(&self, key: &[u8], cost: u64, now_ns: u64) -> Result<(), Fault> {
        let taken = self.rates.lock().unwrap_or_else(PoisonError::into_inner).take(key, cost, now_ns);
        taken.map_err(|wait| Fault::Rate {
            what: self.what,
            per_s: self.per_s,
            // Rounded up: who comes a moment too early is refused again.
            wait_s: wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        })
    }

    fn charge(&self, key: &[u8], cost: u64, now_ns: u64) {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).charge(key, cost, now_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn doors(address_rate: Limit, app_rate: Limit) -> Doors {
        Doors::new(&Config { address_rate, app_rate, unlimited_addresses: vec!["127.0.0.0/8".parse().unwrap()], ..Config::default() })
    }

    const NONE: Limit = Limit { per_s: 0, burst: 0 };
    const ONE: Limit = Limit { per_s: 1, burst: 2 };

    #[test]
    fn an_address_pays_for_its_events_and_its_neighbours_do_not() {
        let doors = doors(ONE, NONE);
        doors.request(ip("192.0.2.1")).unwrap();
        doors.events(ip("192.0.2.1"), "demo", 10).unwrap();
        let refused = doors.request(ip("192.0.2.1")).unwrap_err();
        assert!(matches!(refused, Fault::Rate { what: "address", per_s: 1, wait_s: 9 }), "{refused:?}");
        doors.request(ip("192.0.2.2")).unwrap();
        assert!((0..1000).all(|_| doors.request(ip("127.0.0.1")).is_ok()));
    }

    #[test]
    fn an_app_pays_wherever_its_events_come_from() {
        let doors = doors(NONE, ONE);
        doors.events(ip("192.0.2.1"), "demo", 2).unwrap();
        assert!(matches!(doors.events(ip("192.0.2.2"), "demo", 1).unwrap_err(), Fault::Rate { what: "app", .. }));
        doors.events(ip("192.0.2.2"), "other", 1).unwrap();
    }

    /// The default: everybody of a NAT with 5,000 viewers arrives at once, posts a minute of heartbeats, and
    /// once sends what an outage of five minutes has queued.
    #[test]
    fn five_thousand_viewers_behind_one_address_pass_by_default() {
        let config = Config::default();
        let mut rates = Rates::new(config.address_rate, config.rate_entries_max);
        let beat_ns = config.heartbeat_ms * 1_000_000 / 5_000;
        assert!((0..5_000 * 6).all(|n| rates.take(b"nat", 1, n * beat_ns).is_ok()));
        let minute_ns = 60_000_000_000;
        assert!((0..5_000).all(|_| rates.take(b"nat", 2, minute_ns).is_ok()), "5,000 starts with a first heartbeat in one instant");
    }
}
