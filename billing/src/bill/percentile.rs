//! The 95th percentile as CDNs bill it: of N samples the largest 0.05 N are dropped, the next is billed. Found by
//! selection, not by sorting. Sources: definitions ("p95_month"); Huawei, price-cdn/cdn_01_0160; BytePlus, bandwidth
//! packages (288 × 16 × 5 % = 230.4, so the 231st is billed).

use crate::contract::DropRounding;

/// How many of `samples` are dropped: 0.05 N, rounded as the contract says. One is always left to be billed.
pub fn dropped(samples: usize, rounding: DropRounding) -> usize {
    let twentieth = match rounding {
        DropRounding::Floor => samples / 20,
        DropRounding::Ceil => samples.div_ceil(20),
        DropRounding::Nearest => (samples + 10) / 20,
    };
    twentieth.min(samples.saturating_sub(1))
}

/// The largest sample but `dropped`. Reorders them; zero of none.
pub fn billed(samples: &mut [u64], dropped: usize) -> u64 {
    let Some(place) = samples.len().checked_sub(1 + dropped) else { return 0 };
    *samples.select_nth_unstable(place).1
}

/// The billed sample, where it stands, and which were dropped. Of equal samples the earlier count as larger: who bills
/// need not care, but evidence must name one.
pub fn found(samples: &[u64], dropped: usize) -> Found {
    let mut order = samples.to_vec();
    let billed = billed(&mut order, dropped);
    // Selection has left the dropped ones behind the billed one.
    let ties = order[order.len() - dropped..].iter().filter(|sample| **sample == billed).count();
    let mut places = Vec::with_capacity(dropped);
    let (mut place, mut tied) = (None, 0);
    for (index, sample) in samples.iter().enumerate().filter(|(_, sample)| **sample >= billed) {
        if *sample > billed {
            places.push(index as u32);
        } else if tied < ties {
            places.push(index as u32);
            tied += 1;
        } else if place.is_none() {
            place = Some(index);
        }
    }
    Found { billed, place: place.unwrap_or_default(), dropped: places }
}

/// See [`found`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub billed: u64,
    pub place: usize,
    pub dropped: Vec<u32>,
}
