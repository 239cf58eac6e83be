//! Settings: flags, environment and a TOML file mean the same. Two steps, two types: texts with
//! their origin here, typed values on request. A wrong one is refused at start with its name, where
//! it came from, the value, and what is accepted.

mod kind;
mod table;

pub use kind::show_size;
pub use table::SETTINGS;

use kind::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The defaults, committed as a file with units in the values.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// A setting that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct SettingError(String);

impl std::fmt::Display for SettingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for SettingError {}

/// Every setting's text and where it came from; all of them already checked.
#[derive(Debug, Clone)]
pub struct Settings {
    values: BTreeMap<&'static str, (Value, String)>,
}

impl Settings {
    /// Resolves all settings: flags over environment over file over defaults.
    pub fn resolve(
        flags: &[(&'static str, String)],
        environment: impl Iterator<Item = (String, String)>,
        file: Option<(&Path, &str)>,
    ) -> Result<Settings, SettingError> {
        let mut texts: BTreeMap<&'static str, (String, String)> = BTreeMap::new();
        for (key, text) in read_toml(DEFAULTS, "the defaults")? {
            texts.insert(key, (text, "the defaults".into()));
        }
        if let Some((path, content)) = file {
            let origin = path.display().to_string();
            for (key, text) in read_toml(content, &origin)? {
                texts.insert(key, (text, origin.clone()));
            }
        }
        for (name, text) in environment {
            if let Some(key) = environment_key(&name)? {
                texts.insert(key, (text, format!("the environment, {name}")));
            }
        }
        for (key, text) in flags {
            texts.insert(key, (text.clone(), format!("the flag --{}", table::find(key).map_or("", |s| s.flag))));
        }
        let mut values = BTreeMap::new();
        for (key, (text, origin)) in texts {
            let Some(setting) = table::find(key) else { continue };
            let Some(value) = setting.kind.parse(&text) else {
                return Err(SettingError(format!("{key} (from {origin}) is {text:?}; accepted: {}", setting.kind.accepts())));
            };
            values.insert(key, (value, text));
        }
        Ok(Settings { values })
    }

    fn value(&self, key: &str) -> &Value {
        // Every key of the table has a default: a test holds default.toml and the table together.
        &self.values.get(key).unwrap_or_else(|| panic!("{key} is not in the table of settings")).0
    }

    /// The text of a setting as it was given: to hand it on to a child.
    pub fn raw(&self, key: &str) -> &str {
        self.values.get(key).map_or("", |(_, text)| text)
    }

    pub fn address(&self, key: &str) -> SocketAddr {
        match self.value(key) {
            Value::Address(a) => *a,
            other => panic!("{key} is {other:?}, not an address"),
        }
    }
    pub fn duration(&self, key: &str) -> Duration {
        match self.value(key) {
            Value::Duration(d) => *d,
            other => panic!("{key} is {other:?}, not a duration"),
        }
    }
    pub fn duration_ms(&self, key: &str) -> u64 {
        self.duration(key).as_millis() as u64
    }
    pub fn integer(&self, key: &str) -> u64 {
        match self.value(key) {
            Value::Integer(n) => *n,
            other => panic!("{key} is {other:?}, not a number"),
        }
    }
    pub fn size(&self, key: &str) -> usize {
        usize::try_from(self.integer(key)).unwrap_or(usize::MAX)
    }
    pub fn small(&self, key: &str) -> u32 {
        u32::try_from(self.integer(key)).unwrap_or(u32::MAX)
    }
    pub fn share(&self, key: &str) -> f64 {
        match self.value(key) {
            Value::Share(x) => *x,
            other => panic!("{key} is {other:?}, not a share"),
        }
    }
    pub fn text(&self, key: &str) -> String {
        match self.value(key) {
            Value::Text(t) => t.clone(),
            other => panic!("{key} is {other:?}, not text"),
        }
    }
    pub fn list(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            Value::List(l) => l.clone(),
            other => panic!("{key} is {other:?}, not a list"),
        }
    }
    /// A path, or `None` when it was left empty.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        Some(self.text(key)).filter(|t| !t.is_empty()).map(PathBuf::from)
    }
}

/// Reads `[section] name = value` into (key, text). A key that does not exist is refused by name.
fn read_toml(content: &str, origin: &str) -> Result<Vec<(&'static str, String)>, SettingError> {
    let table: toml::Table = toml::from_str(content).map_err(|e| SettingError(format!("{origin} is not TOML: {e}")))?;
    let mut out = Vec::new();
    for (section, inner) in table {
        let toml::Value::Table(inner) = inner else {
            return Err(SettingError(format!("{origin}: {section:?} stands outside a section; sections are {}", table::sections())));
        };
        for (name, value) in inner {
            let key = format!("{section}.{name}");
            let Some(setting) = table::find(&key) else {
                return Err(SettingError(format!("{origin}: {key} is no setting; {}", table::suggest(&key))));
            };
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Float(number) => number.to_string(),
                other => {
                    let (is, accepted) = (other.type_str(), setting.kind.accepts());
                    return Err(SettingError(format!("{key} (from {origin}) is of type {is}; accepted: {accepted}")));
                }
            };
            out.push((setting.key, text));
        }
    }
    Ok(out)
}

