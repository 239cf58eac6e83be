//! A report's parameters → what to read: keys, filters and a range of whole windows. Pure; the time is
//! passed in. Every wrong parameter is refused by name, with what is accepted.
//!
//! The ledger's smallest unit of time is its 5-minute window, so `from` is taken down and `to` up to a
//! window's edge, and the answer states the range that was really read. Rows are of `booked` status alone.

use crate::config::Config;
use crate::error::Error;
use crate::zone::{self, Step};
use chrono::DateTime;
use chrono_tz::Tz;
use datafusion::common::ScalarValue;
use livemeter_schemas::ledger::BOOKED;
use livemeter_schemas::reports::{By, ReportQuery};
use livemeter_schemas::time::{WINDOW_MS, window_start_ms};
use std::sync::Arc;

const DAY_MS: i64 = 24 * 3_600_000;
/// Names of the parameters, as [`ReportQuery`] spells them.
const PARAMETERS: [&str; 11] = ["by", "from", "to", "tz", "step", "app", "cdn", "programme", "user", "format", "limit"];

/// JSON for programs, CSV for spreadsheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
}

impl Format {
    pub fn parse(text: &str) -> Result<Format, Error> {
        match text {
            "json" => Ok(Format::Json),
            "csv" => Ok(Format::Csv),
            other => Err(Error::parameter("format", format!("format {other:?} is unknown; json and csv are"))),
        }
    }
}

/// What a report is asked for, resolved.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Distinct keys in the order time, cdn, programme, user.
    pub by: Vec<By>,
    pub from_ms: i64,
    pub to_ms: i64,
    pub tz: Tz,
    pub app: Option<String>,
    pub format: Format,
    pub limit: usize,
    /// Column and value of each filter.
    filters: Vec<(&'static str, String)>,
    /// Starts of the time buckets; none unless `by` names the time.
    pub starts_ms: Arc<[i64]>,
}

/// Reads a query string's pairs; an unknown or repeated name is refused.
pub fn parameters<'a>(pairs: impl Iterator<Item = (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>) -> Result<ReportQuery, Error> {
    let mut query = ReportQuery::default();
    let mut seen = Vec::new();
    for (name, value) in pairs {
        if seen.contains(&name) {
            return Err(Error::parameter(&name, format!("{name} is given twice")));
        }
        let value = value.into_owned();
        match name.as_ref() {
            "by" => query.by = Some(value),
            "from" => query.from = Some(value),
            "to" => query.to = Some(value),
            "tz" => query.tz = Some(value),
            "step" => query.step = Some(value),
            "app" => query.app = Some(value),
            "cdn" => query.cdn = Some(value),
            "programme" => query.programme = Some(value),
            "user" => query.user = Some(value),
            "format" => query.format = Some(value),
            "limit" => {
                let limit =
                    value.parse().map_err(|_| Error::parameter("limit", format!("limit {value:?} is not a whole number of rows")))?;
                query.limit = Some(limit);
            }
            other => {
                let reason = format!("parameter {other:?} is unknown; known are {}", PARAMETERS.join(", "));
                return Err(Error::parameter(other, reason));
            }
        }
        seen.push(name);
    }
    Ok(query)
}

/// Resolves what is asked against the clock and the limits.
pub fn resolve(query: ReportQuery, now_ms: i64, config: &Config) -> Result<Ask, Error> {
    let by = keys(query.by.as_deref().unwrap_or("cdn"))?;
    let tz = zone::parse(query.tz.as_deref().unwrap_or("UTC"))?;
    let step = match query.step.as_deref() {
        Some(_) if !by.contains(&By::Time) => return Err(Error::parameter("step", "step is only for reports by time; add by=time")),
        step => Step::parse(step.unwrap_or("1h"))?,
    };
    let by_time = by.contains(&By::Time);
    let to_ms = query.to.as_deref().map_or(Ok(now_ms), |text| zone::instant_ms(tz, "to", text))?;
    let from_ms = match query.from.as_deref() {
        Some(text) => zone::instant_ms(tz, "from", text)?,
        // The first bucket of a default range is a whole one.
        None if by_time => zone::floor_ms(tz, step, to_ms.saturating_sub(DAY_MS)),
        None => to_ms.saturating_sub(DAY_MS),
    };
    let (from_ms, to_ms) = range(from_ms, to_ms, config.range_days_max)?;
    let format = Format::parse(query.format.as_deref().unwrap_or("json"))?;
    let most = if format == Format::Csv { config.csv_rows_max } else { config.rows_max };
    let limit = query.limit.map_or(config.rows_max.min(most), |limit| limit as usize);
    if limit == 0 || limit > most {
        return Err(Error::parameter("limit", format!("limit is {limit}; 1 to {most} rows are accepted")));
    }
    let mut filters = Vec::new();
    for (column, value) in [("app", &query.app), ("cdn", &query.cdn), ("programme_id", &query.programme), ("user_id", &query.user)] {
        filters.extend(value.as_ref().map(|value| (column, value.clone())));
    }
    let starts_ms = if by_time { zone::starts_ms(tz, step, from_ms, to_ms) } else { Vec::new() }.into();
    Ok(Ask { by, from_ms, to_ms, tz, app: query.app, format, limit, filters, starts_ms })
}

