//! The paths of the published contract: what is asked, and every answer with its meaning.

use crate::event::TYPES;
use serde_json::{Value, json};

pub fn all(report_parameters: Value) -> Value {
    json!({
        "/v1/events": { "options": preflight(), "post": events() },
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

fn preflight() -> Value {
    json!({
        "operationId": "preflight_events",
        "tags": ["ingest"],
        "summary": "CORS preflight: any origin may post events.",
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
