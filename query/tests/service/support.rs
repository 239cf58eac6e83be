//! A small ledger with known rows in a folder of its own, and a service that answers from it.

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::{DataType, FieldRef, Schema};
use chrono::DateTime;
use deltalake::DeltaTable;
use deltalake::kernel::Transaction;
use deltalake::kernel::transaction::CommitProperties;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use livemeter_query::{Config, Server};
use livemeter_schemas::time::window_start_ms;
use livemeter_schemas::{derived, ledger};
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;
use url::Url;

/// Milliseconds since 1970 of an RFC 3339 time.
pub fn at(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

/// One row of `increments`; the rest of its columns are filled in.
#[derive(Clone)]
pub struct Increment {
    pub at_ms: i64,
    pub app: &'static str,
    pub programme: &'static str,
    pub cdn: &'static str,
    pub user: String,
    pub session: String,
    pub bytes: i64,
    pub aborted_bytes: i64,
    pub play_ms: i64,
    pub stall_ms: i64,
    pub stalls: i64,
    pub status: &'static str,
}

impl Increment {
    pub fn new(time: &str, cdn: &'static str, session: &str, bytes: i64) -> Increment {
        Increment {
            at_ms: at(time),
            app: "demo",
            programme: "match-1",
            cdn,
            user: format!("user-of-{session}"),
            session: session.into(),
            bytes,
            aborted_bytes: 0,
            play_ms: 0,
            stall_ms: 0,
            stalls: 0,
            status: ledger::BOOKED,
        }
    }

    pub fn played(mut self, play_ms: i64, stall_ms: i64, stalls: i64) -> Increment {
        (self.play_ms, self.stall_ms, self.stalls) = (play_ms, stall_ms, stalls);
        self
    }
}

/// A `playback_start`.
pub struct Start {
    pub at_ms: i64,
    pub cdn: &'static str,
    pub session: String,
    pub seq: i64,
    pub startup_ms: i64,
}

/// A folder that holds a ledger while it lives.
pub struct Ledger {
    pub folder: TempDir,
}

impl Ledger {
    pub fn empty() -> Ledger {
        Ledger { folder: tempfile::tempdir().unwrap() }
    }

    pub async fn increments(&self, rows: &[Increment]) {
        let schema = ledger::increments();
        let columns = schema.fields().iter().map(|field| increment_column(field.name(), field.data_type(), rows)).collect();
        self.append(ledger::INCREMENTS, schema, columns).await;
    }

    pub async fn starts(&self, rows: &[Start]) {
        let schema = ledger::events();
        let columns = schema.fields().iter().map(|field| start_column(field.name(), field.data_type(), rows)).collect();
        self.append(ledger::EVENTS, schema, columns).await;
    }

    /// One row of a derived table, made of nothing in particular, that says what it reflects.
    pub async fn derived(&self, name: &str, increments: i64, events: i64) {
        let schema = derived::schema(name);
        let column = |field: &FieldRef| -> ArrayRef {
            match (field.name().as_str(), field.data_type()) {
                ("date", _) => texts(["2026-11-23".to_owned()].into_iter()),
                (_, DataType::Utf8) => texts(["demo".to_owned()].into_iter()),
                (_, DataType::Int64) => ints([7].into_iter()),
                _ => micros([at("2026-11-23T10:00:00Z")].into_iter()),
            }
        };
        let columns = schema.fields().iter().map(column).collect();
        let transactions =
            vec![Transaction::new(derived::REFLECTS_INCREMENTS, increments), Transaction::new(derived::REFLECTS_EVENTS, events)];
        let properties = CommitProperties::default().with_application_transactions(transactions);
        let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
        let write = self.table(name).await.write([batch]).with_partition_columns([ledger::DATE]);
        write.with_commit_properties(properties).await.unwrap();
    }

    /// Rewrites the small files of both tables into large ones.
    pub async fn compact(&self) {
        for name in [ledger::INCREMENTS, ledger::EVENTS] {
            let folder = self.folder.path().join(name);
            let mut table = DeltaTable::try_from_url(Url::from_directory_path(folder).unwrap()).await.unwrap();
            table.load().await.unwrap();
            let (_, metrics) = table.optimize().await.unwrap();
            assert!(metrics.num_files_removed > 1, "{metrics:?}");
        }
    }

    async fn table(&self, name: &str) -> DeltaTable {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        DeltaTable::try_from_url(Url::from_directory_path(folder).unwrap()).await.unwrap()
    }

    async fn append(&self, name: &str, schema: Schema, columns: Vec<ArrayRef>) {
        let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
        self.table(name).await.write([batch]).with_partition_columns([ledger::DATE]).await.unwrap();
    }

    /// A service over this ledger on a free port, for as long as the runtime of the test lives.
    pub async fn serve(&self, change: impl FnOnce(&mut Config)) -> Service {
        let mut config = Config { listen: "127.0.0.1:0".parse().unwrap(), refresh_ms: 0, ..Config::default() };
        config.ledger = self.folder.path().to_str().unwrap().to_owned();
        change(&mut config);
        let server = Server::bind(config).await.unwrap();
        let address = server.address();
        tokio::spawn(server.serve(std::future::pending()));
        Service { address }
    }
}

fn micros(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values.map(|ms| ms * 1_000)).with_timezone("UTC"))
}

