//! SQL text → one admitted statement, or a refusal that names what was wrong. Pure: decided on the
//! parsed tree before anything is planned. The engine's catalog, which holds the ledger's tables and can load
//! no other, is the second wall behind this one.

use crate::error::{Error, from_engine};
use datafusion::common::TableReference;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{self, Query, Select, SetExpr, TableFactor, Visit, Visitor};
use livemeter_schemas::derived;
use livemeter_schemas::ledger::{EVENTS, INCREMENTS};
use std::ops::ControlFlow;

/// Tables of `information_schema` that say what can be asked. `df_settings` says how the machine is set up.
const INFORMATION: [&str; 6] = ["tables", "columns", "schemata", "views", "routines", "parameters"];
/// Table functions that compute their rows and read nothing.
const TABLE_FUNCTIONS: [&str; 2] = ["generate_series", "range"];
/// Depth of nesting beyond which the parser gives up, long before the stack does.
const DEPTH_MAX: usize = 50;

/// A statement that only reads what may be read.
#[derive(Debug)]
pub struct Admitted {
    pub statement: Statement,
    /// Whether a LIMIT may be laid over it: true for queries, false for EXPLAIN, SHOW and DESCRIBE.
    pub limitable: bool,
}

/// Admits one SELECT (or WITH, VALUES, EXPLAIN, SHOW TABLES, SHOW COLUMNS, DESCRIBE).
pub fn admit(sql: &str, sql_bytes_max: usize) -> Result<Admitted, Error> {
    if sql.len() > sql_bytes_max {
        return Err(Error::TooLarge { field: "sql", value: sql.len() as u64, limit: sql_bytes_max as u64, unit: "bytes" });
    }
    let mut statements = DFParserBuilder::new(sql)
        .with_recursion_limit(DEPTH_MAX)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        // A statement that this dialect cannot even read may still be one that is refused by name.
        .map_err(|e| forbidden_word(sql).unwrap_or_else(|| from_engine(e, 0)))?;
    let found = statements.len();
    let statement = match (statements.pop_front(), found) {
        (Some(statement), 1) => statement,
        _ => return Err(Error::StatementCount { found }),
    };
    let limitable = check(&statement)?;
    tables(&statement)?;
    Ok(Admitted { statement, limitable })
}

/// Refuses by name everything but reading; answers whether a LIMIT may be laid over it.
fn check(statement: &Statement) -> Result<bool, Error> {
    match statement {
        Statement::Statement(inner) => check_sql(inner),
        Statement::Explain(explain) => {
            let options = &explain.options;
            // These would run the query, or show the files behind a table.
            if options.analyze || options.verbose || options.format.is_some() {
                return refuse("EXPLAIN with ANALYZE, VERBOSE or FORMAT");
            }
            match explain.statement.as_ref() {
                Statement::Statement(inner) if matches!(inner.as_ref(), ast::Statement::Query(_)) => check_sql(inner).map(|_| false),
                other => refuse(&format!("EXPLAIN {}", name(other))),
            }
        }
        other => refuse(&name(other)),
    }
}

fn check_sql(statement: &ast::Statement) -> Result<bool, Error> {
    match statement {
        ast::Statement::Query(query) => match query.visit(&mut ReadsOnly) {
            ControlFlow::Continue(()) => Ok(true),
            ControlFlow::Break(error) => Err(error),
        },
        ast::Statement::ShowTables { .. } | ast::Statement::ShowColumns { .. } | ast::Statement::ExplainTable { .. } => Ok(false),
        other => refuse(&first_words(&other.to_string())),
    }
}

/// Walks every query, subquery and table expression of a SELECT.
struct ReadsOnly;

