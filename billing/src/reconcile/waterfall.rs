//! Client → log → invoice in whole bytes. Each window of each place is split by itself, so that days, places and the
//! whole are sums of the same figures, and every split adds up exactly.

use super::sides::{LogSide, Sides, Tail};
use super::{DayParts, ReconcileError, Verdict};
use crate::contract::Contract;
use crate::exact::{Exact, Rounding, TooLarge};
use crate::series::{Place, Series, Traffic, bandwidth_bps};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A figure that may be an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Estimate {
    pub point: i64,
    /// Bounds; equal to the point where it is exact.
    pub low: i64,
    pub high: i64,
}

/// The difference between client and log, parted.
/// `client + log_overhead + telemetry_loss.point + without_sdk + unexplained = log`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Parts {
    pub client: i64,
    /// What a log counts beyond bodies, by the contract's `log_overhead`.
    pub log_overhead: i64,
    /// Tails of sessions without an end, and sessions that the log has and the ledger never saw.
    pub telemetry_loss: Estimate,
    /// Log lines of no session; none where the log has no session ids.
    pub without_sdk: Option<i64>,
    /// What is left; with `without_sdk` none, both in one figure. None without a log.
    pub unexplained: Option<i64>,
    pub log: Option<i64>,
    /// What is billed beyond the log, by the contract's `overhead`; without a log, beyond the client and its loss.
    pub overhead: i64,
}

/// Of one domain and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceParts {
    pub place: Place,
    pub parts: Parts,
}

/// One step from a total to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaterfallStep {
    /// `client`, `log_overhead`, `telemetry_loss`, `without_sdk`, `unexplained` or `without_sdk_or_unexplained`, `log`,
    /// `overhead`, `invoice_difference`, `invoice`.
    pub step: &'static str,
    /// A total, not a difference.
    pub is_total: bool,
    /// None: of an invoice that bills bandwidth.
    pub bytes: Option<i64>,
    /// Of an estimate that is not exact.
    pub low: Option<i64>,
    pub high: Option<i64>,
}

/// Running sums: any range of windows is one subtraction.
#[derive(Debug, Clone)]
struct Sums(Vec<i64>);

impl Sums {
    fn new(series: Option<&Series>, windows: usize) -> Result<Sums, TooLarge> {
        let mut sums = Vec::with_capacity(windows + 1);
        let mut sum = 0_i64;
        sums.push(sum);
        for bytes in series.into_iter().flat_map(|series| series.bytes()) {
            sum = i64::try_from(*bytes).ok().and_then(|bytes| sum.checked_add(bytes)).ok_or(TooLarge)?;
            sums.push(sum);
        }
        sums.resize(windows + 1, sum);
        Ok(Sums(sums))
    }

    fn until(&self, window: usize) -> i64 {
        self.0.get(window).copied().unwrap_or_default()
    }

    fn of(&self, windows: &Range<usize>) -> i64 {
        self.until(windows.end) - self.until(windows.start)
    }
}

#[derive(Debug, Clone)]
struct Rows {
    client: Sums,
    log: Sums,
    unseen: Sums,
    anonymous: Sums,
    tails: BTreeMap<usize, Estimate>,
}

/// All windows of all places, ready to be parted.
#[derive(Debug, Clone)]
pub struct Splits {
    has_log: bool,
    session_ids: bool,
    /// Shares added by the two factors: factor − 1.
    log_overhead: Exact,
    overhead: Exact,
    windows: usize,
    places: BTreeMap<Place, Rows>,
}

