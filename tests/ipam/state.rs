use metal_edge::ipam::{Interval, Want};

/// Values of a pool of this test, at the most.
pub const SIZE: u128 = 256;

/// Which values of a pool are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State([u64; SIZE as usize / 64]);

// === impl State ===

impl State {
    pub const EMPTY: Self = Self([0; SIZE as usize / 64]);

    pub fn of(interval: Interval) -> Self {
        let mut state = Self::EMPTY;
        assert!(state.put(interval));
        state
    }

    pub fn has(&self, value: u128) -> bool {
        self.0[value as usize / 64] & (1 << (value % 64)) != 0
    }

    /// Adds these; false if one was there already.
    pub fn put(&mut self, interval: Interval) -> bool {
        (interval.lo..=interval.hi).all(|value| {
            let new = !self.has(value);
            self.0[value as usize / 64] |= 1 << (value % 64);
            new
        })
    }

    /// Removes these.
    pub fn remove(&mut self, others: Self) {
        for (word, other) in self.0.iter_mut().zip(others.0) {
            *word &= !other;
        }
    }

    /// Whether this can be had.
    pub fn gives(&self, want: Want) -> bool {
        let all = |interval: Interval| (interval.lo..=interval.hi).all(|value| self.has(value));
        match want {
            Want::Any | Want::UpTo(_) => *self != Self::EMPTY,
            Want::Value(value) => self.has(value),
            Want::Range(interval) => all(interval),
            Want::Aligned { bits } => {
                let size = 1 << bits;
                let bases = (0..SIZE).step_by(size as usize);
                bases.into_iter().any(|lo| {
                    all(Interval {
                        lo,
                        hi: lo + (size - 1),
                    })
                })
            }
        }
    }
}