impl Visitor for ReadsOnly {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        body(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        if select.into.is_some() {
            return ControlFlow::Break(Error::NotASelect { statement: "SELECT INTO".into() });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &ast::Statement) -> ControlFlow<Error> {
        match statement {
            ast::Statement::Query(_) => ControlFlow::Continue(()),
            other => ControlFlow::Break(Error::NotASelect { statement: first_words(&other.to_string()) }),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        let called = match factor {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => name.to_string(),
            TableFactor::TableFunction { expr, .. } => expr.to_string(),
            _ => return ControlFlow::Continue(()),
        };
        if TABLE_FUNCTIONS.contains(&called.to_ascii_lowercase().as_str()) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(Error::UnknownTableFunction { name: called })
        }
    }
}

fn body(body: &SetExpr) -> ControlFlow<Error> {
    let statement = match body {
        SetExpr::Insert(s) | SetExpr::Update(s) | SetExpr::Delete(s) | SetExpr::Merge(s) => s,
        SetExpr::SetOperation { left, right, .. } => {
            self::body(left)?;
            return self::body(right);
        }
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => return ControlFlow::Continue(()),
        // It names its table outside of the relations that are checked below.
        SetExpr::Table(_) => return ControlFlow::Break(Error::NotASelect { statement: "TABLE".into() }),
    };
    ControlFlow::Break(Error::NotASelect { statement: first_words(&statement.to_string()) })
}

/// Every table that the statement names must be one of ours.
fn tables(statement: &Statement) -> Result<(), Error> {
    if let Statement::Statement(inner) = statement
        && matches!(inner.as_ref(), ast::Statement::ShowTables { .. })
    {
        return Ok(());
    }
    let shows = matches!(statement, Statement::Statement(s) if matches!(s.as_ref(), ast::Statement::ShowColumns { .. }));
    let (references, _) = resolve_table_references(statement, true).map_err(|e| from_engine(e, 0))?;
    match references.iter().find(|r| !(ours(r) || (shows && r.schema() == Some("information_schema")))) {
        Some(other) => Err(Error::UnknownTable { name: other.to_string() }),
        None => Ok(()),
    }
}

fn ours(reference: &TableReference) -> bool {
    let table = reference.table();
    match (reference.catalog(), reference.schema()) {
        (None | Some("datafusion"), Some("information_schema")) => INFORMATION.contains(&table),
        (None, None) | (None | Some("datafusion"), Some("public")) => {
            // Functions that stand where a table may have been checked as functions.
            [INCREMENTS, EVENTS].contains(&table) || derived::TABLES.contains(&table) || TABLE_FUNCTIONS.contains(&table)
        }
        _ => false,
    }
}

fn name(statement: &Statement) -> String {
    match statement {
        Statement::Statement(inner) => first_words(&inner.to_string()),
        Statement::CreateExternalTable(_) => "CREATE EXTERNAL TABLE".into(),
        Statement::CopyTo(_) => "COPY".into(),
        Statement::Explain(_) => "EXPLAIN".into(),
        Statement::Reset(_) => "RESET".into(),
    }
}

/// `CREATE TABLE`, `DROP VIEW`, `INSERT`: the statement's name, without what it is about.
fn first_words(statement: &str) -> String {
    let mut words = statement.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty()).map(str::to_ascii_uppercase);
    let first = words.next().unwrap_or_else(|| "this statement".into());
    const WITH_OBJECT: [&str; 3] = ["CREATE", "DROP", "ALTER"];
    if !WITH_OBJECT.contains(&first.as_str()) {
        return first;
    }
    const QUALIFIERS: [&str; 8] = ["OR", "REPLACE", "TEMPORARY", "TEMP", "EXTERNAL", "MATERIALIZED", "UNBOUNDED", "GLOBAL"];
    match words.find(|w| !QUALIFIERS.contains(&w.as_str())) {
        Some(object) => format!("{first} {object}"),
        None => first,
    }
}

/// Names a refused statement that did not parse, by the word it begins with.
fn forbidden_word(sql: &str) -> Option<Error> {
    const WORDS: [&str; 24] = [
        "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "CREATE", "DROP", "ALTER", "TRUNCATE", "SET", "RESET", "GRANT", "REVOKE", "CALL",
        "LOAD", "UNLOAD", "ATTACH", "DETACH", "INSTALL", "PRAGMA", "USE", "VACUUM", "OPTIMIZE", "EXECUTE",
    ];
    let word: String = sql.trim_start().chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_uppercase();
    WORDS.contains(&word.as_str()).then_some(Error::NotASelect { statement: word })
}

fn refuse<T>(statement: &str) -> Result<T, Error> {
    Err(Error::NotASelect { statement: statement.into() })
}

#[cfg(test)]
#[path = "admit_tests.rs"]
mod tests;
