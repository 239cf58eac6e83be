//! `livemeter apps token`: a session token signed by hand, to try things with. It is checked as ingest would check it.

use super::{AppsFile, now_ms, print};
use crate::cli::Failure;
use clap::ArgMatches;
use livemeter_ingest::file::read;
use livemeter_ingest::identity::jws::Signer;
use livemeter_ingest::identity::token::{Body, Rules, sign, verify};
use livemeter_ingest::identity::token_key::{ed25519_private, hs256_secret};
use std::path::Path;

/// A key file is a few lines.
const KEY_BYTES_MAX: usize = 16 * 1024;

pub fn command(file: &AppsFile, given: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| given.get_one::<String>(name).cloned();
    let (app, kid) = (text("app").unwrap_or_default(), text("kid").unwrap_or_default());
    let ttl_s: i64 = text("ttl").and_then(|t| t.parse().ok()).filter(|s| *s > 0).ok_or_else(|| Failure::usage("--ttl must be seconds"))?;
    let now_ms = now_ms();
    let body = Body {
        aud: app.clone(),
        sub: text("user").unwrap_or_default(),
        prog: text("programme").unwrap_or_default(),
        cdns: given.get_many::<String>("cdn").unwrap_or_default().cloned().collect(),
        sid: text("session"),
        exp: now_ms / 1000 + ttl_s,
        nbf: None,
    };
    let key = signing_key(given)?;
    let token = sign(&body, &kid, &key).map_err(Failure::usage)?;
    let apps = file.apps(&file.text()?.ok_or_else(|| file.wrong("there is no such file"))?)?;
    let known = apps.get(&app).ok_or_else(|| file.wrong(&format!("there is no app {app:?}")))?;
    let rules = Rules {
        bytes_max: file.config.token_bytes_max,
        lifetime_ms_max: file.config.token_lifetime_ms_max,
        leeway_ms: file.config.token_leeway_ms,
        cdns_max: usize::MAX,
    };
    verify(&token, &app, &known.token_keys, &rules, now_ms).map_err(|why| Failure::usage(format!("ingest would refuse it: {why}")))?;
    print(&token);
    Ok(())
}

fn signing_key(given: &ArgMatches) -> Result<Signer, Failure> {
    let contents = |path: &String| read(Path::new(path), KEY_BYTES_MAX).map_err(|why| Failure::usage(format!("{path}: {why}")));
    match (given.get_one::<String>("private-key"), given.get_one::<String>("secret")) {
        (Some(path), None) => {
            let key = ed25519_private(&String::from_utf8_lossy(&contents(path)?));
            key.map_err(|why| Failure::usage(format!("{path}: {why}")))
        }
        (None, Some(path)) => {
            let bytes = contents(path)?;
            let secret = hs256_secret(&bytes).map_err(|why| Failure::usage(format!("{path}: {why}")))?;
            Signer::hs256(secret).map_err(Failure::new)
        }
        _ => Err(Failure::usage("say either --private-key FILE or --secret FILE")),
    }
}
