//! The keys of pseudonyms: a file of its own, so that it can be kept from those who read the ledger. A key is used
//! for sessions that began while it was the newest. Pure: the clock is passed in.

use super::{key, when};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// A billing period, at its longest. A user has one name within it, or the month could not be billed per user.
pub const ROTATION_MS_MIN: i64 = 31 * 86_400_000;
/// Keys are rotated monthly at most, so this is five years.
const KEYS_MAX: usize = 64;
/// Of a pseudonym's digits: 128 bits, so that two users never share one.
const DIGITS: usize = 32;
const ID_BYTES_MAX: usize = 16;
/// The longest name that can come out.
pub const PSEUDONYM_BYTES_MAX: usize = ID_BYTES_MAX + 1 + DIGITS;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key: Vec<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    id: String,
    valid_from: toml::Value,
    secret: Option<String>,
    /// A key whose secret is gone keeps its place, so that its id is never given again.
    destroyed: Option<toml::Value>,
}

#[derive(Debug, Clone)]
pub struct RingKey {
    pub id: String,
    pub valid_from_ms: i64,
    /// `None` once it is destroyed.
    keyed: Option<Hmac<Sha256>>,
}

impl RingKey {
    pub fn is_kept(&self) -> bool {
        self.keyed.is_some()
    }

    /// The user's name under this key; `None` when the key is destroyed. The app is part of what is hashed: one
    /// person who uses two apps cannot be recognised across them.
    pub fn pseudonym(&self, app: &str, user_id: &str) -> Option<String> {
        let mut keyed = self.keyed.clone()?;
        // Neither holds a NUL, so the two cannot run into each other.
        keyed.update(app.as_bytes());
        keyed.update(&[0]);
        keyed.update(user_id.as_bytes());
        let digits: String = hex::encode(keyed.finalize().into_bytes()).chars().take(DIGITS).collect();
        Some(format!("{}.{digits}", self.id))
    }
}

/// All keys, the oldest first.
#[derive(Debug, Clone)]
pub struct Ring {
    keys: Vec<RingKey>,
    reach_ms: i64,
}

impl Ring {
    pub fn parse(text: &str, reach_ms: i64) -> Result<Ring, String> {
        // A message about this file may not show a line of it.
        let file: File = toml::from_str(text).map_err(|e| e.message().chars().take(200).collect::<String>())?;
        if file.key.len() > KEYS_MAX {
            return Err(format!("{} keys; the limit is {KEYS_MAX}", file.key.len()));
        }
        let keys = file.key.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        for (before, after) in keys.iter().zip(keys.iter().skip(1)) {
            let days = (after.valid_from_ms - before.valid_from_ms) / 86_400_000;
            if after.valid_from_ms - before.valid_from_ms < ROTATION_MS_MIN {
                return Err(format!(
                    "key {:?} is valid_from {days} days after key {:?}; a billing period, {} days, is the least",
                    after.id,
                    before.id,
                    ROTATION_MS_MIN / 86_400_000
                ));
            }
        }
        let twice = keys.iter().enumerate().find(|(i, key)| keys.iter().take(*i).any(|before| before.id == key.id));
        match twice {
            Some((_, key)) => Err(format!("key {:?} stands there twice", key.id)),
            None => Ok(Ring { keys, reach_ms }),
        }
    }

    pub fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// Whether there is a key to name anyone with.
    pub fn is_usable(&self) -> bool {
        self.keys.iter().any(RingKey::is_kept)
    }

    /// The key of a session by its beginning, on its own clock as it says it every time: so all of a session has
    /// one name, whichever ingest hears it and however often the keys are rotated meanwhile. Beginnings older than
    /// `reach_ms` count as that old, so that a wrong clock cannot hold on to a key for ever.
    pub fn choose(&self, began_at_ms: i64, received_at_ms: i64) -> Option<&RingKey> {
        let at_ms = began_at_ms.max(received_at_ms.saturating_sub(self.reach_ms));
        let mut kept = self.keys.iter().filter(|key| key.is_kept());
        let first = kept.next()?;
        Some(kept.take_while(|key| key.valid_from_ms <= at_ms).last().unwrap_or(first))
    }

    /// From when on no session can ask for this key any more; `None` while it is the newest.
    pub fn unused_from_ms(&self, id: &str) -> Option<i64> {
        let next = self.keys.iter().skip_while(|key| key.id != id).nth(1)?;
        Some(next.valid_from_ms.saturating_add(self.reach_ms))
    }
}

