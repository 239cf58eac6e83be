//! An amount over an interval → exact parts per 5-minute window: in proportion to time, rounded by
//! the largest remainder, so that the parts sum to the amount. What the amounts mean is not here.

use livemeter_schemas::time::{WINDOW_MS, window_start_ms};

/// The five counters of one (session, CDN), or what was added to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    pub bytes: u64,
    pub aborted_bytes: u64,
    pub play_ms: u64,
    pub stall_ms: u64,
    pub stalls: u64,
}

impl Amounts {
    /// The five, in the order of the ledger's columns.
    pub fn array(self) -> [u64; 5] {
        [self.bytes, self.aborted_bytes, self.play_ms, self.stall_ms, self.stalls]
    }

    pub fn from_array([bytes, aborted_bytes, play_ms, stall_ms, stalls]: [u64; 5]) -> Self {
        Amounts { bytes, aborted_bytes, play_ms, stall_ms, stalls }
    }

    pub fn is_zero(self) -> bool {
        self == Amounts::default()
    }

    pub fn plus(self, other: Amounts) -> Amounts {
        self.zip(other, u64::saturating_add)
    }

    /// The larger of each: counters never fall, so the last one known is the largest one seen.
    pub fn max(self, other: Amounts) -> Amounts {
        self.zip(other, u64::max)
    }

    /// What must be added to `earlier` to get these; none when any of them fell.
    pub fn since(self, earlier: Amounts) -> Option<Amounts> {
        Some(Amounts {
            bytes: self.bytes.checked_sub(earlier.bytes)?,
            aborted_bytes: self.aborted_bytes.checked_sub(earlier.aborted_bytes)?,
            play_ms: self.play_ms.checked_sub(earlier.play_ms)?,
            stall_ms: self.stall_ms.checked_sub(earlier.stall_ms)?,
            stalls: self.stalls.checked_sub(earlier.stalls)?,
        })
    }

    fn zip(self, other: Amounts, f: impl Fn(u64, u64) -> u64) -> Amounts {
        Amounts {
            bytes: f(self.bytes, other.bytes),
            aborted_bytes: f(self.aborted_bytes, other.aborted_bytes),
            play_ms: f(self.play_ms, other.play_ms),
            stall_ms: f(self.stall_ms, other.stall_ms),
            stalls: f(self.stalls, other.stalls),
        }
    }
}

/// What falls into one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub window_start_ms: i64,
    pub amounts: Amounts,
}

/// Spreads `amounts` over the time from `start_ms` to `end_ms` and leaves the parts in `out`, earliest
/// first; windows that get nothing are left out. An interval without length belongs to the window of
/// its end. One that touches more than `windows_max` windows is shortened at its start.
pub fn split(start_ms: i64, end_ms: i64, amounts: Amounts, windows_max: usize, out: &mut Vec<Part>) {
    out.clear();
    let last = window_start_ms(end_ms);
    let reach = i64::try_from(windows_max.max(1) - 1).unwrap_or(i64::MAX).saturating_mul(WINDOW_MS);
    let start = start_ms.max(last.saturating_sub(reach)).min(end_ms);
    let first = window_start_ms(start);
    if first == last {
        out.push(Part { window_start_ms: last, amounts });
        return;
    }
    let length = (end_ms - start) as u64;
    let mut window = first;
    while window < end_ms {
        out.push(Part { window_start_ms: window, amounts: Amounts::default() });
        window += WINDOW_MS;
    }
    // One counter at a time: `shares[k]` is what window k gets of it.
    let weight = |part: &Part| ((part.window_start_ms + WINDOW_MS).min(end_ms) - part.window_start_ms.max(start)) as u64;
    let weights: Vec<u64> = out.iter().map(weight).collect();
    let mut parts = vec![[0u64; 5]; out.len()];
    for (i, amount) in amounts.array().into_iter().enumerate().filter(|(_, amount)| *amount > 0) {
        for (part, share) in parts.iter_mut().zip(shares(amount, &weights, length)) {
            part[i] = share;
        }
    }
    for (part, values) in out.iter_mut().zip(parts) {
        part.amounts = Amounts::from_array(values);
    }
    out.retain(|part| !part.amounts.is_zero());
    if out.is_empty() {
        out.push(Part { window_start_ms: last, amounts });
    }
}

