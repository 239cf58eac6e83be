//! All three sides of a period, loaded and set side by side. What the differences are is `livemeter_billing`'s
//! affair, how they are told [`super::told`]'s.

use super::ask::Ask;
use super::client::{self, Client};
use super::told;
use super::vendor::Vendor;
use super::{Bills, refusals};
use crate::engine::Engine;
use crate::error::Error;
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use chrono_tz::Tz;
use livemeter_billing::contract::SumOver;
use livemeter_billing::exact::Exact;
use livemeter_billing::exact::Rounding;
use livemeter_billing::reconcile::{InvoiceLine, InvoiceSide, LogSide, ReconcileError, Tail};
use livemeter_billing::series::SeriesError;
use livemeter_billing::{Basis, Period, Place, Sides, Traffic};
use livemeter_schemas::bills::{BillCheck, BillQuery};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Players send a heartbeat this often unless told otherwise: how long a tail may be that nobody heard of.
const HEARTBEAT_MS: u64 = 10_000;

/// All that is known of a period.
#[derive(Debug)]
pub struct Loaded {
    pub ask: Ask,
    pub client: Client,
    pub vendor: Option<Vendor>,
    pub client_traffic: Traffic,
    pub log: Option<LogSide>,
    pub tails: Vec<Tail>,
    pub invoice: Option<InvoiceSide>,
    pub utc: Option<Traffic>,
}

impl Loaded {
    pub fn sides(&self) -> Sides<'_> {
        Sides {
            contract: self.ask.contract(),
            period: &self.ask.period,
            client: &self.client_traffic,
            log: self.log.as_ref(),
            tails: &self.tails,
            invoice: self.invoice.as_ref(),
            utc: self.utc.as_ref(),
        }
    }

    /// What a bill goes by: the log where there is one, else the client.
    pub fn best(&self) -> Result<Traffic, Error> {
        self.log.as_ref().map_or_else(|| Ok(self.client_traffic.clone()), |log| log.all().map_err(series))
    }

    pub fn log_sha256(&self) -> Vec<String> {
        self.vendor.as_ref().map(Vendor::sha256).unwrap_or_default()
    }
}

/// `GET /v1/bills/check`
pub async fn answer(bills: &Arc<Bills>, engine: &Engine, asked: &BillQuery) -> Result<BillCheck, Error> {
    let loaded = load(bills, engine, asked).await?;
    bills.job(move |_| told::check(&loaded)).await
}

/// Resolves what is asked, then reads ledger and facts.
pub async fn load(bills: &Arc<Bills>, engine: &Engine, asked: &BillQuery) -> Result<Loaded, Error> {
    let asked = asked.clone();
    let ask = bills.job(move |bills| bills.ask(&asked.contract, &asked.period, asked.invoice.as_deref())).await?;
    let client = client::read(engine, &ask, bills.config.deadline_ms, bills.config.sessions_max).await?;
    bills.job(move |bills| bills.beside(ask, client)).await
}

impl Bills {
    /// The other sides beside the client's.
    pub fn beside(&self, ask: Ask, client: Client) -> Result<Loaded, Error> {
        let vendor = self.vendor_of(&ask)?;
        let client_traffic = client_traffic(&ask, &client)?;
        let log = vendor.as_ref().map(|vendor| self.log_side(&ask, &client, vendor)).transpose()?;
        let utc = if vendor.is_some() { self.in_utc(&ask)? } else { None };
        let tails = tails(&ask, &client, vendor.as_ref())?;
        let invoice = ask
            .invoice
            .as_ref()
            .map(|invoice| InvoiceSide { currency: invoice.currency.clone(), lines: invoice.lines.iter().map(invoice_line).collect() });
        Ok(Loaded { ask, client, vendor, client_traffic, log, tails, invoice, utc })
    }

    /// The log's bytes, parted by what the ledger knows of the sessions.
    fn log_side(&self, ask: &Ask, client: &Client, vendor: &Vendor) -> Result<LogSide, Error> {
        let known: std::collections::HashSet<&str> = client.sessions.iter().map(|s| s.session_id.as_str()).collect();
        let mut side = LogSide::new(vendor.has_sessions());
        let facts = self.logs.facts(&ask.summary().vendor, ask.from_ms, ask.to_ms, &super::vendor::filter(ask)).map_err(refusals::store)?;
        for batch in facts {
            let batch = batch.map_err(refusals::store)?;
            let long = |column: usize| batch.column(column).as_primitive::<Int64Type>();
            let (at, bytes) = (long(0), long(4));
            let texts = |column: usize| batch.column(column).as_string::<i32>();
            let (domains, regions, sessions) = (texts(1), texts(2), texts(3));
            for row in 0..batch.num_rows() {
                let (domain, region) = (domains.value(row), regions.value(row));
                let Some(place) = log_place(ask, domain, region) else { continue };
                let Some(index) = ask.period.index(at.value(row)) else { continue };
                let part = match sessions.is_valid(row) {
                    false => &mut side.anonymous,
                    true if known.contains(sessions.value(row)) => &mut side.known,
                    true => &mut side.unseen,
                };
                part.add(&ask.period, &place, index, bytes.value(row).unsigned_abs()).map_err(series)?;
            }
        }
        Ok(side)
    }

    /// The log's bytes over the same dates with days cut in UTC: a vendor may have billed those.
    fn in_utc(&self, ask: &Ask) -> Result<Option<Traffic>, Error> {
        let Ok(period) = ask.period.in_zone(Tz::UTC) else { return Ok(None) };
        if ask.period.zone() == Tz::UTC {
            return Ok(None);
        }
        self.log_traffic(ask, &period).map(Some)
    }

