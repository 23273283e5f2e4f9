//! Moves, and what goes with them.

use metal_storage::{Entity, Error, Key, Revision};

use super::*;
use crate::ipam::{Free, Pool};

fn value(lo: u128, hi: u128) -> Interval {
    Interval { lo, hi }
}

#[tokio::test]
async fn the_pool_of_a_child_is_made_of_what_was_acquired_for_it_or_nothing_is() {
    let kit = Kit::new(&[value(0, 1023)], &[]).await;
    let child: PoolId = "net/child".parse().unwrap();
    let acquire = Move::Acquire {
        pool: kit.pool.clone(),
        want: Want::Aligned { bits: 8 },
    };
    let make = || {
        let child = child.clone();
        move |acquired: &[Interval]| {
            let create = Move::Create {
                pool: child.clone(),
                spans: acquired.to_vec(),
                reserved: vec![Interval::one(acquired[0].lo)],
            };
            Ok(Extra {
                moves: vec![create],
                ..Extra::default()
            })
        }
    };
    let applied = kit.allocator.apply(vec![acquire.clone()], make()).await;
    assert_eq!(applied.unwrap().intervals, [value(0, 255)]);
    let want = Want::Any;
    let pool = child.clone();
    let first = kit.apply(Move::Acquire { pool, want }).await.unwrap();
    assert_eq!(first, Some(Interval::one(1)));

    let again = kit.allocator.apply(vec![acquire], make()).await;
    assert_eq!(again.unwrap_err(), IpamError::Exists(child));
    let next = kit.acquire(Want::Aligned { bits: 8 }).await.unwrap();
    assert_eq!(next, value(256, 511), "what was refused left a hole");
}

#[tokio::test]
async fn a_guard_of_the_caller_that_does_not_hold_is_named_and_nothing_was_acquired() {
    let kit = Kit::new(&[value(0, 9)], &[]).await;
    let gone = Key::new(Scope::Global, Name::from_static("network"), "gone").unwrap();
    let guard = metal_storage::Guard::Version(gone.clone(), Revision::new(1).into());
    let acquire = Move::Acquire {
        pool: kit.pool.clone(),
        want: Want::Any,
    };
    let extra = Extra {
        guards: vec![guard],
        ..Extra::default()
    };
    let refused = kit
        .allocator
        .apply(vec![acquire], move |_| Ok(extra.clone()));
    let other = kit.acquire(Want::Any);
    let (refused, other) = tokio::join!(refused, other);
    assert_eq!(refused.unwrap_err(), IpamError::Conflict(gone));
    assert_eq!(other.unwrap(), Interval::one(0));
}

#[tokio::test]
async fn requests_that_write_one_record_do_not_share_a_batch() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let kit = Kit::on(&store, &[value(0, 9)], &[]).await;
    let acquire = Move::Acquire {
        pool: kit.pool.clone(),
        want: Want::Any,
    };
    // Any record will do: that of a pool of another table's name is one.
    let put = |id: &'static str| {
        move |_: &[Interval]| {
            let mut batch = Batch::new(Scope::Global);
            batch.insert(&Note(id.to_owned()))?;
            Ok(Extra {
                guards: batch.guards,
                writes: batch.writes,
                moves: vec![],
            })
        }
    };
    let (first, second, third) = tokio::join!(
        kit.allocator.apply(vec![acquire.clone()], put("a")),
        kit.allocator.apply(vec![acquire.clone()], put("a")),
        kit.allocator.apply(vec![acquire.clone()], put("b")),
    );
    let (first, third) = (first.unwrap(), third.unwrap());
    assert_eq!(first.revision, third.revision, "they share a batch");
    let key = Key::new(Scope::Global, Name::from_static("note"), "a").unwrap();
    assert_eq!(second.unwrap_err(), IpamError::Conflict(key));
    assert_eq!(first.intervals, [Interval::one(0)]);
    assert_eq!(third.intervals, [Interval::one(1)]);
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Note(String);

impl Entity for Note {
    const SCHEMA: metal_storage::Schema = metal_storage::Schema::new("note", &[]);

    fn id(&self) -> &str {
        &self.0
    }

    fn columns(&self) -> Vec<metal_storage::Value> {
        vec![]
    }
}

#[tokio::test]
async fn a_pool_is_deleted_with_all_of_its_intervals_once_nothing_is_acquired() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let kit = Kit::on(&store, &[value(0, 9), value(20, 29)], &[value(4, 5)]).await;
    let acquired = kit.acquire(Want::Value(21)).await.unwrap();
    let pool = kit.pool.clone();
    let delete = Move::Delete { pool: pool.clone() };
    let refused = kit.apply(delete.clone()).await.unwrap_err();
    assert_eq!(refused, IpamError::InUse { pool, acquired: 1 });
    kit.release(acquired).await.unwrap();
    kit.apply(delete.clone()).await.unwrap();
    for table in [Pool::SCHEMA.table(), Free::SCHEMA.table()] {
        let query = Query::new(Scope::Global, Name::from_static(table));
        let page = store.list(&query, Read::Latest).await.unwrap();
        assert!(page.records.is_empty(), "{page:?}");
    }
    let gone = kit.acquire(Want::Any).await.unwrap_err();
    assert_eq!(gone, IpamError::NoPool(kit.pool.clone()));
}

#[tokio::test]
async fn what_one_request_writes_is_refused_for_it_alone_if_the_store_would_not_take_it() {
    let kit = Kit::new(&[value(0, 9)], &[]).await;
    let acquire = || {
        vec![Move::Acquire {
            pool: kit.pool.clone(),
            want: Want::Any,
        }]
    };
    let foreign = |_: &[Interval]| {
        let scope = "partition/other".parse().unwrap();
        let mut batch = Batch::new(scope);
        batch.insert(&Note("a".to_owned()))?;
        Ok(Extra {
            guards: batch.guards,
            writes: batch.writes,
            moves: vec![],
        })
    };
    let unhappy = |_: &[Interval]| Err(Error::Invalid("unhappy".to_owned()));
    let (first, second, third) = tokio::join!(
        kit.allocator.apply(acquire(), foreign),
        kit.allocator.apply(acquire(), unhappy),
        kit.acquire(Want::Any),
    );
    assert!(matches!(first, Err(IpamError::Invalid(_))), "{first:?}");
    let unhappy = Error::Invalid("unhappy".to_owned());
    assert_eq!(second.unwrap_err(), IpamError::Store(unhappy));
    assert_eq!(third.unwrap(), Interval::one(0));
}
