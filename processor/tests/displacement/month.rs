//! Thirty days of one CDN: when viewers come, what all of them received in each window, and what the book
//! made of their reports.

use crate::Road;
use crate::viewer::Viewer;
use livemeter_processor::book::{Book, Rules, Wanted};
use livemeter_processor::entry::Entry;
use livemeter_processor::memory::Memory;
use livemeter_processor::rows::{IncrementRow, RowRef, Rows};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::time::WINDOW_MS;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DAYS: usize = 30;
pub const WINDOWS: usize = DAYS * 288;
/// A midnight.
const BEGIN_MS: i64 = 20_600 * 86_400_000;
const WATCH_MS_MEAN: f64 = 25.0 * 60_000.0;
/// Only evenings are acted out: no other hour comes near the twentieth of the windows that decides the bill, and
/// it would be as empty on both sides.
const EVENING_H: std::ops::Range<i64> = 17..24;

pub struct Month {
    pub truth: Vec<u64>,
    pub booked: Vec<u64>,
    pub sessions: u64,
    pub heartbeats: u64,
    pub viewers_peak: u64,
}

/// Takes the place of the tables: bytes per window.
struct Windows(Vec<u64>);

impl Rows for Windows {
    fn increment(&mut self, row: IncrementRow<'_>) -> RowRef {
        add(&mut self.0, row.window_start_ms, row.added.bytes);
        RowRef::default()
    }

    fn event(&mut self, _: &Entry<'_>, _: bool) {}
}

fn add(windows: &mut [u64], at_ms: i64, bytes: u64) {
    if let Some(window) = usize::try_from((at_ms - BEGIN_MS) / WINDOW_MS).ok().and_then(|i| windows.get_mut(i)) {
        *window += bytes;
    }
}

impl Month {
    /// The same seed gives the same viewers and the same bytes, whatever the road.
    pub fn through(road: Road, seed: u64) -> Month {
        let rules = Rules {
            split_windows_max: 2016,
            session_events_max: 64,
            age_ms_max: Limits::default().age_ms_max,
            bitrate_bps_max: 2_000_000_000,
            burst_ms: 10_000,
            late_after_ms: 900_000,
            cmcd: Default::default(),
        };
        let (mut book, mut rows) = (Book::new(rules, Memory::default()), Windows(vec![0; WINDOWS]));
        let mut month = Month { truth: vec![0; WINDOWS], booked: Vec::new(), sessions: 0, heartbeats: 0, viewers_peak: 0 };
        let mut watching = vec![0u64; WINDOWS];
        let (mut arrivals, mut chance) = (ChaCha8Rng::seed_from_u64(seed), ChaCha8Rng::seed_from_u64(seed + 1));
        let evening = |second: &i64| EVENING_H.contains(&(second % 86_400 / 3_600));
        // Everybody has left when the month ends.
        for second in (0..(DAYS * 86_400) as i64 - 5 * 3_600).filter(evening) {
            if arrivals.random::<f64>() >= f64::from(road.viewers) * height(second) * 1_000.0 / WATCH_MS_MEAN {
                continue;
            }
            let viewer = Viewer::come(month.sessions, BEGIN_MS + second * 1_000, WATCH_MS_MEAN, &mut arrivals);
            month.sessions += 1;
            viewer.received.iter().for_each(|(at_ms, bytes)| add(&mut month.truth, *at_ms, *bytes));
            let mut at_ms = viewer.started_at_ms;
            while at_ms < viewer.ended_at_ms {
                add(&mut watching, at_ms, 1);
                at_ms += WINDOW_MS;
            }
            for entry in viewer.reports(road, &mut chance) {
                month.heartbeats += 1;
                book.book(&entry, Wanted { increments: true, events: false }, &mut rows).expect("no counter falls");
            }
        }
        month.viewers_peak = watching.iter().copied().max().unwrap_or_default();
        Month { booked: rows.0, ..month }
    }
}

/// An evening's curve; half as much again at weekends, and a match twice a week.
fn height(second: i64) -> f64 {
    let (day, hour) = (second / 86_400, (second % 86_400) as f64 / 3_600.0);
    let usual = 0.1 + 0.9 * (-((hour - 20.5) / 2.2).powi(2)).exp();
    let weekend = if day % 7 >= 5 { 1.5 } else { 1.0 };
    let kick_off = if [2, 6].contains(&(day % 7)) && (20.0..22.0).contains(&hour) { 2.0 } else { 0.0 };
    usual * weekend + kick_off
}

/// `p95_month`: the largest twentieth, rounded down, is dropped; the next is billed.
pub fn p95(windows: &[u64]) -> u64 {
    let mut sorted = windows.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted[windows.len() / 20]
}
