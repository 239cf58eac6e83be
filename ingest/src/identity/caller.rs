//! One request: where from, with whose key, with which token. What is read from a URL or a header is not here:
//! see `http::credentials`.

use super::apps::{App, UserIds};
use super::token::Claims;
use super::{Identity, InForce, bind, pseudonym};
use crate::batch::Batch;
use crate::error::Fault;
use livemeter_schemas::answer;
use livemeter_schemas::event::Event;
use livemeter_schemas::record::Bound;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// An app, told by its key, under the rules that were in force when it knocked.
#[derive(Debug, Clone)]
pub struct Known {
    pub rules: Arc<InForce>,
    pub app: Arc<App>,
}

/// Who posts. `known` is `None` in open mode alone.
#[derive(Debug)]
pub struct Caller<'r> {
    pub peer: IpAddr,
    pub known: Option<Known>,
    /// From a header; a batch may carry one of its own.
    pub token: Option<&'r str>,
}

/// Whose key it is. Nothing of the body is needed, so a stranger's body is never read.
pub fn known(identity: &Identity, key: Option<&str>, now_ms: i64) -> Result<Option<Known>, Fault> {
    let Some(rules) = identity.in_force() else { return Ok(None) };
    let key = key.ok_or(Fault::KeyMissing)?;
    let app = rules.apps.holder(key, now_ms).ok_or(Fault::KeyRefused)?;
    Ok(Some(Known { rules, app }))
}

impl Caller<'_> {
    /// In open mode everything passes. Else: the batch must be the key's app's, its token must be good, and each
    /// event must be what both allow; one that is not costs only itself. What the token proves is given back.
    pub fn admit(&self, batch: &mut Batch, now_ms: i64) -> Result<Option<Arc<Claims>>, Fault> {
        let Some(Known { rules, app }) = &self.known else { return Ok(None) };
        if batch.app != app.id.as_str() {
            // The same words as for a wrong key: which of the two was wrong is nobody's business.
            return Err(Fault::KeyRefused);
        }
        let claims = match self.token.or(batch.token.as_deref()) {
            Some(token) => Some(rules.claims(app, token, now_ms).map_err(Fault::Token)?),
            None if app.token_required => return Err(Fault::Token(super::token::TokenFault::Missing)),
            None => None,
        };
        if claims.is_none() && app.allowed_cdns.is_none() {
            return Ok(None);
        }
        for judged in &mut batch.events {
            let refused = judged.verdict.as_ref().ok().and_then(|event| bind::check(event, app, claims.as_deref()).err());
            if let Some(refusal) = refused {
                judged.verdict = Err(refusal);
            }
        }
        Ok(claims)
    }

    /// What an event of this batch must keep to, should it be put back later.
    pub fn bound(&self, claims: Option<&Claims>) -> Option<Bound> {
        self.known.as_ref().and_then(|known| bind::kept(&known.app, claims))
    }

    /// Whose reports these are, where the session token says so: CMCD has no key for a user.
    pub fn user_id(&self, now_ms: i64) -> Result<Option<String>, Fault> {
        let (Some(Known { rules, app }), Some(token)) = (&self.known, self.token) else { return Ok(None) };
        rules.claims(app, token, now_ms).map(|claims| Some(claims.user_id.clone())).map_err(Fault::Token)
    }

    pub fn takes_cmcd(&self) -> bool {
        self.known.as_ref().is_none_or(|known| known.app.cmcd)
    }

    /// An accepted event as it is stored: as it was sent, or under the user's pseudonym.
    pub fn stored<'t>(&self, event: &Event, text: &'t str, received_at_ms: i64) -> Result<Cow<'t, str>, Fault> {
        let Some(Known { rules, app }) = self.known.as_ref().filter(|known| known.app.user_ids == UserIds::Pseudonym) else {
            return Ok(Cow::Borrowed(text));
        };
        let rewritten = rules.ring.as_ref().and_then(|ring| pseudonym::rewritten(event, &app.id, ring, received_at_ms));
        // Ingest does not start without a usable key; should there be none after all, nothing is stored.
        rewritten.map(Cow::Owned).ok_or(Fault::NoPseudonym)
    }

    /// Whether a refused text must not be kept: it holds ids that are stored as pseudonyms alone, or, as a whole
    /// batch, a token that is still good.
    pub fn withheld(&self, whole_batch: bool) -> bool {
        self.known
            .as_ref()
            .is_some_and(|Known { app, .. }| app.user_ids == UserIds::Pseudonym || (whole_batch && !app.token_keys.is_empty()))
    }

    pub fn heartbeat_ms(&self, otherwise: u64) -> u64 {
        self.known.as_ref().and_then(|known| known.app.heartbeat_ms).unwrap_or(otherwise)
    }

    pub fn sampling(&self) -> f64 {
        self.known.as_ref().map_or(answer::SAMPLING_ALL, |known| known.app.sampling)
    }
}