fn dates(values: impl Iterator<Item = i64>) -> ArrayRef {
    texts(values.map(|ms| DateTime::from_timestamp_millis(ms).unwrap().format("%Y-%m-%d").to_string()))
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn ints(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn increment_column(name: &str, kind: &DataType, rows: &[Increment]) -> ArrayRef {
    let count = rows.len();
    let rows = rows.iter();
    match name {
        "window_start" => micros(rows.map(|r| window_start_ms(r.at_ms))),
        "at" | "received_at" => micros(rows.map(|r| r.at_ms)),
        "date" => dates(rows.map(|r| window_start_ms(r.at_ms))),
        "app" => texts(rows.map(|r| r.app.into())),
        "programme_id" => texts(rows.map(|r| r.programme.into())),
        "cdn" => texts(rows.map(|r| r.cdn.into())),
        "region" => texts(rows.map(|_| "eu".into())),
        "asn" => ints(rows.map(|_| 64_500)),
        "user_id" => texts(rows.map(|r| r.user.clone())),
        "session_id" => texts(rows.map(|r| r.session.clone())),
        "status" => texts(rows.map(|r| r.status.into())),
        "bytes" | "reached_bytes" => ints(rows.map(|r| r.bytes)),
        "aborted_bytes" | "reached_aborted_bytes" => ints(rows.map(|r| r.aborted_bytes)),
        "play_ms" | "reached_play_ms" => ints(rows.map(|r| r.play_ms)),
        "stall_ms" | "reached_stall_ms" => ints(rows.map(|r| r.stall_ms)),
        "stalls" | "reached_stalls" => ints(rows.map(|r| r.stalls)),
        "records" => ints(rows.map(|_| 1)),
        "late" => Arc::new(BooleanArray::from(vec![false; count])),
        "decided_at" | "decided_by" | "decided_why" => new_null_array(kind, count),
        _ => ints(rows.map(|_| 0)),
    }
}

fn start_column(name: &str, kind: &DataType, rows: &[Start]) -> ArrayRef {
    let count = rows.len();
    let rows = rows.iter();
    match name {
        "at" | "received_at" => micros(rows.map(|r| r.at_ms)),
        "date" => dates(rows.map(|r| r.at_ms)),
        "type" => texts(rows.map(|_| "playback_start".into())),
        "app" => texts(rows.map(|_| "demo".into())),
        "programme_id" => texts(rows.map(|_| "match-1".into())),
        "cdn" => texts(rows.map(|r| r.cdn.into())),
        "user_id" => texts(rows.map(|r| format!("user-of-{}", r.session))),
        "session_id" => texts(rows.map(|r| r.session.clone())),
        "seq" => ints(rows.map(|r| r.seq)),
        "startup_ms" => ints(rows.map(|r| r.startup_ms)),
        "raw" => texts(rows.map(|_| "{}".into())),
        "fatal" => Arc::new(BooleanArray::from(vec![None; count])),
        "late" => Arc::new(BooleanArray::from(vec![false; count])),
        "correction_ms" | "kafka_generation" | "kafka_partition" | "kafka_offset" => ints(rows.map(|_| 0)),
        _ => new_null_array(kind, count),
    }
}

/// A running service.
pub struct Service {
    pub address: SocketAddr,
}

/// An answer, whole. `text` is none when the transfer broke off.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: Option<String>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    pub fn body(&self) -> &str {
        self.text.as_deref().expect("the transfer broke off")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.body()).unwrap_or_else(|e| panic!("{e}: {}", self.body()))
    }
}

impl Service {
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn sql(&self, sql: &str) -> Answer {
        self.send("POST", "/v1/sql", &[("content-type", "text/plain")], sql).await
    }

    /// The answer's rows, or a panic that shows the refusal.
    pub async fn rows(&self, sql: &str) -> serde_json::Value {
        let answer = self.sql(sql).await;
        assert_eq!(answer.status, 200, "{sql}: {}", answer.body());
        answer.json()["rows"].clone()
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<bytes::Bytes>>();
        let mut request = axum::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = client.request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap_or_default().to_owned())).collect();
        let text = response.into_body().collect().await.ok().map(|body| String::from_utf8(body.to_bytes().to_vec()).unwrap());
        Answer { status, headers, text }
    }

    /// A body that is no text.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<bytes::Bytes>>();
        let request = axum::http::Request::builder().uri(format!("http://{}{path}", self.address)).body(Full::default()).unwrap();
        let response = client.request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.expect("the transfer broke off").to_bytes().to_vec();
        assert!(status.is_success(), "{path}: {status}: {}", String::from_utf8_lossy(&body));
        body
    }
}
