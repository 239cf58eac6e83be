//! Down from a figure: a day's windows with their ranks, a window's sessions with their records and lines.

use super::ask::Ask;
use super::check::{self, Loaded};
use super::client::{self, BYTES};
use super::vendor::filter;
use super::{Bills, refusals};
use crate::engine::Engine;
use crate::error::Error;
use crate::rows;
use chrono::DateTime;
use livemeter_billing::contract::Mode;
use livemeter_billing::{Series, bill};
use livemeter_logs::SessionTraffic;
use livemeter_schemas::bills::{BillDayQuery, BillQuery, BillSession, BillSessions, BillWindow, BillWindowQuery, BillWindows};
use livemeter_schemas::ledger::INCREMENTS;
use livemeter_schemas::time::WINDOW_MS;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Sessions of a window that are told; the largest come first.
const SESSIONS_MAX: usize = 1_000;

/// `GET /v1/bills/windows`
pub async fn windows(bills: &Arc<Bills>, engine: &Engine, asked: &BillDayQuery) -> Result<BillWindows, Error> {
    let month = asked.day.get(..7).unwrap_or_default().to_owned();
    let period = asked.period.clone().unwrap_or(month);
    let question = BillQuery { contract: asked.contract.clone(), period, ..BillQuery::default() };
    let loaded = check::load(bills, engine, &question).await?;
    let day = asked.day.clone();
    bills.job(move |_| day_windows(&loaded, &day)).await
}

fn day_windows(loaded: &Loaded, day: &str) -> Result<BillWindows, Error> {
    let ask = &loaded.ask;
    let range = check::day(&ask.period, day).ok_or_else(|| {
        let (first, last) = (ask.period.from(), ask.period.to());
        Error::parameter("day", format!("day {day:?} is not within {first} to {last}"))
    })?;
    let series = ranked(loaded)?;
    let windows = series.into_iter().skip(range.start).take(range.len());
    Ok(BillWindows { day: day.to_owned(), windows: windows.collect(), source: ask.source(&loaded.client, loaded.log_sha256()) })
}

/// Every window of the period, with its rank and role where the mode has ranks.
pub fn ranked(loaded: &Loaded) -> Result<Vec<BillWindow>, Error> {
    let ask = &loaded.ask;
    let (client, best) = (sum(loaded, &loaded.client_traffic)?, sum(loaded, &loaded.best()?)?);
    let billed = bill(ask.contract(), &ask.period, &loaded.best()?).map_err(|e| check::reconcile(e.into()))?;
    let line = if let [only] = billed.lines.as_slice() { Some(only) } else { None };
    let has_ranks = line.is_some_and(|line| !line.samples.is_empty()) && ask.contract().mode == Mode::P95Month;
    let dropped: HashSet<usize> = line.map(|line| line.dropped_windows.iter().map(|w| *w as usize).collect()).unwrap_or_default();
    let chosen: HashSet<usize> = line.map(|line| line.samples.iter().map(|s| s.window).collect()).unwrap_or_default();
    let mut order: Vec<usize> = (0..best.bytes().len()).collect();
    // Of equal samples the earlier count as larger, as the bill has it.
    order.sort_by_key(|window| (std::cmp::Reverse(best.bytes().get(*window).copied()), *window));
    let mut ranks = vec![0_u64; order.len()];
    for (rank, window) in (1..).zip(order) {
        if let Some(slot) = ranks.get_mut(window) {
            *slot = rank;
        }
    }
    let whole = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let all = client.bytes().iter().zip(best.bytes()).zip(ranks).enumerate();
    let window = |(index, ((client, best), rank)): (usize, ((&u64, &u64), u64))| BillWindow {
        start: ask.label(ask.period.window_ms(index)),
        client_bytes: whole(*client),
        log_bytes: loaded.log.as_ref().map(|_| whole(*best)),
        rank: has_ranks.then_some(rank),
        role: if chosen.contains(&index) {
            "billed"
        } else if dropped.contains(&index) {
            "dropped"
        } else {
            "counted"
        }
        .to_owned(),
    };
    Ok(all.map(window).collect())
}

pub fn sum(loaded: &Loaded, traffic: &livemeter_billing::Traffic) -> Result<Series, Error> {
    summed(&loaded.ask, traffic)
}

pub fn summed(ask: &Ask, traffic: &livemeter_billing::Traffic) -> Result<Series, Error> {
    traffic.sum(&ask.period).map_err(check::series)
}

