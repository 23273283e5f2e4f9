use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Interval;
use super::decimal;

/// Sums over the free intervals of a pool, kept as they change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Values that are free.
    #[serde(with = "decimal")]
    pub free: u128,
    /// Aligned groups of four that are wholly free.
    #[serde(with = "decimal")]
    pub quads: u128,
    /// Intervals.
    pub parts: u64,
    /// Intervals by the size of the largest aligned block inside: by its [`Interval::fits`]. None
    /// is listed with zero.
    pub fits: BTreeMap<u8, u64>,
}

// === impl Counters ===

impl Counters {
    /// The sums over these.
    pub fn of<'a>(intervals: impl IntoIterator<Item = &'a Interval>) -> Self {
        let mut counters = Self::default();
        for interval in intervals {
            counters.add(interval);
        }
        counters
    }

    /// An interval is added.
    pub(super) fn add(&mut self, interval: &Interval) {
        self.free = self.free.saturating_add(interval.len());
        self.quads += interval.quads();
        self.parts += 1;
        *self.fits.entry(interval.fits()).or_default() += 1;
    }

    /// An interval is removed. False, and nothing is changed, if there cannot have been one.
    pub(super) fn remove(&mut self, interval: &Interval) -> bool {
        let less = || {
            let level = self.fits.get(&interval.fits())?.checked_sub(1)?;
            let free = self.free.checked_sub(interval.len())?;
            let quads = self.quads.checked_sub(interval.quads())?;
            Some((level, free, quads, self.parts.checked_sub(1)?))
        };
        let Some((level, free, quads, parts)) = less() else {
            return false;
        };
        match level {
            0 => self.fits.remove(&interval.fits()),
            level => self.fits.insert(interval.fits(), level),
        };
        (self.free, self.quads, self.parts) = (free, quads, parts);
        true
    }

    /// The size of the largest aligned block that is free, as the exponent of 2.
    pub fn largest(&self) -> Option<u8> {
        self.fits.keys().next_back().copied()
    }
}
