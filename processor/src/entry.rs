//! A record's bytes → a checked event with corrected times, or the reason it can never be booked.
//! What ingest has checked is checked again: anything may have been written to the topic.

use livemeter_schemas::decode;
use livemeter_schemas::event::{Cmcd, Counters, Event, Head};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::{self, DeadLetter, Origin, Parts, Record};
use livemeter_schemas::refusal::{Code, Refusal};
use livemeter_schemas::{RECORD_VERSION, time};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The last millisecond of the year 9999: times beyond have no date in the ledger.
const TIME_MS_MAX: i64 = 253_402_300_799_999;

/// Where a record stands on the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub partition: i32,
    pub offset: i64,
}

/// One record, understood.
#[derive(Debug)]
pub struct Entry<'a> {
    pub app: Cow<'a, str>,
    pub received_at_ms: i64,
    /// To be added to the session's clock to get ours.
    pub correction_ms: i64,
    /// Looked up by ingest; counts where the event has none of its own.
    pub region: Option<Cow<'a, str>>,
    /// Looked up by ingest.
    pub asn: Option<u32>,
    pub event: Event<'a>,
    /// The client's own text.
    pub raw: &'a str,
    pub place: Place,
    /// What is known of a CMCD session after this, for the ledger; the book's to say.
    pub cmcd_state: Option<String>,
}

impl<'a> Entry<'a> {
    /// Reads the value of one record.
    pub fn read(payload: &'a [u8], place: Place, limits: &Limits) -> Result<Entry<'a>, Refusal> {
        let text = std::str::from_utf8(payload).map_err(|e| Refusal::whole(Code::Malformed, format!("the record is not UTF-8: {e}")))?;
        // As ingest writes it, the envelope is no work. Whatever is not that, or is wrong, is read thoroughly.
        if let Some(Ok(entry)) = record::parts(text).map(|parts| Entry::check(parts, place, limits)) {
            return Ok(entry);
        }
        let record: Record = serde_json::from_str(text)
            .map_err(|e| Refusal::whole(Code::Malformed, format!("the record's envelope: {}", decode::clip(&e.to_string()))))?;
        if record.v != RECORD_VERSION {
            let reason = format!("v is {}; this version reads {RECORD_VERSION}", record.v);
            return Err(Refusal::new(Code::UnsupportedVersion, "v", reason));
        }
        Entry::check(record.into(), place, limits)
    }

    fn check(record: Parts<'a>, place: Place, limits: &Limits) -> Result<Entry<'a>, Refusal> {
        decode::id("app", &record.app, limits)?;
        for (field, value) in [("received_at_ms", Some(record.received_at_ms)), ("sent_at_ms", record.sent_at_ms)] {
            if value.is_some_and(|ms| !(-TIME_MS_MAX..=TIME_MS_MAX).contains(&ms)) {
                return Err(Refusal::new(Code::Clock, field, format!("{field} is beyond the year 9999")));
            }
        }
        if let Some(region) = &record.region {
            decode::id("region", region, limits)?;
        }
        let event = decode::event(record.event, limits)?;
        time::check(event.head().at_ms, record.sent_at_ms, record.received_at_ms, limits)?;
        let correction_ms = time::correction_ms(record.sent_at_ms, record.received_at_ms);
        Ok(Entry {
            app: record.app,
            received_at_ms: record.received_at_ms,
            correction_ms,
            region: record.region,
            asn: record.asn,
            event,
            raw: record.event,
            place,
            cmcd_state: None,
        })
    }

    /// The same record, read as this event.
    pub fn made<'e>(&'e self, event: Event<'e>, cmcd_state: Option<String>) -> Entry<'e> {
        Entry {
            app: Cow::Borrowed(&self.app),
            received_at_ms: self.received_at_ms,
            correction_ms: self.correction_ms,
            region: self.region.as_deref().map(Cow::Borrowed),
            asn: self.asn,
            event,
            raw: self.raw,
            place: self.place,
            cmcd_state,
        }
    }

    pub fn head(&self) -> Head<'_> {
        let head = self.event.head();
        Head { region: head.region.or(self.region.as_deref()), ..head }
    }

    /// A time of the session's clock on ours.
    pub fn corrected(&self, at_ms: i64) -> i64 {
        at_ms.saturating_add(self.correction_ms)
    }

    /// When it happened, on our clock.
    pub fn at_ms(&self) -> i64 {
        self.corrected(self.head().at_ms)
    }

    /// The cumulative counters it carries; none when it is an event that carries none.
    pub fn counters(&self) -> Option<&[Counters<'_>]> {
        matches!(self.event, Event::Heartbeat(_) | Event::SessionEnd(_)).then(|| self.event.counters())
    }

    /// The CMCD report that it is, if it is one.
    pub fn report(&self) -> Option<&Cmcd<'a>> {
        match &self.event {
            Event::Cmcd(report) => Some(report),
            _ => None,
        }
    }

    /// When its session says it began, on our clock; only counters come with that.
    pub fn session_started_at_ms(&self) -> Option<i64> {
        match &self.event {
            Event::Heartbeat(e) => Some(self.corrected(e.session_started_at_ms)),
            Event::SessionEnd(e) => Some(self.corrected(e.session_started_at_ms)),
            _ => None,
        }
    }

    /// The CDN in use, when it says so.
    pub fn current_cdn(&self) -> Option<&str> {
        match &self.event {
            Event::Heartbeat(e) => e.cdn.as_deref(),
            _ => None,
        }
    }
}

/// The dead letter of a record that was refused. Whatever of the envelope can be read is kept.
pub fn dead_letter(topic: &str, payload: &[u8], place: Place, refusal: Refusal) -> DeadLetter {
    let envelope = serde_json::from_slice::<Record>(payload).ok();
    let (head, raw_base64) = DeadLetter::keep(payload);
    DeadLetter {
        v: RECORD_VERSION,
        by: "processor".into(),
        app: envelope.as_ref().map(|r| r.app.clone().into_owned()).unwrap_or_default(),
        received_at_ms: envelope.as_ref().map_or(0, |r| r.received_at_ms),
        code: refusal.code,
        field: refusal.field,
        reason: refusal.reason,
        origin: Some(Origin { topic: topic.to_owned(), partition: place.partition, offset: place.offset }),
        length_bytes: payload.len() as u64,
        sha256: format!("{:x}", Sha256::digest(payload)),
        head,
        raw_base64,
        bound: None,
        cmcd: None,
    }
}
