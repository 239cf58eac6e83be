//! Each limit, tried just inside and just outside.

use crate::room::{Room, line, request};
use flate2::{Compression, write::GzEncoder};
use livemeter_logs::{Filter, ImportError, Limits, StoreError};
use std::io::Write;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The limit's name, if that is why it was refused; and that nothing stayed.
fn refused(room: &Room, name: &str, bytes: impl AsRef<[u8]>) -> Option<&'static str> {
    match room.import_as("cloudfront", name, bytes) {
        Err(ImportError::Limit { limit, value, max, .. }) => {
            assert!(value > max);
            Some(limit)
        }
        Ok(_) => None,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_line_over_the_limit_is_a_bad_one_and_the_next_is_read() {
    let long = line("r1", 0, 5, &"x".repeat(3_000_000));
    for max in [1_000, 96 << 10] {
        let room = Room::with(Limits { line_bytes_max: max, bad_line_bytes: 20, ..Limits::default() });
        let text = [line("r0", 0, 1, ""), long.clone(), line("r2", 0, 7, "")].concat();
        let m = room.import_as("cloudfront", "a", text).unwrap().manifest;
        assert_eq!((m.lines, m.counted_lines, m.bad_lines, m.traffic_bytes), (3, 2, 1, 8));
        let bad = room.store.bad_lines("v", &m.sha256).unwrap();
        assert_eq!((bad[0].line, bad[0].text.len()), (2, 20));
        assert!(bad[0].reason.contains("line_bytes_max"), "{}", bad[0].reason);
    }
    let text = line("r1", 0, 5, "");
    let exactly = Room::with(Limits { line_bytes_max: text.len() - 1, ..Limits::default() });
    assert_eq!(exactly.import_as("cloudfront", "a", &text).unwrap().manifest.counted_lines, 1);
}

#[test]
fn a_bomb_is_refused_by_its_ratio() {
    let limits = Limits { ratio_free_bytes: 1 << 20, ..Limits::default() };
    let bomb = gzip(&line("r1", 0, 5, "").repeat(20_000));
    assert_eq!(refused(&Room::with(limits.clone()), "a.gz", &bomb), Some("ratio_max"));
    assert_eq!(refused(&Room::with(Limits { ratio_max: 2_000, ..limits }), "a.gz", &bomb), None);
    assert_eq!(refused(&Room::new(), "a.gz", &bomb), None, "so little text is free");
}

#[test]
fn text_has_a_length() {
    let text = [line("r1", 0, 5, ""), line("r2", 0, 5, "")].concat();
    let room = |max| Room::with(Limits { text_bytes_max: max, ..Limits::default() });
    assert_eq!(refused(&room(text.len() as u64), "a", &text), None);
    assert_eq!(refused(&room(text.len() as u64 - 1), "a", &text), Some("text_bytes_max"));
}

#[test]
fn keys_have_a_number_and_sessions_may_be_left_out() {
    let text: String = (0..11).map(|at| line(&format!("r{at}"), 0, 5, &format!("s-{at}"))).collect();
    let room = Room::with(Limits { keys_max: 10, ..Limits::default() });
    assert_eq!(refused(&room, "a", &text), Some("keys_max"));
    assert_eq!(room.stored(), Vec::<String>::new());
    let mut without = request("cloudfront", room.file("a", &text));
    without.without_sessions = true;
    assert_eq!(room.import(&without).unwrap().manifest.rows, 1);
    let ten: String = (0..10).map(|at| line(&format!("r{at}"), 0, 5, &format!("s-{at}"))).collect();
    assert_eq!(refused(&Room::with(Limits { keys_max: 10, ..Limits::default() }), "a", ten), None);
}

#[test]
fn a_host_that_is_none_makes_a_bad_line() {
    let room = Room::with(Limits { key_bytes_max: 20, ..Limits::default() });
    let text = [line("r1", 0, 5, ""), line("r2", 0, 6, "").replace("live.example", &"h".repeat(21))].concat();
    let m = room.import_as("cloudfront", "a", text).unwrap().manifest;
    assert_eq!((m.counted_lines, m.bad_lines), (1, 1));
    assert!(room.store.bad_lines("v", &m.sha256).unwrap()[0].reason.contains("key_bytes_max"));
}

#[test]
fn bad_lines_are_kept_within_a_quota_and_counted_beyond() {
    let room = Room::with(Limits { bad_lines_max: 4, head_bad_free: 100, ..Limits::default() });
    let m = room.import_as("cloudfront", "a", line("r1", 0, 5, "") + &"torn, \"quoted\"\n".repeat(9)).unwrap().manifest;
    assert_eq!((m.bad_lines, m.bad_kept), (9, 4));
    let bad = room.store.bad_lines("v", &m.sha256).unwrap();
    assert_eq!((bad.len(), bad[3].line, bad[3].text.as_str()), (4, 5, "torn, \"quoted\""));
}

#[test]
fn imports_lines_and_rows_have_a_number() {
    let room = Room::with(Limits { imports_max: 1, lines_max: 2, rows_max: 1, ..Limits::default() });
    let text = [line("r1", 0, 5, "a"), line("r2", 300, 5, "b"), line("r3", 0, 5, "a")].concat();
    let m = room.import_as("cloudfront", "a", text).unwrap().manifest;
    assert_eq!(refused(&room, "b", line("r4", 0, 5, "")), Some("imports_max"));
    assert_eq!(room.store.lines("v", &m.sha256, 2..=3).unwrap().len(), 2);
    let limit = |result: Result<(), StoreError>| match result {
        Err(StoreError::Limit { limit, .. }) => limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(limit(room.store.lines("v", &m.sha256, 1..=3).map(|_| ())), "lines_max");
    assert_eq!(limit(room.store.lines("v", &m.sha256, 0..=u64::MAX).map(|_| ())), "lines_max");
    let all = Filter::default();
    assert_eq!(limit(room.store.traffic("v", 0, i64::MAX, &all).map(|_| ())), "rows_max");
    assert_eq!(limit(room.store.sessions("v", 0, i64::MAX, &all).map(|_| ())), "rows_max");
    assert_eq!(room.store.traffic("v", 0, 1_790_812_800_001, &all).unwrap().len(), 1, "a shorter time fits");
}

#[test]
fn a_number_in_the_wrong_column_is_no_amount_of_bytes() {
    let room = Room::new();
    let text = [line("r1", 0, 1 << 42, ""), line("r2", 0, (1 << 42) + 1, "")].concat();
    let m = room.import_as("cloudfront", "a", text).unwrap().manifest;
    assert_eq!((m.traffic_bytes, m.bad_lines), (1 << 42, 1));
}
