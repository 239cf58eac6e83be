//! Tokens that were verified already. Bounded by two generations: when the young one is full it becomes the old
//! one, and what nobody asks for goes with the next turn. Only what was verified is kept, so nobody can
//! push others out with forgeries.

use super::token::Claims;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// A token's name in here. The app is part of it: a token proves nothing to another app.
pub type Name = [u8; 32];

pub fn name(app: &str, token: &str) -> Name {
    // No app id contains a NUL, so the two cannot run into each other.
    Sha256::new().chain_update(app).chain_update([0]).chain_update(token).finalize().into()
}

#[derive(Debug)]
pub struct TokenCache {
    half: usize,
    young: HashMap<Name, Arc<Claims>>,
    old: HashMap<Name, Arc<Claims>>,
}

impl TokenCache {
    pub fn new(most: usize) -> Self {
        TokenCache { half: most / 2, young: HashMap::new(), old: HashMap::new() }
    }

    /// Whether they are still good is the caller's question.
    pub fn get(&mut self, name: &Name) -> Option<Arc<Claims>> {
        if let Some(claims) = self.young.get(name) {
            return Some(claims.clone());
        }
        let claims = self.old.remove(name)?;
        self.put(*name, claims.clone());
        Some(claims)
    }

    pub fn put(&mut self, name: Name, claims: Arc<Claims>) {
        if self.half == 0 {
            return;
        }
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, claims);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claims() -> Arc<Claims> {
        Arc::new(Claims { user_id: "u".into(), programme_id: "p".into(), cdns: vec![], session_id: None, not_before_ms: None, until_ms: 1 })
    }

    #[test]
    fn the_same_token_has_another_name_in_another_app() {
        assert_ne!(name("a", "bc"), name("ab", "c"));
        assert_eq!(name("a", "t"), name("a", "t"));
    }

    proptest! {
        #[test]
        fn it_never_holds_more_than_it_may_and_what_is_used_stays(asks in proptest::collection::vec(0u8..40, 0..300)) {
            let mut cache = TokenCache::new(10);
            let favourite = name("a", "favourite");
            cache.put(favourite, claims());
            for ask in asks {
                let asked = name("a", &ask.to_string());
                if cache.get(&asked).is_none() {
                    cache.put(asked, claims());
                }
                prop_assert!(cache.get(&favourite).is_some());
                prop_assert!(cache.len() <= 10);
            }
        }
    }
}
