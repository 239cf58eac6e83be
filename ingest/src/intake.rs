//! The parts of ingest, put together for one running service, and the road of one batch through
//! them. HTTP is not here: see [`crate::http`]; Kafka neither: see [`crate::sink`].

use crate::batch::{self, Batch, Parameters, Rules};
use crate::cmcd::{self, Sender};
use crate::config::Config;
use crate::deadletter::{self, Grant, Quota};
use crate::delivery::{Delivery, NotQueued, Sink, To};
use crate::doors::Doors;
use crate::error::Fault;
use crate::gate::Gate;
use crate::geo::{self, Geo};
use crate::identity::token::Claims;
use crate::identity::{Caller, Identity};
use crate::metrics::{Levels, Metrics};
use crate::trace::Tracer;
use livemeter_schemas::answer::{Answer, EventAnswer};
use livemeter_schemas::record::{self, CmcdRequest, LookedUp};
use livemeter_schemas::refusal::Refusal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// Milliseconds since 1970.
pub fn system_clock() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

/// One running service.
pub struct Intake {
    pub config: Config,
    pub metrics: Arc<Metrics>,
    pub requests: Arc<Gate>,
    pub bytes: Arc<Gate>,
    pub doors: Doors,
    pub tracer: Option<Tracer>,
    pub identity: Identity,
    pub geo: geo::InForce,
    sink: Arc<dyn Sink>,
    quota: Mutex<Quota>,
    draining: AtomicBool,
    now_ms: fn() -> i64,
}

/// How the events of a body are written.
pub enum Text<'a> {
    Json,
    Ndjson(Parameters<'a>),
    Cmcd(cmcd::Form<'a>),
}

/// What the dead letters of one batch have in common.
struct Letters<'r> {
    /// Empty when the text did not tell it.
    app: &'r str,
    received_at_ms: i64,
    caller: &'r Caller<'r>,
    claims: Option<&'r Claims>,
    /// What a CMCD request said beside its reports.
    beside: Option<&'r CmcdRequest>,
}

/// A batch whose events are queued: what remains is to wait.
pub struct Queued {
    answer: Answer,
    sent: usize,
    reports: oneshot::Receiver<usize>,
    since: Instant,
}

impl Intake {
    pub fn new(config: Config, sink: Arc<dyn Sink>, metrics: Metrics, now_ms: fn() -> i64) -> Self {
        Intake {
            requests: Gate::new("requests in progress", config.requests_in_flight_max),
            bytes: Gate::new("bytes of bodies in progress", config.bytes_in_flight_max),
            doors: Doors::new(&config),
            tracer: config.traces.as_ref().map(Tracer::new),
            quota: Mutex::new(Quota::new(config.deadletters_per_minute, config.deadletters_per_minute_total)),
            draining: AtomicBool::new(false),
            identity: Identity::default(),
            geo: geo::InForce::default(),
            config,
            metrics: Arc::new(metrics),
            sink,
            now_ms,
        }
    }

    /// The same service, but open to these apps alone.
    pub fn known_to(self, identity: Identity) -> Self {
        Intake { identity, ..self }
    }

    /// The same service, with a look-up of regions and networks.
    pub fn with_geo(self, geo: Geo) -> Self {
        Intake { geo: geo::InForce::new(geo), ..self }
    }

