//! A copy that can be made again: what a crash may lose of it, and what not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use metal_storage::{
    Durability, Error, Name, Query, Read, Redb, RedbOptions, Revision, Scope, Store,
};

use crate::medium::{EIO, Faulty};
use crate::{commit_when_well, exists, options, put};

fn open(medium: &Faulty, within: Duration) -> Redb {
    let relaxed = RedbOptions {
        durability: Durability::Within(within),
        ..options()
    };
    Redb::open_on(Arc::new(medium.clone()), relaxed).unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);

/// Whether the store is as it was at some revision, and at which.
async fn prefix(store: &Redb) -> u64 {
    let query = Query::new(Scope::Global, Name::from_static("thing"));
    let page = store.list(&query, Read::Latest).await.unwrap();
    let mut versions: Vec<_> = page.records.iter().map(|one| one.version.get()).collect();
    versions.sort_unstable();
    let expected: Vec<_> = (1..=page.revision.get()).collect();
    assert_eq!(versions, expected, "one record a revision");
    page.revision.get()
}

#[tokio::test]
async fn after_a_loss_of_power_it_is_as_it_was_at_an_earlier_revision() {
    let mut seed = 7_u64;
    let mut coin = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed >> 63 == 1
    };
    for commits in [0, 1, 2, 10, 100, 300] {
        let medium = Faulty::default();
        let store = open(&medium, Duration::from_millis(3));
        for i in 0..commits {
            store.commit(put(&i.to_string(), 2_000)).await.unwrap();
        }
        let disk = medium.after_power_loss(&mut coin);
        drop(store);
        let store = open(&disk, HOUR);
        let left = prefix(&store).await;
        assert!(left <= commits, "{left} of {commits}");
        let next = store.commit(put("next", 10)).await.unwrap();
        assert_eq!(next.get(), left + 1);
    }
}

#[tokio::test]
async fn what_is_older_than_the_period_survives_though_nothing_follows() {
    let medium = Faulty::default();
    let store = open(&medium, Duration::from_millis(20));
    for i in 0..10 {
        store.commit(put(&i.to_string(), 100)).await.unwrap();
    }
    let begun = Instant::now();
    loop {
        let disk = medium.after_power_loss(|| false);
        if prefix(&open(&disk, HOUR)).await == 10 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "never durable");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn closing_loses_nothing() {
    let medium = Faulty::default();
    let store = open(&medium, HOUR);
    for i in 0..10 {
        store.commit(put(&i.to_string(), 100)).await.unwrap();
    }
    assert_eq!(
        prefix(&open(&medium.after_power_loss(|| false), HOUR)).await,
        0
    );
    store.close().await;
    assert_eq!(
        prefix(&open(&medium.after_power_loss(|| false), HOUR)).await,
        10
    );
}

#[tokio::test]
async fn a_fault_of_the_file_loses_the_newest_and_ends_who_watched_them() {
    let medium = Faulty::default();
    let store = open(&medium, HOUR);
    for i in 0..10 {
        store.commit(put(&i.to_string(), 100)).await.unwrap();
    }
    let mut watcher = store.watch(Scope::Global, Revision::ZERO);
    for i in 1..=10 {
        assert_eq!(watcher.next().await.unwrap().unwrap().revision.get(), i);
    }
    medium.fail(EIO);
    // Larger than what is kept in memory, so that the file is asked.
    let mut failed = false;
    for i in 0..200 {
        let big = put(&format!("big{i}"), 1_000_000);
        failed |= store.commit(big).await.is_err();
        if failed {
            break;
        }
    }
    assert!(failed, "a file that fails is noticed");
    medium.heal();
    let revision = commit_when_well(&store, &put("after", 100)).await;
    assert_eq!(revision.get(), 1, "nothing was durable");
    assert!(!exists(&store, "0").await.unwrap());
    let told = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            match watcher.next().await {
                Some(Ok(change)) => assert!(change.revision.get() > 10, "nothing twice"),
                other => return other,
            }
        }
    });
    let told = told.await.unwrap();
    assert!(
        matches!(told, Some(Err(Error::Unavailable { .. }))),
        "{told:?}"
    );
    let mut again = store.watch(Scope::Global, Revision::new(10));
    let behind = again.next().await.unwrap().unwrap_err();
    assert!(matches!(behind, Error::Behind { .. }), "{behind:?}");
}
