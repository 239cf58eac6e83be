//! The statements around `sessions`: which dates of it a change reaches, and what makes them.
//!
//! A session stands in the partition of its first row, and its rows may lie on many dates. So a change is
//! followed in three steps: the sessions that have rows on the changed dates ([`reached`]), those that fell
//! silent since ([`fallen_silent`]), and how far the dates that have to be made reach ([`reach`]). What is known
//! of sessions is the table itself, which is exact for all that did not change.
//!
//! Everything here is the same before and after roll-up: it uses sums, windows, the largest `at`, `received_at`
//! and `reached_*`, and the smallest `kafka_offset_first`, all of which roll-up keeps.

use super::changes::Cluster;
use super::parts::Share;
use super::sql::{AMOUNTS, at, each, null, on_dates, text};
use livemeter_schemas::derived::SILENCE;
use std::collections::BTreeSet;

/// Places on Kafka in one order over generations: more offsets than a partition can have.
const GENERATION: u64 = 1 << 42;

/// First changed date and known date (or null) of the sessions with rows on changed dates, with how far
/// they reach. Known sessions whose last row lies before `floor` are left out: see [`known_of`].
pub fn reached(increments: &BTreeSet<String>, events: &BTreeSet<String>, floor: &str) -> String {
    let (of_increments, of_events) = (on_dates(increments), on_dates(events));
    format!(
        "SELECT s.first AS first, k.date AS known, MAX(s.last) AS changed_to, MAX(k.last_row_at) AS known_to FROM ( \
           SELECT app, session_id, MIN(date) AS first, MAX(date) AS last FROM ( \
             SELECT app, session_id, CAST(date AS VARCHAR) AS date FROM increments WHERE {of_increments} \
             UNION ALL SELECT app, session_id, CAST(date AS VARCHAR) AS date FROM events WHERE {of_events} \
           ) GROUP BY app, session_id \
         ) s LEFT JOIN ( \
           SELECT app, session_id, CAST(date AS VARCHAR) AS date, last_row_at FROM known WHERE last_row_at >= {floor} \
         ) k ON s.app = k.app AND s.session_id = k.session_id GROUP BY s.first, k.date",
        floor = midnight(floor),
    )
}

/// Known dates of sessions with rows that are not among those read, however old: `strays` holds their ids.
pub fn known_of() -> String {
    "SELECT CAST(k.date AS VARCHAR) AS known, MAX(k.last_row_at) AS known_to \
     FROM known k JOIN strays s ON s.app = k.app AND s.session_id = k.session_id GROUP BY CAST(k.date AS VARCHAR)"
        .into()
}

/// Dates of sessions that were alive when the newest row was received at `before_ms`, and no longer are at `now_ms`.
pub fn fallen_silent(before_ms: i64, now_ms: i64, silence_ms: i64) -> String {
    format!(
        "SELECT CAST(date AS VARCHAR) AS known, MAX(last_row_at) AS known_to FROM known \
         WHERE end_reason IS NULL AND last_received_at >= {} AND last_received_at < {} GROUP BY CAST(date AS VARCHAR)",
        at(before_ms.saturating_sub(silence_ms)),
        at(now_ms.saturating_sub(silence_ms)),
    )
}

/// Dates of sessions that may have had rows on dates that lost some.
pub fn bereft(removed: &BTreeSet<String>) -> Option<String> {
    let (first, last) = (removed.first()?, removed.last()?);
    Some(format!(
        "SELECT CAST(date AS VARCHAR) AS known, MAX(last_row_at) AS known_to FROM known \
         WHERE date <= {} AND last_row_at >= {} GROUP BY CAST(date AS VARCHAR)",
        text(last),
        midnight(first)
    ))
}

/// How far the known sessions of these dates reach.
pub fn reach(dates: &BTreeSet<String>) -> String {
    let dates = on_dates(dates);
    format!("SELECT CAST(date AS VARCHAR) AS known, MAX(last_row_at) AS known_to FROM known WHERE {dates} GROUP BY CAST(date AS VARCHAR)")
}

fn midnight(date: &str) -> String {
    let day = date.parse::<chrono::NaiveDate>().ok().and_then(|d| d.and_hms_opt(0, 0, 0));
    at(day.map_or(0, |d| d.and_utc().timestamp_millis()))
}