impl Splits {
    pub fn new(sides: &Sides) -> Result<Splits, ReconcileError> {
        let windows = sides.period.windows();
        let client = narrowed(sides, sides.client)?;
        let log = sides.log.map(|log| parted(sides, log)).transpose()?;
        let none = BTreeMap::new();
        let [all, unseen, anonymous] = log.as_ref().map_or([&none; 3], |parts| [&parts[0], &parts[1], &parts[2]]);
        let mut tails = tails(sides)?;
        let mut places = BTreeMap::new();
        let names: BTreeSet<Place> = client.keys().chain(all.keys()).chain(tails.keys()).cloned().collect();
        for place in names {
            let sums = |of: &BTreeMap<Place, Series>| Sums::new(of.get(&place), windows);
            let rows = Rows {
                client: sums(&client)?,
                log: sums(all)?,
                unseen: sums(unseen)?,
                anonymous: sums(anonymous)?,
                tails: tails.remove(&place).unwrap_or_default(),
            };
            places.insert(place, rows);
        }
        Ok(Splits {
            has_log: sides.log.is_some(),
            session_ids: sides.log.is_some_and(|log| log.session_ids),
            log_overhead: Exact::from(sides.contract.log_overhead).minus(Exact::ONE)?,
            overhead: Exact::from(sides.contract.overhead).minus(Exact::ONE)?,
            windows,
            places,
        })
    }

    /// Whether traffic without SDK is told apart from what is not explained.
    pub fn without_sdk_known(&self) -> bool {
        self.session_ids
    }

    pub fn total(&self) -> Result<Parts, TooLarge> {
        self.range(0..self.windows)
    }

    pub fn places(&self) -> Result<Vec<PlaceParts>, TooLarge> {
        let parts = |(place, rows): (&Place, &Rows)| Ok(PlaceParts { place: place.clone(), parts: self.parts(rows, 0..self.windows)? });
        self.places.iter().map(parts).collect()
    }

    /// `best`: the log's sum where there is one, else the client's.
    pub fn days(&self, sides: &Sides, best: &Series) -> Result<Vec<DayParts>, TooLarge> {
        let day = |day: &crate::period::Day| {
            let parts = self.range(day.range())?;
            let peak = best.bytes().get(day.range()).into_iter().flatten().max().copied().unwrap_or_default();
            let peak_bps = u64::try_from(bandwidth_bps(peak).to_whole(Rounding::Down)).map_err(|_| TooLarge)?;
            Ok(DayParts { date: day.date, parts, peak_bps, verdict: verdict(sides.contract, &parts) })
        };
        sides.period.days().iter().map(day).collect()
    }

    /// Each window of a range, over all places: a day down to its 5 minutes.
    pub fn windows(&self, windows: Range<usize>) -> Result<Vec<Parts>, TooLarge> {
        windows.map(|window| self.range(window..window + 1)).collect()
    }

    /// A range of windows over all places.
    pub fn range(&self, windows: Range<usize>) -> Result<Parts, TooLarge> {
        let mut sum = Parts::default();
        if self.has_log {
            sum.log = Some(0);
            sum.unexplained = Some(0);
            sum.without_sdk = self.session_ids.then_some(0);
        }
        for rows in self.places.values() {
            sum = sum.plus(&self.parts(rows, windows.clone())?).ok_or(TooLarge)?;
        }
        Ok(sum)
    }

    fn parts(&self, rows: &Rows, windows: Range<usize>) -> Result<Parts, TooLarge> {
        let client = rows.client.of(&windows);
        let log_overhead = added(self.log_overhead, rows.client.until(windows.start), rows.client.until(windows.end))?;
        let mut loss = loss(&rows.tails, windows.clone()).ok_or(TooLarge)?;
        let mut parts = Parts { client, log_overhead, ..Parts::default() };
        if self.has_log {
            let log = rows.log.of(&windows);
            if self.session_ids {
                loss = loss.shifted(rows.unseen.of(&windows)).ok_or(TooLarge)?;
                parts.without_sdk = Some(rows.anonymous.of(&windows));
            }
            let told = [client, log_overhead, loss.point, parts.without_sdk.unwrap_or_default()];
            parts.unexplained = Some(told.iter().try_fold(log, |left, part| left.checked_sub(*part)).ok_or(TooLarge)?);
            parts.log = Some(log);
            parts.overhead = added(self.overhead, rows.log.until(windows.start), rows.log.until(windows.end))?;
        } else {
            let base = |end: usize| {
                let bodies = rows.client.until(end);
                let lost = self::loss(&rows.tails, 0..end)?.point;
                bodies.checked_add(added(self.log_overhead, 0, bodies).ok()?)?.checked_add(lost)
            };
            let (start, end) = (base(windows.start).ok_or(TooLarge)?, base(windows.end).ok_or(TooLarge)?);
            parts.overhead = added(self.overhead, start, end)?;
        }
        parts.telemetry_loss = loss;
        Ok(parts)
    }
}

