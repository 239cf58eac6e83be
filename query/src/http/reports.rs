//! `GET /v1/reports/traffic` and `/v1/reports/quality`, as JSON or CSV.

use super::problem::refuse;
use super::{App, format_of, now_ms};
use crate::encode::csv_lines;
use crate::error::Error;
use crate::report::{self, Ask, Format};
use crate::{quality, traffic};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use livemeter_schemas::reports::{By, Keys, QualityRow, Report, TrafficRow};
use serde::Serialize;
use std::sync::Arc;

pub async fn traffic(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let answered = async {
        let ask = ask(&app, query, &headers)?;
        let report = traffic::report(&app.engine, &ask).await?;
        respond(&app, &ask, report, |row| &row.keys, &["bytes", "aborted_bytes", "sessions", "peak_bandwidth_bps"], traffic_values)
    };
    answered.await.unwrap_or_else(|error| refuse(&app.metrics, &error))
}

pub async fn quality(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    const FIGURES: [&str; 10] = [
        "play_ms",
        "stall_ms",
        "stalls",
        "views",
        "stall_ratio",
        "stalls_per_100s",
        "stall_ms_per_100s",
        "stalled_views_ratio",
        "startup_p50_ms",
        "startup_p95_ms",
    ];
    let answered = async {
        let ask = ask(&app, query, &headers)?;
        let report = quality::report(&app.engine, &ask).await?;
        respond(&app, &ask, report, |row| &row.keys, &FIGURES, quality_values)
    };
    answered.await.unwrap_or_else(|error| refuse(&app.metrics, &error))
}

fn ask(app: &App, query: Option<String>, headers: &HeaderMap) -> Result<Ask, Error> {
    let mut query = report::parameters(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()))?;
    if query.format.is_none() && format_of(None, headers)? == Format::Csv {
        query.format = Some("csv".into());
    }
    report::resolve(query, now_ms(), &app.config)
}

fn respond<Row: Serialize>(
    app: &App,
    ask: &Ask,
    report: Report<Row>,
    keys_of: fn(&Row) -> &Keys,
    figures: &[&str],
    values_of: fn(&Row) -> Vec<String>,
) -> Result<Response, Error> {
    app.metrics.rows(report.rows.len() as u64, report.truncated);
    let headers = [(header::CACHE_CONTROL, "no-store".to_owned()), (header::X_CONTENT_TYPE_OPTIONS, "nosniff".into())];
    if ask.format == Format::Json {
        return Ok((headers, Json(report)).into_response());
    }
    let names = ask.by.iter().map(|by| key_name(*by)).chain(figures.iter().copied()).map(str::to_owned).collect();
    let lines = report.rows.iter().map(|row| {
        let keys = keys_of(row);
        ask.by.iter().map(|by| key_value(keys, *by)).chain(values_of(row)).collect()
    });
    let body = csv_lines(std::iter::once(names).chain(lines))?;
    // What JSON says around the rows, a CSV can only say in its headers.
    let about = [
        (header::CONTENT_TYPE.as_str(), "text/csv; charset=utf-8".to_owned()),
        ("x-livemeter-from", report.from),
        ("x-livemeter-to", report.to),
        ("x-livemeter-table-version", report.table_version.map(|version| version.to_string()).unwrap_or_default()),
        ("x-livemeter-truncated", report.truncated.to_string()),
    ];
    Ok((headers, about, body).into_response())
}

fn key_name(by: By) -> &'static str {
    match by {
        By::Time => "time",
        By::Cdn => "cdn",
        By::Programme => "programme",
        By::User => "user",
    }
}

fn key_value(keys: &Keys, by: By) -> String {
    let value = match by {
        By::Time => &keys.time,
        By::Cdn => &keys.cdn,
        By::Programme => &keys.programme,
        By::User => &keys.user,
    };
    value.clone().unwrap_or_default()
}

fn traffic_values(row: &TrafficRow) -> Vec<String> {
    [row.bytes, row.aborted_bytes, row.sessions, row.peak_bandwidth_bps].map(|n| n.to_string()).into()
}

fn quality_values(row: &QualityRow) -> Vec<String> {
    let sums = [row.play_ms, row.stall_ms, row.stalls, row.views].map(|n| n.to_string());
    let ratios =
        [row.stall_ratio, row.stalls_per_100s, row.stall_ms_per_100s, row.stalled_views_ratio, row.startup_p50_ms, row.startup_p95_ms];
    sums.into_iter().chain(ratios.into_iter().map(|ratio| ratio.map(|r| r.to_string()).unwrap_or_default())).collect()
}
