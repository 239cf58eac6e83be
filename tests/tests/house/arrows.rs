//! Who may know whom. Services meet only in the contracts; each heavy part is known in few places.

use crate::{Source, none, root, sources};

const SERVICES: [&str; 5] = ["ingest", "processor", "query", "simulate", "broker"];
/// Rooms of arithmetic and files behind a service, and who may know them. They know the contracts alone.
const BEHIND: [(&str, &[&str]); 2] = [("billing", &["query"]), ("logs", &["query"])];

#[test]
fn services_depend_on_the_contracts_alone() {
    let mut violations = Vec::new();
    for service in SERVICES {
        let text = std::fs::read_to_string(root().join(service).join("Cargo.toml")).expect("each service is a crate");
        let manifest: toml::Table = text.parse().expect("TOML");
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let names = manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
            let behind = |name: &str| BEHIND.iter().any(|(room, known)| name == format!("livemeter-{room}") && known.contains(&service));
            for name in names.filter(|name| name.starts_with("livemeter") && *name != "livemeter-schemas" && !behind(name)) {
                violations.push(format!("{service}/Cargo.toml depends on {name}"));
            }
        }
    }
    none("services never know each other; what passes between them is a contract in schemas/", violations);
}

#[test]
fn the_contracts_depend_on_nothing_of_ours_and_do_no_io() {
    let text = std::fs::read_to_string(root().join("schemas/Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("TOML");
    let allowed = ["arrow-schema", "base64", "memchr", "schemars", "serde", "serde_json", "serde_path_to_error", "thiserror", "sha2"];
    let names = manifest["dependencies"].as_table().expect("a table").keys();
    none("schemas/ is pure: no I/O, no clock, no runtime", names.filter(|n| !allowed.contains(&n.as_str())).cloned().collect());
    let impure = ["std::fs", "std::net", "std::env", "SystemTime::now", "Instant::now"];
    let found = rust_of("schemas")
        .filter(|s| !s.is_test())
        .flat_map(|s| impure.iter().filter(|word| s.production().contains(*word)).map(|w| format!("{}: {w}", s.path)).collect::<Vec<_>>());
    none("schemas/ is pure: no I/O, no clock, no runtime", found.collect());
}

#[test]
fn rooms_behind_a_service_know_the_contracts_alone() {
    let mut violations = Vec::new();
    for (room, _) in BEHIND {
        let text = std::fs::read_to_string(root().join(room).join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = text.parse().expect("TOML");
        let names = manifest["dependencies"].as_table().expect("a table").keys();
        let ours = names.filter(|name| name.starts_with("livemeter") && *name != "livemeter-schemas");
        violations.extend(ours.map(|name| format!("{room}/Cargo.toml depends on {name}")));
    }
    none("what stands behind a service knows the contracts alone", violations);
}

#[test]
fn the_arithmetic_of_bills_does_no_io() {
    let impure = ["std::fs", "std::net", "std::env", "SystemTime::now", "Instant::now", "tokio::", "f32"];
    let found = rust_of("billing")
        .filter(|s| !s.is_test())
        .flat_map(|s| impure.iter().filter(|word| s.production().contains(*word)).map(|w| format!("{}: {w}", s.path)).collect::<Vec<_>>());
    none("billing/ is pure: no I/O, no clock, no runtime", found.collect());
}

#[test]
fn services_name_no_other_service_in_their_code() {
    let mut violations = Vec::new();
    for service in SERVICES {
        for source in rust_of(service) {
            for other in SERVICES.iter().filter(|other| **other != service) {
                if source.text.contains(&format!("livemeter_{other}")) {
                    violations.push(format!("{} names livemeter_{other}", source.path));
                }
            }
        }
    }
    none("services never import each other", violations);
}

/// A crate, the rooms that may use it, and the place in a room where it may be used.
type Place = (&'static str, &'static str, fn(&str) -> bool);

const PLACES: [Place; 4] = [
    ("axum::", "an http module, and tests", |path| in_module(path, "http") || in_module(path, "tests")),
    ("rdkafka::", "one source and one sink module, src/ and tests/", |path| {
        in_module(path, "source")
            || in_module(path, "sink")
            || in_module(path, "tests")
            || path.starts_with("src/")
            || path.starts_with("bench/")
    }),
    ("tansu_", "the embedded broker", |path| path.starts_with("broker/")),
    ("clap::", "src/, where arguments are read, and the binaries of broker/ and bench/", |path| {
        path.starts_with("src/") || path.starts_with("broker/") || path.starts_with("bench/")
    }),
];

#[test]
fn heavy_parts_are_known_in_their_places_alone() {
    let mut violations = Vec::new();
    for source in sources(".rs") {
        for (part, place, allowed) in PLACES {
            let used = source
                .text
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(part) && !line.contains(&format!("\"{part}")));
            if used && !allowed(&source.path) {
                violations.push(format!("{} uses {part} outside {place}", source.path));
            }
        }
    }
    none("arrows point inward", violations);
}

/// `*/name.rs`, or anything below `*/name/`.
fn in_module(path: &str, name: &str) -> bool {
    path.split('/').any(|part| part == name || part.strip_suffix(".rs") == Some(name))
}

fn rust_of(room: &'static str) -> impl Iterator<Item = Source> {
    sources(".rs").into_iter().filter(move |source| source.room() == room)
}