    /// The log's bytes over a period's windows.
    pub fn log_traffic(&self, ask: &Ask, period: &Period) -> Result<Traffic, Error> {
        let mut traffic = Traffic::new(Basis::Log);
        let filter = super::vendor::filter(ask);
        let sums = self.logs.traffic(&ask.summary().vendor, period.start_ms(), period.end_ms(), &filter).map_err(refusals::store)?;
        for sum in sums {
            let (Some(place), Some(index)) = (log_place(ask, &sum.domain, &sum.region), period.index(sum.window_start_ms)) else {
                continue;
            };
            traffic.add(period, &place, index, sum.bytes).map_err(series)?;
        }
        Ok(traffic)
    }
}

/// The client's bytes by place; rows that are not the contract's were not asked for, or are left out here.
pub fn client_traffic(ask: &Ask, client: &Client) -> Result<Traffic, Error> {
    let mut traffic = Traffic::new(Basis::Client);
    for window in &client.windows {
        let Some(place) = client_place(ask, &window.cdn, &window.region) else { continue };
        let Some(index) = ask.period.index(window.start_ms) else { continue };
        let bytes = u64::try_from(window.bytes).map_err(|_| Error::Overflow { column: "bytes" })?;
        traffic.add(&ask.period, &place, index, bytes).map_err(series)?;
    }
    Ok(traffic)
}

/// The place of a CDN's and region's bytes; none where they are not the contract's.
pub fn client_place(ask: &Ask, cdn: &str, region: &str) -> Option<Place> {
    let contract = ask.contract();
    let told = Some(region).filter(|region| !region.is_empty());
    if !contract.has(cdn, None, told) {
        return None;
    }
    let mut domains = contract.scopes.iter().filter(|scope| scope.cdn == cdn).map(|scope| scope.domain.as_deref());
    let first = domains.next().flatten();
    // The client tells CDNs, not domains: one stands for the other only where there is one.
    let domain = if domains.all(|other| other == first) { first } else { None };
    Some(Place::new(domain, told.filter(|_| by_region(ask))))
}

/// The place of a log line's bytes; none where they are not the contract's.
pub fn log_place(ask: &Ask, domain: &str, region: &str) -> Option<Place> {
    let contract = ask.contract();
    let told = Some(region).filter(|region| !region.is_empty());
    let ours = contract.cdns().into_iter().any(|cdn| contract.has(cdn, Some(domain), told));
    ours.then(|| Place::new(Some(domain), told.filter(|_| by_region(ask))))
}

/// Regions are told apart where the contract does: elsewhere each side has names of its own for them.
fn by_region(ask: &Ask) -> bool {
    ask.contract().sum_over == SumOver::Region || ask.contract().scopes.iter().any(|scope| scope.region.is_some())
}

fn tails(ask: &Ask, client: &Client, vendor: Option<&Vendor>) -> Result<Vec<Tail>, Error> {
    let logged: Option<HashMap<&str, u64>> = vendor
        .filter(|vendor| vendor.has_sessions())
        .map(|vendor| vendor.sessions.iter().filter_map(|s| Some((s.session_id.as_deref()?, s.bytes))).collect());
    let mut of_session: BTreeMap<&str, Vec<&client::Session>> = BTreeMap::new();
    for session in &client.sessions {
        of_session.entry(session.session_id.as_str()).or_default().push(session);
    }
    let mut tails = Vec::new();
    for (id, parts) in of_session {
        let Some(last) = parts.iter().max_by_key(|part| part.last_at_ms).filter(|_| parts.iter().all(|part| !part.ended)) else { continue };
        let (Some(place), Some(window)) = (client_place(ask, &last.cdn, &last.region), ask.period.index(last.last_window_ms)) else {
            continue;
        };
        let counted: u64 = parts.iter().map(|part| part.bytes.unsigned_abs()).sum();
        let logged_after = match &logged {
            // What the log has of it beyond its last counters, which are cumulative.
            Some(logged) => Some(logged.get(id).map_or(Ok(0), |bytes| beyond(ask, *bytes, counted))?),
            None => None,
        };
        let lived_ms = parts.iter().map(|part| part.lived_ms.unsigned_abs()).sum();
        tails.push(Tail { place, window, logged_after, bytes: counted, lived_ms, heartbeat_ms: HEARTBEAT_MS });
    }
    Ok(tails)
}

fn beyond(ask: &Ask, logged: u64, counted: u64) -> Result<u64, Error> {
    let expected = Exact::whole(counted)
        .times(ask.contract().log_overhead.into())
        .map_err(|e| refusals::paper("too_large", "bytes", e.to_string(), None))?;
    Ok(logged.saturating_sub(u64::try_from(expected.to_whole(Rounding::Up)).unwrap_or(u64::MAX)))
}

fn invoice_line(line: &livemeter_logs::invoice::InvoiceLine) -> InvoiceLine {
    InvoiceLine {
        row: line.row,
        item: line.item.clone(),
        place: Place::new(line.domain.as_deref(), line.region.as_deref()),
        from_ms: line.from_ms,
        to_ms: line.to_ms,
        quantity: line.quantity,
        unit: line.unit.clone(),
        price: line.price,
        amount: line.amount,
    }
}

pub fn series(error: SeriesError) -> Error {
    refusals::paper("series", "bytes", error.to_string(), None)
}

pub fn reconcile(error: ReconcileError) -> Error {
    let (code, at) = match &error {
        ReconcileError::Currency { .. } => ("currency", "invoice"),
        ReconcileError::TooManyLines { .. } => ("too_large", "invoice"),
        _ => ("bill", "contract"),
    };
    refusals::paper(code, at, error.to_string(), None)
}

/// The windows of one day, by index.
pub fn day(period: &Period, day: &str) -> Option<std::ops::Range<usize>> {
    period.days().iter().find(|one| one.date.to_string() == day).map(|one| one.range())
}
