//! A figure opens down to the lines it comes from, of a file that is still the same.

use crate::room::{Room, line, request};
use livemeter_logs::sample::{self, Sample};
use livemeter_logs::{Filter, StoreError};

#[test]
fn the_lines_of_a_row_add_up_to_it() {
    let room = Room::new();
    let mut text = Vec::new();
    let written =
        sample::cloudfront(&Sample { text_bytes: 400_000, lines_per_s: 2, sessions: 20, ..Sample::default() }, &mut text).unwrap();
    let m = room.import_as("cloudfront", "a", &text).unwrap().manifest;
    assert_eq!((m.lines, m.counted_lines, m.traffic_bytes), (written.lines, written.requests, written.traffic_bytes));
    let all = room.store.sessions("v", 0, i64::MAX, &Filter::default()).unwrap();
    assert!(all.len() >= 20);
    for session in all {
        let (id, range) = (session.session_id.unwrap(), &session.lines[0]);
        assert_eq!(range.sha256, m.sha256);
        let lines = room.store.lines("v", &m.sha256, range.first_line..=range.last_line).unwrap();
        let own: Vec<_> = lines.iter().filter(|line| line.text.contains(&id)).collect();
        assert_eq!((own[0].number, own[own.len() - 1].number), (range.first_line, range.last_line), "the range is tight");
        let bytes: u64 = own.iter().map(|line| line.text.split('\t').nth(3).unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!((own.len() as u64, bytes), (session.requests, session.bytes));
    }
}

#[test]
fn facts_can_be_asked_for_by_time_domain_region_and_session() {
    let room = Room::new();
    let text =
        [line("r1", 0, 1, "a"), line("r2", 299, 2, "b"), line("r3", 300, 4, "a"), line("r4", 900, 8, "").replace("live.", "vod.")].concat();
    room.import_as("cloudfront", "a", text).unwrap();
    let start = 1_790_812_800_000;
    let bytes = |from, to, filter: &Filter| room.store.traffic("v", from, to, filter).unwrap().iter().map(|t| t.bytes).sum::<u64>();
    let all = Filter::default();
    assert_eq!(bytes(start, start + 300_000, &all), 3);
    assert_eq!(bytes(start + 1, start + 900_000, &all), 4);
    assert_eq!(bytes(start, start + 900_001, &Filter { domains: vec!["vod.example".to_owned()], ..all.clone() }), 8);
    assert_eq!(bytes(0, i64::MAX, &Filter { sessions: vec!["a".to_owned()], ..all.clone() }), 5);
    assert_eq!(bytes(0, i64::MAX, &Filter { regions: vec!["FRA".to_owned()], ..all.clone() }), 0);
    assert_eq!(room.store.fact_files("v", start + 1_200_000, i64::MAX).unwrap().len(), 0);
    assert_eq!(room.store.facts("nobody", 0, i64::MAX, &all).unwrap().count(), 0);
}

#[test]
fn an_original_that_is_gone_or_another_is_not_shown() {
    let room = Room::new();
    let path = room.file("a", line("r1", 0, 5, ""));
    let m = room.import(&request("cloudfront", path.clone())).unwrap().manifest;
    assert_eq!(room.store.lines("v", &m.sha256, 1..=1).unwrap()[0].text, line("r1", 0, 5, "").trim_end());
    std::fs::write(&path, line("r9", 0, 5, "")).unwrap();
    assert!(matches!(room.store.lines("v", &m.sha256, 1..=1), Err(StoreError::OriginalGone { .. })), "as long, but another");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(room.store.lines("v", &m.sha256, 1..=1), Err(StoreError::OriginalGone { .. })));
}

#[test]
fn a_copy_that_is_kept_outlives_the_file() {
    let text = [line("r1", 0, 5, ""), line("r2", 0, 6, "")].concat();
    for bytes in [text.clone().into_bytes(), zstd::encode_all(text.as_bytes(), 3).unwrap()] {
        let room = Room::new();
        let path = room.file("a", bytes);
        let mut kept = request("cloudfront", path.clone());
        kept.keep_original = true;
        let m = room.import(&kept).unwrap().manifest;
        std::fs::remove_file(&path).unwrap();
        let lines = room.store.lines("v", &m.sha256, 2..=9).unwrap();
        assert_eq!((lines.len(), lines[0].number, lines[0].text.as_str()), (1, 2, line("r2", 0, 6, "").trim_end()));
    }
}

#[test]
fn a_damaged_store_says_so() {
    let room = Room::new();
    let m = room.import_as("cloudfront", "a", line("r1", 0, 5, "")).unwrap().manifest;
    std::fs::write(room.folder.path().join("bills/logs/v").join(&m.sha256).join("facts.parquet"), "no parquet").unwrap();
    assert!(matches!(room.store.traffic("v", 0, i64::MAX, &Filter::default()), Err(StoreError::Damaged { .. })));
}