    /// From now on the service is not ready; requests in progress go on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub fn ready(&self) -> Result<(), Fault> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Fault::Draining);
        }
        self.sink.ready().map_err(Fault::KafkaAway)
    }

    pub fn metrics_text(&self) -> String {
        let apps = self.identity.in_force().map_or(0, |rules| rules.apps.len());
        let levels = Levels { requests: self.requests.taken(), bytes: self.bytes.taken(), kafka_ready: self.sink.ready().is_ok(), apps };
        self.metrics.text(levels)
    }

    /// Judges a body, queues its good events for Kafka and its bad ones for the dead letters. Does
    /// not wait, so that the body can be let go before the wait begins.
    pub fn queue(&self, body: &[u8], text: Text, caller: &Caller) -> Result<Queued, Fault> {
        let received_at_ms = (self.now_ms)();
        let rules = Rules { limits: &self.config.limits, events_max: self.config.batch_events_max, received_at_ms };
        let kept = |refusal: Refusal| {
            self.keep("", received_at_ms, &refusal, body, caller);
            Fault::Batch(refusal)
        };
        let plain = batch::utf8(body).map_err(kept)?;
        let batch = match text {
            Text::Json => batch::json(plain, &rules).map_err(kept)?,
            Text::Ndjson(parameters) => batch::ndjson(plain, parameters, &rules).map_err(kept)?,
            Text::Cmcd(form) => {
                let user_id = caller.user_id(received_at_ms)?;
                let app = caller.known.as_ref().map(|known| known.app.id.as_str());
                let sender = Sender { app, user_id: user_id.as_deref() };
                let reports = cmcd::read(plain, &form, sender, &self.config.cmcd_hosts, &rules).map_err(kept)?;
                self.metrics.cmcd_ignored.unknown_keys.inc_by(reports.ignored.unknown_keys);
                self.metrics.cmcd_ignored.bad_values.inc_by(reports.ignored.bad_values);
                let beside = CmcdRequest { target: form.target.as_deref().map(str::to_owned), user_id, place: 0 };
                return self.admit(reports.batch(&rules), received_at_ms, caller, Some(&beside));
            }
        };
        self.admit(batch, received_at_ms, caller, None)
    }

    fn admit(&self, mut batch: Batch, received_at_ms: i64, caller: &Caller, beside: Option<&CmcdRequest>) -> Result<Queued, Fault> {
        let claims = caller.admit(&mut batch, received_at_ms)?;
        let letters = Letters { app: &batch.app, received_at_ms, caller, claims: claims.as_deref(), beside };
        self.queue_batch(&batch, received_at_ms, &letters)
    }

    fn queue_batch(&self, batch: &Batch, received_at_ms: i64, letters: &Letters) -> Result<Queued, Fault> {
        let caller = letters.caller;
        self.doors.events(caller.peer, &batch.app, batch.events.len() as u64)?;
        let note = batch::note(batch.sent_at_ms, received_at_ms);
        let (delivery, reports) = Delivery::awaited();
        let since = Instant::now();
        let (mut sent, mut refused) = (0, 0);
        let mut events = Vec::with_capacity(batch.events.len());
        let looked_up = self.geo.now().look_up(caller.peer);
        let framed =
            |found| record::Frame::new(&batch.app, received_at_ms, batch.sent_at_ms, found).map_err(|e| Fault::BodyBroken(e.to_string()));
        let frame = framed(LookedUp { region: None, asn: looked_up.asn })?;
        let placed = looked_up.region.as_deref().map(|region| framed(LookedUp { region: Some(region), asn: looked_up.asn })).transpose()?;
        // One buffer for all records: the producer copies what it queues.
        let (mut key, mut value) = (String::new(), Vec::new());
        for (place, judged) in (0..).zip(&batch.events) {
            match &judged.verdict {
                Ok(event) => {
                    let head = event.head();
                    record::write_key(&mut key, &batch.app, head.session_id);
                    let text = caller.stored(event, judged.text, received_at_ms)?;
                    // A region is the client's to say; a network is not.
                    placed.as_ref().filter(|_| head.region.is_none()).unwrap_or(&frame).write(&mut value, &text);
                    self.sink.enqueue(To::Events, received_at_ms, &key, &value, &delivery).map_err(not_queued)?;
                    sent += 1;
                    events.push(EventAnswer::Accepted { note: note.clone() });
                }
                Err(refusal) => {
                    refused += 1;
                    self.metrics.refused(refusal.code);
                    self.keep_of(letters, place, refusal, judged.text.as_bytes());
                    events.push(EventAnswer::Refused(refusal.clone()));
                }
            }
        }
        let heartbeat_ms = caller.heartbeat_ms(self.config.heartbeat_ms);
        let answer = Answer { accepted: sent as u64, refused, heartbeat_ms, sampling: caller.sampling(), events };
        Ok(Queued { answer, sent, reports, since })
    }

    /// Waits for Kafka's report on every event, as long as a client may wait. No answer exists before that.
    pub async fn settle(&self, queued: Queued) -> Result<Answer, Fault> {
        let Queued { answer, sent, reports, since } = queued;
        if sent == 0 {
            return Ok(answer);
        }
        let patience = Duration::from_millis(self.config.delivery_timeout_ms);
        let acked = tokio::time::timeout(patience, reports).await.ok().and_then(Result::ok).unwrap_or(0);
        self.metrics.delivery_seconds.observe(since.elapsed().as_secs_f64());
        if acked < sent {
            return Err(Fault::Undelivered { acked, sent });
        }
        self.metrics.events_accepted.inc_by(sent as u64);
        Ok(answer)
    }

    /// Keeps a refused text, within the quota. Nobody waits for it, and whatever becomes of it is counted.
    pub fn keep(&self, app: &str, received_at_ms: i64, refusal: &Refusal, text: &[u8], caller: &Caller) {
        self.keep_of(&Letters { app, received_at_ms, caller, claims: None, beside: None }, 0, refusal, text);
    }

    /// `place`: of a report in its batch, from 0.
    fn keep_of(&self, of: &Letters, place: u32, refusal: &Refusal, text: &[u8]) {
        let Letters { app, received_at_ms, caller, .. } = *of;
        let counts = &self.metrics.deadletters;
        let grant = self.quota.lock().unwrap_or_else(PoisonError::into_inner).grant(app, caller.peer, received_at_ms);
        match grant {
            Grant::OverOwn => {
                counts.over_own_quota.inc();
            }
            Grant::OverTotal => {
                counts.over_total_quota.inc();
            }
            Grant::Granted => {
                let withheld = caller.withheld(app.is_empty());
                let mut letter = if withheld { deadletter::withheld } else { deadletter::build }(app, received_at_ms, refusal, text);
                if !withheld {
                    letter.bound = caller.bound(of.claims);
                    letter.cmcd = of.beside.map(|beside| CmcdRequest { place, ..beside.clone() });
                }
                let value = serde_json::to_vec(&letter).unwrap_or_default();
                let delivery = Delivery::counted(counts.kept.clone(), counts.failed.clone());
                // One that cannot be queued is counted as failed when its delivery drops, here.
                let _ = self.sink.enqueue(To::DeadLetters, received_at_ms, app, &value, &delivery);
            }
        }
    }

    /// The time of receipt, for what is kept outside of a batch.
    pub fn now_ms(&self) -> i64 {
        (self.now_ms)()
    }
}

fn not_queued(error: NotQueued) -> Fault {
    match error {
        NotQueued::Full => Fault::QueueFull,
        NotQueued::Away(reason) => Fault::KafkaAway(reason),
    }
}
