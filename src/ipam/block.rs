use super::Interval;

/// `2^bits` values that begin at a multiple of their number, as a prefix does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    base: u128,
    bits: u8,
}

// === impl Block ===

impl Block {
    /// The block of `2^bits` values, at most 2^128, that holds `value`.
    pub(super) const fn new(value: u128, bits: u8) -> Self {
        Self {
            base: value & !mask(bits),
            bits,
        }
    }

    /// The largest block that begins at `base` and ends at `hi` at the latest.
    pub(super) fn largest_at(base: u128, hi: u128) -> Self {
        let aligned = base.trailing_zeros();
        let room = match (hi - base).checked_add(1) {
            Some(room) => room.ilog2(),
            None => 128,
        };
        Self {
            base,
            bits: aligned.min(room) as u8,
        }
    }

    /// Its lowest value.
    pub const fn base(&self) -> u128 {
        self.base
    }

    /// Its highest value.
    pub const fn last(&self) -> u128 {
        self.base | mask(self.bits)
    }

    /// It has 2 to the power of this values; 0 to 128.
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// Its values.
    pub const fn interval(&self) -> Interval {
        Interval {
            lo: self.base,
            hi: self.last(),
        }
    }
}

const fn mask(bits: u8) -> u128 {
    match u128::MAX.checked_shl(bits as u32) {
        Some(high) => !high,
        None => u128::MAX,
    }
}