/// What a share adds to bytes from one running sum to another. Each running sum is rounded, not each window: so the
/// windows' figures add up to the whole's.
fn added(share: Exact, start: i64, end: i64) -> Result<i64, TooLarge> {
    if share.is_zero() {
        return Ok(0);
    }
    let until = |sum: i64| share.times(Exact::whole(sum)).map(|added| added.to_whole(Rounding::HalfUp));
    i64::try_from(until(end)? - until(start)?).map_err(|_| TooLarge)
}

fn loss(tails: &BTreeMap<usize, Estimate>, windows: Range<usize>) -> Option<Estimate> {
    if windows.is_empty() {
        return Some(Estimate::default());
    }
    tails.range(windows).try_fold(Estimate::default(), |sum, (_, tail)| sum.plus(tail))
}

impl Estimate {
    fn plus(&self, other: &Estimate) -> Option<Estimate> {
        let sum = |a: i64, b: i64| a.checked_add(b);
        Some(Estimate { point: sum(self.point, other.point)?, low: sum(self.low, other.low)?, high: sum(self.high, other.high)? })
    }

    fn shifted(&self, exact: i64) -> Option<Estimate> {
        self.plus(&Estimate { point: exact, low: exact, high: exact })
    }

    pub fn is_exact(&self) -> bool {
        self.low == self.high
    }
}

impl Parts {
    fn plus(&self, other: &Parts) -> Option<Parts> {
        let sum = |a: i64, b: i64| a.checked_add(b);
        let both = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (Some(a), Some(b)) => a.checked_add(b).map(Some),
            _ => Some(None),
        };
        Some(Parts {
            client: sum(self.client, other.client)?,
            log_overhead: sum(self.log_overhead, other.log_overhead)?,
            telemetry_loss: self.telemetry_loss.plus(&other.telemetry_loss)?,
            without_sdk: both(self.without_sdk, other.without_sdk)?,
            unexplained: both(self.unexplained, other.unexplained)?,
            log: both(self.log, other.log)?,
            overhead: sum(self.overhead, other.overhead)?,
        })
    }
}

/// Whether what is not explained stays within the contract's share of the log.
fn verdict(contract: &Contract, parts: &Parts) -> Verdict {
    let (Some(left), Some(log)) = (parts.unexplained, parts.log) else { return Verdict::Incomplete };
    match Exact::from(contract.tolerance.share).times(Exact::whole(log)) {
        _ if left == 0 => Verdict::Ok,
        Ok(tolerated) if Exact::whole(left).abs() <= tolerated => Verdict::WithinTolerance,
        _ => Verdict::Disputed,
    }
}

/// What a session received after its last heartbeat: its bytes in the log, where they are known. Else it vanished at
/// some moment of a heartbeat's interval: between nothing and a whole interval at its own rate; half of it is expected.
fn tail(tail: &Tail) -> Result<Estimate, TooLarge> {
    if let Some(logged) = tail.logged_after {
        let exact = i64::try_from(logged).map_err(|_| TooLarge)?;
        return Ok(Estimate { point: exact, low: exact, high: exact });
    }
    let interval = u128::from(tail.bytes) * u128::from(tail.heartbeat_ms) / u128::from(tail.lived_ms.max(tail.heartbeat_ms).max(1));
    let high = i64::try_from(interval).map_err(|_| TooLarge)?;
    Ok(Estimate { point: high / 2, low: 0, high })
}

