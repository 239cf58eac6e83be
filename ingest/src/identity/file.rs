//! Reading the files of identity, and following their changes. A file that is broken when the service starts
//! keeps it from starting; one that breaks later is told, counted, and changes nothing.

use super::apps::{Secret, UserIds, parse};
use super::config::Config;
use super::ring::Ring;
use super::{Identity, InForce};
use crate::error::Error;
use crate::file::{Mark, mark, read};
use crate::intake::Intake;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A secret is a line of text, and the file of pseudonyms' keys holds five years of them.
const SECRET_BYTES_MAX: usize = 16 * 1024;

/// What is in force at the start. Open mode is one warning in the log.
pub fn identity(config: &Config, cdns_max: usize) -> Result<Identity, Error> {
    match in_force(config, cdns_max)? {
        Some(in_force) => Ok(Identity::known(in_force)),
        None => {
            tracing::warn!("no ingest.apps_file is set: anyone who reaches this service may post as any app");
            Ok(Identity::default())
        }
    }
}

/// Reads and understands all files; `None` when there are none to read.
pub fn in_force(config: &Config, cdns_max: usize) -> Result<Option<InForce>, Error> {
    let Some(path) = &config.apps_file else { return Ok(None) };
    let wrong = |reason: String| Error::File { setting: "ingest.apps_file", path: path.clone(), reason };
    let text = read(path, config.apps_file_bytes_max).map_err(wrong)?;
    let text = String::from_utf8(text).map_err(|_| wrong("it is not UTF-8".into()))?;
    let apps = parse(&text, config, &|secret| elsewhere(path, secret)).map_err(wrong)?;
    let ring = ring(config)?;
    let named = apps.iter().find(|app| app.user_ids == UserIds::Pseudonym);
    if let Some(app) = named.filter(|_| !ring.as_ref().is_some_and(Ring::is_usable)) {
        return Err(wrong(format!("app {:?} has pseudonyms, and ingest.pseudonym_keys_file gives no key for them", app.id)));
    }
    Ok(Some(InForce::new(apps, ring, config, cdns_max)))
}

fn ring(config: &Config) -> Result<Option<Ring>, Error> {
    let Some(path) = &config.pseudonym_keys_file else { return Ok(None) };
    let wrong = |reason: String| Error::File { setting: "ingest.pseudonym_keys_file", path: path.clone(), reason };
    let text = read(path, SECRET_BYTES_MAX).map_err(wrong)?;
    let text = String::from_utf8(text).map_err(|_| wrong("it is not UTF-8".into()))?;
    Ring::parse(&text, config.pseudonym_reach_ms).map(Some).map_err(wrong)
}

/// Looks for changes until the service ends. A change is a new time, length or file; secrets that stand in files
/// of their own are read again when the file that names them changes.
pub async fn follow(intake: Arc<Intake>) {
    let (config, cdns_max) = (intake.config.identity.clone(), intake.config.limits.cdns_max);
    let mut seen = marks(&config);
    loop {
        tokio::time::sleep(Duration::from_millis(config.apps_poll_ms)).await;
        let (asked, before) = (config.clone(), seen.clone());
        let look = move || {
            let now = marks(&asked);
            (now != before).then(|| (now, in_force(&asked, cdns_max)))
        };
        let Ok(Some((now, result))) = tokio::task::spawn_blocking(look).await else { continue };
        seen = now;
        match result {
            Ok(Some(in_force)) => {
                tracing::info!(apps = in_force.apps.len(), "the file of apps has changed; the new one is in force");
                intake.metrics.apps_reloads.taken.inc();
                intake.identity.replace(in_force);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "the file of apps has changed and cannot be used; the old one stays in force");
                intake.metrics.apps_reloads.refused.inc();
            }
        }
    }
}

fn marks(config: &Config) -> Vec<Option<Mark>> {
    config.apps_file.iter().chain(&config.pseudonym_keys_file).map(|path| mark(path)).collect()
}

/// A secret that the file of apps names: beside that file, or in the environment.
pub fn elsewhere(apps_file: &Path, secret: Secret) -> Result<Vec<u8>, String> {
    match secret {
        Secret::File(name) => {
            let path = apps_file.parent().unwrap_or(Path::new("")).join(name);
            read(&path, SECRET_BYTES_MAX).map_err(|why| format!("{name}: {why}"))
        }
        Secret::Environment(name) => {
            std::env::var(name).map(String::into_bytes).map_err(|_| format!("the environment has no variable {name}"))
        }
    }
}
