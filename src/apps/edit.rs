//! Changes to the file of apps: the text is edited in place, so that its comments stay, understood as ingest would
//! understand it, and only then put where the old one was, in one step.

use super::{AppsFile, new_key, print, time};
use crate::cli::Failure;
use clap::ArgMatches;
use livemeter_ingest::identity::{key, when};
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

const HEADER: &str = "# Apps that may post to ingest, and their keys: `livemeter apps --help`. Ingest follows changes by itself.\n";

pub fn create(file: &AppsFile, given: &ArgMatches) -> Result<(), Failure> {
    let mut document = document(file, true)?;
    let id = given.get_one::<String>("app").cloned().unwrap_or_default();
    let mut app = Table::new();
    app.insert("id", value(&id));
    for (flag, name) in [("origin", "allowed_origins"), ("cdn", "allowed_cdns")] {
        if let Some(values) = given.get_many::<String>(flag) {
            app.insert(name, value(values.map(String::as_str).collect::<Array>()));
        }
    }
    if let Some(ms) = number::<i64>(given, "heartbeat-ms")? {
        app.insert("heartbeat_ms", value(ms));
    }
    if let Some(share) = number::<f64>(given, "sampling")? {
        app.insert("sampling", value(share));
    }
    if let Some(word) = given.get_one::<String>("user-ids") {
        app.insert("user_ids", value(word));
    }
    let key = push_key(&mut app, None)?;
    tables(document.as_table_mut(), "app", file)?.push(app);
    save(file, &document)?;
    tell(given, &id, &key, None);
    Ok(())
}

pub fn add_key(file: &AppsFile, given: &ArgMatches) -> Result<(), Failure> {
    let mut document = document(file, false)?;
    let (id, last_ms) = (given.get_one::<String>("app").cloned().unwrap_or_default(), time(given, "not-after")?);
    let key = push_key(app(&mut document, &id, file)?, last_ms)?;
    save(file, &document)?;
    tell(given, &id, &key, last_ms);
    Ok(())
}

pub fn revoke_key(file: &AppsFile, given: &ArgMatches) -> Result<(), Failure> {
    let mut document = document(file, false)?;
    let text = |name: &str| given.get_one::<String>(name).cloned().unwrap_or_default();
    let (id, wanted, last_ms) = (text("app"), text("key"), time(given, "not-after")?);
    let keys = tables(app(&mut document, &id, file)?, "key", file)?;
    let is_wanted = |key: &Table| key.get("id").and_then(Item::as_str) == Some(&wanted);
    let Some(place) = keys.iter().position(is_wanted) else {
        return Err(Failure::usage(format!("app {id:?} has no key {wanted:?}; `livemeter apps list` shows those it has")));
    };
    match last_ms {
        Some(ms) => keys.iter_mut().skip(place).take(1).for_each(|key| drop(key.insert("not_after", value(when::show(ms))))),
        None => drop(keys.remove(place)),
    }
    save(file, &document)?;
    let until = last_ms.map(when::show);
    if given.get_flag("json") {
        print(&json!({ "app": id, "key_id": wanted, "not_after": until, "revoked": until.is_none() }).to_string());
    } else {
        print(&until.map_or(format!("Key {wanted} of {id} is revoked."), |t| format!("Key {wanted} of {id} is good until {t}.")));
    }
    Ok(())
}

/// Told once: nothing that is stored can tell it again.
fn tell(given: &ArgMatches, app: &str, (key, id): &(String, String), last_ms: Option<i64>) {
    let until = last_ms.map(when::show);
    if given.get_flag("json") {
        return print(&json!({ "app": app, "key_id": id, "key": key, "not_after": until }).to_string());
    }
    let good = until.map_or_else(String::new, |t| format!(", good until {t}"));
    print(&format!("Write key {id} of {app}{good}. It is shown this once; only its hash is kept:\n{key}"));
}

fn push_key(app: &mut Table, last_ms: Option<i64>) -> Result<(String, String), Failure> {
    let (text, id) = new_key()?;
    let mut table = Table::new();
    table.insert("id", value(&id));
    table.insert("sha256", value(hex::encode(key::hash(&text))));
    if let Some(ms) = last_ms {
        table.insert("not_after", value(when::show(ms)));
    }
    let keys = app.entry("key").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let keys = keys.as_array_of_tables_mut().ok_or_else(|| Failure::usage("key is no list of tables ([[app.key]])"))?;
    keys.push(table);
    Ok((text, id))
}

fn document(file: &AppsFile, make: bool) -> Result<DocumentMut, Failure> {
    match file.text()? {
        Some(text) => text.parse().map_err(|e: toml_edit::TomlError| file.wrong(e.message())),
        None if make => HEADER.parse().map_err(|e: toml_edit::TomlError| file.wrong(e.message())),
        None => Err(file.wrong("there is no such file; `livemeter apps create` makes one")),
    }
}

fn tables<'d>(table: &'d mut Table, name: &str, file: &AppsFile) -> Result<&'d mut ArrayOfTables, Failure> {
    let item = table.entry(name).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut().ok_or_else(|| file.wrong(&format!("{name} is no list of tables")))
}

fn app<'d>(document: &'d mut DocumentMut, id: &str, file: &AppsFile) -> Result<&'d mut Table, Failure> {
    let apps = tables(document.as_table_mut(), "app", file)?;
    let found = apps.iter_mut().find(|app| app.get("id").and_then(Item::as_str) == Some(id));
    found.ok_or_else(|| file.wrong(&format!("there is no app {id:?}")))
}

fn number<T: std::str::FromStr>(given: &ArgMatches, name: &str) -> Result<Option<T>, Failure> {
    let Some(text) = given.get_one::<String>(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Failure::usage(format!("--{name} is {text:?}; a number is expected")))
}

/// Only what ingest would take is written.
fn save(file: &AppsFile, document: &DocumentMut) -> Result<(), Failure> {
    let text = document.to_string();
    file.apps(&text)?;
    replace(&file.path, &text).map_err(|e| Failure::new(format!("{}: {e}", file.path.display())))
}

/// The new text beside the old one, on disk, then in its place: whoever reads sees one or the other, whole. Two people
/// who edit at once are not kept apart; the later one wins.
pub fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        if let Ok(before) = fs::metadata(path) {
            file.set_permissions(before.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
