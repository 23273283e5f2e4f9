//! Pools that grow and shrink, and what no pool can be.

use super::*;

fn range(lo: u128, hi: u128) -> Interval {
    Interval { lo, hi }
}

#[tokio::test]
async fn a_pool_that_grows_hands_out_what_was_added_and_one_that_shrinks_does_not() {
    let kit = Kit::new(&[], &[]).await;
    let (pool, grow) = (kit.pool.clone(), |interval| Move::Grow {
        pool: kit.pool.clone(),
        interval,
    });
    let shrink = |interval| Move::Shrink {
        pool: kit.pool.clone(),
        interval,
    };
    let empty = kit.acquire(Want::Any).await.unwrap_err();
    assert!(
        matches!(empty, IpamError::Exhausted { size: 0, .. }),
        "{empty}"
    );
    kit.apply(grow(range(8, 11))).await.unwrap();
    kit.apply(grow(range(4, 7))).await.unwrap();
    assert_eq!(kit.pool().await.spans, [range(4, 11)]);
    for interval in [range(7, 8), range(11, 12), range(0, 20)] {
        let pool = pool.clone();
        let twice = kit.apply(grow(interval)).await.unwrap_err();
        assert_eq!(twice, IpamError::Overlap { pool, interval });
    }
    assert_eq!(kit.acquire(Want::Any).await.unwrap(), range(4, 4));
    let interval = range(4, 7);
    let taken = kit.apply(shrink(interval)).await.unwrap_err();
    assert_eq!(taken, IpamError::Taken { pool, interval });
    kit.apply(shrink(range(6, 9))).await.unwrap();
    assert_eq!(kit.pool().await.spans, [range(4, 5), range(10, 11)]);
    assert_eq!(kit.pool().await.size, 4);
    let gone = kit.acquire(Want::Value(7)).await.unwrap_err();
    assert!(matches!(gone, IpamError::Outside { .. }), "{gone}");
    let across = kit.acquire(Want::Range(range(5, 10))).await.unwrap_err();
    assert!(matches!(across, IpamError::Outside { .. }), "{across}");
    let free = [range(5, 5), range(10, 11)];
    assert_eq!(kit.free().await, free);
}

#[tokio::test]
async fn a_pool_that_cannot_be_is_refused() {
    let kit = Kit::new(&[range(0, 9)], &[]).await;
    let other: PoolId = "other".parse().unwrap();
    let cases = [
        (vec![range(0, 4), range(4, 9)], vec![], "overlap"),
        (vec![Interval { lo: 4, hi: 0 }], vec![], "ends before"),
        (vec![range(0, 4)], vec![range(4, 5)], "is not in it"),
        (vec![range(0, 4)], vec![range(1, 2), range(2, 3)], "overlap"),
        (vec![range(0, u128::MAX)], vec![], "fewer than"),
        (
            (0..101).map(|n| Interval::one(2 * n)).collect(),
            vec![],
            "at most 100",
        ),
    ];
    for (spans, reserved, why) in cases {
        let pool = other.clone();
        let refused = kit
            .apply(Move::Create {
                pool,
                spans,
                reserved,
            })
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, IpamError::Invalid(text) if text.contains(why)),
            "{refused}"
        );
    }
    let twice = Move::Create {
        pool: kit.pool.clone(),
        spans: vec![],
        reserved: vec![],
    };
    let refused = kit.apply(twice).await.unwrap_err();
    assert_eq!(refused, IpamError::Exists(kit.pool.clone()));
    let missing = kit
        .apply(Move::Delete {
            pool: other.clone(),
        })
        .await;
    assert_eq!(missing.unwrap_err(), IpamError::NoPool(other));
}

#[tokio::test]
async fn the_largest_pool_can_be_made_and_deleted_in_one_batch_each() {
    let spans: Vec<Interval> = (0..50).map(|n| range(10 * n, 10 * n + 4)).collect();
    let reserved: Vec<Interval> = (0..50).map(|n| Interval::one(10 * n + 2)).collect();
    let kit = Kit::new(&spans, &reserved).await;
    assert_eq!(kit.free().await.len(), 100);
    let pool = kit.pool.clone();
    kit.apply(Move::Delete { pool }).await.unwrap();
    assert!(kit.free().await.is_empty());
}

#[tokio::test]
async fn what_was_not_acquired_as_it_is_released_is_not_taken_back() {
    let kit = Kit::new(&[range(0, 15)], &[]).await;
    let block = kit.acquire(Want::Aligned { bits: 2 }).await.unwrap();
    let one = kit.acquire(Want::Any).await.unwrap();
    // All at once would leave one that has no value.
    for interval in [
        range(block.lo, one.hi),
        range(0, 15),
        range(one.lo, one.hi + 1),
    ] {
        let refused = kit.release(interval).await.unwrap_err();
        let pool = kit.pool.clone();
        assert_eq!(refused, IpamError::NotTaken { pool, interval });
    }
    kit.release(one).await.unwrap();
    let half = kit.release(range(0, 1)).await.unwrap_err();
    assert!(matches!(half, IpamError::NotTaken { .. }), "{half}");
    kit.release(block).await.unwrap();
    assert_eq!(kit.free().await, [range(0, 15)]);
}

#[test]
fn a_name_that_could_be_taken_for_another_pools_records_is_refused() {
    let long = "a".repeat(201);
    for name in ["", "/", "a/", "/a", "a//b", "a#b", "a b", "ä", "a|1", &long] {
        assert!(name.parse::<PoolId>().is_err(), "{name:?}");
    }
    for name in [
        "vrf",
        "net/internet/203.0.113.128-25",
        "net/x/2001:db8::-64",
        &long[1..],
    ] {
        assert_eq!(name.parse::<PoolId>().unwrap().to_string(), name);
    }
}
