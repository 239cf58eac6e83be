//! `livemeter privacy pseudonyms` and `livemeter privacy keys list|rotate|destroy`: the keys that users' pseudonyms are made
//! with. What a key means, and which session gets which, is ingest's own code.

use super::edit::replace;
use super::{now_ms, print, time};
use crate::cli::Failure;
use crate::services::identity;
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_ingest::file::read;
use livemeter_ingest::identity::ring::{ROTATION_MS_MIN, Ring, RingKey};
use livemeter_ingest::identity::when;
use rand::TryRngCore as _;
use serde_json::{Value, json};
use std::path::PathBuf;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

const DAY_MS: i64 = 86_400_000;
/// By then every ingest has read the file, and few players' clocks are further ahead.
const NOTICE_MS: i64 = DAY_MS;
const FILE_BYTES_MAX: usize = 16 * 1024;
const HEADER: &str = "# Keys of pseudonyms: `livemeter privacy keys --help`. Whoever has a secret can name every user of its time.\n";

pub fn command(settings: &Settings, word: &str, given: &ArgMatches) -> Result<(), Failure> {
    let config = identity(settings);
    let Some(path) = config.pseudonym_keys_file else {
        return Err(Failure::usage(
            "no file of keys is set; say --pseudonym-keys-file FILE, or ingest.pseudonym_keys_file in the settings",
        ));
    };
    let keys = KeysFile { path, reach_ms: config.pseudonym_reach_ms };
    match word {
        "pseudonyms" => pseudonyms(&keys, given),
        "rotate" => rotate(&keys, given),
        "destroy" => destroy(&keys, given),
        _ => list(&keys, given),
    }
}

struct KeysFile {
    path: PathBuf,
    reach_ms: i64,
}

impl KeysFile {
    fn wrong(&self, why: &str) -> Failure {
        Failure::usage(format!("{}: {why}", self.path.display()))
    }

    fn text(&self) -> Result<Option<String>, Failure> {
        if !self.path.exists() {
            return Ok(None);
        }
        let text = read(&self.path, FILE_BYTES_MAX).map_err(|why| self.wrong(&why))?;
        String::from_utf8(text).map(Some).map_err(|_| self.wrong("it is not UTF-8"))
    }

    fn ring(&self) -> Result<(String, Ring), Failure> {
        let text = self.text()?.ok_or_else(|| self.wrong("there is no such file; `livemeter privacy keys rotate` makes one"))?;
        let ring = self.parsed(&text)?;
        Ok((text, ring))
    }

    fn parsed(&self, text: &str) -> Result<Ring, Failure> {
        Ring::parse(text, self.reach_ms).map_err(|why| self.wrong(&why))
    }

    /// Only what ingest would take is written.
    fn save(&self, document: &DocumentMut) -> Result<(), Failure> {
        let text = document.to_string();
        self.parsed(&text)?;
        replace(&self.path, &text).map_err(|e| Failure::new(format!("{}: {e}", self.path.display())))
    }

    fn document(&self, text: &str) -> Result<DocumentMut, Failure> {
        text.parse().map_err(|e: toml_edit::TomlError| self.wrong(e.message()))
    }
}

/// All names a user has in the ledger, for an erasure: one per key that is kept.
fn pseudonyms(file: &KeysFile, given: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| given.get_one::<String>(name).map_or("", String::as_str);
    let (_, ring) = file.ring()?;
    let names: Vec<(&RingKey, String)> =
        ring.keys().iter().filter_map(|key| key.pseudonym(text("app"), text("user")).map(|name| (key, name))).collect();
    if given.get_flag("json") {
        let rows: Vec<Value> = names
            .iter()
            .map(|(key, name)| json!({ "key": key.id, "valid_from": when::show(key.valid_from_ms), "user_id": name }))
            .collect();
        print(&json!({ "app": text("app"), "pseudonyms": rows }).to_string());
    } else {
        names.iter().for_each(|(_, name)| print(name));
    }
    Ok(())
}

fn list(file: &KeysFile, given: &ArgMatches) -> Result<(), Failure> {
    let (_, ring) = file.ring()?;
    let state = |key: &RingKey| match ring.unused_from_ms(&key.id) {
        _ if !key.is_kept() => "destroyed".to_owned(),
        None => "newest".to_owned(),
        Some(ms) if ms > now_ms() => format!("in use until {}", when::show(ms)),
        Some(_) => "kept for erasure; may be destroyed".to_owned(),
    };
    if given.get_flag("json") {
        let row = |key: &RingKey| {
            let unused_from = ring.unused_from_ms(&key.id).map(when::show);
            json!({ "id": key.id, "valid_from": when::show(key.valid_from_ms), "kept": key.is_kept(), "unused_from": unused_from })
        };
        print(&json!({ "keys": ring.keys().iter().map(row).collect::<Vec<_>>() }).to_string());
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN).set_header(["key", "valid from", "state"]);
    for key in ring.keys() {
        table.add_row([key.id.clone(), when::show(key.valid_from_ms), state(key)]);
    }
    print(&table.to_string());
    Ok(())
}

