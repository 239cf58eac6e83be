//! Which files to merge next. Pure: the log's word on each file goes in, with the clock.
//!
//! Raw files whose windows are open are only gathered, row by row; once their windows have closed they are rolled
//! up. Everything else is merged by size: files of one size class, once there are [`Policy::files_max`] of
//! them, become one file of the next. So a row is rewritten once per class, of which a day has four or five,
//! and a date never has more than a few files of each. A date that is over keeps few files in all.

use crate::book::DAY_MS;
use crate::buffer::date;
use crate::maintain::Policy;
use crate::roll::files::File;
use crate::table::Kind;
use livemeter_schemas::time::WINDOW_MS;
use std::collections::BTreeMap;

/// Files up to this size are of the first class: about what one commit of a small audience leaves.
const CLASS_BYTES: u64 = 32 * 1024;

/// What becomes of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// They stay as they are.
    AsIs,
    /// One row per group and window.
    PerWindow,
}

/// Files of one date to become one.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub date: String,
    pub grain: Grain,
    pub files: Vec<File>,
}

/// The next thing to do; none when all is well. `roll`: whether raw files may be rolled up in this run.
pub fn next(files: &[File], kind: Kind, policy: &Policy, now_ms: i64, roll: bool) -> Option<Job> {
    let mut dates: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files {
        dates.entry(&file.date).or_default().push(file);
    }
    let open_from = date((now_ms - DAY_MS).max(0));
    dates.into_iter().find_map(|(date, files)| {
        let (rolled, raw): (Vec<&File>, Vec<&File>) = files.into_iter().partition(|file| file.rolled);
        let job = |grain, files: Vec<&File>| Job { date: date.to_owned(), grain, files: files.into_iter().cloned().collect() };
        let over = date < open_from.as_str();
        if kind == Kind::Events {
            return crowd(raw, policy, over).map(|files| job(Grain::AsIs, files));
        }
        let closed = || raw.iter().copied().filter(|file| closes_ms(file, policy) <= now_ms).collect();
        let due = if roll { within(closed(), policy.roll_rows_max, u64::MAX) } else { Vec::new() };
        if !due.is_empty() {
            return Some(job(Grain::PerWindow, due));
        }
        let gather = || class(&raw, policy).map(|files| job(Grain::AsIs, files));
        crowd(rolled, policy, over).map(|files| job(Grain::PerWindow, files)).or_else(gather)
    })
}

/// How long the rows of a closed window have waited to be rolled up, at most.
pub fn lag_ms(files: &[File], policy: &Policy, now_ms: i64) -> i64 {
    let waiting = files.iter().filter(|file| !file.rolled && closes_ms(file, policy) <= now_ms);
    // A late row waits since it came, not since its window closed.
    waiting.map(|file| now_ms - file.received_at_ms_max.max(file.window_ms_max.saturating_add(WINDOW_MS))).max().unwrap_or(0).max(0)
}

/// When the last of a file's windows has been closed for long enough.
fn closes_ms(file: &File, policy: &Policy) -> i64 {
    file.window_ms_max.saturating_add(WINDOW_MS).saturating_add(policy.roll_grace_ms)
}

/// Files of a date that are too many: those of a class, or, when the date is over, the smallest of all.
fn crowd<'f>(files: Vec<&'f File>, policy: &Policy, over: bool) -> Option<Vec<&'f File>> {
    if let Some(found) = class(&files, policy) {
        return Some(found);
    }
    let mut small: Vec<&File> = files.into_iter().filter(|file| file.bytes < policy.file_bytes_target).collect();
    if !over || small.len() <= policy.files_closed_max {
        return None;
    }
    // Down to half of what is allowed, so that the next late rows do not make it all be read again.
    let keep = policy.files_closed_max / 2;
    small.sort_by_key(|file| (file.bytes, &file.path));
    small.truncate(small.len() - keep);
    merged(small, policy)
}

/// Files of the smallest size class that has too many.
fn class<'f>(files: &[&'f File], policy: &Policy) -> Option<Vec<&'f File>> {
    let mut classes: BTreeMap<u32, Vec<&File>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.bytes < policy.file_bytes_target) {
        let class = (file.bytes / CLASS_BYTES).max(1).ilog(policy.files_max.max(2) as u64);
        classes.entry(class).or_default().push(file);
    }
    let mut crowded = classes.into_values().filter(|files| files.len() >= policy.files_max);
    crowded.find_map(|files| merged(files, policy))
}

/// As many as one merge may take, from the oldest or smallest on; none when that is fewer than two.
fn merged<'f>(files: Vec<&'f File>, policy: &Policy) -> Option<Vec<&'f File>> {
    let some = within(files, policy.roll_rows_max, policy.file_bytes_target.saturating_mul(2));
    (some.len() > 1).then_some(some)
}

/// The first files that together have no more rows and bytes; at least one. A file of unknown rows goes alone.
fn within(mut files: Vec<&File>, rows_max: u64, bytes_max: u64) -> Vec<&File> {
    files.sort_by_key(|file| (file.window_ms_max, file.received_at_ms_max, &file.path));
    let (mut rows, mut bytes) = (0u64, 0u64);
    let fits = files.iter().take_while(|file| {
        rows = rows.saturating_add(file.rows.unwrap_or(u64::MAX));
        bytes = bytes.saturating_add(file.bytes);
        rows <= rows_max && bytes <= bytes_max
    });
    let fit = fits.count().max(1);
    files.truncate(fit);
    files
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
