//! A session token → the claims it proves, or why it proves nothing. A JWT, signed by the app's own server with
//! EdDSA or HS256, which says who watches what over which CDNs. Pure: the clock is passed in.

use super::jws::{Parts, Signer};
use super::token_key::TokenKey;
use serde::{Deserialize, Serialize};

/// What a token must keep to.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub bytes_max: usize,
    pub lifetime_ms_max: i64,
    pub leeway_ms: i64,
    pub cdns_max: usize,
}

/// The claims as they stand in the token. Times are seconds since 1970, as in every JWT.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Body {
    /// The app.
    pub aud: String,
    /// The user.
    pub sub: String,
    /// The programme.
    pub prog: String,
    /// The CDNs that this session may report.
    pub cdns: Vec<String>,
    /// The session, where the app's server knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    pub exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
}

/// What a verified token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub user_id: String,
    pub programme_id: String,
    pub cdns: Vec<String>,
    pub session_id: Option<String>,
    pub not_before_ms: Option<i64>,
    /// Its `exp`, or the end of the key that signed it.
    pub until_ms: i64,
}

/// Why a token proves nothing. None of these is worth another attempt with the same token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("token is missing; this app's sessions need one")]
    Missing,
    #[error("token is {size} bytes; the limit is {limit}")]
    TooLong { size: usize, limit: usize },
    #[error("token is no JWT that can be read here: {0}")]
    Malformed(&'static str),
    #[error("token names no key (kid) of this app that is good now")]
    Key,
    #[error("token's alg is not that of the key it names")]
    Algorithm,
    #[error("token's signature is wrong")]
    Signature,
    #[error("token's claims are wrong: {0}")]
    Claims(String),
    #[error("token's aud is another app")]
    Audience,
    #[error("token's cdns are {count}; the limit is {limit}")]
    Cdns { count: usize, limit: usize },
    #[error("token expired {ago_s} s ago")]
    Expired { ago_s: i64 },
    #[error("token is good only in {in_s} s")]
    Early { in_s: i64 },
    #[error("token's exp is {ahead_s} s ahead; the limit is {limit_s}")]
    LongLived { ahead_s: i64, limit_s: i64 },
}

impl TokenFault {
    /// Size and limit, where there are any.
    pub fn measure(&self) -> (Option<i64>, Option<i64>) {
        match self {
            TokenFault::TooLong { size, limit } | TokenFault::Cdns { count: size, limit } => {
                (i64::try_from(*size).ok(), i64::try_from(*limit).ok())
            }
            TokenFault::LongLived { ahead_s, limit_s } => (Some(*ahead_s), Some(*limit_s)),
            _ => (None, None),
        }
    }
}

impl Claims {
    /// Whether they are good at this moment.
    pub fn still(&self, rules: &Rules, now_ms: i64) -> Result<(), TokenFault> {
        let late = now_ms.saturating_sub(self.until_ms);
        if late > rules.leeway_ms {
            return Err(TokenFault::Expired { ago_s: late / 1000 });
        }
        let early = self.not_before_ms.map_or(0, |from| from.saturating_sub(now_ms));
        if early > rules.leeway_ms {
            return Err(TokenFault::Early { in_s: early / 1000 });
        }
        Ok(())
    }
}

/// Checks all of it: length, key, algorithm, signature, audience, times.
pub fn verify(text: &str, app: &str, keys: &[TokenKey], rules: &Rules, now_ms: i64) -> Result<Claims, TokenFault> {
    if text.len() > rules.bytes_max {
        return Err(TokenFault::TooLong { size: text.len(), limit: rules.bytes_max });
    }
    let parts = Parts::of(text).map_err(TokenFault::Malformed)?;
    if parts.header.crit.is_some() {
        return Err(TokenFault::Malformed("it asks for extensions (crit)"));
    }
    let key = keys.iter().find(|key| Some(key.id.as_str()) == parts.header.kid.as_deref()).ok_or(TokenFault::Key)?;
    if key.not_after_ms.is_some_and(|last| now_ms > last) {
        return Err(TokenFault::Key);
    }
    // The key decides, not the token: no `none`, no public key taken for a secret.
    if parts.header.alg != key.verifier.algorithm() {
        return Err(TokenFault::Algorithm);
    }
    if !parts.verified_by(&key.verifier) {
        return Err(TokenFault::Signature);
    }
    let body: Body = serde_json::from_slice(&parts.body).map_err(|e| TokenFault::Claims(e.to_string().chars().take(120).collect()))?;
    if body.aud != app {
        return Err(TokenFault::Audience);
    }
    judge(body, key, rules, now_ms)
}

fn judge(body: Body, key: &TokenKey, rules: &Rules, now_ms: i64) -> Result<Claims, TokenFault> {
    if body.cdns.len() > rules.cdns_max {
        return Err(TokenFault::Cdns { count: body.cdns.len(), limit: rules.cdns_max });
    }
    let exp_ms = body.exp.saturating_mul(1000);
    let ahead_ms = exp_ms.saturating_sub(now_ms);
    if ahead_ms > rules.lifetime_ms_max.saturating_add(rules.leeway_ms) {
        return Err(TokenFault::LongLived { ahead_s: ahead_ms / 1000, limit_s: rules.lifetime_ms_max / 1000 });
    }
    let claims = Claims {
        user_id: body.sub,
        programme_id: body.prog,
        cdns: body.cdns,
        session_id: body.sid,
        not_before_ms: body.nbf.map(|s| s.saturating_mul(1000)),
        until_ms: key.not_after_ms.map_or(exp_ms, |last| last.min(exp_ms)),
    };
    claims.still(rules, now_ms)?;
    Ok(claims)
}

/// Signs a token: for tests, and for those who try things by hand. An app's server does this itself.
pub fn sign(body: &Body, kid: &str, key: &Signer) -> Result<String, String> {
    key.sign(kid, body)
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
