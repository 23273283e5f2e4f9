use std::collections::BTreeMap;

use super::Interval;

/// Where everything is known: disjoint intervals, merged where they touch.
#[derive(Clone, Debug, Default)]
pub(super) struct Windows(BTreeMap<u128, u128>);

// === impl Windows ===

impl Windows {
    /// From here on, that is known, too.
    pub fn add(&mut self, window: Interval) {
        let (mut lo, mut hi) = (window.lo, window.hi);
        // Those that begin at the value after its end at the latest, from the last one down.
        let reach = hi.saturating_add(1);
        while let Some((&from, &to)) = self.0.range(..=reach).next_back() {
            if to.saturating_add(1) < lo {
                break;
            }
            self.0.remove(&from);
            (lo, hi) = (lo.min(from), hi.max(to));
        }
        self.0.insert(lo, hi);
    }

    /// Up to where everything is known from `value` on, if it is known there.
    pub fn until(&self, value: u128) -> Option<u128> {
        let (_, &to) = self.0.range(..=value).next_back()?;
        (to >= value).then_some(to)
    }
}
