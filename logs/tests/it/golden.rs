//! A small file of each format, made by hand, and its sums, added up by hand.

use crate::room::{Room, request};
use flate2::{Compression, write::GzEncoder};
use livemeter_logs::format::Mapping;
use livemeter_logs::{Format, ImportRequest, Manifest};
use std::io::Write;

/// 2026-10-01 00:00 UTC, and the window after it.
const W0: i64 = 1_790_812_800_000;
const W1: i64 = W0 + 300_000;

const CLOUDFRONT: &[u8] = include_bytes!("../logs/cloudfront.tsv");

type Row = (i64, &'static str, &'static str, u64, u64);
type Session = (Option<&'static str>, u64, u64);

/// Imports a file and compares: rows, sessions, and (lines, counted, skipped, duplicates, bad).
fn check(room: &Room, request: &ImportRequest, rows: &[Row], sessions: &[Session], lines: [u64; 5]) -> Manifest {
    let imported = room.import(request).unwrap();
    let found = room.rows();
    let found: Vec<Row> = found.iter().map(|(w, d, r, bytes, requests)| (*w, leak(d), leak(r), *bytes, *requests)).collect();
    assert_eq!(found, rows);
    let found: Vec<Session> = room.sessions().iter().map(|(id, bytes, requests)| (id.as_deref().map(leak), *bytes, *requests)).collect();
    assert_eq!(found, sessions);
    let m = imported.manifest;
    assert_eq!([m.lines, m.counted_lines, m.skipped_lines, m.duplicate_lines, m.bad_lines], lines);
    assert_eq!(m.lines, m.counted_lines + m.skipped_lines + m.duplicate_lines + m.bad_lines, "every line is accounted for");
    assert_eq!(m.traffic_bytes, rows.iter().map(|row| row.3).sum::<u64>());
    assert_eq!(m.bad_kept, m.bad_lines);
    m
}

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn known(format: &str, bytes: &[u8], rows: &[Row], sessions: &[Session], lines: [u64; 5]) -> Manifest {
    let room = Room::new();
    let path = room.file("sample", bytes);
    check(&room, &request(format, path), rows, sessions, lines)
}

const CLOUDFRONT_ROWS: [Row; 4] = [
    (W0, "live.example", "HKG", 3_000_960, 2),
    (W1, "live.example", "HKG", 500_480, 1),
    (W1, "live.example", "NRT", 700_480, 1),
    (W1, "vod.example", "NRT", 99, 1),
];
const CLOUDFRONT_SESSIONS: [Session; 3] = [(None, 700_579, 2), (Some("s-1"), 1_500_960, 2), (Some("s-2"), 2_000_480, 1)];

#[test]
fn cloudfront() {
    let m = known("cloudfront", CLOUDFRONT, &CLOUDFRONT_ROWS, &CLOUDFRONT_SESSIONS, [9, 5, 2, 1, 1]);
    assert_eq!((m.first_ms, m.last_ms), (Some(W0), Some(W1 + 2_000)));
    assert_eq!((m.name.as_str(), m.packing.as_str(), m.has_request_ids, m.has_sessions), ("sample", "none", true, true));
    assert_eq!((m.file_bytes, m.text_bytes), (CLOUDFRONT.len() as u64, CLOUDFRONT.len() as u64));
}

#[test]
fn akamai() {
    let rows = [(W0, "live.example", "CN", 3_000, 2), (W1, "live.example", "", 4_000, 1), (W1, "live.example", "DE", 3_000, 1)];
    let sessions = [(None, 4_000, 1), (Some("s-1"), 1_000, 1), (Some("s-2"), 2_000, 1), (Some("s-3"), 3_000, 1)];
    known("akamai", include_bytes!("../logs/akamai.jsonl"), &rows, &sessions, [6, 4, 0, 1, 1]);
}

#[test]
fn tencent_writes_beijing_time() {
    let before = W0 - 8 * 3_600_000;
    let rows = [(before, "vod.example", "22", 4_000, 1), (W0, "live.example", "1050", 3_000, 2), (W1, "live.example", "22", 3_000, 1)];
    known("tencent", include_bytes!("../logs/tencent.txt"), &rows, &[(None, 8_000, 3), (Some("s-1"), 2_000, 1)], [5, 4, 0, 0, 1]);
}

#[test]
fn aliyun() {
    let rows = [(W0, "live.example", "", 3_000, 2), (W1, "vod.example", "", 7_000, 2)];
    known("aliyun", include_bytes!("../logs/aliyun.txt"), &rows, &[(None, 8_000, 3), (Some("s-1"), 2_000, 1)], [5, 4, 0, 0, 1]);
}

#[test]
fn fastly() {
    let rows = [(W0, "live.example", "hong kong", 3_000, 2), (W1, "live.example", "japan", 3_000, 1)];
    known("fastly", include_bytes!("../logs/fastly.jsonl"), &rows, &[(None, 5_000, 2), (Some("s-1"), 1_000, 1)], [4, 3, 0, 0, 1]);
    let rows = [(W0, "live.example", "", 1_000, 2)];
    known("fastly-clf", include_bytes!("../logs/fastly-clf.txt"), &rows, &[(None, 0, 1), (Some("s-1"), 1_000, 1)], [2, 2, 0, 0, 0]);
}

#[test]
fn nginx() {
    let rows = [(W0, "live.example", "", 3_000, 2), (W1, "live.example", "", 150, 1)];
    known("nginx", include_bytes!("../logs/nginx.txt"), &rows, &[(None, 2_150, 2), (Some("s-1"), 1_000, 1)], [4, 3, 0, 0, 1]);
}

#[test]
fn a_mapping_describes_any_other_and_regions_get_the_contracts_names() {
    let room = Room::new();
    let mapping = Mapping::parse(include_str!("../logs/edge.toml")).unwrap();
    let mut request = ImportRequest::new("v", room.file("edge.txt", include_bytes!("../logs/edge.txt")), mapping.into(), 0);
    request.regions = [("north".to_owned(), "CN-N".to_owned())].into();
    let rows = [(W0, "live.example", "CN-N", 3_000, 2), (W1, "live.example", "south", 3_000, 1)];
    let sessions = [(None, 3_000, 1), (Some("s-1"), 1_000, 1), (Some("s-2"), 2_000, 1)];
    let m = check(&room, &request, &rows, &sessions, [6, 3, 1, 1, 1]);
    assert_eq!((m.first_ms, m.format.as_str()), (Some(W0 + 250), "edge"));
}

#[test]
fn a_mapping_reads_json_too() {
    let room = Room::new();
    let toml =
        "name = \"j\"\nlines = \"json\"\n[fields]\ntime = \"msec\"\nbytes = \"body\"\nsession_id = \"sid\"\n[time]\nformat = \"unix\"";
    let text = "{\"msec\":\"1790812800.1\",\"body\":\"5\",\"sid\":\"a\\u00e9\"}\n{\"msec\":1790812801,\"body\":6,\"sid\":null}\n";
    let mut request = ImportRequest::new("v", room.file("j", text), Mapping::parse(toml).unwrap().into(), 0);
    (request.domain, request.region) = (Some("Edge.Example".to_owned()), Some("lab".to_owned()));
    check(&room, &request, &[(W0, "edge.example", "lab", 11, 2)], &[(None, 6, 1), (Some("aé"), 5, 1)], [2, 2, 0, 0, 0]);
}

#[test]
fn packed_files_say_the_same() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(CLOUDFRONT).unwrap();
    let gzip = gzip.finish().unwrap();
    // Two members one after another, as CDNs write them: a file cut anywhere and packed in two.
    let (first, second) = CLOUDFRONT.split_at(CLOUDFRONT.len() / 2);
    let member = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let members = [member(first), member(second)].concat();
    let zstd = zstd::encode_all(CLOUDFRONT, 3).unwrap();
    let frames = [zstd::encode_all(first, 3).unwrap(), zstd::encode_all(second, 3).unwrap()].concat();
    for (packing, bytes) in [("gzip", gzip), ("gzip", members), ("zstd", zstd), ("zstd", frames)] {
        let m = known("cloudfront", &bytes, &CLOUDFRONT_ROWS, &CLOUDFRONT_SESSIONS, [9, 5, 2, 1, 1]);
        assert_eq!((m.packing.as_str(), m.file_bytes, m.text_bytes), (packing, bytes.len() as u64, CLOUDFRONT.len() as u64));
    }
}

