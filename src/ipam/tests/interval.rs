//! Single intervals, against counting.

use proptest::prelude::*;

use super::model;
use crate::ipam::{Block, Interval};

/// Short ones, also at both ends of all values, and where the bits flip.
pub(super) fn intervals() -> impl Strategy<Value = Interval> {
    let bases = [0, (1 << 32) - 70, 1 << 64, u128::MAX - 140];
    (
        prop::sample::select(bases.to_vec()),
        0..140_u128,
        0..140_u128,
    )
        .prop_map(|(base, a, b)| Interval {
            lo: base + a.min(b),
            hi: base + a.max(b),
        })
}

proptest! {
    #[test]
    fn what_is_worked_out_of_an_interval_is_what_counting_gives(of in intervals(), bits in 0..9_u8) {
        prop_assert_eq!(of.fits(), model::fits(&of));
        prop_assert_eq!(of.quads(), model::blocks(&of, 2).count() as u128);
        let mut next = of.lo;
        let blocks: Vec<Block> = of.blocks().collect();
        for (at, block) in blocks.iter().enumerate() {
            prop_assert_eq!(block.base(), next);
            prop_assert_eq!(block.base() % (1 << block.bits()), 0);
            let last = at + 1 == blocks.len();
            next = match last {
                true => block.last(),
                false => block.last() + 1,
            };
            // Two that are one should be one.
            let twin = block.base() ^ (1 << block.bits());
            prop_assert!(!blocks.iter().any(|b| b.base() == twin && b.bits() == block.bits()));
        }
        prop_assert_eq!(next, of.hi);
        let best = model::Model::of(of).acquire(crate::ipam::Want::Aligned { bits });
        prop_assert_eq!(of.best(bits), best);
        prop_assert_eq!(of.to_string().parse(), Ok(of));
    }
}

#[test]
fn the_interval_of_everything_is_one_block() {
    let all = Interval::new(0, u128::MAX).unwrap();
    assert_eq!(all.fits(), 128);
    assert_eq!(all.quads(), 1 << 126);
    let blocks: Vec<Block> = all.blocks().collect();
    assert_eq!(blocks.len(), 1);
    assert_eq!((blocks[0].base(), blocks[0].last()), (0, u128::MAX));
    let most = Interval::new(1, u128::MAX - 1).unwrap();
    assert_eq!(most.blocks().count(), 254);
    assert_eq!(most.fits(), 126);
}

#[test]
fn what_is_no_interval_is_refused() {
    for text in [
        "",
        "1",
        "2-1",
        "-1",
        "1-",
        "g-h",
        "+1-2",
        "1-2-3",
        "0-100000000000000000000000000000000",
    ] {
        assert!(text.parse::<Interval>().is_err(), "{text:?}");
    }
    assert_eq!(Interval::new(2, 1), None);
}
