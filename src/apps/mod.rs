//! `livemeter apps create|list|key add|key revoke|token` and `livemeter ingest --check-config`: the file of apps, as
//! those who keep it see it. What the file means is ingest's own code; changing its text is in [`edit`], the keys of
//! pseudonyms in [`privacy`].

mod edit;
pub mod privacy;
mod token;

use crate::cli::{Failure, show_sections};
use crate::services::{identity, ingest_config};
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_ingest::file::read;
use livemeter_ingest::identity::apps::{Apps, Secret, parse};
use livemeter_ingest::identity::file::{elsewhere, in_force};
use livemeter_ingest::identity::{App, Config, key, when};
use rand::TryRngCore as _;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn command(settings: &Settings, word: &str, given: &ArgMatches) -> Result<(), Failure> {
    let config = identity(settings);
    let Some(path) = config.apps_file.clone() else {
        return Err(Failure::usage("no file of apps is set; say --apps-file FILE, or ingest.apps_file in the settings"));
    };
    let file = AppsFile { path, config };
    match word {
        "create" => edit::create(&file, given),
        "add" => edit::add_key(&file, given),
        "revoke" => edit::revoke_key(&file, given),
        "token" => token::command(&file, given),
        _ => list(&file, given),
    }
}

/// Everything that ingest would refuse to start with, without starting.
pub fn check_config(settings: &Settings) -> Result<(), Failure> {
    let config = ingest_config(settings)?;
    config.check().map_err(Failure::usage)?;
    let rules = in_force(&config.identity, config.limits.cdns_max).map_err(Failure::usage)?;
    show_sections(settings, |section| section == "kafka" || section == "ingest");
    match rules {
        Some(rules) => print(&format!("\n{}", table(&rules.apps))),
        None => print("\nNo file of apps: anyone who reaches ingest may post as any app."),
    }
    Ok(())
}

/// Where the file is, and what it may hold.
struct AppsFile {
    path: PathBuf,
    config: Config,
}

impl AppsFile {
    /// Its text; `None` when there is no file yet.
    fn text(&self) -> Result<Option<String>, Failure> {
        if !self.path.exists() {
            return Ok(None);
        }
        let text = read(&self.path, self.config.apps_file_bytes_max).map_err(|why| self.wrong(&why))?;
        String::from_utf8(text).map(Some).map_err(|_| self.wrong("it is not UTF-8"))
    }

    /// Its apps. A secret in another process's environment is taken as there: this one need not know it.
    fn apps(&self, text: &str) -> Result<Apps, Failure> {
        let secret = |secret: Secret| match secret {
            Secret::File(_) => elsewhere(&self.path, secret),
            Secret::Environment(_) => elsewhere(&self.path, secret).or_else(|_| Ok(vec![b'x'; 32])),
        };
        parse(text, &self.config, &secret).map_err(|why| self.wrong(&why))
    }

    fn wrong(&self, why: &str) -> Failure {
        Failure::usage(format!("{}: {why}", self.path.display()))
    }
}

fn list(file: &AppsFile, given: &ArgMatches) -> Result<(), Failure> {
    let text = file.text()?.ok_or_else(|| file.wrong("there is no such file; `livemeter apps create` makes one"))?;
    let apps = file.apps(&text)?;
    if given.get_flag("json") {
        let rows: Vec<Value> = sorted(&apps).into_iter().map(|app| facts(&apps, app)).collect();
        print(&json!({ "apps": rows }).to_string());
    } else {
        print(&table(&apps).to_string());
    }
    Ok(())
}

fn facts(apps: &Apps, app: &App) -> Value {
    let until = |ms: Option<i64>| ms.map(when::show);
    let mut keys: Vec<Value> = apps.keys(&app.id).map(|key| json!({ "id": key.id, "not_after": until(key.not_after_ms) })).collect();
    keys.sort_by_key(Value::to_string);
    let token_key = |key: &livemeter_ingest::identity::token_key::TokenKey| json!({ "id": key.id, "alg": key.verifier.algorithm(), "not_after": until(key.not_after_ms) });
    json!({
        "id": app.id,
        "keys": keys,
        "token_keys": app.token_keys.iter().map(token_key).collect::<Vec<_>>(),
        "token_required": app.token_required,
        "allowed_origins": app.allowed_origins,
        "allowed_cdns": app.allowed_cdns.as_ref().map(names),
        "heartbeat_ms": app.heartbeat_ms,
        "sampling": app.sampling,
        "user_ids": app.user_ids.as_str(),
    })
}

fn table(apps: &Apps) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    let header = ["app", "write keys", "token keys", "tokens", "origins", "CDNs", "heartbeat", "sampling", "user ids"];
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN).set_header(header);
    let until = |ms: Option<i64>| ms.map_or_else(String::new, |ms| format!(" until {}", when::show(ms)));
    for app in sorted(apps) {
        let mut keys: Vec<String> = apps.keys(&app.id).map(|key| format!("{}{}", key.id, until(key.not_after_ms))).collect();
        keys.sort();
        let token_keys: Vec<String> =
            app.token_keys.iter().map(|k| format!("{} ({}){}", k.id, k.verifier.algorithm(), until(k.not_after_ms))).collect();
        let any = |list: Option<Vec<String>>, none: &str| list.map_or_else(|| none.to_owned(), |list| list.join(", "));
        table.add_row([
            app.id.clone(),
            keys.join(", "),
            token_keys.join(", "),
            if app.token_required { "required" } else { "optional" }.to_owned(),
            any(app.allowed_origins.clone(), "as the service"),
            any(app.allowed_cdns.as_ref().map(names), "any"),
            app.heartbeat_ms.map_or_else(|| "as the service".to_owned(), |ms| format!("{ms} ms")),
            app.sampling.to_string(),
            app.user_ids.as_str().to_owned(),
        ]);
    }
    table
}

fn sorted(apps: &Apps) -> Vec<&App> {
    let mut sorted: Vec<&App> = apps.iter().map(AsRef::as_ref).collect();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    sorted
}

fn names(set: &std::collections::HashSet<String>) -> Vec<String> {
    let mut names: Vec<String> = set.iter().cloned().collect();
    names.sort();
    names
}

/// A new write key: its text, which is told once, and its id.
fn new_key() -> Result<(String, String), Failure> {
    let (mut id, mut secret) = ([0; 4], [0; 32]);
    let mut system = rand::rngs::OsRng;
    system.try_fill_bytes(&mut id).and_then(|()| system.try_fill_bytes(&mut secret)).map_err(Failure::new)?;
    Ok((key::compose(id, secret), hex::encode(id)))
}

/// `--name TIME`, as the file has it.
fn time(given: &ArgMatches, name: &str) -> Result<Option<i64>, Failure> {
    let Some(text) = given.get_one::<String>(name) else { return Ok(None) };
    let wrong =
        || Failure::usage(format!("--{name} is {text:?}; accepted: a day such as 2026-12-31, or RFC 3339 such as 2026-12-31T16:00:00Z"));
    when::parse_ms(text).map(Some).ok_or_else(wrong)
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

/// `| head` may close the pipe: it has what it wanted.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
