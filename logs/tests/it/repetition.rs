//! A request counts once, wherever and however often its line comes: within a file, across files, in any order.

use crate::room::{Room, line, request};
use livemeter_logs::{ImportError, StoreError};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Sums per (window, session) of lines, each request once: the truth, worked out another way.
fn truth(lines: &[(u8, u16, u32, u8)]) -> BTreeMap<(u64, String), (u64, u64)> {
    let mut once = BTreeMap::new();
    for (id, second, bytes, session) in lines {
        once.entry((*id, *second)).or_insert((*bytes, *session));
    }
    let mut sums: BTreeMap<(u64, String), (u64, u64)> = BTreeMap::new();
    for ((_, second), (bytes, session)) in once {
        let sum = sums.entry((u64::from(second) / 300, session_of(session))).or_default();
        *sum = (sum.0 + u64::from(bytes), sum.1 + 1);
    }
    sums
}

fn session_of(session: u8) -> String {
    if session == 0 { String::new() } else { format!("s-{session}") }
}

fn found(room: &Room) -> BTreeMap<(u64, String), (u64, u64)> {
    let mut sums: BTreeMap<(u64, String), (u64, u64)> = BTreeMap::new();
    for batch in room.store.facts("v", 0, i64::MAX, &Default::default()).unwrap() {
        let batch = batch.unwrap();
        let long = |column: usize, row: usize| {
            use arrow::array::AsArray;
            batch.column(column).as_primitive::<arrow::datatypes::Int64Type>().value(row)
        };
        for row in 0..batch.num_rows() {
            use arrow::array::{Array, AsArray};
            let sessions = batch.column(3).as_string::<i32>();
            let session = if sessions.is_valid(row) { sessions.value(row).to_owned() } else { String::new() };
            let sum = sums.entry(((long(0, row) - 1_790_812_800_000) as u64 / 300_000, session)).or_default();
            *sum = (sum.0 + long(4, row) as u64, sum.1 + long(5, row) as u64);
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Any lines, parted into any files, with lines in several files and files twice, in any order: the same sums.
    #[test]
    fn any_splitting_gives_the_same_sums(
        requests in prop::collection::vec((any::<u8>(), 0u16..900, 1u32..5_000_000, 0u8..4), 1..60),
        places in prop::collection::vec((0usize..60, 0usize..5), 0..120),
        order in Just((0usize..5).collect::<Vec<_>>()).prop_shuffle(),
        again in 0usize..5,
    ) {
        // The same request always has the same line: a repetition, not a contradiction.
        let mut of_request = BTreeMap::new();
        let lines: Vec<(u8, u16, u32, u8)> = requests.iter().map(|(id, second, bytes, session)| {
            let (bytes, session) = *of_request.entry((*id, *second)).or_insert((*bytes, *session));
            (*id, *second, bytes, session)
        }).collect();
        let mut files = vec![String::new(); 5];
        let text = |(id, second, bytes, session): &(u8, u16, u32, u8)| line(&format!("r{id}=="), u64::from(*second), u64::from(*bytes), &session_of(*session));
        for (at, request) in lines.iter().enumerate() {
            files[at % 5].push_str(&text(request));
        }
        for (at, file) in &places {
            files[*file].push_str(&text(&lines[at % lines.len()]));
        }
        let room = Room::new();
        for at in order.iter().chain([&again]) {
            if !files[*at].is_empty() {
                room.import_as("cloudfront", &format!("{at}.log"), &files[*at]).unwrap();
            }
        }
        prop_assert_eq!(found(&room), truth(&lines));
        for manifest in room.store.imports(Some("v")).unwrap() {
            prop_assert_eq!(manifest.lines, manifest.counted_lines + manifest.skipped_lines + manifest.duplicate_lines + manifest.bad_lines);
        }
    }
}

#[test]
fn the_same_bytes_change_nothing() {
    let room = Room::new();
    let text = [line("r1", 0, 5, "s"), line("r2", 1, 6, "")].concat();
    let first = room.import_as("cloudfront", "a.log", &text).unwrap();
    let mut again = request("cloudfront", room.file("renamed.log", &text));
    again.imported_at_ms += 1;
    let second = room.import(&again).unwrap();
    assert_eq!((first.known, second.known), (false, true));
    assert_eq!(second.manifest, first.manifest, "the old manifest, untouched");
    assert_eq!(room.stored(), [first.manifest.sha256]);
}

#[test]
fn a_packed_copy_of_a_file_counts_nothing_twice() {
    let room = Room::new();
    let text = [line("r1", 0, 5, "s"), line("r2", 1, 6, "")].concat();
    let first = room.import_as("cloudfront", "a.log", &text).unwrap().manifest;
    let packed = room.import_as("cloudfront", "a.log.zst", zstd::encode_all(text.as_bytes(), 3).unwrap()).unwrap();
    assert!(!packed.known);
    assert_eq!((packed.manifest.counted_lines, packed.manifest.duplicate_lines, packed.manifest.rows), (0, 2, 0));
    assert_eq!(packed.manifest.duplicates_of, [(first.sha256, 2)].into());
    assert_eq!(room.traffic().iter().map(|t| t.bytes).sum::<u64>(), 11);
}

#[test]
fn a_late_file_adds_to_windows_that_are_there_and_can_be_forgotten() {
    let room = Room::new();
    room.import_as("cloudfront", "a.log", line("r1", 0, 5, "s")).unwrap();
    let late = room.import_as("cloudfront", "late.log", line("r2", 1, 6, "s")).unwrap().manifest;
    assert_eq!(room.rows().iter().map(|row| (row.3, row.4)).collect::<Vec<_>>(), [(11, 2)]);
    assert_eq!(room.store.forget("v", &late.sha256[..8]).unwrap(), late);
    assert_eq!(room.rows().iter().map(|row| (row.3, row.4)).collect::<Vec<_>>(), [(5, 1)]);
    assert!(matches!(room.store.forget("v", &late.sha256), Err(StoreError::Unknown { .. })));
    assert!(!room.import_as("cloudfront", "late.log", line("r2", 1, 6, "s")).unwrap().known, "and come again");
    assert_eq!(room.rows().iter().map(|row| (row.3, row.4)).collect::<Vec<_>>(), [(11, 2)]);
}

#[test]
fn what_others_lean_on_is_not_forgotten_before_them() {
    let room = Room::new();
    let first = room.import_as("cloudfront", "a.log", line("r1", 0, 5, "")).unwrap().manifest;
    let second = room.import_as("cloudfront", "b.log", [line("r1", 0, 5, ""), line("r2", 0, 6, "")].concat()).unwrap().manifest;
    match room.store.forget("v", &first.sha256) {
        Err(StoreError::Needed { by, .. }) => assert_eq!(by, std::slice::from_ref(&second.sha256)),
        other => panic!("{other:?}"),
    }
    room.store.forget("v", &second.sha256).unwrap();
    room.store.forget("v", &first.sha256).unwrap();
    assert_eq!(room.rows(), []);
    assert_eq!(room.stored(), Vec::<String>::new());
}

#[test]
fn the_same_id_at_another_time_is_another_request() {
    let room = Room::new();
    room.import_as("cloudfront", "a.log", [line("r1", 0, 5, ""), line("r1", 1, 5, ""), line("r1", 0, 5, "")].concat()).unwrap();
    assert_eq!(room.rows().iter().map(|row| row.4).sum::<u64>(), 2);
}

#[test]
fn one_import_of_a_vendor_at_a_time() {
    let room = Room::new();
    let outer = request("cloudfront", room.file("a.log", line("r1", 0, 5, "")));
    let inner = request("cloudfront", room.file("b.log", line("r2", 0, 5, "")));
    let mut busy = None;
    room.store
        .import(&outer, &mut |_| {
            busy.get_or_insert_with(|| room.import(&inner));
            ControlFlow::Continue(())
        })
        .unwrap();
    let error = busy.unwrap().unwrap_err();
    assert!(matches!(&error, ImportError::Store(StoreError::Busy { vendor }) if vendor == "v"));
    assert!(error.is_transient());
    room.import(&inner).unwrap();
}
