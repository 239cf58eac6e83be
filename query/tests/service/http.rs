//! The service as its users meet it, over a real port: SQL, its limits and refusals, who may ask, the
//! console, status and health.

use crate::support::{Increment, Ledger, Service};
use livemeter_schemas::reports::Status;
use livemeter_schemas::sql::SqlAnswer;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn small() -> Ledger {
    let ledger = Ledger::empty();
    ledger
        .increments(&[
            Increment::new("2026-11-23T10:00:00Z", "cdn-a", "s1", i64::MAX),
            Increment::new("2026-11-23T10:00:01Z", "cdn-b", "s2", 2),
            Increment::new("2026-11-24T10:00:00Z", "cdn,\"c\"", "s3", 3),
        ])
        .await;
    ledger
}

fn error_of(answer: &crate::support::Answer) -> (u16, String, String) {
    let problem = answer.json();
    (answer.status, problem["error"].as_str().unwrap().into(), problem["reason"].as_str().unwrap().into())
}

#[tokio::test]
async fn sql_answers_exactly_as_json_and_csv() {
    let ledger = small().await;
    let service = ledger.serve(|_| ()).await;
    let sql = "SELECT cdn, bytes, window_start, date, region, bytes > 2 AS large FROM increments ORDER BY session_id";
    let answer = service.send("POST", "/v1/sql", &[("content-type", "application/json")], &json!({ "sql": sql }).to_string()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let answer: SqlAnswer = serde_json::from_str(answer.body()).unwrap();
    let columns: Vec<_> = answer.columns.iter().map(|c| (c.name.as_str(), c.data_type.as_str())).collect();
    let expected =
        [("cdn", "Utf8"), ("bytes", "Int64"), ("window_start", "Timestamp"), ("date", "Utf8"), ("region", "Utf8"), ("large", "Boolean")];
    assert_eq!(columns, expected);
    assert_eq!(json!(answer.rows[0]), json!(["cdn-a", i64::MAX, "2026-11-23T10:00:00Z", "2026-11-23", "eu", true]));
    assert_eq!((answer.row_count, answer.truncated, answer.table_versions.get("increments")), (3, false, Some(&0)));

    let csv = service
        .send("POST", "/v1/sql?format=csv", &[("content-type", "text/plain")], "SELECT cdn, bytes FROM increments ORDER BY session_id")
        .await;
    assert_eq!(csv.body(), "cdn,bytes\ncdn-a,9223372036854775807\ncdn-b,2\n\"cdn,\"\"c\"\"\",3\n");
    let accept = service.send("POST", "/v1/sql", &[("accept", "text/csv, */*")], "SELECT 1 AS one WHERE false").await;
    assert_eq!((accept.header("content-type"), accept.body()), ("text/csv; charset=utf-8", "one\n"));

    // Everything that only reads.
    assert_eq!(service.rows("SELECT count(*) FROM events").await, json!([[0]]));
    let tables = service.rows("SHOW TABLES").await;
    let mut tables: Vec<_> = tables.as_array().unwrap().iter().filter(|t| t[1] == "public").map(|t| t[2].as_str().unwrap()).collect();
    tables.sort_unstable();
    assert_eq!(tables, ["events", "increments", "sessions", "stalls", "traffic_5m", "usage_daily"]);
    assert!(service.rows("DESCRIBE increments").await.as_array().unwrap().iter().any(|c| c[0] == "reached_bytes"));
    assert_eq!(service.rows("SELECT count(*) FROM information_schema.columns WHERE table_name = 'increments'").await, json!([[33]]));
    let plan = service.sql("EXPLAIN SELECT cdn, sum(bytes) FROM increments GROUP BY cdn").await;
    assert_eq!(plan.status, 200, "{}", plan.body());
    assert!(plan.body().contains("Aggregate") && !plan.body().contains(".parquet"), "{}", plan.body());
    let functions =
        service.rows("SELECT round(2.5), date_trunc('hour', window_start), upper(cdn) FROM increments WHERE session_id = 's2'").await;
    assert_eq!(functions, json!([[3, "2026-11-23T10:00:00Z", "CDN-B"]]));
    assert_eq!(service.rows("SELECT value FROM generate_series(1, 3) ORDER BY value").await, json!([[1], [2], [3]]));
    assert_eq!(
        service.rows("SELECT a.cdn FROM increments a JOIN increments b ON a.date = b.date AND a.session_id < b.session_id").await,
        json!([["cdn-a"]])
    );
}

#[tokio::test]
async fn a_new_commit_is_seen_and_a_replaced_ledger_too() {
    let ledger = Ledger::empty();
    let service = ledger.serve(|_| ()).await;
    assert_eq!(service.rows("SELECT count(*) FROM increments").await, json!([[0]]));
    for expected in 1..=3 {
        ledger.increments(&[Increment::new("2026-11-23T10:00:00Z", "cdn-a", "s", 1)]).await;
        assert_eq!(service.rows("SELECT count(*) FROM increments").await, json!([[expected]]));
    }
    std::fs::remove_dir_all(ledger.folder.path().join("increments")).unwrap();
    ledger.increments(&[Increment::new("2026-11-23T10:00:00Z", "cdn-a", "s", 1)]).await;
    let mut rows = Value::Null;
    for _ in 0..3 {
        let answer = service.sql("SELECT sum(bytes) FROM increments").await;
        rows = answer.json()["rows"].clone();
        if rows == json!([[1]]) {
            return;
        }
    }
    panic!("still reads the old table: {rows}");
}

#[tokio::test]
async fn sql_is_refused_in_words_that_help() {
    let ledger = small().await;
    let service = ledger.serve(|_| ()).await;
    for (sql, error, says) in [
        ("COPY increments TO '/tmp/x'", "not_a_select", "COPY is not allowed; only SELECT is"),
        ("SELECT * FROM '/etc/passwd'", "unknown_table", "/etc/passwd"),
        ("SELECT 1; SELECT 2", "statement_count", "2 statements"),
        ("SELECT bites FROM increments", "sql", "bites"),
        ("SELECT * FROM increments WHERE", "sql", "xpected"),
        ("SELECT 1/0", "sql", "zero"),
        ("SELECT CAST('x' AS INT)", "sql", "x"),
        ("SELECT nosuch(1)", "sql", "nosuch"),
        ("SELECT repeat('x', 2000000000)", "sql", "repeat"),
        ("SELECT range(0, 10000000000)", "sql", "range"),
    ] {
        let (status, code, reason) = error_of(&service.sql(sql).await);
        assert_eq!((status, code.as_str()), (400, error), "{sql}: {reason}");
        assert!(reason.contains(says), "{sql}: {reason}");
        assert!(!reason.contains("backtrace") && !reason.contains(".cargo") && !reason.contains(".rs:"), "{sql}: {reason}");
    }
    let json = [("content-type", "application/json")];
    for (headers, path, body, field) in [
        (json, "/v1/sql", "{\"sql\":", "body"),
        (json, "/v1/sql", "{\"sql\":\"SELECT 1\",\"colour\":1}", "body"),
        (json, "/v1/sql", "{\"sql\":\"SELECT 1\",\"limit\":0}", "limit"),
        (json, "/v1/sql?limit=20000", "{\"sql\":\"SELECT 1\"}", "limit"),
        (json, "/v1/sql?colour=1", "{\"sql\":\"SELECT 1\"}", "colour"),
        (json, "/v1/sql?format=xml", "{\"sql\":\"SELECT 1\"}", "format"),
        ([("content-type", "image/png")], "/v1/sql", "SELECT 1", "content-type"),
    ] {
        let answer = service.send("POST", path, &headers, body).await;
        assert_eq!((answer.status, answer.json()["field"].as_str()), (400, Some(field)), "{path} {body}: {}", answer.body());
    }
    let long = service.sql(&format!("SELECT '{}'", "x".repeat(64 << 10))).await;
    assert_eq!((long.status, long.json()["limit"].clone()), (413, json!(64 << 10)));
    assert_eq!(service.sql(&"x".repeat(1 << 20)).await.status, 413);
    assert_eq!(service.get("/v1/sql").await.status, 405);
    assert_eq!(service.get("/../../etc/passwd").await.status, 404);
}

#[tokio::test]
async fn rows_are_cut_and_say_so() {
    let ledger = small().await;
    let service = ledger.serve(|c| (c.rows_max, c.csv_rows_max) = (100, 20_000)).await;
    let many = "SELECT value FROM generate_series(1, 1000000)";
    let answer = service.sql(many).await.json();
    assert_eq!(
        (answer["row_count"].clone(), answer["truncated"].clone(), answer["rows"].as_array().unwrap().len()),
        (json!(100), json!(true), 100)
    );
    let exact = service.sql("SELECT value FROM generate_series(1, 100)").await.json();
    assert_eq!((exact["row_count"].clone(), exact["truncated"].clone()), (json!(100), json!(false)));
    let asked =
        service.send("POST", "/v1/sql", &[("content-type", "application/json")], &json!({ "sql": many, "limit": 5 }).to_string()).await;
    assert_eq!((asked.json()["row_count"].clone(), asked.json()["truncated"].clone()), (json!(5), json!(true)));
    // CSV: a limit that was asked for is met quietly; the service's own breaks the transfer off.
    let asked = service.send("POST", "/v1/sql?format=csv&limit=15000", &[], many).await;
    assert_eq!(asked.body().lines().count(), 15_001);
    let whole = service.send("POST", "/v1/sql?format=csv", &[], "SELECT value FROM generate_series(1, 20000)").await;
    assert_eq!(whole.body().lines().count(), 20_001);
    let cut = service.send("POST", "/v1/sql?format=csv", &[], many).await;
    assert!(cut.text.is_none(), "a cut file must not look whole");
}

#[tokio::test]
async fn time_memory_and_places_are_bounded() {
    let endless = "SELECT count(*) FROM generate_series(1, 100000000000) AS a(x) WHERE x % 7 = 3";
    let ledger = small().await;
    let service = ledger.serve(|c| (c.deadline_ms, c.concurrent_max, c.queue_max) = (1_500, 1, 0)).await;
    let began = Instant::now();
    let (late, busy) = tokio::join!(service.sql(endless), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        service.sql("SELECT 1").await
    });
    assert_eq!((busy.status, busy.json()["error"].as_str(), busy.header("retry-after")), (429, Some("busy"), "1"));
    assert_eq!((late.status, late.json()["error"].as_str(), late.json()["limit"].clone()), (503, Some("deadline"), json!(1_500)));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    // The place is free again.
    let mut status = 0;
    for _ in 0..20 {
        status = service.sql("SELECT 1").await.status;
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status, 200);

    let ledger = small().await;
    let service = ledger.serve(|c| (c.memory_bytes_max, c.spill_bytes_max) = (1 << 20, 1 << 20)).await;
    let (status, error, reason) =
        error_of(&service.sql("SELECT x, count(*) FROM generate_series(1, 3000000) AS a(x) GROUP BY x ORDER BY 2 DESC, 1").await);
    assert_eq!((status, error.as_str()), (503, "memory"), "{reason}");

    let ledger = small().await;
    let service = ledger.serve(|c| c.answer_bytes_max = 1_000).await;
    assert_eq!(error_of(&service.sql("SELECT value FROM generate_series(1, 1000)").await).0, 413);
}

