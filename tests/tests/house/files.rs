//! What every file looks like: it says what it holds, it is short, it cannot panic where data reaches,
//! and it knows no machine.

use crate::{Source, committed, none, root, sources};
use std::collections::BTreeMap;

const LINES_MAX: usize = 400;

/// Files that are longer for a reason. May only shrink: the number is the file's length today.
const LONGER: [(&str, usize); 0] = [];

/// Calls that can panic, in production code of services, by file. May only shrink.
const MAY_PANIC: [(&str, usize); 0] = [];

#[test]
fn every_rust_file_says_what_it_holds() {
    let silent = sources(".rs").into_iter().filter(|s| !s.text.starts_with("//!")).map(|s| s.path);
    none("every .rs opens with //! saying what lives here and what does not", silent.collect());
}

#[test]
fn every_typescript_file_says_what_it_holds() {
    let silent = sources(".ts").into_iter().filter(|s| !s.text.starts_with("//") && !s.text.starts_with("/*") && !s.text.starts_with("#!"));
    none("every .ts opens with a comment saying what lives here", silent.map(|s| s.path).collect());
}

#[test]
fn files_are_short() {
    let longer: BTreeMap<&str, usize> = LONGER.into();
    let mut violations = Vec::new();
    for ending in [".rs", ".ts", ".sh"] {
        for source in sources(ending).iter().filter(|s| !is_generated(s)) {
            let (lines, allowed) = (source.text.lines().count(), longer.get(source.path.as_str()).copied().unwrap_or(LINES_MAX));
            if lines > allowed {
                violations.push(format!("{} has {lines} lines; {allowed} are allowed", source.path));
            }
        }
    }
    none("a file over 400 lines holds two things: part them", violations);
    let stale = LONGER
        .iter()
        .filter(|(path, allowed)| std::fs::read_to_string(root().join(path)).map_or(0, |text| text.lines().count()) < *allowed);
    none(
        "a file on the list of longer ones has shrunk: lower its number, or strike it",
        stale.map(|(path, _)| (*path).to_owned()).collect(),
    );
}

/// Made by a program from another committed file, and named so.
fn is_generated(source: &Source) -> bool {
    source.path.rsplit('/').next().is_some_and(|name| name.starts_with("generated."))
}

#[test]
fn services_do_not_panic_on_data() {
    let rooms = ["schemas", "ingest", "processor", "query", "billing", "logs", "broker", "simulate"];
    let allowed: BTreeMap<&str, usize> = MAY_PANIC.into();
    let mut violations = Vec::new();
    for source in sources(".rs").iter().filter(|s| rooms.contains(&s.room()) && !s.is_test()) {
        let calls = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
        let lines = source.production().lines().filter(|line| !line.trim_start().starts_with("//"));
        let found = lines.map(|line| calls.iter().map(|call| line.matches(call).count()).sum::<usize>()).sum::<usize>();
        let allowed = allowed.get(source.path.as_str()).copied().unwrap_or(0);
        if found != allowed {
            violations.push(format!("{} has {found} calls that can panic; {allowed} are on the list, which may only shrink", source.path));
        }
    }
    none("no unwrap, expect or panic on a path that data can reach: return an error that names its cause", violations);
}

#[test]
fn no_module_is_a_drawer_for_odds_and_ends() {
    let drawers = ["utils", "util", "common", "misc", "helpers", "helper", "shared", "base"];
    let found = sources(".rs")
        .into_iter()
        .chain(sources(".ts"))
        .map(|s| s.path)
        .filter(|path| path.split('/').any(|part| drawers.contains(&part.split('.').next().unwrap_or_default())));
    none("name a module by what it holds", found.collect());
}

#[test]
fn no_committed_file_knows_a_machine() {
    // Written in two halves, so that this file does not find itself.
    let places = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/main"), concat!("/Us", "ers/")];
    let mut violations = Vec::new();
    for path in committed() {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(place) = places.iter().find(|place| line.contains(*place)) {
                violations.push(format!("{path}:{}: {place}", number + 1));
            }
        }
    }
    none("no path of one machine belongs into the repository", violations);
}
