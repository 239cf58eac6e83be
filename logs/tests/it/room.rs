//! What every test here needs: a folder, a store, a request.

use livemeter_logs::{Filter, Format, ImportError, ImportRequest, Imported, Limits, LogStore, Traffic};
use std::ops::ControlFlow;
use std::path::PathBuf;

pub struct Room {
    pub folder: tempfile::TempDir,
    pub store: LogStore,
}

impl Room {
    pub fn new() -> Room {
        Room::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Room {
        let folder = tempfile::tempdir().unwrap();
        let store = LogStore::new(folder.path().join("bills"), limits);
        Room { folder, store }
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn import(&self, request: &ImportRequest) -> Result<Imported, ImportError> {
        self.store.import(request, &mut |_| ControlFlow::Continue(()))
    }

    /// A file of a known format, of vendor `v`.
    pub fn import_as(&self, format: &str, name: &str, bytes: impl AsRef<[u8]>) -> Result<Imported, ImportError> {
        self.import(&request(format, self.file(name, bytes)))
    }

    pub fn traffic(&self) -> Vec<Traffic> {
        self.store.traffic("v", 0, i64::MAX, &Filter::default()).unwrap()
    }

    /// Rows as (window, domain, region, bytes, requests).
    pub fn rows(&self) -> Vec<(i64, String, String, u64, u64)> {
        self.traffic().into_iter().map(|t| (t.window_start_ms, t.domain, t.region, t.bytes, t.requests)).collect()
    }

    /// Sessions as (id, bytes, requests).
    pub fn sessions(&self) -> Vec<(Option<String>, u64, u64)> {
        let all = self.store.sessions("v", 0, i64::MAX, &Filter::default()).unwrap();
        all.into_iter().map(|s| (s.session_id, s.bytes, s.requests)).collect()
    }

    /// Everything that lies in the vendor's folder but the lock.
    pub fn stored(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("bills/logs/v")) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != ".lock").collect()
    }
}

pub fn request(format: &str, path: PathBuf) -> ImportRequest {
    let mut request = ImportRequest::new("v", path, Format::named(format).unwrap(), 1_790_900_000_000);
    request.domain = (format == "nginx" || format == "fastly-clf").then(|| "live.example".to_owned());
    request
}

/// A line of CloudFront: so many bytes, this request, that session, `second` after 2026-10-01 00:00:00 UTC.
pub fn line(id: &str, second: u64, bytes: u64, session: &str) -> String {
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let query = if session.is_empty() { "-".to_owned() } else { format!("CMCD=sid%3D%22{session}%22") };
    format!(
        "2026-10-01\t{hour:02}:{minute:02}:{second:02}\tHKG62-C1\t{bytes}\t198.51.100.7\tGET\td1.cloudfront.net\t/live/a.ts\t200\t-\tMozilla/5.0\t{query}\t-\tHit\t\
         {id}\tlive.example\thttps\t310\t0.1\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t4711\t0.01\tHit\tvideo/mp2t\t{bytes}\t-\t-\n"
    )
}
