//! A pool as a plain set of values: slow, and easy to believe.

use std::collections::BTreeSet;

use crate::ipam::{Counters, Interval, Want};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub free: BTreeSet<u128>,
}

// === impl Model ===

impl Model {
    pub fn of(span: Interval) -> Self {
        Self {
            free: (span.lo..=span.hi).collect(),
        }
    }

    /// The free values as intervals.
    pub fn runs(&self) -> Vec<Interval> {
        let mut runs: Vec<Interval> = Vec::new();
        for &value in &self.free {
            match runs.last_mut() {
                Some(run) if run.hi + 1 == value => run.hi = value,
                _ => runs.push(Interval::one(value)),
            }
        }
        runs
    }

    pub fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        for run in self.runs() {
            counters.parts += 1;
            counters.free += run.hi - run.lo + 1;
            counters.quads += blocks(&run, 2).count() as u128;
            *counters.fits.entry(fits(&run)).or_default() += 1;
        }
        counters
    }

    /// What an acquire must give.
    pub fn acquire(&mut self, want: Want) -> Option<Interval> {
        let runs = self.runs();
        let given = match want {
            Want::Any => Interval::one(*self.free.first()?),
            Want::UpTo(most) => {
                let first = runs.first()?;
                let hi = first.hi.min(first.lo + (most - 1));
                Interval { lo: first.lo, hi }
            }
            Want::Value(value) => Interval::one(value),
            Want::Range(interval) => interval,
            Want::Aligned { bits } => {
                let fitting = runs.iter().filter(|run| fits(run) >= bits);
                let run = fitting.min_by_key(|run| (fits(run), run.lo))?;
                // The smallest block that is large enough and inside no larger one of the run.
                let maximal = |(base, bits): &(u128, u8)| {
                    !blocks(run, bits + 1).any(|larger| larger == base >> (bits + 1) << (bits + 1))
                };
                let sizes = bits..=fits(run);
                let all = sizes.flat_map(|bits| blocks(run, bits).map(move |base| (base, bits)));
                let (lo, _) = all
                    .filter(maximal)
                    .min_by_key(|(base, bits)| (*bits, *base))?;
                Interval {
                    lo,
                    hi: lo + ((1 << bits) - 1),
                }
            }
        };
        let values = given.lo..=given.hi;
        if !values.clone().all(|value| self.free.contains(&value)) {
            return None;
        }
        self.free.retain(|value| !given.holds(*value));
        Some(given)
    }

    /// Whether all of these may be put back.
    pub fn release(&mut self, interval: Interval) -> bool {
        let values = interval.lo..=interval.hi;
        if values.clone().any(|value| self.free.contains(&value)) {
            return false;
        }
        self.free.extend(values);
        true
    }
}

/// The aligned blocks of `2^bits` values inside.
pub(super) fn blocks(run: &Interval, bits: u8) -> impl Iterator<Item = u128> {
    let (size, run) = (1 << bits, *run);
    (run.lo..=run.hi).filter(move |base| base % size == 0 && run.hi - base >= size - 1)
}

/// The size of the largest of them.
pub(super) fn fits(run: &Interval) -> u8 {
    let found = (0..=100)
        .rev()
        .find(|bits| blocks(run, *bits).next().is_some());
    found.expect("one value is a block")
}
