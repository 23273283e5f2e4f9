//! Sets of numbers, as intervals.

use crate::ipam::Interval;

/// What is left of the ones without the others.
pub(super) fn difference(mut from: Vec<Interval>, mut what: Vec<Interval>) -> Vec<Interval> {
    from.sort();
    what.sort();
    let mut what = what.into_iter().peekable();
    let mut left = Vec::new();
    for interval in from {
        let mut rest = Some(interval);
        while let (Some(now), Some(next)) = (rest, what.peek()) {
            if next.hi < now.lo {
                what.next();
                continue;
            }
            let Some(inner) = now.common(next) else { break };
            let [below, above] = now.without(&inner);
            left.extend(below);
            rest = above;
        }
        left.extend(rest);
    }
    left
}

/// What is in two of these.
pub(super) fn overlaps(mut all: Vec<Interval>) -> Vec<Interval> {
    all.sort();
    let pairs = all.windows(2).filter(|pair| pair[0].overlaps(&pair[1]));
    pairs.map(|pair| pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(u128, u128)]) -> Vec<Interval> {
        pairs.iter().map(|&(lo, hi)| Interval { lo, hi }).collect()
    }

    #[test]
    fn a_difference_is_what_is_in_the_ones_only() {
        for (from, what, left) in [
            (&[(0, 9)][..], &[][..], &[(0, 9)][..]),
            (&[(0, 9)], &[(0, 9)], &[]),
            (&[(0, 9)], &[(3, 3), (5, 6)], &[(0, 2), (4, 4), (7, 9)]),
            (&[(5, 9), (0, 2)], &[(2, 5), (9, 20)], &[(0, 1), (6, 8)]),
            (&[(0, 2), (4, 6)], &[(0, 6), (1, 1)], &[]),
        ] {
            assert_eq!(difference(of(from), of(what)), of(left));
        }
    }
}
