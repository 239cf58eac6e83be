//! Sums per (window, domain, region, session) while a file is read, and the lines they come from.

use super::intern::Interner;
use crate::error::ImportError;
use crate::format::parser::Hit;
use crate::limits::Limits;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::collections::BTreeMap;
use std::hash::BuildHasher;

/// Windows are of five minutes, and begin where those of the ledger do.
pub const WINDOW_MS: i64 = 300_000;

/// No session: lines without one are summed together.
pub(crate) const NO_SESSION: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) window: u32,
    pub(crate) domain: u32,
    pub(crate) region: u32,
    pub(crate) session: u32,
}

impl Key {
    pub(crate) fn window_start_ms(self) -> i64 {
        i64::from(self.window) * WINDOW_MS
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) key: Key,
    pub(crate) bytes: u64,
    pub(crate) requests: u64,
    pub(crate) first_line: u64,
    pub(crate) last_line: u64,
}

/// The sums.
pub(crate) struct Groups {
    pub(crate) domains: Interner,
    pub(crate) regions: Interner,
    pub(crate) sessions: Interner,
    pub(crate) groups: Vec<Group>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Sessions that are none: too long, no text, control signs. Their lines count without a session.
    pub(crate) odd_sessions: u64,
    default_domain: Option<String>,
    default_region: String,
    /// The vendor's names of regions → the contract's.
    renamed: BTreeMap<String, String>,
    with_sessions: bool,
    keys_max: usize,
    key_bytes_max: usize,
}

/// Why a hit has no place among the sums.
pub(crate) enum NoGroup {
    /// The line is bad: field and reason.
    Bad(&'static str, String),
    Refused(ImportError),
}

impl Groups {
    pub(crate) fn new(request: &super::ImportRequest, limits: &Limits) -> Groups {
        Groups {
            domains: Interner::default(),
            regions: Interner::default(),
            sessions: Interner::default(),
            groups: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            odd_sessions: 0,
            default_domain: request.domain.as_ref().map(|domain| domain.to_ascii_lowercase()),
            default_region: request.region.clone().unwrap_or_default(),
            renamed: request.regions.clone(),
            with_sessions: !request.without_sessions,
            keys_max: limits.keys_max,
            key_bytes_max: limits.key_bytes_max,
        }
    }

    /// The number of the hit's group, made if it is new. Nothing is added to it yet.
    pub(crate) fn of(&mut self, hit: &Hit) -> Result<u32, NoGroup> {
        let window = u32::try_from(hit.time_ms.div_euclid(WINDOW_MS)).map_err(|_| NoGroup::Bad("time", "before 1970".to_owned()))?;
        let key = Key { window, domain: self.domain(hit.host)?, region: self.region(hit.region)?, session: self.session(hit.session) };
        let hash = self.hasher.hash_one(key);
        if let Some(group) = self.table.find(hash, |group| self.groups[*group as usize].key == key) {
            return Ok(*group);
        }
        if self.groups.len() >= self.keys_max {
            return Err(NoGroup::Refused(ImportError::Limit {
                field: "distinct windows × domains × regions × sessions; part the file, or import it without sessions",
                value: self.groups.len() as u64 + 1,
                limit: "keys_max",
                max: self.keys_max as u64,
            }));
        }
        let group = self.groups.len() as u32;
        self.groups.push(Group { key, bytes: 0, requests: 0, first_line: u64::MAX, last_line: 0 });
        let (table, groups, hasher) = (&mut self.table, &self.groups, &self.hasher);
        table.insert_unique(hash, group, |group| hasher.hash_one(groups[*group as usize].key));
        Ok(group)
    }

    pub(crate) fn add(&mut self, group: u32, bytes: u64, line: u64) {
        let group = &mut self.groups[group as usize];
        group.bytes += bytes;
        group.requests += 1;
        group.first_line = group.first_line.min(line);
        group.last_line = group.last_line.max(line);
    }

    fn domain(&mut self, host: &[u8]) -> Result<u32, NoGroup> {
        if let Some(id) = self.domains.find(host).filter(|_| !host.is_empty()) {
            return Ok(id);
        }
        let text = match (host, &self.default_domain) {
            (b"", Some(domain)) => domain.clone(),
            (b"", None) => return Err(NoGroup::Bad("host", "the line names none, and the import gives no `domain`".to_owned())),
            (host, _) => self.text("host", host)?.to_ascii_lowercase(),
        };
        self.domains.take(&text).ok_or_else(full)
    }

    fn region(&mut self, region: &[u8]) -> Result<u32, NoGroup> {
        let text = if region.is_empty() { self.default_region.as_str() } else { self.text("region", region)? };
        let text = self.renamed.get(text).map_or(text, String::as_str);
        match self.regions.find(text.as_bytes()) {
            Some(id) => Ok(id),
            None => self.regions.take(text).ok_or_else(full),
        }
    }

    fn session(&mut self, session: &[u8]) -> u32 {
        if session.is_empty() || !self.with_sessions {
            return NO_SESSION;
        }
        if let Some(id) = self.sessions.find(session) {
            return id;
        }
        // A viewer can write anything there: that must not cost the vendor the line.
        let known = self.text("session", session).ok().map(str::to_owned).and_then(|text| self.sessions.take(&text));
        known.filter(|id| *id != NO_SESSION).unwrap_or_else(|| {
            self.odd_sessions += 1;
            NO_SESSION
        })
    }

    fn text<'a>(&self, field: &'static str, bytes: &'a [u8]) -> Result<&'a str, NoGroup> {
        let text = std::str::from_utf8(bytes).map_err(|_| NoGroup::Bad(field, "no UTF-8".to_owned()))?;
        match text {
            _ if text.len() > self.key_bytes_max => {
                Err(NoGroup::Bad(field, format!("{} bytes are over the limit `key_bytes_max` of {}", text.len(), self.key_bytes_max)))
            }
            _ if text.chars().any(char::is_control) => Err(NoGroup::Bad(field, "control signs in it".to_owned())),
            _ => Ok(text),
        }
    }

    pub(crate) fn has_sessions(&self) -> bool {
        self.groups.iter().any(|group| group.key.session != NO_SESSION)
    }
}

fn full() -> NoGroup {
    let max = u64::from(u32::MAX);
    NoGroup::Refused(ImportError::Limit { field: "text of domains or regions, bytes", value: max + 1, limit: "4 GiB", max })
}
