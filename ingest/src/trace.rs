//! Traces of requests: which are taken, what is written down of each, and the bounded queue to the exporter.
//! A request never waits here: a full queue drops the span and counts it. Sending is in `http::otlp`.

use serde_json::{Value, json};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

/// Where spans go, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `http://127.0.0.1:4318`, without the path.
    pub endpoint: String,
    /// Share of requests that are traced. By our own choice: a client's wish would let it choose our load.
    pub share: f64,
    /// Spans waiting to be sent; beyond it they are dropped and counted.
    pub queue_max: usize,
}

/// OpenTelemetry's numbers: a server's span; and the status of one that failed.
const KIND_SERVER: u8 = 2;
const STATUS_ERROR: u8 = 2;

/// One request, as it is told. Nothing that a client has sent is in it, but the ids of its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    trace_id: u128,
    span_id: u64,
    parent_id: u64,
    method: &'static str,
    /// One of the paths that exist here.
    route: &'static str,
    status: u16,
    began_ns: u64,
    ended_ns: u64,
}

impl Span {
    /// In OTLP's JSON: ids in hexadecimal, 64-bit numbers as text.
    fn otlp(&self) -> Value {
        let mut span = json!({
            "traceId": format!("{:032x}", self.trace_id),
            "spanId": format!("{:016x}", self.span_id),
            "name": format!("{} {}", self.method, self.route),
            "kind": KIND_SERVER,
            "startTimeUnixNano": self.began_ns.to_string(),
            "endTimeUnixNano": self.ended_ns.to_string(),
            "attributes": [
                { "key": "http.request.method", "value": { "stringValue": self.method } },
                { "key": "http.route", "value": { "stringValue": self.route } },
                { "key": "http.response.status_code", "value": { "intValue": self.status.to_string() } },
            ],
            "status": if self.status >= 500 { json!({ "code": STATUS_ERROR }) } else { json!({}) },
        });
        if self.parent_id != 0 {
            span["parentSpanId"] = json!(format!("{:016x}", self.parent_id));
        }
        span
    }
}

/// The body of `POST /v1/traces`.
pub fn export(spans: &[Span], version: &str) -> Value {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            { "key": "service.name", "value": { "stringValue": "livemeter-ingest" } },
            { "key": "service.version", "value": { "stringValue": version } },
        ] },
        "scopeSpans": [{ "scope": { "name": "livemeter.ingest" }, "spans": spans.iter().map(Span::otlp).collect::<Vec<_>>() }],
    }] })
}

/// A caller's trace, from the header `traceparent` (W3C, version 00 or later): its ids, if they are well-formed.
fn parent(header: &str) -> Option<(u128, u64)> {
    let mut parts = header.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lower_hex = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let whole = lower_hex(version, 2) && version != "ff" && lower_hex(trace, 32) && lower_hex(span, 16) && lower_hex(flags, 2);
    if !whole || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let ids = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
    (ids.0 != 0 && ids.1 != 0).then_some(ids)
}

/// A request that is being traced.
#[derive(Debug)]
pub struct Begun {
    trace_id: u128,
    parent_id: u64,
    span_id: u64,
    method: &'static str,
    route: &'static str,
    began_ns: u64,
}

/// Takes spans; one per service.
#[derive(Debug)]
pub struct Tracer {
    /// Of 2^64 equally likely numbers, those below it are traced.
    below: u64,
    secret: RandomState,
    count: AtomicU64,
    queue: mpsc::Sender<Span>,
    taken_by: Mutex<Option<mpsc::Receiver<Span>>>,
}

impl Tracer {
    pub fn new(settings: &Settings) -> Self {
        let (queue, spans) = mpsc::channel(settings.queue_max.max(1));
        // The largest share as a number may round up beyond the last.
        let below = (settings.share.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
        Tracer { below, secret: RandomState::new(), count: AtomicU64::new(0), queue, taken_by: Mutex::new(Some(spans)) }
    }

    /// The exporter's end, once.
    pub fn spans(&self) -> Option<mpsc::Receiver<Span>> {
        self.taken_by.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// None for a request that is not traced.
    pub fn begin(&self, method: &'static str, route: &'static str, traceparent: Option<&str>, now_ns: u64) -> Option<Begun> {
        let chance = self.number();
        if chance > self.below || self.below == 0 {
            return None;
        }
        let own = || (u128::from(self.number()) << 64) | u128::from(self.number().max(1));
        let (trace_id, parent_id) = traceparent.and_then(parent).unwrap_or_else(|| (own(), 0));
        Some(Begun { trace_id, parent_id, span_id: self.number().max(1), method, route, began_ns: now_ns })
    }

    /// Hands the span over; false when there is no room for it.
    pub fn end(&self, begun: Begun, status: u16, now_ns: u64) -> bool {
        let Begun { trace_id, parent_id, span_id, method, route, began_ns } = begun;
        self.queue.try_send(Span { trace_id, span_id, parent_id, method, route, status, began_ns, ended_ns: now_ns.max(began_ns) }).is_ok()
    }

    fn number(&self) -> u64 {
        self.secret.hash_one(self.count.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tracer(share: f64, queue_max: usize) -> Tracer {
        Tracer::new(&Settings { endpoint: String::new(), share, queue_max })
    }

    #[test]
    fn a_share_of_requests_is_taken() {
        for (share, expected) in [(0.0, 0..=0), (0.1, 800..=1_200), (1.0, 10_000..=10_000)] {
            let tracer = tracer(share, 1);
            let taken = (0..10_000).filter(|_| tracer.begin("GET", "/healthz", None, 0).is_some()).count();
            assert!(expected.contains(&taken), "{share}: {taken}");
        }
    }

    #[test]
    fn a_full_queue_drops_and_does_not_wait() {
        let tracer = tracer(1.0, 2);
        let end = || tracer.end(tracer.begin("POST", "/v1/events", None, 5).unwrap(), 200, 9);
        assert_eq!([end(), end(), end()], [true, true, false]);
        assert!(tracer.spans().is_some() && tracer.spans().is_none());
        assert!(!end(), "nobody is there to take it");
    }

    #[test]
    fn a_callers_trace_is_continued_and_written_as_otlp_wants_it() {
        let tracer = tracer(1.0, 2);
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        let begun = tracer.begin("POST", "/v1/events", Some(header), 5).unwrap();
        assert!(tracer.end(begun, 503, 9));
        let span = tracer.spans().unwrap().try_recv().unwrap();
        let said = export(&[span], "1");
        let span = &said["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!((&span["traceId"], &span["parentSpanId"]), (&json!("4bf92f3577b34da6a3ce929d0e0e4736"), &json!("00f067aa0ba902b7")));
        assert_eq!((&span["name"], &span["kind"], &span["status"]["code"]), (&json!("POST /v1/events"), &json!(2), &json!(2)));
        assert_eq!((&span["startTimeUnixNano"], &span["endTimeUnixNano"]), (&json!("5"), &json!("9")));
        assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
        assert_eq!(span["attributes"][2], json!({ "key": "http.response.status_code", "value": { "intValue": "503" } }));
    }

    proptest! {
        #[test]
        fn any_traceparent_is_read_or_not_and_zero_ids_never(text in "[0-9a-fA-F-]{0,60}|.{0,80}") {
            if let Some((trace, span)) = parent(&text) {
                prop_assert!(trace != 0 && span != 0);
            }
        }
    }
}
