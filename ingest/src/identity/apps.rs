//! The file of apps → what is in force. Pure: secrets that stand elsewhere are asked for by a function. A wrong
//! file is refused as a whole, by name: half of one would lock out somebody's players.

mod file;

pub use file::{Secret, parse};

use super::key::{self, WriteKey};
use super::token_key::TokenKey;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is stored as a user's id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserIds {
    #[default]
    AsSent,
    Pseudonym,
}

impl UserIds {
    pub fn as_str(self) -> &'static str {
        match self {
            UserIds::AsSent => "as_sent",
            UserIds::Pseudonym => "pseudonym",
        }
    }
}

/// One app (tenant).
#[derive(Debug)]
pub struct App {
    pub id: String,
    /// `None`: as the service is set.
    pub allowed_origins: Option<Vec<String>>,
    /// CDNs that its players may report; `None` is any.
    pub allowed_cdns: Option<HashSet<String>>,
    pub heartbeat_ms: Option<u64>,
    /// The share of sessions that should report while they play, from 0 to 1.
    pub sampling: f64,
    /// Whether CMCD reports are taken; if not, players are told to be silent for the rest of their session.
    pub cmcd: bool,
    pub token_required: bool,
    pub token_keys: Vec<TokenKey>,
    pub user_ids: UserIds,
}

/// All apps, found by the id of a key or by their own.
#[derive(Debug, Default)]
pub struct Apps {
    by_id: HashMap<String, Arc<App>>,
    by_key: HashMap<String, (WriteKey, Arc<App>)>,
}

impl Apps {
    /// The app that this key opens. An unknown id costs as much as a wrong secret.
    pub fn holder(&self, key: &str, now_ms: i64) -> Option<Arc<App>> {
        let id = key::id(key)?;
        let hash = key::hash(key);
        let (stored, app) = self.by_key.get(id)?;
        stored.opens(&hash, now_ms).then(|| app.clone())
    }

    pub fn get(&self, id: &str) -> Option<&Arc<App>> {
        self.by_id.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<App>> {
        self.by_id.values()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Write keys of one app, whether or not they are still good.
    pub fn keys<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a WriteKey> {
        self.by_key.values().filter(move |(_, of)| of.id == app).map(|(key, _)| key)
    }
}

#[cfg(test)]
#[path = "apps_tests.rs"]
mod tests;