/// `amount` in proportion to `weights`, whose sum is `total`. What rounding down leaves over goes, one
/// each, to the largest remainders; among equals to the earliest.
fn shares(amount: u64, weights: &[u64], total: u64) -> Vec<u64> {
    let exact = |weight: &u64| u128::from(amount) * u128::from(*weight);
    let mut shares: Vec<u64> = weights.iter().map(|w| (exact(w) / u128::from(total)) as u64).collect();
    let left = amount - shares.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(weights.get(i).map_or(0, exact) % u128::from(total)), i));
    for i in order.into_iter().take(left as usize) {
        if let Some(share) = shares.get_mut(i) {
            *share += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(bytes: u64) -> Amounts {
        Amounts { bytes, ..Amounts::default() }
    }

    fn windows(start: i64, end: i64, amount: u64, max: usize) -> Vec<(i64, u64)> {
        let mut out = Vec::new();
        split(start, end, bytes(amount), max, &mut out);
        out.iter().map(|p| (p.window_start_ms / WINDOW_MS, p.amounts.bytes)).collect()
    }

    #[test]
    fn golden() {
        let w = WINDOW_MS;
        assert_eq!(windows(10, 20, 7, 9), [(0, 7)], "within one window");
        assert_eq!(windows(w, w, 7, 9), [(1, 7)], "no length: the window of its end");
        assert_eq!(windows(w - 10, w, 7, 9), [(0, 7)], "an end on the boundary takes no time of the next window");
        assert_eq!(windows(w - 10, w + 30, 7, 9), [(0, 2), (1, 5)], "1.75 and 5.25: the larger remainder is the first");
        assert_eq!(windows(w / 2, w + w / 2, 3, 9), [(0, 2), (1, 1)], "equal remainders: the earliest");
        assert_eq!(windows(0, 4 * w, 2, 9), [(0, 1), (1, 1)], "windows that get nothing are left out");
        assert_eq!(windows(0, 4 * w + 1, 100, 3), [(2, 50), (3, 50)], "over the cap: shortened at its start");
        assert_eq!(windows(0, 3 * w, 0, 9), [(3, 0)], "nothing to spread still has a place");
        assert_eq!(windows(-w, w, 4, 9), [(-1, 2), (0, 2)], "before 1970");
    }

    proptest! {
        #[test]
        fn parts_sum_exactly_and_lie_within(start in -10_000_000i64..10_000_000, length in 0i64..40_000_000,
                                            values in prop::array::uniform5(0u64..1 << 50), max in 1usize..200) {
            let amounts = Amounts::from_array(values);
            let end = start + length;
            let mut out = Vec::new();
            split(start, end, amounts, max, &mut out);
            prop_assert_eq!(out.iter().fold(Amounts::default(), |sum, p| sum.plus(p.amounts)), amounts);
            prop_assert!(out.len() <= max.max(1));
            prop_assert!(out.is_sorted_by_key(|p| p.window_start_ms));
            for part in &out {
                prop_assert_eq!(part.window_start_ms.rem_euclid(WINDOW_MS), 0);
                prop_assert!(part.window_start_ms <= end && part.window_start_ms + WINDOW_MS > start);
            }
            // No window is more than one unit away from its exact share.
            if length > 0 && out.len() > 1 && (max as i64) * WINDOW_MS > length + WINDOW_MS {
                for part in &out {
                    let time = (part.window_start_ms + WINDOW_MS).min(end) - part.window_start_ms.max(start);
                    let exact = u128::from(amounts.bytes) * time as u128;
                    let got = u128::from(part.amounts.bytes) * length as u128;
                    prop_assert!(got.abs_diff(exact) < length as u128);
                }
            }
        }
    }
}