fn tails(sides: &Sides) -> Result<BTreeMap<Place, BTreeMap<usize, Estimate>>, ReconcileError> {
    let keep = kept(sides);
    let mut tails: BTreeMap<Place, BTreeMap<usize, Estimate>> = BTreeMap::new();
    for one in sides.tails {
        let expected = sides.period.windows();
        if one.window >= expected {
            return Err(crate::series::SeriesError::Window { index: one.window, expected }.into());
        }
        let sum = tails.entry(keep(&one.place)).or_default().entry(one.window).or_default();
        *sum = sum.plus(&tail(one)?).ok_or(TooLarge)?;
    }
    Ok(tails)
}

/// Places as both sides tell them: a domain that only the log knows would set the same bytes against each other.
fn kept(sides: &Sides) -> impl Fn(&Place) -> Place + use<> {
    let tells = |traffic: &Traffic| {
        let places = || traffic.places.keys();
        (places().any(|place| place.domain.is_some()), places().any(|place| place.region.is_some()))
    };
    let client = tells(sides.client);
    let log = sides.log.map_or(client, |log| {
        let parts = [tells(&log.known), tells(&log.unseen), tells(&log.anonymous)];
        (parts.iter().any(|part| part.0), parts.iter().any(|part| part.1))
    });
    let (domain, region) = (client.0 && log.0, client.1 && log.1);
    move |place| Place { domain: place.domain.clone().filter(|_| domain), region: place.region.clone().filter(|_| region) }
}

fn narrowed(sides: &Sides, traffic: &Traffic) -> Result<BTreeMap<Place, Series>, ReconcileError> {
    let keep = kept(sides);
    let mut places: BTreeMap<Place, Series> = BTreeMap::new();
    for (place, series) in &traffic.places {
        series.matches(sides.period)?;
        match places.get_mut(&keep(place)) {
            Some(sum) => sum.add_all(series)?,
            None => drop(places.insert(keep(place), series.clone())),
        }
    }
    Ok(places)
}

/// All of the log, its sessions never seen, its lines without one.
fn parted(sides: &Sides, log: &LogSide) -> Result<[BTreeMap<Place, Series>; 3], ReconcileError> {
    Ok([narrowed(sides, &log.all()?)?, narrowed(sides, &log.unseen)?, narrowed(sides, &log.anonymous)?])
}

/// The waterfall of the whole: each total is the one before plus the steps between.
pub fn steps(sides: &Sides, total: &Parts, invoice_bytes: Option<i64>) -> Vec<WaterfallStep> {
    let step = |step, bytes: i64| WaterfallStep { step, is_total: false, bytes: Some(bytes), low: None, high: None };
    let sum = |step, bytes: Option<i64>| WaterfallStep { step, is_total: true, bytes, low: None, high: None };
    let loss = total.telemetry_loss;
    let bounds = Some(loss).filter(|loss| !loss.is_exact());
    let mut steps = vec![sum("client", Some(total.client)), step("log_overhead", total.log_overhead)];
    let (low, high) = (bounds.map(|loss| loss.low), bounds.map(|loss| loss.high));
    steps.push(WaterfallStep { low, high, ..step("telemetry_loss", loss.point) });
    if let (Some(log), Some(unexplained)) = (total.log, total.unexplained) {
        match total.without_sdk {
            Some(without) => steps.extend([step("without_sdk", without), step("unexplained", unexplained)]),
            None => steps.push(step("without_sdk_or_unexplained", unexplained)),
        }
        steps.push(sum("log", Some(log)));
    }
    steps.push(step("overhead", total.overhead));
    if sides.invoice.is_some() {
        let base = total.log.or_else(|| total.client.checked_add(total.log_overhead)?.checked_add(loss.point));
        let left = invoice_bytes.and_then(|invoice| invoice.checked_sub(base?)?.checked_sub(total.overhead));
        let name = if total.log.is_some() { "invoice_difference" } else { "without_sdk_or_unexplained" };
        steps.push(WaterfallStep { bytes: left, ..step(name, 0) });
        steps.push(sum("invoice", invoice_bytes));
    }
    steps
}
