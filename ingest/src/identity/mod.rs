//! Who may post, and as whom. Everything here is pure but [`file`]: the clock and the texts are passed in.
//!
//! * [`config`]     the settings of this part, each with its reason
//! * [`apps`]       the file of apps → what is in force
//! * [`key`]        write keys: public, good for writing alone, stored hashed
//! * [`jws`]        the compact form of a signed token: taken apart, verified, signed
//! * [`token_key`]  the keys that session tokens are signed with
//! * [`token`]      a session token → the claims it proves, or why it proves nothing
//! * [`cache`]      tokens that were verified already, bounded
//! * [`bind`]       an event against what its token and its app allow
//! * [`ring`]       the keys of pseudonyms, and which of them a session gets
//! * [`pseudonym`]  an event as it is stored for an app whose users have pseudonyms
//! * [`caller`]     one request: whose key, which token
//! * [`file`]       reading the files, and following their changes
//! * [`when`]       times as people write them

pub mod apps;
pub mod bind;
pub mod cache;
pub mod caller;
pub mod config;
pub mod file;
pub mod jws;
pub mod key;
pub mod pseudonym;
pub mod ring;
pub mod token;
pub mod token_key;
pub mod when;

pub use apps::{App, Apps};
pub use caller::{Caller, Known};
pub use config::Config;

use cache::TokenCache;
use ring::Ring;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use token::{Claims, TokenFault};

/// What the files said when they were last understood. A change replaces all of it at once, the tokens that
/// were verified under the old keys included.
#[derive(Debug)]
pub struct InForce {
    pub apps: Apps,
    pub ring: Option<Ring>,
    token_rules: token::Rules,
    verified: Mutex<TokenCache>,
}

impl InForce {
    pub fn new(apps: Apps, ring: Option<Ring>, config: &Config, cdns_max: usize) -> Self {
        let token_rules = token::Rules {
            bytes_max: config.token_bytes_max,
            lifetime_ms_max: config.token_lifetime_ms_max,
            leeway_ms: config.token_leeway_ms,
            cdns_max,
        };
        InForce { apps, ring, token_rules, verified: Mutex::new(TokenCache::new(config.token_cache_max)) }
    }

    /// What a token proves for this app. A signature is checked once, not once a heartbeat: that would cost
    /// more than all the rest of a small request.
    pub fn claims(&self, app: &App, text: &str, now_ms: i64) -> Result<Arc<Claims>, TokenFault> {
        let known = cache::name(&app.id, text);
        if let Some(claims) = self.verified().get(&known) {
            claims.still(&self.token_rules, now_ms)?;
            return Ok(claims);
        }
        let claims = Arc::new(token::verify(text, &app.id, &app.token_keys, &self.token_rules, now_ms)?);
        self.verified().put(known, claims.clone());
        Ok(claims)
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, TokenCache> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The identity of one running service. Without a file of apps anyone may post as any app: good for a first
/// look on one's own machine, and said loudly at the start.
#[derive(Debug, Default)]
pub struct Identity {
    in_force: RwLock<Option<Arc<InForce>>>,
}

impl Identity {
    pub fn known(in_force: InForce) -> Self {
        Identity { in_force: RwLock::new(Some(Arc::new(in_force))) }
    }

    /// `None` in open mode.
    pub fn in_force(&self) -> Option<Arc<InForce>> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, with: InForce) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(with));
    }
}
