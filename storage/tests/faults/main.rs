//! The file fails: what is acknowledged is kept, what is not is said to be so, and the store
//! comes back by itself.
#![allow(clippy::unwrap_used, reason = "tests")]

mod medium;
mod relaxed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use medium::{EIO, ENOSPC, EROFS, Faulty, Plan};
use metal_storage::{
    Batch, Error, Key, Name, Query, Read, Record, Redb, RedbOptions, Result, Revision, Scope,
    Store, Write,
};

fn options() -> RedbOptions {
    RedbOptions {
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(20),
        ..RedbOptions::default()
    }
}

fn open(medium: &Faulty) -> Redb {
    Redb::open_on(Arc::new(medium.clone()), options()).unwrap()
}

fn key(id: &str) -> Key {
    Key::new(Scope::Global, Name::from_static("thing"), id).unwrap()
}

fn put(id: &str, bytes: usize) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: key(id),
        fields: Vec::new(),
        doc: Bytes::from(format!("\"{}\"", "x".repeat(bytes))),
    }));
    batch
}

async fn exists(store: &Redb, id: &str) -> Result<bool> {
    Ok(store.get(&key(id), Read::Latest).await?.is_some())
}

/// Commits until it works.
async fn commit_when_well(store: &Redb, batch: &Batch) -> Revision {
    let begun = Instant::now();
    loop {
        match store.commit(batch.clone()).await {
            Ok(revision) => return revision,
            Err(error) if begun.elapsed() > Duration::from_secs(10) => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

#[tokio::test]
async fn on_a_full_disk_commits_are_refused_with_the_cause_and_reads_go_on() {
    for error in [ENOSPC, EROFS, EIO] {
        let medium = Faulty::default();
        let store = open(&medium);
        store.commit(put("before", 100)).await.unwrap();
        let mut watcher = store.watch(Scope::Global, Revision::ZERO);
        medium.fail(error);
        let cause = std::io::Error::from_raw_os_error(error).to_string();
        let mut unsure = Vec::new();
        for i in 0..20 {
            let batch = put(&format!("lost{i}"), 100);
            match store.commit(batch.clone()).await.unwrap_err() {
                Error::Unavailable { reason } => assert!(reason.contains(&cause), "{reason}"),
                Error::Unknown(op) => unsure.push((op, batch)),
                other => panic!("{other:?}"),
            }
            assert!(exists(&store, "before").await.unwrap());
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        let query = Query::new(Scope::Global, Name::from_static("thing"));
        let page = store.list(&query, Read::Latest).await.unwrap();
        assert_eq!(page.records.len(), 1);
        assert_eq!(watcher.next().await.unwrap().unwrap().revision.get(), 1);
        medium.heal();
        let revision = commit_when_well(&store, &put("after", 100)).await;
        assert_eq!(revision.get(), 2);
        assert!(exists(&store, "before").await.unwrap());
        assert!(!exists(&store, "lost0").await.unwrap());
        let change = watcher.next().await.unwrap().unwrap();
        assert_eq!(change.revision.get(), 2, "the watcher goes on");
        for (op, batch) in unsure {
            assert_eq!(op, batch.op);
            let again = store.commit(batch).await.unwrap();
            assert!(again.get() >= 2);
        }
    }
}

#[tokio::test]
async fn an_unknown_commit_is_unknown_until_it_is_settled() {
    let medium = Faulty::default();
    let store = open(&medium);
    store.commit(put("before", 100)).await.unwrap();
    medium.fail(EIO);
    let batch = put("unsure", 100);
    let first = store.commit(batch.clone()).await.unwrap_err();
    assert_eq!(first, Error::Unknown(batch.op));
    let again = store.commit(batch.clone()).await.unwrap_err();
    assert_eq!(again, Error::Unknown(batch.op), "not: it did not happen");
    let other = store.commit(put("other", 100)).await.unwrap_err();
    assert!(matches!(other, Error::Unavailable { .. }), "{other:?}");
    medium.heal();
    let settled = commit_when_well(&store, &batch).await;
    assert_eq!(settled.get(), 2);
    assert!(exists(&store, "unsure").await.unwrap());
    assert!(!exists(&store, "other").await.unwrap());
}

#[tokio::test]
async fn a_file_that_cannot_be_read_for_a_while_is_read_again() {
    let medium = Faulty::default();
    let mut small = options();
    small.cache_bytes = 0;
    small.revision_wait = Duration::from_millis(50);
    let store = Redb::open_on(Arc::new(medium.clone()), small).unwrap();
    for i in 0..50 {
        store.commit(put(&i.to_string(), 5_000)).await.unwrap();
    }
    medium.plan(Plan {
        from: Some(0),
        count: u64::MAX,
        reads: true,
        error: EIO,
    });
    let error = exists(&store, "7").await.unwrap_err();
    let cause = std::io::Error::from_raw_os_error(EIO).to_string();
    assert!(
        matches!(&error, Error::Unavailable { reason } if reason.contains(&cause)),
        "{error:?}"
    );
    medium.heal();
    let begun = Instant::now();
    while exists(&store, "7").await != Ok(true) {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Every place where the medium can fail once, or for a while, during a run of commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_it_fails_what_is_acknowledged_survives_a_loss_of_power() {
    let mut seed = 1_u64;
    let mut coin = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed >> 63 == 1
    };
    for (error, counts) in [(ENOSPC, &[u64::MAX][..]), (EIO, &[1, 3, u64::MAX])] {
        for count in counts.iter().copied() {
            for from in 0..80 {
                let medium = Faulty::default();
                let store = open(&medium);
                store.commit(put("first", 10)).await.unwrap();
                medium.plan(Plan {
                    from: Some(from),
                    count,
                    reads: false,
                    error,
                });
                let mut acknowledged = BTreeMap::from([("first".to_owned(), 1)]);
                let mut refused = Vec::new();
                let mut unsure = Vec::new();
                for i in 0..8 {
                    let id = format!("{from}/{i}");
                    let batch = put(&id, 3_000);
                    match store.commit(batch.clone()).await {
                        Ok(revision) => {
                            acknowledged.insert(id, revision.get());
                        }
                        Err(Error::Unavailable { .. }) => refused.push(id),
                        Err(Error::Unknown(_)) => unsure.push(id),
                        Err(other) => panic!("{other:?}"),
                    }
                }
                // The power goes while the store still runs, and reading it has shown what it has.
                let mut shown = Vec::new();
                for id in refused.iter().chain(&unsure).chain(acknowledged.keys()) {
                    if exists(&store, id).await.unwrap() {
                        shown.push(id.clone());
                    }
                }
                let disk = medium.after_power_loss(&mut coin);
                drop(store);
                let store = open(&disk);
                for (id, revision) in &acknowledged {
                    let found = store.get(&key(id), Read::Latest).await.unwrap();
                    let version = found.map(|found| found.version.get());
                    assert_eq!(
                        version,
                        Some(*revision),
                        "{id}, {error} {count} from {from}"
                    );
                }
                for id in &refused {
                    assert!(!exists(&store, id).await.unwrap(), "{id} was refused");
                }
                for id in &shown {
                    assert!(exists(&store, id).await.unwrap(), "{id} was shown");
                }
                let next = store.commit(put("next", 10)).await.unwrap();
                let query = Query::new(Scope::Global, Name::from_static("thing"));
                let page = store.list(&query, Read::Latest).await.unwrap();
                assert_eq!(page.revision, next);
                assert_eq!(
                    page.records.len() as u64,
                    next.get(),
                    "one record a revision"
                );
            }
        }
    }
}
