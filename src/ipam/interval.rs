use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Block;

/// The values `lo..=hi`: addresses as numbers, or numbers as such.
///
/// Its text form, also where it is stored, is `LO-HI` in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// The lowest value.
    pub lo: u128,
    /// The highest value; not below `lo`.
    pub hi: u128,
}

// === impl Interval ===

impl Interval {
    /// `lo..=hi`, unless `hi` is below `lo`.
    pub const fn new(lo: u128, hi: u128) -> Option<Self> {
        match lo <= hi {
            true => Some(Self { lo, hi }),
            false => None,
        }
    }

    /// One value.
    pub const fn one(value: u128) -> Self {
        Self {
            lo: value,
            hi: value,
        }
    }

    /// How many values it has, at least one. The interval of all has one more than can be said.
    pub const fn len(&self) -> u128 {
        (self.hi - self.lo).saturating_add(1)
    }

    /// Never: an interval has a value.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Whether it has this value.
    pub const fn holds(&self, value: u128) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// Whether it has every value of the other.
    pub const fn covers(&self, other: &Self) -> bool {
        self.lo <= other.lo && other.hi <= self.hi
    }

    /// Whether it has a value of the other.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.lo <= other.hi && other.lo <= self.hi
    }

    /// The values that both have, if any.
    pub fn common(&self, other: &Self) -> Option<Self> {
        Self::new(self.lo.max(other.lo), self.hi.min(other.hi))
    }

    /// What is left below and above when `inner`, which it covers, is taken out.
    pub fn without(&self, inner: &Self) -> [Option<Self>; 2] {
        let below = inner
            .lo
            .checked_sub(1)
            .and_then(|hi| Self::new(self.lo, hi));
        let above = inner
            .hi
            .checked_add(1)
            .and_then(|lo| Self::new(lo, self.hi));
        [below, above]
    }

    /// Aligned groups of four that are wholly inside, for addresses: the /30s, or /126s.
    pub const fn quads(&self) -> u128 {
        let first = self.lo.div_ceil(4);
        let end = match self.hi.checked_add(1) {
            Some(end) => end / 4,
            None => 1 << 126,
        };
        end.saturating_sub(first)
    }

    /// The aligned blocks that it consists of, as few as possible, in order; at most 254.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        let hi = self.hi;
        let mut next = Some(self.lo);
        std::iter::from_fn(move || {
            let base = next?;
            let block = Block::largest_at(base, hi);
            next = block.last().checked_add(1).filter(|at| *at <= hi);
            Some(block)
        })
    }

    /// The size of the largest aligned block inside: 2 to the power of this. Costs O(1).
    pub fn fits(&self) -> u8 {
        if self.lo == self.hi {
            return 0;
        }
        // Everything above this bit is the same in both: a block ends or begins where it flips,
        // unless the interval is one block.
        let bit = (self.lo ^ self.hi).ilog2();
        let low = (u128::MAX >> (127 - bit), self.lo, self.hi);
        if low.1 & low.0 == 0 && low.2 & low.0 == low.0 {
            return (bit + 1) as u8;
        }
        let middle = self.hi >> bit << bit;
        let below = (middle - self.lo).ilog2();
        let above = (self.hi - middle + 1).ilog2();
        below.max(above) as u8
    }

    /// The aligned block of `2^bits` values to take from it so that the largest blocks stay whole:
    /// out of the smallest of its [`blocks`](Self::blocks) that is large enough, the lowest among
    /// equals, and there the lowest.
    pub fn best(&self, bits: u8) -> Option<Self> {
        self.blocks()
            .filter(|block| block.bits() >= bits)
            .min_by_key(|block| (block.bits(), block.base()))
            .map(|block| Block::new(block.base(), bits).interval())
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.lo, self.hi)
    }
}

impl FromStr for Interval {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| {
            let plain = !digits.starts_with('+');
            plain
                .then(|| u128::from_str_radix(digits, 16).ok())
                .flatten()
        };
        text.split_once('-')
            .and_then(|(lo, hi)| Self::new(number(lo)?, number(hi)?))
            .ok_or("no interval: LO-HI in hexadecimal digits, LO not above HI")
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}
