//! Closed periods as files below the ledger's root: made once, never changed. On a local folder a file is on
//! the disk before anybody is told that the period is closed.

use super::PeriodError;
use crate::durable;
use crate::error::Error;
use futures::TryStreamExt;
use livemeter_schemas::period::{ClosedPeriod, FOLDER};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use url::Url;

/// `periods/2026-10_Asia-Shanghai.json`, below the ledger's root. Zones hold no `.` and no `..`.
pub(super) fn name(period: &str, tz: &str) -> String {
    format!("{FOLDER}/{period}_{}.json", tz.replace('/', "-"))
}

/// The ledger's root as a store, and a path's prefix within it.
fn store(root: &Url) -> Result<(Box<dyn ObjectStore>, Path), Error> {
    object_store::parse_url(root).map_err(Error::storage("opening the ledger's folder"))
}

fn at(prefix: &Path, name: &str) -> Path {
    Path::from(format!("{prefix}/{name}"))
}

pub(super) async fn refuse_closed(root: &Url, period: &str, tz: &str) -> Result<(), PeriodError> {
    match read(root, period, tz).await {
        Ok(_) => Err(closed_already(period, tz)),
        Err(PeriodError::NotClosed { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn closed_already(period: &str, tz: &str) -> PeriodError {
    PeriodError::ClosedAlready { period: period.to_owned(), tz: tz.to_owned(), file: name(period, tz) }
}

pub(super) async fn create(root: &Url, closed: &ClosedPeriod) -> Result<(), PeriodError> {
    let file = name(&closed.period, &closed.tz);
    let text = serde_json::to_vec_pretty(closed).map_err(|e| PeriodError::Unreadable { file: file.clone(), reason: e.to_string() })?;
    let (store, prefix) = store(root)?;
    let once = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match store.put_opts(&at(&prefix, &file), PutPayload::from(text), once).await {
        Ok(_) => {}
        Err(object_store::Error::AlreadyExists { .. }) => return Err(closed_already(&closed.period, &closed.tz)),
        Err(error) => return Err(Error::storage("keeping the closed period")(error).into()),
    }
    // The file, its folder, and the folder's own name.
    durable::files(root, [file.as_str(), FOLDER].into_iter()).await?;
    Ok(())
}

/// One closed period.
pub async fn read(root: &Url, period: &str, tz: &str) -> Result<ClosedPeriod, PeriodError> {
    super::bounds(period, tz)?;
    let file = name(period, tz);
    let (store, prefix) = store(root)?;
    let answer = match store.get(&at(&prefix, &file)).await {
        Err(object_store::Error::NotFound { .. }) => {
            return Err(PeriodError::NotClosed { period: period.to_owned(), tz: tz.to_owned(), file });
        }
        other => other.map_err(Error::storage("reading a closed period"))?,
    };
    parse(file, &answer.bytes().await.map_err(Error::storage("reading a closed period"))?)
}

/// All of them, by name.
pub async fn list(root: &Url) -> Result<Vec<ClosedPeriod>, PeriodError> {
    let (store, prefix) = store(root)?;
    let found: Vec<_> = store.list(Some(&at(&prefix, FOLDER))).try_collect().await.map_err(Error::storage("listing closed periods"))?;
    let mut paths: Vec<Path> = found.into_iter().map(|meta| meta.location).filter(|path| path.as_ref().ends_with(".json")).collect();
    paths.sort();
    let mut periods = Vec::with_capacity(paths.len());
    for path in paths {
        let answer = store.get(&path).await.map_err(Error::storage("reading a closed period"))?;
        let bytes = answer.bytes().await.map_err(Error::storage("reading a closed period"))?;
        periods.push(parse(path.to_string(), &bytes)?);
    }
    Ok(periods)
}

fn parse(file: String, bytes: &[u8]) -> Result<ClosedPeriod, PeriodError> {
    let closed: ClosedPeriod =
        serde_json::from_slice(bytes).map_err(|e| PeriodError::Unreadable { file: file.clone(), reason: e.to_string() })?;
    if closed.v == super::VERSION {
        return Ok(closed);
    }
    Err(PeriodError::Unreadable { file, reason: format!("v is {}; this version reads {}", closed.v, super::VERSION) })
}
