//! SQL from outside: one SELECT on the two tables, and nothing else.

use livemeter_tests::brokers::Broker;
use livemeter_tests::tree::Tree;
use serde_json::{Value, json};

/// The first row's cell of a column.
pub fn cell(answer: &Value, column: &str) -> Value {
    let place = answer["columns"].as_array().and_then(|columns| columns.iter().position(|c| c["name"] == column));
    place.map_or(Value::Null, |place| answer["rows"][0][place].clone())
}

pub async fn only_selects_on_the_tables_are_answered(_broker: Broker, tree: Tree) {
    let query = tree.query();
    let ask = async |sql: &str| query.post_json("/v1/sql", &json!({ "sql": sql })).await.expect("an answer");
    let answer = ask("SELECT 6 * 7 AS n").await;
    assert_eq!((answer.status, cell(&answer.json(), "n")), (200, json!(42)), "{}", answer.text());

    // A real file with a secret in it: it must not be read, by whatever name it is asked for.
    let secret = tree.folder().join("secret.csv");
    std::fs::write(&secret, "word\nopen-sesame\n").expect("written");
    let secret = secret.display();
    let refused = [
        ("DELETE FROM increments".to_owned(), "DELETE"),
        ("INSERT INTO increments VALUES (1)".to_owned(), "INSERT"),
        ("UPDATE increments SET bytes = 0".to_owned(), "UPDATE"),
        ("DROP TABLE increments".to_owned(), "DROP"),
        ("CREATE TABLE t AS SELECT 1".to_owned(), "CREATE"),
        (format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{secret}'"), "CREATE"),
        (format!("COPY (SELECT 1) TO '{secret}'"), "COPY"),
        ("SET datafusion.execution.batch_size = 1".to_owned(), "SET"),
        ("SELECT 1; SELECT 2".to_owned(), "2 statements"),
        (format!("SELECT * FROM '{secret}'"), "secret.csv"),
        (format!("SELECT * FROM \"{secret}\""), "secret.csv"),
        (format!("SELECT * FROM read_csv('{secret}')"), "read_csv"),
        (format!("SELECT * FROM (SELECT * FROM \"{secret}\") AS inner_one"), "secret.csv"),
    ];
    for (sql, named) in refused {
        let answer = ask(&sql).await;
        assert!((400..500).contains(&answer.status), "{sql}: {} {}", answer.status, answer.text());
        let reason = answer.json()["reason"].as_str().expect("a reason").to_owned();
        assert!(reason.contains(named), "{sql}: {named:?} is not named in {reason:?}");
        assert!(!answer.text().contains("open-sesame"), "{sql}");
    }
    assert_eq!(std::fs::read_to_string(tree.folder().join("secret.csv")).expect("still there"), "word\nopen-sesame\n");
}
