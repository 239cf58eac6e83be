//! Any bytes as a record of the topic: read or refused, and the quick way of reading never says anything else
//! than the thorough one. Read by the fuzz target and by the processor's tests; a broken promise is a panic.

use super::entry::{Entry, Place};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::{Parts, Record};
use livemeter_schemas::{decode, record, time};

/// As for an event that is refused at the door.
const REASON_BYTES_MAX: usize = 1_536;

pub fn check(data: &[u8]) {
    let limits = Limits::default();
    let place = Place { partition: 3, offset: 7 };
    let entry = match Entry::read(data, place, &limits) {
        Ok(entry) => entry,
        Err(refusal) => {
            assert!(refusal.reason.len() <= REASON_BYTES_MAX, "a reason of {} bytes: {}", refusal.reason.len(), refusal.reason);
            // What the thorough way takes, the quick one must not have kept from it.
            assert!(thorough(data, &limits).is_none(), "refused ({refusal}), but sound");
            return;
        }
    };
    let parts = thorough(data, &limits).expect("what was read is a record to serde too");
    assert_eq!((entry.app.as_ref(), entry.received_at_ms, entry.raw), (parts.app.as_ref(), parts.received_at_ms, parts.event));
    assert_eq!((entry.region.as_deref(), entry.asn), (parts.region.as_deref(), parts.asn));
    assert_eq!(entry.correction_ms, time::correction_ms(parts.sent_at_ms, parts.received_at_ms));
    assert_eq!(decode::event(entry.raw, &limits).as_ref(), Ok(&entry.event));
    // Times that are read can be reckoned with.
    let _ = (entry.at_ms(), entry.session_started_at_ms(), entry.counters().map(<[_]>::len));
    // Written anew, it reads the same.
    let mut again = Vec::new();
    record::write(&mut again, &entry.app, entry.received_at_ms, parts.sent_at_ms, entry.raw).expect("a record can be written");
    let read = Entry::read(&again, place, &limits).expect("a record that was read can be read");
    assert_eq!((read.app, read.correction_ms, read.event), (entry.app, entry.correction_ms, entry.event));
}

/// The record as serde alone reads it, if nothing is wrong with it.
fn thorough<'a>(data: &'a [u8], limits: &Limits) -> Option<Parts<'a>> {
    const TIME_MS_MAX: i64 = 253_402_300_799_999;
    // From bytes, serde would pass over what is no text in members that nobody reads.
    let record: Record<'a> = serde_json::from_str(std::str::from_utf8(data).ok()?).ok()?;
    let sane = |ms: i64| (-TIME_MS_MAX..=TIME_MS_MAX).contains(&ms);
    let sound = record.v == livemeter_schemas::RECORD_VERSION
        && sane(record.received_at_ms)
        && record.sent_at_ms.is_none_or(sane)
        && decode::id("app", &record.app, limits).is_ok()
        && record.region.as_ref().is_none_or(|region| decode::id("region", region, limits).is_ok());
    let event = sound.then(|| decode::event(record.event.get(), limits).ok())??;
    time::check(event.head().at_ms, record.sent_at_ms, record.received_at_ms, limits).ok()?;
    Some(record.into())
}