fn rotate(file: &KeysFile, given: &ArgMatches) -> Result<(), Failure> {
    let text = file.text()?.unwrap_or_else(|| HEADER.to_owned());
    let ring = file.parsed(&text)?;
    let from_ms = beginning(&ring, time(given, "from")?, now_ms())?;
    let mut secret = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut secret).map_err(Failure::new)?;
    let id = format!("p{}", ring.keys().len() + 1);
    let mut table = Table::new();
    table.insert("id", value(&id));
    table.insert("valid_from", value(when::show(from_ms)));
    table.insert("secret", value(hex::encode(secret)));
    let mut document = file.document(&text)?;
    tables(file, &mut document)?.push(table);
    file.save(&document)?;
    let from = when::show(from_ms);
    if given.get_flag("json") {
        print(&json!({ "id": id, "valid_from": from }).to_string());
    } else {
        print(&format!("Key {id} names the users of sessions that begin from {from} on. Give the file to every ingest before then."));
    }
    Ok(())
}

/// When the next key begins: at a midnight, with notice, and not within a billing period of the last.
fn beginning(ring: &Ring, wanted_ms: Option<i64>, now_ms: i64) -> Result<i64, Failure> {
    let Some(last) = ring.keys().last() else {
        return Ok(wanted_ms.unwrap_or_else(|| now_ms.div_euclid(DAY_MS) * DAY_MS));
    };
    let (noticed_ms, least_ms) = (now_ms + NOTICE_MS, last.valid_from_ms.saturating_add(ROTATION_MS_MIN));
    let Some(from_ms) = wanted_ms else {
        let earliest = noticed_ms.max(least_ms);
        return Ok((earliest + DAY_MS - 1).div_euclid(DAY_MS) * DAY_MS);
    };
    if from_ms < least_ms {
        let (days, least) = (ROTATION_MS_MIN / DAY_MS, when::show(least_ms));
        return Err(Failure::usage(format!(
            "--from is within {days} days of key {}, a billing period; the earliest is {least}: a user billed by the month has one name in it",
            last.id
        )));
    }
    if from_ms < noticed_ms {
        return Err(Failure::usage(format!(
            "--from must be a day ahead, so that every ingest knows the key by then; the earliest is {}",
            when::show(noticed_ms)
        )));
    }
    Ok(from_ms)
}

fn destroy(file: &KeysFile, given: &ArgMatches) -> Result<(), Failure> {
    let id = given.get_one::<String>("key").map_or("", String::as_str);
    let (text, ring) = file.ring()?;
    if !ring.keys().iter().any(|key| key.id == id && key.is_kept()) {
        return Err(file.wrong(&format!("there is no key {id:?} to destroy")));
    }
    match ring.unused_from_ms(id) {
        None => return Err(Failure::usage(format!("key {id} is the newest: rotate first"))),
        Some(ms) if ms > now_ms() => {
            return Err(Failure::usage(format!(
                "key {id} is in use until {}: sessions that began under it keep their name",
                when::show(ms)
            )));
        }
        Some(_) => {}
    }
    if !given.get_flag("yes") {
        return Err(Failure::usage(format!("after this nobody can say which rows of key {id} are whose, erasures included; say --yes")));
    }
    let mut document = file.document(&text)?;
    for table in tables(file, &mut document)?.iter_mut().filter(|table| table.get("id").and_then(Item::as_str) == Some(id)) {
        table.remove("secret");
        table.insert("destroyed", value(when::show(now_ms())));
    }
    file.save(&document)?;
    if given.get_flag("json") {
        print(&json!({ "id": id, "destroyed": true }).to_string());
    } else {
        print(&format!("Key {id} is gone from {}. Its copies and backups are yours to destroy.", file.path.display()));
    }
    Ok(())
}

fn tables<'d>(file: &KeysFile, document: &'d mut DocumentMut) -> Result<&'d mut ArrayOfTables, Failure> {
    let item = document.as_table_mut().entry("key").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut().ok_or_else(|| file.wrong("key is no list of tables ([[key]])"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_has_notice_and_a_billing_period_between() {
        let now = 20_000 * DAY_MS + 5;
        let none = Ring::parse("", DAY_MS).unwrap();
        assert_eq!(beginning(&none, None, now).unwrap(), 20_000 * DAY_MS);
        let key = |day: i64| format!("[[key]]\nid = 'p1'\nvalid_from = '{}'\nsecret = '{}'\n", when::show(day * DAY_MS), "ab".repeat(32));
        let old = Ring::parse(&key(19_900), DAY_MS).unwrap();
        assert_eq!(beginning(&old, None, now).unwrap(), 20_002 * DAY_MS);
        assert!(beginning(&old, Some(now), now).is_err_and(|e| e.message.contains("a day ahead")));
        let young = Ring::parse(&key(19_990), DAY_MS).unwrap();
        assert_eq!(beginning(&young, None, now).unwrap(), 20_021 * DAY_MS);
        assert!(beginning(&young, Some(20_020 * DAY_MS), now).is_err_and(|e| e.message.contains("31 days") && e.code == 2));
    }
}
