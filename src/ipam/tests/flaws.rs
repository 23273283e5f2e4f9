//! Each rule of a pool, broken by hand.

use metal_storage::{Entity, Guard, Write};

use super::*;
use crate::ipam::{FlawKind, Free};

fn range(lo: u128, hi: u128) -> Interval {
    Interval { lo, hi }
}

/// A store with a pool that is right, of 0 to 99, from which 10 to 19 and 50 are acquired, and of
/// which 30 and 31 are reserved.
async fn right() -> (Arc<dyn Store>, Kit) {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let kit = Kit::on(&store, &[range(0, 99)], &[range(30, 31)]).await;
    kit.acquire(Want::Range(range(10, 19))).await.unwrap();
    kit.acquire(Want::Value(50)).await.unwrap();
    let spared: PoolId = "net/internet/next".parse().unwrap();
    let create = Move::Create {
        pool: spared,
        spans: vec![range(0, 9)],
        reserved: vec![],
    };
    kit.apply(create).await.unwrap();
    assert_eq!(kit.pools.check().await.unwrap(), []);
    (store, kit)
}

/// Commits a batch whatever is stored.
async fn by_hand(store: &Arc<dyn Store>, mut batch: Batch) {
    batch.guards.clear();
    store.commit(batch).await.unwrap();
}

fn put<E: Entity>(entity: &E) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.insert(entity).unwrap();
    batch
}

fn delete<E: Entity>(entity: &E) -> Batch {
    let mut batch = put(entity);
    let keys = batch.guards.iter().map(Guard::key).cloned();
    batch.writes = keys.map(Write::Delete).collect();
    batch
}

async fn found(kit: &Kit) -> Vec<FlawKind> {
    let flaws = kit.pools.check().await.unwrap();
    for flaw in &flaws {
        assert_eq!(flaw.pool, "net/internet", "{flaw}");
    }
    flaws.into_iter().map(|flaw| flaw.kind).collect()
}

#[tokio::test]
async fn a_head_that_says_something_else_than_the_intervals_is_found() {
    type Break = fn(&mut Pool);
    type Finds = fn(&[FlawKind]) -> bool;
    let cases: [(Break, Finds); 8] = [
        (
            |pool| pool.counters.free += 1,
            |found| matches!(found, [FlawKind::Counters { .. }]),
        ),
        (
            |pool| pool.counters.quads -= 1,
            |found| matches!(found, [FlawKind::Counters { .. }]),
        ),
        (
            |pool| pool.counters.parts += 1,
            |found| matches!(found, [FlawKind::Counters { .. }]),
        ),
        (
            |pool| pool.counters.fits.retain(|bits, _| *bits > 3),
            |found| matches!(found, [FlawKind::Counters { .. }]),
        ),
        (
            |pool| pool.size = 101,
            |found| {
                matches!(
                    found,
                    [FlawKind::Size {
                        said: 101,
                        found: Some(100)
                    }]
                )
            },
        ),
        (
            |pool| pool.acquired = 0,
            |found| {
                matches!(
                    found,
                    [FlawKind::Acquired {
                        said: 0,
                        missing: 11
                    }]
                )
            },
        ),
        (
            |pool| pool.acquired = 12,
            |found| {
                matches!(
                    found,
                    [FlawKind::Acquired {
                        said: 12,
                        missing: 11
                    }]
                )
            },
        ),
        (
            |pool| pool.spans = vec![range(0, 49), range(50, 99)],
            |found| found.contains(&FlawKind::Spans),
        ),
    ];
    for (at, (broken, finds)) in cases.into_iter().enumerate() {
        let (store, kit) = right().await;
        let mut pool = kit.pool().await;
        broken(&mut pool);
        by_hand(&store, put(&pool)).await;
        let found = found(&kit).await;
        assert!(finds(&found), "case {at}: {found:?}");
    }
}

#[tokio::test]
async fn free_intervals_that_cannot_be_are_found() {
    let (store, kit) = right().await;
    let free = kit.free().await;
    assert_eq!(
        free,
        [range(0, 9), range(20, 29), range(32, 49), range(51, 99)]
    );
    let cases = [
        (
            range(15, 25),
            FlawKind::Overlap(range(15, 25), range(20, 29)),
        ),
        (
            range(10, 10),
            FlawKind::Unmerged(range(0, 9), range(10, 10)),
        ),
        (range(98, 100), FlawKind::Outside(range(98, 100))),
        (range(31, 31), FlawKind::NotReserved(range(31, 31))),
    ];
    for (added, flaw) in cases {
        let added = Free::new(&kit.pool, added);
        by_hand(&store, put(&added)).await;
        let kinds = found(&kit).await;
        assert!(kinds.contains(&flaw), "{flaw:?}: {kinds:?}");
        by_hand(&store, delete(&added)).await;
    }
    assert_eq!(found(&kit).await, []);
    // One that is missing.
    let gone = Free::new(&kit.pool, free[1]);
    by_hand(&store, delete(&gone)).await;
    let kinds = found(&kit).await;
    assert!(
        matches!(&kinds[..], [FlawKind::Counters { .. }]),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn an_interval_under_a_wrong_id_or_size_is_found() {
    let (store, kit) = right().await;
    let put = |doc: &str, fits: &str| {
        let mut batch = put(&Free::new(&kit.pool, range(0, 9)));
        let Some(Write::Put(record)) = batch.writes.first_mut() else {
            panic!("a put");
        };
        record.doc = doc.to_owned().into();
        record.fields[0].value = fits.into();
        batch
    };
    let id = Free::key(&kit.pool, 9);
    let right = format!(r#"{{"id":"{id}","interval":"0-9"}}"#);
    let other = format!(r#"{{"id":"{id}","interval":"0-8"}}"#);
    by_hand(&store, put(&right, "net/internet|2")).await;
    assert_eq!(found(&kit).await, [FlawKind::Column(range(0, 9))]);
    for doc in [other.as_str(), "{}"] {
        by_hand(&store, put(doc, "net/internet|3")).await;
        let kinds = found(&kit).await;
        assert!(kinds.contains(&FlawKind::Id(id.clone())), "{kinds:?}");
    }
}

#[tokio::test]
async fn free_intervals_without_a_head_are_found() {
    let (store, kit) = right().await;
    let pool = kit.pool().await;
    by_hand(&store, delete(&pool)).await;
    assert_eq!(found(&kit).await, [FlawKind::NoHead]);
}

#[tokio::test]
async fn a_pool_whose_intervals_are_gone_says_so_and_hands_out_nothing() {
    let (store, kit) = right().await;
    let gone = Free::new(&kit.pool, range(0, 9));
    by_hand(&store, delete(&gone)).await;
    let other = kit.on_another_node(&store);
    // It believes that the others are free until the last of them is acquired.
    for _ in 0..77 {
        other.acquire(Want::Any).await.unwrap();
    }
    let corrupt = other.acquire(Want::Any).await.unwrap_err();
    let expected =
        "pool net/internet is corrupt: its head and its free intervals contradict each other";
    assert_eq!(corrupt.to_string(), expected);
}
