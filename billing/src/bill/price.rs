//! Quantity → money by a tariff, and the minimum and the free quantity around it. Nothing is rounded here.

use crate::contract::{AtBoundary, Commit, Free, Tier, TiersApply};
use crate::exact::{Exact, TooLarge};

/// A part of a quantity at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    pub quantity: Exact,
    pub price: Exact,
}

impl Slice {
    pub fn amount(&self) -> Result<Exact, TooLarge> {
        self.quantity.times(self.price)
    }
}

/// How a quantity is to be priced, whatever it measures.
#[derive(Debug, Clone, Copy)]
pub struct Prices<'a> {
    pub tiers: &'a [Tier],
    pub apply: TiersApply,
    pub at_boundary: AtBoundary,
    pub commit: Option<&'a Commit>,
    pub free: Option<&'a Free>,
    /// Days of the month within the contract, of all its days: what is by days counts by this.
    pub share: Exact,
}

impl Prices<'_> {
    /// What is free, in the contract's unit.
    pub fn free_quantity(&self) -> Result<Exact, TooLarge> {
        self.free.map_or(Ok(Exact::ZERO), |free| self.by_days(Exact::from(free.quantity), free.prorate))
    }

    /// What is paid for at least.
    pub fn committed(&self) -> Result<Exact, TooLarge> {
        self.commit.map_or(Ok(Exact::ZERO), |commit| self.by_days(Exact::from(commit.quantity), commit.prorate))
    }

    fn by_days(&self, quantity: Exact, prorate: bool) -> Result<Exact, TooLarge> {
        if prorate { quantity.times(self.share) } else { Ok(quantity) }
    }

    /// The parts that are paid for a used quantity: max(used, committed), less what is free; beyond a minimum at the
    /// price of the overage, where there is one. Definitions ("minimum commit").
    pub fn slices(&self, used: Exact) -> Result<Vec<Slice>, TooLarge> {
        let free = self.free_quantity()?.min(used);
        let fills = self.free.is_some_and(|free| free.fills_tiers);
        // A free quantity that fills the tiers is taken off at their lower end, else off the quantity.
        let (begin, used) = if fills { (free, used) } else { (Exact::ZERO, used.minus(free)?) };
        let committed = self.committed()?;
        match self.commit.and_then(|commit| commit.overage_price) {
            Some(price) if used > committed => {
                let mut slices = self.tiers(begin.min(committed), committed)?;
                slices.push(Slice { quantity: used.minus(committed.max(begin))?, price: Exact::from(price) });
                Ok(slices)
            }
            _ => self.tiers(begin, used.max(committed)),
        }
    }

    /// What a used quantity costs.
    pub fn amount(&self, used: Exact) -> Result<Exact, TooLarge> {
        let mut sum = Exact::ZERO;
        for slice in self.slices(used)? {
            sum = sum.plus(slice.amount()?)?;
        }
        Ok(sum)
    }

    /// The quantity from `begin` to `end` by the tiers alone.
    fn tiers(&self, begin: Exact, end: Exact) -> Result<Vec<Slice>, TooLarge> {
        match self.apply {
            TiersApply::Reached => {
                let price = self.reached(end).map_or(Exact::ZERO, |tier| Exact::from(tier.price));
                Ok(vec![Slice { quantity: end.minus(begin)?, price }])
            }
            TiersApply::Progressive => {
                let mut slices = Vec::new();
                for tier in self.tiers {
                    let from = Exact::from(tier.from).max(begin);
                    let to = tier.up_to.map_or(end, |up_to| Exact::from(up_to).min(end));
                    if to > from {
                        slices.push(Slice { quantity: to.minus(from)?, price: Exact::from(tier.price) });
                    }
                }
                Ok(slices)
            }
        }
    }

    /// The tier that a quantity lies in.
    pub fn reached(&self, quantity: Exact) -> Option<&Tier> {
        let ends_before = |tier: &&Tier| {
            let Some(up_to) = tier.up_to.map(Exact::from) else { return false };
            match self.at_boundary {
                AtBoundary::LowerTier => up_to < quantity,
                AtBoundary::UpperTier => up_to <= quantity,
            }
        };
        self.tiers.iter().find(|tier| !ends_before(tier))
    }
}
