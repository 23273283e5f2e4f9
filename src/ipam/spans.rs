//! Sets of a few intervals, kept in order.

use super::Interval;

/// In order, merged where they touch; none if two of them overlap.
pub(super) fn merged(mut intervals: Vec<Interval>) -> Option<Vec<Interval>> {
    intervals.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for next in intervals {
        match merged.last_mut() {
            Some(last) if next.lo <= last.hi => return None,
            Some(last) if last.hi + 1 == next.lo => last.hi = next.hi,
            _ => merged.push(next),
        }
    }
    Some(merged)
}

/// What is left of them without one that one of them covers.
pub(super) fn without(intervals: &[Interval], inner: &Interval) -> Vec<Interval> {
    let rest = |outer: &Interval| match outer.covers(inner) {
        true => outer.without(inner),
        false => [Some(*outer), None],
    };
    intervals.iter().flat_map(rest).flatten().collect()
}

/// How many values they have; none if that cannot be said in 128 bits.
pub(super) fn size(intervals: &[Interval]) -> Option<u128> {
    let size = |interval: &Interval| (interval.hi - interval.lo).checked_add(1);
    let add = |sum: u128, interval| sum.checked_add(size(interval)?);
    intervals.iter().try_fold(0, add)
}
