//! Uploads at their limits: too large, too slow, broken off, onto a full disk, half sound. Each is refused with what is
//! over which limit, and nothing of it is kept.

use crate::bills::{CONTRACT, TEMPLATE};
use crate::support::{Answer, Ledger, Service};
use livemeter_query::Config;
use serde_json::json;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn served(change: impl FnOnce(&mut Config)) -> (Ledger, Service) {
    let ledger = Ledger::empty();
    let root = ledger.folder.path().join("bills");
    let service = ledger
        .serve(|config| {
            config.bills.root = root;
            change(config);
        })
        .await;
    (ledger, service)
}

/// Every file below the bill check's folder but empty locks: what a refused upload may not leave.
fn left(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.metadata() {
            Ok(about) if about.is_dir() => found.extend(left(&path)),
            Ok(about) if about.len() > 0 => found.push(path),
            _ => {}
        }
    }
    found
}

fn told(answer: &Answer) -> (u16, Option<String>, Option<i64>, Option<i64>) {
    let problem = answer.json();
    (answer.status, problem["field"].as_str().map(str::to_owned), problem["value"].as_i64(), problem["limit"].as_i64())
}

const UPLOADS: [(&str, &str, &str); 5] = [
    ("PUT", "/v1/bills/contracts", "contract"),
    ("PUT", "/v1/bills/templates/acme", "template"),
    ("PUT", "/v1/bills/formats/edge", "format"),
    ("POST", "/v1/bills/logs?vendor=acme&format=nginx", "log"),
    ("POST", "/v1/bills/invoices?vendor=acme&template=focus", "invoice"),
];

#[tokio::test]
async fn what_is_too_large_is_refused_with_its_size_and_the_limit() {
    let (ledger, service) = served(|config| {
        let bills = &mut config.bills;
        (bills.contract_bytes_max, bills.layout_bytes_max, bills.upload_bytes_max) = (1_000, 1_000, 1_000);
    })
    .await;
    for (method, path, field) in UPLOADS {
        // Invoices have the reader's own limit.
        let limit = if field == "invoice" { 32 << 20 } else { 1_000 };
        let answer = service.send(method, path, &[], &"#".repeat(limit + 1)).await;
        let (status, named, value, most) = told(&answer);
        assert_eq!((status, named.as_deref(), most), (413, Some(field), Some(limit as i64)), "{path}: {}", answer.body());
        assert!(value.is_some_and(|value| value > limit as i64), "{path}: {value:?}");
    }
    // One byte less is not too large: it is looked at.
    let whole = format!("{CONTRACT}{}", "#".repeat(1_000 - CONTRACT.len()));
    assert_eq!(service.send("PUT", "/v1/bills/contracts?check=true", &[], &whole).await.status, 200);
    assert_eq!(left(&ledger.folder.path().join("bills")), Vec::<PathBuf>::new());
}

/// Sends a head and the beginning of a body, then nothing; the answer, or none when the other side closes without one.
async fn begun(service: &Service, method: &str, path: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: 1000\r\n\r\nid = \"", service.address);
    stream.write_all(head.as_bytes()).await.unwrap();
    (stream, path.to_owned())
}

#[tokio::test]
async fn a_sender_that_pauses_too_long_is_let_go() {
    let (ledger, service) = served(|config| config.bills.upload_silence_ms = 200).await;
    for (method, path, _) in UPLOADS {
        let (mut stream, path) = begun(&service, method, path).await;
        let mut answer = vec![0; 4_096];
        let count = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut answer)).await.expect("an answer").unwrap();
        let text = String::from_utf8_lossy(&answer[..count]).into_owned();
        assert!(text.starts_with("HTTP/1.1 408 "), "{path}: {text}");
        let problem: serde_json::Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap_or_default()).unwrap();
        assert_eq!((&problem["field"], &problem["limit"], &problem["retry"]), (&json!("body"), &json!(200), &json!(true)), "{path}");
    }
    assert_eq!(left(&ledger.folder.path().join("bills")), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let (ledger, service) = served(|_| {}).await;
    for (method, path, _) in UPLOADS {
        drop(begun(&service, method, path).await);
    }
    // Until the service has seen that they are gone, and that nobody sends any more.
    let root = ledger.folder.path().join("bills");
    let uploads = || std::fs::read_dir(root.join("uploads")).map_or(0, Iterator::count);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = std::time::Instant::now();
    while uploads() > 0 {
        assert!(began.elapsed().as_secs() < 20, "{:?}", left(&root));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(left(&root), Vec::<PathBuf>::new());
    assert_eq!(service.get("/v1/bills/contracts").await.json(), json!({ "contracts": [] }));
}

/// A file system of half a megabyte, full but for some kilobytes; gone with this guard.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where nobody may mount one here.
    fn mount(place: &Path, free_bytes: usize) -> Option<SmallDisk> {
        std::fs::create_dir_all(place).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "livemeter-bills"]).arg(place).output();
        if !mount.is_ok_and(|out| out.status.success()) {
            return None;
        }
        let disk = SmallDisk(place.to_owned());
        std::fs::write(place.join(".filler"), vec![1; (512 << 10) - free_bytes]).unwrap();
        Some(disk)
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut file = std::fs::File::options().append(true).open(self.0.join(".filler")).unwrap();
        let error = std::iter::repeat_with(|| file.write_all(&[1; 4_096])).find_map(Result::err).unwrap();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_half_kept() {
    let ledger = Ledger::empty();
    let root = ledger.folder.path().join("bills");
    let Some(disk) = SmallDisk::mount(&root, 100 << 10) else {
        eprintln!("uploads: no right to mount a file system: the full disk is skipped");
        return;
    };
    let place = root.clone();
    let service = ledger.serve(|config| config.bills.root = place).await;
    let kept = || left(&root).into_iter().filter(|path| !path.ends_with(".filler")).collect::<Vec<_>>();
    let log = "192.0.2.1 - - [01/Oct/2026:10:01:00 +0000] \"GET /live/1.ts HTTP/1.1\" 200 7 \"-\" \"player\"\n".repeat(4_000);
    let answer = service.send("POST", "/v1/bills/logs?vendor=acme&format=nginx&domain=live.example", &[], &log).await;
    let (status, field, value, _) = told(&answer);
    assert_eq!((status, field.as_deref()), (507, Some("bills.root")), "{}", answer.body());
    assert!(value.is_some_and(|bytes| bytes > 0 && bytes <= log.len() as i64), "{value:?}");
    assert_eq!((answer.json()["error"].as_str(), answer.json()["retry"].as_bool()), (Some("disk_full"), Some(true)));
    assert_eq!(kept(), Vec::<PathBuf>::new());

    disk.fill();
    for (method, path, text) in [("PUT", "/v1/bills/contracts", CONTRACT), ("PUT", "/v1/bills/templates/acme", TEMPLATE)] {
        let answer = service.send(method, path, &[], text).await;
        assert_eq!((told(&answer).0, told(&answer).1.as_deref()), (507, Some("bills.root")), "{path}: {}", answer.body());
        assert_eq!(kept(), Vec::<PathBuf>::new());
    }
    std::fs::remove_file(root.join(".filler")).unwrap();
    assert_eq!(service.send("PUT", "/v1/bills/contracts", &[], CONTRACT).await.status, 200);
    drop(disk);
}
