//! A file that has become too large for what is in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use futures::StreamExt;
use metal_storage::{
    Batch, Compaction, Error, Read, Record, Redb, RedbOptions, Revision, Scope, Store, Write,
};
use tempfile::TempDir;

use crate::key;

fn put(id: &str, bytes: usize) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: key("thing", id),
        fields: Vec::new(),
        doc: format!("\"{}\"", "x".repeat(bytes)).into(),
    }));
    batch
}

fn options() -> RedbOptions {
    RedbOptions {
        history_revisions: 5,
        ..RedbOptions::default()
    }
}

/// A store of which little is left.
async fn sparse(path: &std::path::Path) -> Redb {
    let store = Redb::open(path, options()).unwrap();
    for i in 0..30 {
        let large = put(&format!("large{i}"), 1_000_000);
        store.commit(large).await.unwrap();
    }
    for i in 0..30 {
        let mut batch = Batch::new(Scope::Global);
        let key = key("thing", &format!("large{i}"));
        batch.writes.push(Write::Delete(key));
        store.commit(batch).await.unwrap();
    }
    for i in 0..10 {
        let small = put(&format!("small{i}"), 100);
        store.commit(small).await.unwrap();
    }
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_made_smaller_while_it_is_read_and_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let store = Arc::new(sparse(&path).await);
    let large = std::fs::metadata(&path).unwrap().len();
    let mut watcher = store.watch(Scope::Global, Revision::new(66));
    assert_eq!(watcher.next().await.unwrap().unwrap().revision.get(), 67);
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        async move {
            while !done.load(SeqCst) {
                let found = store.get(&key("thing", "small3"), Read::Latest).await;
                assert!(found.unwrap().is_some());
                tokio::task::yield_now().await;
            }
        }
    });
    let writer = tokio::spawn({
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        async move {
            let mut last = Revision::ZERO;
            while !done.load(SeqCst) {
                last = store.commit(put("busy", 10)).await.unwrap();
            }
            last
        }
    });
    let Compaction { before, after } = store.compact().await.unwrap();
    assert!(before >= large && after * 4 < before, "{before} to {after}");
    // It may have grown since.
    assert!(std::fs::metadata(&path).unwrap().len() * 4 < before);
    store.commit(put("after", 10)).await.unwrap();
    done.store(true, SeqCst);
    reader.await.unwrap();
    let last = writer.await.unwrap();
    // What was written since is in the file that has the name now.
    let head = store.commit(put("last", 10)).await.unwrap();
    assert!(head > last);
    store.close().await;
    let store = Redb::open(&path, options()).unwrap();
    for id in ["small0", "small9", "busy", "after", "last"] {
        let found = store.get(&key("thing", id), Read::Latest).await.unwrap();
        assert!(found.is_some(), "{id}");
    }
    assert_eq!(
        store.commit(put("next", 10)).await.unwrap(),
        head.next(),
        "no revision is missing"
    );
}

#[tokio::test]
async fn a_file_that_would_not_become_smaller_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let store = Redb::open(&path, options()).unwrap();
    for i in 0..20 {
        let large = put(&format!("large{i}"), 1_000_000);
        store.commit(large).await.unwrap();
    }
    let Compaction { before, after } = store.compact().await.unwrap();
    assert_eq!(before, after);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), before);
}

#[tokio::test]
async fn more_than_commits_may_wait_for_is_not_copied() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    sparse(&path).await.close().await;
    let little = RedbOptions {
        compact_bytes: 100,
        ..options()
    };
    let store = Redb::open(&path, little).unwrap();
    let error = store.compact().await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    store.commit(put("after", 10)).await.unwrap();
}

#[tokio::test]
async fn a_compaction_that_fails_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let store = sparse(&path).await;
    std::fs::create_dir(folder.path().join("store.redb.new")).unwrap();
    let error = store.compact().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    store.commit(put("after", 10)).await.unwrap();
    store.close().await;
    let store = Redb::open(&path, options()).unwrap();
    let found = store.get(&key("thing", "after"), Read::Latest).await;
    assert!(found.unwrap().is_some());
}
