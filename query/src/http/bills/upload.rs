//! A request's body → a file or a text, within a limit and without long pauses.

use crate::bills::refusals;
use crate::config::Bills;
use crate::error::Error;
use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt};
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

/// The body in a file of its own beside the papers, so that it is on the disk that has room for it.
/// It goes when the returned guard goes.
pub async fn file(body: Body, what: &'static str, bytes_max: u64, config: &Bills) -> Result<NamedTempFile, Error> {
    let folder = config.root.join("uploads");
    let file = {
        let place = folder.clone();
        let make = move || {
            std::fs::create_dir_all(&place)?;
            tempfile::Builder::new().prefix(".upload-").tempfile_in(&place)
        };
        let made = tokio::task::spawn_blocking(make).await.map_err(|e| Error::Internal(e.to_string()))?;
        made.map_err(refusals::folder("making a file in", &folder))?
    };
    let write = |e| refusals::folder("writing to", &folder)(e);
    let mut out = tokio::fs::File::from_std(file.reopen().map_err(write)?);
    let mut parts = body.into_data_stream();
    let mut read = Reading { what, bytes_max, silence_ms: config.upload_silence_ms, bytes: 0 };
    while let Some(part) = read.next(&mut parts).await? {
        out.write_all(&part).await.map_err(|e| so_far(write(e), read.bytes))?;
    }
    out.flush().await.map_err(|e| so_far(write(e), read.bytes))?;
    Ok(file)
}

/// Of a full disk: how much had come.
fn so_far(error: Error, bytes: u64) -> Error {
    match error {
        Error::DiskFull { reason, .. } => Error::DiskFull { reason, bytes: Some(bytes) },
        other => other,
    }
}

/// A small body as text.
pub async fn text(body: Body, what: &'static str, bytes_max: u64, config: &Bills) -> Result<String, Error> {
    let mut parts = body.into_data_stream();
    let mut read = Reading { what, bytes_max, silence_ms: config.upload_silence_ms, bytes: 0 };
    let mut bytes = Vec::new();
    while let Some(part) = read.next(&mut parts).await? {
        bytes.extend_from_slice(&part);
    }
    String::from_utf8(bytes).map_err(|e| refusals::paper(what, "body", format!("the {what} is not UTF-8: {e}"), None))
}

struct Reading {
    what: &'static str,
    bytes_max: u64,
    silence_ms: u64,
    bytes: u64,
}

impl Reading {
    async fn next(&mut self, parts: &mut (impl Stream<Item = Result<Bytes, axum::Error>> + Unpin)) -> Result<Option<Bytes>, Error> {
        let broken = || Error::Upload { limit_ms: self.silence_ms };
        let part = match timeout(Duration::from_millis(self.silence_ms), parts.next()).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(part))) => part,
            Ok(Some(Err(_))) | Err(_) => return Err(broken()),
        };
        self.bytes += part.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(Error::TooLarge { field: self.what, value: self.bytes, limit: self.bytes_max, unit: "bytes so far" });
        }
        Ok(Some(part))
    }
}
