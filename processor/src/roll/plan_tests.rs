//! Which files are merged: by example, and by letting merges go on until there is nothing left to do.

use super::*;
use livemeter_schemas::time::window_start_ms;
use proptest::prelude::*;

const NOON: i64 = 1_790_000_000_000 / DAY_MS * DAY_MS + DAY_MS / 2;

fn policy() -> Policy {
    Policy::of(&crate::config::Config::default())
}

fn file(n: usize, window_ms: i64, bytes: u64, rolled: bool) -> File {
    let (window_ms_max, received_at_ms_max) = (window_start_ms(window_ms), window_ms);
    File { path: format!("f{n:05}"), date: date(window_ms), bytes, rows: Some(bytes / 30), rolled, window_ms_max, received_at_ms_max }
}

#[test]
fn only_windows_that_have_closed_are_rolled_up() {
    let files = [file(1, NOON - 2 * WINDOW_MS, 9_000, false), file(2, NOON - WINDOW_MS, 9_000, false), file(3, NOON, 9_000, false)];
    let job = |now_ms, roll| next(&files, Kind::Increments, &policy(), now_ms, roll).map(|job| (job.grain, job.files.len()));
    let grace = policy().roll_grace_ms;
    assert_eq!(job(NOON + grace - 1, true), Some((Grain::PerWindow, 1)));
    assert_eq!(job(NOON + grace, true), Some((Grain::PerWindow, 2)), "its end and the grace have passed");
    assert_eq!(job(NOON + grace, false), None, "not in this run, and too few to gather");
    assert_eq!(next(&files, Kind::Events, &policy(), NOON + DAY_MS, true), None, "events have no windows");
    assert_eq!(lag_ms(&files, &policy(), NOON + grace), grace + WINDOW_MS);
    assert_eq!(lag_ms(&files, &policy(), NOON - WINDOW_MS), 0);
}

#[test]
fn a_merge_takes_no_more_than_it_may_and_never_one_file_alone() {
    let small = Policy { roll_rows_max: 1_000, ..policy() };
    let files: Vec<File> = (0..20).map(|n| file(n, NOON - DAY_MS + n as i64, 12_000, false)).collect();
    let job = next(&files, Kind::Increments, &small, NOON, true).unwrap();
    assert_eq!(job.files.iter().map(|f| f.rows.unwrap()).sum::<u64>(), 800);
    let wide: Vec<File> = (0..20).map(|n| file(n, NOON, 60_000, false)).collect();
    assert_eq!(next(&wide, Kind::Events, &small, NOON, true), None, "two would be too many rows");
}

/// A table that grows and is tidied as the clock goes on; merges only add up bytes.
fn live(days: i64, step_ms: i64, bytes: impl Fn(i64) -> u64) -> (Vec<File>, usize, u64, u64) {
    let (policy, mut files, mut n, mut most) = (policy(), Vec::new(), 0, 0);
    let (mut written, mut rewritten, mut rolled_ms) = (0, 0, 0);
    let from = NOON - DAY_MS / 2;
    let mut now_ms = from;
    while now_ms < from + days * DAY_MS {
        now_ms += step_ms;
        n += 1;
        files.push(file(n, now_ms, bytes(now_ms), false));
        written += bytes(now_ms);
        if !n.is_multiple_of(policy.files_max) {
            continue;
        }
        let roll = now_ms >= rolled_ms + 300_000;
        rolled_ms = if roll { now_ms } else { rolled_ms };
        while let Some(job) = next(&files, Kind::Increments, &policy, now_ms, roll) {
            n += 1;
            files.retain(|f| !job.files.contains(f));
            let bytes: u64 = job.files.iter().map(|f| f.bytes).sum();
            rewritten += bytes;
            let raw = job.files.iter().any(|f| !f.rolled);
            let per = if raw && job.grain == Grain::PerWindow { 20 } else { 1 };
            let latest = job.files.iter().map(|f| f.window_ms_max).max().unwrap();
            files.push(file(n, latest, bytes / per, job.grain == Grain::PerWindow));
        }
        most = most.max(files.iter().filter(|f| f.date == date(now_ms)).count());
    }
    println!("{most} files at most, rewritten {:.2} times", rewritten as f64 / written as f64);
    (files, most, written, rewritten)
}

#[test]
fn a_day_of_commits_leaves_few_files_and_rewrites_little() {
    // 10,000 viewers: 5,000 rows in 5 seconds.
    let (files, most, written, rewritten) = live(3, 5_000, |_| 150_000);
    assert!(most <= 50, "{most} files of a day");
    assert!(rewritten < 4 * written, "{rewritten} bytes rewritten of {written}");
    let first = date(NOON);
    assert!(files.iter().filter(|f| f.date == first).count() <= policy().files_closed_max);
}

proptest! {
    #[test]
    fn merging_comes_to_an_end(sizes in prop::collection::vec((0i64..2_000, 1u64..3_000_000, any::<bool>()), 1..120), roll in any::<bool>()) {
        let mut files: Vec<File> =
            sizes.iter().enumerate().map(|(n, (m, bytes, rolled))| file(n, NOON - m * 60_000, *bytes, *rolled)).collect();
        let (rows, mut jobs) = (files.iter().map(|f| f.bytes).sum::<u64>(), 0);
        while let Some(job) = next(&files, Kind::Increments, &policy(), NOON, roll) {
            jobs += 1;
            prop_assert!(jobs <= 2 * sizes.len());
            prop_assert!(job.files.iter().all(|f| f.date == job.date && files.contains(f)));
            prop_assert!(job.grain == Grain::PerWindow || job.files.iter().all(|f| !f.rolled), "what is rolled up stays so");
            files.retain(|f| !job.files.contains(f));
            let latest = job.files.iter().map(|f| f.window_ms_max).max().unwrap();
            let bytes = job.files.iter().map(|f| f.bytes).sum();
            files.push(file(1_000 + jobs, latest, bytes, job.grain == Grain::PerWindow));
        }
        prop_assert_eq!(files.iter().map(|f| f.bytes).sum::<u64>(), rows);
        if roll {
            prop_assert!(files.iter().all(|f| f.rolled || f.window_ms_max + WINDOW_MS + policy().roll_grace_ms > NOON));
        }
    }
}