fn keys(text: &str) -> Result<Vec<By>, Error> {
    let mut by = Vec::new();
    // Present but empty: one row of totals.
    if text.trim().is_empty() {
        return Ok(by);
    }
    for word in text.split(',').map(str::trim) {
        let key = match word {
            "time" => By::Time,
            "cdn" => By::Cdn,
            "programme" => By::Programme,
            "user" => By::User,
            other => {
                return Err(Error::parameter("by", format!("by {other:?} is unknown; cdn, programme, user and time are, comma-separated")));
            }
        };
        if by.contains(&key) {
            return Err(Error::parameter("by", format!("by names {word} twice")));
        }
        by.push(key);
    }
    by.sort_by_key(|key| match key {
        By::Time => 0,
        By::Cdn => 1,
        By::Programme => 2,
        By::User => 3,
    });
    Ok(by)
}

/// Whole windows, not empty, not too long, within the years that a ledger can hold.
fn range(from_ms: i64, to_ms: i64, days_max: u32) -> Result<(i64, i64), Error> {
    const YEAR_2262_MS: i64 = 9_214_646_400_000;
    for (field, at_ms) in [("from", from_ms), ("to", to_ms)] {
        if !(0..YEAR_2262_MS).contains(&at_ms) {
            return Err(Error::parameter(field, format!("{field} lies outside of the years 1970 to 2261")));
        }
    }
    let stated = |ms| zone::label(Tz::UTC, ms);
    if from_ms >= to_ms {
        return Err(Error::parameter("from", format!("from ({}) must be before to ({})", stated(from_ms), stated(to_ms))));
    }
    let from_ms = window_start_ms(from_ms);
    let to_ms = window_start_ms(to_ms + WINDOW_MS - 1);
    let days = (to_ms - from_ms + DAY_MS - 1) / DAY_MS;
    // A year of local days may be an hour longer than the same days in UTC.
    if to_ms - from_ms > i64::from(days_max) * DAY_MS + DAY_MS / 24 {
        return Err(Error::parameter("from", format!("from to to is {days} days; the limit is {days_max}")));
    }
    Ok((from_ms, to_ms))
}

impl Ask {
    /// The columns that tell a row's group and session: `app, session_id, cdn, …`. Its time comes apart.
    pub fn columns(&self) -> String {
        let keys = self.by.iter().filter(|by| **by != By::Time).map(|by| column(*by));
        ["app", "session_id"].into_iter().chain(keys).collect::<Vec<_>>().join(", ")
    }

    /// The rows of `increments` that count. `date` lets whole partitions be left unread.
    pub fn increments_where(&self) -> String {
        format!("{} AND status = '{BOOKED}'", self.rows_where("window_start"))
    }

    /// The rows of `events` that tell a startup time, under the same filters.
    pub fn starts_where(&self) -> String {
        format!("{} AND type = 'playback_start' AND startup_ms IS NOT NULL", self.rows_where("at"))
    }

    fn rows_where(&self, time_column: &str) -> String {
        let equal: String = self.filters.iter().enumerate().map(|(i, (column, _))| format!(" AND {column} = ${}", i + 5)).collect();
        format!("{time_column} >= $1 AND {time_column} < $2 AND date >= $3 AND date <= $4{equal}")
    }

    /// The values of `$1`, `$2`, … in the texts above.
    pub fn values(&self) -> Vec<ScalarValue> {
        let at = |ms: i64| ScalarValue::TimestampMicrosecond(Some(ms * 1_000), Some("UTC".into()));
        let date = |ms: i64| ScalarValue::from(DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%d").to_string());
        let mut values = vec![at(self.from_ms), at(self.to_ms), date(self.from_ms), date(self.to_ms - 1)];
        values.extend(self.filters.iter().map(|(_, value)| ScalarValue::from(value.as_str())));
        values
    }
}

/// The column of a key, as the reports' own SQL names it.
pub fn column(by: By) -> &'static str {
    match by {
        By::Time => "at",
        By::Cdn => "cdn",
        By::Programme => "programme_id",
        By::User => "user_id",
    }
}
