use std::sync::Arc;

use futures::StreamExt;
use metal_storage::{Error, Etcd, EtcdOptions, Name, Query, Read, Revision, Scope, Store};

use crate::contents::{batch, put};
use crate::suite::{fresh_options, shared};

/// Compacts everything that etcd remembers but the newest.
fn compact() {
    let status = shared().ctl(&["endpoint", "status", "-w", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let revisions = status.as_array().unwrap().iter();
    let newest = revisions.map(|member| &member["Status"]["header"]["revision"]);
    let newest = newest
        .map(|revision| revision.as_i64().unwrap())
        .max()
        .unwrap();
    shared().ctl(&["compact", &newest.to_string()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compaction_of_etcd_costs_no_watcher_a_change() {
    const EACH: u64 = 100;
    let options = fresh_options();
    let store = Arc::new(Etcd::connect(options.clone(), &[]).await.unwrap());
    let other = Etcd::connect(options.clone(), &[]).await.unwrap();
    let mut streams = [
        store.watch(Scope::Global, Revision::ZERO),
        other.watch(Scope::Global, Revision::ZERO),
    ];
    for round in 0..3 {
        for i in 0..EACH {
            store
                .commit(batch([put(&format!("{i}"), 10)]))
                .await
                .unwrap();
        }
        compact();
        for stream in &mut streams {
            for i in 1..=EACH {
                let change = stream.next().await.unwrap().unwrap();
                assert_eq!(change.revision.get(), round * EACH + i);
            }
        }
    }
    // Ours are remembered all the same.
    let late = Etcd::connect(options, &[]).await.unwrap();
    let mut stream = late.watch(Scope::Global, Revision::ZERO);
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(first.revision.get(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_left_far_behind_reads_everything_again() {
    let options = EtcdOptions {
        history_revisions: 5,
        ..fresh_options()
    };
    let behind = Etcd::connect(options.clone(), &[]).await.unwrap();
    let query = Query::new(Scope::Global, Name::from_static("thing"));
    let store = Etcd::connect(options, &[]).await.unwrap();
    for round in 0..4 {
        // Faster than the other follows: it asks for changes that are gone.
        let commits = (0..40).map(|i| store.commit(batch([put(&format!("{round}-{i}"), 10)])));
        for answer in futures::future::join_all(commits).await {
            answer.unwrap();
        }
        let page = behind.list(&query, Read::Latest).await.unwrap();
        assert_eq!(page.records.len(), 40 * (round + 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_left_behind_names_the_oldest_revision_that_the_others_remember() {
    let options = EtcdOptions {
        history_revisions: 5,
        ..fresh_options()
    };
    let behind = Etcd::connect(options.clone(), &[]).await.unwrap();
    let store = Etcd::connect(options, &[]).await.unwrap();
    for _ in 0..20 {
        for _ in 0..10 {
            store.commit(batch([put("a", 10)])).await.unwrap();
        }
        let mut stream = behind.watch(Scope::Global, Revision::ZERO);
        let error = stream.next().await.unwrap().unwrap_err();
        let Error::Compacted(oldest) = error else {
            panic!("{error:?}");
        };
        let mut stream = store.watch(Scope::Global, oldest);
        let first = stream.next().await.unwrap().unwrap();
        assert_eq!(first.revision, oldest.next());
    }
}