#[tokio::test]
async fn only_our_own_page_may_ask() {
    let ledger = small().await;
    let service = ledger.serve(|c| c.allowed_hosts = vec!["meter.example.org".into()]).await;
    let port = service.address.port();
    for path in ["/", "/healthz", "/metrics", "/v1/status", "/v1/reports/traffic", "/nowhere"] {
        let answer = service.send("GET", path, &[("host", "evil.example")], "").await;
        assert_eq!((answer.status, answer.json()["field"].as_str()), (403, Some("Host")), "{path}");
    }
    let foreign = [("origin", "http://evil.example"), ("content-type", "text/plain")];
    let answer = service.send("POST", "/v1/sql", &foreign, "SELECT 1").await;
    assert_eq!((answer.status, answer.json()["field"].as_str()), (403, Some("Origin")));
    let preflight = service.send("OPTIONS", "/v1/sql", &foreign, "").await;
    assert_eq!(preflight.status, 403);
    assert!(preflight.headers.iter().chain(&answer.headers).all(|(name, _)| !name.starts_with("access-control-")));
    let localhost = format!("localhost:{port}");
    let own = service.send("POST", "/v1/sql", &[("host", &localhost), ("origin", &format!("http://{localhost}"))], "SELECT 1").await;
    assert_eq!(own.status, 200);
    assert_eq!(service.send("GET", "/healthz", &[("host", "meter.example.org")], "").await.status, 200);
}

