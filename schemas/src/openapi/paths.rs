//! The paths of the published contract: what is asked, and every answer with its meaning.

use crate::event::TYPES;
use serde_json::{Value, json};

pub fn all(report_parameters: Value) -> Value {
    json!({
        "/v1/events": { "options": preflight("events"), "post": events() },
        "/v1/cmcd": { "options": preflight("cmcd"), "post": cmcd() },
        "/v1/sql": { "post": sql() },
        "/v1/reports/traffic": { "get": report("traffic", "Bytes and bandwidth per CDN, programme, user and time.", "TrafficRowReport", &report_parameters) },
        "/v1/reports/quality": { "get": report("quality", "Playing, stalls and startup per CDN, programme, user and time.", "QualityRowReport", &report_parameters) },
        "/v1/definitions": { "get": get("query", "definitions", "What each figure means: formula, unit, version.", shape("Definitions")) },
        "/v1/status": { "get": get("query", "status", "What the ledger holds, and how fresh it is.", shape("Status")) },
        "/v1/refusals": { "get": get("query", "refusals", "What the services have refused since they started, by cause.", shape("Refusals")) },
        "/openapi.json": { "get": get("query", "openapi", "This document.", json!({ "application/json": { "schema": { "type": "object" } } })) },
        "/healthz": { "get": healthy() },
        "/readyz": { "get": ready() },
        "/metrics": { "get": get("both", "metrics", "Prometheus metrics.", json!({ "application/openmetrics-text": { "schema": { "type": "string" } } })) },
    })
}

fn events() -> Value {
    let batch = json!({ "schema": reference("Batch") });
    json!({
        "operationId": "post_events",
        "tags": ["ingest"],
        "summary": "Take a batch of events.",
        "description": format!(
            "A 2xx means that every accepted event is durable in Kafka. Each event is answered on its own, in the order of the batch; \
             a refused one must not be sent again as it is. Types are {}; an unknown type is refused by name, an unknown field is kept. \
             As NDJSON, each line is one event, and `app`, `v` and `sent_at_ms` stand in the query string. \
             `text/plain` is read as `application/json`, for `navigator.sendBeacon`. Bodies may be compressed by gzip or zstd. \
             Where ingest has a file of apps, each request needs the app's write key (`key`, or `authorization: Bearer`), and, where the app says so, a session token \
             (`token` in the batch, or the header `livemeter-token`); an event that its token or app does not allow is refused as `forbidden`.",
            TYPES.join(", ")
        ),
        "parameters": [
            { "name": "app", "in": "query", "description": "The app; NDJSON only.", "schema": { "type": "string" } },
            { "name": "v", "in": "query", "description": "Version of the event contract, default 1; NDJSON only.", "schema": { "type": "integer" } },
            { "name": "sent_at_ms", "in": "query", "description": "The session's clock at this attempt to send; NDJSON only.", "schema": { "type": "integer", "format": "int64" } },
            { "name": "key", "in": "query", "description": "The app's write key, `lmw_…`; public. Needed unless ingest is open, or `authorization` carries it.", "schema": { "type": "string" } },
            { "name": "livemeter-token", "in": "header", "description": "The session token, a JWT; or `token` in the batch.", "schema": { "type": "string" } },
            { "name": "content-encoding", "in": "header", "schema": { "type": "string", "enum": ["gzip", "zstd", "identity"] } },
        ],
        "requestBody": { "required": true, "content": {
            "application/json": batch,
            "text/plain": batch,
            "application/x-ndjson": { "schema": { "type": "string", "description": "One Event per line." } },
        } },
        "responses": {
            "200": answer("At least one event was accepted, or the batch was empty. Durable.", shape("Answer")),
            "400": problem("The body is not JSON, or the batch itself is wrong."),
            "401": problem("The write key is missing, or the session token is missing or proves nothing; the field says which. With a new token the same batch may be taken."),
            "403": problem("The key is not one of the app's that are good now, or the page's origin is not among those that are set."),
            "408": problem("The body came too slowly."),
            "413": problem("The body, what it unpacks to, or the number of events is larger than the limit."),
            "415": problem("Another content type or encoding than those above."),
            "422": answer("Every event was refused; do not send them again.", shape("Answer")),
            "429": later("More events than this address or app may send; a client treats it as 503."),
            "503": later("Too much at once, or Kafka does not take it now; nothing is promised. Send the same again after Retry-After."),
        },
    })
}