#[test]
fn lines_of_windows_and_a_last_line_without_an_end_are_lines() {
    let text = String::from_utf8(CLOUDFRONT.to_vec()).unwrap().replace('\n', "\r\n");
    known("cloudfront", text.trim_end().as_bytes(), &CLOUDFRONT_ROWS, &CLOUDFRONT_SESSIONS, [9, 5, 2, 1, 1]);
}

#[test]
fn a_header_in_another_order_is_followed() {
    let room = Room::new();
    let text = "#Version: 1.0\n#Fields: sc-bytes time date x-edge-request-id x-host-header sc-status x-edge-location cs-uri-query\n7\t00:00:00\t2026-10-01\tr1\tlive.example\t200\tFRA1\t-\n";
    room.import_as("cloudfront", "a", text).unwrap();
    assert_eq!(room.rows(), [(W0, "live.example".to_owned(), "FRA".to_owned(), 7, 1)]);
}

#[test]
fn a_viewers_odd_session_costs_the_vendor_no_line() {
    let room = Room::new();
    let long = "x".repeat(300);
    let text = [crate::room::line("r1", 0, 5, &long), crate::room::line("r2", 0, 6, "a%0Ab"), crate::room::line("r3", 0, 7, "s")].concat();
    let imported = room.import_as("cloudfront", "a", text).unwrap();
    assert_eq!((imported.manifest.odd_sessions, imported.manifest.bad_lines), (2, 0));
    assert_eq!(room.sessions(), [(None, 11, 2), (Some("s".to_owned()), 7, 1)]);
}

#[test]
fn every_known_format_has_its_golden_file() {
    let tested = ["cloudfront", "akamai", "tencent", "aliyun", "fastly", "fastly-clf", "nginx"];
    assert_eq!(Format::NAMES, tested);
}
