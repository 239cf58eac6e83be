//! Derived tables as analysts meet them: empty until somebody made them, then rows, versions and what they reflect.

use crate::support::{Increment, Ledger};
use livemeter_schemas::derived::TABLES;
use livemeter_schemas::reports::Status;
use serde_json::json;

#[tokio::test]
async fn derived_tables_are_readable_and_say_what_they_reflect() {
    let ledger = Ledger::empty();
    ledger.increments(&[Increment::new("2026-11-23T10:00:00Z", "cdn-a", "s1", 1)]).await;
    ledger.starts(&[]).await;
    let service = ledger.serve(|_| ()).await;
    for table in TABLES {
        let answer = service.sql(&format!("SELECT count(*) FROM {table}")).await.json();
        assert_eq!((&answer["rows"], &answer["table_versions"][table]), (&json!([[0]]), &json!(null)), "{table}");
        ledger.derived(table, 0, 5).await;
        let answer = service.sql(&format!("SELECT date, app FROM {table} WHERE date = '2026-11-23'")).await.json();
        assert_eq!(answer["rows"], json!([["2026-11-23", "demo"]]), "{table}");
        assert_eq!((&answer["table_versions"][table], &answer["table_versions"]["increments"]), (&json!(0), &json!(0)), "{table}");
    }
    // Missing ones keep nobody from being ready; present ones are in the status.
    assert_eq!(service.get("/readyz").await.status, 200);
    let status: Status = serde_json::from_str(service.get("/v1/status").await.body()).unwrap();
    let sessions = status.tables.iter().find(|t| t.name == "sessions").unwrap();
    assert_eq!((sessions.version, sessions.rows), (Some(0), 1));
    assert_eq!(json!(sessions.reflects), json!({ "increments": 0, "events": 5 }));
    assert!(status.tables.iter().find(|t| t.name == "increments").unwrap().reflects.is_none());
    assert_eq!(service.rows("SELECT s.bytes FROM sessions s JOIN usage_daily u ON s.date = u.date AND s.app = u.app").await, json!([[7]]));
    assert_eq!(service.sql("SELECT * FROM sessions_of_others").await.status, 400);
    assert!(service.rows("DESCRIBE sessions").await.as_array().unwrap().iter().any(|c| c[0] == "end_reason"));
}
