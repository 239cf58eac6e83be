//! Texts → small numbers, so that rows are grouped by comparing numbers; and how much memory tables and
//! lists take, told before they grow. Exact: a number stands for one text, never for a hash of it. Pure.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Distinct texts, numbered from 0 in the order they were first seen. Each lies within a number of its
/// own: the same text within another is another (a session id belongs to its app).
#[derive(Default)]
pub struct Texts {
    text: String,
    spans: Vec<Span>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    last: u32,
}

/// Where a text ends (it begins where the one before ends), and what it lies within.
#[derive(Clone, Copy)]
struct Span {
    end: usize,
    within: u32,
}

impl Texts {
    pub fn number(&mut self, within: u32, text: &str) -> u32 {
        // Neighbouring rows often share a value.
        if read(&self.text, &self.spans, self.last) == Some((within, text)) {
            return self.last;
        }
        let hash = self.hasher.hash_one((within, text));
        let known = self.table.find(hash, |&number| read(&self.text, &self.spans, number) == Some((within, text)));
        self.last = match known {
            Some(&number) => number,
            None => self.add(hash, within, text),
        };
        self.last
    }

    fn add(&mut self, hash: u64, within: u32, text: &str) -> u32 {
        let number = self.spans.len() as u32;
        self.text.push_str(text);
        self.spans.push(Span { end: self.text.len(), within });
        let (text, spans, hasher) = (&self.text, &self.spans, &self.hasher);
        self.table.insert_unique(hash, number, |&other| hasher.hash_one(read(text, spans, other).unwrap_or_default()));
        number
    }

    pub fn text(&self, number: u32) -> &str {
        read(&self.text, &self.spans, number).map_or("", |(_, text)| text)
    }

    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes held at most while `more` texts of `text_bytes` together are added.
    pub fn room_bytes(&self, more: usize, text_bytes: usize) -> usize {
        let text = grown_bytes(self.text.len(), self.text.capacity(), text_bytes);
        text + list_bytes(&self.spans, more) + table_bytes::<u32>(self.table.len(), self.table.capacity(), more)
    }
}

fn read<'a>(text: &'a str, spans: &[Span], number: u32) -> Option<(u32, &'a str)> {
    let at = number as usize;
    let span = spans.get(at)?;
    let start = at.checked_sub(1).and_then(|before| spans.get(before)).map_or(0, |before| before.end);
    Some((span.within, text.get(start..span.end)?))
}

/// Bytes that a list holds at most while `more` entries are added.
pub fn list_bytes<T>(list: &Vec<T>, more: usize) -> usize {
    grown_bytes(list.len(), list.capacity(), more) * size_of::<T>()
}

/// Entries' worth of memory: while it grows, the old and the new are held at once.
fn grown_bytes(len: usize, capacity: usize, more: usize) -> usize {
    if len + more <= capacity { capacity } else { capacity + (2 * capacity).max(len + more) }
}

/// Bytes that a hash table of `T` holds at most while `more` entries are added.
pub fn table_bytes<T>(len: usize, capacity: usize, more: usize) -> usize {
    // A table is at most 7/8 full, has a power of two of places, and spends a byte on each beside the entry.
    let held = |entries: usize| (entries * 8).div_ceil(7).max(4).next_power_of_two() * (size_of::<T>() + 1);
    if len + more <= capacity { held(capacity) } else { held(capacity) + held((len + more).max(capacity + 1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn a_number_stands_for_one_text(texts in proptest::collection::vec((0_u32..3, "[ab]{0,3}"), 0..300)) {
            let mut numbers = Texts::default();
            let mut known: HashMap<(u32, String), u32> = HashMap::new();
            for (within, text) in texts {
                let next = known.len() as u32;
                let expected = *known.entry((within, text.clone())).or_insert(next);
                prop_assert_eq!(numbers.number(within, &text), expected);
                prop_assert_eq!(numbers.text(expected), text);
            }
            prop_assert_eq!(numbers.len(), known.len());
        }
    }

    #[test]
    fn no_table_and_no_list_outgrows_what_was_told() {
        let mut table: hashbrown::HashMap<[u32; 2], i64> = hashbrown::HashMap::new();
        let mut list: Vec<[u64; 3]> = Vec::new();
        let mut held = (0, 0);
        for i in 0..100_000_u32 {
            let told = (table_bytes::<([u32; 2], i64)>(table.len(), table.capacity(), 1), list_bytes(&list, 1));
            table.insert([i, i], 0);
            list.push([0; 3]);
            // Some bytes of alignment and of padding around the table.
            let now = (table.allocation_size(), list.capacity() * 24);
            let at_once = |before: usize, now: usize| if now > before { before + now } else { now };
            assert!(at_once(held.0, now.0) <= told.0 + 64, "{i}: {now:?} {told:?}");
            // The first allocation of a list is four entries.
            assert!(at_once(held.1, now.1) <= told.1.max(96), "{i}: {now:?} {told:?}");
            held = now;
        }
    }
}
