//! How much may be in progress at once: requests, and bytes of their bodies. Places are given back
//! when their guards drop, whatever way a request ends. Waiting is not here: a full gate refuses.

use crate::error::Fault;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count with a ceiling.
#[derive(Debug)]
pub struct Gate {
    what: &'static str,
    limit: usize,
    taken: AtomicUsize,
}

impl Gate {
    pub fn new(what: &'static str, limit: usize) -> Arc<Self> {
        Arc::new(Gate { what, limit, taken: AtomicUsize::new(0) })
    }

    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// An empty guard, to be grown.
    pub fn room(self: &Arc<Self>) -> Room {
        Room { gate: self.clone(), size: 0 }
    }

    /// A guard of one place.
    pub fn enter(self: &Arc<Self>) -> Result<Room, Fault> {
        let mut room = self.room();
        room.grow(1)?;
        Ok(room)
    }
}

/// Places held at a gate.
#[derive(Debug)]
pub struct Room {
    gate: Arc<Gate>,
    size: usize,
}

impl Room {
    /// Takes `more` places, or none.
    pub fn grow(&mut self, more: usize) -> Result<(), Fault> {
        let before = self.gate.taken.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) > self.gate.limit {
            self.gate.taken.fetch_sub(more, Ordering::Relaxed);
            return Err(Fault::Busy { what: self.gate.what, limit: self.gate.limit });
        }
        self.size += more;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.gate.taken.fetch_sub(self.size, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_gate_refuses_by_name_and_every_place_comes_back() {
        let gate = Gate::new("bytes", 10);
        let mut room = gate.room();
        room.grow(6).unwrap();
        assert_eq!(room.grow(5).unwrap_err(), Fault::Busy { what: "bytes", limit: 10 });
        assert_eq!(gate.taken(), 6);
        let other = gate.enter().unwrap();
        room.grow(3).unwrap();
        assert!(gate.enter().is_err());
        drop(room);
        assert_eq!(gate.taken(), 1);
        drop(other);
        assert_eq!(gate.taken(), 0);
    }
}
