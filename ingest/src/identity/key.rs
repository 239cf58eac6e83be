//! Write keys. A key says which app a player belongs to and is good for writing alone. It stands in every
//! page that has a player, so it is no secret to its viewers; it keeps strangers, other apps' players
//! and mistakes out, and it can be taken back.

use hex::FromHex;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const PREFIX: &str = "lmw_";
const ID_HEX: usize = 8;
const SECRET_HEX: usize = 64;
/// `lmw_1a2b3c4d_` and 64 digits.
pub const KEY_BYTES: usize = PREFIX.len() + ID_HEX + 1 + SECRET_HEX;

/// A key as it is stored: enough to recognise it, too little to use it.
///
/// The hash is a fast one, without salt. A slow hash protects secrets that people choose, because those can be
/// guessed; here 256 random bits stand behind it, nobody guesses those at any speed, and ingest checks a key
/// with every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteKey {
    pub id: String,
    pub sha256: [u8; 32],
    /// The last moment at which it is good; `None` is until it is revoked.
    pub not_after_ms: Option<i64>,
}

impl WriteKey {
    /// Whether this is the key that was given. The time it takes tells nothing about how much of it was right.
    pub fn opens(&self, hash: &[u8; 32], now_ms: i64) -> bool {
        let same: bool = self.sha256.ct_eq(hash).into();
        same && self.not_after_ms.is_none_or(|last| now_ms <= last)
    }
}

/// The id within a key, when it has the shape of one.
pub fn id(key: &str) -> Option<&str> {
    let (id, secret) = key.strip_prefix(PREFIX)?.split_once('_')?;
    let is_hex = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex(id, ID_HEX) && is_hex(secret, SECRET_HEX)).then_some(id)
}

/// What is stored of it.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Random bytes as a key. Where they come from is the caller's business.
pub fn compose(id: [u8; ID_HEX / 2], secret: [u8; SECRET_HEX / 2]) -> String {
    format!("{PREFIX}{}_{}", hex::encode(id), hex::encode(secret))
}

/// `None` unless it is exactly `N` bytes in hex.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]>
where
    [u8; N]: FromHex,
{
    FromHex::from_hex(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_opens_until_its_last_moment() {
        let text = compose([0x1a, 0x2b, 0x3c, 0x4d], [7; 32]);
        assert_eq!((id(&text), text.len()), (Some("1a2b3c4d"), KEY_BYTES));
        let key = WriteKey { id: "1a2b3c4d".into(), sha256: hash(&text), not_after_ms: Some(10) };
        assert!(key.opens(&hash(&text), 10));
        assert!(!key.opens(&hash(&text), 11));
        assert!(!key.opens(&hash(&compose([0x1a, 0x2b, 0x3c, 0x4d], [8; 32])), 10));
    }

    #[test]
    fn what_is_no_key_has_no_id() {
        let good = compose([0; 4], [0; 32]);
        for text in ["", "lmw_", "lmw__", "lmw_00000000_", &good[..KEY_BYTES - 1], &good.to_uppercase(), &format!("{good}0")] {
            assert_eq!(id(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn hex_comes_back_and_any_text_is_taken_without_panic(bytes in any::<[u8; 32]>(), text in ".{0,80}") {
            prop_assert_eq!(unhex::<32>(&hex::encode(bytes)), Some(bytes));
            let _ = (unhex::<4>(&text), id(&text));
        }
    }
}
