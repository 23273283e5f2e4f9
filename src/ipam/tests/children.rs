//! Prefixes out of prefixes.

use std::collections::HashSet;

use futures::future::join_all;
use ipnet::IpNet;

use super::*;
use crate::ipam::{Usage, prefix};

/// A prefix that gives child prefixes.
struct Super {
    kit: Kit,
    prefix: IpNet,
}

// === impl Super ===

impl Super {
    async fn new(prefix: &str) -> Self {
        let prefix: IpNet = prefix.parse().unwrap();
        let kit = Kit::new(&[prefix::interval(&prefix)], &[]).await;
        Self { kit, prefix }
    }

    async fn child(&self, length: u8) -> Result<String, IpamError> {
        let bits = prefix::bits(&self.prefix, length).unwrap();
        let acquired = self.kit.acquire(Want::Aligned { bits }).await?;
        let child = prefix::prefixes(&self.prefix, &acquired).unwrap();
        assert_eq!(child.len(), 1);
        Ok(child[0].to_string())
    }

    async fn specific(&self, child: &str) -> Result<(), IpamError> {
        let child = prefix::interval(&child.parse().unwrap());
        let acquired = self.kit.acquire(Want::Range(child)).await?;
        assert_eq!(acquired, child);
        Ok(())
    }

    async fn release(&self, child: &str) -> Result<(), IpamError> {
        self.kit
            .release(prefix::interval(&child.parse().unwrap()))
            .await
    }

    async fn usage(&self) -> Usage {
        Usage::of_children(&self.prefix, &self.kit.pool().await)
    }

    async fn free(&self) -> Vec<String> {
        let free = self.kit.free().await;
        let prefixes = free
            .iter()
            .flat_map(|free| prefix::prefixes(&self.prefix, free).unwrap());
        prefixes.map(|prefix| prefix.to_string()).collect()
    }
}

#[tokio::test]
async fn child_prefixes_come_in_order_until_the_parent_is_full() {
    for (parent, length, children) in [
        (
            "10.0.0.0/22",
            24,
            ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"],
        ),
        (
            "2001:db8:85a3::/62",
            64,
            [
                "2001:db8:85a3::/64",
                "2001:db8:85a3:1::/64",
                "2001:db8:85a3:2::/64",
                "2001:db8:85a3:3::/64",
            ],
        ),
    ] {
        let parent = Super::new(parent).await;
        for child in children {
            assert_eq!(parent.child(length).await.unwrap(), child);
        }
        let full = parent.child(length).await.unwrap_err();
        assert!(matches!(full, IpamError::Exhausted { .. }), "{full}");
        for child in children {
            parent.release(child).await.unwrap();
        }
        assert_eq!(parent.free().await, [parent.prefix.to_string()]);
        assert_eq!(parent.child(length).await.unwrap(), children[0]);
    }
}

#[tokio::test]
async fn children_of_several_lengths_leave_no_more_holes_than_they_must() {
    let parent = Super::new("192.168.0.0/20").await;
    assert_eq!(parent.child(21).await.unwrap(), "192.168.0.0/21");
    assert_eq!(parent.child(27).await.unwrap(), "192.168.8.0/27");
    assert_eq!(parent.child(23).await.unwrap(), "192.168.10.0/23");
    assert_eq!(parent.child(27).await.unwrap(), "192.168.8.32/27");
    assert_eq!(parent.child(22).await.unwrap(), "192.168.12.0/22");
    assert_eq!(
        parent.free().await,
        ["192.168.8.64/26", "192.168.8.128/25", "192.168.9.0/24"]
    );
    let none = parent.child(23).await.unwrap_err();
    assert!(
        matches!(
            none,
            IpamError::Exhausted {
                largest: Some(8),
                ..
            }
        ),
        "{none}"
    );
    // What fits best is used up first.
    assert_eq!(parent.child(26).await.unwrap(), "192.168.8.64/26");
    assert_eq!(parent.child(25).await.unwrap(), "192.168.8.128/25");
    parent.release("192.168.8.0/27").await.unwrap();
    assert_eq!(parent.child(28).await.unwrap(), "192.168.8.0/28");
    assert_eq!(parent.child(24).await.unwrap(), "192.168.9.0/24");
}

#[tokio::test]
async fn a_specific_child_is_given_if_all_of_it_is_free() {
    for (parent, child, inner, next, foreign) in [
        (
            "192.168.0.0/20",
            "192.168.4.0/24",
            "192.168.4.128/25",
            "192.168.0.0/24",
            "10.0.0.0/24",
        ),
        (
            "2001:db8::/46",
            "2001:db8:1::/48",
            "2001:db8:1:1::/64",
            "2001:db8::/48",
            "2001:db8:4::/48",
        ),
    ] {
        let parent = Super::new(parent).await;
        parent.specific(child).await.unwrap();
        for taken in [child, inner] {
            let error = parent.specific(taken).await.unwrap_err();
            assert!(matches!(error, IpamError::Taken { .. }), "{error}");
        }
        let outside = parent.specific(foreign).await.unwrap_err();
        assert!(matches!(outside, IpamError::Outside { .. }), "{outside}");
        let whole = parent
            .specific(&parent.prefix.to_string())
            .await
            .unwrap_err();
        assert!(matches!(whole, IpamError::Taken { .. }), "{whole}");
        let length = child.parse::<IpNet>().unwrap().prefix_len();
        assert_eq!(parent.child(length).await.unwrap(), next);
        parent.release(child).await.unwrap();
        let twice = parent.release(child).await.unwrap_err();
        assert!(matches!(twice, IpamError::NotTaken { .. }), "{twice}");
        parent.specific(inner).await.unwrap();
    }
}

