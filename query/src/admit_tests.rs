//! What is admitted, and what is refused by which name: one table of cases.

use super::*;

const BYTES_MAX: usize = 64 << 10;

fn verdict(sql: &str) -> String {
    match admit(sql, BYTES_MAX) {
        Ok(admitted) if admitted.limitable => "query".into(),
        Ok(_) => "read".into(),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

#[test]
fn reading_is_admitted() {
    for sql in [
        "SELECT 1",
        "select * from increments;",
        "SELECT * FROM INCREMENTS",
        "SELECT * FROM public.events",
        "SELECT * FROM datafusion.public.events",
        "  -- a comment\n SELECT count(*) /* and another */ FROM events",
        "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT * FROM b JOIN a USING (x)",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n",
        "SELECT * FROM (SELECT cdn FROM increments UNION ALL SELECT cdn FROM events) AS t",
        "SELECT (SELECT max(bytes) FROM increments), EXISTS (SELECT 1 FROM events)",
        "VALUES (1), (2)",
        "SELECT * FROM information_schema.tables",
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'events'",
        "SELECT * FROM generate_series(1, 10)",
        "SELECT * FROM increments, range(1, 3)",
        "SELECT 'COPY increments TO x; DROP TABLE events' AS harmless",
        "SELECT * FROM unnest([1, 2])",
    ] {
        assert_eq!(verdict(sql), "query", "{sql}");
    }
    for sql in ["EXPLAIN SELECT * FROM increments", "SHOW TABLES", "DESCRIBE increments", "DESC events", "SHOW COLUMNS FROM increments"] {
        assert_eq!(verdict(sql), "read", "{sql}");
    }
}

#[test]
fn everything_else_is_refused_by_name() {
    for (sql, name) in [
        ("COPY increments TO '/tmp/x.csv'", "COPY"),
        ("COPY (SELECT * FROM increments) TO '/tmp/x' STORED AS PARQUET", "COPY"),
        ("copy increments from '/etc/passwd'", "COPY"),
        ("INSERT INTO increments VALUES (1)", "INSERT"),
        ("insert into events select * from events", "INSERT"),
        ("WITH a AS (SELECT 1) INSERT INTO events SELECT * FROM a", "INSERT"),
        ("UPDATE increments SET bytes = 0", "UPDATE"),
        ("DELETE FROM increments", "DELETE"),
        ("MERGE INTO increments USING events ON true WHEN MATCHED THEN DELETE", "MERGE"),
        ("TRUNCATE TABLE increments", "TRUNCATE"),
        ("CREATE TABLE t AS SELECT 1", "CREATE TABLE"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE VIEW"),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "CREATE EXTERNAL TABLE"),
        ("CREATE UNBOUNDED EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "CREATE EXTERNAL TABLE"),
        ("CREATE FUNCTION f() RETURNS INT RETURN 1", "CREATE FUNCTION"),
        ("CREATE SCHEMA s", "CREATE SCHEMA"),
        ("CREATE DATABASE d", "CREATE DATABASE"),
        ("DROP TABLE increments", "DROP TABLE"),
        ("DROP VIEW v", "DROP VIEW"),
        ("ALTER TABLE increments ADD COLUMN x INT", "ALTER TABLE"),
        ("SET datafusion.execution.target_partitions = 64", "SET"),
        ("RESET datafusion.execution.target_partitions", "RESET"),
        ("SHOW ALL", "SHOW"),
        ("SHOW datafusion.runtime.temp_directory", "SHOW"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("EXECUTE p(1)", "EXECUTE"),
        ("DEALLOCATE p", "DEALLOCATE"),
        ("BEGIN", "BEGIN"),
        ("COMMIT", "COMMIT"),
        ("SELECT * INTO t FROM increments", "SELECT INTO"),
        ("SELECT * FROM (SELECT * INTO t FROM increments) AS x", "SELECT INTO"),
        ("EXPLAIN ANALYZE SELECT * FROM increments", "EXPLAIN with ANALYZE, VERBOSE or FORMAT"),
        ("EXPLAIN VERBOSE SELECT * FROM increments", "EXPLAIN with ANALYZE, VERBOSE or FORMAT"),
        ("EXPLAIN FORMAT TREE SELECT * FROM increments", "EXPLAIN with ANALYZE, VERBOSE or FORMAT"),
        ("EXPLAIN COPY increments TO '/tmp/x'", "EXPLAIN COPY"),
        ("EXPLAIN INSERT INTO increments VALUES (1)", "EXPLAIN INSERT"),
        ("GRANT ALL ON increments TO bob", "GRANT"),
        ("CALL f()", "CALL"),
        ("VACUUM increments", "VACUUM"),
        ("ATTACH 'x.db'", "ATTACH"),
        ("LOAD DATA INPATH '/etc/passwd' INTO TABLE t", "LOAD"),
        ("INSTALL httpfs", "INSTALL"),
        ("PRAGMA table_info(x)", "PRAGMA"),
        ("USE other", "USE"),
        ("KILL QUERY 1", "KILL"),
        ("ANALYZE TABLE increments COMPUTE STATISTICS", "ANALYZE"),
    ] {
        assert_eq!(verdict(sql), format!("not_a_select: {name} is not allowed; only SELECT is"), "{sql}");
    }
}

#[test]
fn files_and_other_tables_are_refused_by_name() {
    for (sql, name) in [
        ("SELECT * FROM '/etc/passwd'", "/etc/passwd"),
        ("SELECT * FROM \"/etc/passwd\"", "/etc/passwd"),
        ("SELECT * FROM 's3://bucket/x.parquet'", "s3://bucket/x.parquet"),
        ("SELECT 1 WHERE EXISTS (SELECT * FROM 'x.csv')", "x.csv"),
        ("SELECT (SELECT max(a) FROM 'x.json')", "x.json"),
        ("WITH a AS (SELECT * FROM secrets) SELECT * FROM a", "secrets"),
        ("WITH increments AS (SELECT * FROM hidden) SELECT * FROM increments", "hidden"),
        ("SELECT * FROM increments JOIN users USING (user_id)", "users"),
        ("SELECT * FROM increments UNION SELECT * FROM other", "other"),
        ("SELECT * FROM other.public.increments", "other.public.increments"),
        ("SELECT * FROM private.increments", "private.increments"),
        ("SELECT * FROM information_schema.df_settings", "information_schema.df_settings"),
        ("SELECT * FROM pg_catalog.pg_tables", "pg_catalog.pg_tables"),
        ("DESCRIBE secrets", "secrets"),
        ("EXPLAIN SELECT * FROM 'x.parquet'", "x.parquet"),
        ("SHOW COLUMNS FROM secrets", "secrets"),
    ] {
        let verdict = verdict(sql);
        assert!(verdict.starts_with("unknown_table: ") && verdict.contains(name), "{sql}: {verdict}");
    }
    for (sql, name) in [
        ("SELECT * FROM read_parquet('/etc/passwd')", "read_parquet"),
        ("SELECT * FROM read_csv('x')", "read_csv"),
        ("SELECT * FROM increments, LATERAL glob('*')", "glob"),
        ("SELECT * FROM TABLE(read_json('x'))", "read_json"),
        ("SELECT * FROM (SELECT * FROM parquet_metadata('x')) AS t", "parquet_metadata"),
    ] {
        let verdict = verdict(sql);
        assert!(verdict.starts_with("unknown_table_function: ") && verdict.contains(name), "{sql}: {verdict}");
    }
}

#[test]
fn one_statement_of_bounded_size_and_depth() {
    for (sql, found) in [("", 0), (";", 0), ("-- nothing", 0), ("SELECT 1; SELECT 2", 2), ("SELECT 1; DROP TABLE increments", 2)] {
        assert!(matches!(admit(sql, BYTES_MAX), Err(Error::StatementCount { found: f }) if f == found), "{sql:?}: {}", verdict(sql));
    }
    let long = format!("SELECT '{}'", "x".repeat(BYTES_MAX));
    assert_eq!(verdict(&long), format!("too_large: sql is {} bytes; the limit is {BYTES_MAX}", long.len()));
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(verdict(&deep).starts_with("sql: "), "{}", verdict(&deep));
    let nested = format!("SELECT * FROM {}increments{}", "(SELECT * FROM ".repeat(2_000), ")".repeat(2_000));
    assert!(verdict(&nested).starts_with("sql: "), "{}", verdict(&nested));
    let chain = format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(3_000));
    let verdict_of_chain = verdict(&chain);
    assert!(verdict_of_chain == "query" || verdict_of_chain.starts_with("sql: "), "{verdict_of_chain}");
}

#[test]
fn broken_sql_is_told_in_one_sentence() {
    for sql in [
        "SELEC 1",
        "SELECT * FROM WHERE x ORDER",
        "TABLE increments",
        "SELECT 'open",
        "SELECT \u{0} 1",
        "😀",
        "SELECT * FROM increments WHERE",
    ] {
        let verdict = verdict(sql);
        assert!(verdict.starts_with("sql: ") || verdict.starts_with("not_a_select: "), "{sql}: {verdict}");
        assert!(!verdict.contains("backtrace") && !verdict.contains("ParserError("), "{sql}: {verdict}");
    }
}