#[tokio::test]
async fn the_console_is_served_under_a_strict_policy() {
    let ledger = small().await;
    let service = ledger.serve(|_| ()).await;
    for (path, kind) in [("/", "text/html"), ("/console.js", "text/javascript"), ("/console.css", "text/css")] {
        let answer = service.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").starts_with(kind) && !answer.body().is_empty(), "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let again = service.send("GET", path, &[("if-none-match", answer.header("etag"))], "").await;
        assert_eq!((again.status, again.body()), (304, ""), "{path}");
    }
}

async fn metrics(service: &Service) -> String {
    service.get("/metrics").await.body().to_owned()
}

#[tokio::test]
async fn status_health_and_metrics_tell_the_truth() {
    let ledger = Ledger::empty();
    let service = ledger.serve(|_| ()).await;
    assert_eq!(service.get("/healthz").await.status, 200);
    let (status, error, reason) = error_of(&service.get("/readyz").await);
    assert_eq!((status, error.as_str()), (503, "not_ready"));
    assert!(reason.contains("increments") && reason.contains("events"), "{reason}");
    let empty: Status = serde_json::from_str(service.get("/v1/status").await.body()).unwrap();
    assert_eq!((empty.newest_received_at, empty.apps.len(), empty.tables[0].version), (None, 0, None));

    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    ledger.increments(&[Increment::new("2026-11-20T10:00:00Z", "cdn-a", "s1", 1), Increment::new(&now, "cdn-b", "s2", 1)]).await;
    ledger.starts(&[]).await;
    assert_eq!(service.get("/readyz").await.status, 200);
    let status: Status = serde_json::from_str(service.get("/v1/status").await.body()).unwrap();
    assert_eq!(status.newest_received_at.as_deref(), Some(now.replace('Z', ".000Z").as_str()));
    assert_eq!((status.apps, status.cdns), (vec!["demo".to_owned()], vec!["cdn-b".to_owned()]));
    let increments = status.tables.iter().find(|t| t.name == "increments").unwrap();
    assert_eq!((increments.version, increments.rows), (Some(0), 2));
    assert!(increments.committed_at.is_some());

    let definitions = service.get("/v1/definitions").await.json();
    assert_eq!(definitions["version"], json!(livemeter_schemas::METRICS_VERSION));
    assert_eq!(definitions["metrics"].as_array().unwrap().len(), livemeter_schemas::metrics::all().count());
    assert!(service.get("/openapi.json").await.json()["paths"]["/v1/sql"].is_object());

    service.sql("DROP TABLE increments").await;
    let text = metrics(&service).await;
    for line in [
        "livemeter_query_requests_total{route=\"/v1/sql\",status=\"400\"} 1",
        "livemeter_query_refused_total{error=\"not_a_select\"} 1",
        "livemeter_query_running 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
