//! What is refused is refused by line and field, and nothing of it stays.

use crate::room::{Room, line, request};
use livemeter_logs::{Format, ImportError, ImportRequest, StoreError};
use std::ops::ControlFlow;

const SAMPLES: [(&str, &[u8]); 7] = [
    ("cloudfront", include_bytes!("../logs/cloudfront.tsv")),
    ("akamai", include_bytes!("../logs/akamai.jsonl")),
    ("tencent", include_bytes!("../logs/tencent.txt")),
    ("aliyun", include_bytes!("../logs/aliyun.txt")),
    ("fastly", include_bytes!("../logs/fastly.jsonl")),
    ("fastly-clf", include_bytes!("../logs/fastly-clf.txt")),
    ("nginx", include_bytes!("../logs/nginx.txt")),
];

#[test]
fn each_format_is_refused_as_any_other_and_named() {
    for (real, bytes) in SAMPLES {
        for said in Format::NAMES.iter().filter(|said| **said != real) {
            let room = Room::new();
            match room.import_as(said, "a", bytes) {
                Err(ImportError::WrongFormat { line, name, reason, hint, .. }) => {
                    assert!(line >= 1 && !name.is_empty() && !reason.is_empty(), "{real} as {said}");
                    assert!(hint.ends_with(&format!("this looks like {real}")), "{real} as {said}: {hint}");
                }
                other => panic!("{real} as {said}: {other:?}"),
            }
            assert_eq!(room.stored(), Vec::<String>::new(), "{real} as {said}");
        }
    }
}

#[test]
fn a_refusal_reads_like_a_sentence() {
    let room = Room::new();
    let text = "2026-10-01 00:00:00 HKG62-C1 1\n";
    let error = room.import_as("cloudfront", "a", text).unwrap_err().to_string();
    assert_eq!(error, "line 1 `line`: 1 fields, expected 33; 1 of 1 lines are no cloudfront");
    let text = line("r1", 0, 5, "").replace("2026-10-01", "01.10.2026");
    let error = room.import_as("cloudfront", "a", text).unwrap_err().to_string();
    assert_eq!(error, "line 1 field 1 `date`: `01.10.2026 00:00:00` is no time of the pattern; 1 of 1 lines are no cloudfront");
}

#[test]
fn a_header_without_what_is_needed_is_refused_at_once() {
    let room = Room::new();
    let text = format!("#Version: 1.0\n#Fields: date time sc-bytes\n{}", line("r1", 0, 5, ""));
    match room.import_as("cloudfront", "a", text) {
        Err(ImportError::WrongFormat { line: 2, name, .. }) => assert_eq!(name, "x-host-header"),
        other => panic!("{other:?}"),
    }
}

/// `bad` of `lines` lines cannot be read.
fn with_bad(lines: u64, bad: u64) -> String {
    (0..lines)
        .map(|at| {
            if at % (lines / bad.max(1)) == 0 && at / (lines / bad.max(1)) < bad {
                "torn\n".to_owned()
            } else {
                line(&format!("r{at}"), at % 900, 1, "")
            }
        })
        .collect()
}

#[test]
fn more_than_a_tenth_of_the_head_is_another_format() {
    let room = Room::new();
    assert_eq!(room.import_as("cloudfront", "a", with_bad(1_000, 100)).unwrap().manifest.bad_lines, 100);
    assert!(matches!(room.import_as("cloudfront", "b", with_bad(1_000, 101)), Err(ImportError::WrongFormat { .. })));
    assert_eq!(room.import_as("cloudfront", "c", with_bad(5, 3)).unwrap().manifest.bad_lines, 3, "a short file with torn lines");
    assert!(matches!(room.import_as("cloudfront", "d", with_bad(5, 4)), Err(ImportError::WrongFormat { .. })));
    assert!(matches!(room.import_as("cloudfront", "e", "torn\n"), Err(ImportError::WrongFormat { .. })));
    // What comes after the head is kept as bad, however much it is.
    let late = with_bad(1_000, 0) + &"torn\n".repeat(5_000);
    assert_eq!(room.import_as("cloudfront", "f", late).unwrap().manifest.bad_lines, 5_000);
}

#[test]
fn a_file_of_nothing_is_refused() {
    for text in ["", "\n\n", "#Version: 1.0\n"] {
        let room = Room::new();
        assert!(matches!(room.import_as("cloudfront", "a", text), Err(ImportError::Empty { .. })), "{text:?}");
        assert_eq!(room.stored(), Vec::<String>::new());
    }
}

#[test]
fn a_torn_packed_file_is_refused_whole() {
    let text = with_bad(3_000, 0);
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let room = Room::new();
    let error = room.import_as("cloudfront", "a.zst", &zstd[..zstd.len() - 7]).unwrap_err();
    assert!(matches!(error, ImportError::Packed { .. }), "{error:?}");
    assert_eq!(room.stored(), Vec::<String>::new());
}

#[test]
fn an_import_that_is_stopped_leaves_nothing() {
    let room = Room::new();
    let request = request("cloudfront", room.file("a.log", with_bad(9_000, 0)));
    let mut calls = 0;
    let stopped = room.store.import(&request, &mut |progress| {
        calls += 1;
        assert!(progress.done_bytes <= progress.file_bytes);
        if calls == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(ImportError::Stopped)));
    assert_eq!(room.stored(), Vec::<String>::new());
    assert_eq!(room.store.imports(None).unwrap(), []);
    room.import(&request).unwrap();
}

#[test]
fn what_a_killed_process_left_is_swept_and_never_read() {
    let room = Room::new();
    room.import_as("cloudfront", "a", line("r1", 0, 5, "")).unwrap();
    let left = room.folder.path().join("bills/logs/v/.importing-killed");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("facts.parquet"), "half").unwrap();
    assert_eq!(room.rows().len(), 1);
    room.import_as("cloudfront", "b", line("r2", 0, 5, "")).unwrap();
    assert!(!left.exists());
}

#[test]
fn a_panic_half_way_leaves_nothing() {
    let room = Room::new();
    let request = request("cloudfront", room.file("a.log", with_bad(9_000, 0)));
    let store = room.store.clone();
    let thread = std::thread::spawn(move || store.import(&request, &mut |_| panic!("as a crash would")));
    assert!(thread.join().is_err());
    assert_eq!(room.stored(), Vec::<String>::new());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let room = Room::new();
    let path = room.file("a.log", with_bad(9_000, 0));
    let mut is_first = true;
    let changed = room.store.import(&request("cloudfront", path.clone()), &mut |_| {
        if std::mem::take(&mut is_first) {
            std::fs::write(&path, with_bad(9_001, 0)).unwrap();
        }
        ControlFlow::Continue(())
    });
    let error = changed.unwrap_err();
    assert!(matches!(error, ImportError::Changed { .. }), "{error:?}");
    assert!(error.is_transient());
    assert_eq!(room.stored(), Vec::<String>::new());
}

#[test]
fn a_vendors_id_is_no_way_out_of_the_folder() {
    let room = Room::new();
    let path = room.file("a", line("r1", 0, 5, ""));
    for vendor in ["..", "a/b", "", "A", ".hidden", &"x".repeat(65)] {
        let request = ImportRequest::new(vendor, path.clone(), Format::named("cloudfront").unwrap(), 0);
        assert!(matches!(room.import(&request), Err(ImportError::Store(StoreError::Vendor(_)))), "{vendor}");
    }
    let mut nginx = request("nginx", path);
    nginx.domain = None;
    assert!(matches!(room.import(&nginx), Err(ImportError::Request { field: "domain", .. })));
}
