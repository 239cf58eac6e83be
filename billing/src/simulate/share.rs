//! A share of the whole in hundredths of a percent: `12.5`, `33.33`. Whole numbers, so that shares add up exactly.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::fmt;

/// Hundredths of a percent in a whole.
const WHOLE: u32 = 10_000;

/// Between nothing and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    pub const ALL: Share = Share(WHOLE);

    /// `25`, `12.5` or `33.33`, in percent; none: no number of at most two decimals, below 0 or above 100.
    pub fn parse(percent: &str) -> Option<Share> {
        let plain = !percent.is_empty() && percent.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let hundredths = plain.then(|| Decimal::from_str_exact(percent).ok())??.checked_mul(Decimal::ONE_HUNDRED)?;
        let hundredths = if hundredths.is_integer() { hundredths.to_u32()? } else { return None };
        (hundredths <= WHOLE).then_some(Share(hundredths))
    }

    /// Which share a part is of a whole, to the nearest hundredth of a percent; none of nothing.
    pub fn of(part: u128, whole: u128) -> Option<Share> {
        let hundredths = part.checked_mul(u128::from(WHOLE))?.checked_add(whole / 2)?.checked_div(whole)?;
        u32::try_from(hundredths).ok().map(Share)
    }

    /// A number times the share, not yet divided by [`Share::divisor`].
    pub fn times(self, number: u64) -> u128 {
        u128::from(number) * u128::from(self.0)
    }

    pub const fn divisor() -> u128 {
        WHOLE as u128
    }

    /// True when the shares are the whole, no more and no less.
    pub fn complete(shares: &[Share]) -> bool {
        shares.iter().map(|share| u64::from(share.0)).sum::<u64>() == u64::from(WHOLE)
    }
}

/// In percent, without a sign: `12.5`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::new(i64::from(self.0), 2).normalize().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_of_two_decimals_and_nothing_else() {
        for (text, shown) in [("0", "0"), ("25", "25"), ("12.5", "12.5"), ("33.33", "33.33"), ("100", "100"), ("100.00", "100")] {
            assert_eq!(Share::parse(text).map(|share| share.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in ["", "-1", "100.01", "1.001", "1e2", "25%", "1_0", "99999999999999999999999999999"] {
            assert_eq!(Share::parse(text), None, "{text}");
        }
        assert_eq!((Share::of(1, 3), Share::of(2, 3), Share::of(0, 0)), (Some(Share(3_333)), Some(Share(6_667)), None));
    }
}