fn cmcd() -> Value {
    let lines = json!({ "schema": { "type": "string", "description": "One report a line: a structured dictionary; or `CMCD=` and the same percent-encoded, as version 1 has it." } });
    let reports = json!({ "schema": { "description": "A report as an object, an array of them, or one a line.", "oneOf": [{ "type": "object" }, { "type": "array", "items": { "type": "object" } }] } });
    json!({
        "operationId": "post_cmcd",
        "tags": ["ingest"],
        "summary": "Take CMCD reports of a player without an SDK.",
        "description": "CTA-5004-B event mode, the keys of CTA-5004, or either in JSON. A 2xx means that every accepted report is durable in Kafka. \
             A report needs `sid`; reports are told apart by `sid`, `target` and `sn`, and ordered by `sn`. A key that is unknown or has a bad value is passed over and counted; \
             a report of a higher version than 2, or without a session, is refused and counted. CMCD has no key for a CDN: it is that of the host (`h`, or `url` of a response), by \
             `ingest.cmcd_hosts`; `cdn` and `com.livemeter-cdn` name it outright. Nor has it one for bytes: `com.livemeter-bytes` is what the CDN in use has delivered in this session so far, \
             `com.livemeter-bytes.NAME` the same of the CDN of that name; without them bytes are absent. The user is the session token's, or `com.livemeter-user`. \
             Bodies may be compressed by gzip or zstd.",
        "parameters": [
            { "name": "app", "in": "query", "description": "The app; the key's own when absent.", "schema": { "type": "string" } },
            { "name": "key", "in": "query", "description": "The app's write key, `lmw_…`; public. Needed unless ingest is open.", "schema": { "type": "string" } },
            { "name": "token", "in": "query", "description": "The session token, a JWT; the header `livemeter-token` can carry it too.", "schema": { "type": "string" } },
            { "name": "target", "in": "query", "description": "A name for each further target of one player that leads here: each numbers its reports for itself, and each is a session of its own.", "schema": { "type": "string" } },
            { "name": "CMCD", "in": "query", "description": "A report of version 1.", "schema": { "type": "string" } },
            { "name": "content-encoding", "in": "header", "schema": { "type": "string", "enum": ["gzip", "zstd", "identity"] } },
        ],
        "requestBody": { "content": {
            "application/cmcd": lines,
            "text/cmcd": lines,
            "text/plain": lines,
            "application/json": reports,
            "application/cmcd+json": reports,
        } },
        "responses": {
            "204": { "description": "At least one report was accepted, or there was none. Durable." },
            "400": problem("The body is no text, no app is named, or the list is not one."),
            "401": problem("The write key is missing, or the session token is missing or proves nothing; the field says which."),
            "403": problem("The key is not one of the app's that are good now, or the page's origin is not among those that are set."),
            "408": problem("The body came too slowly."),
            "410": problem("The app takes no CMCD (`cmcd = false` in the file of apps): by the standard, a player is silent for the rest of its session."),
            "413": problem("The body, what it unpacks to, or the number of reports is larger than the limit."),
            "415": problem("Another content type or encoding than those above."),
            "422": answer("Every report was refused; do not send them again.", shape("Answer")),
            "429": later("More reports than this address or app may send: back off."),
            "503": later("Too much at once, or Kafka does not take it now; nothing is promised. Send the same again after Retry-After."),
        },
    })
}

fn preflight(of: &str) -> Value {
    json!({
        "operationId": format!("preflight_{of}"),
        "tags": ["ingest"],
        "summary": format!("CORS preflight: any origin may post {of}."),
        "responses": { "204": { "description": "Allowed methods and headers." }, "403": problem("The page's origin is not among those that are set.") },
    })
}

fn sql() -> Value {
    json!({
        "operationId": "post_sql",
        "tags": ["query"],
        "summary": "Ask the ledger in SQL.",
        "description": "One SELECT over the tables `increments` and `events`, and those made from them; anything else is refused by name.",
        "requestBody": { "required": true, "content": {
            "application/json": { "schema": reference("SqlRequest") },
            "text/plain": { "schema": { "type": "string", "description": "The statement alone." } },
        } },
        "responses": {
            "200": answer("The rows.", json!({ "application/json": { "schema": reference("SqlAnswer") }, "text/csv": { "schema": { "type": "string" } } })),
            "400": problem("Not a SELECT, not SQL, or it names what is not there."),
            "403": problem("Host or Origin is not this service's own."),
            "413": problem("The statement or its answer is larger than the limit."),
            "429": later("Too many queries at once."),
            "503": later("It took longer, or needed more memory, than one query may; or the ledger cannot be read now."),
        },
    })
}

fn report(name: &str, summary: &str, body: &str, parameters: &Value) -> Value {
    json!({
        "operationId": format!("get_report_{name}"),
        "tags": ["query"],
        "summary": summary,
        "description": "With the same `to` and the same `table_version`, the same answer.",
        "parameters": parameters,
        "responses": {
            "200": answer("The rows, with the definition of each figure.", json!({ "application/json": { "schema": reference(body) }, "text/csv": { "schema": { "type": "string" } } })),
            "400": problem("A parameter is wrong: its name, the value and what is accepted."),
            "403": problem("Host or Origin is not this service's own."),
            "429": later("Too many queries at once."),
            "503": later("The ledger cannot be read now."),
        },
    })
}

fn get(tag: &str, name: &str, summary: &str, content: Value) -> Value {
    json!({
        "operationId": format!("get_{name}"),
        "tags": [tag],
        "summary": summary,
        "responses": { "200": answer(summary, content) },
    })
}

fn healthy() -> Value {
    json!({
        "operationId": "get_healthz",
        "tags": ["both"],
        "summary": "Whether the process is alive.",
        "responses": { "200": { "description": "Alive." } },
    })
}

fn ready() -> Value {
    json!({
        "operationId": "get_readyz",
        "tags": ["both"],
        "summary": "Whether work can be done now.",
        "responses": { "200": { "description": "Ready." }, "503": problem("Not ready, and why.") },
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn shape(name: &str) -> Value {
    json!({ "application/json": { "schema": reference(name) } })
}

fn answer(description: &str, content: Value) -> Value {
    json!({ "description": description, "content": content })
}

fn problem(description: &str) -> Value {
    answer(description, shape("Problem"))
}

/// A refusal that says when to come back.
fn later(description: &str) -> Value {
    let mut refused = problem(description);
    refused["headers"] = json!({ "retry-after": { "description": "Seconds.", "schema": { "type": "integer" } } });
    refused
}