#[tokio::test]
async fn no_child_is_given_twice_until_the_parent_is_full() {
    for (parent, length, count) in [("192.168.0.0/16", 26, 1024), ("2001:db8::/54", 64, 1024)] {
        let parent = Super::new(parent).await;
        let all = join_all((0..count).map(|_| parent.child(length))).await;
        let unique: HashSet<String> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(unique.len(), count);
        parent.child(length).await.unwrap_err();
        assert!(parent.free().await.is_empty());
    }
}

#[tokio::test]
async fn usage_counts_children_and_the_prefixes_of_four_that_are_left() {
    let parent = Super::new("192.168.0.0/20").await;
    let fresh = Usage {
        available_ips: 4096,
        used_ips: 2,
        available_prefixes: 1024,
        used_prefixes: 0,
    };
    assert_eq!(parent.usage().await, fresh);
    parent.child(24).await.unwrap();
    parent.child(26).await.unwrap();
    // Of a /31 nothing is left in its group of four.
    parent.child(31).await.unwrap();
    let used = parent.usage().await;
    assert_eq!(
        (used.available_prefixes, used.used_prefixes),
        (1024 - 64 - 16 - 1, 3)
    );
    assert_eq!(used.and(used).used_prefixes, 6);
}

#[tokio::test]
async fn of_two_nodes_that_make_overlapping_prefixes_at_the_same_moment_one_is_refused() {
    let space: IpNet = "0.0.0.0/0".parse().unwrap();
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let one = Kit::on(&store, &[prefix::interval(&space)], &[]).await;
    let other = one.on_another_node(&store);
    let want = |text: &str| Want::Range(prefix::interval(&text.parse().unwrap()));
    for (a, b) in [
        ("10.1.0.0/16", "10.1.2.0/24"),
        ("10.3.0.0/24", "10.2.0.0/15"),
        ("10.4.0.0/24", "10.4.0.0/24"),
    ] {
        let (first, second) = tokio::join!(one.acquire(want(a)), other.acquire(want(b)));
        let refused = match (first, second) {
            (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
            both => panic!("{a} and {b}: {both:?}"),
        };
        assert!(matches!(refused, IpamError::Taken { .. }), "{refused}");
    }
    one.acquire(want("10.5.0.0/24")).await.unwrap();
    other.acquire(want("10.5.1.0/24")).await.unwrap();
}

#[tokio::test]
async fn numbers_of_128_bits_are_handed_out_like_any() {
    let all = Interval {
        lo: 1,
        hi: u128::MAX,
    };
    let kit = Kit::new(&[all], &[]).await;
    let half = kit.acquire(Want::Aligned { bits: 127 }).await.unwrap();
    assert_eq!(half.lo, 1 << 127);
    let rest = kit.acquire(Want::UpTo(u128::MAX)).await.unwrap();
    assert_eq!(
        rest,
        Interval {
            lo: 1,
            hi: half.lo - 1
        }
    );
    kit.release(half).await.unwrap();
    kit.release(rest).await.unwrap();
    assert_eq!(kit.free().await, [all]);
    let everything = Interval { lo: 0, hi: 0 };
    let create = Move::Grow {
        pool: kit.pool.clone(),
        interval: everything,
    };
    let refused = kit.apply(create).await.unwrap_err();
    assert!(matches!(refused, IpamError::Invalid(_)), "{refused}");
}

#[tokio::test]
async fn a_node_that_does_not_know_what_another_took_takes_the_next_and_makes_the_pool_of_it() {
    let space: IpNet = "10.0.0.0/16".parse().unwrap();
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let one = Kit::on(&store, &[prefix::interval(&space)], &[]).await;
    let other = one.on_another_node(&store);
    // Both remember the pool from now on.
    one.acquire(Want::Any).await.unwrap();
    other.acquire(Want::Any).await.unwrap();
    let mut made = Vec::new();
    for node in [&one, &other, &other, &one] {
        let acquire = Move::Acquire {
            pool: node.pool.clone(),
            want: Want::Aligned { bits: 8 },
        };
        let with = |acquired: &[Interval]| {
            let pool = format!("net/{:x}", acquired[0].lo).parse().unwrap();
            let spans = acquired.to_vec();
            let reserved = vec![];
            Ok(Extra {
                moves: vec![Move::Create {
                    pool,
                    spans,
                    reserved,
                }],
                ..Extra::default()
            })
        };
        let applied = node.allocator.apply(vec![acquire], with).await.unwrap();
        made.push(applied.intervals[0].lo);
    }
    made.dedup();
    assert_eq!(made.len(), 4, "{made:x?}");
}
