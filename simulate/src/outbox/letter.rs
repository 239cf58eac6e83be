//! One event, written down, with what the outbox has to know of it.

use crate::totals::Used;
use livemeter_schemas::event::Event;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub seq: u64,
    pub json: Box<[u8]>,
    /// Every CDN's counters, if the event carries them.
    pub counters: Option<Box<[Used]>>,
    /// Makes the player post at once; others ride along with the next that does.
    pub urgent: bool,
    /// A heartbeat: a newer one says all that it says.
    pub replaceable: bool,
    /// Explains, but counts nothing: may be dropped when too much is waiting.
    pub droppable: bool,
    /// Was sent at least once without an answer.
    pub attempted: bool,
}

impl Letter {
    /// Writes an event down; `used` are the counters behind it and `scratch` is reused from call to call.
    pub fn write(event: &Event<'_>, used: &[Used], scratch: &mut Vec<u8>) -> serde_json::Result<Letter> {
        scratch.clear();
        serde_json::to_writer(&mut *scratch, event)?;
        let replaceable = matches!(event, Event::Heartbeat(_));
        let carries = replaceable || matches!(event, Event::SessionEnd(_));
        let urgent = carries || matches!(event, Event::SessionStart(_));
        Ok(Letter {
            seq: event.head().seq,
            json: scratch.as_slice().into(),
            counters: carries.then(|| used.into()),
            urgent,
            replaceable,
            droppable: !urgent,
            attempted: false,
        })
    }
}
