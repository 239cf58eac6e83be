//! `livemeter bill template` and `livemeter logs format`: how vendors' papers are read, on the bill check's folder.

use super::{bills, failure, print, print_json, short, table, text};
use crate::cli::Failure;
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_query::bills::layouts::Kind;

/// Keeps a file, or lists what is kept where none is named.
pub fn command(settings: &Settings, kind: Kind, given: &ArgMatches) -> Result<(), Failure> {
    let (json, check) = (given.get_flag("json"), given.get_flag("check"));
    let Some(file) = text(given, "layout") else {
        let listed = bills(settings).layouts(kind).map_err(failure)?;
        if json {
            return print_json(&listed);
        }
        let mut page = table(&[kind.field(), "sha256"], 2);
        for layout in &listed.layouts {
            page.add_row([layout.name.clone(), short(&layout.sha256)]);
        }
        print(&format!("{page}\n{} {}s", listed.layouts.len(), kind.field()));
        return Ok(());
    };
    let content = std::fs::read_to_string(&file).map_err(|e| Failure::usage(format!("{file}: {e}")))?;
    let kept = bills(settings).keep_layout(kind, None, &content, check).map_err(failure)?;
    if json {
        return print_json(&kept);
    }
    let done = if check { "sound" } else { "kept" };
    let instead = kept.replaced_sha256.map_or_else(String::new, |sha256| format!(", instead of {}", short(&sha256)));
    print(&format!("{done}: {} {} ({}){instead}", kind.field(), kept.name, short(&kept.sha256)));
    Ok(())
}
