//! What reports cost. Writes a ledger of made-up rows, asks the query service for reports over it, and asks
//! for the same as plain SQL, whose answers must be the same to the byte; then refreshes the console, again
//! and again, over an hour of small files while more are committed. Prints CPU seconds and memory; the last
//! line is JSON.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SecondsFormat};
use clap::Parser;
use livemeter_bench::ledger::{Audience, Increments};
use livemeter_bench::process::usage;
use livemeter_query::{Config, Server};
use livemeter_tests::http::Http;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// The allocator of the service's own binary: its memory is what is measured.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Midnight UTC; made-up rows need no real date.
const FROM_MS: i64 = 1_790_000_000_000 / 86_400_000 * 86_400_000;
const BIG_COMMITS: u64 = 24;

/// CPU and memory of reports, SQL and refreshes over made-up ledgers.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rows of the large ledger.
    #[arg(long, default_value_t = 3_000_000)]
    rows: u64,
    /// Seconds between a viewer's rows; viewers are as many as make these rows in 24 hours.
    #[arg(long, default_value_t = 30)]
    heartbeat_s: u64,
    /// Files of the fine ledger: an hour of commits, 5 seconds apart.
    #[arg(long, default_value_t = 720)]
    files: u64,
    /// Rows of each of those files.
    #[arg(long, default_value_t = 500)]
    file_rows: u64,
    /// Refreshes of the console over it; 360 are an hour of them.
    #[arg(long, default_value_t = 360)]
    refreshes: u64,
    /// Memory that all queries may hold, in MiB.
    #[arg(long, default_value_t = 256)]
    memory_mib: usize,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let reports = reports(&arguments).await?;
    let refreshes = refreshes(&arguments).await?;
    println!("{}", json!({ "rows": arguments.rows, "heartbeat_s": arguments.heartbeat_s, "reports": reports, "console": refreshes }));
    Ok(())
}

/// A service of this process over the ledger in a folder.
async fn serve(ledger: &Path, arguments: &Arguments) -> Result<Http> {
    let listen = "127.0.0.1:0".parse()?;
    let ledger = ledger.to_str().context("the folder's name is not UTF-8")?.to_owned();
    let memory_bytes_max = arguments.memory_mib << 20;
    let (rows_max, answer_bytes_max, deadline_ms) = (100_000, 256 << 20, 120_000);
    let config = Config { listen, ledger, memory_bytes_max, rows_max, answer_bytes_max, deadline_ms, refresh_ms: 0, ..Config::default() };
    let server = Server::bind(config).await?;
    let http = Http::new(format!("http://{}", server.address()));
    tokio::spawn(server.serve(std::future::pending()));
    Ok(http)
}

/// CPU seconds of the whole process while `asked` is answered, the answer, and wall milliseconds.
async fn cost(asked: impl Future<Output = Result<Value>>) -> Result<(Value, f64, f64)> {
    let (before, began) = (usage(std::process::id())?.cpu_s, Instant::now());
    let answer = asked.await?;
    Ok((answer, usage(std::process::id())?.cpu_s - before, began.elapsed().as_secs_f64() * 1_000.0))
}

async fn get(http: &Http, path: &str) -> Result<Value> {
    let answer = http.get(path).await.map_err(anyhow::Error::msg)?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
    Ok(answer.json())
}

async fn sql(http: &Http, statement: &str) -> Result<Value> {
    let answer = http.post("/v1/sql", &[("content-type", "text/plain")], statement.to_owned()).await.map_err(anyhow::Error::msg)?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    Ok(answer.json())
}

