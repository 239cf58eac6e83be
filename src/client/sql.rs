//! `livemeter sql "…"`: one SELECT, answered as a readable table, JSON or CSV.

use super::http;
use crate::cli::{Failure, exit};
use clap::ArgMatches;
use livemeter_schemas::sql::SqlAnswer;
use serde_json::Value;
use std::io::{Read, Write};
use std::time::Duration;

pub fn command(matches: &ArgMatches) -> Result<(), Failure> {
    let mut sql = matches.get_one::<String>("sql").cloned().unwrap_or_default();
    if sql == "-" {
        sql.clear();
        std::io::stdin().read_to_string(&mut sql).map_err(Failure::new)?;
    }
    let server = matches.get_one::<String>("server").cloned().unwrap_or_default();
    let format = if matches.get_flag("json") { "json" } else { matches.get_one::<String>("format").map_or("table", String::as_str) };
    let wanted = if format == "csv" { "csv" } else { "json" };
    let url = format!("{}/v1/sql?format={wanted}", server.trim_end_matches('/'));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    let body = serde_json::json!({ "sql": sql }).to_string();
    let answer = runtime
        .block_on(http::post_json(&url, body, Duration::from_secs(300)))
        .map_err(|e| Failure::new(format!("{e}; is `livemeter query` or `livemeter up` running there? (--server)")))?;
    if answer.status != 200 {
        let reason = serde_json::from_slice::<Value>(&answer.body).ok();
        let reason = reason.as_ref().and_then(|v| v["reason"].as_str()).map_or_else(|| answer.text(), str::to_owned);
        return Err(Failure { message: reason, code: if answer.status == 400 { exit::USAGE } else { exit::FAILED } });
    }
    let mut out = std::io::stdout().lock();
    let printed = match format {
        "table" => out.write_all(table(&serde_json::from_slice(&answer.body).map_err(Failure::new)?).as_bytes()),
        _ => out.write_all(&answer.body).and_then(|()| if answer.body.ends_with(b"\n") { Ok(()) } else { out.write_all(b"\n") }),
    };
    match printed {
        // `| head` closed the pipe: it has what it wanted.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::new),
    }
}

fn table(answer: &SqlAnswer) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN).set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_header(answer.columns.iter().map(|c| c.name.clone()));
    for (i, column) in answer.columns.iter().enumerate() {
        if let (true, Some(c)) = (is_number(&column.data_type), table.column_mut(i)) {
            c.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    for row in &answer.rows {
        table.add_row(row.iter().map(|value| match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }));
    }
    let more = if answer.truncated { ", cut at the server's limit" } else { "" };
    format!("{table}\n{} rows{more} in {} ms\n", answer.row_count, answer.elapsed_ms)
}

fn is_number(kind: &str) -> bool {
    ["Int", "UInt", "Float", "Decimal"].iter().any(|prefix| kind.starts_with(prefix))
}
