//! The published HTTP contract, assembled from the shapes of this crate. Both services are in one
//! document; each path says by its `tags` which one answers it.

mod paths;

use crate::answer::{Answer, Batch, Problem};
use crate::refusals::Refusals;
use crate::reports::{Definitions, QualityRow, Report, ReportQuery, Status, TrafficRow};
use crate::sql::{SqlAnswer, SqlRequest};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

/// The committed document, byte for byte: what services serve as `/openapi.json`.
pub const DOCUMENT: &str = include_str!("../openapi.json");

/// The document, made from the types.
pub fn document() -> Value {
    let mut asked = generator(|s| s.for_deserialize());
    asked.subschema_for::<Batch>();
    asked.subschema_for::<SqlRequest>();
    asked.subschema_for::<ReportQuery>();
    let mut answered = generator(|s| s.for_serialize());
    answered.subschema_for::<Answer>();
    answered.subschema_for::<Problem>();
    answered.subschema_for::<Report<TrafficRow>>();
    answered.subschema_for::<Report<QualityRow>>();
    answered.subschema_for::<Definitions>();
    answered.subschema_for::<Status>();
    answered.subschema_for::<Refusals>();
    answered.subschema_for::<SqlAnswer>();

    let mut schemas = asked.take_definitions(true);
    schemas.extend(answered.take_definitions(true));
    // A query string is many parameters, not one object.
    let query = schemas.remove("ReportQuery").unwrap_or_default();
    let mut schemas = Value::Object(schemas);
    unfold_refs(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Livemeter",
            "version": "1",
            "description": "The independent meter for live video over several CDNs. Errors are always a Problem: a word for programs, a sentence for people, the field, its size and the limit.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": [
            { "name": "ingest", "description": "Takes events; by default http://127.0.0.1:8700" },
            { "name": "query", "description": "Answers questions and serves the console; by default http://127.0.0.1:8701" },
            { "name": "both", "description": "Answered by every service" },
        ],
        "paths": paths::all(parameters(&query)),
        "components": { "schemas": schemas },
    })
}

fn generator(contract: fn(SchemaSettings) -> SchemaSettings) -> SchemaGenerator {
    contract(SchemaSettings::draft2020_12()).with(|s| s.definitions_path = "/components/schemas".into()).into_generator()
}

/// Each property of an object as one parameter of a query string; none is required, none can be null.
fn parameters(object: &Value) -> Value {
    let parameter = |(name, schema): (&String, &Value)| {
        let kind = schema["type"][0].as_str().unwrap_or("string");
        json!({ "name": name, "in": "query", "description": schema["description"], "schema": { "type": kind } })
    };
    let described = |mut parameter: Value| {
        if let Some(fields) = parameter.as_object_mut().filter(|f| f["description"].is_null()) {
            fields.remove("description");
        }
        parameter
    };
    object["properties"].as_object().unwrap_or(&Map::new()).iter().map(parameter).map(described).collect()
}

/// `{$ref, properties…}` → `{allOf: [{$ref}, {properties…}]}`: the same by the standard, but many
/// generators read no further than `$ref`.
pub fn unfold_refs(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(unfold_refs);
            if map.contains_key("$ref") && map.contains_key("properties") {
                let reference = map.remove("$ref").unwrap_or_default();
                let rest = Value::Object(std::mem::take(map));
                map.insert("allOf".into(), json!([{ "$ref": reference }, rest]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unfold_refs),
        _ => {}
    }
}