/// `LIVEMETER_INGEST_LISTEN` → `ingest.listen`. Other variables are none of ours; one that begins
/// like a section but names no setting is refused, since it is most likely mistyped.
fn environment_key(name: &str) -> Result<Option<&'static str>, SettingError> {
    let Some(rest) = name.strip_prefix("LIVEMETER_") else { return Ok(None) };
    let Some((section, name_part)) = rest.split_once('_') else { return Ok(None) };
    let section = section.to_ascii_lowercase();
    if !SETTINGS.iter().any(|s| s.section() == section) {
        return Ok(None);
    }
    let key = format!("{section}.{}", name_part.to_ascii_lowercase());
    match table::find(&key) {
        Some(setting) => Ok(Some(setting.key)),
        None if is_service_link(&key) => Ok(None),
        None => Err(SettingError(format!("the environment's {name} is no setting; {}", table::suggest(&key)))),
    }
}

/// Kubernetes tells every container of a Service named `livemeter-ingest` by variables such as
/// `LIVEMETER_INGEST_PORT` and `LIVEMETER_INGEST_SERVICE_HOST`. No setting is named so.
fn is_service_link(key: &str) -> bool {
    let name = key.split_once('.').map_or(key, |(_, name)| name);
    ["port", "service_host"].contains(&name) || ["port_", "service_port"].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(flags: &[(&'static str, String)], env: &[(&str, &str)], file: Option<&str>) -> Result<Settings, SettingError> {
        let env: Vec<_> = env.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        Settings::resolve(flags, env.into_iter(), file.map(|f| (Path::new("x.toml"), f)))
    }

    #[test]
    fn the_defaults_hold_every_setting_and_each_is_valid() {
        let settings = resolve(&[], &[], None).unwrap();
        for setting in SETTINGS {
            assert!(settings.values.contains_key(setting.key), "{} has no default", setting.key);
        }
    }

    #[test]
    fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
        let file = Some("[ingest]\nheartbeat_interval = \"20s\"\n");
        let env = [("LIVEMETER_INGEST_HEARTBEAT_INTERVAL", "30s")];
        let flag = [("ingest.heartbeat_interval", "40s".to_string())];
        let read = |s: Result<Settings, SettingError>| s.unwrap().duration("ingest.heartbeat_interval").as_secs();
        assert_eq!(read(resolve(&[], &[], None)), 10);
        assert_eq!(read(resolve(&[], &[], file)), 20);
        assert_eq!(read(resolve(&[], &env, file)), 30);
        assert_eq!(read(resolve(&flag, &env, file)), 40);
    }

    #[test]
    fn what_kubernetes_says_of_its_services_is_no_setting() {
        let links = [("LIVEMETER_INGEST_PORT_8700_TCP_ADDR", "10.0.0.1"), ("LIVEMETER_QUERY_SERVICE_PORT_HTTP", "8701")];
        assert!(resolve(&[], &links, None).is_ok());
    }

    #[test]
    fn a_wrong_setting_is_refused_with_its_name_value_and_what_is_accepted() {
        let cases = [
            (
                resolve(&[], &[], Some("[ingest]\nbody_bytes_max = \"5 apples\"")),
                vec!["ingest.body_bytes_max", "x.toml", "5 apples", "1KiB", "size"],
            ),
            (
                resolve(&[], &[("LIVEMETER_QUERY_LISTEN", "localhost:1")], None),
                vec!["query.listen", "LIVEMETER_QUERY_LISTEN", "127.0.0.1:8700"],
            ),
            (resolve(&[], &[("LIVEMETER_QUERY_LISTN", "x")], None), vec!["LIVEMETER_QUERY_LISTN", "query.listen"]),
            (resolve(&[], &[], Some("[ingest]\nlisen = 1")), vec!["ingest.lisen", "ingest.listen"]),
            (resolve(&[], &[], Some("loose = 1")), vec!["loose", "ingest"]),
            (resolve(&[("up.viewers", "-3".into())], &[], None), vec!["up.viewers", "--viewers", "-3", "whole number"]),
        ];
        for (result, words) in cases {
            let message = result.unwrap_err().to_string();
            for word in words {
                assert!(message.replace(' ', "").contains(&word.replace(' ', "")), "{message:?} lacks {word:?}");
            }
        }
    }
}
