use std::sync::Arc;

use bytes::Bytes;
use metal_storage::{
    Batch, Error, Etcd, EtcdOptions, Key, Name, Read, Record, Scope, Store, Write,
};
use tokio::task::JoinSet;

use crate::cluster::{Cluster, Disk, Place, require_etcd};
use crate::contents::{batch, put};
use crate::suite::patient;

#[tokio::test]
async fn an_etcd_that_permits_less_is_named_and_smaller_commits_go_on() {
    require_etcd();
    let small = ["--max-request-bytes", "65536"];
    let cluster = Cluster::start_at(Disk::Careless, vec![Place::local()], &small);
    let store = Etcd::connect(patient(&cluster), &[]).await.unwrap();
    let error = store.commit(batch([put("a", 100_000)])).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("--max-request-bytes"), "{error}");
    let revision = store.commit(batch([put("a", 10_000)])).await.unwrap();
    assert_eq!(revision.get(), 1);
}

#[tokio::test]
async fn a_full_etcd_refuses_commits_answers_reads_and_goes_on_when_there_is_space() {
    require_etcd();
    // Its quota is held against what it has written out. By default that is up to 100 ms behind, in
    // which it takes more than it can free again: the changes that are remembered stay.
    let small = [
        "--quota-backend-bytes",
        "8388608",
        "--backend-batch-limit",
        "1",
    ];
    let cluster = Cluster::start_at(Disk::Careless, vec![Place::local()], &small);
    let store = Etcd::connect(patient(&cluster), &[]).await.unwrap();
    let mut done = 0;
    let error = loop {
        match store.commit(batch([put("a", 200_000)])).await {
            Ok(revision) => done = revision.get(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("space"), "{error}");
    let found = store.get(put("a", 1).key(), Read::Latest).await.unwrap();
    assert_eq!(found.unwrap().version.get(), done, "refused means not done");
    let status = cluster.ctl(&["endpoint", "status", "-w", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let newest = status[0]["Status"]["header"]["revision"].to_string();
    // Without this, it is done some time after the answer, and there is nothing to win yet.
    cluster.ctl(&["compact", "--physical", &newest]);
    cluster.ctl(&["defrag"]);
    cluster.ctl(&["alarm", "disarm"]);
    let revision = store.commit(batch([put("a", 1)])).await.unwrap();
    assert_eq!(revision.get(), done + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_while_etcd_runs_full_did_not_happen_and_what_is_done_did() {
    require_etcd();
    let small = ["--quota-backend-bytes", "16777216"];
    let cluster = Cluster::start_at(Disk::Careless, vec![Place::local()], &small);
    let store = Arc::new(Etcd::connect(patient(&cluster), &[]).await.unwrap());
    // Many at once: etcd applies some of those that it has no space for any more, and says so in
    // the words of a refusal.
    let mut writers = JoinSet::new();
    for number in 0..16 {
        let store = Arc::clone(&store);
        let scope = Scope::Partition(format!("p{number}").parse().unwrap());
        writers.spawn(async move {
            let key = Key::new(scope.clone(), Name::from_static("thing"), "a").unwrap();
            let mut done = 0;
            loop {
                let mut batch = Batch::new(scope.clone());
                batch.writes.push(Write::Put(Record {
                    key: key.clone(),
                    fields: Vec::new(),
                    doc: Bytes::from(format!("\"{}\"", "x".repeat(50_000))),
                }));
                match store.commit(batch).await {
                    Ok(revision) => done = revision.get(),
                    Err(Error::Unavailable { .. }) => break,
                    Err(other) => panic!("{other:?}"),
                }
            }
            let found = store.get(&key, Read::Latest).await.unwrap();
            (found.map_or(0, |found| found.version.get()), done)
        });
    }
    for (found, done) in writers.join_all().await {
        assert_eq!(found, done);
    }
}

#[tokio::test]
async fn a_scope_over_its_bound_refuses_more_and_permits_deletion() {
    let options = EtcdOptions {
        scope_bytes: 1_000,
        ..crate::suite::fresh_options()
    };
    let store = Etcd::connect(options, &[]).await.unwrap();
    store.commit(batch([put("a", 900)])).await.unwrap();
    let error = store.commit(batch([put("b", 900)])).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let key = put("a", 1).key().clone();
    store
        .commit(batch([metal_storage::Write::Delete(key)]))
        .await
        .unwrap();
    store.commit(batch([put("b", 900)])).await.unwrap();
}
