//! The files this crate commits, each made anew from its types: what others read instead of Rust.
//! A test compares them with the disk; `UPDATE_CONTRACTS=1` rewrites them.

use crate::answer::{Answer, Batch};
use crate::event::Event;
use crate::period::ClosedPeriod;
use crate::record::{DeadLetter, Record};
use crate::reports::Definitions;
use crate::{derived, ledger, openapi};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Each file's path below this crate's folder, and its text.
pub fn files() -> Vec<(&'static str, String)> {
    vec![
        ("openapi.json", text(openapi::document())),
        ("ledger.json", text(ledger::describe())),
        ("derived.json", text(derived::describe())),
        ("definitions.json", text(json!(Definitions::published()))),
        ("json/batch.schema.json", text(schema::<Batch>(SchemaSettings::draft2020_12().for_deserialize()))),
        ("json/event.schema.json", text(schema::<Event>(SchemaSettings::draft2020_12().for_deserialize()))),
        ("json/record.schema.json", text(schema::<Record>(SchemaSettings::draft2020_12().for_deserialize()))),
        ("json/deadletter.schema.json", text(schema::<DeadLetter>(SchemaSettings::draft2020_12().for_serialize()))),
        ("json/period.schema.json", text(schema::<ClosedPeriod>(SchemaSettings::draft2020_12().for_serialize()))),
        ("json/answer.schema.json", text(schema::<Answer>(SchemaSettings::draft2020_12().for_serialize()))),
    ]
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    openapi::unfold_refs(&mut schema);
    schema
}

/// Keys in one order, whatever features `serde_json` was built with; a line break at the end.
fn text(value: Value) -> String {
    format!("{:#}\n", sorted(value))
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