fn at(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn reports(arguments: &Arguments) -> Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    let viewers = (arguments.rows * arguments.heartbeat_s / 86_400).max(1);
    let audience = Audience { viewers, heartbeat_s: arguments.heartbeat_s, session_beats: (1_800 / arguments.heartbeat_s).max(2) };
    let mut increments = Increments::create(folder.path(), audience, FROM_MS).await?;
    for _ in 0..BIG_COMMITS {
        increments.commit(arguments.rows / BIG_COMMITS).await?;
    }
    let http = serve(folder.path(), arguments).await?;
    get(&http, "/v1/status").await?;
    let day = format!("from={}&to={}", at(FROM_MS), at(FROM_MS + 86_400_000));
    let last_hour = format!("from={}&to={}", at(FROM_MS + 23 * 3_600_000), at(FROM_MS + 86_400_000));
    let mut all = Vec::new();
    for (by, step, range) in [
        ("cdn,time", "&step=5m", &day),
        ("user", "", &day),
        ("cdn", "", &day),
        ("cdn,time", "&step=5m", &last_hour),
        ("user", "", &last_hour),
    ] {
        let hours = if *range == day { 24 } else { 1 };
        let path = format!("/v1/reports/traffic?by={by}{step}&{range}&limit=100000");
        let (report, report_cpu_s, report_ms) = cost(get(&http, &path)).await?;
        let peak_rss = usage(std::process::id())?.rss_bytes;
        let statement = as_sql(by, FROM_MS + (24 - hours) * 3_600_000);
        // Plain SQL may need more memory than there is, which the report does not.
        let (same, sql_cpu_s, sql_ms) = match cost(sql(&http, &statement)).await {
            Ok((answer, cpu_s, ms)) => (json!(same(&report, &answer, by)), json!(cpu_s), json!(ms.round())),
            Err(error) => (json!(error.to_string()), Value::Null, Value::Null),
        };
        ensure!(same != json!(false), "{path} and its SQL differ");
        let (_, quality_cpu_s, _) = cost(get(&http, &path.replace("traffic", "quality"))).await?;
        let line = json!({
            "by": by, "hours": hours, "rows": report["rows"].as_array().map(Vec::len), "same": same,
            "report_cpu_s": report_cpu_s, "report_ms": report_ms.round(), "sql_cpu_s": sql_cpu_s, "sql_ms": sql_ms,
            "quality_cpu_s": quality_cpu_s, "rss_mib": peak_rss >> 20,
        });
        println!("{line}");
        all.push(line);
    }
    Ok(all)
}

/// The traffic report as one statement.
fn as_sql(by: &str, from_ms: i64) -> String {
    let key = |name: &str| match name {
        "time" => ("date_bin(INTERVAL '5 minutes', window_start) AS k_time", "k_time"),
        "user" => ("user_id AS k_user", "k_user"),
        _ => ("cdn AS k_cdn", "k_cdn"),
    };
    let (keys, names): (Vec<_>, Vec<_>) = by.split(',').map(key).unzip();
    let each = |write: &dyn Fn(&str) -> String, between: &str| names.iter().map(|n| write(n)).collect::<Vec<_>>().join(between);
    let names_list = names.join(", ");
    let keys = keys.join(", ");
    let (from, to) = (at(from_ms), at(FROM_MS + 86_400_000));
    let rows = format!("window_start >= TIMESTAMP '{from}' AND window_start < TIMESTAMP '{to}' AND status = 'booked'");
    format!(
        "WITH windows AS (
           SELECT {keys}, window_start, SUM(CAST(bytes AS DECIMAL(38, 0))) AS bytes
           FROM increments WHERE {rows} GROUP BY {names_list}, window_start
         ), totals AS (
           SELECT {names_list}, SUM(bytes) AS bytes, MAX(bytes) AS peak_window_bytes FROM windows GROUP BY {names_list}
         ), seen AS (
           SELECT {keys}, app, session_id FROM increments WHERE {rows} GROUP BY {names_list}, app, session_id
         ), counted AS (
           SELECT {names_list}, COUNT(*) AS sessions FROM seen GROUP BY {names_list}
         )
         SELECT {keys_of_totals}, CAST(bytes AS BIGINT), sessions, CAST(peak_window_bytes AS BIGINT) FROM totals JOIN counted ON {same}",
        keys_of_totals = each(&|n| format!("totals.{n}"), ", "),
        same = each(&|n| format!("totals.{n} = counted.{n}"), " AND "),
    )
}

