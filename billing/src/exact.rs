//! Fractions of two 128-bit integers: exact through every step, refused on overflow, rounded once, at the end,
//! by the rule that the contract names. Nothing here knows what a figure means.

use num_rational::Ratio;
use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedSub};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A fraction. Bytes of a GiB have 30 decimals, more than a decimal holds: hence not a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(Ratio<i128>);

/// A figure went beyond 38 digits. Retrying does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a figure of the bill has more than 38 digits")]
pub struct TooLarge;

/// How money is rounded to its smallest coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Half goes away from zero, as merchants do.
    #[default]
    HalfUp,
    /// Half goes to the even neighbour (banker's).
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// Decimals shown of a fraction that has no end, or a later one.
pub const SHOWN_DECIMALS: u32 = 18;

impl Exact {
    pub const ZERO: Exact = Exact(Ratio::new_raw(0, 1));
    pub const ONE: Exact = Exact(Ratio::new_raw(1, 1));

    pub fn whole(value: impl Into<i128>) -> Exact {
        Exact(Ratio::from_integer(value.into()))
    }

    /// `over` must not be zero: a constant of ours, or a count that was checked.
    pub fn fraction(value: i128, over: i128) -> Result<Exact, TooLarge> {
        if over == 0 { Err(TooLarge) } else { Ok(Exact(Ratio::new(value, over))) }
    }

    pub fn plus(self, other: Exact) -> Result<Exact, TooLarge> {
        self.0.checked_add(&other.0).map(Exact).ok_or(TooLarge)
    }

    pub fn minus(self, other: Exact) -> Result<Exact, TooLarge> {
        self.0.checked_sub(&other.0).map(Exact).ok_or(TooLarge)
    }

    pub fn times(self, other: Exact) -> Result<Exact, TooLarge> {
        self.0.checked_mul(&other.0).map(Exact).ok_or(TooLarge)
    }

    /// Refused for a divisor of zero too.
    pub fn over(self, other: Exact) -> Result<Exact, TooLarge> {
        self.0.checked_div(&other.0).map(Exact).ok_or(TooLarge)
    }

    pub fn abs(self) -> Exact {
        if self < Exact::ZERO { Exact(-self.0) } else { self }
    }

    pub fn is_zero(self) -> bool {
        self == Exact::ZERO
    }

    /// The decimal with `decimals` places that the rule gives.
    pub fn round(self, decimals: u32, rule: Rounding) -> Result<Decimal, TooLarge> {
        let scale = 10_i128.checked_pow(decimals).ok_or(TooLarge)?;
        // Whole and rest apart, and without reducing: a figure is shown far more often than it is multiplied.
        let (value, over) = (*self.0.numer(), *self.0.denom());
        let rest = (value % over).checked_mul(scale).ok_or(TooLarge)?;
        let whole = (value / over).checked_mul(scale).ok_or(TooLarge)?;
        let value = whole.checked_add(divided(rest, over, whole % 2 != 0, rule)).ok_or(TooLarge)?;
        Decimal::try_from_i128_with_scale(value, decimals).map_err(|_| TooLarge)
    }

    /// The nearest whole number by the rule.
    pub fn to_whole(self, rule: Rounding) -> i128 {
        divided(*self.0.numer(), *self.0.denom(), false, rule)
    }

    /// As people read it: exact where it ends within [`SHOWN_DECIMALS`] places, else rounded to even there.
    pub fn shown(self) -> Result<Decimal, TooLarge> {
        let mut decimals = SHOWN_DECIMALS;
        loop {
            match self.round(decimals, Rounding::HalfEven) {
                Ok(value) => return Ok(value.normalize()),
                // A large figure leaves less room behind the point.
                Err(TooLarge) if decimals > 0 => decimals -= 3,
                Err(e) => return Err(e),
            }
        }
    }

    /// For estimates only, never for money.
    pub fn estimate(self) -> f64 {
        *self.0.numer() as f64 / *self.0.denom() as f64
    }
}

/// A quotient, rounded by the rule. `odd`: what it will be added to is, which matters where half goes to even.
fn divided(value: i128, over: i128, odd: bool, rule: Rounding) -> i128 {
    let (quotient, rest) = (value / over, (value % over).unsigned_abs());
    // `over - rest` instead of `2 × rest`: that could overflow.
    let half = rest.cmp(&(over.unsigned_abs() - rest));
    let away = match rule {
        _ if rest == 0 => false,
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::HalfUp => half.is_ge(),
        Rounding::HalfEven => half.is_gt() || (half.is_eq() && (quotient % 2 != 0) != odd),
    };
    if away { quotient + value.signum() } else { quotient }
}

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Exact {
        // A decimal's scale is at most 28: the power fits.
        Exact(Ratio::new(value.mantissa(), 10_i128.pow(value.scale())))
    }
}
