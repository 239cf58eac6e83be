//! Texts that come again and again, each kept once and known by a number.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Numbers texts from 0 in the order of their coming.
#[derive(Default)]
pub(crate) struct Interner {
    text: String,
    /// Where each text ends; it begins where the one before ends.
    ends: Vec<u32>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    /// The number of a text that was taken before.
    pub(crate) fn find(&self, text: &[u8]) -> Option<u32> {
        self.table.find(self.hasher.hash_one(text), |id| self.bytes(*id) == text).copied()
    }

    /// Takes a text. None when the room of 4 GiB is used up.
    pub(crate) fn take(&mut self, text: &str) -> Option<u32> {
        if let Some(id) = self.find(text.as_bytes()) {
            return Some(id);
        }
        let (id, end) = (u32::try_from(self.ends.len()).ok()?, u32::try_from(self.text.len() + text.len()).ok()?);
        self.text.push_str(text);
        self.ends.push(end);
        let (table, all, ends, hasher) = (&mut self.table, &self.text, &self.ends, &self.hasher);
        let hash = hasher.hash_one(text.as_bytes());
        table.insert_unique(hash, id, |id| hasher.hash_one(slice(all, ends, *id).as_bytes()));
        Some(id)
    }

    pub(crate) fn get(&self, id: u32) -> &str {
        slice(&self.text, &self.ends, id)
    }

    fn bytes(&self, id: u32) -> &[u8] {
        self.get(id).as_bytes()
    }
}

fn slice<'a>(text: &'a str, ends: &[u32], id: u32) -> &'a str {
    let start = id.checked_sub(1).map_or(0, |before| ends[before as usize]);
    &text[start as usize..ends[id as usize] as usize]
}
