//! The words of the file of apps, and how they are read.

use super::super::config::Config;
use super::super::jws::Verifier;
use super::super::key::{self, WriteKey};
use super::super::token_key::{self, TokenKey};
use super::super::when;
use super::{App, Apps, UserIds};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;

/// An SDK takes no interval outside of these.
const HEARTBEAT_MS: std::ops::RangeInclusive<u64> = 1_000..=300_000;

/// A secret or key that stands elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret<'a> {
    File(&'a str),
    Environment(&'a str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    app: Vec<AppWords>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppWords {
    id: String,
    allowed_origins: Option<Vec<String>>,
    allowed_cdns: Option<HashSet<String>>,
    heartbeat_ms: Option<u64>,
    sampling: Option<f64>,
    cmcd: Option<bool>,
    #[serde(default)]
    token_required: bool,
    #[serde(default)]
    user_ids: UserIds,
    #[serde(default)]
    key: Vec<KeyWords>,
    #[serde(default)]
    token_key: Vec<TokenKeyWords>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyWords {
    id: String,
    sha256: String,
    not_after: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenKeyWords {
    id: String,
    alg: String,
    public_key: Option<String>,
    public_key_file: Option<String>,
    secret_file: Option<String>,
    secret_env: Option<String>,
    not_after: Option<toml::Value>,
}

/// Reads the whole file. `secret` gets what stands elsewhere.
pub fn parse(text: &str, config: &Config, secret: &dyn Fn(Secret) -> Result<Vec<u8>, String>) -> Result<Apps, String> {
    if text.len() > config.apps_file_bytes_max {
        return Err(format!("it is {} bytes; the limit is {}", text.len(), config.apps_file_bytes_max));
    }
    let file: File = toml::from_str(text).map_err(|e| {
        let line = e.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.matches('\n').count() + 1);
        format!("line {line}: {}", e.message())
    })?;
    at_most("apps", file.app.len(), config.apps_max)?;
    let mut apps = Apps::default();
    for words in file.app {
        let id = words.id.clone();
        add(&mut apps, words, config, secret).map_err(|why| format!("app {id:?}: {why}"))?;
    }
    Ok(apps)
}

fn add(apps: &mut Apps, words: AppWords, config: &Config, secret: &dyn Fn(Secret) -> Result<Vec<u8>, String>) -> Result<(), String> {
    check_words(&words, config)?;
    let token_keys = words.token_key.iter().map(|key| token_key(key, secret)).collect::<Result<Vec<_>, _>>()?;
    let mut kids = HashSet::new();
    if let Some(twice) = token_keys.iter().find(|key| !kids.insert(&key.id)) {
        return Err(format!("token key {:?} stands there twice", twice.id));
    }
    let app = Arc::new(App {
        id: words.id,
        allowed_origins: words.allowed_origins,
        allowed_cdns: words.allowed_cdns,
        heartbeat_ms: words.heartbeat_ms,
        sampling: words.sampling.unwrap_or(1.0),
        cmcd: words.cmcd.unwrap_or(true),
        token_required: words.token_required,
        token_keys,
        user_ids: words.user_ids,
    });
    for words in words.key {
        let key = write_key(words)?;
        let id = key.id.clone();
        if let Some((_, of)) = apps.by_key.insert(id.clone(), (key, app.clone())) {
            return Err(format!("key {id} is one of app {:?} too", of.id));
        }
    }
    match apps.by_id.insert(app.id.clone(), app) {
        Some(_) => Err("it stands there twice".into()),
        None => Ok(()),
    }
}

fn check_words(words: &AppWords, config: &Config) -> Result<(), String> {
    if words.id.is_empty() || words.id.len() > 128 || words.id.chars().any(char::is_control) {
        return Err("id must have 1 to 128 bytes and no control characters".into());
    }
    at_most("keys", words.key.len(), config.app_keys_max)?;
    at_most("token keys", words.token_key.len(), config.app_keys_max)?;
    if let Some(ms) = words.heartbeat_ms.filter(|ms| !HEARTBEAT_MS.contains(ms)) {
        return Err(format!("heartbeat_ms is {ms}; accepted: {} to {}", HEARTBEAT_MS.start(), HEARTBEAT_MS.end()));
    }
    if let Some(share) = words.sampling.filter(|share| !(0.0..=1.0).contains(share)) {
        return Err(format!("sampling is {share}; accepted: 0 to 1"));
    }
    if words.token_required && words.token_key.is_empty() {
        return Err("token_required is true and there is no token_key: nobody could post".into());
    }
    Ok(())
}

fn write_key(words: KeyWords) -> Result<WriteKey, String> {
    let wrong = |what: &str| format!("key {:?}: {what}", words.id);
    if key::unhex::<4>(&words.id).is_none() {
        return Err(wrong("id must be 8 hex digits, as `livemeter apps key add` makes them"));
    }
    let sha256 = key::unhex(&words.sha256).ok_or_else(|| wrong("sha256 must be 64 hex digits"))?;
    let not_after_ms = last_moment(words.not_after.as_ref()).map_err(|e| wrong(&e))?;
    Ok(WriteKey { id: words.id, sha256, not_after_ms })
}

fn token_key(words: &TokenKeyWords, secret: &dyn Fn(Secret) -> Result<Vec<u8>, String>) -> Result<TokenKey, String> {
    let wrong = |what: String| format!("token key {:?}: {what}", words.id);
    let verifier = match words.alg.as_str() {
        "EdDSA" => public_key(words, secret).map_err(wrong)?,
        "HS256" => shared_secret(words, secret).map_err(wrong)?,
        other => return Err(wrong(format!("alg is {other:?}; accepted: EdDSA or HS256"))),
    };
    let not_after_ms = last_moment(words.not_after.as_ref()).map_err(wrong)?;
    Ok(TokenKey { id: words.id.clone(), verifier, not_after_ms })
}

fn public_key(words: &TokenKeyWords, secret: &dyn Fn(Secret) -> Result<Vec<u8>, String>) -> Result<Verifier, String> {
    let text = match (&words.public_key, &words.public_key_file, &words.secret_file, &words.secret_env) {
        (Some(text), None, None, None) => text.clone(),
        (None, Some(path), None, None) => String::from_utf8(secret(Secret::File(path))?).map_err(|_| "public_key_file is not text")?,
        _ => return Err("EdDSA needs public_key or public_key_file, and nothing else".into()),
    };
    token_key::ed25519_public(&text)
}

fn shared_secret(words: &TokenKeyWords, secret: &dyn Fn(Secret) -> Result<Vec<u8>, String>) -> Result<Verifier, String> {
    let bytes = match (&words.secret_file, &words.secret_env, &words.public_key, &words.public_key_file) {
        (Some(path), None, None, None) => secret(Secret::File(path))?,
        (None, Some(name), None, None) => secret(Secret::Environment(name))?,
        _ => return Err("HS256 needs secret_file or secret_env, and nothing else: a secret does not stand in this file".into()),
    };
    token_key::hs256_secret(&bytes).and_then(Verifier::hs256)
}

fn last_moment(value: Option<&toml::Value>) -> Result<Option<i64>, String> {
    let Some(value) = value else { return Ok(None) };
    when::read(value).map(Some).ok_or_else(|| "not_after must be a day, or a time with its zone".to_owned())
}

fn at_most(what: &str, count: usize, limit: usize) -> Result<(), String> {
    if count > limit { Err(format!("{count} {what}; the limit is {limit}")) } else { Ok(()) }
}