/// `GET /v1/bills/sessions`
pub async fn sessions(bills: &Arc<Bills>, engine: &Engine, asked: &BillWindowQuery) -> Result<BillSessions, Error> {
    let wrong = || Error::parameter("window", format!("window {:?} is not the start of 5 minutes, RFC 3339", asked.window));
    // An unescaped `+` of an offset arrives as a space.
    let at = DateTime::parse_from_rfc3339(&asked.window.replace(' ', "+")).map_err(|_| wrong())?;
    let start_ms = at.timestamp_millis();
    if start_ms % WINDOW_MS != 0 {
        return Err(wrong());
    }
    let contract = asked.contract.clone();
    let mut ask = bills
        .job(move |bills| {
            let versions = bills.contracts.versions(&contract)?;
            let zone = versions.first().map_or(chrono_tz::Tz::UTC, |stored| stored.contract.zone);
            let day = at.with_timezone(&zone).date_naive().to_string();
            bills.ask(&contract, &day, None)
        })
        .await?;
    (ask.from_ms, ask.to_ms) = (start_ms, start_ms + WINDOW_MS);
    let (mut rows, mut source) = counted(engine, &ask, bills.config.deadline_ms).await?;
    let asked_ask = ask.clone();
    let (logged, log_sha256) = bills
        .job(move |bills| {
            let ask = &asked_ask;
            let sessions = bills.logs.sessions(&ask.summary().vendor, ask.from_ms, ask.to_ms, &filter(ask)).map_err(refusals::store)?;
            let files = bills.imports_of(ask)?.into_iter().map(|manifest| manifest.sha256).collect();
            Ok((sessions, files))
        })
        .await?;
    source.log_sha256 = log_sha256;
    let has_log = !logged.is_empty();
    beside(&mut rows, logged, has_log);
    rows.sort_by_key(|row| std::cmp::Reverse(row.client_bytes.max(row.log_bytes.unwrap_or_default())));
    let truncated = rows.len() > SESSIONS_MAX;
    rows.truncate(SESSIONS_MAX);
    Ok(BillSessions { window: ask.label(start_ms), sessions: rows, truncated, source })
}

/// The client's sessions of the window, each with the first record behind it.
async fn counted(engine: &Engine, ask: &Ask, deadline_ms: u64) -> Result<(Vec<BillSession>, livemeter_schemas::bills::Source), Error> {
    let snapshot = engine.snapshot().await?;
    let sql = format!(
        "SELECT session_id, cdn, {BYTES} AS bytes, MIN(kafka_partition) AS kafka_partition, MIN(kafka_offset_first) AS kafka_offset \
         FROM increments WHERE {} GROUP BY session_id, cdn",
        client::scope(ask)
    );
    let mut answer = client::start(engine, &snapshot, &sql, client::values(ask), deadline_ms).await?;
    let mut found = Vec::new();
    while let Some(batch) = answer.next().await? {
        let (ids, cdns, bytes) = (rows::texts(&batch, "session_id")?, rows::texts(&batch, "cdn")?, client::exact(&batch, "bytes")?);
        let (partitions, offsets) = (rows::ints(&batch, "kafka_partition")?, rows::ints(&batch, "kafka_offset")?);
        for (row, bytes) in bytes.into_iter().enumerate() {
            found.push(BillSession {
                session_id: ids.value(row).to_owned(),
                cdn: Some(cdns.value(row).to_owned()),
                client_bytes: bytes,
                log_bytes: None,
                record: Some(format!("{}:{}", partitions.value(row), offsets.value(row))),
                log_lines: None,
            });
        }
    }
    let read = client::Client { table_version: snapshot.versions().get(INCREMENTS).copied(), ..client::Client::default() };
    Ok((found, ask.source(&read, Vec::new())))
}

/// Sets the log's sums beside the client's; what only the log has comes as rows of its own.
fn beside(rows: &mut Vec<BillSession>, logged: Vec<SessionTraffic>, has_log: bool) {
    let mut logged: BTreeMap<String, SessionTraffic> = logged.into_iter().map(|s| (s.session_id.clone().unwrap_or_default(), s)).collect();
    for row in rows.iter_mut().filter(|_| has_log) {
        let found = logged.remove(&row.session_id);
        row.log_bytes = Some(found.as_ref().map_or(0, |s| i64::try_from(s.bytes).unwrap_or(i64::MAX)));
        row.log_lines = found.as_ref().map(lines);
    }
    rows.extend(logged.into_iter().map(|(session_id, traffic)| BillSession {
        session_id,
        log_bytes: Some(i64::try_from(traffic.bytes).unwrap_or(i64::MAX)),
        log_lines: Some(lines(&traffic)),
        ..BillSession::default()
    }));
}

/// `1a2b3c4d:120-140`, one a file.
fn lines(traffic: &SessionTraffic) -> String {
    let told = traffic.lines.iter().map(|range| {
        let file: String = range.sha256.chars().take(8).collect();
        format!("{file}:{}-{}", range.first_line, range.last_line)
    });
    told.collect::<Vec<_>>().join(" ")
}