/// Whether both answers hold the same rows. Peaks are bits per second in one, bytes of a window in the other.
fn same(report: &Value, answer: &Value, by: &str) -> bool {
    let names: Vec<&str> = by.split(',').chain(["bytes", "sessions", "peak_bandwidth_bps"]).collect();
    let empty = Vec::new();
    let row = |row: &Value| json!(names.iter().map(|name| row[name].clone()).collect::<Vec<_>>()).to_string();
    let mut reported: Vec<String> = report["rows"].as_array().unwrap_or(&empty).iter().map(row).collect();
    let answered = |row: &Value| {
        let mut row = row.as_array().cloned().unwrap_or_default();
        if let Some(peak) = row.last_mut() {
            *peak = json!(peak.as_i64().unwrap_or(-1) * 8 / 300);
        }
        json!(row).to_string()
    };
    let mut answered: Vec<String> = answer["rows"].as_array().unwrap_or(&empty).iter().map(answered).collect();
    reported.sort_unstable();
    answered.sort_unstable();
    !reported.is_empty() && reported == answered
}

/// The console's eight calls and a statement, refreshed over a ledger of small files that keeps growing.
async fn refreshes(arguments: &Arguments) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let audience = Audience { viewers: arguments.file_rows * 2, heartbeat_s: 10, session_beats: 180 };
    let mut increments = Increments::create(folder.path(), audience, FROM_MS).await?;
    for _ in 0..arguments.files {
        increments.commit(arguments.file_rows).await?;
    }
    let http = serve(folder.path(), arguments).await?;
    let (_, open_cpu_s, open_ms) = cost(get(&http, "/v1/status")).await?;
    let range = format!("from={}&to={}", at(FROM_MS), at(FROM_MS + 3_600_000));
    let mut calls = vec!["/v1/status".to_owned()];
    for call in ["traffic?by=cdn", "quality?by=cdn", "quality?by=", "traffic?by=cdn,time&step=5m", "quality?by=cdn,time&step=5m"] {
        calls.push(format!("/v1/reports/{call}&{range}"));
    }
    calls.extend(["traffic", "quality"].map(|name| format!("/v1/reports/{name}?by=programme&{range}")));
    let statement = "SELECT cdn, count(*), sum(bytes) FROM increments GROUP BY cdn";
    let (mut costs, mut rss_mib) = (Vec::new(), Vec::new());
    for refresh in 0..arguments.refreshes {
        // A commit between two refreshes, for a while: then the files stay as many as they are.
        let (_, look_cpu_s, look_ms) = if refresh < 60 {
            increments.commit(arguments.file_rows).await?;
            cost(sql(&http, "SELECT 1")).await?
        } else {
            (Value::Null, f64::NAN, f64::NAN)
        };
        let began = Instant::now();
        let before = usage(std::process::id())?.cpu_s;
        for call in &calls {
            get(&http, call).await?;
        }
        sql(&http, statement).await?;
        costs.push((usage(std::process::id())?.cpu_s - before, began.elapsed().as_secs_f64() * 1_000.0, look_cpu_s, look_ms));
        if refresh % 30 == 29 {
            rss_mib.push(usage(std::process::id())?.rss_bytes >> 20);
        }
    }
    let middle = |of: fn(&(f64, f64, f64, f64)) -> f64| {
        let mut values: Vec<f64> = costs.iter().map(of).filter(|value| !value.is_nan()).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    Ok(json!({
        "files": arguments.files, "open_cpu_s": open_cpu_s, "open_ms": open_ms,
        "refresh_cpu_s": middle(|c| c.0), "refresh_ms": middle(|c| c.1),
        "look_after_commit_cpu_s": middle(|c| c.2), "look_after_commit_ms": middle(|c| c.3), "rss_mib": rss_mib,
    }))
}
