//! What the services have refused, by cause: asked of their own `/metrics` when somebody wants to know, added up, and
//! kept for a few seconds, so that any number of pages costs the services one question. Whom to ask is a setting; a
//! service that does not answer is named, and the others count all the same.
//!
//! * [`count`]   the text of metrics → counts (pure)
//! * [`ask`]     one bounded question over plain HTTP or TLS
//! * [`trust`]   whom a service must be vouched for by

mod ask;
mod count;
mod trust;

use chrono::{DateTime, SecondsFormat};
use futures::future::join_all;
use livemeter_schemas::refusals::{Asked, Refusals};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Pages ask every ten seconds: several of them share an answer.
const KEPT_FOR: Duration = Duration::from_secs(3);

/// Services to ask, and what they said last.
pub struct Services {
    addresses: Vec<String>,
    trusted: Option<PathBuf>,
    last: Mutex<Option<(Instant, Refusals)>>,
}

impl Services {
    /// `trusted` is a file of authorities, needed for addresses that are `https`.
    pub fn new(addresses: Vec<String>, trusted: Option<PathBuf>) -> Services {
        Services { addresses, trusted, last: Mutex::default() }
    }

    /// Whoever comes while the services are being asked waits for the same answer.
    pub async fn refusals(&self, now_ms: i64) -> Refusals {
        let mut last = self.last.lock().await;
        if let Some((_, known)) = last.as_ref().filter(|(at, _)| at.elapsed() < KEPT_FOR) {
            return known.clone();
        }
        let fresh = self.ask(now_ms).await;
        *last = Some((Instant::now(), fresh.clone()));
        fresh
    }

    async fn ask(&self, now_ms: i64) -> Refusals {
        let texts = join_all(self.addresses.iter().map(|address| ask::metrics(address, self.trusted.as_deref()))).await;
        let asked = self
            .addresses
            .iter()
            .zip(&texts)
            .map(|(address, text)| Asked { address: address.clone(), failure: text.as_ref().err().map(ToString::to_string) });
        Refusals {
            asked_at: DateTime::from_timestamp_millis(now_ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true),
            services: asked.collect(),
            rows: count::rows(texts.iter().filter_map(|text| text.as_deref().ok())),
        }
    }
}