fn read(words: Words) -> Result<RingKey, String> {
    let wrong = |what: &str| format!("key {:?}: {what}", words.id);
    let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    if words.id.is_empty() || words.id.len() > ID_BYTES_MAX || !words.id.bytes().all(good) {
        return Err(wrong("id must be 1 to 16 lower-case letters and digits"));
    }
    let valid_from_ms = when::read(&words.valid_from).ok_or_else(|| wrong("valid_from must be a day, or a time with its zone"))?;
    let keyed = match (&words.secret, &words.destroyed) {
        (Some(secret), None) => {
            let secret: [u8; 32] = key::unhex(secret).ok_or_else(|| wrong("secret must be 64 hex digits"))?;
            Some(Hmac::new_from_slice(&secret).map_err(|_| wrong("secret cannot be used"))?)
        }
        (None, Some(_)) => None,
        _ => return Err(wrong("either secret or destroyed is needed")),
    };
    Ok(RingKey { id: words.id, valid_from_ms, keyed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY_MS: i64 = 86_400_000;

    fn ring(keys: &[(&str, i64, bool)]) -> Result<Ring, String> {
        let lines: Vec<String> = keys
            .iter()
            .map(|(id, day, kept)| {
                let secret = if *kept { format!("secret = '{}'", hex::encode([*day as u8; 32])) } else { "destroyed = 2026-01-01".into() };
                format!("[[key]]\nid = '{id}'\nvalid_from = '{}'\n{secret}\n", when::show(day * DAY_MS))
            })
            .collect();
        Ring::parse(&lines.join(""), 62 * DAY_MS)
    }

    fn chosen(ring: &Ring, began_day: i64, received_day: i64) -> String {
        ring.choose(began_day * DAY_MS, received_day * DAY_MS).unwrap().id.clone()
    }

    #[test]
    fn a_session_keeps_its_key_across_a_rotation() {
        let ring = ring(&[("a", 100, true), ("b", 131, true), ("c", 200, true)]).unwrap();
        for (began, received, key) in [(99, 99, "a"), (130, 130, "a"), (130, 140, "a"), (131, 131, "b"), (131, 205, "b"), (200, 200, "c")] {
            assert_eq!(chosen(&ring, began, received), key, "{began} {received}");
        }
        assert_eq!(chosen(&ring, 0, 300), "c", "a clock that is years behind does not hold on to the oldest key");
        assert_eq!((ring.unused_from_ms("a"), ring.unused_from_ms("c")), (Some(193 * DAY_MS), None));
    }

    #[test]
    fn a_destroyed_key_names_nobody() {
        let ring = ring(&[("a", 100, false), ("b", 131, true)]).unwrap();
        assert_eq!(chosen(&ring, 100, 140), "b");
        assert_eq!(ring.keys()[0].pseudonym("demo", "u"), None);
        assert!(Ring::parse("", 0).is_ok_and(|r| !r.is_usable()));
    }

    #[test]
    fn names_tell_nothing_and_differ_by_app_user_and_key() {
        let ring = ring(&[("a", 100, true), ("b", 131, true)]).unwrap();
        let name = |key: usize, app: &str, user: &str| ring.keys()[key].pseudonym(app, user).unwrap();
        let names =
            [name(0, "demo", "ada"), name(1, "demo", "ada"), name(0, "other", "ada"), name(0, "demo", "bob"), name(0, "dem", "oada")];
        for (i, one) in names.iter().enumerate() {
            assert!(one.len() <= PSEUDONYM_BYTES_MAX && !one.contains("ada"));
            assert!(names.iter().skip(i + 1).all(|other| other != one));
        }
        assert_eq!(name(0, "demo", "ada"), names[0]);
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is_shown() {
        assert!(ring(&[("a", 100, true), ("b", 130, true)]).is_err_and(|e| e.contains("30 days after key \"a\"") && e.contains("31 days")));
        assert!(ring(&[("a", 100, true), ("a", 200, true)]).is_err_and(|e| e.contains("twice")));
        assert!(ring(&[("A", 100, true)]).is_err_and(|e| e.contains("lower-case")));
        let secret = hex::encode([0xab; 32]);
        for text in [
            format!("[[key]]\nid = 'a'\nvalid_from = 2026-01-01\nsecret = '{secret}0'\n"),
            format!("[[key]]\nid = 'a'\nvalid_from = 2026-01-01\nsecret = '{secret}\n"),
            format!("[[key]]\nid = 'a'\nvalid_from = 2026-01-01\nsecret = '{secret}'\ndestroyed = 2026-01-02\n"),
        ] {
            let why = Ring::parse(&text, 0).unwrap_err();
            assert!(!why.contains(&secret), "{why}");
        }
    }

    proptest! {
        /// Whatever the clocks say: one session, one name, as long as its keys are kept and it is not older than the reach.
        #[test]
        fn one_session_one_name(began in 0i64..400, lasts in 0i64..62, first in 0i64..100, gaps in proptest::collection::vec(31i64..90, 0..6)) {
            let ids = ["a", "b", "c", "d", "e", "f", "g"];
            let mut day = first;
            let mut keys = vec![(ids[0], day, true)];
            for (gap, id) in gaps.iter().zip(&ids[1..]) {
                day += gap;
                keys.push((id, day, true));
            }
            let ring = ring(&keys).unwrap();
            prop_assert_eq!(chosen(&ring, began, began), chosen(&ring, began, began + lasts));
        }
    }
}