/// What makes a share of the sessions of a cluster's dates. Beside the table's columns it answers `whole`: whether the rows read add
/// up to the counters reached. Where they do not, some of the session's rows lie elsewhere.
pub fn of_cluster(cluster: &Cluster, share: Share, clock_ms: i64, silence_ms: i64) -> String {
    let Cluster { dates, from, to } = cluster;
    let range = format!("date >= {} AND date <= {} AND {}", text(from), text(to), share.condition());
    let (per_cdn, told, all) = (per_cdn(&range), told(&range), all());
    let silent = format!("last_received_at < {}", at(clock_ms.saturating_sub(silence_ms)));
    let (dates, since, from) = (on_dates(dates), midnight(from), text(from));
    format!(
        "WITH per_cdn AS ({per_cdn}), told AS ({told}), summed AS ({all}) \
         SELECT s.app, s.session_id, user_id, programme_id, region, asn, COALESCE(started_at, first_row_at) AS started_at, \
           first_row_at, last_row_at, last_received_at, \
           COALESCE(told_ended_at, CASE WHEN {silent} THEN last_row_at END) AS ended_at, \
           COALESCE(told_reason, CASE WHEN {silent} THEN '{SILENCE}' END) AS end_reason, \
           last_cdn, cdns, {amounts}, quarantined_bytes, rejected_bytes, reached_bytes, stall_events, startup_ms, date, whole \
         FROM summed s LEFT ANTI JOIN ( \
           SELECT app, session_id FROM known WHERE date < {from} AND last_row_at >= {since} \
         ) k ON s.app = k.app AND s.session_id = k.session_id \
         WHERE {dates} ORDER BY date, app, session_id",
        amounts = each(str::to_owned),
    )
}

/// One row per session and CDN, from the counters.
fn per_cdn(range: &str) -> String {
    let of = |status: &str, name: &str| format!("SUM(CASE WHEN status = '{status}' THEN {name} ELSE 0 END)");
    let booked = each(|name| format!("{} AS {name}", of("booked", name)));
    let whole = AMOUNTS.map(|name| format!("SUM({name}) = MAX(reached_{name})")).join(" AND ");
    format!(
        "SELECT app, session_id, cdn, MIN(CAST(date AS VARCHAR)) AS date, MIN(window_start) AS first_at, \
           GREATEST(MAX(at), MAX(window_start)) AS last_at, MAX(received_at) AS received_at, MAX(reached_seq) AS seq, \
           MIN(kafka_generation * {GENERATION} + kafka_offset_first) AS place, \
           LAST_VALUE(user_id ORDER BY reached_seq, user_id) AS user_id, \
           LAST_VALUE(programme_id ORDER BY reached_seq, programme_id) AS programme_id, \
           LAST_VALUE(region ORDER BY reached_seq, region) FILTER (WHERE region IS NOT NULL) AS region, \
           MAX(reached_seq) FILTER (WHERE region IS NOT NULL) AS region_seq, \
           LAST_VALUE(asn ORDER BY reached_seq, asn) FILTER (WHERE asn IS NOT NULL) AS asn, \
           MAX(reached_seq) FILTER (WHERE asn IS NOT NULL) AS asn_seq, {booked}, \
           {quarantined} AS quarantined_bytes, {rejected} AS rejected_bytes, MAX(reached_bytes) AS reached_bytes, {whole} AS whole \
         FROM increments WHERE {range} GROUP BY app, session_id, cdn",
        quarantined = of("quarantined", "bytes"),
        rejected = of("rejected", "bytes"),
    )
}

/// One row per session, from its events; a repeated event counts once.
fn told(range: &str) -> String {
    format!(
        "SELECT app, session_id, MIN(date) AS date, MIN(first_at) AS first_at, MAX(last_at) AS last_at, MAX(received_at) AS received_at, \
           MAX(seq) AS seq, \
           LAST_VALUE(user_id ORDER BY seq) AS user_id, LAST_VALUE(programme_id ORDER BY seq) AS programme_id, \
           LAST_VALUE(region ORDER BY seq) FILTER (WHERE region IS NOT NULL) AS region, \
           MAX(seq) FILTER (WHERE region IS NOT NULL) AS region_seq, \
           LAST_VALUE(asn ORDER BY seq) FILTER (WHERE asn IS NOT NULL) AS asn, MAX(seq) FILTER (WHERE asn IS NOT NULL) AS asn_seq, \
           LAST_VALUE(cdn ORDER BY seq) FILTER (WHERE cdn IS NOT NULL) AS cdn, \
           MIN(first_at) FILTER (WHERE type = 'session_start') AS started_at, \
           LAST_VALUE(first_at ORDER BY seq) FILTER (WHERE type = 'session_end') AS ended_at, \
           LAST_VALUE(reason ORDER BY seq) FILTER (WHERE type = 'session_end') AS reason, \
           COUNT(*) FILTER (WHERE type = 'stall') AS stall_events, \
           FIRST_VALUE(startup_ms ORDER BY seq) FILTER (WHERE type = 'playback_start' AND startup_ms IS NOT NULL) AS startup_ms \
         FROM ( \
           SELECT app, session_id, seq, MIN(type) AS type, MIN(CAST(date AS VARCHAR)) AS date, MIN(at) AS first_at, MAX(at) AS last_at, \
             MAX(received_at) AS received_at, MIN(user_id) AS user_id, MIN(programme_id) AS programme_id, MIN(region) AS region, MIN(asn) AS asn, \
             MIN(cdn) AS cdn, MIN(reason) AS reason, MIN(startup_ms) AS startup_ms \
           FROM events WHERE {range} GROUP BY app, session_id, seq \
         ) GROUP BY app, session_id"
    )
}

/// Both, as one row per session.
fn all() -> String {
    let (sums, zeros) = (each(str::to_owned), each(|name| format!("0 AS {name}")));
    format!(
        "SELECT app, session_id, MIN(date) AS date, MIN(first_at) AS first_row_at, MAX(last_at) AS last_row_at, \
           MAX(received_at) AS last_received_at, MIN(started_at) AS started_at, \
           LAST_VALUE(user_id ORDER BY seq, user_id) AS user_id, \
           LAST_VALUE(programme_id ORDER BY seq, programme_id) AS programme_id, \
           LAST_VALUE(region ORDER BY region_seq, region) FILTER (WHERE region IS NOT NULL) AS region, \
           LAST_VALUE(asn ORDER BY asn_seq, asn) FILTER (WHERE asn IS NOT NULL) AS asn, \
           MAX(told_ended_at) AS told_ended_at, MAX(told_reason) AS told_reason, \
           COALESCE(LAST_VALUE(cdn ORDER BY seq, place, cdn) FILTER (WHERE counted = 1), MAX(told_cdn)) AS last_cdn, \
           SUM(counted) AS cdns, {added}, SUM(quarantined_bytes) AS quarantined_bytes, SUM(rejected_bytes) AS rejected_bytes, \
           SUM(reached_bytes) AS reached_bytes, SUM(stall_events) AS stall_events, MAX(startup_ms) AS startup_ms, \
           CASE WHEN SUM(counted) > 0 THEN BOOL_AND(whole) ELSE MIN(started_at) IS NOT NULL END AS whole \
         FROM ( \
           SELECT app, session_id, cdn, date, first_at, last_at, received_at, seq, place, user_id, programme_id, region, region_seq, \
             asn, asn_seq, {sums}, \
             quarantined_bytes, rejected_bytes, reached_bytes, 1 AS counted, {no_time} AS started_at, {no_time} AS told_ended_at, \
             {no_text} AS told_reason, {no_text} AS told_cdn, 0 AS stall_events, {no_int} AS startup_ms, whole FROM per_cdn \
           UNION ALL \
           SELECT app, session_id, {no_text} AS cdn, date, first_at, last_at, received_at, seq, 0 AS place, user_id, programme_id, region, \
             region_seq, asn, asn_seq, {zeros}, 0 AS quarantined_bytes, 0 AS rejected_bytes, 0 AS reached_bytes, 0 AS counted, started_at, \
             ended_at AS told_ended_at, reason AS told_reason, cdn AS told_cdn, stall_events, startup_ms, TRUE AS whole FROM told \
         ) GROUP BY app, session_id",
        added = each(|name| format!("SUM({name}) AS {name}")),
        no_time = null("at"),
        no_text = null("VARCHAR"),
        no_int = null("BIGINT"),
    )
}
